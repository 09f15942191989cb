#include "core/collection/bundle_from_sources.h"

#include <filesystem>
#include <memory>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/error_reason.h"
#include "core/base/status_macros.h"
#include "core/bundle/files.h"
#include "core/collection/loaded_collection.h"

namespace antiphon::collection {
namespace {

namespace fs = std::filesystem;

using catalog::Side;

// Removes a root again in which nothing was published, if it was not there before.
class NewRoot {
 public:
  explicit NewRoot(std::string root) : root_(std::move(root)) {
    std::error_code error;
    is_new_ = !fs::exists(fs::symlink_status(root_, error));
  }
  ~NewRoot() {
    if (!is_new_) return;
    std::error_code ignored;
    fs::remove(fs::path(root_) / bundle::kLockFile, ignored);
    fs::remove(root_, ignored);  // only if it is empty
  }
  void Keep() { is_new_ = false; }

 private:
  const std::string root_;
  bool is_new_ = false;
};

class Making {
 public:
  Making(const SourceList& sources, const FromSourcesOptions& options, BundleBuilder& builder,
         FromSources& made)
      : sources_(sources), options_(options), builder_(builder), made_(made) {}

  absl::Status AddAll() {
    RETURN_IF_ERROR(AddSide(Side::kScores, sources_.pieces));
    RETURN_IF_ERROR(AddSide(Side::kRecordings, sources_.recordings));
    if (made_.left_out.empty() || options_.skip_failed) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat(made_.left_out.size(), made_.left_out.size() == 1 ? " source" : " sources",
                     " can't be embedded:\n  ", absl::StrJoin(made_.left_out, "\n  ")));
  }

 private:
  absl::Status AddSide(Side side, int64_t count) {
    for (int64_t position = 0; position < count; ++position) {
      if (options_.keep_going) RETURN_IF_ERROR(options_.keep_going());
      ASSIGN_OR_RETURN(catalog::SourceRecord source, sources_.read(side, position));
      const std::string id = source.id();
      absl::Status added =
          side == Side::kScores ? AddPiece(std::move(source)) : AddRecording(std::move(source));
      if (!added.ok() && !IsOfTheSource(added)) return added;
      if (!added.ok()) {
        if (side == Side::kScores) pieces_left_out_.insert(id);
        made_.left_out.push_back(absl::StrCat(side == Side::kScores ? "piece " : "recording ", id,
                                              ": ", added.message()));
      }
      if (options_.progress) options_.progress(++done_, sources_.pieces + sources_.recordings);
    }
    return absl::OkStatus();
  }

  absl::Status AddPiece(catalog::SourceRecord source) {
    return builder_.AddPiece(std::move(source.piece), source.content);
  }

  absl::Status AddRecording(catalog::SourceRecord source) {
    std::vector<std::string> warnings;
    catalog::Recording& recording = source.recording;
    if (pieces_left_out_.contains(recording.piece_id)) {
      warnings.push_back(absl::StrCat("is of no known piece any more, because ", recording.piece_id,
                                      " is left out"));
      recording.piece_id.clear();
    }
    const std::string id = recording.id;
    audio::DecodeReport report;
    // Whoever filed it accepted what is wrong with it.
    RETURN_IF_ERROR(builder_.AddRecording(std::move(recording), source.content,
                                          audio::DamagedAudio::kAccept, &report));
    for (const std::string& warning : report.Warnings()) warnings.push_back(warning);
    for (const std::string& warning : warnings)
      made_.warnings.push_back(absl::StrCat("recording ", id, ": ", warning));
    return absl::OkStatus();
  }

  const SourceList& sources_;
  const FromSourcesOptions& options_;
  BundleBuilder& builder_;
  FromSources& made_;
  std::set<std::string> pieces_left_out_;
  int64_t done_ = 0;
};

}  // namespace

bool IsOfTheSource(const absl::Status& failure) {
  const std::optional<ErrorReason> reason = ReasonOf(failure);
  if (reason.has_value()) return *reason == ErrorReason::kAudioDamaged;
  return absl::IsInvalidArgument(failure) || absl::IsResourceExhausted(failure) ||
         absl::IsUnimplemented(failure);
}

absl::StatusOr<FromSources> MakeBundleFromSources(const std::string& bundle_root,
                                                  const SourceList& sources,
                                                  const FromSourcesOptions& options) {
  NewRoot root(bundle_root);
  ASSIGN_OR_RETURN(const std::unique_ptr<BundleBuilder> builder,
                   BundleBuilder::Create(bundle_root, options.builder));
  if (options.once_locked) RETURN_IF_ERROR(options.once_locked());
  FromSources made;
  Making making(sources, options, *builder, made);
  RETURN_IF_ERROR(making.AddAll());
  if (options.keep_going) RETURN_IF_ERROR(options.keep_going());
  ASSIGN_OR_RETURN(made.manifest,
                   builder->Publish(options.last_change, [&](const bundle::OpenedBundle& opened) {
                     CollectionOptions open;
                     open.encoder = options.builder.encoder;
                     return OpenGeneration(opened, open).status();
                   }));
  root.Keep();
  return made;
}

}  // namespace antiphon::collection
