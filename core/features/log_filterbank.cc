#include "core/features/log_filterbank.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace antiphon::features {
namespace {

constexpr int kDefaultFftLength = 2048;
constexpr double kTuning = 440.0;  // Hz, A4: where the grid of frequencies is anchored

struct LogFilterbankScratch : AudioFrontEnd::Scratch {
  explicit LogFilterbankScratch(int length) : buffers(length), magnitudes(length / 2 + 1) {}
  RealFft::Buffers buffers;
  std::vector<float> magnitudes;
};

double Hann(int n, int length) {
  return 0.5 - 0.5 * std::cos(2 * std::numbers::pi * (n + 0.5) / length);
}

// The first bands + 2 distinct FFT bins nearest to the frequencies of the grid, or as many as there
// are up to half the sample rate.
std::vector<int> Corners(const FeatureSettings& settings, int fft_length) {
  std::vector<int> corners;
  const double per_octave = settings.bands_per_octave;
  for (double k = std::ceil(per_octave * std::log2(settings.min_frequency / kTuning));; ++k) {
    const double frequency = kTuning * std::exp2(k / per_octave);
    const int bin = static_cast<int>(std::lround(frequency * fft_length / settings.sample_rate));
    if (bin > fft_length / 2 || static_cast<int>(corners.size()) == settings.bands + 2)
      return corners;
    if (corners.empty() || bin > corners.back()) corners.push_back(bin);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<const AudioFrontEnd>> LogFilterbank::Create(
    const FeatureSettings& settings) {
  const int length = settings.fft_length == 0 ? kDefaultFftLength : settings.fft_length;
  std::vector<int> corners = Corners(settings, length);
  if (static_cast<int>(corners.size()) < settings.bands + 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("feature settings: bands is ", settings.bands, ", but only ",
                     std::max<int>(0, static_cast<int>(corners.size()) - 2),
                     " fit below half the sample rate with this fft_length"));
  }
  return std::unique_ptr<const AudioFrontEnd>(
      new LogFilterbank(settings, length, std::move(corners)));
}

LogFilterbank::LogFilterbank(const FeatureSettings& settings, int fft_length,
                             std::vector<int> corners)
    : AudioFrontEnd(settings), fft_(fft_length), corners_(std::move(corners)), window_(fft_length) {
  double sum = 0;
  for (int n = 0; n < fft_length; ++n) sum += Hann(n, fft_length);
  for (int n = 0; n < fft_length; ++n)
    window_[n] = static_cast<float>(2 / sum * Hann(n, fft_length));
  for (int band = 0; band < settings.bands; ++band) filters_.push_back(MakeFilter(band));
}

LogFilterbank::Filter LogFilterbank::MakeFilter(int band) const {
  const int low = corners_[band], centre = corners_[band + 1], high = corners_[band + 2];
  // A triangle's weights at whole numbers sum to half its base.
  const double sum = (high - low) / 2.0;
  Filter filter;
  filter.first_bin = low + 1;
  for (int bin = low + 1; bin < high; ++bin) {
    const double weight = bin <= centre ? static_cast<double>(bin - low) / (centre - low)
                                        : static_cast<double>(high - bin) / (high - centre);
    filter.weights.push_back(static_cast<float>(weight / sum));
  }
  return filter;
}

std::unique_ptr<AudioFrontEnd::Scratch> LogFilterbank::NewScratch() const {
  return std::make_unique<LogFilterbankScratch>(fft_.length());
}

void LogFilterbank::Transform(std::span<const float> samples, std::span<float> magnitudes,
                              Scratch& scratch) const {
  auto& own = static_cast<LogFilterbankScratch&>(scratch);
  const size_t frames = magnitudes.size() / filters_.size();
  for (size_t f = 0; f < frames; ++f) {
    const auto frame = samples.subspan(f * settings().hop_length, fft_.length());
    std::transform(frame.begin(), frame.end(), window_.begin(), own.buffers.samples().begin(),
                   std::multiplies<>());
    fft_.Transform(own.buffers);
    const auto spectrum = own.buffers.spectrum();
    std::transform(spectrum.begin(), spectrum.end(), own.magnitudes.begin(),
                   [](auto value) { return std::abs(value); });
    for (size_t band = 0; band < filters_.size(); ++band) {
      const Filter& filter = filters_[band];
      magnitudes[f * filters_.size() + band] =
          std::inner_product(filter.weights.begin(), filter.weights.end(),
                             own.magnitudes.begin() + filter.first_bin, 0.0f);
    }
  }
}

double LogFilterbank::BandFrequency(int band) const {
  return static_cast<double>(corners_[band + 1]) * settings().sample_rate / fft_.length();
}

}  // namespace antiphon::features
