#include "tests/bench/excerpts.h"

#include <gmock/gmock.h>

#include <cmath>

namespace antiphon::bench {
namespace {

// Of so many seconds, each sample different from its neighbours.
Clip ClipOf(int seconds) {
  Clip clip{.path = "clip.flac", .samples = {}};
  for (int i = 0; i < seconds * kSampleRate; ++i)
    clip.samples += {static_cast<char>(i & 0xff), static_cast<char>(i >> 8 & 0x7f)};
  return clip;
}

std::string SamplesOf(const Excerpt& excerpt) {
  v1::IdentifyRequest request;
  EXPECT_TRUE(request.ParseFromString(excerpt.request));
  EXPECT_EQ(request.audio().pcm().sample_rate(), kSampleRate);
  return request.audio().pcm().samples();
}

TEST(ExcerptsTest, ExcerptsAreStretchesOfTheClip) {
  const Clip clip = ClipOf(8);
  const std::vector<Excerpt> excerpts = DrawExcerpts({clip}, 2, 3, 1);
  ASSERT_EQ(excerpts.size(), 3);
  for (const Excerpt& excerpt : excerpts) {
    const auto first = static_cast<size_t>(std::lround(excerpt.start_s * kSampleRate));
    EXPECT_EQ(SamplesOf(excerpt), clip.samples.substr(2 * first, size_t{2} * 2 * kSampleRate));
    EXPECT_EQ(excerpt.length_s, 2);
  }
  EXPECT_NE(excerpts[0].start_s, excerpts[1].start_s);
}

TEST(ExcerptsTest, AWholeClipIsAskedAboutOnce) {
  const Clip clip = ClipOf(3);
  for (const double length_s : {0.0, 3.0, 30.0}) {
    const std::vector<Excerpt> excerpts = DrawExcerpts({clip}, length_s, 4, 1);
    ASSERT_EQ(excerpts.size(), 1);
    EXPECT_EQ(SamplesOf(excerpts[0]), clip.samples);
    EXPECT_EQ(excerpts[0].length_s, 3);
  }
}

TEST(ExcerptsTest, WhatTheyAreLookedForAmongIsInTheRequest) {
  for (const v1::Side against : {v1::SIDE_SCORES, v1::SIDE_RECORDINGS}) {
    v1::IdentifyRequest request;
    ASSERT_TRUE(request.ParseFromString(DrawExcerpts({ClipOf(3)}, 1, 1, 1, against)[0].request));
    EXPECT_EQ(request.against(), against);
  }
}

TEST(ExcerptsTest, TheSeedDecidesThePlaces) {
  const auto place = [](uint64_t seed) { return DrawExcerpts({ClipOf(9)}, 1, 1, seed)[0].start_s; };
  EXPECT_EQ(place(1), place(1));
  EXPECT_NE(place(1), place(2));
}

}  // namespace
}  // namespace antiphon::bench
