#include "core/audio/plain_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/audio/encoder.h"
#include "core/decoding/decoder.h"
#include "core/testing/audio_signals.h"

namespace antiphon::audio {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string Encoded(AudioFormat format, double seconds = 3) {
  return EncodeAudio(Arpeggio(seconds, 44100), format).value();
}

TEST(PlainDecoderTest, GivesWhatTheOtherDecoderDoes) {
  for (const AudioFormat format :
       {AudioFormat::kWav, AudioFormat::kFlac, AudioFormat::kOggVorbis, AudioFormat::kMp3}) {
    const std::string bytes = Encoded(format);
    DecodeReport report;
    const auto plain = plain::DecodeMemory(bytes, {}, &report);
    const auto full = DecodeMemory(bytes);
    ASSERT_TRUE(plain.ok() && full.ok()) << plain.status() << full.status();
    EXPECT_EQ(plain->samples.size(), full->samples.size());
    EXPECT_GT(Correlation(plain->samples, full->samples, 0), 0.999);
    EXPECT_THAT(report.Warnings(), IsEmpty());
  }
}

TEST(PlainDecoderTest, PiecesAreTheWholeTogether) {
  const std::string bytes = Encoded(AudioFormat::kMp3, 9);
  const DecodeOptions options{.start_s = 1, .length_s = 6};
  std::vector<float> joined;
  DecodeReport report;
  const absl::Status status = plain::DecodeMemoryInPieces(
      bytes, options,
      [&](std::span<const float> piece) {
        joined.insert(joined.end(), piece.begin(), piece.end());
        return absl::OkStatus();
      },
      &report);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(joined, plain::DecodeMemory(bytes, options)->samples);
  EXPECT_NEAR(report.decoded_s, 6, 0.01);
}

TEST(PlainDecoderTest, WhatItStopsAtIsSaid) {
  const std::string mp3 = Encoded(AudioFormat::kMp3, 20),
                    ogg = Encoded(AudioFormat::kOggVorbis, 20);
  for (const std::string& bytes : {mp3 + mp3, ogg + ogg}) {
    DecodeReport report;
    const auto decoded = plain::DecodeMemory(bytes, {}, &report);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    if (decoded->duration_s() > 39) continue;  // all of it
    EXPECT_NEAR(report.DecodedShare(), 0.5, 0.2);
    EXPECT_THAT(report.Warnings(), SizeIs(1));
  }
}

TEST(PlainDecoderTest, WhatAnMp3LacksIsCountedByItsFrames) {
  std::string bytes = EncodeAudio(Arpeggio(10, 16000), AudioFormat::kMp3).value();
  bytes += bytes + bytes;
  DecodeReport report;
  const auto decoded = plain::DecodeMemory(bytes, {}, &report);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_NEAR(decoded->duration_s() + report.missing_s, 30, 1);
}

TEST(PlainDecoderTest, FormatsOfTheServerAreRefusedAsSuch) {
  const std::string m4a(
      "\0\0\0\x20"
      "ftypM4A \0\0\0\0",
      16);
  EXPECT_FALSE(plain::Reads(SoundFormatOf(m4a)));
  const absl::Status status = plain::DecodeMemory(m4a).status();
  EXPECT_TRUE(absl::IsUnimplemented(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("M4A"));
  EXPECT_TRUE(absl::IsInvalidArgument(plain::DecodeMemory("MThd").status()));
  EXPECT_TRUE(absl::IsNotFound(plain::DecodeFile("/no/such.wav").status()));
}

}  // namespace
}  // namespace antiphon::audio
