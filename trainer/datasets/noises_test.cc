#include "trainer/datasets/noises.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace antiphon::trainer::datasets {
namespace {

constexpr int kRate = 22050;

double Energy(const std::vector<float>& samples) {
  double sum = 0;
  for (const float sample : samples) sum += static_cast<double>(sample) * sample;
  return sum;
}

// Share of the energy above about `corner` Hz, by a one-pole high-pass.
double BrightShare(const std::vector<float>& samples, double corner) {
  const double a = std::exp(-2 * 3.14159265 * corner / kRate);
  double low = 0, high = 0;
  for (const float sample : samples) {
    low = a * low + (1 - a) * sample;
    high += (sample - low) * (sample - low);
  }
  return high / Energy(samples);
}

TEST(NoisesTest, AreAsLongAsAskedForFiniteAndRepeatable) {
  for (const std::string& name : NoiseNames()) {
    const auto a = MakeNoise(name, 3, kRate, 1), b = MakeNoise(name, 3, kRate, 1),
               c = MakeNoise(name, 3, kRate, 2);
    ASSERT_TRUE(a.ok()) << name;
    EXPECT_EQ(a->samples.size(), 3u * kRate) << name;
    EXPECT_EQ(a->samples, b->samples) << name;
    EXPECT_TRUE(std::all_of(a->samples.begin(), a->samples.end(), [](float s) {
      return std::abs(s) <= 0.501f;
    })) << name;
    if (name == "silence") {
      EXPECT_EQ(Energy(a->samples), 0);
    } else {
      EXPECT_NE(a->samples, c->samples) << name;
      EXPECT_GT(Energy(a->samples), 1) << name;
    }
  }
}

TEST(NoisesTest, HaveTheirColours) {
  const auto bright = [](const char* name) {
    return BrightShare(MakeNoise(name, 5, kRate, 1)->samples, 1000);
  };
  EXPECT_GT(bright("white"), 0.6);
  EXPECT_LT(bright("pink"), bright("white") - 0.2);
  EXPECT_LT(bright("hum"), 0.1);
}

TEST(NoisesTest, AnUnknownNameIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(MakeNoise("applause", 1, kRate, 1).status()));
}

TEST(NoisesTest, EveryKindAndLengthIsAskedForWithSoundsOfItsOwn) {
  std::map<std::string, int> asked;
  std::set<std::vector<float>> waveforms;
  const std::vector<double> lengths_s = {0.5, 1};
  const auto ask = [&](const std::string& kind, double length_s, const audio::Waveform& audio) {
    EXPECT_EQ(audio.samples.size(), static_cast<size_t>(length_s * kRate));
    ++asked[kind];
    waveforms.insert(audio.samples);
    return absl::OkStatus();
  };
  ASSERT_TRUE(ForEachNoise("a", lengths_s, 3, kRate, ask).ok());
  for (const std::string& kind : NoiseNames()) EXPECT_EQ(asked[kind], 6) << kind;
  const size_t all_but_silence = (NoiseNames().size() - 1) * 6;
  EXPECT_EQ(waveforms.size(), all_but_silence + 2);
  ASSERT_TRUE(ForEachNoise("b", lengths_s, 3, kRate, ask).ok());
  EXPECT_EQ(waveforms.size(), 2 * all_but_silence + 2);

  int calls = 0;
  const auto fail = [&](const std::string&, double, const audio::Waveform&) {
    return ++calls == 4 ? absl::CancelledError("enough") : absl::OkStatus();
  };
  EXPECT_EQ(ForEachNoise("a", lengths_s, 3, kRate, fail).code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(calls, 4);
}

}  // namespace
}  // namespace antiphon::trainer::datasets
