#include "core/audio/synthesizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <thread>

#include "core/testing/audio_signals.h"
#include "core/testing/temporary_folder.h"

namespace antiphon::audio {
namespace {

constexpr char kSoundfont[] = "/usr/share/sounds/sf2/TimGM6mb.sf2";
// Holds its loudness while a key is down, and falls silent at once after.
constexpr int kOrgan = 19;

music::Note MakeNote(double onset_s, double offset_s, int pitch, int velocity = 80) {
  music::Note note;
  note.onset_s = onset_s;
  note.offset_s = offset_s;
  note.sounding_offset_s = offset_s;
  note.pitch = pitch;
  note.velocity = velocity;
  return note;
}

double Frequency(int pitch) { return 440 * std::pow(2, (pitch - 69) / 12.0); }

class SynthesizerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kSoundfont)) {
      GTEST_SKIP() << kSoundfont << " is not installed (Debian package timgm6mb-soundfont)";
    }
    synthesizer_ = Open({.soundfont = kSoundfont});
  }

  static std::unique_ptr<Synthesizer> Open(const SynthesizerOptions& options) {
    auto synthesizer = Synthesizer::Open(options);
    EXPECT_TRUE(synthesizer.ok()) << synthesizer.status();
    return synthesizer.ok() ? *std::move(synthesizer) : nullptr;
  }

  Waveform Render(const std::vector<music::Note>& notes, const RenderOptions& options = {}) {
    auto waveform = synthesizer_->Render(notes, options);
    EXPECT_TRUE(waveform.ok()) << waveform.status();
    return waveform.ok() ? *std::move(waveform) : Waveform{};
  }

  std::unique_ptr<Synthesizer> synthesizer_;
};

TEST_F(SynthesizerTest, AScoreIsPlayedWithItsOwnInstruments) {
  music::Score score;
  score.notes = {MakeNote(0, 1, 60), MakeNote(0, 2, 69)};
  score.notes[1].track = 1;
  score.notes[1].channel = 1;
  const auto played = [&] {
    auto waveform = synthesizer_->RenderScore(score);
    EXPECT_TRUE(waveform.ok()) << waveform.status();
    return waveform.ok() ? *std::move(waveform) : Waveform{};
  };
  EXPECT_EQ(played().samples, Render(score.notes).samples) << "no parts: one program";
  score.parts = {{"Piano", 0, 0, 0}, {"Organ", 1, 1, kOrgan}};
  std::vector<float> sum = Render({score.notes[1]}, {.program = kOrgan}).samples;
  const std::vector<float> piano = Render({score.notes[0]}).samples;
  ASSERT_LT(piano.size(), sum.size());
  for (size_t i = 0; i < piano.size(); ++i) sum[i] += piano[i];
  EXPECT_EQ(played().samples, sum);
  EXPECT_EQ(synthesizer_->RenderScore(music::Score())->samples, Render({}).samples);
}

TEST_F(SynthesizerTest, StrongestPartialOfANoteIsItsPitch) {
  for (int pitch : {57, 69, 81}) {
    const Waveform waveform = Render({MakeNote(0, 2, pitch)}, {.program = kOrgan});
    const std::span<const float> steady = std::span(waveform.samples).subspan(11025, 22050);
    const double around = Frequency(pitch);
    // Within 5 cents: the soundfont's own tuning is not quite exact.
    EXPECT_NEAR(StrongestFrequency(steady, 22050, 0.9 * around, 1.1 * around, 0.1), around,
                0.003 * around)
        << pitch;
  }
  const Waveform piano = Render({MakeNote(0, 2, 69)});
  const std::span<const float> steady = std::span(piano.samples).subspan(2205, 22050);
  EXPECT_NEAR(StrongestFrequency(steady, 22050, 300, 2000, 0.5), 440, 1);
}

TEST_F(SynthesizerTest, TuningShiftsEverythingByCents) {
  const auto measure = [&](double cents) {
    const Waveform waveform =
        Render({MakeNote(0, 2, 69)}, {.program = kOrgan, .tuning_cents = cents});
    return StrongestFrequency(std::span(waveform.samples).subspan(11025, 22050), 22050, 415, 475,
                              0.05);
  };
  const double untuned = measure(0);
  for (double cents : {-50.0, -12.5, 25.0, 100.0}) {
    // FluidSynth's table of pitches has one entry a cent.
    EXPECT_NEAR(1200 * std::log2(measure(cents) / untuned), cents, 1.5);
  }
}

TEST_F(SynthesizerTest, EqualCallsGiveEqualSound) {
  std::vector<music::Note> notes;
  for (int i = 0; i < 40; ++i)
    notes.push_back(MakeNote(0.05 * i, 0.05 * i + 0.8, 40 + i, 30 + 2 * i));
  for (bool reverb : {false, true}) {
    synthesizer_ = Open({.soundfont = kSoundfont, .reverb = reverb});
    const Waveform first = Render(notes);
    // Another program, cut while it sounds, must leave nothing behind.
    Render({MakeNote(0, 30, 60, 127)},
           {.program = kOrgan, .gain = 3, .tail_s = 0, .tuning_cents = 40});
    EXPECT_EQ(Render(notes).samples, first.samples) << reverb;
    synthesizer_ = Open({.soundfont = kSoundfont, .reverb = reverb});
    EXPECT_EQ(Render(notes).samples, first.samples) << reverb;
  }
}

TEST_F(SynthesizerTest, SynthesizersInSeveralThreadsGiveEqualSound) {
  const std::vector<music::Note> notes = {MakeNote(0, 1, 60), MakeNote(0.5, 1, 67)};
  const RenderOptions options{.program = kOrgan};
  const Waveform expected = Render(notes, options);
  std::vector<absl::StatusOr<Waveform>> results(4, absl::UnknownError("not run"));
  std::vector<std::thread> threads;
  for (auto& result : results) {
    threads.emplace_back([&] {
      auto synthesizer = Synthesizer::Open({.soundfont = kSoundfont});
      for (int i = 0; i < 3 && synthesizer.ok(); ++i)
        result = (*synthesizer)->Render(notes, options);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results) {
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->samples, expected.samples);
  }
}

TEST_F(SynthesizerTest, OrderOfTheNotesDoesNotMatter) {
  const std::vector<music::Note> notes = {MakeNote(0.1, 0.5, 60), MakeNote(0.3, 0.9, 64),
                                          MakeNote(0.3, 0.4, 67)};
  EXPECT_EQ(Render(notes).samples, Render({notes[2], notes[0], notes[1]}).samples);
}

TEST_F(SynthesizerTest, NoteStartsAtItsOnsetAndStopsAtItsEnd) {
  for (double onset : {0.5, 0.7531, 1.0001}) {
    const Waveform waveform = Render({MakeNote(onset, onset + 1, 69, 110)}, {.program = kOrgan});
    EXPECT_LT(Rms(waveform, 0, onset - 0.002), 1e-6);
    const double steady = Rms(waveform, onset + 0.3, onset + 0.9);
    ASSERT_GT(steady, 1e-3);
    size_t first = 0;
    while (std::abs(waveform.samples[first]) < 0.01 * steady) ++first;
    EXPECT_NEAR(first / 22050.0, onset, 0.010);
    EXPECT_LT(Rms(waveform, onset + 1.5, onset + 2), 0.05 * steady);
  }
}

TEST_F(SynthesizerTest, SoundingOffsetNotKeyReleaseEndsTheNote) {
  music::Note pedalled = MakeNote(0, 0.2, 69);
  pedalled.sounding_offset_s = 1.5;
  EXPECT_EQ(Render({pedalled}, {.program = kOrgan}).samples,
            Render({MakeNote(0, 1.5, 69)}, {.program = kOrgan}).samples);
}

TEST_F(SynthesizerTest, LengthIsTheLastEndPlusTheTail) {
  for (double tail : {0.0, 0.001, 1.0, 2.5}) {
    const Waveform waveform =
        Render({MakeNote(0, 1.25, 60), MakeNote(0.5, 0.75, 64)}, {.tail_s = tail});
    EXPECT_EQ(waveform.samples.size(), static_cast<size_t>(std::llround((1.25 + tail) * 22050)));
  }
}

TEST_F(SynthesizerTest, TailHasTheReleaseOfTheLastNote) {
  const Waveform waveform = Render({MakeNote(0, 0.5, 48, 110)}, {.tail_s = 3});
  EXPECT_GT(Rms(waveform, 0.5, 0.55), 1e-4);
  EXPECT_LT(Rms(waveform, 3.0, 3.5), 0.01 * Rms(waveform, 0.5, 0.55));
}

TEST_F(SynthesizerTest, NoNotesAreSilence) {
  const Waveform waveform = Render({}, {.tail_s = 0.5});
  EXPECT_EQ(waveform.samples, std::vector<float>(11025, 0.0f));
}

TEST_F(SynthesizerTest, KeyHeldByTwoNotesEndsWithTheLaterOne) {
  const RenderOptions organ{.program = kOrgan};
  const Waveform waveform = Render({MakeNote(0, 2, 69), MakeNote(0.5, 1, 69)}, organ);
  const double held = Rms(waveform, 1.4, 1.9);
  EXPECT_NEAR(held, Rms(Render({MakeNote(0, 2, 69)}, organ), 1.4, 1.9), 0.1 * held);
  EXPECT_LT(Rms(waveform, 2.5, 3), 0.05 * held);
}

TEST_F(SynthesizerTest, KeyStruckAgainWhileHeldSoundsAnew) {
  const Waveform once = Render({MakeNote(0, 4, 72)});
  const Waveform twice = Render({MakeNote(0, 4, 72), MakeNote(2, 4, 72)});
  EXPECT_GT(Rms(twice, 2.0, 2.3), 1.5 * Rms(once, 2.0, 2.3));
}

TEST_F(SynthesizerTest, RepeatedNotesThatTouchAreEachStruck) {
  const Waveform repeated = Render({MakeNote(0, 2, 72), MakeNote(2, 4, 72)});
  EXPECT_GT(Rms(repeated, 2.0, 2.3), 1.5 * Rms(Render({MakeNote(0, 4, 72)}), 2.0, 2.3));
}

TEST_F(SynthesizerTest, VelocityAndGainMakeItLouder) {
  const double base = Rms(Render({MakeNote(0, 1, 60, 60)}), 0, 1);
  EXPECT_GT(Rms(Render({MakeNote(0, 1, 60, 110)}), 0, 1), 1.5 * base);
  EXPECT_NEAR(Rms(Render({MakeNote(0, 1, 60, 60)}, {.gain = 1.0}), 0, 1), 2 * base, 0.02 * base);
}

TEST_F(SynthesizerTest, SampleRateOfTheOptionsIsKept) {
  for (int rate : {8000, 44100, 96000}) {
    synthesizer_ = Open({.soundfont = kSoundfont, .sample_rate = rate});
    const Waveform waveform = Render({MakeNote(0, 1, 69)}, {.program = kOrgan, .tail_s = 0});
    EXPECT_EQ(waveform.sample_rate, rate);
    ASSERT_EQ(waveform.samples.size(), static_cast<size_t>(rate));
    EXPECT_NEAR(
        StrongestFrequency(std::span(waveform.samples).subspan(rate / 2), rate, 400, 480, 0.25),
        440, 1);
  }
}

TEST_F(SynthesizerTest, ReverbIsHeardOnlyWhenAskedFor) {
  const std::vector<music::Note> notes = {MakeNote(0, 0.5, 60)};
  const Waveform dry = Render(notes);
  synthesizer_ = Open({.soundfont = kSoundfont, .reverb = true});
  EXPECT_NE(Render(notes).samples, dry.samples);
}

TEST_F(SynthesizerTest, NotesOutOfRangeAreRefusedByIndex) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const music::Note& bad :
       {MakeNote(0, 1, 128), MakeNote(0, 1, -1), MakeNote(0, 1, 60, 0), MakeNote(0, 1, 60, 128),
        MakeNote(-0.1, 1, 60), MakeNote(2, 1, 60), MakeNote(nan, 1, 60), MakeNote(0, nan, 60)}) {
    const absl::Status status = synthesizer_->Render(std::vector{MakeNote(0, 1, 60), bad}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find("note 1"), absl::string_view::npos) << status;
  }
}

TEST_F(SynthesizerTest, OptionsOutOfRangeAreRefused) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const RenderOptions& bad :
       {RenderOptions{.program = 128}, RenderOptions{.program = -1}, RenderOptions{.gain = 11},
        RenderOptions{.gain = nan}, RenderOptions{.tail_s = -1}, RenderOptions{.tail_s = nan},
        RenderOptions{.tuning_cents = 1300}, RenderOptions{.tuning_cents = nan}}) {
    EXPECT_EQ(synthesizer_->Render({}, bad).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(SynthesizerTest, TooLongIsRefusedBeforeAnythingIsAllocated) {
  const absl::Status status = synthesizer_->Render(std::vector{MakeNote(0, 1e9, 60)}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(SynthesizerTest, RateOutOfRangeIsRefused) {
  for (int rate : {0, 7999, 96001}) {
    EXPECT_EQ(Synthesizer::Open({.soundfont = kSoundfont, .sample_rate = rate}).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(SynthesizerFilesTest, MissingSoundfontIsNotFoundAndNamed) {
  const absl::Status status = Synthesizer::Open({.soundfont = "/no/such.sf2"}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(status.message().find("/no/such.sf2"), absl::string_view::npos);
}

TEST(SynthesizerFilesTest, FileThatIsNoSoundfontIsRefusedQuietly) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() + "/not_a_soundfont.sf2";
  std::ofstream(path) << "This is text, whatever its name says.";
  ::testing::internal::CaptureStderr();
  const absl::Status status = Synthesizer::Open({.soundfont = path}).status();
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find(path), absl::string_view::npos);
}

}  // namespace
}  // namespace antiphon::audio
