#include "core/exchange/collection_export.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/status_macros.h"
#include "core/bundle/files.h"
#include "core/editing/offline_bundle.h"
#include "core/exchange/export_manifest.h"
#include "core/exchange/export_names.h"
#include "core/hash/sha256.h"
#include "core/music/file_naming.h"

namespace antiphon::exchange {
namespace {

namespace fs = std::filesystem;

using catalog::Side;

class Exporting {
 public:
  Exporting(const collection::CollectionView& view, std::string folder,
            const ExportOptions& options)
      : view_(view), folder_(std::move(folder)), options_(options) {}

  absl::Status WriteSide(Side side, const char* name, std::vector<ExportedSource>& sources,
                         ExportedFile& metadata) {
    const std::string folder = absl::StrCat(folder_, "/", name);
    std::error_code error;
    fs::create_directory(folder, error);
    if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat(name, ": cannot be made"));
    ExportNames names;
    for (int position = 0; position < view_.source_count(side); ++position) {
      if (options_.keep_going) RETURN_IF_ERROR(options_.keep_going());
      RETURN_IF_ERROR(WriteSource(side, position, folder, names, sources));
      if (options_.progress) {
        options_.progress(
            ++done_, view_.source_count(Side::kScores) + view_.source_count(Side::kRecordings));
      }
    }
    ASSIGN_OR_RETURN(metadata, Write(folder, music::kMetadataFile, MetadataTable(sources, side)));
    return bundle::SyncFolder(folder);
  }

  int64_t bytes() const { return bytes_; }

 private:
  static absl::StatusOr<ExportedFile> Write(const std::string& folder, const std::string& name,
                                            const std::string& content) {
    RETURN_IF_ERROR(bundle::WriteNewFile(folder, name, content));
    return ExportedFile{name, static_cast<int64_t>(content.size()), hash::HexSha256(content)};
  }

  absl::Status WriteSource(Side side, int position, const std::string& folder, ExportNames& names,
                           std::vector<ExportedSource>& sources) {
    const bool score = side == Side::kScores;
    ASSIGN_OR_RETURN(const std::string content,
                     score ? view_.ReadMidi(position) : view_.ReadAudio(position));
    ExportedSource exported;
    exported.source.side = side;
    if (score) exported.source.piece = view_.pieces()[position];
    if (!score) exported.source.recording = view_.recordings()[position];
    const std::string name =
        names.NameFor(exported.source.id(), score ? ScoreEnding(content) : SoundEnding(content));
    ASSIGN_OR_RETURN(exported.file, Write(folder, name, content));
    bytes_ += exported.file.size;
    sources.push_back(std::move(exported));
    return absl::OkStatus();
  }

  const collection::CollectionView& view_;
  const std::string folder_;
  const ExportOptions& options_;
  int64_t done_ = 0;
  int64_t bytes_ = 0;
};

}  // namespace

absl::StatusOr<Exported> ExportCollection(const std::string& bundle_root, const std::string& folder,
                                          const ExportOptions& options) {
  fs::path target = fs::path(folder).lexically_normal();
  if (!target.has_filename()) target = target.parent_path();
  const fs::path parent = target.parent_path().empty() ? "." : target.parent_path();
  std::error_code error;
  // Said before the work begins; RenameToNew decides.
  if (fs::exists(fs::symlink_status(target, error)))
    return absl::AlreadyExistsError(absl::StrCat(folder, ": is there already"));
  if (!fs::is_directory(parent, error))
    return absl::NotFoundError(absl::StrCat(folder, ": there is no folder to put it into"));
  ASSIGN_OR_RETURN(const editing::OfflineBundle opened,
                   editing::OpenOffline(bundle_root, editing::OfflineUse::kRead));
  ASSIGN_OR_RETURN(bundle::TemporaryFolder temporary,
                   bundle::TemporaryFolder::Create(
                       parent.string(), absl::StrCat(".", target.filename().string(), ".part-")));

  const collection::CollectionView& view = opened.collection->view();
  const bundle::Manifest& of_bundle = opened.collection->manifest();
  ExportManifest manifest;
  manifest.created = absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::Now(), absl::UTCTimeZone());
  manifest.origin = of_bundle.origin;
  manifest.generation = of_bundle.generation;
  manifest.last_change = opened.last_change;
  manifest.model_id = of_bundle.model_id;
  manifest.index = view.index_kind(Side::kScores);
  manifest.score_hop_s = of_bundle.score_hop_s;
  manifest.recording_hop_s = of_bundle.recording_hop_s;
  manifest.tempo_ratios = of_bundle.tempo_ratios;
  manifest.with_parts = of_bundle.with_parts;
  Exporting exporting(view, temporary.path(), options);
  RETURN_IF_ERROR(
      exporting.WriteSide(Side::kScores, kScoresFolder, manifest.pieces, manifest.score_metadata));
  RETURN_IF_ERROR(exporting.WriteSide(Side::kRecordings, kRecordingsFolder, manifest.recordings,
                                      manifest.recording_metadata));
  RETURN_IF_ERROR(bundle::WriteNewFile(temporary.path(), kExportFile, ExportToJson(manifest)));
  RETURN_IF_ERROR(bundle::SyncFolder(temporary.path()));
  RETURN_IF_ERROR(bundle::RenameToNew(temporary.path(), target.string()));
  temporary.Keep();
  RETURN_IF_ERROR(bundle::SyncFolder(parent.string()));
  return Exported{of_bundle.generation, view.source_count(Side::kScores),
                  view.source_count(Side::kRecordings), exporting.bytes(), opened.left_out};
}

}  // namespace antiphon::exchange
