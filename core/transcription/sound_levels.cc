#include "core/transcription/sound_levels.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "core/base/status_macros.h"
#include "core/features/audible.h"
#include "core/features/audio_front_end.h"

namespace antiphon::transcription {
namespace {

constexpr int kPitches = 128;
constexpr double kAttack_s = 0.15;    // within which a note reaches its level
constexpr double kBefore_s = 0.15;    // and within which the level before it is looked for
constexpr double kQuarterTone = 0.5;  // of a semitone: a band further off is another pitch's

std::vector<int> BandsOfPitches(const features::AudioFrontEnd& front_end) {
  std::vector<int> bands(kPitches, -1);
  std::vector<double> distance(kPitches, kQuarterTone);
  for (int band = 0; band < front_end.settings().bands; ++band) {
    const double pitch = 69 + 12 * std::log2(front_end.BandFrequency(band) / 440);
    const int nearest = static_cast<int>(std::lround(pitch));
    if (nearest < 0 || nearest >= kPitches) continue;
    if (std::abs(pitch - nearest) < distance[nearest]) {
      distance[nearest] = std::abs(pitch - nearest);
      bands[nearest] = band;
    }
  }
  return bands;
}

}  // namespace

SoundLevels::SoundLevels(features::FeatureSequence spectrogram,
                         const features::FeatureSettings& settings, std::vector<int> bands,
                         double duration_s)
    : spectrogram_(std::move(spectrogram)),
      settings_(settings),
      bands_(std::move(bands)),
      duration_s_(duration_s) {}

absl::StatusOr<SoundLevels> SoundLevels::Of(const audio::Waveform& sound,
                                            const features::FeatureSettings& settings) {
  if (sound.sample_rate != settings.sample_rate)
    return absl::InvalidArgumentError("the sound is not at the sample rate of the model");
  ASSIGN_OR_RETURN(const auto front_end, features::AudioFrontEnd::Create(settings));
  features::SpectrogramStream stream(*front_end);
  features::FeatureSequence spectrogram;
  spectrogram.bands = settings.bands;
  spectrogram.frame_rate = settings.frame_rate();
  const float gain = features::GainFor(features::PeakOf(sound.samples));
  std::vector<float> chunk;
  const auto second = static_cast<size_t>(settings.sample_rate);
  for (size_t i = 0; i < sound.samples.size(); i += second) {
    const auto begin = sound.samples.begin() + static_cast<int64_t>(i);
    chunk.assign(begin, begin + static_cast<int64_t>(std::min(second, sound.samples.size() - i)));
    for (float& sample : chunk) sample *= gain;
    stream.Push(chunk, spectrogram);
  }
  stream.Finish(spectrogram);
  return SoundLevels(std::move(spectrogram), settings, BandsOfPitches(*front_end),
                     sound.duration_s());
}

int64_t SoundLevels::FrameAt(double s) const {
  return static_cast<int64_t>(std::floor(s * settings_.frame_rate() + 1e-6));
}

features::FeatureSequence SoundLevels::Cut(const matching::Span& stretch, double& start_s) const {
  const int64_t first = std::clamp<int64_t>(FrameAt(stretch.start_s), 0, spectrogram_.frames());
  const int64_t end = std::clamp<int64_t>(FrameAt(stretch.end_s) + 1, first, spectrogram_.frames());
  features::FeatureSequence cut;
  cut.channels = spectrogram_.channels;
  cut.bands = spectrogram_.bands;
  cut.frame_rate = spectrogram_.frame_rate;
  const int64_t width = spectrogram_.cells_per_frame();
  cut.cells.assign(spectrogram_.cells.begin() + first * width,
                   spectrogram_.cells.begin() + end * width);
  start_s = static_cast<double>(first) / settings_.frame_rate();
  return cut;
}

std::vector<matching::Span> SoundLevels::Silences(const matching::Span& stretch,
                                                  double least_s) const {
  std::vector<matching::Span> silences;
  const int64_t width = spectrogram_.cells_per_frame();
  const int64_t end = std::min(FrameAt(stretch.end_s) + 1, spectrogram_.frames());
  int64_t begin = -1;
  for (int64_t frame = std::max<int64_t>(0, FrameAt(stretch.start_s)); frame <= end; ++frame) {
    const auto row = spectrogram_.cells.begin() + frame * width;
    const bool silent = frame < end && std::all_of(row, row + width, [](uint8_t level) {
                          return level < features::kSilenceLevel;
                        });
    if (silent && begin < 0) begin = frame;
    if (silent || begin < 0) continue;
    const matching::Span silence = {
        std::max(stretch.start_s, static_cast<double>(begin) / settings_.frame_rate()),
        std::min(stretch.end_s, static_cast<double>(frame) / settings_.frame_rate())};
    if (silence.length_s() >= least_s) silences.push_back(silence);
    begin = -1;
  }
  return silences;
}

int SoundLevels::LevelAt(int64_t frame, int pitch) const {
  if (frame < 0 || frame >= spectrogram_.frames() || pitch < 0 || pitch >= kPitches) return 0;
  const int band = bands_[pitch];
  return band < 0 ? 0 : spectrogram_.cells[frame * spectrogram_.cells_per_frame() + band];
}

SoundLevels::Attack SoundLevels::AttackOf(int pitch, double onset_s) const {
  const int64_t at = std::llround(onset_s * settings_.frame_rate());
  const auto frames = [&](double s) {
    return std::max<int64_t>(1, std::llround(s * settings_.frame_rate()));
  };
  Attack attack;
  for (const int sounding : {pitch, pitch + 12}) {
    int loudest = 0, quietest = 255;
    for (int64_t frame = at; frame <= at + frames(kAttack_s); ++frame)
      loudest = std::max(loudest, LevelAt(frame, sounding));
    for (int64_t frame = at - frames(kBefore_s); frame < at; ++frame)
      quietest = std::min(quietest, LevelAt(frame, sounding));
    attack.level = std::max<double>(attack.level, loudest);
    attack.rise = std::max<double>(attack.rise, loudest - quietest);
  }
  return attack;
}

}  // namespace antiphon::transcription
