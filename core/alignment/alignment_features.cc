#include "core/alignment/alignment_features.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace antiphon::alignment {
namespace {

// Fitted on validation pieces of piano-midi.de performed with the trainer's tempo curves.
constexpr double kCompression = 40;       // of magnitudes relative to the recording's loudest
constexpr double kLoudestShare = 0.0005;  // of all cells are at least as loud as "the loudest"
// Weight of the bands beside a semitone's own: pianos are out of tune.
constexpr float kQuarterToneWeight = 0.4f;
constexpr double kPartialDecay = 0.8;  // from partial to partial
constexpr double kDecay_s = 1.2;       // of middle C; others by half for each two octaves up
constexpr double kAfterOffset = 0.4;  // what the pedal or the room leave of a note that has ended …
constexpr double kRelease_frames = 2;  // … for so long
constexpr double kInaudible = 1e-3;    // energy of a partial that has died away
// A share of the strongest onset of all. Weaker ones are not normalised to 1.
constexpr float kLeastOnset = 0.05f;
constexpr double kOnsetNeighbourhood_s = 1;

constexpr std::array<int, 6> kPartials = {0, 12, 19, 24, 28, 31};  // semitones above the note

std::array<float, 256> CompressionTable(int loudest) {
  std::array<float, 256> table{};
  for (int level = 1; level < 256; ++level) {
    table[level] =
        static_cast<float>(std::log1p(kCompression * std::pow(10.0, (level - loudest) / 40.0)));
  }
  return table;
}

float Length(const float* row, int width) {
  float sum = 0;
  for (int i = 0; i < width; ++i) sum += row[i] * row[i];
  return std::sqrt(sum);
}

// A note's energies: each partial dies away from its onset on.
void AddNote(const TimedNote& note, double frame_rate, int lowest_pitch, FrameFeatures& features) {
  const double onset = note.onset_s * frame_rate;
  const double offset = std::max(note.offset_s * frame_rate, onset + 1);
  const double decay = std::exp(-1 / (kDecay_s * frame_rate * std::exp2((60 - note.pitch) / 24.0)));
  const int64_t frames = features.frames();
  const int64_t first = std::max<int64_t>(0, static_cast<int64_t>(std::ceil(onset)));
  const int64_t end =
      std::min(frames, static_cast<int64_t>(std::floor(offset + kRelease_frames)) + 1);
  const auto onset_frame = static_cast<int64_t>(std::floor(onset));
  const double second_share = onset - static_cast<double>(onset_frame);
  double strength = 1;
  for (const int partial : kPartials) {
    const int band = note.pitch - lowest_pitch + partial;
    if (band < 0 || band >= features.energies.width) continue;
    double energy = strength * std::pow(decay, static_cast<double>(first) - onset);
    for (int64_t frame = first; frame < end && energy > kInaudible; ++frame, energy *= decay) {
      features.energies.row(frame)[band] +=
          static_cast<float>(static_cast<double>(frame) > offset ? kAfterOffset * energy : energy);
    }
    for (const auto& [frame, share] :
         {std::pair(onset_frame, 1 - second_share), std::pair(onset_frame + 1, second_share)}) {
      if (frame >= 0 && frame < frames)
        features.onsets.row(frame)[band] += static_cast<float>(share * strength);
    }
    strength *= kPartialDecay;
  }
}

// As rises between the frames before and after are: over three frames.
FrameMatrix Spread(const FrameMatrix& onsets) {
  FrameMatrix spread(onsets.rows(), onsets.width);
  for (int64_t frame = 0; frame < onsets.rows(); ++frame) {
    for (int band = 0; band < onsets.width; ++band) {
      const float onset = onsets.row(frame)[band];
      if (onset == 0) continue;
      const float compressed = std::log1p(3 * onset);
      spread.row(frame)[band] += compressed;
      if (frame > 0) spread.row(frame - 1)[band] += compressed / 2;
      if (frame + 1 < onsets.rows()) spread.row(frame + 1)[band] += compressed / 2;
    }
  }
  return spread;
}

FrameMatrix FoldAndSum(const FrameMatrix& matrix, int factor) {
  FrameMatrix folded((matrix.rows() + factor - 1) / factor, 12);
  for (int64_t frame = 0; frame < matrix.rows(); ++frame) {
    for (int band = 0; band < matrix.width; ++band)
      folded.row(frame / factor)[band % 12] += matrix.row(frame)[band];
  }
  return folded;
}

// The largest of each value and those up to `reach` before and after.
std::vector<float> SlidingMaximum(const std::vector<float>& values, int64_t reach) {
  std::vector<float> result(values.size());
  const auto size = static_cast<int64_t>(values.size());
  for (int64_t i = 0; i < size; ++i) {
    result[i] = *std::max_element(values.begin() + std::max<int64_t>(0, i - reach),
                                  values.begin() + std::min(size, i + reach + 1));
  }
  return result;
}

void NormaliseOnsets(double frame_rate, int decay_frames, FrameMatrix& onsets) {
  std::vector<float> lengths(onsets.rows());
  for (int64_t frame = 0; frame < onsets.rows(); ++frame)
    lengths[frame] = Length(onsets.row(frame), onsets.width);
  const float strongest = lengths.empty() ? 0 : *std::max_element(lengths.begin(), lengths.end());
  const auto reach = static_cast<int64_t>(kOnsetNeighbourhood_s * frame_rate);
  const std::vector<float> local = SlidingMaximum(lengths, reach);
  for (int64_t frame = 0; frame < onsets.rows(); ++frame) {
    const float scale = 1 / std::max({local[frame], kLeastOnset * strongest, 1e-9f});
    for (int band = 0; band < onsets.width; ++band) onsets.row(frame)[band] *= scale;
  }
  // Backwards, so that what a row takes from earlier ones has not decayed yet.
  for (int64_t frame = onsets.rows() - 1; frame > 0; --frame) {
    for (int back = 1; back < decay_frames && back <= frame; ++back) {
      const float weight = 1 - static_cast<float>(back) / static_cast<float>(decay_frames);
      const float* const earlier = onsets.row(frame - back);
      float* const row = onsets.row(frame);
      for (int band = 0; band < onsets.width; ++band)
        row[band] = std::max(row[band], weight * earlier[band]);
    }
  }
}

}  // namespace

int LoudestLevel(const features::FeatureSequence& spectrogram) {
  std::array<int64_t, 256> count{};
  for (const uint8_t level : spectrogram.cells) ++count[level];
  const auto wanted =
      static_cast<int64_t>(kLoudestShare * static_cast<double>(spectrogram.cells.size()));
  int loudest = 255;
  for (int64_t seen = count[255]; loudest > 1 && seen <= wanted; seen += count[loudest]) --loudest;
  return loudest;
}

FrameFeatures FeaturesOfAudio(const features::FeatureSequence& spectrogram,
                              const features::FeatureSettings& settings, int loudest,
                              FrameRange range) {
  const std::array<float, 256> table = CompressionTable(loudest);
  const int64_t first = std::clamp<int64_t>(range.first, 0, spectrogram.frames());
  const int64_t frames = std::clamp(range.end, first, spectrogram.frames()) - first;
  const uint8_t* const cells = spectrogram.cells.data() + first * spectrogram.bands;
  FrameFeatures features{FrameMatrix(frames, settings.pitches),
                         FrameMatrix(frames, settings.pitches)};
  const int reach = settings.bands_per_octave / 24;  // bands within a quarter tone
  for (int pitch = 0; pitch < settings.pitches; ++pitch) {
    const double frequency = 440 * std::exp2((settings.lowest_pitch + pitch - 69) / 12.0);
    const auto band = static_cast<int>(
        std::lround(settings.bands_per_octave * std::log2(frequency / settings.min_frequency)));
    for (int at = std::max(0, band - reach); at <= std::min(settings.bands - 1, band + reach);
         ++at) {
      const float weight = at == band ? 1 : kQuarterToneWeight;
      for (int64_t frame = 0; frame < frames; ++frame) {
        float& energy = features.energies.row(frame)[pitch];
        energy = std::max(energy, weight * table[cells[frame * spectrogram.bands + at]]);
      }
    }
  }
  for (int64_t frame = 0; frame < frames; ++frame) {
    const float* const before = features.energies.row(std::max<int64_t>(0, frame - 1));
    const float* const after = features.energies.row(std::min(frames - 1, frame + 1));
    float* const rise = features.onsets.row(frame);
    for (int pitch = 0; pitch < settings.pitches; ++pitch)
      rise[pitch] = std::max(0.0f, after[pitch] - before[pitch]);
  }
  return features;
}

FrameFeatures FeaturesOfNotes(std::span<const TimedNote> notes, int64_t frames,
                              const features::FeatureSettings& settings) {
  FrameFeatures features{FrameMatrix(frames, settings.pitches),
                         FrameMatrix(frames, settings.pitches)};
  for (const TimedNote& note : notes)
    AddNote(note, settings.frame_rate(), settings.lowest_pitch, features);
  for (float& energy : features.energies.cells) {
    if (energy > 0) energy = std::log1p(10 * energy);
  }
  features.onsets = Spread(features.onsets);
  return features;
}

FrameFeatures CoarseFeatures(const FrameFeatures& features, int factor) {
  return {FoldAndSum(features.energies, factor), FoldAndSum(features.onsets, factor)};
}

void NormaliseFeatures(double frame_rate, int decay_frames, FrameFeatures& features) {
  for (int64_t frame = 0; frame < features.frames(); ++frame) {
    float* const row = features.energies.row(frame);
    const float scale = 1 / std::max(Length(row, features.energies.width), 1e-3f);
    for (int band = 0; band < features.energies.width; ++band) row[band] *= scale;
  }
  NormaliseOnsets(frame_rate, decay_frames, features.onsets);
}

}  // namespace antiphon::alignment
