#include "core/collection/embedding_log.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace antiphon::collection {
namespace {

constexpr int64_t kMostPendingBytes = int64_t{16} << 20;
constexpr std::chrono::seconds kMostPendingTime{10};

using catalog::Change;
using catalog::ChangeJournal;
using catalog::Side;

absl::Status RemoveFiles(const std::string& path) {
  for (const char* ending : {"-wal", "-shm", ""}) {
    std::error_code error;
    std::filesystem::remove(path + ending, error);
    if (error) {
      return absl::ErrnoToStatus(error.value(), absl::StrCat(path, ending, ": cannot be removed"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<ChangeJournal>> OpenJournal(const std::string& path) {
  absl::StatusOr<std::unique_ptr<ChangeJournal>> journal = ChangeJournal::Open(path);
  if (absl::IsAborted(journal.status()))
    return absl::AbortedError(absl::StrCat(path, ": another indexing of this bundle is going on"));
  // It saves time, and nothing else is lost with it.
  if (!absl::IsDataLoss(journal.status())) return journal;
  RETURN_IF_ERROR(RemoveFiles(path));
  return ChangeJournal::Open(path);
}

}  // namespace

absl::StatusOr<std::unique_ptr<EmbeddingLog>> EmbeddingLog::Open(const std::string& bundle_root,
                                                                 const std::string& settings) {
  const std::string path = absl::StrCat(bundle_root, "/", kEmbeddingLogFile);
  ASSIGN_OR_RETURN(std::unique_ptr<ChangeJournal> journal, OpenJournal(path));
  RETURN_IF_ERROR(journal->Prune(settings, 0, {}));
  auto log = std::unique_ptr<EmbeddingLog>(new EmbeddingLog(path, settings, std::move(journal)));
  const auto keep = [&log](Change change) {
    auto key = std::pair(change.side, change.id);
    log->kept_.insert_or_assign(std::move(key), std::move(change.source));
    return absl::OkStatus();
  };
  // Damaged ones are left out, and embedded again.
  const absl::Status read = log->journal_->ReadAfter(settings, 0, keep, {});
  if (!read.ok() && !absl::IsDataLoss(read)) return read;
  return log;
}

EmbeddingLog::EmbeddingLog(std::string path, std::string settings,
                           std::unique_ptr<ChangeJournal> journal)
    : path_(std::move(path)),
      settings_(std::move(settings)),
      journal_(std::move(journal)),
      last_write_(std::chrono::steady_clock::now()) {}

std::optional<catalog::SourceRecord> EmbeddingLog::Take(const catalog::SourceRecord& source) {
  const auto found = kept_.find({source.side, source.id()});
  if (found == kept_.end()) return std::nullopt;
  catalog::SourceRecord record = std::move(found->second);
  kept_.erase(found);
  if (record.content != source.content || record.piece.with_parts != source.piece.with_parts)
    return std::nullopt;
  if (source.side == Side::kScores) {
    catalog::Piece piece = source.piece;
    piece.duration_s = record.piece.duration_s;
    piece.beats = record.piece.beats;
    piece.bars = record.piece.bars;
    piece.notes = record.piece.notes;
    record.piece = std::move(piece);
  } else {
    const double duration_s = record.recording.duration_s;
    record.recording = source.recording;
    record.recording.duration_s = duration_s;
  }
  return record;
}

absl::Status EmbeddingLog::Keep(const catalog::SourceRecord& record) {
  Change change;
  change.side = record.side;
  change.id = record.id();
  change.source = record;
  pending_bytes_ +=
      static_cast<int64_t>(record.content.size() + record.vectors.size() * sizeof(float));
  pending_.push_back(std::move(change));
  const auto now = std::chrono::steady_clock::now();
  if (pending_bytes_ < kMostPendingBytes && now - last_write_ < kMostPendingTime)
    return absl::OkStatus();
  RETURN_IF_ERROR(journal_->Append(settings_, pending_).status());
  pending_.clear();
  pending_bytes_ = 0;
  last_write_ = now;
  return absl::OkStatus();
}

EmbeddingLog::~EmbeddingLog() {
  // Of an indexing that failed or was interrupted by a signal.
  if (journal_ != nullptr && !pending_.empty()) journal_->Append(settings_, pending_).IgnoreError();
}

absl::Status EmbeddingLog::Remove() {
  journal_.reset();
  return RemoveFiles(path_);
}

}  // namespace antiphon::collection
