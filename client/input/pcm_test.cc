#include "client/input/pcm.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "core/audio/encoder.h"

namespace antiphon::client {
namespace {

Input InMemory(const std::string& bytes) {
  return {.name = "standard input",
          .path = "",
          .bytes = bytes,
          .size = static_cast<int64_t>(bytes.size())};
}

std::string Wav(double seconds, int rate) {
  audio::Waveform waveform;
  waveform.sample_rate = rate;
  waveform.samples.assign(static_cast<size_t>(seconds * rate), 0.5f);
  return audio::EncodeAudio(waveform, audio::AudioFormat::kWav).value();
}

TEST(PcmTest, CutsWhatIsBeyondFullScale) {
  const std::string bytes =
      ToInt16(std::vector<float>{0, 0.5f, -1.0f, 3.0f, -std::numeric_limits<float>::infinity()});
  std::vector<int16_t> samples(bytes.size() / 2);
  std::memcpy(samples.data(), bytes.data(), bytes.size());
  EXPECT_EQ(samples, (std::vector<int16_t>{0, 16384, -32767, 32767, -32767}));
}

TEST(PcmTest, StreamsAPartOfASound) {
  size_t bytes = 0;
  int pieces = 0;
  const absl::Status status = StreamAudio(InMemory(Wav(20, 44100)), 5.0, 10.0, /*pace=*/false,
                                          [&](const std::string& samples) {
                                            bytes += samples.size();
                                            ++pieces;
                                            return absl::OkStatus();
                                          });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(bytes, 2 * 10 * 22050u);
  EXPECT_GT(pieces, 3);
}

TEST(PcmTest, TellsItsOwnFailuresFromTheTakers) {
  const auto taker = [](const std::string&) { return absl::CancelledError("enough"); };
  EXPECT_EQ(StreamAudio(InMemory(Wav(3, 22050)), {}, {}, false, taker),
            absl::CancelledError("enough"));
  EXPECT_EQ(StreamAudio(InMemory(Wav(3, 22050)), {}, {}, true, taker),
            absl::CancelledError("enough"));
  const absl::Status damaged = StreamAudio(InMemory("nonsense"), {}, {}, false, taker);
  EXPECT_TRUE(absl::IsInvalidArgument(damaged)) << damaged;
  EXPECT_NE(std::string(damaged.message()).find("standard input"), std::string::npos);
}

}  // namespace
}  // namespace antiphon::client
