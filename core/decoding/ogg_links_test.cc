#include "core/decoding/ogg_links.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "core/audio/encoder.h"
#include "core/testing/audio_signals.h"

namespace antiphon::audio {
namespace {

std::string Ogg(double seconds) {
  return EncodeAudio(Sine(440, seconds, 44100), AudioFormat::kOggVorbis).value();
}

std::vector<OggLink> Links(const std::string& bytes) {
  MemoryBytes source(bytes);
  return FindOggLinks(source);
}

TEST(OggLinksTest, OneStreamIsOneLink) {
  const auto links = Links(Ogg(3));
  ASSERT_EQ(links.size(), 1u);
  EXPECT_EQ(links[0].begin, 0);
  EXPECT_EQ(links[0].stray_bytes, 0);
}

TEST(OggLinksTest, StreamsThatFollowEachOtherAreLinks) {
  const std::string a = Ogg(3), b = Ogg(0.1), c = Ogg(2);
  const auto links = Links(a + b + c);
  ASSERT_EQ(links.size(), 3u);
  EXPECT_EQ(links[1].begin, static_cast<int64_t>(a.size()));
  EXPECT_EQ(links[2].begin, static_cast<int64_t>(a.size() + b.size()));
  EXPECT_EQ(links[1].only_granule, 4410) << "its sound is on one page";
}

TEST(OggLinksTest, WhatIsOnNoPageIsStray) {
  const std::string a = Ogg(3), b = Ogg(2);
  const auto links = Links(a + std::string(1000, 'x') + b + std::string(70, 'O'));
  ASSERT_EQ(links.size(), 2u);
  EXPECT_EQ(links[0].stray_bytes, 1000);
  EXPECT_EQ(links[1].stray_bytes, 70);
}

TEST(OggLinksTest, BytesThatAreNoPagesEnd) {
  EXPECT_EQ(Links("").size(), 1u);
  EXPECT_EQ(Links("OggS").size(), 1u);
  std::string marks;
  for (int i = 0; i < 500'000; ++i) marks += "OggS\x01";
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(Links(marks).size(), 1u);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(took.count(), 2);
}

}  // namespace
}  // namespace antiphon::audio
