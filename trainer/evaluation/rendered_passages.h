// Which works and which passages of them suite `rendered` plays. Pure functions.
#ifndef ANTIPHON_TRAINER_EVALUATION_RENDERED_PASSAGES_H_
#define ANTIPHON_TRAINER_EVALUATION_RENDERED_PASSAGES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/matching/match.h"
#include "core/music/score.h"

namespace antiphon::trainer::evaluation {

struct DrawnWorks {
  std::vector<int> played;  // places in the list
  std::vector<int> listed;  // of the catalogue; those played are among them
};

// Of the scores of a folder, `ids` that end in their paths: up to `played` of the test part (0: all
// of it), as data::Split::ByHash draws it by the name of the file, and a catalogue of up to
// `listed` scores (0: all), but never without one that is played. Both in the order of `ids`, drawn
// by the seed.
DrawnWorks DrawWorks(const std::vector<std::string>& ids, int played, int listed, uint64_t seed);

// A stretch of a score that is played at another tempo than the one written.
struct Passage {
  double start_s = 0, end_s = 0;  // seconds of the score
  double tempo_ratio = 1;         // 0.8 to 1.25
};

inline constexpr double kPassage_s = 30;  // as played; less at the end of the music

// `count` passages at even distances over the music, each from a note on; fewer where the music is
// too short for so many beside one another. The key decides the tempi.
std::vector<Passage> DrawPassages(const music::Score& score, int count, std::string_view key);

// The middle of a sound, so long; all of a shorter one.
matching::Span MiddleOf(double duration_s, double length_s);

}  // namespace antiphon::trainer::evaluation

#endif  // ANTIPHON_TRAINER_EVALUATION_RENDERED_PASSAGES_H_
