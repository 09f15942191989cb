// The sources that may explain a query, looked at closely: where the whole query lies in each, and
// which of them show the same music there. What is found out about a source is kept, so that each
// is looked at once. Internal to core/retrieval.
//
// Belongs to one thread, and borrows the collection and the windows, which are from all over the
// query.
#ifndef ANTIPHON_CORE_RETRIEVAL_EXPLANATIONS_H_
#define ANTIPHON_CORE_RETRIEVAL_EXPLANATIONS_H_

#include <memory>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "core/catalog/catalog.h"
#include "core/collection/loaded_collection.h"
#include "core/matching/embedding_sequence.h"
#include "core/matching/stage_timer.h"
#include "core/music/same_music.h"
#include "core/retrieval/whole_path.h"

namespace antiphon::retrieval {

// Whether two sources are one, or two recordings of one piece.
bool AreOfOnePiece(const collection::LoadedCollection& loaded, catalog::Side side, int one,
                   int other);

class Explanations {
 public:
  Explanations(const collection::LoadedCollection& loaded, catalog::Side side,
               const matching::EmbeddingSequence& windows, const matching::StageTimer& timer)
      : loaded_(loaded), side_(side), windows_(windows), timer_(timer) {}

  // Notes which part of the source, or the whole, is looked at, and how fast it goes by, seconds of
  // it per second of the query. Of a source that is asked about, they must be known.
  void Note(int source, int part, double slope) { noted_[source] = {part, slope}; }

  // Fails as the index does. Valid as long as this is.
  [[nodiscard]] absl::StatusOr<const WholePath*> PathOf(int source);

  // Two sources whose whole paths' scores differ by no more explain the query equally well.
  double tie() const;

  // Whether both show the same music where the query lies in them. Of scores the notes decide; of
  // recordings that they are of one piece, or else their sound. A source that cannot be read is
  // like no other. Beyond 40 pairs it looks at no more, and says no; so it does after a failure,
  // which status() has.
  bool SameMusic(int one, int other);
  const absl::Status& status() const { return status_; }

 private:
  struct Noted {
    int part = catalog::kWhole;
    double slope = 1;
  };
  struct Source {
    std::unique_ptr<const WholePath> path;
    std::unique_ptr<const std::vector<music::Onset>> onsets;
  };

  absl::StatusOr<const std::vector<music::Onset>*> OnsetsOf(int piece);
  absl::StatusOr<bool> SameNotes(int one, int other);
  absl::StatusOr<bool> SameSound(int one, int other);

  const collection::LoadedCollection& loaded_;
  const catalog::Side side_;
  const matching::EmbeddingSequence& windows_;
  const matching::StageTimer& timer_;
  std::unordered_map<int, Noted> noted_;
  std::unordered_map<int, Source> sources_;
  std::unordered_map<int64_t, bool> same_;  // by pair
  int comparisons_ = 0;
  absl::Status status_;  // of the comparisons
};

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_EXPLANATIONS_H_
