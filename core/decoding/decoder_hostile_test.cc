// The decoder against damaged and invented input: a waveform within the limits or a status,
// whatever the bytes.
#include <gtest/gtest.h>
#include <sndfile.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "core/decoding/decoder.h"
#include "core/testing/audio_signals.h"
#include "core/testing/temporary_folder.h"

// libsndfile (1.2.0) loses a few kilobytes when an Ogg stream breaks off among its headers. It is
// the library's own.
extern "C" const char* __lsan_default_suppressions() { return "leak:vorbis_info_init\n"; }

namespace antiphon::audio {
namespace {

struct Encoding {
  const char* name;
  int format;
  int mutations;
};

constexpr Encoding kEncodings[] = {
    {"Wav16", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 1500},
    {"WavFloat", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 600},
    {"WavMsAdpcm", SF_FORMAT_WAV | SF_FORMAT_MS_ADPCM, 600},
    {"WavImaAdpcm", SF_FORMAT_WAV | SF_FORMAT_IMA_ADPCM, 600},
    {"WavGsm", SF_FORMAT_WAV | SF_FORMAT_GSM610, 400},
    {"Rf64", SF_FORMAT_RF64 | SF_FORMAT_PCM_16, 400},
    {"W64", SF_FORMAT_W64 | SF_FORMAT_PCM_16, 400},
    {"Aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 600},
    {"Au", SF_FORMAT_AU | SF_FORMAT_PCM_16, 400},
    {"Caf", SF_FORMAT_CAF | SF_FORMAT_PCM_16, 400},
    {"CafAlac", SF_FORMAT_CAF | SF_FORMAT_ALAC_16, 400},
    {"Flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 1500},
    {"OggVorbis", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 1000},
    {"OggOpus", SF_FORMAT_OGG | SF_FORMAT_OPUS, 600},
    {"Mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 1000},
};

constexpr double kMaxDuration = 30;  // seconds; the inputs last a quarter of one

// A short tone in stereo; empty where this libsndfile can't write the format.
std::string Encode(int format) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() + "/encoded";
  SF_INFO info{};
  const int subtype = format & SF_FORMAT_SUBMASK;
  info.samplerate = subtype == SF_FORMAT_OPUS ? 48000 : 16000;
  info.channels = subtype == SF_FORMAT_GSM610 ? 1 : 2;
  info.format = format;
  SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
  if (file == nullptr) return "";
  const Waveform tone = Sine(500, 0.25 * info.channels, info.samplerate);
  EXPECT_EQ(sf_write_float(file, tone.samples.data(), tone.samples.size()),
            static_cast<sf_count_t>(tone.samples.size()));
  sf_close(file);
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// What must hold for any input.
void ExpectWaveformOrStatus(const std::string& bytes, double start_s = 0) {
  const auto begin = std::chrono::steady_clock::now();
  // The result goes to half the inputs' rate, so that resampling is part of it.
  auto decoded = DecodeMemory(
      bytes, {.sample_rate = 8000, .max_duration_s = kMaxDuration, .start_s = start_s});
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(took.count(), 10);
  if (!decoded.ok()) {
    EXPECT_TRUE(decoded.status().code() == absl::StatusCode::kInvalidArgument ||
                decoded.status().code() == absl::StatusCode::kResourceExhausted)
        << decoded.status();
    EXPECT_FALSE(decoded.status().message().empty());
    return;
  }
  EXPECT_FALSE(decoded->samples.empty());
  EXPECT_LE(decoded->duration_s(), kMaxDuration + 0.01);
  bool finite = true;
  for (float x : decoded->samples) finite &= std::isfinite(x);
  EXPECT_TRUE(finite);
}

class HostileAudio : public ::testing::TestWithParam<Encoding> {
 protected:
  void SetUp() override {
    bytes_ = Encode(GetParam().format);
    if (bytes_.empty()) GTEST_SKIP() << "this libsndfile does not write " << GetParam().name;
  }
  std::string bytes_;
};

TEST_P(HostileAudio, TruncatedAnywhere) {
  const size_t step = std::max<size_t>(1, bytes_.size() / 200);
  for (size_t length = 0; length < bytes_.size(); length += length < 128 ? 1 : step) {
    SCOPED_TRACE(length);
    ExpectWaveformOrStatus(bytes_.substr(0, length));
  }
}

TEST_P(HostileAudio, MutatedAnywhere) {
  std::mt19937 generator(static_cast<unsigned>(GetParam().format));
  for (int i = 0; i < GetParam().mutations; ++i) {
    SCOPED_TRACE(i);
    std::string mutated = bytes_;
    // Two in three fall on the header, where a byte means more.
    const size_t reach =
        generator() % 3 != 0 ? std::min<size_t>(mutated.size(), 200) : mutated.size();
    for (unsigned change = 1 + generator() % 6; change > 0; --change) {
      const size_t at = generator() % reach;
      constexpr unsigned char kExtremes[] = {0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF};
      switch (generator() % 4) {
        case 0:
          mutated[at] = static_cast<char>(generator());
          break;
        case 1:
          mutated[at] ^= static_cast<char>(1u << generator() % 8);
          break;
        case 2:
          std::memset(mutated.data() + at, kExtremes[generator() % 6],
                      std::min<size_t>(4, mutated.size() - at));
          break;
        case 3:
          mutated.erase(at, generator() % 9);
          mutated.append(16, 'x');  // never shorter than `reach`
          break;
      }
    }
    ExpectWaveformOrStatus(mutated, generator() % 4 == 0 ? 0.1 : 0);
  }
}

TEST_P(HostileAudio, FollowedOrPrecededByAnotherStream) {
  std::mt19937 generator(3);
  std::string noise(5000, '\0');
  for (char& c : noise) c = static_cast<char>(generator());
  ExpectWaveformOrStatus(bytes_ + bytes_);
  ExpectWaveformOrStatus(bytes_ + noise);
  ExpectWaveformOrStatus(bytes_.substr(0, bytes_.size() / 2) + noise + bytes_);
  ExpectWaveformOrStatus(bytes_.substr(0, 64) + noise);
}

INSTANTIATE_TEST_SUITE_P(Formats, HostileAudio, ::testing::ValuesIn(kEncodings),
                         [](const ::testing::TestParamInfo<Encoding>& info) {
                           return info.param.name;
                         });

TEST(HostileAudioTest, RandomBytesBehindEveryKnownBeginning) {
  std::mt19937 generator(5);
  const std::string heads[] = {"",
                               std::string("RIFF\xFF\xFF\xFF\xFFWAVEfmt ", 16),
                               std::string("RF64\xFF\xFF\xFF\xFFWAVEds64", 16),
                               std::string("RIFX\0\0\xFF\xFFWAVEfmt ", 16),
                               std::string("FORM\0\0\xFF\xFF"
                                           "AIFFCOMM",
                                           16),
                               std::string("FORM\0\0\xFF\xFF"
                                           "AIFCCOMM",
                                           16),
                               "riff\x2E\x91\xCF\x11",
                               ".snd",
                               "caff",
                               "fLaC",
                               "OggS",
                               "ID3",
                               "\xFF\xFB",
                               "\xFF\xF3"};
  for (const std::string& head : heads) {
    for (int i = 0; i < 150; ++i) {
      std::string bytes = head;
      for (unsigned n = generator() % 3000; n > 0; --n)
        bytes.push_back(static_cast<char>(generator()));
      ExpectWaveformOrStatus(bytes);
    }
  }
}

// Headers that claim far more than there is.
TEST(HostileAudioTest, ClaimedLengthIsNotAllocated) {
  std::string flac = Encode(SF_FORMAT_FLAC | SF_FORMAT_PCM_16);
  ASSERT_FALSE(flac.empty());
  // STREAMINFO begins at byte 8; its total of samples is the low 36 bits of bytes 13 to 17 from
  // there.
  flac[21] |= 0x0F;
  std::memset(flac.data() + 22, 0xFF, 4);
  auto over_limit = DecodeMemory(flac, {.max_duration_s = kMaxDuration});
  EXPECT_EQ(over_limit.status().code(), absl::StatusCode::kResourceExhausted);
  auto within_limit = DecodeMemory(flac, {.max_duration_s = 1e9});
  ASSERT_TRUE(within_limit.ok()) << within_limit.status();
  EXPECT_NEAR(within_limit->duration_s(), 0.25, 0.01);
  EXPECT_LT(within_limit->samples.capacity(), flac.size() * 200);

  std::string au("\x2Esnd\0\0\0\x18\x7F\xFF\xFF\xFF\0\0\0\x03\0\0\xAC\x44\0\0\0\x01", 24);
  au.append(100, '\x11');
  auto short_au = DecodeMemory(au);
  if (short_au.ok()) {
    EXPECT_LE(short_au->samples.size(), 50u);
  }
}

// FLAC may leave its length open (0): the limit is then kept while decoding.
TEST(HostileAudioTest, LimitHoldsForStreamsOfUndeclaredLength) {
  std::string flac = Encode(SF_FORMAT_FLAC | SF_FORMAT_PCM_16);
  ASSERT_FALSE(flac.empty());
  flac[21] &= static_cast<char>(0xF0);
  std::memset(flac.data() + 22, 0, 4);
  auto whole = DecodeMemory(flac);
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_NEAR(whole->duration_s(), 0.25, 0.001);
  EXPECT_EQ(DecodeMemory(flac, {.max_duration_s = 0.2}).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(DecodeMemory(flac, {.max_duration_s = 0.25}).ok());
  auto part = DecodeMemory(flac, {.start_s = 0.1, .length_s = 0.1});
  ASSERT_TRUE(part.ok()) << part.status();
  EXPECT_NEAR(part->duration_s(), 0.1, 0.001);
  EXPECT_EQ(DecodeMemory(flac, {.start_s = 5}).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace antiphon::audio
