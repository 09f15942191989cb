// How loud a part is by its dynamics: marks hold until the next one, and hairpins lead from one to
// the other.
//
// A plain value; share it as any struct.
#ifndef ANTIPHON_CORE_NOTATION_LOUDNESS_H_
#define ANTIPHON_CORE_NOTATION_LOUDNESS_H_

#include <vector>

#include "core/notation/written_score.h"

namespace antiphon::notation {

// p, f and so on, from here on.
struct LoudnessMark {
  Ticks at = 0;
  int velocity = 80;  // 1 to 127
};

// From here to there the music grows louder, or softer.
struct Hairpin {
  Ticks from = 0;
  Ticks to = 0;
  bool grows = true;
};

class Loudness {
 public:
  // What a hairpin is of where no mark stands before it: mezzo forte.
  static constexpr int kUnmarked = 80;
  // By which it changes where no mark says so: from one mark to the next, as mf to f.
  static constexpr int kStep = 16;

  // In any order; of marks at one place the last one holds. A hairpin leads in a straight line to
  // the first mark after its beginning, if that is no further than a quarter note behind its end
  // and louder (or softer). A mark within it that isn't ends it. One that begins within another is
  // passed over.
  Loudness() = default;
  Loudness(std::vector<LoudnessMark> marks, std::vector<Hairpin> hairpins);

  // Of a note there: 1 to 127, 0 where nothing is said before it.
  int VelocityAt(Ticks at) const;

 private:
  // From `at` on; a straight line to `target` at `until`, which then holds.
  struct Level {
    Ticks at = 0;
    int velocity = 0;
    Ticks until = 0;
    int target = 0;
  };

  std::vector<Level> levels_;  // by time
};

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_NOTATION_LOUDNESS_H_
