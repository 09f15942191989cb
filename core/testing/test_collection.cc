#include "core/testing/test_collection.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/audio/encoder.h"
#include "core/music/midi_file.h"

namespace antiphon::testing {

music::Score RandomPiece(int seed, double length_s) {
  std::mt19937 rng(1000 + seed);
  music::Score score;
  for (const int lowest : {47, 66}) {
    double onset_s = 0;
    while (onset_s < length_s) {
      music::Note note;
      note.onset_s = onset_s;
      onset_s += 0.2 * std::uniform_int_distribution(1, 4)(rng);
      note.offset_s = note.sounding_offset_s = onset_s;
      note.pitch = lowest + std::uniform_int_distribution(0, 18)(rng);
      note.track = lowest == 47 ? 1 : 2;
      score.notes.push_back(note);
      score.duration_s = std::max(score.duration_s, onset_s);
    }
  }
  std::sort(score.notes.begin(), score.notes.end(), [](const music::Note& a, const music::Note& b) {
    return std::pair(a.onset_s, a.pitch) < std::pair(b.onset_s, b.pitch);
  });
  return score;
}

audio::Waveform Play(const music::Score& score, double tempo_ratio) {
  audio::Waveform waveform;
  waveform.samples.resize(
      static_cast<size_t>(score.duration_s / tempo_ratio * waveform.sample_rate));
  const auto sample_at = [&](double seconds) {
    return std::min(waveform.samples.size(),
                    static_cast<size_t>(seconds / tempo_ratio * waveform.sample_rate));
  };
  for (const music::Note& note : score.notes) {
    const double step =
        2 * 3.141592653589793 * 440 * std::exp2((note.pitch - 69) / 12.0) / waveform.sample_rate;
    for (size_t i = sample_at(note.onset_s); i < sample_at(note.offset_s); ++i) {
      waveform.samples[i] += 0.2f * static_cast<float>(std::sin(step * static_cast<double>(i)));
    }
  }
  return waveform;
}

namespace {

std::string ComposerOf(int piece) { return piece % 2 == 0 ? "Chance" : "Accident"; }
std::string CollectionOf(int piece) { return absl::StrCat("shelf-", piece % 3); }

}  // namespace

std::unique_ptr<collection::LoadedCollection> MakeTestCollection(
    const std::string& folder, const TestCollectionOptions& options) {
  auto loaded = std::make_unique<collection::LoadedCollection>();
  loaded->audio_encoder = std::make_unique<FakeEncoder>(encoder::Modality::kAudio);
  loaded->score_encoder = std::make_unique<FakeEncoder>(encoder::Modality::kScore);
  auto assembly = collection::CollectionAssembly::Create(folder, *loaded->audio_encoder,
                                                         *loaded->score_encoder, options.builder)
                      .value();
  const auto must = [](const absl::Status& status) {
    if (!status.ok()) std::abort();
  };
  for (int i = 0; i < options.pieces; ++i) {
    must(assembly->AddPiece({.id = absl::StrCat("piece-", i),
                             .title = absl::StrCat("Piece ", i),
                             .composer = ComposerOf(i),
                             .collection = CollectionOf(i),
                             .work_id = absl::StrCat("work-", i / 2),
                             .with_parts = options.builder.with_parts},
                            music::WriteMidi(RandomPiece(i)).value()));
  }
  for (size_t i = 0; i < options.more.size(); ++i) {
    must(assembly->AddPiece({.id = absl::StrCat("more-", i),
                             .title = absl::StrCat("More ", i),
                             .with_parts = options.builder.with_parts},
                            music::WriteMidi(options.more[i]).value()));
  }
  for (int i = 0; i < options.recordings; ++i) {
    const int piece = i % options.pieces;
    must(assembly->AddRecording(
        {.id = absl::StrCat("recording-", i),
         .title = "",
         .composer = ComposerOf(piece),
         .piece_id = absl::StrCat("piece-", piece),
         .collection = CollectionOf(piece)},
        audio::EncodeAudio(Play(RandomPiece(piece), 1 + 0.1 * i), audio::AudioFormat::kFlac)
            .value()));
  }
  loaded->manifest = assembly->Finish().value();
  index::IndexOptions index_options = options.builder.index;
  index_options.dimension = loaded->manifest.dimension;
  loaded->view = collection::CollectionView::FromBase(
      catalog::Catalog::Open(folder + "/" + bundle::kCatalogFile).value(),
      index::VectorIndex::Load(folder + "/" + bundle::kScoreIndexFile, index_options).value(),
      index::VectorIndex::Load(folder + "/" + bundle::kRecordingIndexFile, index_options).value());
  loaded->front_end = features::AudioFrontEnd::Create(loaded->settings()).value();
  return loaded;
}

}  // namespace antiphon::testing
