#include "trainer/data/linear_filter.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <complex>
#include <cstddef>

#include "core/features/real_fft.h"

namespace antiphon::trainer::data {
namespace {

using features::RealFft;

constexpr double kDeepestGainDb = -100;

// samples()[n] = 1/length · Σ_j spectrum()[j]·exp(+2πi·j·n/length), the spectrum continued as that
// of a real sequence; leaves spectrum() undefined. With the forward transform alone: that of Re +
// Im has the cosine sum of Re as its real part and minus the sine sum of Im as its imaginary part
// (Hartley's transform), and the inverse is their sum.
void InverseTransform(const RealFft& fft, RealFft::Buffers& buffers) {
  const size_t length = fft.length();
  const auto samples = buffers.samples();
  const auto spectrum = buffers.spectrum();
  samples[0] = spectrum[0].real();
  samples[length / 2] = spectrum[length / 2].real();
  for (size_t j = 1; j < length / 2; ++j) {
    samples[j] = spectrum[j].real() + spectrum[j].imag();
    samples[length - j] = spectrum[j].real() - spectrum[j].imag();
  }
  fft.Transform(buffers);
  const float scale = 1.0f / static_cast<float>(length);
  samples[0] = spectrum[0].real() * scale;
  samples[length / 2] = spectrum[length / 2].real() * scale;
  for (size_t n = 1; n < length / 2; ++n) {
    samples[n] = (spectrum[n].real() + spectrum[n].imag()) * scale;
    samples[length - n] = (spectrum[n].real() - spectrum[n].imag()) * scale;
  }
}

}  // namespace

std::vector<float> MinimumPhaseResponse(const std::function<double(double)>& gain_db,
                                        int sample_rate, int length) {
  // Twice the length, since the cepstrum wraps around.
  const int fft_length = 2 * length;
  const RealFft fft(fft_length);
  RealFft::Buffers buffers(fft_length);
  const auto spectrum = buffers.spectrum();
  std::vector<double> gains(spectrum.size());
  for (size_t j = 1; j < spectrum.size(); ++j)
    gains[j] = gain_db(static_cast<double>(j) * sample_rate / fft_length);
  gains[0] = gains[1];
  const double deepest = *std::max_element(gains.begin(), gains.end()) + kDeepestGainDb;
  for (size_t j = 0; j < spectrum.size(); ++j) {
    spectrum[j] = static_cast<float>(std::max(gains[j], deepest) * std::log(10.0) / 20);
  }
  InverseTransform(fft, buffers);
  const auto samples = buffers.samples();
  for (int n = 1; n < fft_length / 2; ++n) samples[n] *= 2;
  std::fill(samples.begin() + fft_length / 2 + 1, samples.end(), 0.0f);
  fft.Transform(buffers);
  for (std::complex<float>& value : spectrum) value = std::exp(value);
  InverseTransform(fft, buffers);
  std::vector<float> response(samples.begin(), samples.begin() + length);
  for (int n = length / 2; n < length; ++n)
    response[n] *= 2 - 2.0f * n / length;  // no step at the end
  return response;
}

std::vector<float> Convolve(std::span<const float> samples, std::span<const float> response) {
  std::vector<float> result(samples.size());
  response = response.first(std::min(response.size(), samples.size()));
  if (response.empty()) return result;
  const size_t length = std::min(std::bit_ceil(std::max<size_t>(4096, 3 * response.size())),
                                 std::bit_ceil(samples.size() + response.size()));
  const size_t step = length - response.size() + 1;
  const RealFft fft(static_cast<int>(length));
  RealFft::Buffers buffers(static_cast<int>(length));
  const auto block = buffers.samples();
  const auto spectrum = buffers.spectrum();
  std::fill(std::copy(response.begin(), response.end(), block.begin()), block.end(), 0.0f);
  fft.Transform(buffers);
  const std::vector<std::complex<float>> gain(spectrum.begin(), spectrum.end());
  for (size_t start = 0; start < samples.size(); start += step) {
    const auto input = samples.subspan(start, std::min(step, samples.size() - start));
    std::fill(std::copy(input.begin(), input.end(), block.begin()), block.end(), 0.0f);
    fft.Transform(buffers);
    for (size_t j = 0; j < gain.size(); ++j) {
      // Spelt out: std::complex's product checks for NaN, at several times the cost.
      const float real = spectrum[j].real() * gain[j].real() - spectrum[j].imag() * gain[j].imag();
      const float imaginary =
          spectrum[j].real() * gain[j].imag() + spectrum[j].imag() * gain[j].real();
      spectrum[j] = {real, imaginary};
    }
    InverseTransform(fft, buffers);
    const size_t count = std::min(input.size() + response.size() - 1, samples.size() - start);
    for (size_t n = 0; n < count; ++n) result[start + n] += block[n];
  }
  return result;
}

}  // namespace antiphon::trainer::data
