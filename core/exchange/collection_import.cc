#include "core/exchange/collection_import.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/error_reason.h"
#include "core/base/status_macros.h"
#include "core/bundle/bundle.h"
#include "core/bundle/files.h"
#include "core/collection/bundle_from_sources.h"
#include "core/editing/offline_bundle.h"
#include "core/exchange/export_manifest.h"
#include "core/hash/sha256.h"

namespace antiphon::exchange {
namespace {

using catalog::Side;

constexpr int64_t kMostUnmergedBytes = int64_t{256} << 20;

// An exported folder, whose files are checked as they are read.
class ExportedFolder {
 public:
  static absl::StatusOr<ExportedFolder> Open(const std::string& path) {
    ASSIGN_OR_RETURN(const Descriptor file,
                     MapError(bundle::OpenPlainFile(path, kExportFile), [&](const auto& failure) {
                       return absl::Status(failure.code(),
                                           absl::StrCat(path, ": ", failure.message(),
                                                        ": it is no exported collection"));
                     }));
    ASSIGN_OR_RETURN(const std::string json, bundle::ReadAll(file, kMaxExportBytes));
    ExportedFolder folder;
    folder.path_ = path;
    ASSIGN_OR_RETURN(folder.manifest_, ParseExport(json));
    // They say what export.json says, and only that is read: what was changed in them would be
    // passed over.
    for (const auto& [name, entry] :
         {std::pair(kScoresFolder, &folder.manifest_.score_metadata),
          std::pair(kRecordingsFolder, &folder.manifest_.recording_metadata)}) {
      RETURN_IF_ERROR(folder.ReadFile(name, *entry).status());
    }
    return folder;
  }

  const ExportManifest& manifest() const { return manifest_; }

  absl::StatusOr<catalog::SourceRecord> Read(Side side, int64_t position) const {
    const bool score = side == Side::kScores;
    const ExportedSource& exported =
        (score ? manifest_.pieces : manifest_.recordings)[static_cast<size_t>(position)];
    catalog::SourceRecord source = exported.source;
    ASSIGN_OR_RETURN(source.content,
                     ReadFile(score ? kScoresFolder : kRecordingsFolder, exported.file));
    return source;
  }

 private:
  absl::StatusOr<std::string> ReadFile(const std::string& name, const ExportedFile& entry) const {
    const std::string shown = absl::StrCat(name, "/", entry.name);
    const auto is_missing = [&](const absl::Status& failure) {
      return absl::DataLossError(absl::StrCat(name, "/", failure.message()));
    };
    ASSIGN_OR_RETURN(
        const Descriptor file,
        MapError(bundle::OpenPlainFile(absl::StrCat(path_, "/", name), entry.name), is_missing));
    ASSIGN_OR_RETURN(const int64_t size, bundle::SizeOf(file));
    if (size != entry.size) {
      return absl::DataLossError(
          absl::StrCat(shown, ": has ", size, " bytes where ", kExportFile, " says ", entry.size));
    }
    ASSIGN_OR_RETURN(std::string content, bundle::ReadAll(file, static_cast<size_t>(entry.size)));
    if (hash::HexSha256(content) != entry.sha256) {
      return absl::DataLossError(
          absl::StrCat(shown, ": its SHA-256 is not what ", kExportFile, " says"));
    }
    return content;
  }

  std::string path_;
  ExportManifest manifest_;
};

std::string NameOf(const catalog::SourceRecord& source) {
  return absl::StrCat(source.side == Side::kScores ? "piece " : "recording ", source.id());
}

absl::StatusOr<Imported> ImportIntoNew(const std::string& bundle_root, const ExportedFolder& folder,
                                       const ImportOptions& options) {
  const ExportManifest& manifest = folder.manifest();
  if (options.model_directory.empty())
    return absl::InvalidArgumentError(
        absl::StrCat("a model is needed, for there is no bundle in ", bundle_root, " yet"));
  collection::FromSourcesOptions make;
  make.builder.model_directory = options.model_directory;
  make.builder.encoder = options.encoder;
  make.builder.index.kind = options.kind.value_or(manifest.index);
  make.builder.tempo_ratios = options.tempo_ratios.value_or(manifest.tempo_ratios);
  make.builder.score_hop_s = options.score_hop_s.value_or(manifest.score_hop_s);
  make.builder.recording_hop_s = options.recording_hop_s.value_or(manifest.recording_hop_s);
  make.builder.with_parts = manifest.with_parts;
  make.last_change = manifest.last_change;
  make.skip_failed = options.skip_failed;
  make.keep_going = options.keep_going;
  make.progress = options.progress;
  make.once_locked = [&]() -> absl::Status {
    if (!IsBundle(bundle_root)) return absl::OkStatus();
    return absl::AbortedError("a bundle has been published meanwhile: try again");
  };
  const collection::SourceList sources = {
      static_cast<int64_t>(manifest.pieces.size()),
      static_cast<int64_t>(manifest.recordings.size()),
      [&folder](Side side, int64_t position) { return folder.Read(side, position); }};
  ASSIGN_OR_RETURN(collection::FromSources made,
                   collection::MakeBundleFromSources(bundle_root, sources, make));
  Imported imported;
  imported.is_new_bundle = true;
  imported.added = made.manifest.pieces + made.manifest.recordings;
  imported.manifest = std::move(made.manifest);
  imported.left_out = std::move(made.left_out);
  imported.warnings = std::move(made.warnings);
  return imported;
}

class Adding {
 public:
  Adding(const ExportedFolder& folder, const ImportOptions& options,
         editing::CollectionStore& store, Imported& imported)
      : folder_(folder), options_(options), store_(store), imported_(imported) {}

  absl::Status RefuseKnownIds() const {
    if (options_.replace) return absl::OkStatus();
    std::vector<std::string> known;
    const collection::CollectionView& view = store_.Current()->view();
    for (const auto* sources : {&folder_.manifest().pieces, &folder_.manifest().recordings}) {
      for (const ExportedSource& exported : *sources) {
        if (PositionOf(view, exported.source).has_value()) known.push_back(NameOf(exported.source));
      }
    }
    if (known.empty()) return absl::OkStatus();
    return absl::AlreadyExistsError(absl::StrCat(
        known.size(), known.size() == 1 ? " source is" : " sources are",
        " in the bundle already, and are not to be replaced:\n  ", absl::StrJoin(known, "\n  ")));
  }

  absl::Status AddAll() {
    RETURN_IF_ERROR(AddSide(Side::kScores, folder_.manifest().pieces.size()));
    return AddSide(Side::kRecordings, folder_.manifest().recordings.size());
  }

 private:
  static std::optional<int> PositionOf(const collection::CollectionView& view,
                                       const catalog::SourceRecord& source) {
    return source.side == Side::kScores ? view.FindPiece(source.id())
                                        : view.FindRecording(source.id());
  }

  absl::Status AddSide(Side side, size_t count) {
    for (size_t position = 0; position < count; ++position) {
      if (options_.keep_going) RETURN_IF_ERROR(options_.keep_going());
      ASSIGN_OR_RETURN(catalog::SourceRecord source,
                       folder_.Read(side, static_cast<int64_t>(position)));
      const std::string name = NameOf(source);
      unmerged_bytes_ += static_cast<int64_t>(source.content.size());
      absl::Status put = Put(std::move(source));
      const bool refused =
          collection::IsOfTheSource(put) || ReasonOf(put) == ErrorReason::kPieceUnknown;
      if (!put.ok() && !refused) return put;
      if (!put.ok()) imported_.left_out.push_back(absl::StrCat(name, ": ", put.message()));
      RETURN_IF_ERROR(MergeIfMuch());
      if (options_.progress) {
        options_.progress(++done_, static_cast<int64_t>(folder_.manifest().pieces.size() +
                                                        folder_.manifest().recordings.size()));
      }
    }
    return absl::OkStatus();
  }

  // What is not merged stays in memory.
  absl::Status MergeIfMuch() {
    if (unmerged_bytes_ < kMostUnmergedBytes) return absl::OkStatus();
    unmerged_bytes_ = 0;
    return store_.Merge().status();
  }

  absl::Status Put(catalog::SourceRecord source) {
    const std::shared_ptr<const retrieval::BundleCollection> now = store_.Current();
    const std::optional<int> position = PositionOf(now->view(), source);
    if (!position.has_value()) return Add(std::move(source));
    return source.side == Side::kScores
               ? ReplacePiece(now->view(), *position, std::move(source))
               : ReplaceRecording(now->view(), *position, std::move(source));
  }

  absl::Status Count(const absl::StatusOr<editing::EditResult>& result, const std::string& name,
                     int64_t& counter) {
    RETURN_IF_ERROR(result.status());
    ++counter;
    for (const std::string& warning : result->decoding.Warnings())
      imported_.warnings.push_back(absl::StrCat(name, ": ", warning));
    return absl::OkStatus();
  }

  absl::Status Add(catalog::SourceRecord source) {
    const std::string name = NameOf(source);
    editing::EditRequest request;
    if (source.side == Side::kScores) {
      auto& add = request.emplace<editing::AddPiece>();
      add.with_parts = source.piece.with_parts;
      add.piece = std::move(source.piece);
      add.midi = std::move(source.content);
    } else {
      auto& add = request.emplace<editing::AddRecording>();
      add.recording = std::move(source.recording);
      add.audio = std::move(source.content);
      add.accept_damaged = true;  // as whoever filed it did
    }
    return Count(store_.Apply(request), name, imported_.added);
  }

  absl::Status ReplacePiece(const collection::CollectionView& view, int position,
                            catalog::SourceRecord source) {
    const catalog::Piece& before = view.pieces()[position];
    const catalog::Piece& piece = source.piece;
    ASSIGN_OR_RETURN(const std::string midi, view.ReadMidi(position));
    const bool same_music = midi == source.content;
    if (same_music && piece.title == before.title && piece.composer == before.composer &&
        piece.collection == before.collection && piece.work_id == before.work_id &&
        piece.with_parts == before.with_parts) {
      ++imported_.unchanged;
      return absl::OkStatus();
    }
    editing::UpdatePiece update{.id = piece.id,
                                .title = piece.title,
                                .composer = piece.composer,
                                .collection = piece.collection,
                                .work_id = piece.work_id,
                                .with_parts = piece.with_parts};
    if (!same_music) update.midi = std::move(source.content);
    return Count(store_.Apply(update), absl::StrCat("piece ", piece.id), imported_.replaced);
  }

  absl::Status ReplaceRecording(const collection::CollectionView& view, int position,
                                catalog::SourceRecord source) {
    const catalog::Recording& before = view.recordings()[position];
    const catalog::Recording& recording = source.recording;
    ASSIGN_OR_RETURN(const std::string audio, view.ReadAudio(position));
    const bool same_sound = audio == source.content;
    if (same_sound && recording.title == before.title && recording.composer == before.composer &&
        recording.collection == before.collection && recording.piece_id == before.piece_id) {
      ++imported_.unchanged;
      return absl::OkStatus();
    }
    editing::UpdateRecording update{.id = recording.id,
                                    .title = recording.title,
                                    .composer = recording.composer,
                                    .collection = recording.collection,
                                    .piece_id = recording.piece_id,
                                    .accept_damaged = true};
    if (!same_sound) update.audio = std::move(source.content);
    return Count(store_.Apply(update), absl::StrCat("recording ", recording.id),
                 imported_.replaced);
  }

  const ExportedFolder& folder_;
  const ImportOptions& options_;
  editing::CollectionStore& store_;
  Imported& imported_;
  int64_t done_ = 0;
  int64_t unmerged_bytes_ = 0;
};

absl::StatusOr<Imported> ImportIntoBundle(const std::string& bundle_root,
                                          const ExportedFolder& folder,
                                          const ImportOptions& options) {
  if (!options.model_directory.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is a bundle in ", bundle_root, ", and it has a model"));
  }
  collection::CollectionOptions open;
  open.encoder = options.encoder;
  ASSIGN_OR_RETURN(const editing::OfflineBundle opened,
                   editing::OpenOffline(bundle_root, editing::OfflineUse::kChange, open));
  Imported imported;
  imported.damaged = opened.left_out;
  Adding adding(folder, options, *opened.store, imported);
  RETURN_IF_ERROR(adding.RefuseKnownIds());
  RETURN_IF_ERROR(adding.AddAll());
  RETURN_IF_ERROR(opened.store->Merge().status());
  imported.manifest = opened.store->Current()->manifest();
  if (imported.left_out.empty() || options.skip_failed) return imported;
  return absl::FailedPreconditionError(
      absl::StrCat(imported.left_out.size(), imported.left_out.size() == 1 ? " source" : " sources",
                   " can't be embedded; the others are in the bundle now:\n  ",
                   absl::StrJoin(imported.left_out, "\n  ")));
}

}  // namespace

bool IsBundle(const std::string& bundle_root) {
  return !absl::IsNotFound(bundle::CurrentGeneration(bundle_root).status());
}

absl::StatusOr<Imported> ImportCollection(const std::string& bundle_root, const std::string& folder,
                                          const ImportOptions& options) {
  ASSIGN_OR_RETURN(const ExportedFolder exported, ExportedFolder::Open(folder));
  return IsBundle(bundle_root) ? ImportIntoBundle(bundle_root, exported, options)
                               : ImportIntoNew(bundle_root, exported, options);
}

}  // namespace antiphon::exchange
