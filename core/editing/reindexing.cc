#include "core/editing/reindexing.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/bundle/bundle.h"
#include "core/editing/offline_bundle.h"

namespace antiphon::editing {
namespace {

using catalog::Side;

absl::StatusOr<catalog::SourceRecord> ReadStored(const collection::CollectionView& view, Side side,
                                                 int position) {
  catalog::SourceRecord source;
  source.side = side;
  if (side == Side::kScores) {
    source.piece = view.pieces()[position];
    ASSIGN_OR_RETURN(source.content, view.ReadMidi(position));
  } else {
    source.recording = view.recordings()[position];
    ASSIGN_OR_RETURN(source.content, view.ReadAudio(position));
  }
  return source;
}

collection::BuilderOptions BuilderFor(const retrieval::BundleCollection& collection,
                                      const ReindexOptions& options) {
  const bundle::Manifest& manifest = collection.manifest();
  collection::BuilderOptions builder;
  builder.model_directory = options.model_directory;
  builder.encoder = options.encoder;
  builder.index.kind = options.kind.value_or(collection.view().index_kind(Side::kScores));
  builder.tempo_ratios = options.tempo_ratios.value_or(manifest.tempo_ratios);
  builder.score_hop_s = options.score_hop_s.value_or(manifest.score_hop_s);
  builder.recording_hop_s = options.recording_hop_s.value_or(manifest.recording_hop_s);
  builder.with_parts = manifest.with_parts;
  return builder;
}

}  // namespace

absl::StatusOr<Reindexed> ReindexBundle(const std::string& bundle_root,
                                        const ReindexOptions& options) {
  const bool elsewhere = !options.output.empty();
  if (elsewhere && !absl::IsNotFound(bundle::CurrentGeneration(options.output).status()))
    return absl::AlreadyExistsError(absl::StrCat(options.output, ": there is a bundle already"));
  // Read before the bundle is opened, so that a publication in between is noticed.
  const int64_t named = bundle::CurrentGeneration(bundle_root).value_or(0);
  ASSIGN_OR_RETURN(const OfflineBundle opened,
                   OpenOffline(bundle_root, elsewhere ? OfflineUse::kRead : OfflineUse::kChange));
  const collection::CollectionView& view = opened.collection->view();
  Reindexed reindexed;
  reindexed.damaged = opened.left_out;
  reindexed.former_generation = opened.collection->manifest().generation;

  collection::SourceList sources;
  sources.pieces = view.source_count(Side::kScores);
  sources.recordings = view.source_count(Side::kRecordings);
  sources.read = [&view](Side side, int64_t position) {
    return ReadStored(view, side, static_cast<int>(position));
  };
  collection::FromSourcesOptions make;
  make.builder = BuilderFor(*opened.collection, options);
  make.last_change = opened.last_change;
  make.skip_failed = options.skip_failed;
  make.keep_going = options.keep_going;
  make.progress = options.progress;
  // The journal's lock keeps servers away, but not an indexing.
  make.once_locked = [&]() -> absl::Status {
    if (elsewhere || bundle::CurrentGeneration(bundle_root).value_or(0) == named)
      return absl::OkStatus();
    return absl::AbortedError("another generation has been published meanwhile: try again");
  };
  ASSIGN_OR_RETURN(reindexed.made, collection::MakeBundleFromSources(
                                       elsewhere ? options.output : bundle_root, sources, make));
  return reindexed;
}

}  // namespace antiphon::editing
