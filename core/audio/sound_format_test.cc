#include "core/audio/sound_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

#include "core/audio/encoder.h"
#include "core/testing/audio_signals.h"

namespace antiphon::audio {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Tag(size_t bytes) {
  std::string tag("ID3\x04\x00\x00", 6);
  for (int shift : {21, 14, 7, 0}) tag.push_back(static_cast<char>(bytes >> shift & 0x7F));
  return tag.append(bytes, '\xFF');
}

std::string Mp3() { return EncodeAudio(Sine(440, 0.5, 44100), AudioFormat::kMp3).value(); }

TEST(SoundFormatTest, EveryKindIsToldByItsMark) {
  const struct {
    std::string head;
    SoundFormat format;
  } kinds[] = {
      {"RIFF\0\0\0\0WAVEfmt ", SoundFormat::kWav},
      {std::string("RF64\xFF\xFF\xFF\xFFWAVEds64", 16), SoundFormat::kWav},
      {std::string("FORM\0\0\0\x20"
                   "AIFCFVER",
                   16),
       SoundFormat::kAiff},
      {std::string(".snd\0\0\0\x18", 8), SoundFormat::kAu},
      {std::string("caff\0\1\0\0", 8), SoundFormat::kCaf},
      {"riff\x2E\x91\xCF\x11", SoundFormat::kW64},
      {"fLaC", SoundFormat::kFlac},
      {"OggS", SoundFormat::kOgg},
      {std::string("\0\0\0\x20"
                   "ftypM4A ",
                   12),
       SoundFormat::kMp4},
      {"\x1A\x45\xDF\xA3\x9F", SoundFormat::kMatroska},
      {"\x30\x26\xB2\x75\x8E\x66\xCF\x11\xA6", SoundFormat::kAsf},
      {"#!AMR\n", SoundFormat::kAmr},
      {"#!AMR-WB\n", SoundFormat::kAmr},
      {std::string("\xFF\xF1\x50\x80\x00\x1F\xFC", 7), SoundFormat::kUnknown},  // no such length
      {std::string("\xFF\xF1\x50\x80\x02\x1F\xFC\x21", 8), SoundFormat::kAac},
      {Mp3(), SoundFormat::kMp3},
  };
  for (auto [head, format] : kinds) {
    if (head.starts_with("RIFF")) head = std::string("RIFF\0\0\0\0WAVEfmt ", 16);
    EXPECT_EQ(SoundFormatOf(head), format) << NameOf(format);
  }
}

TEST(SoundFormatTest, OtherThingsAreNotSound) {
  std::mt19937 generator(1);
  std::string noise(60000, '\0');
  for (char& c : noise) c = static_cast<char>(generator());
  noise[0] = 'x';
  for (const std::string& head :
       {std::string(), std::string("MThd\0\0\0\6", 8), std::string("hello, world"),
        std::string("\xFF\xFEh\0e\0l\0l\0o\0", 12), std::string("RIFF\0\0\0\0AVI ", 12),
        std::string(100, '\0'), noise}) {
    EXPECT_EQ(SoundFormatOf(head), SoundFormat::kUnknown) << head.substr(0, 12);
  }
}

TEST(SoundFormatTest, Mp3IsFoundBehindTagsZerosAndHalfFrames) {
  const std::string mp3 = Mp3();
  EXPECT_EQ(SoundFormatOf(Tag(300) + mp3), SoundFormat::kMp3);
  EXPECT_EQ(SoundFormatOf(Tag(300) + Tag(20) + mp3), SoundFormat::kMp3);
  EXPECT_EQ(SoundFormatOf(Tag(300)), SoundFormat::kMp3) << "the sound lies further on";
  EXPECT_EQ(SoundFormatOf(Tag(300) + "fLaC"), SoundFormat::kFlac);
  EXPECT_EQ(SoundFormatOf(std::string(1024, '\0') + mp3), SoundFormat::kMp3);
  EXPECT_EQ(SoundFormatOf(mp3.substr(500)), SoundFormat::kMp3);
  EXPECT_EQ(LeadingTagBytes(Tag(300) + Tag(20) + mp3), 340);
  EXPECT_EQ(LeadingTagBytes(mp3), 0);
}

TEST(SoundFormatTest, FramesAreFoundWhereSeveralFollowEachOther) {
  const std::string mp3 = Mp3();
  const size_t first = FindMpegFrames(mp3);
  ASSERT_EQ(first, 0u);
  int rate = 0;
  EXPECT_EQ(FindMpegFrames("junk\xFF\xFB\x90" + mp3, &rate), 7u);
  EXPECT_EQ(rate, 44100);
  EXPECT_EQ(FindMpegFrames(mp3.substr(0, 150)), std::string_view::npos) << "one frame is none";
}

TEST(SoundFormatTest, NamesAreThere) {
  std::set<std::string> names;
  for (int i = 1; i <= static_cast<int>(SoundFormat::kAmr); ++i)
    names.insert(NameOf(static_cast<SoundFormat>(i)));
  EXPECT_EQ(names.size(), static_cast<size_t>(SoundFormat::kAmr));
  EXPECT_FALSE(names.contains(""));
  EXPECT_THAT(KnownSoundFormats(), HasSubstr("WebM"));
  for (const std::string& ending : SoundFileEndings()) EXPECT_EQ(ending[0], '.') << ending;
}

}  // namespace
}  // namespace antiphon::audio
