#include "trainer/commands/index_command.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <iterator>
#include <map>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "core/audio/sound_format.h"
#include "core/base/error_reason.h"
#include "core/base/status_macros.h"
#include "core/index/device_pool.h"
#include "core/music/file_naming.h"
#include "core/retrieval/bundle_collection.h"
#include "core/threads/cores.h"

namespace antiphon::trainer::commands {
namespace {

namespace fs = std::filesystem;

using music::FileMetadata;
using music::kMetadataFile;
using music::Metadata;

constexpr size_t kReasonsInError = 3;
// Pieces up to which all are compared with one another, which takes a quarter of a second for each
// of a few hundred, and more the more there are.
constexpr int64_t kMostCompared = 1000;

bool IsOneFolder(const std::string& a, const std::string& b) {
  std::error_code error;
  return !b.empty() && fs::equivalent(a, b, error);
}

// Indexes one collection of files, one after the other.
class Indexing {
 public:
  Indexing(const IndexCommandOptions& options, collection::BundleBuilder& builder,
           Progress& progress)
      : options_(options), builder_(builder), progress_(progress) {}

  absl::Status AddScores(FolderSummary& summary) {
    ASSIGN_OR_RETURN(const ScoreFolder folder,
                     ScoreFolder::Open({.path = options_.midi_dir,
                                        .collection = options_.collection,
                                        .with_parts = options_.builder.with_parts,
                                        .max_file_bytes = options_.max_file_bytes},
                                       summary));
    progress_.Start("Scores", std::ssize(folder.files()));
    for (const data::SourceFile& file : folder.files()) {
      std::vector<std::string> warnings;
      RETURN_IF_ERROR(Note(file, AddScore(folder, file, warnings), warnings, summary));
    }
    progress_.Finish();
    if (!pieces_.empty() || options_.allow_empty) return absl::OkStatus();
    if (folder.files().empty()) {
      return absl::NotFoundError(
          absl::StrCat("no file with one of the endings ", absl::StrJoin(data::ScoreEndings(), " "),
                       " below ", summary.folder, summary.passed_over.empty() ? "" : "; there are ",
                       data::ToText(summary.passed_over)));
    }
    const size_t shown = std::min(summary.skipped.size(), kReasonsInError);
    return absl::InvalidArgumentError(absl::StrCat(
        "none of the ", folder.files().size(), " scores below ", summary.folder, " can be used; ",
        absl::StrJoin(summary.skipped.begin(), summary.skipped.begin() + static_cast<long>(shown),
                      "; ")));
  }

  absl::Status AddRecordings(FolderSummary& summary) {
    summary.folder = options_.recordings_dir;
    ASSIGN_OR_RETURN(const auto files, data::FilesBelow(summary.folder, audio::SoundFileEndings(),
                                                        &summary.passed_over));
    ASSIGN_OR_RETURN(const Metadata metadata, ReadMetadata(summary.folder));
    summary.unused_rows = RowsWithoutFile(metadata, PathsOf(files));
    progress_.Start("Recordings", std::ssize(files));
    for (const data::SourceFile& file : files) {
      std::vector<std::string> warnings;
      const absl::Status added = AddRecording(file, MetadataOf(metadata, file.relative), warnings);
      RETURN_IF_ERROR(Note(file, added, warnings, summary));
    }
    progress_.Finish();
    return absl::OkStatus();
  }

 private:
  // What became of a file. A failure that is not the file's own is passed on.
  absl::Status Note(const data::SourceFile& file, const absl::Status& status,
                    const std::vector<std::string>& warnings, FolderSummary& summary) {
    if (IsFatal(status)) return status;
    NoteFile(file, status, warnings, summary);
    progress_.Advance(1);
    return absl::OkStatus();
  }

  absl::Status AddScore(const ScoreFolder& folder, const data::SourceFile& file,
                        std::vector<std::string>& warnings) {
    ASSIGN_OR_RETURN(std::string bytes, folder.Read(file));
    return folder.TakePieces(
        file, std::move(bytes),
        [this](const catalog::Piece& piece, const std::string& score) -> absl::Status {
          RETURN_IF_ERROR(builder_.AddPiece(piece, score));
          piece_ids_.insert(std::lower_bound(piece_ids_.begin(), piece_ids_.end(), piece.id),
                            piece.id);
          pieces_.emplace(piece.id, piece);
          return absl::OkStatus();
        },
        warnings);
  }

  absl::Status AddRecording(const data::SourceFile& file, const FileMetadata& metadata,
                            std::vector<std::string>& warnings) {
    ASSIGN_OR_RETURN(const std::string audio, ReadSourceFile(file.path, options_.max_file_bytes));
    audio::DecodeReport decoding;
    catalog::Recording recording{
        .id = metadata.id.empty() ? music::IdOfPath(file.relative) : metadata.id,
        .title = metadata.title,
        .composer = metadata.composer,
        .piece_id = metadata.piece_id,
        .collection = metadata.collection.empty() ? options_.collection : metadata.collection};
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
    absl::Status status = builder_.AddRecording(
        std::move(recording), audio,
        options_.accept_damaged ? audio::DamagedAudio::kAccept : audio::DamagedAudio::kRefuse,
        &decoding);
    warnings = decoding.Warnings();
    if (ReasonOf(status) != ErrorReason::kAudioDamaged) return status;
    return Reworded(status,
                    absl::StrCat(status.message(), " (--accept-damaged files it all the same)"));
  }

  const IndexCommandOptions& options_;
  collection::BundleBuilder& builder_;
  Progress& progress_;
  std::map<std::string, catalog::Piece> pieces_;  // by id
  std::vector<std::string> piece_ids_;            // sorted
};

// Of scores and recordings in one folder: what one walk passed over the other may have taken.
void Join(IndexSummary& summary) {
  for (const std::string& ending : audio::SoundFileEndings())
    summary.scores.passed_over.erase(ending);
  summary.recordings.passed_over.clear();
  std::vector<std::string> unused;
  std::set_intersection(summary.scores.unused_rows.begin(), summary.scores.unused_rows.end(),
                        summary.recordings.unused_rows.begin(),
                        summary.recordings.unused_rows.end(), std::back_inserter(unused));
  summary.scores.unused_rows = std::move(unused);
  summary.recordings.unused_rows.clear();
}

// "ID, from 3 s to 40 s, and OTHER, from 0 s to 35 s", each pair once.
absl::Status NoteSameMusic(const IndexCommandOptions& options, Progress& progress,
                           IndexSummary& summary) {
  if (summary.manifest.pieces > kMostCompared) {
    summary.same_music_skipped = true;
    return absl::OkStatus();
  }
  collection::CollectionOptions open;
  open.encoder = options.builder.encoder;
  open.index = options.builder.index;
  ASSIGN_OR_RETURN(open.index.devices,
                   index::DevicePool::Open({.device = options.builder.encoder.device}));
  ASSIGN_OR_RETURN(const auto collection,
                   retrieval::BundleCollection::Open(options.bundle_root, open));
  const std::vector<catalog::Piece>& pieces = collection->pieces();
  const auto stretch = [&](int piece, const matching::Span& span) {
    return absl::StrFormat("%s, %.0f to %.0f s", pieces[piece].id, span.start_s, span.end_s);
  };
  // On the CPU one comparison keeps all cores busy; a GPU compares while others follow the paths.
  const int threads = open.index.devices->Status().usable ? antiphon::threads::Cores() : 1;
  std::vector<absl::StatusOr<std::vector<matching::SharedMusic>>> found(
      pieces.size(), std::vector<matching::SharedMusic>());
  std::atomic<size_t> next = 0;
  absl::Mutex mutex;  // guards progress
  const auto work = [&] {
    for (size_t piece; (piece = next.fetch_add(1)) < pieces.size();) {
      found[piece] = collection->FindSameMusic(static_cast<int>(piece), {});
      absl::MutexLock lock(&mutex);
      progress.Advance(1);
    }
  };
  progress.Start("Same music", std::ssize(pieces));
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back(work);
  work();
  for (std::thread& other : others) other.join();
  for (const auto& shared : found) {
    RETURN_IF_ERROR(shared.status());
    for (const matching::SharedMusic& pair : *shared) {
      if (pair.other < pair.piece) continue;
      summary.same_music.push_back(absl::StrCat(stretch(pair.piece, pair.in_piece), ", and ",
                                                stretch(pair.other, pair.in_other)));
    }
  }
  progress.Finish();
  return absl::OkStatus();
}

}  // namespace

std::string PieceOfRecording(std::string_view stem, const std::vector<std::string>& piece_ids) {
  for (size_t length = stem.size(); length > 0; --length) {
    std::string prefix(stem.substr(0, length));
    // "op10" is no recording of "op1".
    const bool ends =
        length == stem.size() || !absl::ascii_isalnum(static_cast<unsigned char>(stem[length]));
    if (ends && std::binary_search(piece_ids.begin(), piece_ids.end(), prefix)) return prefix;
  }
  return "";
}

absl::StatusOr<IndexSummary> RunIndex(const IndexCommandOptions& options, Progress& progress) {
  collection::BuilderOptions builder_options = options.builder;
  builder_options.resumable = true;
  ASSIGN_OR_RETURN(auto builder,
                   collection::BundleBuilder::Create(options.bundle_root, builder_options));
  IndexSummary summary;
  Indexing indexing(options, *builder, progress);
  RETURN_IF_ERROR(indexing.AddScores(summary.scores));
  if (!options.recordings_dir.empty()) {
    RETURN_IF_ERROR(indexing.AddRecordings(summary.recordings));
    if (IsOneFolder(options.midi_dir, options.recordings_dir)) Join(summary);
  }
  ASSIGN_OR_RETURN(summary.manifest, builder->Publish());
  if (options.compare) RETURN_IF_ERROR(NoteSameMusic(options, progress, summary));
  return summary;
}

std::string SummaryText(const IndexSummary& summary) {
  const bundle::Manifest& m = summary.manifest;
  std::string text = absl::StrCat("Generation ", m.generation, ": ", m.pieces, " pieces (",
                                  m.score_vectors, " windows), ", m.recordings, " recordings (",
                                  m.recording_vectors, " windows), model ", m.model_id, "\n");
  AppendFolder("score", summary.scores, text);
  AppendFolder("recording", summary.recordings, text);
  AppendLines(absl::StrCat(Count(summary.same_music.size(), "stretch", "stretches"),
                           " of music that two pieces share"),
              summary.same_music, text);
  if (summary.same_music_skipped) {
    absl::StrAppend(&text, "More than ", kMostCompared,
                    " pieces: `antiphon pieces --same-music` lists the music that they share\n");
  }
  return text;
}

}  // namespace antiphon::trainer::commands
