#include "core/following/semitone_analyzer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

namespace antiphon::following {
namespace {

constexpr double kLong_s = 0.128;
constexpr double kShort_s = 0.064;
constexpr double kRiseShare = 0.7;    // of a window, which is oldest first
constexpr int kFirstShortPitch = 76;  // from here on a short window tells semitones apart
constexpr int kFirstBriefPitch = 55;  // below it, a short window hears the notes' partials only
constexpr int kFirstBrief = kFirstBriefPitch - music::kLowestPianoPitch;
constexpr double kHalfWidth = 0.75;     // of a kernel, semitones, where the window is long enough
constexpr float kFloor = 3e-4f;         // magnitude: under it all is silence
constexpr float kFirstLoudest = 0.02f;  // magnitude: what is expected of a recording at first
constexpr float kFaint = 0.05f;         // of the loudest: pitches of what is fainter say less
constexpr double kForget_s = 3;         // in which "the loudest" falls to a half
constexpr float kCompression = 100;
constexpr int kRiseFrames = 3;  // from one frame to which a rise is measured
// Rises are measured against the sharpest of the last moments, within limits: their mean over
// pitches.
constexpr double kForgetRise_s = 1;  // in which "the sharpest" falls to a half
constexpr float kUsualRise = 0.05f;
constexpr float kLeastRise = 0.3f;
constexpr float kSharpRise = 0.12f;  // of a compressed magnitude: 0.63 of an onset

double Frequency(int pitch) { return 440 * std::exp2((pitch - 69) / 12.0); }

}  // namespace

float Compressed(float magnitude_over_loudest) {
  static const float scale = 1 / std::log1p(kCompression);
  return scale * std::log1p(kCompression * magnitude_over_loudest);
}

SemitoneAnalyzer::SemitoneAnalyzer(int sample_rate)
    : sample_rate_(sample_rate), short_(MakeResolution(kShort_s)), long_(MakeResolution(kLong_s)) {}

SemitoneAnalyzer::Resolution SemitoneAnalyzer::MakeResolution(double window_s) const {
  Resolution resolution;
  const auto length = static_cast<size_t>(std::lround(window_s * sample_rate_));
  resolution.window.resize(length);
  const auto rise = static_cast<size_t>(kRiseShare * static_cast<double>(length));
  double sum = 0;
  for (size_t i = 0; i < length; ++i) {
    const double part =
        i < rise ? (static_cast<double>(i) + 0.5) / static_cast<double>(rise)
                 : (static_cast<double>(length - i) - 0.5) / static_cast<double>(length - rise);
    const double sine = std::sin(std::numbers::pi / 2 * part);
    resolution.window[i] = static_cast<float>(sine * sine);
    sum += sine * sine;
  }
  for (float& weight : resolution.window) weight *= static_cast<float>(2 / sum);
  const int fft_length = static_cast<int>(std::bit_ceil(length));
  resolution.fft = std::make_unique<features::RealFft>(fft_length);
  resolution.buffers = std::make_unique<features::RealFft::Buffers>(fft_length);
  const double bin_hz = static_cast<double>(sample_rate_) / fft_length;
  for (int i = 0; i < kPitches; ++i) {
    const double centre = Frequency(music::kLowestPianoPitch + i);
    const double half =
        std::max(centre * (std::exp2(kHalfWidth / 12) - 1), std::max(bin_hz, 0.8 / window_s));
    Kernel kernel;
    kernel.first = std::max(1, static_cast<int>(std::ceil((centre - half) / bin_hz)));
    const int last =
        std::min(fft_length / 2, static_cast<int>(std::floor((centre + half) / bin_hz)));
    double total = 0;
    for (int bin = kernel.first; bin <= last; ++bin) {
      const double weight = 1 - std::abs(bin * bin_hz - centre) / half;
      kernel.weights.push_back(static_cast<float>(weight));
      total += weight;
    }
    // A sine spreads over 2 / window_s Hz whatever the width of the kernel.
    const double spread = std::max(1.0, std::min(total, 1 / (window_s * bin_hz)));
    for (float& weight : kernel.weights) weight /= static_cast<float>(spread);
    resolution.kernels.push_back(std::move(kernel));
  }
  return resolution;
}

void SemitoneAnalyzer::Measure(Resolution& resolution, std::span<const float> samples,
                               Pitches& out) {
  const std::span<float> buffer = resolution.buffers->samples();
  const size_t length = resolution.window.size();
  const std::span<const float> last = samples.last(length);
  for (size_t i = 0; i < length; ++i) buffer[i] = last[i] * resolution.window[i];
  std::fill(buffer.begin() + static_cast<std::ptrdiff_t>(length), buffer.end(), 0.0f);
  resolution.fft->Transform(*resolution.buffers);
  const std::span<const std::complex<float>> spectrum = resolution.buffers->spectrum();
  for (int i = 0; i < kPitches; ++i) {
    const Kernel& kernel = resolution.kernels[i];
    float power = 0;
    for (size_t k = 0; k < kernel.weights.size(); ++k)
      power += kernel.weights[k] * std::norm(spectrum[kernel.first + k]);
    out[i] = std::sqrt(power);
  }
}

SemitoneAnalyzer::Magnitudes SemitoneAnalyzer::Analyze(std::span<const float> samples) {
  Magnitudes magnitudes;
  Pitches in_long, in_short;
  Measure(long_, samples, in_long);
  Measure(short_, samples, in_short);
  for (int i = 0; i < kPitches; ++i) {
    const int pitch = i + music::kLowestPianoPitch;
    magnitudes.steady[i] = pitch < kFirstShortPitch ? in_long[i] : in_short[i];
    magnitudes.brief[i] = pitch < kFirstBriefPitch ? 0 : in_short[i];
  }
  return magnitudes;
}

FrameStream::FrameStream(int sample_rate)
    : analyzer_(sample_rate),
      recent_(analyzer_.length(), 0.0f),
      loudest_(kFirstLoudest),
      levels_(kRiseFrames) {}

void FrameStream::Push(std::span<const float> samples,
                       const std::function<void(const SoundFrame&)>& sink) {
  const auto length = static_cast<size_t>(analyzer_.length());
  while (!samples.empty()) {
    const int64_t frame_end =
        std::llround(static_cast<double>(frames_ + 1) * kFrame_s * analyzer_.sample_rate());
    const size_t count =
        std::min(samples.size(), static_cast<size_t>(std::max<int64_t>(1, frame_end - received_)));
    for (const float sample : samples.first(count))
      recent_.push_back(std::isfinite(sample) ? std::clamp(sample, -16.0f, 16.0f) : 0.0f);
    received_ += static_cast<int64_t>(count);
    samples = samples.subspan(count);
    if (received_ < frame_end) continue;
    recent_.erase(recent_.begin(),
                  recent_.begin() + static_cast<std::ptrdiff_t>(recent_.size() - length));
    sink(MakeFrame());
  }
}

SoundFrame FrameStream::MakeFrame() {
  const SemitoneAnalyzer::Magnitudes magnitudes = analyzer_.Analyze(recent_);
  const float now = *std::max_element(magnitudes.steady.begin(), magnitudes.steady.end());
  static const auto forget = static_cast<float>(std::exp2(-kFrame_s / kForget_s));
  loudest_ = std::max({kFloor, now, loudest_ * forget});

  SoundFrame frame;
  frame.loudness = now > kFloor ? now / loudest_ : 0;
  float squares = 0;
  Pitches level, rises;
  float mean = 0;
  const Pitches& before = levels_[frames_ % kRiseFrames];
  for (int i = 0; i < kPitches; ++i) {
    frame.energies[i] = Compressed(magnitudes.steady[i] / loudest_);
    squares += frame.energies[i] * frame.energies[i];
    level[i] = Compressed(magnitudes.brief[i] / loudest_);
    // Against the neighbours too, so that a vibrato is no onset (Böck & Widmer 2013).
    const float held =
        std::max({before[std::max(0, i - 1)], before[i], before[std::min(kPitches - 1, i + 1)]});
    rises[i] = std::max(0.0f, level[i] - held);
    mean += rises[i] / (kPitches - kFirstBrief);
  }
  static const auto forget_rise = static_cast<float>(std::exp2(-kFrame_s / kForgetRise_s));
  sharpest_ = std::max(mean, sharpest_ * forget_rise);
  const float sharp = kSharpRise * std::clamp(sharpest_ / kUsualRise, kLeastRise, 1.0f);
  for (int i = 0; i < kPitches; ++i) frame.onsets[i] = 1 - std::exp(-rises[i] / sharp);
  for (const float onset : frame.onsets) frame.novelty += onset / (kPitches - kFirstBrief);
  const float scale =
      frame.loudness > 0 ? std::min(1.0f, frame.loudness / kFaint) / std::sqrt(squares) : 0;
  for (float& energy : frame.energies) energy *= scale;
  levels_[frames_ % kRiseFrames] = level;
  ++frames_;
  return frame;
}

}  // namespace antiphon::following
