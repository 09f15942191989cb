#include "core/collection/collection_files.h"

#include <utility>

#include "core/base/status_macros.h"

namespace antiphon::collection {

using catalog::Side;

CollectionFiles::CollectionFiles(std::string directory, index::IndexOptions options,
                                 std::unique_ptr<catalog::CatalogWriter> writer)
    : directory_(std::move(directory)), options_(std::move(options)), writer_(std::move(writer)) {}

absl::StatusOr<std::unique_ptr<CollectionFiles>> CollectionFiles::Create(
    const std::string& directory, const index::IndexOptions& options) {
  ASSIGN_OR_RETURN(auto writer,
                   catalog::CatalogWriter::Create(directory + "/" + bundle::kCatalogFile));
  return std::unique_ptr<CollectionFiles>(
      new CollectionFiles(directory, options, std::move(writer)));
}

absl::Status CollectionFiles::Add(const catalog::SourceRecord& record) {
  const bool score = record.side == Side::kScores;
  ASSIGN_OR_RETURN(const int source, score
                                         ? writer_->AddPiece(record.piece, record.content)
                                         : writer_->AddRecording(record.recording, record.content));
  SideVectors& side = score ? scores_ : recordings_;
  ++side.sources;
  const auto first = static_cast<int64_t>(side.vectors.size()) / options_.dimension;
  for (catalog::SnippetRun run : record.runs) {
    run.source = source;
    run.first_vector += first;
    RETURN_IF_ERROR(writer_->AddRun(record.side, run));
  }
  side.vectors.insert(side.vectors.end(), record.vectors.begin(), record.vectors.end());
  return absl::OkStatus();
}

absl::StatusOr<int64_t> CollectionFiles::WriteIndex(SideVectors& side, const char* name) const {
  ASSIGN_OR_RETURN(const auto index, index::VectorIndex::Build(options_, side.vectors));
  side.vectors = {};  // the index has its own
  RETURN_IF_ERROR(index->Save(directory_ + "/" + name));
  return index->size();
}

absl::Status CollectionFiles::Finish(bundle::Manifest& manifest) {
  RETURN_IF_ERROR(writer_->Finish());
  ASSIGN_OR_RETURN(const int64_t scores, WriteIndex(scores_, bundle::kScoreIndexFile));
  ASSIGN_OR_RETURN(const int64_t recordings, WriteIndex(recordings_, bundle::kRecordingIndexFile));
  manifest.pieces = scores_.sources;
  manifest.recordings = recordings_.sources;
  manifest.score_vectors = scores;
  manifest.recording_vectors = recordings;
  return absl::OkStatus();
}

absl::StatusOr<catalog::SourceRecord> ReadSource(const CollectionView& view, Side side,
                                                 int source) {
  const bool score = side == Side::kScores;
  catalog::SourceRecord record;
  record.side = side;
  if (score) record.piece = view.pieces()[source];
  if (!score) record.recording = view.recordings()[source];
  ASSIGN_OR_RETURN(record.content, score ? view.ReadMidi(source) : view.ReadAudio(source));
  ASSIGN_OR_RETURN(const std::vector<CollectionView::SourceRun> runs, view.ReadRuns(side, source));
  for (const CollectionView::SourceRun& run : runs) {
    record.runs.push_back(run.run);
    record.runs.back().source = 0;
    record.vectors.insert(record.vectors.end(), run.vectors.begin(), run.vectors.end());
  }
  return record;
}

}  // namespace antiphon::collection
