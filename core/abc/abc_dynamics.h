// How loud a voice of an ABC tune is: its marks and hairpins as they are read.
//
// Internal to core/abc. Belongs to one thread.
#ifndef ANTIPHON_CORE_ABC_ABC_DYNAMICS_H_
#define ANTIPHON_CORE_ABC_ABC_DYNAMICS_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "core/notation/loudness.h"
#include "core/notation/written_score.h"

namespace antiphon::notation {

// What a decoration before a note says.
struct AbcDynamic {
  enum class Kind {
    kMark,        // p, f and so on, from the note on
    kHairpin,     // begins with the note
    kHairpinEnd,  // ends with the end of the note
  };
  Kind kind = Kind::kMark;
  int velocity = 0;    // of a mark, 1 to 127
  bool grows = false;  // the hairpin
};

// All times are those of the voice; overlays go back.
class AbcDynamics {
 public:
  // Of marks and hairpins no more than `most` each are kept.
  explicit AbcDynamics(size_t most) : most_(most) {}

  // Before what begins at `at`. A hairpin ends the one before it; an end without a hairpin of its
  // kind is passed over.
  void Add(const AbcDynamic& dynamic, Ticks at);
  // What they stand before lasts until `end`.
  void EndNote(Ticks end);

  // Hairpins that are still open are none.
  Loudness Take() &&;

 private:
  void Close(Ticks at);

  const size_t most_;
  std::vector<LoudnessMark> marks_;
  std::vector<Hairpin> hairpins_;
  std::optional<Hairpin> open_;
  bool ends_with_note_ = false;  // the last of hairpins_
};

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_ABC_ABC_DYNAMICS_H_
