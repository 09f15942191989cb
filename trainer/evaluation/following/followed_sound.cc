#include "trainer/evaluation/following/followed_sound.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace antiphon::trainer::evaluation {

std::vector<HeardNote> MatchNotes(std::span<const music::Note> played,
                                  std::span<const music::Note> written, const music::TimeMap& guess,
                                  double tolerance_s) {
  struct Pair {
    double distance_s;
    size_t played, written;
  };
  std::array<std::vector<size_t>, 128> of_pitch;
  for (size_t i = 0; i < written.size(); ++i) of_pitch[written[i].pitch].push_back(i);
  std::vector<double> expected_s(written.size());
  for (size_t i = 0; i < written.size(); ++i) expected_s[i] = guess.From(written[i].onset_s);
  std::vector<Pair> pairs;
  for (size_t i = 0; i < played.size(); ++i) {
    const std::vector<size_t>& candidates = of_pitch[played[i].pitch];
    auto at = std::lower_bound(
        candidates.begin(), candidates.end(), played[i].onset_s - tolerance_s,
        [&](size_t candidate, double at_s) { return expected_s[candidate] < at_s; });
    for (; at != candidates.end() && expected_s[*at] <= played[i].onset_s + tolerance_s; ++at)
      pairs.push_back({std::abs(expected_s[*at] - played[i].onset_s), i, *at});
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Pair& a, const Pair& b) { return a.distance_s < b.distance_s; });
  std::vector<bool> played_taken(played.size()), written_taken(written.size());
  std::vector<HeardNote> notes;
  for (const Pair& pair : pairs) {
    if (played_taken[pair.played] || written_taken[pair.written]) continue;
    played_taken[pair.played] = written_taken[pair.written] = true;
    notes.push_back({played[pair.played].onset_s, written[pair.written].onset_s});
  }
  std::sort(notes.begin(), notes.end(),
            [](const HeardNote& a, const HeardNote& b) { return a.sound_s < b.sound_s; });
  return notes;
}

absl::StatusOr<music::TimeMap> MapThroughNotes(std::span<const HeardNote> notes) {
  constexpr double kTogether_s = 0.010;
  std::vector<HeardNote> by_score(notes.begin(), notes.end());
  std::sort(by_score.begin(), by_score.end(), [](const HeardNote& a, const HeardNote& b) {
    return a.score_s != b.score_s ? a.score_s < b.score_s : a.sound_s < b.sound_s;
  });
  std::vector<music::TimePoint> points;
  for (size_t i = 0; i < by_score.size();) {
    std::vector<double> heard_s;
    const double score_s = by_score[i].score_s;
    for (; i < by_score.size() && by_score[i].score_s < score_s + kTogether_s; ++i)
      heard_s.push_back(by_score[i].sound_s);
    std::sort(heard_s.begin(), heard_s.end());
    const double middle_s = heard_s[(heard_s.size() - 1) / 2];
    if (points.empty() || middle_s > points.back().from_s + 1e-3)
      points.push_back({middle_s, score_s});
  }
  return music::TimeMap::Create(std::move(points));
}

std::vector<NoteError> MeasureNotes(const FollowedSound& sound,
                                    std::span<const following::FollowAnswer> answers) {
  std::vector<NoteError> errors;
  size_t answer = 0;
  for (size_t p = 0; p < sound.passages.size(); ++p) {
    const Passage& passage = sound.passages[p];
    const double end_s = passage.performance_s + passage.length_s;
    auto onset = std::lower_bound(sound.onsets.begin(), sound.onsets.end(), passage.performance_s);
    for (; onset != sound.onsets.end() && *onset < end_s; ++onset) {
      const double heard_s = *onset - passage.performance_s + passage.sound_s;
      while (answer < answers.size() && answers[answer].at_s < heard_s) ++answer;
      if (answer == answers.size()) return errors;
      // The next passage may have begun meanwhile.
      const Passage* now = &passage;
      for (size_t q = p + 1;
           q < sound.passages.size() && sound.passages[q].sound_s <= answers[answer].at_s; ++q)
        now = &sound.passages[q];
      const double truth_s = answers[answer].at_s - now->sound_s + now->performance_s;
      errors.push_back({heard_s, sound.map.From(answers[answer].score_s) - truth_s,
                        answers[answer].probability});
    }
  }
  return errors;
}

}  // namespace antiphon::trainer::evaluation
