#include "core/features/log_filterbank.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace antiphon::features {
namespace {

constexpr int kDefaultFftLength = 2048;

struct LogFilterbankScratch : AudioFrontEnd::Scratch {
  explicit LogFilterbankScratch(int length) : buffers(length), magnitudes(length / 2 + 1) {}
  RealFft::Buffers buffers;
  std::vector<float> magnitudes;
};

}  // namespace

absl::StatusOr<std::unique_ptr<const AudioFrontEnd>> LogFilterbank::Create(const FeatureSettings& settings) {
  const int length = settings.fft_length == 0 ? kDefaultFftLength : settings.fft_length;
  return std::unique_ptr<const AudioFrontEnd>(new LogFilterbank(settings, length));
}

LogFilterbank::LogFilterbank(const FeatureSettings& settings, int fft_length)
    : AudioFrontEnd(settings), fft_(fft_length), window_(fft_length) {
  for (int n = 0; n < fft_length; ++n) {
    window_[n] = static_cast<float>(0.5 - 0.5 * std::cos(2 * std::numbers::pi * (n + 0.5) / fft_length));
  }
  const float sum = std::accumulate(window_.begin(), window_.end(), 0.0f);
  for (float& weight : window_) weight *= 2.0f / sum;
  for (int band = 0; band < settings.bands; ++band) filters_.push_back(MakeFilter(band));
}

LogFilterbank::Filter LogFilterbank::MakeFilter(int band) const {
  const double bins_per_hertz = static_cast<double>(fft_.length()) / settings().sample_rate;
  const double centre = BandFrequency(band) * bins_per_hertz;
  const double low = std::min(BandFrequency(band - 1) * bins_per_hertz, centre - 1);
  const double high = std::max(BandFrequency(band + 1) * bins_per_hertz, centre + 1);
  Filter filter;
  filter.first_bin = std::max(0, static_cast<int>(std::floor(low)) + 1);
  const int last = std::min(fft_.length() / 2, static_cast<int>(std::ceil(high)) - 1);
  double sum = 0;
  for (int bin = filter.first_bin; bin <= last; ++bin) {
    const double weight = bin <= centre ? (bin - low) / (centre - low) : (high - bin) / (high - centre);
    filter.weights.push_back(static_cast<float>(weight));
    sum += weight;
  }
  for (float& weight : filter.weights) weight /= static_cast<float>(sum);
  return filter;
}

std::unique_ptr<AudioFrontEnd::Scratch> LogFilterbank::NewScratch() const {
  return std::make_unique<LogFilterbankScratch>(fft_.length());
}

void LogFilterbank::Transform(std::span<const float> samples, std::span<float> magnitudes, Scratch& scratch) const {
  auto& own = static_cast<LogFilterbankScratch&>(scratch);
  std::transform(samples.begin(), samples.end(), window_.begin(), own.buffers.samples().begin(), std::multiplies<>());
  fft_.Transform(own.buffers);
  const auto spectrum = own.buffers.spectrum();
  std::transform(spectrum.begin(), spectrum.end(), own.magnitudes.begin(), [](auto value) { return std::abs(value); });
  for (size_t band = 0; band < filters_.size(); ++band) {
    const Filter& filter = filters_[band];
    magnitudes[band] = std::inner_product(filter.weights.begin(), filter.weights.end(),
                                          own.magnitudes.begin() + filter.first_bin, 0.0f);
  }
}

double LogFilterbank::BandFrequency(int band) const {
  return settings().min_frequency * std::exp2(static_cast<double>(band) / settings().bands_per_octave);
}

}  // namespace antiphon::features
