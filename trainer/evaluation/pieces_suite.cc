#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/collection/bundle_builder.h"
#include "core/decoding/decoder.h"
#include "core/retrieval/bundle_collection.h"
#include "trainer/base/fingerprint.h"
#include "trainer/evaluation/suites.h"

namespace antiphon::trainer::evaluation {
namespace {

using matching::Identification;
using matching::VoteMethod;
using retrieval::Collection;

// How many queries found their piece how high.
struct Places {
  int queries = 0, first = 0, in_5 = 0, in_10 = 0;

  void Add(const Identification& answer, int truth) {
    ++queries;
    for (const matching::Candidate& found : answer.candidates) {
      if (found.source != truth) continue;
      // Ties count against: rank = 1 + the number of others that score at least as high.
      const auto rank =
          std::count_if(answer.candidates.begin(), answer.candidates.end(),
                        [&found](const auto& other) { return other.score >= found.score; });
      first += rank <= 1;
      in_5 += rank <= 5;
      in_10 += rank <= 10;
    }
  }

  metrics::ReportRow Row(std::string name) const {
    const double count = queries;
    return {std::move(name), {first / count, in_5 / count, in_10 / count}};
  }
};

absl::StatusOr<std::unique_ptr<const Collection>> MakeCollection(
    const std::vector<datasets::TestPiece>& pieces, const std::string& model,
    const PiecesOptions& options, Progress& progress) {
  collection::BuilderOptions build;
  build.model_directory = model;
  build.encoder = options.models.encoder;
  ASSIGN_OR_RETURN(auto builder, collection::BundleBuilder::Create(options.work, build));
  progress.Start("index test pieces", static_cast<int64_t>(pieces.size()));
  for (const datasets::TestPiece& piece : pieces) {
    catalog::Piece entry;
    entry.id = entry.title = piece.name;
    RETURN_IF_ERROR(builder->AddPiece(entry, piece.midi));
    ASSIGN_OR_RETURN(const std::string audio, ReadWholeFile(piece.audio_path));
    catalog::Recording recording;
    recording.id = recording.title = recording.piece_id = piece.name;
    RETURN_IF_ERROR(builder->AddRecording(recording, audio));
    progress.Advance();
  }
  progress.Finish();
  RETURN_IF_ERROR(builder->Publish().status());
  collection::CollectionOptions open;
  open.encoder = options.models.encoder;
  return retrieval::BundleCollection::Open(options.work, open);
}

// Both directions with one method. The plain vote is Dorfer et al.'s: 100 snippets spread evenly
// over the query, 25 neighbours each.
absl::Status Measure(const std::vector<datasets::TestPiece>& pieces, const Collection& collection,
                     VoteMethod method, const std::string& name, Progress& progress,
                     metrics::ReportTable& table) {
  matching::IdentifyOptions identify;
  identify.top_k = 10;
  identify.method = method;
  identify.min_confidence = 0;
  if (method == VoteMethod::kPlain) identify.max_windows = 100;
  audio::DecodeOptions decode;
  decode.sample_rate = collection.encoder_info().settings.sample_rate;
  matching::IdentifyOptions among_recordings = identify;
  among_recordings.against = catalog::Side::kRecordings;
  Places to_score, to_audio;
  progress.Start(name, static_cast<int64_t>(pieces.size()));
  for (size_t piece = 0; piece < pieces.size(); ++piece) {
    ASSIGN_OR_RETURN(const audio::Waveform audio,
                     audio::DecodeFile(pieces[piece].audio_path, decode));
    ASSIGN_OR_RETURN(const Identification by_audio, collection.IdentifyAudio(audio, identify));
    to_score.Add(by_audio, static_cast<int>(piece));
    ASSIGN_OR_RETURN(const Identification by_score,
                     collection.IdentifyScore(pieces[piece].score, among_recordings));
    to_audio.Add(by_score, static_cast<int>(piece));
    progress.Advance();
  }
  progress.Finish();
  table.rows.push_back(to_score.Row(name + ", recording→score"));
  table.rows.push_back(to_audio.Row(name + ", score→recording"));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<metrics::Report> EvaluatePieces(const PiecesOptions& options, Progress& progress) {
  ASSIGN_OR_RETURN(const std::vector<datasets::TestPiece> pieces,
                   datasets::LoadTestSet(options.test_set, progress));
  metrics::Report report{"pieces", {}, {}};
  metrics::ReportTable table{
      absl::StrCat(pieces.size(), " pieces"), {"first", "in 5", "in 10"}, {}};
  for (const auto& [name, model, measured] : ModelsOf(options.models)) {
    std::filesystem::remove_all(options.work);
    ASSIGN_OR_RETURN(const auto collection, MakeCollection(pieces, model, options, progress));
    if (measured) report.settings["model"] = collection->manifest().model_id;
    for (const auto& [method, label] : {std::pair(VoteMethod::kInTime, ", vote in time"),
                                        std::pair(VoteMethod::kPlain, ", plain vote")}) {
      RETURN_IF_ERROR(Measure(pieces, *collection, method, name + label, progress, table));
    }
  }
  std::filesystem::remove_all(options.work);
  const double count = static_cast<double>(pieces.size());
  table.rows.push_back(
      {"random", {1 / count, std::min(1.0, 5 / count), std::min(1.0, 10 / count)}});
  report.tables.push_back(std::move(table));
  report.settings["soundfont"] = options.test_set.soundfont;
  return report;
}

}  // namespace antiphon::trainer::evaluation
