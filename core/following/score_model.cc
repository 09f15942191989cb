#include "core/following/score_model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace antiphon::following {
namespace {

constexpr int kPartials = 10;
constexpr double kPartialDecay = 0.75;  // from partial to partial
constexpr double kWeakBass_hz = 80;     // soundboards hardly radiate what is lower

constexpr double kDecay_s = 1.2;        // of middle C; others by half for each two octaves up
constexpr double kAfterOffset = 0.4;    // what the pedal or the room leave of a note that has ended
constexpr double kAfterOffset_s = 0.3;  // in which that dies away
constexpr float kInaudible = 0.03f;

constexpr size_t kMaxBars = 1'000'000;

constexpr double kTogether_s = 0.04;  // ends of notes closer to a slice's begin make no new one
constexpr std::array<double, 2> kSplits_s = {0.3, 0.9};  // of slices after an onset

// Partials that are expected weaker than this, compressed, tell nothing of an onset.
constexpr float kLeastPartial = 0.45f;
constexpr float kPartialWeight = 1.9f;  // of a partial, for each unit that it is stronger
constexpr float kRiseWeight = 3.4f;     // of its rise, against 1 for having been expected
// Rises, all together: the mean over pitches at which an onset is as likely as none, and how
// fast that changes with its logarithm.
constexpr float kEvenNovelty = 0.034f;
constexpr float kNoveltySlope = 3.7f;
constexpr float kMostNovelty = 4.5f;

// A note as a sum of partials, through the analyzer.
SemitoneAnalyzer::Magnitudes HearNote(int pitch, SemitoneAnalyzer& analyzer) {
  std::vector<float> samples(analyzer.length());
  const double frequency = 440 * std::exp2((pitch - 69) / 12.0);
  double amplitude = 1;
  for (int partial = 1; partial <= kPartials; ++partial, amplitude *= kPartialDecay) {
    const double hz = partial * frequency;
    if (hz > 0.45 * analyzer.sample_rate()) break;
    const double heard = amplitude * hz / (hz + kWeakBass_hz);
    for (size_t i = 0; i < samples.size(); ++i) {
      samples[i] +=
          static_cast<float>(heard * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) /
                                              analyzer.sample_rate()));
    }
  }
  return analyzer.Analyze(samples);
}

Pitches ToLoudest(const Pitches& magnitudes) {
  const float loudest = *std::max_element(magnitudes.begin(), magnitudes.end());
  Pitches scaled{};
  for (int i = 0; i < kPitches; ++i) scaled[i] = loudest > 0 ? magnitudes[i] / loudest : 0;
  return scaled;
}

double DecayTime(int index) {
  return kDecay_s * std::exp2((60 - (index + music::kLowestPianoPitch)) / 24.0);
}

// The seconds at which bars begin.
std::vector<double> BarTimes(const music::Score& score, double end_s) {
  std::vector<double> times;
  if (!score.bars.empty()) {
    for (const music::PlayedBar& bar : score.bars)
      times.push_back(score.tempo_map.SecondsAt(bar.beat));
    return times;
  }
  // A bar has at least a 64th note; one that is shorter than can be told apart ends the list.
  double last_s = -1;
  for (int bar = score.tempo_map.upbeat() > 0 ? 0 : 1;; ++bar) {
    const double at_s = score.tempo_map.SecondsAt(score.tempo_map.BeatsAtBar({bar, 1.0}));
    if (bar > 0 && (at_s > end_s || at_s <= last_s || times.size() > kMaxBars)) break;
    times.push_back(at_s);
    last_s = at_s;
  }
  return times;
}

// What sounds at one moment, pitch by pitch.
struct Sounding {
  double onset_s = -std::numeric_limits<double>::infinity();
  double offset_s = -std::numeric_limits<double>::infinity();

  float AmplitudeAt(double at_s, int index) const {
    if (at_s < onset_s) return 0;
    double amplitude = std::exp(-(at_s - onset_s) / DecayTime(index));
    if (at_s > offset_s) amplitude *= kAfterOffset * std::exp(-(at_s - offset_s) / kAfterOffset_s);
    return static_cast<float>(amplitude);
  }
};

}  // namespace

ScoreModel::ScoreModel(const music::Score& score, SemitoneAnalyzer& analyzer) {
  for (int i = 0; i < kPitches; ++i) {
    const SemitoneAnalyzer::Magnitudes heard = HearNote(i + music::kLowestPianoPitch, analyzer);
    note_steady_.push_back(ToLoudest(heard.steady));
    note_brief_.push_back(ToLoudest(heard.brief));
  }
  FindEvents(score);
  FindSlices(score);
  MarkBars(score);
}

void ScoreModel::FindEvents(const music::Score& score) {
  const std::vector<double> onsets = music::DistinctOnsets(score.notes);
  size_t note = 0;
  for (size_t i = 0; i < onsets.size(); ++i) {
    const double next_s =
        i + 1 < onsets.size() ? onsets[i + 1] : std::numeric_limits<double>::infinity();
    Pitches expected{};
    for (; note < score.notes.size() && score.notes[note].onset_s < next_s; ++note) {
      end_s_ = std::max(end_s_, score.notes[note].offset_s);
      const int index = score.notes[note].pitch - music::kLowestPianoPitch;
      if (index < 0 || index >= kPitches) continue;
      for (int k = 0; k < kPitches; ++k)
        expected[k] = std::max(expected[k], Compressed(note_brief_[index][k]));
    }
    ScoreEvent event;
    event.onset_s = onsets[i];
    event.attack_begin = static_cast<int>(attacks_.size());
    for (int k = 0; k < kPitches; ++k) {
      if (expected[k] <= kLeastPartial) continue;
      const float weight = kPartialWeight * (expected[k] - kLeastPartial);
      attacks_.push_back({k, kRiseWeight * weight});
      event.attack_constant -= weight;
    }
    event.attack_end = static_cast<int>(attacks_.size());
    events_.push_back(event);
  }
}

void ScoreModel::FindSlices(const music::Score& score) {
  std::vector<double> ends;
  for (const music::Note& note : score.notes) ends.push_back(note.sounding_offset_s);
  std::sort(ends.begin(), ends.end());
  size_t end = 0, note = 0;
  std::array<Sounding, kPitches> sounding;
  const auto add = [&](double start_s, double end_s, int event) {
    const double at_s = std::min(start_s + 0.1, (start_s + end_s) / 2);
    Pitches squares{};
    for (int i = 0; i < kPitches; ++i) {
      const float amplitude = sounding[i].AmplitudeAt(at_s, i);
      if (amplitude < kInaudible) continue;
      for (int k = 0; k < kPitches; ++k) {
        const float magnitude = amplitude * note_steady_[i][k];
        squares[k] += magnitude * magnitude;
      }
    }
    const float loudest = *std::max_element(squares.begin(), squares.end());
    Pitches expected{};
    float length = 0;
    for (int k = 0; k < kPitches && loudest > 0; ++k) {
      expected[k] = Compressed(std::sqrt(squares[k] / loudest));
      length += expected[k] * expected[k];
    }
    for (float& cell : expected) cell *= length > 0 ? 1 / std::sqrt(length) : 0;
    slices_.push_back({start_s, event});
    expected_.push_back(expected);
  };
  for (size_t i = 0; i < events_.size(); ++i) {
    ScoreEvent& event = events_[i];
    const double next_s = i + 1 < events_.size() ? events_[i + 1].onset_s : end_s_ + 5;
    for (; note < score.notes.size() && score.notes[note].onset_s < next_s; ++note) {
      const int index = score.notes[note].pitch - music::kLowestPianoPitch;
      if (index < 0 || index >= kPitches) continue;
      sounding[index] = {score.notes[note].onset_s, score.notes[note].sounding_offset_s};
    }
    event.first_slice = static_cast<int>(slices_.size());
    std::vector<double> starts = {event.onset_s};
    const auto cut = [&](double at_s) {
      if (at_s > starts.back() + kTogether_s && at_s < next_s - kTogether_s) starts.push_back(at_s);
    };
    size_t split = 0;
    for (; end < ends.size() && ends[end] < next_s; ++end) {
      for (; split < kSplits_s.size() && event.onset_s + kSplits_s[split] < ends[end]; ++split)
        cut(event.onset_s + kSplits_s[split]);
      cut(ends[end]);
    }
    for (; split < kSplits_s.size(); ++split) cut(event.onset_s + kSplits_s[split]);
    for (size_t k = 0; k < starts.size(); ++k)
      add(starts[k], k + 1 < starts.size() ? starts[k + 1] : next_s, static_cast<int>(i));
  }
}

void ScoreModel::MarkBars(const music::Score& score) {
  size_t event = 0;
  for (const double bar_s : BarTimes(score, end_s_)) {
    while (event < events_.size() && events_[event].onset_s < bar_s - kTogether_s / 2) ++event;
    if (event < events_.size()) events_[event].begins_bar = true;
  }
  events_.front().begins_bar = true;
}

float ScoreModel::Fit(int slice, const SoundFrame& frame) const {
  constexpr int kLanes = 8;
  static_assert(kPitches % kLanes == 0);
  const Pitches& expected = expected_[slice];
  std::array<float, kLanes> sums{};
  for (int i = 0; i < kPitches; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane)
      sums[lane] += expected[i + lane] * frame.energies[i + lane];
  }
  float sum = 0;
  for (const float part : sums) sum += part;
  return sum;
}

float ScoreModel::Attack(int event, const SoundFrame& frame) const {
  float sum = events_[event].attack_constant;
  for (int cell = events_[event].attack_begin; cell < events_[event].attack_end; ++cell)
    sum += attacks_[cell].weight * frame.onsets[attacks_[cell].pitch];
  return sum;
}

float Novelty(const SoundFrame& frame) {
  // An onset may be too soft to be heard: where nothing rises, that speaks against none.
  return std::clamp(kNoveltySlope * std::log(std::max(frame.novelty, 1e-6f) / kEvenNovelty), 0.0f,
                    kMostNovelty);
}

}  // namespace antiphon::following
