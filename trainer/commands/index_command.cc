#include "trainer/commands/index_command.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/music/file_naming.h"
#include "core/music/midi_file.h"
#include "core/music/music_folder.h"

namespace antiphon::trainer::commands {
namespace {

namespace fs = std::filesystem;

using music::FileMetadata;
using music::IdOfPath;
using music::kMetadataFile;

constexpr size_t kReasonsInError = 3;

using Metadata = std::map<std::string, FileMetadata>;

absl::StatusOr<std::string> ReadFile(const fs::path& path, int64_t max_bytes) {
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
  ASSIGN_OR_RETURN(const std::string text, MapError(ReadFile(path, kMaxBytes), name_it));
  return MapError(music::ParseMetadata(text), name_it);
}

FileMetadata MetadataOf(const Metadata& metadata, const std::string& relative) {
  const auto found = metadata.find(relative);
  return found == metadata.end() ? FileMetadata() : found->second;
}

// Indexes one collection of files, one after the other.
class Indexing {
 public:
  Indexing(const IndexCommandOptions& options, collection::BundleBuilder& builder,
           Progress& progress)
      : options_(options), builder_(builder), progress_(progress) {}

  absl::Status AddScores(IndexSummary& summary) {
    ASSIGN_OR_RETURN(const auto folder,
                     music::ReadMusicFolder(options_.midi_dir, music::FileKind::kMidi));
    ASSIGN_OR_RETURN(const auto metadata, ReadMetadata(options_.midi_dir));
    const std::vector<music::FolderFile>& files = folder.files;
    Note(folder, metadata, summary, summary.scores);
    progress_.Start("Scores", static_cast<int64_t>(files.size()));
    for (const music::FolderFile& file : files) {
      const absl::Status status = AddScore(file, MetadataOf(metadata, file.name));
      if (IsFatal(status)) return status;
      if (!status.ok())
        summary.scores.skipped.push_back(absl::StrCat(file.name, ": ", status.message()));
      progress_.Advance(1);
    }
    progress_.Finish();
    if (!pieces_.empty()) return absl::OkStatus();
    if (files.empty()) {
      return absl::NotFoundError(
          absl::StrCat("no MIDI file below ", options_.midi_dir,
                       summary.scores.passed_over.empty() ? "" : "; passed over: ",
                       summary.scores.passed_over));
    }
    const std::vector<std::string>& skipped = summary.scores.skipped;
    const size_t shown = std::min(skipped.size(), kReasonsInError);
    return absl::InvalidArgumentError(absl::StrCat(
        "none of the ", files.size(), " MIDI files below ", options_.midi_dir, " can be used; ",
        absl::StrJoin(skipped.begin(), skipped.begin() + static_cast<long>(shown), "; ")));
  }

  absl::Status AddRecordings(IndexSummary& summary) {
    ASSIGN_OR_RETURN(const auto folder,
                     music::ReadMusicFolder(options_.recordings_dir, music::FileKind::kAudio));
    ASSIGN_OR_RETURN(const auto metadata, ReadMetadata(options_.recordings_dir));
    Note(folder, metadata, summary, summary.recordings);
    progress_.Start("Recordings", static_cast<int64_t>(folder.files.size()));
    for (const music::FolderFile& file : folder.files) {
      const absl::Status status = AddRecording(file, MetadataOf(metadata, file.name));
      if (IsFatal(status)) return status;
      if (!status.ok())
        summary.recordings.skipped.push_back(absl::StrCat(file.name, ": ", status.message()));
      progress_.Advance(1);
    }
    progress_.Finish();
    return absl::OkStatus();
  }

 private:
  // Not the file's fault: an encoder or the disk.
  static bool IsFatal(const absl::Status& status) {
    return status.code() == absl::StatusCode::kInternal ||
           status.code() == absl::StatusCode::kFailedPrecondition ||
           status.code() == absl::StatusCode::kDataLoss;
  }

  // What is known of a folder before any file of it is read.
  static void Note(const music::MusicFolder& folder, const Metadata& metadata,
                   IndexSummary& summary, FolderSummary& side) {
    for (const music::UnreadableEntry& entry : folder.unreadable)
      side.skipped.push_back(absl::StrCat(entry.name, ": ", entry.why));
    side.passed_over = music::PassedOverText(folder);
    for (std::string& line : music::UnmatchedRows(metadata, folder))
      summary.unmatched_rows.push_back(std::move(line));
  }

  const std::string& CollectionOf(const FileMetadata& metadata) const {
    return metadata.collection.empty() ? options_.collection : metadata.collection;
  }

  absl::Status AddScore(const music::FolderFile& file, const FileMetadata& metadata) {
    ASSIGN_OR_RETURN(const std::string midi, ReadFile(file.path, options_.max_file_bytes));
    catalog::Piece piece{.id = IdOfPath(file.name),
                         .title = metadata.title,
                         .composer = metadata.composer,
                         .collection = CollectionOf(metadata)};
    if (piece.title.empty()) {
      ASSIGN_OR_RETURN(const music::Score score, music::ReadMidi(midi));
      piece.title = score.title.empty() ? music::TitleOfPath(file.name) : score.title;
    }
    if (piece.composer.empty()) piece.composer = music::ComposerOfPath(file.name);
    RETURN_IF_ERROR(builder_.AddPiece(piece, midi));
    piece_ids_.insert(std::lower_bound(piece_ids_.begin(), piece_ids_.end(), piece.id), piece.id);
    pieces_.emplace(piece.id, std::move(piece));
    return absl::OkStatus();
  }

  absl::Status AddRecording(const music::FolderFile& file, const FileMetadata& metadata) {
    ASSIGN_OR_RETURN(const std::string audio, ReadFile(file.path, options_.max_file_bytes));
    catalog::Recording recording{.id = IdOfPath(file.name),
                                 .title = metadata.title,
                                 .composer = metadata.composer,
                                 .piece_id = metadata.piece_id,
                                 .collection = CollectionOf(metadata)};
    if (recording.piece_id.empty()) {
      recording.piece_id = PieceOfRecording(fs::path(file.name).stem().string(), piece_ids_);
    } else if (!pieces_.contains(recording.piece_id)) {
      return absl::InvalidArgumentError(absl::StrCat(kMetadataFile, " names the piece ",
                                                     recording.piece_id,
                                                     ", which is not in the collection"));
    }
    if (const auto piece = pieces_.find(recording.piece_id); piece != pieces_.end()) {
      if (recording.title.empty()) recording.title = piece->second.title;
      if (recording.composer.empty()) recording.composer = piece->second.composer;
    }
    if (recording.title.empty()) recording.title = music::TitleOfPath(file.name);
    return builder_.AddRecording(std::move(recording), audio);
  }

  const IndexCommandOptions& options_;
  collection::BundleBuilder& builder_;
  Progress& progress_;
  std::map<std::string, catalog::Piece> pieces_;  // by id
  std::vector<std::string> piece_ids_;            // sorted
};

}  // namespace

std::string PieceOfRecording(std::string_view stem, const std::vector<std::string>& piece_ids) {
  for (size_t length = stem.size(); length > 0; --length) {
    const std::string prefix(stem.substr(0, length));
    // "op10" is no recording of "op1".
    const bool ends =
        length == stem.size() || !absl::ascii_isalnum(static_cast<unsigned char>(stem[length]));
    if (ends && std::binary_search(piece_ids.begin(), piece_ids.end(), prefix)) return prefix;
  }
  return "";
}

absl::StatusOr<IndexSummary> RunIndex(const IndexCommandOptions& options, Progress& progress) {
  ASSIGN_OR_RETURN(auto builder,
                   collection::BundleBuilder::Create(options.bundle_root, options.builder));
  IndexSummary summary;
  Indexing indexing(options, *builder, progress);
  RETURN_IF_ERROR(indexing.AddScores(summary));
  if (!options.recordings_dir.empty()) {
    RETURN_IF_ERROR(indexing.AddRecordings(summary));
  }
  ASSIGN_OR_RETURN(summary.manifest, builder->Publish());
  return summary;
}

std::string SummaryText(const IndexSummary& summary) {
  const bundle::Manifest& m = summary.manifest;
  std::string text = absl::StrCat("Generation ", m.generation, ": ", m.pieces, " pieces (",
                                  m.score_vectors, " windows), ", m.recordings, " recordings (",
                                  m.recording_vectors, " windows), model ", m.model_id, "\n");
  for (const auto& [what, side] :
       {std::pair("scores", &summary.scores), std::pair("recordings", &summary.recordings)}) {
    if (!side->skipped.empty()) {
      absl::StrAppend(&text, side->skipped.size(), " ", what, " were left out:\n");
      for (const std::string& line : side->skipped) absl::StrAppend(&text, "  ", line, "\n");
    }
    if (!side->passed_over.empty())
      absl::StrAppend(&text, "Passed over in the folder of ", what, ": ", side->passed_over, "\n");
  }
  for (const std::string& line : summary.unmatched_rows) absl::StrAppend(&text, line, "\n");
  return text;
}

}  // namespace antiphon::trainer::commands
