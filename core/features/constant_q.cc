#include "core/features/constant_q.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <numeric>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace antiphon::features {
namespace {

using std::numbers::pi;

// Coefficients smaller than this part of the kernel's largest are dropped. The sum of what is
// dropped bounds the error; constant_q_test.cc holds it to less than 0.05 % of the spectrum's norm.
constexpr double kNegligible = 1e-4;

double Quality(const FeatureSettings& settings) {
  return 1.0 / (std::exp2(1.0 / settings.bands_per_octave) - 1.0);
}

double Frequency(const FeatureSettings& settings, int band) {
  return settings.min_frequency * std::exp2(static_cast<double>(band) / settings.bands_per_octave);
}

int KernelLength(const FeatureSettings& settings, int band) {
  return static_cast<int>(
      std::lround(Quality(settings) * settings.sample_rate / Frequency(settings, band)));
}

// The shortest transform, a power of two, that holds a band's window.
int TransformLength(const FeatureSettings& settings, int band) {
  return static_cast<int>(std::bit_ceil(static_cast<unsigned>(KernelLength(settings, band) + 1)));
}

}  // namespace

struct ConstantQ::StageScratch : AudioFrontEnd::Scratch {
  std::vector<std::unique_ptr<RealFft::Buffers>> buffers;  // one for each stage
};

absl::StatusOr<std::unique_ptr<const AudioFrontEnd>> ConstantQ::Create(
    const FeatureSettings& settings) {
  const int longest = KernelLength(settings, 0) + 1;
  const int length = settings.fft_length == 0 ? TransformLength(settings, 0) : settings.fft_length;
  if (length < longest || length > (1 << 18)) {
    return absl::InvalidArgumentError(
        absl::StrCat("feature settings: fft_length ", length,
                     " does not fit the longest constant-Q kernel of ", longest, " samples"));
  }
  return std::unique_ptr<const AudioFrontEnd>(new ConstantQ(settings, length));
}

ConstantQ::ConstantQ(const FeatureSettings& settings, int frame_length)
    : AudioFrontEnd(settings), frame_length_(frame_length) {
  // Windows become shorter as bands rise, so the lengths of transforms fall: each stage has a
  // stretch of adjoining bands, and Transform writes magnitudes in the order of the stages.
  for (int band = 0; band < settings.bands; ++band) {
    const int length = TransformLength(settings, band);
    if (stages_.empty() || length < stages_.back().fft->length()) {
      stages_.push_back({std::make_unique<const RealFft>(length), {}});
    }
    stages_.back().kernels.push_back(MakeKernel(band, length));
  }
}

std::vector<double> ConstantQ::BandWindow(const FeatureSettings& settings, int band) {
  const int length = KernelLength(settings, band);
  std::vector<double> window(length);
  for (int m = 0; m < length; ++m) window[m] = 0.5 - 0.5 * std::cos(2 * pi * (m + 0.5) / length);
  return window;
}

// By Parseval, Σ_n x[n]·conj(k[n]) = 1/N · Σ_j X[j]·conj(K[j]). The kernel turns one way only, so
// that its spectrum is negligible at negative frequencies and the half spectrum of the real signal
// is enough. K is evaluated from the window's spectrum in double precision: the Hann window is a
// sum of three complex exponentials, each a geometric series.
ConstantQ::Kernel ConstantQ::MakeKernel(int band, int fft_length) const {
  const FeatureSettings& s = settings();
  const int length = KernelLength(s, band);
  const int start = fft_length / 2 - length / 2;
  const double frequency = Frequency(s, band) / s.sample_rate;  // cycles per sample
  const std::vector<double> window = BandWindow(s, band);
  // 2 / Σw: a sine of amplitude 1 at the centre gives 1 (half of it lies at the negative
  // frequency). 1 / N is Parseval's.
  const double scale = 2.0 / std::accumulate(window.begin(), window.end(), 0.0) / fft_length;

  // Σ_{m=0}^{length-1} exp(iφ(m + 1/2))
  const auto series = [length](double phase) {
    const double half = phase / 2;
    // sin(Nx) / sin(x) tends to N where x tends to 0.
    const double magnitude =
        std::abs(std::sin(half)) < 1e-12 ? length : std::sin(length * half) / std::sin(half);
    return std::polar(magnitude, length * half);
  };
  const auto coefficient = [&](int bin) {
    const double phase = 2 * pi * (frequency - static_cast<double>(bin) / fft_length);
    const double step = 2 * pi / length;
    const std::complex<double> value =
        0.5 * series(phase) - 0.25 * series(phase + step) - 0.25 * series(phase - step);
    // The series is centred on half samples; the kernel's first sample lies at `start` and its
    // oscillation has phase 0 there.
    return scale * value *
           std::polar(1.0, -phase / 2 - 2 * pi * bin * static_cast<double>(start) / fft_length);
  };

  const int bins = fft_length / 2 + 1;
  const int peak = std::clamp(static_cast<int>(std::lround(frequency * fft_length)), 0, bins - 1);
  const double negligible = kNegligible * std::abs(coefficient(peak));
  // The side lobes fall with the third power of the distance; 2.2·kNegligible^(-1/3) lobes suffice,
  // and edges are trimmed exactly.
  const int reach =
      static_cast<int>(std::ceil(2.2 * std::pow(kNegligible, -1.0 / 3) * fft_length / length)) + 2;
  Kernel kernel;
  int first = std::max(0, peak - reach), last = std::min(bins - 1, peak + reach);
  while (first < peak && std::abs(coefficient(first)) < negligible) ++first;
  while (last > peak && std::abs(coefficient(last)) < negligible) --last;
  kernel.first_bin = first;
  for (int bin = first; bin <= last; ++bin) {
    kernel.coefficients.push_back(std::complex<float>(std::conj(coefficient(bin))));
  }
  return kernel;
}

std::unique_ptr<AudioFrontEnd::Scratch> ConstantQ::NewScratch() const {
  auto scratch = std::make_unique<StageScratch>();
  for (const Stage& stage : stages_) {
    scratch->buffers.push_back(std::make_unique<RealFft::Buffers>(stage.fft->length()));
  }
  return scratch;
}

void ConstantQ::Transform(std::span<const float> samples, std::span<float> magnitudes,
                          Scratch& scratch) const {
  size_t band = 0;
  for (size_t i = 0; i < stages_.size(); ++i) {
    const Stage& stage = stages_[i];
    RealFft::Buffers& buffers = *static_cast<StageScratch&>(scratch).buffers[i];
    // Every stage is centred on the frame's centre, so all bands see the same moment.
    const auto middle =
        samples.subspan((frame_length_ - stage.fft->length()) / 2, stage.fft->length());
    std::copy(middle.begin(), middle.end(), buffers.samples().begin());
    stage.fft->Transform(buffers);
    for (const Kernel& kernel : stage.kernels) {
      // Written out in real numbers: std::complex multiplication checks for NaN and is not turned
      // into vector instructions.
      const float* x = reinterpret_cast<const float*>(buffers.spectrum().data() + kernel.first_bin);
      const float* k = reinterpret_cast<const float*>(kernel.coefficients.data());
      float real = 0, imaginary = 0;
      for (size_t j = 0; j < 2 * kernel.coefficients.size(); j += 2) {
        real += x[j] * k[j] - x[j + 1] * k[j + 1];
        imaginary += x[j] * k[j + 1] + x[j + 1] * k[j];
      }
      magnitudes[band++] = std::hypot(real, imaginary);
    }
  }
}

double ConstantQ::BandFrequency(int band) const { return Frequency(settings(), band); }

}  // namespace antiphon::features
