#include "trainer/datasets/reference_collection.h"

#include <filesystem>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/bundle/manifest.h"
#include "core/encoder/window_encoder.h"
#include "trainer/base/fingerprint.h"
#include "trainer/data/midi_files.h"

namespace antiphon::trainer::datasets {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kScoreCacheNotes = 4'000'000;  // a few hundred megabytes

absl::StatusOr<std::string> ModelIdOf(const collection::BuilderOptions& options) {
  ASSIGN_OR_RETURN(
      const auto encoder,
      encoder::LoadEncoder(absl::StrCat(options.model_directory, "/", bundle::kScoreEncoderFile),
                           encoder::Modality::kScore, options.encoder));
  return encoder->info().model_id;
}

// Everything that the vectors depend on.
absl::StatusOr<std::string> KeyOf(const std::vector<CollectionEntry>& entries,
                                  const collection::BuilderOptions& builder) {
  ASSIGN_OR_RETURN(const std::string model, ModelIdOf(builder));
  const index::IndexOptions& index = builder.index;
  std::string recipe = absl::StrCat(
      model, ";", static_cast<int>(builder.encoder.precision), ";", builder.score_hop_s, ";",
      absl::StrJoin(builder.tempo_ratios, ","), ";", static_cast<int>(index.kind), ";",
      index.hnsw_links, ";", index.hnsw_build_breadth, ";", index.ivf_lists);
  if (builder.with_parts) absl::StrAppend(&recipe, ";parts");
  for (const CollectionEntry& entry : entries) {
    absl::StrAppend(&recipe, "\n", entry.id, " ", Sha256(entry.midi));
    if (!entry.collection.empty()) absl::StrAppend(&recipe, " ", entry.collection);
  }
  return absl::StrCat(model, ".", entries.size(), ".", Sha256(recipe).substr(0, 12));
}

absl::Status Build(const std::vector<CollectionEntry>& entries,
                   const collection::BuilderOptions& options, const std::string& root,
                   Progress& progress) {
  ASSIGN_OR_RETURN(auto builder, collection::BundleBuilder::Create(root, options));
  progress.Start("index scores", static_cast<int64_t>(entries.size()));
  for (const CollectionEntry& entry : entries) {
    catalog::Piece piece;
    piece.id = entry.id;
    piece.title = entry.title;
    piece.composer = entry.composer;
    piece.collection = entry.collection;
    piece.with_parts = options.with_parts;
    if (absl::Status status = builder->AddPiece(piece, entry.midi); !status.ok()) {
      return absl::Status(status.code(), absl::StrCat(entry.id, ": ", status.message()));
    }
    progress.Advance();
  }
  progress.Finish();
  return builder->Publish().status();
}

absl::StatusOr<std::unique_ptr<const retrieval::BundleCollection>> Open(
    const std::string& root, const collection::BuilderOptions& options) {
  collection::CollectionOptions open;
  open.encoder = options.encoder;
  open.index = options.index;
  open.scores = std::make_shared<collection::ScoreCache>(kScoreCacheNotes);
  ASSIGN_OR_RETURN(collection::OpenedCollection opened, collection::OpenCollection(root, open));
  // The model's own, which may have been made anew since the bundle was.
  RETURN_IF_ERROR(collection::ReadJudgement(options.model_directory, *opened.loaded));
  RETURN_IF_ERROR(collection::CheckParts(*opened.loaded));
  return std::make_unique<const retrieval::BundleCollection>(std::move(opened.loaded));
}

}  // namespace

absl::StatusOr<std::unique_ptr<const retrieval::BundleCollection>> OpenReferenceCollection(
    const std::vector<CollectionEntry>& entries, const ReferenceCollectionOptions& options,
    Progress& progress) {
  ASSIGN_OR_RETURN(const std::string key, KeyOf(entries, options.builder));
  const std::string root = absl::StrCat(options.folder, "/", key);
  std::error_code error;
  fs::create_directories(root, error);
  if (error)
    return absl::UnavailableError(absl::StrCat("cannot make ", root, ": ", error.message()));
  if (!fs::exists(root + "/CURRENT", error)) {
    RETURN_IF_ERROR(Build(entries, options.builder, root, progress));
  }
  return Open(root, options.builder);
}

absl::StatusOr<std::unique_ptr<const retrieval::BundleCollection>> OpenIndexed(
    const std::string& bundle, const collection::BuilderOptions& options) {
  const auto name_it = [&bundle](const absl::Status& status) {
    return absl::Status(status.code(), absl::StrCat(bundle, ": ", status.message()));
  };
  ASSIGN_OR_RETURN(auto collection, MapError(Open(bundle, options), name_it));
  ASSIGN_OR_RETURN(const std::string model, ModelIdOf(options));
  if (collection->manifest().model_id != model) {
    return absl::FailedPreconditionError(absl::StrCat(bundle, " was made with the model ",
                                                      collection->manifest().model_id,
                                                      ", and what is measured is ", model));
  }
  return collection;
}

absl::StatusOr<std::vector<CollectionEntry>> ReadEntries(const std::string& midi_dir) {
  ASSIGN_OR_RETURN(const std::vector<data::SourceFile> files, data::MidiFilesBelow(midi_dir));
  if (files.empty()) return absl::NotFoundError(absl::StrCat("no score below ", midi_dir));
  std::vector<CollectionEntry> entries;
  for (const data::SourceFile& file : files) {
    ASSIGN_OR_RETURN(std::string midi, ReadWholeFile(file.path));
    entries.push_back(
        {file.name(), file.relative, file.path.parent_path().filename(), std::move(midi)});
  }
  return entries;
}

}  // namespace antiphon::trainer::datasets
