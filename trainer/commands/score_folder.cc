#include "trainer/commands/score_folder.h"

#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/error_reason.h"
#include "core/base/status_macros.h"
#include "core/hash/sha256.h"
#include "core/music/upbeat.h"

namespace antiphon::trainer::commands {
namespace {

namespace fs = std::filesystem;

using music::FileMetadata;
using music::kMetadataFile;
using music::Metadata;

// Later versions that read scores otherwise count on, so that fingerprints are others.
constexpr char kFingerprintVersion[] = "1";

}  // namespace

void NoteFile(const data::SourceFile& file, const absl::Status& status,
              const std::vector<std::string>& warnings, FolderSummary& summary) {
  if (!status.ok()) {
    summary.skipped.push_back(absl::StrCat(file.relative, ": ", status.message()));
    return;
  }
  if (!warnings.empty()) ++summary.warned;
  for (const std::string& warning : warnings)
    summary.warnings.push_back(absl::StrCat(file.relative, ": ", warning));
}

void AppendLines(const std::string& heading, const std::vector<std::string>& lines,
                 std::string& text) {
  if (lines.empty()) return;
  absl::StrAppend(&text, heading, ":\n");
  for (const std::string& line : lines) absl::StrAppend(&text, "  ", line, "\n");
}

std::string Count(size_t count, const std::string& one, const std::string& several) {
  return absl::StrCat(count, " ", count == 1 ? one : several);
}

void AppendFolder(const std::string& noun, const FolderSummary& summary, std::string& text) {
  const auto files = [&](size_t count) { return Count(count, noun, noun + "s"); };
  AppendLines(absl::StrCat(files(summary.skipped.size()), " left out"), summary.skipped, text);
  AppendLines(absl::StrCat(files(summary.warned), " read with warnings"), summary.warnings, text);
  if (!summary.passed_over.empty()) {
    absl::StrAppend(&text, "Passed over below ", summary.folder,
                    ", by their names: ", data::ToText(summary.passed_over), "\n");
  }
  AppendLines(absl::StrCat(Count(summary.unused_rows.size(), "row", "rows"), " of ",
                           (fs::path(summary.folder) / kMetadataFile).string(),
                           summary.unused_rows.size() == 1 ? " names" : " name",
                           " a file that is not there"),
              summary.unused_rows, text);
}

bool IsFatal(const absl::Status& status) {
  if (ReasonOf(status) == ErrorReason::kAudioDamaged) return false;
  if (ReasonOf(status) == ErrorReason::kStorageFull) return true;
  return status.code() == absl::StatusCode::kInternal ||
         status.code() == absl::StatusCode::kFailedPrecondition ||
         status.code() == absl::StatusCode::kDataLoss;
}

absl::StatusOr<std::string> ReadSourceFile(const fs::path& path, int64_t max_bytes) {
  std::error_code error;
  const uintmax_t size = fs::file_size(path, error);
  if (error) return absl::NotFoundError(error.message());
  if (size > static_cast<uintmax_t>(max_bytes)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("has ", size, " bytes, the limit is ", max_bytes));
  }
  std::ifstream in(path, std::ios::binary);
  std::string bytes(size, '\0');
  if (!in.read(bytes.data(), static_cast<std::streamsize>(size)))
    return absl::UnavailableError("cannot be read");
  return bytes;
}

absl::StatusOr<Metadata> ReadMetadata(const std::string& folder) {
  const fs::path path = fs::path(folder) / kMetadataFile;
  std::error_code error;
  if (!fs::exists(path, error)) return Metadata();
  constexpr int64_t kMaxBytes = 64 << 20;
  const auto name_it = [&path](const absl::Status& status) {
    return absl::Status(status.code(), absl::StrCat(path.string(), ": ", status.message()));
  };
  ASSIGN_OR_RETURN(const std::string text, MapError(ReadSourceFile(path, kMaxBytes), name_it));
  return MapError(music::ParseMetadata(text), name_it);
}

std::vector<std::string> PathsOf(const std::vector<data::SourceFile>& files) {
  std::vector<std::string> paths;
  paths.reserve(files.size());
  for (const data::SourceFile& file : files) paths.push_back(file.relative);
  return paths;
}

absl::StatusOr<ScoreFolder> ScoreFolder::Open(const ScoreFolderOptions& options,
                                              FolderSummary& summary) {
  ScoreFolder folder(options);
  summary.folder = options.path;
  ASSIGN_OR_RETURN(folder.files_, data::MidiFilesBelow(options.path, &summary.passed_over));
  ASSIGN_OR_RETURN(folder.metadata_, ReadMetadata(options.path));
  const std::vector<std::string> paths = PathsOf(folder.files_);
  summary.unused_rows = RowsWithoutFile(folder.metadata_, paths);
  const std::vector<music::ScoreName> names = music::NamesOfScores(folder.metadata_, paths);
  for (size_t i = 0; i < paths.size(); ++i) folder.names_[paths[i]] = names[i];
  return folder;
}

absl::StatusOr<std::string> ScoreFolder::Read(const data::SourceFile& file) const {
  return ReadSourceFile(file.path, options_.max_file_bytes);
}

std::string ScoreFolder::FingerprintOf(const data::SourceFile& file,
                                       const std::string& bytes) const {
  const music::ScoreName& name = names_.at(file.relative);
  const FileMetadata row = MetadataOf(metadata_, file.relative);
  const std::string upbeat = row.upbeat ? absl::StrCat(*row.upbeat) : "";
  std::string all = kFingerprintVersion;
  for (const std::string& part :
       {file.relative, name.id, name.work_id, row.title, row.composer, row.collection,
        options_.collection, upbeat, hash::HexSha256(bytes)}) {
    absl::StrAppend(&all, "\n", part.size(), " ", part);
  }
  return hash::HexSha256(all);
}

absl::Status ScoreFolder::TakePieces(const data::SourceFile& file, std::string bytes,
                                     const Take& take, std::vector<std::string>& warnings) const {
  const music::ScoreName& name = names_.at(file.relative);
  const FileMetadata metadata = MetadataOf(metadata_, file.relative);
  const auto pieces = notation::PiecesOf(name.id, std::move(bytes));
  if (pieces.size() > 1) return TakeTunes(file, metadata, pieces, take, warnings);
  return TakePiece(file, metadata, name.id, pieces.front().bytes, take, warnings);
}

absl::Status ScoreFolder::TakeTunes(const data::SourceFile& file, FileMetadata metadata,
                                    const std::vector<notation::FiledScore>& tunes,
                                    const Take& take, std::vector<std::string>& warnings) const {
  metadata.title.clear();  // that of the book
  absl::Status failure;
  size_t taken = 0;
  for (const notation::FiledScore& tune : tunes) {
    std::vector<std::string> of_tune;
    absl::Status status = TakePiece(file, metadata, tune.id, tune.bytes, take, of_tune);
    if (IsFatal(status)) return status;
    if (!status.ok()) of_tune = {std::string(status.message())};
    for (const std::string& warning : of_tune)
      warnings.push_back(absl::StrCat("tune ", tune.tune, ": ", warning));
    if (!status.ok() && failure.ok()) failure = status;
    taken += status.ok() ? 1 : 0;
  }
  return taken > 0 ? absl::OkStatus() : failure;
}

absl::Status ScoreFolder::TakePiece(const data::SourceFile& file, const FileMetadata& metadata,
                                    const std::string& id, std::string bytes, const Take& take,
                                    std::vector<std::string>& warnings) const {
  ASSIGN_OR_RETURN(const music::Score score, notation::ReadScore(bytes));
  warnings = score.warnings;
  if (metadata.upbeat) {
    absl::StatusOr<std::string> with_upbeat = music::WithUpbeat(bytes, *metadata.upbeat);
    if (with_upbeat.ok()) {
      bytes = *std::move(with_upbeat);
    } else {
      warnings.push_back(absl::StrCat("the upbeat in ", kMetadataFile,
                                      " was passed over: ", with_upbeat.status().message()));
    }
  }
  catalog::Piece piece{
      .id = id,
      .title = metadata.title,
      .composer = metadata.composer,
      .collection = metadata.collection.empty() ? options_.collection : metadata.collection,
      .work_id = names_.at(file.relative).work_id,
      .with_parts = options_.with_parts};
  if (piece.title.empty()) piece.title = notation::TitleOf(score, file.relative);
  if (piece.composer.empty()) piece.composer = score.composer;
  if (piece.composer.empty()) piece.composer = music::ComposerOfPath(file.relative);
  return take(piece, bytes);
}

}  // namespace antiphon::trainer::commands
