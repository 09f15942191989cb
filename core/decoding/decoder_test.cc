#include "core/decoding/decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sndfile.h>

#include <cmath>
#include <complex>
#include <fstream>
#include <iterator>
#include <limits>
#include <memory>
#include <string>

#include "core/audio/encoder.h"
#include "core/audio/from_pcm.h"
#include "core/testing/audio_signals.h"
#include "core/testing/temporary_folder.h"

namespace antiphon::audio {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Encoding {
  const char* name;
  int format;
  int rate;           // one that the format supports
  double tolerance;   // of a sample, full scale 1; 0 where the waveform itself is not kept
  int64_t extra = 0;  // frames that the codec may add or lose
};

constexpr Encoding kEncodings[] = {
    {"Wav8", SF_FORMAT_WAV | SF_FORMAT_PCM_U8, 44100, 1.0 / 64},
    {"Wav16", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 44100, 1.0 / 16384},
    {"Wav24", SF_FORMAT_WAV | SF_FORMAT_PCM_24, 48000, 1e-6},
    {"Wav32", SF_FORMAT_WAV | SF_FORMAT_PCM_32, 48000, 1e-6},
    {"WavFloat", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 44100, 1e-6},
    {"WavDouble", SF_FORMAT_WAV | SF_FORMAT_DOUBLE, 44100, 1e-6},
    {"WavMuLaw", SF_FORMAT_WAV | SF_FORMAT_ULAW, 8000, 0.02},
    {"WavAdpcm", SF_FORMAT_WAV | SF_FORMAT_MS_ADPCM, 22050, 0.05, 4096},
    {"WavExtensible", SF_FORMAT_WAVEX | SF_FORMAT_PCM_16, 44100, 1.0 / 16384},
    {"Rf64", SF_FORMAT_RF64 | SF_FORMAT_PCM_16, 44100, 1.0 / 16384},
    {"W64", SF_FORMAT_W64 | SF_FORMAT_PCM_16, 44100, 1.0 / 16384},
    {"Aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 44100, 1.0 / 16384},
    {"Au", SF_FORMAT_AU | SF_FORMAT_PCM_16, 44100, 1.0 / 16384},
    {"Caf", SF_FORMAT_CAF | SF_FORMAT_PCM_16, 44100, 1.0 / 16384},
    {"CafAlac", SF_FORMAT_CAF | SF_FORMAT_ALAC_16, 44100, 1.0 / 16384},
    {"WavImaAdpcm", SF_FORMAT_WAV | SF_FORMAT_IMA_ADPCM, 22050, 0.05, 4096},
    {"Flac16", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 44100, 1.0 / 16384},
    {"Flac24", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 96000, 1e-6},
    {"OggVorbis", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 44100, 0.05},
    {"OggOpus", SF_FORMAT_OGG | SF_FORMAT_OPUS, 48000, 0.05, 960},
    {"Mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 44100, 0, 4000},
};

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// Interleaved samples in any format that libsndfile writes; empty where it can't.
std::string Encode(const std::vector<float>& interleaved, int channels, int rate, int format) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() + "/encoded";
  SF_INFO info{};
  info.samplerate = rate;
  info.channels = channels;
  info.format = format;
  SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
  if (file == nullptr) return "";
  for (size_t start = 0; start < interleaved.size(); start += 4096 * channels) {
    const size_t count = std::min<size_t>(4096 * channels, interleaved.size() - start);
    EXPECT_EQ(sf_write_float(file, interleaved.data() + start, count),
              static_cast<sf_count_t>(count));
  }
  sf_close(file);
  return ReadAll(path);
}

std::string EncodeWav(const std::vector<float>& interleaved, int channels, int rate) {
  return Encode(interleaved, channels, rate, SF_FORMAT_WAV | SF_FORMAT_FLOAT);
}

absl::StatusCode CodeOf(const absl::StatusOr<Waveform>& result) { return result.status().code(); }
std::string MessageOf(const absl::StatusOr<Waveform>& result) {
  return std::string(result.status().message());
}

class DecoderFormats : public ::testing::TestWithParam<Encoding> {
 protected:
  void SetUp() override {
    tone_ = Sine(440, 2.0, GetParam().rate);
    bytes_ = Encode(tone_.samples, 1, GetParam().rate, GetParam().format);
    if (bytes_.empty()) GTEST_SKIP() << "this libsndfile does not write " << GetParam().name;
  }

  Waveform tone_;
  std::string bytes_;
};

TEST_P(DecoderFormats, SamplesComeBackAtTheirOwnRate) {
  auto decoded = DecodeMemory(bytes_, {.sample_rate = GetParam().rate});
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->sample_rate, GetParam().rate);
  EXPECT_NEAR(static_cast<double>(decoded->samples.size()),
              static_cast<double>(tone_.samples.size()), static_cast<double>(GetParam().extra));
  if (GetParam().tolerance == 0) return;
  // Lossy codecs may warp the ends.
  const std::span<const float> middle =
      std::span(decoded->samples).subspan(GetParam().rate / 2, GetParam().rate);
  const std::span<const float> expected =
      std::span(tone_.samples).subspan(GetParam().rate / 2, GetParam().rate);
  EXPECT_LE(LargestDifference(middle, expected), GetParam().tolerance);
}

TEST_P(DecoderFormats, ToneKeepsItsFrequencyAndAmplitudeAtTheWantedRate) {
  auto decoded = DecodeMemory(bytes_);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->sample_rate, 22050);
  EXPECT_NEAR(decoded->duration_s(), 2.0, (GetParam().extra + 2.0) / GetParam().rate + 1e-4);
  const std::span<const float> middle = std::span(decoded->samples).subspan(11025, 22050);
  EXPECT_NEAR(StrongestFrequency(middle, 22050, 430, 450, 0.1), 440, 0.1);
  EXPECT_NEAR(std::abs(Partial(middle, 22050, 440)), 0.5, 0.01);
}

TEST_P(DecoderFormats, PartIsTheSameAsThatPartOfTheWhole) {
  auto whole = DecodeMemory(bytes_, {.sample_rate = GetParam().rate});
  auto part =
      DecodeMemory(bytes_, {.sample_rate = GetParam().rate, .start_s = 0.75, .length_s = 0.5});
  ASSERT_TRUE(whole.ok() && part.ok()) << whole.status() << part.status();
  ASSERT_EQ(part->samples.size(), static_cast<size_t>(GetParam().rate / 2));
  const auto expected =
      std::span(whole->samples).subspan(std::llround(0.75 * GetParam().rate), GetParam().rate / 2);
  // A shift by one sample would show 0.03.
  EXPECT_LE(LargestDifference(part->samples, expected), 1e-3);
}

TEST_P(DecoderFormats, FileAndMemoryGiveTheSame) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() + "/audio";
  std::ofstream(path, std::ios::binary) << bytes_;
  auto from_file = DecodeFile(path);
  auto from_memory = DecodeMemory(bytes_);
  ASSERT_TRUE(from_file.ok() && from_memory.ok()) << from_file.status() << from_memory.status();
  EXPECT_EQ(from_file->samples, from_memory->samples);
}

TEST_P(DecoderFormats, StereoIsTheMeanOfItsChannels) {
  const Waveform left = Sine(440, 2.0, GetParam().rate, 0.6);
  const Waveform right = Sine(1100, 2.0, GetParam().rate, 0.2);
  std::vector<float> interleaved;
  for (size_t i = 0; i < left.samples.size(); ++i) {
    interleaved.push_back(left.samples[i]);
    interleaved.push_back(right.samples[i]);
  }
  auto decoded = DecodeMemory(Encode(interleaved, 2, GetParam().rate, GetParam().format));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  const std::span<const float> middle = std::span(decoded->samples).subspan(11025, 22050);
  EXPECT_NEAR(std::abs(Partial(middle, 22050, 440)), 0.3, 0.01);
  EXPECT_NEAR(std::abs(Partial(middle, 22050, 1100)), 0.1, 0.01);
}

TEST_P(DecoderFormats, SilenceIsFine) {
  auto decoded = DecodeMemory(
      Encode(std::vector<float>(GetParam().rate, 0.0f), 1, GetParam().rate, GetParam().format));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_LT(Rms(*decoded, 0, 1), 0.01);
}

TEST_P(DecoderFormats, LimitOnDurationHolds) {
  auto decoded = DecodeMemory(bytes_, {.max_duration_s = 1.5});
  EXPECT_EQ(CodeOf(decoded), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(MessageOf(decoded), HasSubstr("1.5 s"));
}

INSTANTIATE_TEST_SUITE_P(Formats, DecoderFormats, ::testing::ValuesIn(kEncodings),
                         [](const ::testing::TestParamInfo<Encoding>& info) {
                           return info.param.name;
                         });

TEST(DecoderTest, TaggedMp3AndFlacAreRead) {
  // An ID3v2.4 tag of 2 KiB of padding: 10 bytes of header, its size in four times 7 bits.
  std::string tag("ID3\x04\x00\x00\x00\x00\x10\x00", 10);
  tag.append(2048, '\0');
  for (int format :
       {SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, SF_FORMAT_FLAC | SF_FORMAT_PCM_16}) {
    const std::string bytes = Encode(Sine(440, 1, 44100).samples, 1, 44100, format);
    if (bytes.empty()) continue;
    auto decoded = DecodeMemory(tag + bytes);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_NEAR(decoded->duration_s(), 1, 0.1);
    EXPECT_NEAR(
        StrongestFrequency(std::span(decoded->samples).subspan(4000, 10000), 22050, 420, 460, 1),
        440, 1);
  }
}

TEST(DecoderTest, PartsPutTogetherAreTheWhole) {
  const std::string bytes = EncodeWav(Sine(440, 3, 22050).samples, 1, 22050);
  auto whole = DecodeMemory(bytes);
  ASSERT_TRUE(whole.ok()) << whole.status();
  std::vector<float> together;
  for (double start : {0.0, 0.7, 1.9}) {
    auto part = DecodeMemory(bytes, {.start_s = start,
                                     .length_s = start == 0     ? 0.7
                                                 : start == 0.7 ? 1.2
                                                                : 0});
    ASSERT_TRUE(part.ok()) << part.status();
    together.insert(together.end(), part->samples.begin(), part->samples.end());
  }
  EXPECT_EQ(together, whole->samples);
}

TEST(DecoderTest, PartBeyondTheEndIsRefusedAndOneAcrossItIsCut) {
  const std::string bytes = EncodeWav(Sine(440, 2, 22050).samples, 1, 22050);
  auto beyond = DecodeMemory(bytes, {.start_s = 2});
  EXPECT_EQ(CodeOf(beyond), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(MessageOf(beyond), HasSubstr("start_s"));
  auto across = DecodeMemory(bytes, {.start_s = 1.5, .length_s = 10});
  ASSERT_TRUE(across.ok()) << across.status();
  EXPECT_EQ(across->samples.size(), 11025u);
}

TEST(DecoderTest, SamplesThatAreNotFiniteAreRefused) {
  const double inf = std::numeric_limits<double>::infinity();
  for (double bad : {std::numeric_limits<double>::quiet_NaN(), inf, -inf, 1e30, -1e11}) {
    std::vector<float> samples(50000, 0.1f);
    samples[40000] = static_cast<float>(bad);
    for (const auto& decoded :
         {DecodeMemory(EncodeWav(samples, 1, 44100)), FromPcm(samples, 2, 44100)}) {
      EXPECT_EQ(CodeOf(decoded), absl::StatusCode::kInvalidArgument) << bad;
      EXPECT_THAT(MessageOf(decoded), HasSubstr("frame")) << bad;
    }
  }
}

TEST(DecoderTest, LouderThanFullScaleIsKept) {
  std::vector<float> samples(1000, 2.5f);
  auto decoded = DecodeMemory(EncodeWav(samples, 1, 22050));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->samples, samples);
}

TEST(DecoderTest, NothingAtAllIsRefused) {
  for (const auto& decoded :
       {DecodeMemory(""), DecodeMemory("R"), DecodeMemory("RIFF"), DecodeMemory("\xFF\xFB"),
        DecodeMemory(EncodeWav({}, 1, 44100)), FromPcm({}, 1, 44100)}) {
    EXPECT_EQ(CodeOf(decoded), absl::StatusCode::kInvalidArgument);
  }
}

TEST(DecoderTest, UnknownFormatsSayWhatIsKnown) {
  const std::string voc =
      Encode(Sine(440, 1, 22050).samples, 1, 22050, SF_FORMAT_VOC | SF_FORMAT_PCM_16);
  const std::string utf16("\xFF\xFEh\0e\0l\0l\0o\0", 12);  // begins almost as MPEG audio does
  for (const std::string& bytes :
       {utf16, std::string("MThd\0\0\0\6\0\0\0\1\1\xE0", 14), std::string("hello, world"), voc}) {
    auto decoded = DecodeMemory(bytes);
    EXPECT_EQ(CodeOf(decoded), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(MessageOf(decoded), HasSubstr("FLAC"));
  }
}

TEST(DecoderTest, LimitsOnChannelsAndRateHold) {
  const std::vector<float> samples(12000, 0.1f);
  EXPECT_EQ(CodeOf(DecodeMemory(EncodeWav(samples, 12, 44100))),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(CodeOf(DecodeMemory(EncodeWav(samples, 12, 44100), {.max_channels = 12})),
            absl::StatusCode::kOk);
  EXPECT_EQ(CodeOf(DecodeMemory(EncodeWav(samples, 1, 500))), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(CodeOf(DecodeMemory(EncodeWav(samples, 1, 500'000))),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(CodeOf(FromPcm(samples, 12, 44100)), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(CodeOf(FromPcm(samples, 1, 999)), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(CodeOf(FromPcm(samples, 1, 44100, {.max_duration_s = 0.1})),
            absl::StatusCode::kResourceExhausted);
}

TEST(DecoderTest, OptionsOutOfRangeAreRefused) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const DecodeOptions& bad :
       {DecodeOptions{.sample_rate = 999}, DecodeOptions{.sample_rate = 192'001},
        DecodeOptions{.max_duration_s = 0}, DecodeOptions{.max_duration_s = nan},
        DecodeOptions{.max_channels = 0}, DecodeOptions{.min_source_rate = 0},
        DecodeOptions{.start_s = -1}, DecodeOptions{.start_s = nan}, DecodeOptions{.length_s = -1},
        DecodeOptions{.length_s = nan}}) {
    EXPECT_EQ(CodeOf(FromPcm(std::vector<float>(100, 0.0f), 1, 22050, bad)),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(DecoderTest, MissingFileIsNotFoundAndNamed) {
  auto decoded = DecodeFile("/no/such.wav");
  EXPECT_EQ(CodeOf(decoded), absl::StatusCode::kNotFound);
  EXPECT_THAT(MessageOf(decoded), HasSubstr("/no/such.wav"));
  const testing::TemporaryFolder folder;
  EXPECT_EQ(CodeOf(DecodeFile(folder.path())), absl::StatusCode::kInvalidArgument);
}

TEST(DecoderTest, DamagedFileIsNamedButMemoryNamesNoPath) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() + "/damaged.flac";
  std::ofstream(path) << "fLaC and no more";
  auto from_file = DecodeFile(path);
  EXPECT_THAT(MessageOf(from_file), HasSubstr(path));
  EXPECT_THAT(MessageOf(from_file), HasSubstr("FLAC"));
  EXPECT_THAT(MessageOf(DecodeMemory("fLaC and no more")), Not(HasSubstr("/")));
}

TEST(FromPcmTest, ChannelsAreAveraged) {
  auto mono = FromPcm(std::vector<float>{1, 0, 0.5f, -0.5f, 0.25f, 0.75f}, 2, 22050);
  ASSERT_TRUE(mono.ok()) << mono.status();
  EXPECT_EQ(mono->samples, (std::vector<float>{0.5f, 0, 0.5f}));
}

TEST(FromPcmTest, PartOfAFrameIsRefused) {
  EXPECT_EQ(CodeOf(FromPcm(std::vector<float>(5, 0.0f), 2, 22050)),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(FromPcm(std::vector<float>(5, 0.0f), 0, 22050)),
            absl::StatusCode::kInvalidArgument);
}

TEST(FromPcmTest, EqualsTheSameSamplesInAFile) {
  const Waveform tone = Sine(440, 3, 44100);
  auto pcm = FromPcm(tone.samples, 1, 44100);
  auto file = DecodeMemory(EncodeWav(tone.samples, 1, 44100));
  ASSERT_TRUE(pcm.ok() && file.ok());
  EXPECT_EQ(pcm->samples, file->samples);
}

TEST(ResampleTest, LengthRateAndFrequencyAreRight) {
  for (int rate : {1000, 8000, 44100, 192000}) {
    auto resampled = Resample(Sine(220, 2, 22050), rate);
    ASSERT_TRUE(resampled.ok()) << resampled.status();
    EXPECT_EQ(resampled->sample_rate, rate);
    EXPECT_NEAR(resampled->duration_s(), 2, 1.0 / rate);
    const std::span<const float> middle = std::span(resampled->samples).subspan(rate / 2, rate);
    EXPECT_NEAR(StrongestFrequency(middle, rate, 210, 230, 0.5), 220, 0.5);
  }
}

TEST(ResampleTest, EmptyStaysEmptyAndBadRatesAreRefused) {
  auto empty = Resample({}, 8000);
  ASSERT_TRUE(empty.ok()) << empty.status();
  EXPECT_TRUE(empty->samples.empty());
  EXPECT_EQ(empty->sample_rate, 8000);
  EXPECT_EQ(CodeOf(Resample(Sine(220, 1, 22050), 10)), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(Resample({{0.5f}, 0}, 22050)), absl::StatusCode::kInvalidArgument);
}

TEST(DecodeInPiecesTest, GivesTheWaveformInPieces) {
  const Waveform sound = Sine(440, 9, 44100);
  const std::string wav = EncodeAudio(sound, AudioFormat::kWav).value();
  for (const DecodeOptions& options :
       {DecodeOptions{}, DecodeOptions{.start_s = 1.5, .length_s = 6.25}}) {
    std::vector<float> joined;
    size_t largest = 0;
    const absl::Status status =
        DecodeMemoryInPieces(wav, options, [&](std::span<const float> piece) {
          joined.insert(joined.end(), piece.begin(), piece.end());
          largest = std::max(largest, piece.size());
          return absl::OkStatus();
        });
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(joined, DecodeMemory(wav, options)->samples);
    EXPECT_LT(largest, 3 * 22050u);
  }
}

TEST(DecodeInPiecesTest, StopsWhenTheSinkDoes) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() + "/pieces.wav";
  ASSERT_TRUE(WriteAudioFile(Sine(440, 9, 44100), AudioFormat::kWav, path).ok());
  int pieces = 0;
  const absl::Status status = DecodeFileInPieces(path, {}, [&](std::span<const float>) {
    return ++pieces == 2 ? absl::CancelledError("enough") : absl::OkStatus();
  });
  EXPECT_EQ(status, absl::CancelledError("enough")) << "as it is, without the name of the file";
  EXPECT_EQ(pieces, 2);
}

TEST(DecodeInPiecesTest, FailsAsDecodingDoes) {
  const auto nobody = [](std::span<const float>) {
    return absl::InternalError("there is no sound in it");
  };
  EXPECT_EQ(DecodeMemoryInPieces("nonsense", {}, nobody), DecodeMemory("nonsense").status());
  EXPECT_EQ(DecodeFileInPieces("/no/such/file", {}, nobody), DecodeFile("/no/such/file").status());
  const std::string wav = EncodeAudio(Sine(440, 3, 44100), AudioFormat::kWav).value();
  EXPECT_TRUE(absl::IsResourceExhausted(DecodeMemoryInPieces(wav, {.max_duration_s = 2}, nobody)));
  EXPECT_TRUE(absl::IsInvalidArgument(DecodeMemoryInPieces(wav, {.start_s = 4}, nobody)));
}

}  // namespace
}  // namespace antiphon::audio
