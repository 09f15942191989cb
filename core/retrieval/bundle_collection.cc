#include "core/retrieval/bundle_collection.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/music/midi_file.h"

namespace antiphon::retrieval {
namespace {

// What cannot be parsed was stored so: the collection's damage, no caller's fault.
absl::StatusOr<music::Score> ParseScore(const collection::CollectionView& view, int piece) {
  ASSIGN_OR_RETURN(const std::string midi, view.ReadMidi(piece));
  return MapError(music::ReadMidi(midi),
                  [](const absl::Status& status) { return absl::DataLossError(status.message()); });
}

}  // namespace

absl::StatusOr<std::unique_ptr<const BundleCollection>> BundleCollection::Open(
    const std::string& bundle_root, const collection::CollectionOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<collection::LoadedCollection> loaded,
                   collection::OpenParts(bundle_root, options));
  return std::make_unique<const BundleCollection>(std::move(loaded));
}

BundleCollection::BundleCollection(std::shared_ptr<const collection::LoadedCollection> loaded)
    : loaded_(std::move(loaded)) {}

absl::StatusOr<std::shared_ptr<const music::Score>> BundleCollection::ReadScore(int piece) const {
  const catalog::Piece& named = pieces().at(piece);
  const auto parse = [&] { return ParseScore(view(), piece); };
  if (loaded_->scores == nullptr) {
    ASSIGN_OR_RETURN(music::Score score, parse());
    return std::make_shared<const music::Score>(std::move(score));
  }
  return loaded_->scores->Get(absl::StrCat(manifest().origin, "/", named.version, "/", named.id),
                              parse);
}

}  // namespace antiphon::retrieval
