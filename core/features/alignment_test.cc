// Both sides of the system lie on one clock: where the pianoroll has an onset, the spectrogram's
// energy rises.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/features/audio_front_end.h"
#include "core/features/pianoroll.h"
#include "core/testing/feature_signals.h"

namespace antiphon::features {
namespace {

using music::Note;

Note MakeNote(double onset_s, double offset_s, int pitch) {
  Note note;
  note.onset_s = onset_s;
  note.offset_s = note.sounding_offset_s = offset_s;
  note.pitch = pitch;
  return note;
}

// The notes as sines, played at `ratio` times the tempo written.
std::vector<float> Play(const std::vector<Note>& notes, double ratio, double seconds,
                        int sample_rate) {
  std::vector<float> audio(static_cast<size_t>(seconds * sample_rate), 0.0f);
  for (const Note& note : notes) {
    const auto begin = static_cast<int64_t>(std::lround(note.onset_s / ratio * sample_rate));
    const auto end = static_cast<int64_t>(std::lround(note.offset_s / ratio * sample_rate));
    const auto tone =
        Sine(PitchFrequency(note.pitch), static_cast<int>(end - begin), sample_rate, 0.1);
    std::transform(tone.begin(), tone.end(), audio.begin() + begin, audio.begin() + begin,
                   std::plus<>());
  }
  return audio;
}

int BandNearest(const AudioFrontEnd& front_end, double frequency) {
  int nearest = 0;
  for (int band = 1; band < front_end.settings().bands; ++band) {
    if (std::abs(std::log(front_end.BandFrequency(band) / frequency)) <
        std::abs(std::log(front_end.BandFrequency(nearest) / frequency))) {
      nearest = band;
    }
  }
  return nearest;
}

class AlignmentTest : public ::testing::TestWithParam<NamedSettings> {};

// A step is half as loud (-6 dB, 12 levels) in the frame that is centred on it, however long the
// window.
TEST_P(AlignmentTest, EnergyRisesWithinAFrameOfThePianorollsOnset) {
  const FeatureSettings& settings = GetParam().settings;
  const auto front_end = MakeFrontEnd(settings);
  // More than a window's length apart, in the bass too; at times that no frame is centred on.
  const std::vector<Note> notes = {MakeNote(1.013, 3.1, 33), MakeNote(3.507, 5.9, 45),
                                   MakeNote(6.031, 8.2, 60), MakeNote(8.555, 10.9, 69),
                                   MakeNote(11.079, 13, 84), MakeNote(13.62, 15.5, 103)};
  for (const double ratio : {0.8, 1.0, 1.25}) {
    const FeatureSequence roll = ComputePianoroll(notes, settings, ratio);
    const FeatureSequence spectrogram =
        ComputeSpectrogram(*front_end, Play(notes, ratio, 17 / ratio, settings.sample_rate));
    for (const Note& note : notes) {
      const int row = note.pitch - settings.lowest_pitch;
      int64_t onset = 0;
      while (onset < roll.frames() && roll.cells[onset * roll.cells_per_frame() + row] == 0)
        ++onset;
      ASSERT_LT(onset, roll.frames());
      const int band = BandNearest(*front_end, PitchFrequency(note.pitch));
      const auto level = [&](int64_t frame) {
        return spectrogram.cells[frame * settings.bands + band];
      };
      const auto middle =
          static_cast<int64_t>((note.onset_s + note.offset_s) / 2 / ratio * settings.frame_rate());
      int64_t rise = middle;
      while (rise > 0 && level(rise - 1) > level(middle) - 12) --rise;
      EXPECT_LE(std::abs(rise - onset), 1) << "pitch " << note.pitch << " at tempo ratio " << ratio;
    }
  }
}

// Over many onsets the two clocks must not drift or lie half a frame apart on the mean.
TEST_P(AlignmentTest, TheMeanDistanceOfOnsetsIsBelowHalfAFrame) {
  const FeatureSettings& settings = GetParam().settings;
  const auto front_end = MakeFrontEnd(settings);
  std::vector<Note> notes;
  for (int i = 0; i < 60; ++i)
    notes.push_back(MakeNote(0.5 + 0.5137 * i, 0.8 + 0.5137 * i, 72 + i % 12));
  const FeatureSequence spectrogram =
      ComputeSpectrogram(*front_end, Play(notes, 1.0, 33, settings.sample_rate));
  double sum = 0;
  for (const Note& note : notes) {
    const int band = BandNearest(*front_end, PitchFrequency(note.pitch));
    const auto level = [&](int64_t frame) {
      return spectrogram.cells[frame * settings.bands + band];
    };
    const auto middle =
        static_cast<int64_t>((note.onset_s + note.offset_s) / 2 * settings.frame_rate());
    int64_t rise = middle;
    while (rise > 0 && level(rise - 1) > level(middle) - 12) --rise;
    const int64_t row_onset =
        static_cast<int64_t>(std::floor(note.onset_s * settings.frame_rate() + 0.5));
    sum += static_cast<double>(rise - row_onset);
  }
  // `rise` is the first frame after the step, half a frame later on the mean than the nearest one.
  EXPECT_LT(std::abs(sum / static_cast<double>(notes.size()) - 0.5), 0.5);
}

INSTANTIATE_TEST_SUITE_P(FrontEnds, AlignmentTest, ::testing::ValuesIn(BothFrontEnds()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace antiphon::features
