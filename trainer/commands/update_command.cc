#include "trainer/commands/update_command.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/bundle/bundle.h"
#include "core/bundle/files.h"
#include "core/catalog/catalog.h"
#include "core/collection/collection_view.h"
#include "core/editing/offline_bundle.h"
#include "core/exchange/collection_import.h"
#include "core/retrieval/bundle_collection.h"
#include "trainer/commands/folder_record.h"

namespace antiphon::trainer::commands {
namespace {

// Of scores that are in no generation yet, which stay in memory.
constexpr int64_t kMostUnmergedBytes = int64_t{256} << 20;

// A file that is to be looked at.
struct ChangedFile {
  const data::SourceFile* file;
  std::string fingerprint;
};

// Of the generation that is in force, without a look at its other files.
absl::StatusOr<std::string> OriginOf(const std::string& bundle_root) {
  ASSIGN_OR_RETURN(const int64_t generation, bundle::CurrentGeneration(bundle_root));
  const std::string folder = absl::StrCat(bundle_root, "/", bundle::GenerationName(generation));
  ASSIGN_OR_RETURN(const Descriptor file, bundle::OpenPlainFile(folder, bundle::kManifestFile));
  ASSIGN_OR_RETURN(const std::string json, bundle::ReadAll(file, bundle::kMaxManifestBytes));
  ASSIGN_OR_RETURN(const bundle::Manifest manifest, bundle::ParseManifest(json));
  return manifest.origin;
}

// Brings the pieces of files into an open collection, and notes in the record what was done.
class Updating {
 public:
  Updating(editing::CollectionStore& store, FolderRecord& record, UpdateSummary& summary)
      : store_(store), record_(record), summary_(summary) {}

  absl::Status Update(const ScoreFolder& folder, const ChangedFile& changed,
                      std::vector<std::string>& warnings) {
    const std::string& name = changed.file->relative;
    ASSIGN_OR_RETURN(std::string bytes, folder.Read(*changed.file));
    unmerged_bytes_ += std::ssize(bytes);
    const absl::Status taken = folder.TakePieces(
        *changed.file, std::move(bytes),
        [&](const catalog::Piece& piece, const std::string& score) -> absl::Status {
          ASSIGN_OR_RETURN(const int64_t version, Put(piece, score));
          record_.pieces[piece.id] = {name, changed.fingerprint, version};
          return absl::OkStatus();
        },
        warnings);
    RETURN_IF_ERROR(taken);
    // Tunes that are no longer in the book stay, and are no reason to look at it again.
    for (auto& [id, entry] : record_.pieces) {
      if (entry.file == name) entry.fingerprint = changed.fingerprint;
    }
    return MergeIfMuch();
  }

 private:
  // The version for the record.
  absl::StatusOr<int64_t> Put(const catalog::Piece& piece, const std::string& score) {
    const std::shared_ptr<const retrieval::BundleCollection> now = store_.Current();
    const std::optional<int> position = now->view().FindPiece(piece.id);
    const auto recorded = record_.pieces.find(piece.id);
    const bool is_known = recorded != record_.pieces.end();
    if (!position.has_value()) {
      if (!is_known) return Add(piece, score);
      summary_.deleted.push_back(piece.id);
      return recorded->second.version;
    }
    const catalog::Piece& before = now->view().pieces()[static_cast<size_t>(*position)];
    ASSIGN_OR_RETURN(const std::string score_before, now->view().ReadMidi(*position));
    if (score_before == score && before.title == piece.title && before.composer == piece.composer &&
        before.collection == piece.collection && before.work_id == piece.work_id) {
      ++summary_.as_they_were;
      return before.version;
    }
    if (is_known && recorded->second.version == before.version)
      return Replace(piece, score_before == score ? std::nullopt : std::optional(score));
    summary_.kept.push_back(piece.id);
    return kNotOfTheFolder;
  }

  absl::StatusOr<int64_t> Add(const catalog::Piece& piece, const std::string& score) {
    ASSIGN_OR_RETURN(const editing::EditResult added,
                     store_.Apply(editing::AddPiece{.piece = piece, .midi = score}));
    ++summary_.added;
    return added.piece.version;
  }

  absl::StatusOr<int64_t> Replace(const catalog::Piece& piece, std::optional<std::string> score) {
    ASSIGN_OR_RETURN(const editing::EditResult replaced,
                     store_.Apply(editing::UpdatePiece{.id = piece.id,
                                                       .title = piece.title,
                                                       .composer = piece.composer,
                                                       .collection = piece.collection,
                                                       .work_id = piece.work_id,
                                                       .midi = std::move(score)}));
    ++summary_.replaced;
    return replaced.piece.version;
  }

  absl::Status MergeIfMuch() {
    if (unmerged_bytes_ < kMostUnmergedBytes) return absl::OkStatus();
    unmerged_bytes_ = 0;
    return store_.Merge().status();
  }

  editing::CollectionStore& store_;
  FolderRecord& record_;
  UpdateSummary& summary_;
  int64_t unmerged_bytes_ = 0;
};

absl::StatusOr<std::vector<ChangedFile>> FilesToLookAt(const ScoreFolder& folder,
                                                       const FolderRecord& record,
                                                       UpdateSummary& summary) {
  const std::map<std::string, std::string> known = record.Fingerprints();
  std::vector<ChangedFile> changed;
  std::set<std::string> names;
  for (const data::SourceFile& file : folder.files()) {
    names.insert(file.relative);
    const absl::StatusOr<std::string> bytes = folder.Read(file);
    if (!bytes.ok()) {
      NoteFile(file, bytes.status(), {}, summary.scores);
      continue;
    }
    std::string fingerprint = folder.FingerprintOf(file, *bytes);
    const auto recorded = known.find(file.relative);
    if (recorded != known.end() && recorded->second == fingerprint) {
      ++summary.unchanged;
    } else {
      changed.push_back({&file, std::move(fingerprint)});
    }
  }
  for (const auto& [name, fingerprint] : known) {
    if (!names.contains(name)) summary.gone.push_back(name);
  }
  return changed;
}

absl::Status UpdateAll(const IndexCommandOptions& options, const ScoreFolder& folder,
                       const std::vector<ChangedFile>& changed, FolderRecord& record,
                       Progress& progress, UpdateSummary& summary) {
  collection::CollectionOptions open;
  open.encoder = options.builder.encoder;
  ASSIGN_OR_RETURN(const editing::OfflineBundle opened,
                   editing::OpenOffline(options.bundle_root, editing::OfflineUse::kChange, open));
  summary.damaged = opened.left_out;
  Updating updating(*opened.store, record, summary);
  progress.Start("Scores", std::ssize(changed));
  for (const ChangedFile& file : changed) {
    std::vector<std::string> warnings;
    const absl::Status updated = updating.Update(folder, file, warnings);
    if (IsFatal(updated)) return updated;
    NoteFile(*file.file, updated, warnings, summary.scores);
    progress.Advance(1);
  }
  progress.Finish();
  return absl::OkStatus();
}

absl::Status UpdateBundle(const IndexCommandOptions& options, Progress& progress,
                          UpdateSummary& summary) {
  ASSIGN_OR_RETURN(const ScoreFolder folder,
                   ScoreFolder::Open({.path = options.midi_dir,
                                      .collection = options.collection,
                                      .max_file_bytes = options.max_file_bytes},
                                     summary.scores));
  summary.files = std::ssize(folder.files());
  ASSIGN_OR_RETURN(FolderRecord record, FolderRecord::Read(options.bundle_root));
  ASSIGN_OR_RETURN(const std::string origin, OriginOf(options.bundle_root));
  if (record.origin != origin) record = {.origin = origin, .pieces = {}};
  ASSIGN_OR_RETURN(const std::vector<ChangedFile> changed, FilesToLookAt(folder, record, summary));
  if (changed.empty()) return absl::OkStatus();
  const absl::Status updated = UpdateAll(options, folder, changed, record, progress, summary);
  const absl::Status recorded = record.Write(options.bundle_root);
  return updated.ok() ? recorded : updated;
}

}  // namespace

absl::StatusOr<UpdateSummary> RunUpdate(const IndexCommandOptions& options, Progress& progress) {
  UpdateSummary summary;
  int64_t indexed = 0;
  if (!exchange::IsBundle(options.bundle_root)) {
    IndexCommandOptions index = options;
    index.recordings_dir.clear();
    index.allow_empty = true;
    index.compare = false;
    ASSIGN_OR_RETURN(const IndexSummary made, RunIndex(index, progress));
    summary.is_new_bundle = true;
    indexed = made.manifest.pieces;
  }
  RETURN_IF_ERROR(UpdateBundle(options, progress, summary));
  if (summary.is_new_bundle) {
    summary.added += indexed;
    summary.as_they_were = 0;
  }
  return summary;
}

std::string SummaryText(const UpdateSummary& summary) {
  const auto pieces = [](const std::vector<std::string>& ids) {
    return Count(ids.size(), "piece", "pieces");
  };
  std::string text = absl::StrCat(summary.scores.folder, ": ",
                                  Count(static_cast<size_t>(summary.files), "score", "scores"),
                                  ", ", summary.unchanged, " as before; ", summary.added,
                                  " added, ", summary.replaced, " replaced\n");
  AppendLines("Damaged", summary.damaged, text);
  AppendFolder("score", summary.scores, text);
  AppendLines(absl::StrCat(pieces(summary.kept),
                           " changed in the folder and in the collection, which holds"),
              summary.kept, text);
  AppendLines(absl::StrCat(pieces(summary.deleted),
                           " changed in the folder and deleted from the collection"),
              summary.deleted, text);
  AppendLines(absl::StrCat(Count(summary.gone.size(), "file", "files"),
                           " gone from the folder; the pieces stay"),
              summary.gone, text);
  return text;
}

}  // namespace antiphon::trainer::commands
