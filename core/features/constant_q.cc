#include "core/features/constant_q.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <complex>
#include <numbers>
#include <numeric>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace antiphon::features {
namespace {

using std::numbers::pi;

constexpr int kGroupBands = ConstantQPlan::kGroupBands;
constexpr int kLongestFrame = FeatureSettings::kFftLengthRange.high;

// A power of two that holds the longest window and leaves an eighth of it for the filters.
int DefaultFrameLength(int longest) {
  return std::min(static_cast<int>(std::bit_ceil(static_cast<unsigned>(longest + longest / 8))),
                  kLongestFrame);
}

}  // namespace

struct ConstantQ::Buffers : AudioFrontEnd::Scratch {
  std::vector<std::vector<float>> levels;  // as decimators_
  std::vector<const float*> centres;       // of the first frame, in each level of the plan
  std::vector<VectorKernels::Row> sums;    // of one group, for each frame
  Decimator::Scratch decimator;
};

absl::StatusOr<std::unique_ptr<const AudioFrontEnd>> ConstantQ::Create(
    const FeatureSettings& settings) {
  const int longest = ConstantQWindowLength(settings, 0) + 1;
  const int length = settings.fft_length == 0 ? DefaultFrameLength(longest) : settings.fft_length;
  if (length < longest) {
    return absl::InvalidArgumentError(
        absl::StrCat("feature settings: fft_length ", length,
                     " does not fit the longest constant-Q kernel of ", longest, " samples"));
  }
  return std::unique_ptr<const AudioFrontEnd>(new ConstantQ(settings, length));
}

ConstantQ::ConstantQ(const FeatureSettings& settings, int frame_length)
    : AudioFrontEnd(settings),
      frame_length_(frame_length),
      kernels_(VectorKernels::Fastest()),
      plan_(PlanConstantQ(settings, frame_length)) {
  for (size_t i = 1; i < plan_.levels.size(); ++i) {
    const ConstantQPlan::Level& level = plan_.levels[i];
    decimators_.push_back(std::make_unique<const Decimator>(
        level.factor / plan_.levels[level.parent].factor, level.relative_passband()));
  }
  for (size_t group = 0; group < plan_.group_levels.size(); ++group)
    groups_.push_back(MakeGroup(static_cast<int>(group)));
}

double ConstantQ::Response(size_t level, double frequency) const {
  double response = 1;
  for (; level > 0; level = plan_.levels[level].parent) {
    const int factor = plan_.levels[plan_.levels[level].parent].factor;
    response *= decimators_[level - 1]->Response(frequency * factor / settings().sample_rate);
  }
  return response;
}

// The windows of the definition, read at the samples of a lower rate.
ConstantQ::Group ConstantQ::MakeGroup(int number) const {
  const FeatureSettings& s = settings();
  const size_t level = plan_.group_levels[number];
  const int factor = plan_.levels[level].factor;
  const int first_band = number * kGroupBands;
  // The first band has the longest window.
  const int longest = ConstantQWindowLength(s, first_band);
  Group group;
  group.first = -(longest / 2 / factor);
  group.rows.resize((longest - longest / 2 - 1) / factor - group.first + 1);
  for (int lane = 0; lane < std::min(kGroupBands, s.bands - first_band); ++lane) {
    const int band = first_band + lane;
    const int length = ConstantQWindowLength(s, band);
    const int64_t half = length / 2;
    // Where a row lies in the window, in samples of the sound. The window begins half a sample
    // before its first one.
    const auto place = [&](size_t row) {
      return static_cast<double>((group.first + static_cast<int64_t>(row)) * factor + half) + 0.5;
    };
    std::vector<double> window(group.rows.size(), 0.0);
    for (size_t row = 0; row < window.size(); ++row) {
      if (place(row) > 0 && place(row) < length)
        window[row] = 0.5 - 0.5 * std::cos(2 * pi * place(row) / length);
    }
    // 2 / Σw: a sine of amplitude 1 at the centre gives 1 (half of it lies at the negative
    // frequency).
    const double frequency = ConstantQFrequency(s, band);
    const double scale =
        2.0 / std::accumulate(window.begin(), window.end(), 0.0) / Response(level, frequency);
    for (size_t row = 0; row < window.size(); ++row) {
      const auto value =
          std::polar(scale * window[row], -2 * pi * frequency / s.sample_rate * place(row));
      group.rows[row].lanes[lane] = static_cast<float>(value.real());
      group.rows[row].lanes[kGroupBands + lane] = static_cast<float>(value.imag());
    }
  }
  return group;
}

std::unique_ptr<AudioFrontEnd::Scratch> ConstantQ::NewScratch() const {
  auto buffers = std::make_unique<Buffers>();
  buffers->levels.resize(decimators_.size());
  buffers->centres.resize(plan_.levels.size());
  return buffers;
}

void ConstantQ::Transform(std::span<const float> samples, std::span<float> magnitudes,
                          Scratch& scratch) const {
  auto& buffers = static_cast<Buffers&>(scratch);
  const int bands = settings().bands;
  const int64_t frames = static_cast<int64_t>(magnitudes.size()) / bands;
  const float* centre = samples.data() + frame_length_ / 2;
  if (plan_.frames_share) {
    TransformTogether(centre, frames, magnitudes.data(), buffers);
    return;
  }
  for (int64_t f = 0; f < frames; ++f) {
    TransformTogether(centre + f * settings().hop_length, 1, magnitudes.data() + f * bands,
                      buffers);
  }
}

void ConstantQ::TransformTogether(const float* centre, int64_t frames, float* magnitudes,
                                  Buffers& buffers) const {
  const auto step = [&](size_t level) {
    return settings().hop_length / plan_.levels[level].factor;
  };
  buffers.centres[0] = centre;
  for (size_t i = 1; i < plan_.levels.size(); ++i) {
    const ConstantQPlan::Level& level = plan_.levels[i];
    const Decimator& decimator = *decimators_[i - 1];
    std::vector<float>& made = buffers.levels[i - 1];
    decimator.Apply(buffers.centres[level.parent] - level.reach * decimator.ratio(),
                    2 * level.reach + 1 + (frames - 1) * step(i), made, buffers.decimator);
    buffers.centres[i] = made.data() + level.reach;
  }
  const int bands = settings().bands;
  buffers.sums.resize(frames);
  for (size_t g = 0; g < groups_.size(); ++g) {
    const size_t level = plan_.group_levels[g];
    kernels_.correlate(groups_[g].rows, buffers.centres[level] + groups_[g].first, step(level),
                       buffers.sums);
    const int first_band = static_cast<int>(g) * kGroupBands;
    const int group_bands = std::min(kGroupBands, bands - first_band);
    for (int64_t f = 0; f < frames; ++f) {
      const float* real = buffers.sums[f].lanes;
      const float* imaginary = real + kGroupBands;
      float* to = magnitudes + f * bands + first_band;
      for (int lane = 0; lane < group_bands; ++lane)
        to[lane] = std::sqrt(real[lane] * real[lane] + imaginary[lane] * imaginary[lane]);
    }
  }
}

double ConstantQ::BandFrequency(int band) const { return ConstantQFrequency(settings(), band); }

}  // namespace antiphon::features
