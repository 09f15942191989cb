#include "core/audio/pcm_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "core/audio/from_pcm.h"
#include "core/testing/audio_signals.h"

namespace antiphon::audio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

template <typename Sample>
std::string Bytes(const std::vector<Sample>& samples) {
  return std::string(reinterpret_cast<const char*>(samples.data()),
                     samples.size() * sizeof(Sample));
}

absl::StatusOr<std::vector<float>> Convert(const PcmFormat& format, int rate,
                                           const std::string& bytes, size_t chunk) {
  auto stream = PcmStream::Create(format, rate);
  if (!stream.ok()) return stream.status();
  std::vector<float> output;
  for (size_t begin = 0; begin < bytes.size(); begin += chunk) {
    const absl::Status status =
        (*stream)->Push(std::string_view(bytes).substr(begin, chunk), output);
    if (!status.ok()) return status;
  }
  if (absl::Status status = (*stream)->Finish(output); !status.ok()) return status;
  return output;
}

TEST(PcmStreamTest, GivesWhatTheWholeWouldHoweverItIsCut) {
  std::vector<float> stereo;
  const Waveform left = Sine(440, 0.7, 44100), right = Sine(1000, 0.7, 44100, 0.2);
  for (size_t i = 0; i < left.samples.size(); ++i) {
    stereo.push_back(left.samples[i]);
    stereo.push_back(right.samples[i]);
  }
  const auto whole = FromPcm(stereo, 2, 44100);
  ASSERT_TRUE(whole.ok());
  const PcmFormat format{PcmEncoding::kFloat32, 2, 44100};
  for (const size_t chunk : {size_t{1}, size_t{7}, size_t{1003}, size_t{1} << 20}) {
    const auto output = Convert(format, 22050, Bytes(stereo), chunk);
    ASSERT_TRUE(output.ok()) << output.status();
    EXPECT_EQ(*output, whole->samples) << chunk;
  }
}

TEST(PcmStreamTest, IntegersArePartsOfFullScale) {
  const auto output = Convert({PcmEncoding::kInt16, 1, 22050}, 22050,
                              Bytes(std::vector<int16_t>{0, 16384, -32768, 32767}), 3);
  ASSERT_TRUE(output.ok());
  EXPECT_THAT(*output, ElementsAre(0, 0.5f, -1.0f, 32767.0f / 32768));
}

TEST(PcmStreamTest, HalfAFrameAtTheEndIsRefused) {
  const std::string bytes = Bytes(std::vector<int16_t>{1, 2, 3, 4});
  const PcmFormat stereo{PcmEncoding::kInt16, 2, 22050};
  EXPECT_TRUE(Convert(stereo, 22050, bytes, 5).ok());
  for (const size_t missing : {1, 2, 3}) {
    const auto output = Convert(stereo, 22050, bytes.substr(missing), 5);
    ASSERT_TRUE(absl::IsInvalidArgument(output.status()));
    EXPECT_THAT(std::string(output.status().message()),
                HasSubstr(absl::StrCat(4 - missing, " of 4 bytes")));
  }
}

TEST(PcmStreamTest, WhatIsNoSoundIsRefused) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e11f}) {
    const auto output =
        Convert({PcmEncoding::kFloat32, 1, 22050}, 22050, Bytes(std::vector<float>{0, bad}), 3);
    EXPECT_TRUE(absl::IsInvalidArgument(output.status())) << bad;
  }
}

TEST(PcmStreamTest, NothingInNothingOut) {
  const auto none = Convert({PcmEncoding::kFloat32, 2, 44100}, 22050, "", 1);
  ASSERT_TRUE(none.ok());
  EXPECT_THAT(*none, IsEmpty());
  const auto little =
      Convert({PcmEncoding::kInt16, 1, 384'000}, 22050, Bytes(std::vector<int16_t>{5}), 1);
  ASSERT_TRUE(little.ok());
  EXPECT_LE(little->size(), 1u);
}

TEST(PcmStreamTest, FormatsThatNobodySendsAreRefused) {
  const auto code = [](int channels, int rate) {
    return PcmStream::Create({PcmEncoding::kInt16, channels, rate}, 22050).status().code();
  };
  EXPECT_EQ(code(0, 44100), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(-1, 44100), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(9, 44100), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(code(1, 0), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(code(1, 400'000), absl::StatusCode::kResourceExhausted);
}

TEST(PcmStreamTest, ALongStreamKeepsNothingBack) {
  auto stream = PcmStream::Create({PcmEncoding::kInt16, 1, 48000}, 22050);
  ASSERT_TRUE(stream.ok());
  const std::string second(48000 * 2, '\1');
  size_t samples = 0;
  std::vector<float> output;
  for (int i = 0; i < 600; ++i) {
    output.clear();
    ASSERT_TRUE((*stream)->Push(second, output).ok());
    EXPECT_LE(output.size(), 2 * 22050u);
    samples += output.size();
  }
  output.clear();
  ASSERT_TRUE((*stream)->Finish(output).ok());
  EXPECT_EQ(samples + output.size(), 600 * 22050u);
}

}  // namespace
}  // namespace antiphon::audio
