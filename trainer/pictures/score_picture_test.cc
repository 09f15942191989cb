#include "trainer/pictures/score_picture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <string>

#include "core/audio/encoder.h"
#include "core/music/midi_file.h"
#include "core/testing/temporary_folder.h"

// fontconfig keeps what it has read until the process ends, which is no leak of ours. Read by
// AddressSanitizer only.
extern "C" const char* __lsan_default_suppressions() { return "leak:libfontconfig"; }

namespace antiphon::trainer::pictures {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class PictureTest : public ::testing::Test {
 protected:
  void SetUp() override {
    music::Score score;
    for (int i = 0; i < 8; ++i) {
      music::Note note;
      note.onset_s = 0.5 * i;
      note.offset_s = note.sounding_offset_s = note.onset_s + 0.4;
      note.pitch = 60 + i;
      score.notes.push_back(note);
    }
    std::ofstream(folder_ / "score.mid", std::ios::binary) << music::WriteMidi(score).value();
    audio::Waveform audio;
    audio.samples.resize(4 * audio.sample_rate);
    for (size_t n = 0; n < audio.samples.size(); ++n) audio.samples[n] = 0.5f * std::sin(0.1f * n);
    ASSERT_TRUE(audio::WriteAudioFile(audio, audio::AudioFormat::kWav, folder_ / "sound.wav").ok());
    options_.score = folder_ / "score.mid";
    options_.audio = folder_ / "sound.wav";
    options_.output = folder_ / "picture.png";
    options_.length_s = 4;
  }
  std::string Picture() const {
    std::ifstream in(options_.output, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  const testing::TemporaryFolder temporary_;
  const fs::path folder_ = temporary_.path();
  PictureOptions options_;
};

TEST_F(PictureTest, WritesAPng) {
  const absl::Status status = RunPicture(options_);
  ASSERT_TRUE(status.ok()) << status;
  const std::string png = Picture();
  EXPECT_EQ(png.substr(0, 8), "\x89PNG\r\n\x1a\n");
  EXPECT_GT(png.size(), 10'000u);
}

TEST_F(PictureTest, DrawsBothFrontEndsAndEveryTempoDifferently) {
  ASSERT_TRUE(RunPicture(options_).ok());
  const std::string first = Picture();
  ASSERT_TRUE(RunPicture(options_).ok());
  EXPECT_EQ(Picture(), first);
  options_.tempo_ratio = 1.3;
  ASSERT_TRUE(RunPicture(options_).ok());
  const std::string faster = Picture();
  EXPECT_NE(faster, first);
  options_.settings = features::DorferSettings();
  ASSERT_TRUE(RunPicture(options_).ok());
  EXPECT_NE(Picture(), faster);
}

TEST_F(PictureTest, APartBeyondTheEndIsDrawnEmpty) {
  options_.start_s = 1000;
  EXPECT_EQ(RunPicture(options_), absl::OkStatus());
}

TEST_F(PictureTest, RefusesWhatIsOutOfRangeByName) {
  const struct {
    const char* field;
    std::function<void(PictureOptions&)> spoil;
  } cases[] = {
      {"soundfont", [](auto& o) { o.audio.clear(); }},
      {"output", [](auto& o) { o.output.clear(); }},
      {"tempo_ratio", [](auto& o) { o.tempo_ratio = 0; }},
      {"tempo_ratio", [](auto& o) { o.tempo_ratio = std::numeric_limits<double>::quiet_NaN(); }},
      {"start_s", [](auto& o) { o.start_s = -1; }},
      {"length_s", [](auto& o) { o.length_s = 121; }},
      {"hop_length", [](auto& o) { o.settings.hop_length = 0; }},
  };
  for (const auto& test : cases) {
    PictureOptions options = options_;
    test.spoil(options);
    const absl::Status status = RunPicture(options);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << test.field;
    EXPECT_THAT(std::string(status.message()), HasSubstr(test.field));
  }
  EXPECT_FALSE(fs::exists(options_.output));
}

TEST_F(PictureTest, SaysWhichFileIsTheTrouble) {
  options_.score = folder_ / "absent.mid";
  EXPECT_THAT(std::string(RunPicture(options_).message()), HasSubstr("absent.mid"));
  options_.score = folder_ / "score.mid";
  options_.output = folder_ / "absent" / "picture.png";
  const absl::Status status = RunPicture(options_);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("picture.png"));
}

// Forty notes with three partials each, a fifth slower than they are written.
TEST_F(PictureTest, DrawsAScoreWhereItIsPlayed) {
  music::Score score;
  audio::Waveform audio;
  audio.samples.resize(14 * audio.sample_rate);
  for (int i = 0; i < 40; ++i) {
    music::Note note;
    note.onset_s = 0.25 * i;
    note.offset_s = note.sounding_offset_s = note.onset_s + 0.22;
    note.pitch = 48 + (i * 17) % 31;
    score.notes.push_back(note);
    const auto from = static_cast<size_t>(1.25 * note.onset_s * audio.sample_rate);
    for (size_t n = 0; n < static_cast<size_t>(audio.sample_rate) / 4; ++n) {
      const double t = static_cast<double>(n) / audio.sample_rate;
      for (int partial = 1; partial <= 3; ++partial) {
        audio.samples[from + n] += static_cast<float>(
            0.2 / partial * std::exp(-4 * t) *
            std::sin(2 * M_PI * 440 * std::exp2((note.pitch - 69) / 12.0) * partial * t));
      }
    }
  }
  std::ofstream(folder_ / "score.mid", std::ios::binary) << music::WriteMidi(score).value();
  ASSERT_TRUE(audio::WriteAudioFile(audio, audio::AudioFormat::kWav, folder_ / "sound.wav").ok());
  ASSERT_TRUE(RunPicture(options_).ok());
  const std::string unaligned = Picture();
  options_.align = true;
  const absl::Status status = RunPicture(options_);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_NE(Picture(), unaligned);
  // Other music.
  for (music::Note& note : score.notes) note.pitch = 90 - (note.pitch * 7) % 41;
  std::ofstream(folder_ / "score.mid", std::ios::binary) << music::WriteMidi(score).value();
  EXPECT_EQ(RunPicture(options_).code(), absl::StatusCode::kFailedPrecondition);
  options_.audio.clear();
  options_.soundfont = "font.sf3";
  EXPECT_EQ(RunPicture(options_).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace antiphon::trainer::pictures
