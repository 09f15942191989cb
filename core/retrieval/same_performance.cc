#include "core/retrieval/same_performance.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "core/audio/from_pcm.h"
#include "core/base/status_macros.h"
#include "core/features/audio_front_end.h"

namespace antiphon::retrieval {
namespace {

constexpr double kMost_s = 12;    // of the match, from its middle
constexpr double kStretch_s = 2;  // laid over at once
constexpr double kStep_s = 1;     // between stretches
constexpr int kLeastStretches = 6;
constexpr int kRiseFrames = 2;  // within which a level rises
constexpr int kRange = 100;     // half decibels: what is further below the loudest is silence
// By how much distances that agree may differ, and how much of a second the match's speed may be
// off.
constexpr double kAgree_s = 0.008;
constexpr double kMostDrift = 0.03;
// Of the stretches must agree: nearly all do in one performance, also with noise as loud as the
// music, and rarely more than half in two (suite same-recording, docs/quality.md).
constexpr double kSameShare = 0.8;

// A coarse filterbank: where notes begin matters, and hardly which.
features::FeatureSettings SettingsFor(int sample_rate) {
  features::FeatureSettings settings;
  settings.sample_rate = sample_rate;
  settings.front_end = features::FrontEndKind::kLogFilterbank;
  settings.hop_length = sample_rate / 86;
  settings.fft_length = static_cast<int>(std::bit_ceil(static_cast<unsigned>(sample_rate / 22)));
  settings.min_frequency = 200;
  settings.bands_per_octave = 6;
  const double octaves = std::log2(0.3 * sample_rate / settings.min_frequency);
  settings.bands = std::min(30, static_cast<int>(settings.bands_per_octave * octaves));
  return settings;
}

// How much each band rises up to each frame, [frames, bands].
struct Rises {
  int bands = 0;
  int frames = 0;
  double frame_rate = 1;
  std::vector<float> cells;
};

absl::StatusOr<Rises> RisesOf(const audio::Waveform& sound) {
  ASSIGN_OR_RETURN(const auto front_end,
                   features::AudioFrontEnd::Create(SettingsFor(sound.sample_rate)));
  features::FeatureSequence levels = features::ComputeSpectrogram(*front_end, sound.samples);
  Rises rises{.bands = front_end->settings().bands,
              .frames = static_cast<int>(levels.frames()),
              .frame_rate = front_end->settings().frame_rate()};
  rises.cells.assign(levels.cells.size(), 0);
  if (levels.cells.empty()) return rises;
  const int floor =
      std::max(0, *std::max_element(levels.cells.begin(), levels.cells.end()) - kRange);
  for (uint8_t& cell : levels.cells) cell = static_cast<uint8_t>(std::max<int>(cell, floor));
  const size_t apart = static_cast<size_t>(kRiseFrames) * rises.bands;
  for (size_t i = apart; i < levels.cells.size(); ++i)
    rises.cells[i] = static_cast<float>(std::max(0, levels.cells[i] - levels.cells[i - apart]));
  return rises;
}

// The part of a sound, played `slope` times as long.
absl::StatusOr<audio::Waveform> Cut(const audio::Waveform& sound, double start_s, double end_s,
                                    double slope) {
  const auto at = [&](double s) {
    return std::clamp<int64_t>(std::llround(s * sound.sample_rate), 0, std::ssize(sound.samples));
  };
  audio::Waveform part;
  part.sample_rate = static_cast<int>(std::lround(sound.sample_rate / slope));
  part.samples.assign(sound.samples.begin() + at(start_s), sound.samples.begin() + at(end_s));
  if (part.sample_rate == sound.sample_rate) return part;
  return audio::Resample(part, sound.sample_rate);
}

// Correlation of two blocks of as many cells; 0 where one has no rises.
double Correlation(std::span<const float> a, std::span<const float> b) {
  double sum_a = 0, sum_b = 0, square_a = 0, square_b = 0, product = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    sum_a += a[i], sum_b += b[i];
    square_a += static_cast<double>(a[i]) * a[i];
    square_b += static_cast<double>(b[i]) * b[i];
    product += static_cast<double>(a[i]) * b[i];
  }
  const auto count = static_cast<double>(a.size());
  const double spread = (square_a - sum_a * sum_a / count) * (square_b - sum_b * sum_b / count);
  return spread > 0 ? (product - sum_a * sum_b / count) / std::sqrt(spread) : 0;
}

// Where one stretch of the query lies in the other sound.
struct Laid {
  double at_s = 0;      // of the query
  double behind_s = 0;  // where it lies, less where it should
};

// Where the values are largest, between two of them if need be; 0 where that is at an end.
double PeakOf(const std::vector<double>& values) {
  const auto peak = std::max_element(values.begin(), values.end());
  if (peak == values.begin() || peak + 1 == values.end()) return 0;
  const double before = *(peak - 1), after = *(peak + 1);
  const double bend = before - 2 * *peak + after;
  const double off = bend < 0 ? 0.5 * (before - after) / bend : 0;
  return static_cast<double>(peak - values.begin()) + off;
}

// Each stretch where it fits best, within the margin.
std::vector<Laid> LayStretches(const Rises& query, const Rises& other, double expected_s) {
  const auto frames = [&](double s) { return static_cast<int>(std::lround(s * query.frame_rate)); };
  const int length = frames(kStretch_s), step = frames(kStep_s),
            reach = frames(kPerformanceMargin_s), expected = frames(expected_s);
  std::vector<Laid> laid;
  const auto block = [&](const Rises& rises, int frame) {
    return std::span(rises.cells)
        .subspan(static_cast<size_t>(frame) * rises.bands,
                 static_cast<size_t>(length) * rises.bands);
  };
  for (int at = 0; at + length <= query.frames; at += step) {
    std::vector<double> likeness(2 * reach + 1, 0);
    for (int lag = 0; lag <= 2 * reach; ++lag) {
      const int there = at + expected + lag - reach;
      if (there < 0 || there + length > other.frames) continue;
      likeness[lag] = Correlation(block(query, at), block(other, there));
    }
    const double lag = PeakOf(likeness);
    if (lag > 0) laid.push_back({at / query.frame_rate, (lag - reach) / query.frame_rate});
  }
  return laid;
}

// The largest share of stretches on one line of distances.
double ShareThatAgrees(const std::vector<Laid>& laid) {
  ptrdiff_t most = 0;
  for (size_t i = 0; i < laid.size(); ++i) {
    for (size_t j = i + 1; j < laid.size(); ++j) {
      const double drift = (laid[j].behind_s - laid[i].behind_s) / (laid[j].at_s - laid[i].at_s);
      if (std::abs(drift) > kMostDrift) continue;
      most = std::max(most, std::count_if(laid.begin(), laid.end(), [&](const Laid& one) {
                        const double line_s = laid[i].behind_s + drift * (one.at_s - laid[i].at_s);
                        return std::abs(one.behind_s - line_s) <= kAgree_s;
                      }));
    }
  }
  return laid.empty() ? 0 : static_cast<double>(most) / static_cast<double>(laid.size());
}

// As if the query played at a speed of `slope` times its own.
absl::StatusOr<matching::Performance> CompareAt(const audio::Waveform& query,
                                                const audio::Waveform& other,
                                                const matching::Match& match, double slope) {
  const double length_s = std::min(match.query.length_s(), kMost_s);
  const double start_s = (match.query.start_s + match.query.end_s - length_s) / 2;
  const double there_s = match.reference.start_s + (start_s - match.query.start_s) * match.slope;
  const double before_s = std::min(kPerformanceMargin_s, there_s);
  ASSIGN_OR_RETURN(const audio::Waveform here, Cut(query, start_s, start_s + length_s, slope));
  ASSIGN_OR_RETURN(
      const audio::Waveform there,
      Cut(other, there_s - before_s, there_s + length_s * slope + kPerformanceMargin_s, 1));
  ASSIGN_OR_RETURN(const Rises rises, RisesOf(here));
  ASSIGN_OR_RETURN(const Rises others, RisesOf(there));
  const std::vector<Laid> laid = LayStretches(rises, others, before_s);
  if (std::ssize(laid) < kLeastStretches) return matching::Performance::kUnknown;
  return ShareThatAgrees(laid) >= kSameShare ? matching::Performance::kSame
                                             : matching::Performance::kOther;
}

}  // namespace

absl::StatusOr<matching::Performance> ComparePerformances(const audio::Waveform& query,
                                                          const audio::Waveform& other,
                                                          const matching::Match& match) {
  // A match says how fast the query plays to a few per cent: mostly it does at its own speed.
  ASSIGN_OR_RETURN(const matching::Performance plain, CompareAt(query, other, match, 1));
  if (plain == matching::Performance::kSame) return plain;
  return CompareAt(query, other, match, match.slope);
}

}  // namespace antiphon::retrieval
