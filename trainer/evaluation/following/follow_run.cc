#include "trainer/evaluation/following/follow_run.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <limits>
#include <span>

#include "core/base/status_macros.h"

namespace antiphon::trainer::evaluation {
namespace {

constexpr double kRight_s = 0.5;
constexpr double kSteady_s = 1;
constexpr double kFade_s = 0.005;

// Of this thread, so that what else runs does not count.
double ComputingTime() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

absl::StatusOr<FollowRun> Follow(const music::Score& score, const audio::Waveform& audio) {
  ASSIGN_OR_RETURN(const auto follower, following::ScoreFollower::Create(score, audio.sample_rate));
  FollowRun run;
  std::span<const float> rest = audio.samples;
  const auto buffer = static_cast<size_t>(kBuffer_s * audio.sample_rate);
  size_t received = 0;
  while (!rest.empty()) {
    const size_t count = std::min(buffer, rest.size());
    const double before_s = ComputingTime();
    const std::vector<following::FollowAnswer> answers = follower->Push(rest.first(count));
    const double taken_s = ComputingTime() - before_s;
    run.computing_s += taken_s;
    rest = rest.subspan(count);
    received += count;
    for (const following::FollowAnswer& answer : answers) {
      run.answers.push_back(answer);
      run.there_s.push_back(static_cast<double>(received) / audio.sample_rate + taken_s);
    }
  }
  return run;
}

audio::Waveform PassagesOf(const audio::Waveform& performance,
                           const std::vector<Passage>& passages) {
  audio::Waveform audio;
  audio.sample_rate = performance.sample_rate;
  const auto at = [&](double seconds) {
    return static_cast<size_t>(std::clamp<double>(std::round(seconds * performance.sample_rate), 0,
                                                  static_cast<double>(performance.samples.size())));
  };
  const auto fade = static_cast<size_t>(kFade_s * performance.sample_rate);
  for (const Passage& passage : passages) {
    const size_t from = at(passage.performance_s);
    const size_t to = at(passage.performance_s + passage.length_s);
    for (size_t i = from; i < to; ++i) {
      const size_t edge = std::min(i - from, to - 1 - i);
      const float gain = edge < fade ? static_cast<float>(edge) / static_cast<float>(fade) : 1.0f;
      audio.samples.push_back(gain * performance.samples[i]);
    }
  }
  return audio;
}

std::vector<double> RecoveryTimes(const FollowedSound& sound, const FollowRun& run) {
  std::vector<double> times;
  for (size_t p = 1; p < sound.passages.size(); ++p) {
    const Passage& passage = sound.passages[p];
    double since_s = std::numeric_limits<double>::infinity();  // the answers are right
    double recovered_s = std::numeric_limits<double>::infinity();
    for (const following::FollowAnswer& answer : run.answers) {
      const double into_s = answer.at_s - passage.sound_s;
      if (into_s < 0 || into_s >= passage.length_s) continue;
      const double error_s = sound.map.From(answer.score_s) - (passage.performance_s + into_s);
      if (std::abs(error_s) > kRight_s) {
        since_s = std::numeric_limits<double>::infinity();
        continue;
      }
      since_s = std::min(since_s, into_s);
      if (into_s - since_s < kSteady_s) continue;
      recovered_s = since_s;
      break;
    }
    times.push_back(recovered_s);
  }
  return times;
}

std::vector<double> Latencies(const FollowedSound& sound, const FollowRun& run,
                              const music::Score& score) {
  constexpr double kLongest_s = 1;
  const std::vector<double> onsets = music::DistinctOnsets(score.notes);
  std::vector<double> latencies;
  size_t first = 0;
  for (const double onset_s : sound.onsets) {
    // The note's place among the onsets of the score, to a hundredth of a second.
    const auto at = std::upper_bound(onsets.begin(), onsets.end(), sound.map.To(onset_s) + 0.01);
    const int event = static_cast<int>(at - onsets.begin()) - 1;
    while (first < run.answers.size() && run.answers[first].at_s < onset_s) ++first;
    for (size_t i = first; i < run.answers.size(); ++i) {
      if (run.there_s[i] > onset_s + kLongest_s) break;
      if (run.answers[i].onset < event) continue;
      latencies.push_back(run.there_s[i] - onset_s);
      break;
    }
  }
  return latencies;
}

}  // namespace antiphon::trainer::evaluation
