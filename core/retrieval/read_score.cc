#include "core/retrieval/read_score.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/scores/read_score.h"

namespace antiphon::retrieval {
namespace {

// What cannot be parsed was stored so: the collection's damage, no caller's fault.
absl::StatusOr<music::Score> ParseScore(const collection::CollectionView& view, int piece) {
  ASSIGN_OR_RETURN(const std::string file, view.ReadMidi(piece));
  return MapError(notation::ReadScore(file),
                  [](const absl::Status& status) { return absl::DataLossError(status.message()); });
}

}  // namespace

absl::StatusOr<std::shared_ptr<const music::Score>> ReadScore(
    const collection::LoadedCollection& loaded, int piece) {
  const catalog::Piece& named = loaded.view->pieces().at(piece);
  const auto parse = [&] { return ParseScore(*loaded.view, piece); };
  if (loaded.scores == nullptr) {
    ASSIGN_OR_RETURN(music::Score score, parse());
    return std::make_shared<const music::Score>(std::move(score));
  }
  return loaded.scores->Get(absl::StrCat(loaded.manifest.origin, "/", named.version, "/", named.id),
                            parse);
}

}  // namespace antiphon::retrieval
