#include "trainer/data/performance.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

namespace antiphon::trainer::data {
namespace {

// General MIDI's pianos and how often each is drawn: acoustic grand, bright acoustic, electric
// grand, honky-tonk.
constexpr std::array<double, 4> kProgramWeights = {0.6, 0.25, 0.1, 0.05};

constexpr double kTempoStep_s = 0.25;     // of the curve, seconds of the performance
constexpr double kTempoMemory_s = 3;      // over which tempo and dynamics wander
constexpr double kMaxTempoChange = 0.7;   // of the logarithm
constexpr double kTogether_s = 0.03;      // written notes this near are a chord
constexpr double kLongestPause_s = 0.12;  // that a played chord or grace note may be off by

using Random = std::mt19937_64;

double Uniform(Random& random, double low, double high) {
  return std::uniform_real_distribution<double>(low, high)(random);
}

double Normal(Random& random, double deviation) {
  return std::normal_distribution<double>(0, 1)(random) * deviation;
}

// A value that wanders around 0 with a standard deviation, forgetting over kTempoMemory_s (Ornstein
// & Uhlenbeck 1930).
class Wander {
 public:
  Wander(double deviation, double step_s)
      : keep_(std::exp(-step_s / kTempoMemory_s)),
        draw_(deviation * std::sqrt(1 - keep_ * keep_)) {}
  double Next(Random& random) { return value_ = value_ * keep_ + Normal(random, draw_); }

 private:
  const double keep_, draw_;
  double value_ = 0;
};

// Tempo wanders, and at times slows down towards the end of a phrase.
music::TimeMap DrawTempoCurve(double end_s, const VariationOptions& options, double tempo_ratio,
                              Random& random) {
  const double step_s = kTempoStep_s * tempo_ratio;  // of the score
  Wander rubato(Uniform(random, 0, options.max_rubato), kTempoStep_s);
  std::exponential_distribution<double> until_ritardando(1 / options.ritardando_interval_s);
  double slow_from_s = until_ritardando(random), slow_for_s = 0, depth = 0, performed_s = 0;
  std::vector<music::TimePoint> points = {{0, 0}};
  const auto steps = static_cast<int64_t>(end_s / step_s) + 2;
  for (int64_t step = 1; step <= steps; ++step) {
    double change = rubato.Next(random);
    if (slow_for_s == 0 && performed_s >= slow_from_s) {
      slow_for_s = Uniform(random, 1, 3);
      depth = Uniform(random, 0.1, 0.6);
    }
    if (slow_for_s > 0) {
      const double part = (performed_s - slow_from_s) / slow_for_s;
      change -= depth * part;
      if (part >= 1) {
        slow_from_s = performed_s + until_ritardando(random);
        slow_for_s = 0;
      }
    }
    performed_s += kTempoStep_s * std::exp(-std::clamp(change, -kMaxTempoChange, kMaxTempoChange));
    points.push_back({static_cast<double>(step) * step_s, performed_s});
  }
  return music::TimeMap::Create(std::move(points)).value_or(music::TimeMap(1 / tempo_ratio));
}

// A player's manner, drawn once for a performance.
struct Manner {
  double onset_deviation_s, hand_delay_s, arpeggio_share, slip_share, articulation, balance;
  bool pedal;
};

Manner DrawManner(const VariationOptions& options, Random& random) {
  Manner manner{};
  manner.onset_deviation_s = Uniform(random, 0, options.max_onset_deviation_s);
  manner.hand_delay_s = Normal(random, options.hand_deviation_s);
  manner.arpeggio_share = Uniform(random, 0, options.max_arpeggio_share);
  manner.slip_share = Uniform(random, 0, options.max_slip_share);
  manner.articulation = Uniform(random, 0.5, 1.1);
  manner.balance = Normal(random, 5);  // velocity per octave above middle C
  manner.pedal = Uniform(random, 0, 1) < options.pedal_share;
  return manner;
}

void Move(music::Note& note, double by_s) {
  const double to_s = std::max(0.0, note.onset_s + by_s);
  note.offset_s += to_s - note.onset_s;
  note.sounding_offset_s += to_s - note.onset_s;
  note.onset_s = to_s;
}

// Breaks some chords from below, lets one hand follow the other, and moves every note a little.
void Loosen(std::vector<music::Note>& notes, const Manner& manner, Random& random) {
  for (size_t begin = 0, end = 0; begin < notes.size(); begin = end) {
    end = begin + 1;
    while (end < notes.size() && notes[end].onset_s - notes[begin].onset_s < kTogether_s) ++end;
    const auto count = static_cast<double>(end - begin);
    const bool broken = end - begin >= 3 && Uniform(random, 0, 1) < manner.arpeggio_share;
    const double apart_s = broken ? Uniform(random, 0.015, 0.06) : 0;
    std::sort(notes.begin() + begin, notes.begin() + end,
              [](const auto& a, const auto& b) { return a.pitch < b.pitch; });
    for (size_t i = begin; i < end; ++i) {
      const auto place = static_cast<double>(i - begin);
      double by_s = apart_s * (place - (count - 1) / 2) + Normal(random, manner.onset_deviation_s);
      if (place < count / 2 && end - begin > 1) by_s += manner.hand_delay_s;
      Move(notes[i], std::clamp(by_s, -kLongestPause_s, 2 * kLongestPause_s));
    }
  }
}

// Leaves notes out, strikes neighbours, adds grace notes.
void Slip(std::vector<music::Note>& notes, double share, Random& random) {
  std::vector<music::Note> played;
  for (const music::Note& note : notes) {
    const double lot = Uniform(random, 0, 1);
    if (lot < share) continue;
    played.push_back(note);
    const int near = std::array{-2, -1, 1, 2}[random() % 4];
    const int other =
        std::clamp(note.pitch + near, music::kLowestPianoPitch, music::kHighestPianoPitch);
    if (lot < share * 7 / 6) {
      played.back().pitch = other;
    } else if (lot < share * 4 / 3) {
      music::Note grace = note;
      grace.pitch = other;
      Move(grace, -Uniform(random, 0.04, kLongestPause_s));
      grace.offset_s = grace.sounding_offset_s = std::max(note.onset_s, grace.onset_s + 0.02);
      played.push_back(grace);
    }
  }
  if (!played.empty()) notes = std::move(played);
}

// Keys are held shorter or longer than written; the pedal, changed every now and then, holds what
// was struck.
void HoldAndPedal(std::vector<music::Note>& notes, const Manner& manner, Random& random) {
  double change_s = 0;  // the next change of pedal
  std::vector<double> changes;
  for (const music::Note& note : notes) {
    if (note.onset_s < change_s) continue;
    changes.push_back(note.onset_s);
    change_s = note.onset_s + Uniform(random, 0.4, 2.5);
  }
  for (music::Note& note : notes) {
    const double pedalled_s = note.sounding_offset_s - note.offset_s;
    note.offset_s = note.onset_s + (note.offset_s - note.onset_s) * manner.articulation;
    note.sounding_offset_s = note.offset_s + pedalled_s;
    if (!manner.pedal) continue;
    const auto release = std::upper_bound(changes.begin(), changes.end(), note.offset_s);
    if (release != changes.end())
      note.sounding_offset_s = std::max(note.sounding_offset_s, *release);
  }
}

void Phrase(std::vector<music::Note>& notes, double balance, Random& random) {
  Wander dynamics(12, kTempoStep_s);
  double next_s = 0, level = 0;
  for (music::Note& note : notes) {
    for (; next_s <= note.onset_s; next_s += kTempoStep_s) level = dynamics.Next(random);
    const double velocity = note.velocity + level + balance * (note.pitch - 60) / 12;
    note.velocity = static_cast<int>(std::clamp(std::lround(velocity), 1L, 127L));
  }
}

void SortByOnset(std::vector<music::Note>& notes) {
  std::stable_sort(notes.begin(), notes.end(), [](const music::Note& a, const music::Note& b) {
    return a.onset_s != b.onset_s ? a.onset_s < b.onset_s : a.pitch < b.pitch;
  });
}

}  // namespace

Variation PlainVariation(const std::string& soundfont) {
  Variation variation;
  variation.soundfont = soundfont;
  return variation;
}

Variation DrawVariation(const VariationOptions& options, const std::vector<std::string>& soundfonts,
                        uint64_t seed) {
  Random random(seed);
  Variation variation;
  variation.soundfont = soundfonts[random() % soundfonts.size()];
  variation.tempo_ratio = std::exp(
      Uniform(random, std::log(options.min_tempo_ratio), std::log(options.max_tempo_ratio)));
  variation.velocity_scale =
      Uniform(random, options.min_velocity_scale, options.max_velocity_scale);
  variation.reverb = Uniform(random, 0, 1) < options.reverb_share;
  variation.render.program =
      std::discrete_distribution<int>(kProgramWeights.begin(), kProgramWeights.end())(random);
  variation.render.tuning_cents = Normal(random, options.tuning_deviation_cents);
  variation.expressive = Uniform(random, 0, 1) < options.expressive_share;
  variation.note_seed = random() | 1;  // 0 stands for no deviation
  if (Uniform(random, 0, 1) < options.recorded_share) variation.recording_seed = random() | 1;
  variation.own_instruments = options.own_instruments;
  return variation;
}

Performance Perform(const music::Score& score, const VariationOptions& options,
                    const Variation& variation) {
  Random random(variation.note_seed);
  Performance performance;
  performance.notes = score.notes;
  performance.parts = score.parts;
  std::vector<music::Note>& notes = performance.notes;
  double end_s = 0;
  for (const music::Note& note : notes) end_s = std::max(end_s, note.sounding_offset_s);
  performance.time = variation.expressive
                         ? DrawTempoCurve(end_s, options, variation.tempo_ratio, random)
                         : music::TimeMap(1 / variation.tempo_ratio);
  for (music::Note& note : notes) {
    note.onset_s = performance.time.To(note.onset_s);
    note.offset_s = performance.time.To(note.offset_s);
    note.sounding_offset_s = performance.time.To(note.sounding_offset_s);
    const double own = variation.note_seed != 0 ? Normal(random, options.velocity_deviation) : 0;
    const double velocity = note.velocity * variation.velocity_scale + own;
    note.velocity = static_cast<int>(std::clamp(std::lround(velocity), 1L, 127L));
  }
  if (variation.expressive) {
    const Manner manner = DrawManner(options, random);
    Loosen(notes, manner, random);
    Slip(notes, manner.slip_share, random);
    SortByOnset(notes);
    HoldAndPedal(notes, manner, random);
    Phrase(notes, manner.balance, random);
  }
  SortByOnset(notes);
  return performance;
}

}  // namespace antiphon::trainer::data
