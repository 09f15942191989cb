#include "client/input/input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "core/audio/encoder.h"

namespace antiphon::client {
namespace {

using ::testing::HasSubstr;

namespace fs = std::filesystem;

std::string TempFile(const std::string& name, const std::string& bytes) {
  const std::string path = ::testing::TempDir() + "antiphon_input_" + name;
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

TEST(SniffTest, KnowsMidiByItsHeader) {
  EXPECT_EQ(Sniff(std::string("MThd\0\0\0\6", 8)), Kind::kScore);
  EXPECT_EQ(Sniff("MThd"), Kind::kScore) << "damaged, but meant as MIDI";
  EXPECT_EQ(Sniff("MTh"), Kind::kUnknown);
}

TEST(SniffTest, KnowsWhatTheEncoderWrites) {
  audio::Waveform waveform;
  waveform.samples.assign(4096, 0.1f);
  for (const auto format :
       {audio::AudioFormat::kWav, audio::AudioFormat::kFlac, audio::AudioFormat::kOggVorbis}) {
    const auto bytes = audio::EncodeAudio(waveform, format);
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    EXPECT_EQ(Sniff(*bytes), Kind::kAudio);
  }
}

TEST(SniffTest, KnowsNotation) {
  for (const char* bytes : {"<score-partwise>", "X:1\nK:C\n", "**kern\n4c\n"})
    EXPECT_EQ(Sniff(bytes), Kind::kScore) << bytes;
}

TEST(SniffTest, AScoreThatIsNotReadIsUnknown) {
  EXPECT_EQ(Sniff("<mei>"), Kind::kUnknown);
  EXPECT_EQ(Sniff("hello, world"), Kind::kUnknown);
}

TEST(NotWantedTest, SaysWhatItIsAndWhatToDo) {
  const auto refusal = [](const std::string& bytes, Kind wanted) {
    const absl::Status status = NotWanted({.name = "x", .path = "", .bytes = bytes}, wanted);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  };
  for (const Kind wanted : {Kind::kUnknown, Kind::kAudio, Kind::kScore}) {
    EXPECT_EQ(refusal("<mei>", wanted),
              "x is MEI, which is not read: export it as MusicXML or MIDI");
    EXPECT_EQ(refusal("%PDF-1.4", wanted), "x is PDF, which is neither audio nor a score");
  }
  EXPECT_EQ(refusal("fLaC", Kind::kScore), "x is no score, but audio (FLAC)");
  EXPECT_EQ(refusal("MThd", Kind::kAudio), "x is a MIDI file, and no audio");
  EXPECT_EQ(refusal("X:1\nK:C\n", Kind::kAudio), "x is a score (ABC), and no audio");
  EXPECT_THAT(refusal("words", Kind::kScore), HasSubstr("x is no score of a known kind"));
  EXPECT_THAT(refusal("words", Kind::kAudio), HasSubstr("ffmpeg"));
  EXPECT_THAT(refusal("words", Kind::kUnknown), HasSubstr("--as audio or --as score"));
}

TEST(OpenInputTest, ReadsStandardInputToTheEnd) {
  std::string bytes = "MThd";
  for (int i = 0; i < 300'000; ++i) bytes += static_cast<char>(i * 7);
  std::istringstream in(bytes);
  const auto input = OpenInput("-", in);
  ASSERT_TRUE(input.ok()) << input.status();
  EXPECT_EQ(input->name, "standard input");
  EXPECT_EQ(input->size, static_cast<int64_t>(bytes.size()));
  EXPECT_EQ(ReadAll(*input).value(), bytes);
}

TEST(OpenInputTest, ReadsAFileLater) {
  const std::string path = TempFile("later", "MThd" + std::string(20'000, 'x'));
  std::istringstream in;
  const auto input = OpenInput(path, in);
  ASSERT_TRUE(input.ok()) << input.status();
  EXPECT_EQ(input->size, 20'004);
  EXPECT_LT(input->bytes.size(), 20'004u);
  EXPECT_EQ(Sniff(input->bytes), Kind::kScore);
  EXPECT_EQ(ReadAll(*input)->size(), 20'004u);
}

TEST(OpenInputTest, SaysWhichInputCannotBeRead) {
  std::istringstream in;
  const auto refused = [&](const std::string& file) {
    const auto input = OpenInput(file, in);
    EXPECT_TRUE(absl::IsInvalidArgument(input.status()));
    return std::string(input.status().message());
  };
  EXPECT_THAT(refused("/nonexistent/a.wav"), HasSubstr("/nonexistent/a.wav: no such file"));
  EXPECT_THAT(refused(::testing::TempDir()), HasSubstr("directory"));
  EXPECT_THAT(refused(TempFile("empty", "")), HasSubstr("it is empty"));
  EXPECT_THAT(refused("-"), HasSubstr("standard input: it is empty"));
}

}  // namespace
}  // namespace antiphon::client
