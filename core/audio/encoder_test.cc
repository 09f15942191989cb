#include "core/audio/encoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "core/decoding/decoder.h"
#include "core/testing/audio_signals.h"
#include "core/testing/temporary_folder.h"

namespace antiphon::audio {
namespace {

constexpr AudioFormat kFormats[] = {AudioFormat::kWav, AudioFormat::kFlac, AudioFormat::kOggVorbis};

double Tolerance(AudioFormat format) {
  return format == AudioFormat::kOggVorbis ? 0.05 : 1.0 / 32768;
}

TEST(EncoderTest, DecodingGivesTheSamplesBack) {
  for (AudioFormat format : kFormats) {
    for (int rate : {8000, 22050, 44100, 48000}) {
      const Waveform sine = Sine(440, 1.3, rate);
      auto bytes = EncodeAudio(sine, format);
      ASSERT_TRUE(bytes.ok()) << bytes.status();
      auto decoded = DecodeMemory(*bytes, {.sample_rate = rate});
      ASSERT_TRUE(decoded.ok()) << decoded.status();
      EXPECT_EQ(decoded->sample_rate, rate);
      ASSERT_EQ(decoded->samples.size(), sine.samples.size());
      EXPECT_LE(LargestDifference(decoded->samples, sine.samples), Tolerance(format)) << rate;
    }
  }
}

// A burst comes back where it was, at the rate promised.
TEST(EncoderTest, Mp3IsNeitherDelayedNorLongerNorLarger) {
  for (int rate : {22050, 44100}) {
    Waveform burst = Sine(440, 4, rate);
    std::fill(burst.samples.begin(), burst.samples.begin() + rate, 0.0f);
    std::fill(burst.samples.begin() + 3 * rate, burst.samples.end(), 0.0f);
    auto bytes = EncodeAudio(burst, AudioFormat::kMp3);
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    EXPECT_NEAR(bytes->size(), 4 * 64000 / 8, 3000) << rate;
    auto decoded = DecodeMemory(*bytes, {.sample_rate = rate});
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    ASSERT_EQ(decoded->samples.size(), burst.samples.size());
    const Waveform difference = [&] {
      Waveform w = *decoded;
      for (size_t i = 0; i < w.samples.size(); ++i) w.samples[i] -= burst.samples[i];
      return w;
    }();
    EXPECT_LT(Rms(difference, 1.1, 2.9), 0.1 * Rms(burst, 1.1, 2.9)) << rate;
  }
}

TEST(EncoderTest, OneSampleIsEnough) {
  for (AudioFormat format : kFormats) {
    auto bytes = EncodeAudio({{0.25f}, 22050}, format);
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    auto decoded = DecodeMemory(*bytes);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(decoded->samples.size(), 1u);
  }
}

TEST(EncoderTest, LouderThanFullScaleIsClippedNotWrapped) {
  for (AudioFormat format : {AudioFormat::kWav, AudioFormat::kFlac}) {
    auto bytes = EncodeAudio({{3.0f, -3.0f, 1.0f, -1.0f, 0.0f}, 22050}, format);
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    auto decoded = DecodeMemory(*bytes);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    const float expected[] = {1, -1, 1, -1, 0};
    EXPECT_LE(LargestDifference(decoded->samples, expected), 2.0 / 32768);
  }
}

TEST(EncoderTest, EmptyWaveformIsRefused) {
  for (AudioFormat format : kFormats) {
    EXPECT_EQ(EncodeAudio({}, format).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(EncoderTest, SampleThatIsNotFiniteIsRefused) {
  for (float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    EXPECT_EQ(EncodeAudio({{0, bad}, 22050}, AudioFormat::kWav).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(EncoderTest, ImpossibleSampleRateIsRefused) {
  for (AudioFormat format : kFormats) {
    for (int rate : {0, -5}) {
      EXPECT_EQ(EncodeAudio({{0.5f}, rate}, format).status().code(),
                absl::StatusCode::kInvalidArgument);
    }
  }
  EXPECT_EQ(EncodeAudio({{0.5f}, 2'000'000}, AudioFormat::kFlac).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(EncoderTest, FileIsWrittenAndReplaced) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() + "/a.flac";
  ASSERT_TRUE(WriteAudioFile(Sine(440, 2.0, 22050), AudioFormat::kFlac, path).ok());
  const Waveform shorter = Sine(660, 0.5, 22050);
  ASSERT_TRUE(WriteAudioFile(shorter, AudioFormat::kFlac, path).ok());
  auto decoded = DecodeFile(path);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  ASSERT_EQ(decoded->samples.size(), shorter.samples.size());
  EXPECT_LE(LargestDifference(decoded->samples, shorter.samples), 1.0 / 32768);
}

TEST(EncoderTest, PathThatCannotBeWrittenIsNamed) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() + "/no/such/folder/a.wav";
  const absl::Status status = WriteAudioFile(Sine(440, 0.1, 22050), AudioFormat::kWav, path);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(status.message().find(path), absl::string_view::npos);
}

TEST(EncoderTest, FullDiskIsAnError) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  EXPECT_EQ(WriteAudioFile(Sine(440, 1, 22050), AudioFormat::kWav, "/dev/full").code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(std::filesystem::exists("/dev/full"));
}

}  // namespace
}  // namespace antiphon::audio
