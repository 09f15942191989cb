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
#include "core/audio/sound_format.h"
#include "core/base/error_reason.h"
#include "core/base/status_macros.h"
#include "core/music/file_naming.h"
#include "core/music/midi_file.h"
#include "trainer/data/midi_files.h"

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
    ASSIGN_OR_RETURN(const auto files, data::MidiFilesBelow(options_.midi_dir));
    ASSIGN_OR_RETURN(const auto metadata, ReadMetadata(options_.midi_dir));
    progress_.Start("Scores", static_cast<int64_t>(files.size()));
    for (const data::SourceFile& file : files) {
      std::vector<std::string> warnings;
      const absl::Status status = AddScore(file, MetadataOf(metadata, file.relative), warnings);
      if (status.ok()) Warn(file, warnings, summary);
      if (IsFatal(status)) return status;
      if (!status.ok())
        summary.skipped_scores.push_back(absl::StrCat(file.relative, ": ", status.message()));
      progress_.Advance(1);
    }
    progress_.Finish();
    if (!pieces_.empty()) return absl::OkStatus();
    if (files.empty())
      return absl::NotFoundError(absl::StrCat("no .mid or .midi file below ", options_.midi_dir));
    const size_t shown = std::min(summary.skipped_scores.size(), kReasonsInError);
    return absl::InvalidArgumentError(absl::StrCat(
        "none of the ", files.size(), " MIDI files below ", options_.midi_dir, " can be used; ",
        absl::StrJoin(summary.skipped_scores.begin(),
                      summary.skipped_scores.begin() + static_cast<long>(shown), "; ")));
  }

  absl::Status AddRecordings(IndexSummary& summary) {
    ASSIGN_OR_RETURN(const auto files,
                     data::FilesBelow(options_.recordings_dir, audio::SoundFileEndings()));
    ASSIGN_OR_RETURN(const auto metadata, ReadMetadata(options_.recordings_dir));
    progress_.Start("Recordings", static_cast<int64_t>(files.size()));
    for (const data::SourceFile& file : files) {
      audio::DecodeReport decoding;
      const absl::Status status =
          AddRecording(file, MetadataOf(metadata, file.relative), decoding);
      if (IsFatal(status)) return status;
      if (status.ok()) Warn(file, decoding.Warnings(), summary);
      if (!status.ok())
        summary.skipped_recordings.push_back(absl::StrCat(file.relative, ": ", status.message()));
      progress_.Advance(1);
    }
    progress_.Finish();
    return absl::OkStatus();
  }

 private:
  static void Warn(const data::SourceFile& file, const std::vector<std::string>& warnings,
                   IndexSummary& summary) {
    for (const std::string& warning : warnings)
      summary.warnings.push_back(absl::StrCat(file.relative, ": ", warning));
  }

  // Not the file's fault: an encoder or the disk.
  static bool IsFatal(const absl::Status& status) {
    if (ReasonOf(status) == ErrorReason::kAudioDamaged) return false;
    return status.code() == absl::StatusCode::kInternal ||
           status.code() == absl::StatusCode::kFailedPrecondition ||
           status.code() == absl::StatusCode::kDataLoss;
  }

  const std::string& CollectionOf(const FileMetadata& metadata) const {
    return metadata.collection.empty() ? options_.collection : metadata.collection;
  }

  absl::Status AddScore(const data::SourceFile& file, const FileMetadata& metadata,
                        std::vector<std::string>& warnings) {
    ASSIGN_OR_RETURN(const std::string midi, ReadFile(file.path, options_.max_file_bytes));
    catalog::Piece piece{.id = IdOfPath(file.relative),
                         .title = metadata.title,
                         .composer = metadata.composer,
                         .collection = CollectionOf(metadata)};
    ASSIGN_OR_RETURN(const music::Score score, music::ReadMidi(midi));
    warnings = score.warnings;
    if (piece.title.empty())
      piece.title = score.title.empty() ? music::TitleOfPath(file.relative) : score.title;
    if (piece.composer.empty()) piece.composer = music::ComposerOfPath(file.relative);
    RETURN_IF_ERROR(builder_.AddPiece(piece, midi));
    piece_ids_.insert(std::lower_bound(piece_ids_.begin(), piece_ids_.end(), piece.id), piece.id);
    pieces_.emplace(piece.id, std::move(piece));
    return absl::OkStatus();
  }

  absl::Status AddRecording(const data::SourceFile& file, const FileMetadata& metadata,
                            audio::DecodeReport& decoding) {
    ASSIGN_OR_RETURN(const std::string audio, ReadFile(file.path, options_.max_file_bytes));
    catalog::Recording recording{.id = IdOfPath(file.relative),
                                 .title = metadata.title,
                                 .composer = metadata.composer,
                                 .piece_id = metadata.piece_id,
                                 .collection = CollectionOf(metadata)};
    if (recording.piece_id.empty()) {
      recording.piece_id = PieceOfRecording(fs::path(file.relative).stem().string(), piece_ids_);
    } else if (!pieces_.contains(recording.piece_id)) {
      return absl::InvalidArgumentError(absl::StrCat(kMetadataFile, " names the piece ",
                                                     recording.piece_id,
                                                     ", which is not in the collection"));
    }
    if (const auto piece = pieces_.find(recording.piece_id); piece != pieces_.end()) {
      if (recording.title.empty()) recording.title = piece->second.title;
      if (recording.composer.empty()) recording.composer = piece->second.composer;
    }
    if (recording.title.empty()) recording.title = music::TitleOfPath(file.relative);
    const absl::Status status = builder_.AddRecording(
        std::move(recording), audio,
        options_.accept_damaged ? audio::DamagedAudio::kAccept : audio::DamagedAudio::kRefuse,
        &decoding);
    if (ReasonOf(status) != ErrorReason::kAudioDamaged) return status;
    return absl::Status(status.code(), absl::StrCat(status.message(),
                                                    " (--accept-damaged files it all the same)"));
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
  for (const auto& [what, skipped] : {std::pair("scores", &summary.skipped_scores),
                                      std::pair("recordings", &summary.skipped_recordings)}) {
    if (skipped->empty()) continue;
    absl::StrAppend(&text, skipped->size(), " ", what, " were left out:\n");
    for (const std::string& line : *skipped) absl::StrAppend(&text, "  ", line, "\n");
  }
  if (!summary.warnings.empty()) {
    absl::StrAppend(&text, summary.warnings.size(), " warnings:\n");
    for (const std::string& line : summary.warnings) absl::StrAppend(&text, "  ", line, "\n");
  }
  return text;
}

}  // namespace antiphon::trainer::commands
