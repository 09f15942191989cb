#include "core/testing/live_test_bundle.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/audio/encoder.h"
#include "core/hash/sha256.h"
#include "core/music/midi_file.h"
#include "core/retrieval/bundle_collection.h"
#include "core/testing/test_collection.h"
#include "tests/support/test_model.h"

namespace antiphon::testing {
namespace {

using catalog::Side;

constexpr double kPieceSeconds = 12;
constexpr double kTolerance = 1e-4;  // of similarities and times: sums in another order

void Must(const absl::Status& status) {
  if (status.ok()) return;
  std::cerr << status << std::endl;
  std::abort();
}

template <typename T>
T Must(absl::StatusOr<T> value) {
  Must(value.status());
  return *std::move(value);
}

std::string Show(const matching::Hit& hit) {
  return absl::StrCat("source ", hit.source, " at ", hit.match.reference.start_s, " s, similarity ",
                      hit.similarity);
}

bool Near(double a, double b) { return std::abs(a - b) <= kTolerance; }

std::string Compare(const std::vector<matching::Hit>& one,
                    const std::vector<matching::Hit>& other) {
  if (one.size() != other.size()) return absl::StrCat(one.size(), " hits and ", other.size());
  for (size_t i = 0; i < one.size(); ++i) {
    if (one[i].source != other[i].source || !Near(one[i].similarity, other[i].similarity) ||
        !Near(one[i].match.reference.start_s, other[i].match.reference.start_s) ||
        !Near(one[i].match.query.start_s, other[i].match.query.start_s)) {
      return absl::StrCat("hit ", i, ": ", Show(one[i]), " and ", Show(other[i]));
    }
  }
  return "";
}

std::string Compare(const matching::Identification& one, const matching::Identification& other) {
  if (one.verdict != other.verdict || one.candidates.size() != other.candidates.size())
    return "other verdicts";
  for (size_t i = 0; i < one.candidates.size(); ++i) {
    const matching::Candidate& a = one.candidates[i];
    const matching::Candidate& b = other.candidates[i];
    if (a.source != b.source || !Near(a.confidence, b.confidence) ||
        !Near(a.place.reference_s, b.place.reference_s)) {
      return absl::StrCat("candidate ", i, ": ", a.source, " (", a.confidence, ") and ", b.source,
                          " (", b.confidence, ")");
    }
  }
  return "";
}

std::string CompareSources(const collection::CollectionView& one,
                           const collection::CollectionView& other, Side side) {
  if (one.source_count(side) != other.source_count(side)) {
    return absl::StrCat(one.source_count(side), " sources and ", other.source_count(side));
  }
  if (one.vector_count(side) != other.vector_count(side)) return "other numbers of vectors";
  for (int i = 0; i < one.source_count(side); ++i) {
    const std::string id = side == Side::kScores ? one.pieces()[i].id : one.recordings()[i].id;
    if (id != (side == Side::kScores ? other.pieces()[i].id : other.recordings()[i].id))
      return "another order";
    const auto a = Must(one.ReadRuns(side, i)), b = Must(other.ReadRuns(side, i));
    if (a.size() != b.size()) return absl::StrCat(id, ": other runs");
    for (size_t r = 0; r < a.size(); ++r) {
      const bool alike = a[r].run.count == b[r].run.count && a[r].run.part == b[r].run.part &&
                         a[r].run.tempo_ratio == b[r].run.tempo_ratio &&
                         a[r].run.start_s == b[r].run.start_s && a[r].run.hop_s == b[r].run.hop_s &&
                         std::equal(a[r].vectors.begin(), a[r].vectors.end(), b[r].vectors.begin(),
                                    b[r].vectors.end(), Near);
      if (!alike) return absl::StrCat(id, ": run ", r, " differs");
    }
  }
  return "";
}

}  // namespace

std::string MidiOf(int seed) { return Must(music::WriteMidi(RandomPiece(seed, kPieceSeconds))); }
std::string AudioOf(int seed) {
  return Must(
      audio::EncodeAudio(Play(RandomPiece(seed, kPieceSeconds)), audio::AudioFormat::kFlac));
}

LiveTestBundle::LiveTestBundle(std::string folder) : folder_(std::move(folder)) {
  std::filesystem::create_directories(Path("model"));
  encoder::EncoderInfo info;
  info.model_id = "test-1";
  info.settings = FakeSettings();
  testing::WriteTestModel(Path("model"), info);
}

collection::BuilderOptions LiveTestBundle::builder_options() const {
  return {.model_directory = Path("model"), .tempo_ratios = {0.8, 1.25}};
}

bundle::Manifest LiveTestBundle::Index(int pieces, int recordings, int first_seed,
                                       index::IndexKind kind) const {
  collection::BuilderOptions options = builder_options();
  options.index.kind = kind;
  const auto builder = Must(collection::BundleBuilder::Create(root(), options));
  for (int i = 0; i < pieces; ++i) {
    Must(builder->AddPiece({.id = absl::StrCat("p", i),
                            .title = "Indexed",
                            .composer = "Chance",
                            .collection = "Base",
                            .work_id = absl::StrCat("work-", i / 2)},
                           MidiOf(first_seed + i)));
  }
  for (int i = 0; i < recordings; ++i) {
    Must(builder->AddRecording(
        {.id = absl::StrCat("r", i), .title = "Indexed", .piece_id = absl::StrCat("p", i)},
        AudioOf(first_seed + i)));
  }
  return Must(builder->Publish());
}

void LiveTestBundle::IndexAfresh(const collection::CollectionView& view,
                                 const bundle::Manifest& manifest, std::string_view name) const {
  std::filesystem::remove_all(Path(name));
  collection::BuilderOptions options = builder_options();
  options.index.kind = view.index_kind(Side::kScores);
  options.tempo_ratios = manifest.tempo_ratios;
  options.score_hop_s = manifest.score_hop_s;
  options.recording_hop_s = manifest.recording_hop_s;
  const auto builder = Must(collection::BundleBuilder::Create(Path(name), options));
  for (int i = 0; i < view.source_count(Side::kScores); ++i) {
    Must(builder->AddPiece(view.pieces()[i], Must(view.ReadMidi(i))));
  }
  for (int i = 0; i < view.source_count(Side::kRecordings); ++i) {
    Must(builder->AddRecording(view.recordings()[i], Must(view.ReadAudio(i))));
  }
  Must(builder->Publish().status());
}

std::vector<std::string> Listing(const collection::CollectionView& view, bool with_versions) {
  std::vector<std::string> lines;
  const auto add = [&](const auto& source, const std::string& piece_or_work,
                       const std::string& content) {
    lines.push_back(absl::StrCat(source.id, " '", source.title, "' '", source.composer, "' '",
                                 source.collection, "' '", piece_or_work, "' ",
                                 with_versions ? absl::StrCat("v", source.version, " ") : "",
                                 hash::HexSha256(content).substr(0, 16)));
  };
  for (size_t i = 0; i < view.pieces().size(); ++i) {
    add(view.pieces()[i], view.pieces()[i].work_id, Must(view.ReadMidi(static_cast<int>(i))));
  }
  for (size_t i = 0; i < view.recordings().size(); ++i) {
    const catalog::Recording& recording = view.recordings()[i];
    add(recording, recording.piece_id, Must(view.ReadAudio(static_cast<int>(i))));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::string Difference(const retrieval::BundleCollection& one,
                       const retrieval::BundleCollection& other, const std::vector<int>& seeds) {
  for (const Side side : {Side::kScores, Side::kRecordings}) {
    if (std::string found = CompareSources(one.view(), other.view(), side); !found.empty())
      return found;
  }
  if (Listing(one.view()) != Listing(other.view())) return "other metadata or bytes";
  for (const int seed : seeds) {
    const music::Score excerpt = music::Excerpt(RandomPiece(seed, kPieceSeconds), 2, 10);
    const audio::Waveform audio = Play(excerpt, 1.1);
    for (const std::string& found :
         {Compare(Must(one.SearchScores(audio, {}, {})), Must(other.SearchScores(audio, {}, {}))),
          Compare(Must(one.SearchRecordings(excerpt, {}, {})),
                  Must(other.SearchRecordings(excerpt, {}, {}))),
          Compare(Must(one.IdentifyAudio(audio, {}, {})),
                  Must(other.IdentifyAudio(audio, {}, {})))}) {
      if (!found.empty()) return absl::StrCat("query ", seed, ": ", found);
    }
  }
  return "";
}

std::string DifferenceFromFresh(const LiveTestBundle& bundle,
                                const retrieval::BundleCollection& live,
                                const std::vector<int>& seeds) {
  bundle.IndexAfresh(live.view(), live.manifest(), "fresh");
  const auto fresh = Must(retrieval::BundleCollection::Open(bundle.Path("fresh")));
  return Difference(live, *fresh, seeds);
}

}  // namespace antiphon::testing
