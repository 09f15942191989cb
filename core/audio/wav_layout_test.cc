#include "core/audio/wav_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <string>

#include "core/audio/encoder.h"
#include "core/decoding/decoder.h"
#include "core/testing/audio_signals.h"

namespace antiphon::audio {
namespace {

using ::testing::HasSubstr;

constexpr int kRate = 16000;
constexpr size_t kHeader = 44;

std::string Number(uint32_t value) {
  std::string bytes(4, '\0');
  std::memcpy(bytes.data(), &value, 4);
  return bytes;
}

// A second of 16-bit mono.
std::string Wav() { return EncodeAudio(Sine(440, 1, kRate), AudioFormat::kWav).value(); }

// With other sizes in its header.
std::string WithSizes(std::string wav, uint32_t riff, uint32_t data) {
  wav.replace(4, 4, Number(riff));
  wav.replace(kHeader - 4, 4, Number(data));
  return wav;
}

double Seconds(const std::string& wav, DecodeReport* report = nullptr) {
  const auto decoded = DecodeMemory(wav, {.sample_rate = kRate}, report);
  EXPECT_TRUE(decoded.ok()) << decoded.status();
  return decoded.ok() ? decoded->duration_s() : 0;
}

TEST(WavLayoutTest, SizesThatWereNeverFilledInMeanToTheEnd) {
  const std::string wav = Wav();
  for (const uint32_t riff : {0u, 0xFFFFFFFFu, 36u, 0x7FFFFFFFu}) {
    for (const uint32_t data : {0u, 0xFFFFFFFFu, 0xFFFFFFFFu - 36, 0x80000000u, 0x7FFF0000u}) {
      DecodeReport report;
      EXPECT_EQ(Seconds(WithSizes(wav, riff, data), &report), 1) << riff << " " << data;
      EXPECT_EQ(report.Warnings().size(), 0u) << riff << " " << data;
    }
  }
}

TEST(WavLayoutTest, AFileThatIsReallyEmptyIsNotReadIntoWhatFollows) {
  const std::string empty =
      WithSizes(Wav().substr(0, kHeader) + "LIST" + Number(4) + "INFO", 48, 0);
  EXPECT_FALSE(DecodeMemory(empty).ok());
}

TEST(WavLayoutTest, AFileThatWasCutOffSaysHowMuchIsMissing) {
  DecodeReport report;
  EXPECT_NEAR(Seconds(Wav().substr(0, kHeader + kRate * 2 / 4), &report), 0.25, 0.001);
  EXPECT_NEAR(report.missing_s, 0.75, 0.001);
  EXPECT_NEAR(report.DecodedShare(), 0.25, 0.001);
  ASSERT_EQ(report.Warnings().size(), 1u);
  EXPECT_THAT(report.Warnings()[0], HasSubstr("0.8 s of the sound could not be decoded"));
}

TEST(WavLayoutTest, ASizeThatIsTooSmallDoesNotEndTheSound) {
  std::string wav = Wav();
  wav += EncodeAudio(Sine(440, 3, kRate), AudioFormat::kWav).value().substr(kHeader);
  EXPECT_EQ(Seconds(WithSizes(wav, 36 + 2 * kRate, 2 * kRate)), 4);
}

TEST(WavLayoutTest, ChunksBeforeAndAfterTheSamplesAreLeftAway) {
  std::string wav = Wav();
  const std::string odd = "junk" + Number(3) + "abc" + std::string(1, '\0');
  const std::string samples = wav.substr(kHeader);
  wav = wav.substr(0, 12) + odd + wav.substr(12) + odd;
  EXPECT_EQ(Seconds(wav), 1);
  MemoryBytes bytes(wav);
  const auto layout = ReadWavLayout(bytes);
  ASSERT_TRUE(layout.ok()) << layout.status();
  EXPECT_EQ(wav.substr(layout->data_begin, layout->data_end - layout->data_begin), samples);
  EXPECT_EQ(layout->header, Wav().substr(0, kHeader));
  EXPECT_TRUE(layout->plain);
  EXPECT_EQ(layout->bytes_per_second, 2 * kRate);
}

TEST(WavLayoutTest, WithoutAFormatOrSamplesItIsDamaged) {
  for (const std::string& wav :
       {Wav().substr(0, 12), Wav().substr(0, 36), Wav().substr(0, 12) + Wav().substr(36),
        std::string("RIFF"), std::string()}) {
    MemoryBytes bytes(wav);
    EXPECT_TRUE(absl::IsInvalidArgument(ReadWavLayout(bytes).status())) << wav.size();
  }
}

// Within a LIST, a size of -8 leads libsndfile 1.2.0 back to the chunk that has it, without end: a
// WAV file of 150 bytes is enough.
TEST(WavLayoutTest, AListThatLeadsInCirclesIsNotWalked) {
  const std::string wav = Wav();
  for (const uint32_t size : {0xFFFFFFF8u, 0xFFFFFFF7u, 0xFFFFFFF4u, 0xFFFFFFFFu}) {
    for (const char* name : {"LIST", "INFO"}) {
      const std::string body = "INFOabcd" + Number(size) + std::string(64, '\0');
      const std::string chunk = name + Number(static_cast<uint32_t>(body.size())) + body;
      EXPECT_EQ(Seconds(wav.substr(0, 36) + chunk + wav.substr(36)), 1) << name << " " << size;
      EXPECT_EQ(Seconds(wav + chunk), 1) << name << " " << size;
    }
  }
}

// It must not get to see any other chunk either.
TEST(WavLayoutTest, AChunkThatClaimsToBeEndlessIsNotWalked) {
  const std::string wav = Wav();
  for (const char* name : {"smpl", "cue ", "LIST", "exif", "acid", "bext", "cart", "PEAK"}) {
    for (const uint32_t size : {0xFFFFFFFFu, 0xFFFFFFFEu, 0xFFFF0000u, 0x7FFFFFFFu, 0u}) {
      std::string body(36, '\xFF');
      body.replace(28, 4, Number(0x7FFFFFFF));
      const std::string chunk = name + Number(size) + body;
      const auto begin = std::chrono::steady_clock::now();
      static_cast<void>(DecodeMemory(wav.substr(0, 36) + chunk + wav.substr(36)));
      static_cast<void>(DecodeMemory(wav + chunk));
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
      EXPECT_LT(took.count(), 2) << name << " " << size;
    }
  }
  // Behind the samples it does not matter at all.
  EXPECT_EQ(Seconds(wav + "smpl" + Number(0xFFFFFFFF) + std::string(36, '\xFF')), 1);
}

TEST(WavLayoutTest, ManyTinyChunksEnd) {
  std::string wav = Wav().substr(0, 12);
  for (int i = 0; i < 200'000; ++i) wav += "junk" + Number(0);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(DecodeMemory(wav).ok());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(took.count(), 2);
}

}  // namespace
}  // namespace antiphon::audio
