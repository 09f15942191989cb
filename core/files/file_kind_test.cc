#include "core/files/file_kind.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace antiphon::files {
namespace {

using namespace std::string_literals;

FileKind KindOf(const std::string& head) { return TypeOf(head).kind; }

std::string Zeros(size_t count) { return std::string(count, '\0'); }

// One frame of MPEG-1 layer III, 128 kbit/s, 44,100 Hz: 417 bytes.
std::string Mp3Frame() { return "\xFF\xFB\x90\x64" + std::string(413, 'x'); }

TEST(FileKindTest, KnowsMidiHoweverItIsWrapped) {
  const std::string midi = "MThd\0\0\0\6"s;
  EXPECT_EQ(KindOf(midi), FileKind::kMidi);
  EXPECT_EQ(KindOf("MThd"), FileKind::kMidi) << "damaged, but meant as MIDI";
  EXPECT_EQ(KindOf("MTh"), FileKind::kUnknown);
  EXPECT_EQ(KindOf("\r\n \n" + midi), FileKind::kMidi) << "blank lines of a bad download";
  EXPECT_EQ(KindOf("\xEF\xBB\xBF" + midi), FileKind::kMidi);
  EXPECT_EQ(KindOf("RIFF\x10\0\0\0RMIDdata"s), FileKind::kMidi);
  const std::string mac_binary = "\0\x05"s + "a.mid" + Zeros(121);
  EXPECT_EQ(KindOf(mac_binary + midi), FileKind::kMidi);
  EXPECT_EQ(KindOf(std::string(128, 'x') + midi), FileKind::kUnknown);
}

TEST(FileKindTest, KnowsAudioByItsMark) {
  EXPECT_EQ(TypeOf("RIFF\0\0\0\0WAVE"s).name, "WAV");
  EXPECT_EQ(TypeOf("FORM\0\0\0\0AIFF"s).name, "AIFF");
  EXPECT_EQ(TypeOf("fLaC").name, "FLAC");
  EXPECT_EQ(TypeOf("OggS").name, "Ogg");
  EXPECT_EQ(TypeOf("\0\0\0\x1C"
                   "ftypM4A "s)
                .name,
            "MPEG-4");
  EXPECT_EQ(TypeOf("\x1A\x45\xDF\xA3").name, "WebM or Matroska");
  EXPECT_EQ(TypeOf("\x30\x26\xB2\x75\x8E\x66\xCF\x11").name, "WMA");
  EXPECT_EQ(TypeOf("#!AMR\n").name, "AMR");
  EXPECT_EQ(TypeOf("\xFF\xF1\x50\x80").name, "AAC");
  for (const char* mark : {"ID3\x04", ".snd", "caff", "\xFF\xFB\x90\x64"})
    EXPECT_EQ(KindOf(mark), FileKind::kAudio) << mark;
}

TEST(FileKindTest, FindsMp3FramesBehindOtherBytes) {
  const std::string frames = Mp3Frame() + Mp3Frame() + Mp3Frame();
  EXPECT_EQ(KindOf(Zeros(1024) + frames), FileKind::kAudio);
  EXPECT_EQ(KindOf(Mp3Frame().substr(100) + frames), FileKind::kAudio) << "cut within a frame";
  EXPECT_EQ(KindOf(Zeros(100) + Mp3Frame() + "no more of them"), FileKind::kUnknown);
}

TEST(FileKindTest, NamesScoresOfEveryKind) {
  EXPECT_EQ(TypeOf("<?xml version=\"1.0\"?>\n<score-partwise version=\"3.1\">").name, "MusicXML");
  EXPECT_EQ(TypeOf("\xEF\xBB\xBF<score-timewise>").name, "MusicXML");
  std::string utf16 = "\xFF\xFE";
  for (const char c : "<score-partwise>"s) utf16 += {c, '\0'};
  EXPECT_EQ(TypeOf(utf16).name, "MusicXML");
  EXPECT_EQ(TypeOf("PK\x03\x04....META-INF/container.xml").name, "compressed MusicXML");
  EXPECT_EQ(TypeOf("!!!COM: Bach\n**kern\t**kern\n").name, "Humdrum **kern");
  EXPECT_EQ(TypeOf("X:1\nT:Sakura\nM:4/4\nK:Am\n").name, "ABC");
  EXPECT_EQ(TypeOf("\\version \"2.22.1\"\n").name, "LilyPond");
  EXPECT_EQ(KindOf("<score-partwise>"), FileKind::kNotation);
  EXPECT_EQ(KindOf("X:1\nK:Am\n"), FileKind::kNotation);
  EXPECT_EQ(KindOf("**kern\n4c\n"), FileKind::kNotation);
  for (const char* head : {"<mei xmlns=\"x\">", "<museScore version=\"3\">"})
    EXPECT_EQ(KindOf(head), FileKind::kUnreadScore) << head;
}

TEST(FileKindTest, DoesNotTakeAnythingElseForMusic) {
  for (const std::string& head :
       {""s, "hello, world"s, "RIFF\0\0\0\0AVI "s, "\xFF\xFE\x61"s, "<?xml?><html>"s, "X:1\n"s})
    EXPECT_EQ(KindOf(head), FileKind::kUnknown) << head;
  EXPECT_EQ(KindOf("%PDF-1.4"), FileKind::kOther);
  EXPECT_EQ(KindOf("PK\x03\x04 words.docx"), FileKind::kOther);
  EXPECT_EQ(KindOf("\0\x05\x16\x07"s), FileKind::kOther) << "what macOS writes as ._name.mid";
}

TEST(FileKindTest, RandomBytesAreHardlyEverMusic) {
  std::mt19937 rng(1);
  int known = 0;
  for (int i = 0; i < 1000; ++i) {
    std::string head(kFileHeadBytes, '\0');
    for (char& c : head) c = static_cast<char>(rng());
    known += KindOf(head) == FileKind::kUnknown ? 0 : 1;
  }
  EXPECT_LE(known, 3);
}

}  // namespace
}  // namespace antiphon::files
