// Every format, in files that other programs wrote (ffmpeg, lame, opusenc, flac; Chromium and
// GStreamer in tests/cases/audio), chained, cut and damaged.
#include "core/decoding/ffmpeg_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "core/audio/encoder.h"
#include "core/audio/from_pcm.h"
#include "core/decoding/decoder.h"
#include "core/testing/audio_signals.h"
#include "core/testing/temporary_folder.h"

namespace antiphon::audio {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kRate = 11025;
constexpr double kSeconds = 5;

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// What a command makes of the sound: {in} is a WAV file, {out} where the result goes, which with
// `name` ends in the right way.
std::string Make(const Waveform& sound, std::string command, const std::string& name) {
  const testing::TemporaryFolder folder;
  const std::string in = folder.path() + "/in.wav", out = folder.path() + "/" + name;
  EXPECT_TRUE(WriteAudioFile(sound, AudioFormat::kWav, in).ok());
  const std::pair<std::string, std::string> places[] = {{"{in}", in}, {"{out}", out}};
  for (const auto& [mark, path] : places) {
    for (size_t at; (at = command.find(mark)) != std::string::npos;)
      command.replace(at, mark.size(), path);
  }
  EXPECT_EQ(std::system(command.c_str()), 0)
      << command << " (scripts/packages.txt lists what the tests need)";
  return ReadAll(out);
}

std::string Ffmpeg(const std::string& arguments) {
  return "ffmpeg -v error -y -i {in} " + arguments + " {out}";
}

struct Format {
  const char* name;
  const char* file;
  std::string command;
  double extra_s = 0.002;  // longer or shorter than the original
  double lag_s = 0;  // by which it may be late or early: the encoder's delay, where nobody says it
  double correlation = 0.95;
};

void PrintTo(const Format& format, std::ostream* out) { *out << format.name; }

const Format kFormats[] = {
    {"M4aAac", "a.m4a", Ffmpeg("-c:a aac"), 0.03},
    {"M4aFastStart", "a.m4a", Ffmpeg("-c:a aac -movflags faststart"), 0.03},
    {"M4aAlac", "a.m4a", Ffmpeg("-c:a alac")},
    {"Mp4Fragmented", "a.mp4", Ffmpeg("-c:a aac -movflags frag_keyframe+empty_moov"), 0.06, 0.03},
    {"Mp4Opus", "a.mp4", Ffmpeg("-c:a libopus"), 0.03},
    {"MovPcm", "a.mov", Ffmpeg("-c:a pcm_s16le")},
    {"AdtsAac", "a.aac", Ffmpeg("-c:a aac"), 0.1, 0.06},
    {"WebmOpus", "a.webm", Ffmpeg("-c:a libopus"), 0.02},
    {"WebmVorbis", "a.webm", Ffmpeg("-c:a libvorbis"), 0.03},
    {"WebmWithoutLength", "a.webm", "ffmpeg -v error -i {in} -c:a libopus -f webm - > {out}", 0.02},
    {"MatroskaFlac", "a.mka", Ffmpeg("-c:a flac")},
    {"MatroskaMp3", "a.mka", Ffmpeg("-c:a libmp3lame"), 0.06, 0.06},
    {"OggVorbis", "a.ogg", Ffmpeg("-c:a libvorbis")},
    {"OggOpus", "a.opus", Ffmpeg("-c:a libopus"), 0.02},
    {"OggOpusOfOpusenc", "a.opus", "opusenc --quiet {in} {out}", 0.02},
    {"OggFlac", "a.oga", Ffmpeg("-c:a flac")},
    {"OggFlacOfFlac", "a.oga", "flac --silent --ogg -o {out} {in}"},
    {"OggSpeex", "a.spx", Ffmpeg("-ar 16000 -c:a libspeex -b:a 27000"), 0.03, 0.02, 0.9},
    {"Flac", "a.flac", Ffmpeg("-c:a flac")},
    {"FlacOfFlac", "a.flac", "flac --silent -o {out} {in}"},
    {"Flac24", "a.flac", Ffmpeg("-c:a flac -sample_fmt s32")},
    {"Mp3", "a.mp3", Ffmpeg("-c:a libmp3lame"), 0.01},
    {"Mp3Vbr", "a.mp3", Ffmpeg("-c:a libmp3lame -q:a 4"), 0.01},
    {"Mp3VbrWithoutXing", "a.mp3", Ffmpeg("-c:a libmp3lame -q:a 4 -write_xing 0"), 0.06, 0.06},
    {"Mp3OfLame", "a.mp3", "lame --quiet -V 4 {in} {out}", 0.01},
    {"Mp3OfLameWithoutXing", "a.mp3", "lame --quiet -t -V 4 {in} {out}", 0.06, 0.06},
    {"Mp2", "a.mp2", Ffmpeg("-c:a mp2"), 0.06, 0.03},
    {"Wma1", "a.wma", Ffmpeg("-c:a wmav1"), 0.1, 0.06},
    {"Wma2", "a.wma", Ffmpeg("-c:a wmav2"), 0.1, 0.06},
    {"Aiff", "a.aiff", Ffmpeg("")},
    {"AifcIma4", "a.aifc", Ffmpeg("-c:a adpcm_ima_qt"), 0.01},
    {"Caf", "a.caf", Ffmpeg("")},
    {"CafAlac", "a.caf", Ffmpeg("-c:a alac"), 0.2},
    {"W64", "a.w64", Ffmpeg("")},
    {"Au", "a.au", Ffmpeg("")},
    {"Wav24", "a.wav", Ffmpeg("-c:a pcm_s24le")},
    {"WavFloat64", "a.wav", Ffmpeg("-c:a pcm_f64le")},
    {"WavFromAPipe", "a.wav", "ffmpeg -v error -i {in} -f wav - > {out}"},
    {"WavMp3", "a.wav", Ffmpeg("-c:a libmp3lame"), 0.06, 0.06},
};

class FormatsOfOthers : public ::testing::TestWithParam<Format> {
 protected:
  void SetUp() override {
    sound_ = Arpeggio(kSeconds, 44100);
    bytes_ = Make(sound_, GetParam().command, GetParam().file);
    ASSERT_FALSE(bytes_.empty());
  }
  Waveform sound_;
  std::string bytes_;
};

TEST_P(FormatsOfOthers, AreReadWholeAndSoundAsBefore) {
  DecodeReport report;
  const auto decoded = DecodeMemory(bytes_, {.sample_rate = kRate}, &report);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_NEAR(decoded->duration_s(), kSeconds, GetParam().extra_s);
  EXPECT_NEAR(report.decoded_s, decoded->duration_s(), 0.001);
  EXPECT_THAT(report.Warnings(), IsEmpty());
  const Waveform before = Resample(sound_, kRate).value();
  double best = 0;
  const auto most = static_cast<int64_t>(GetParam().lag_s * kRate) + 2;
  for (int64_t lag = -most; lag <= most; ++lag)
    best = std::max(best, Correlation(before.samples, decoded->samples, lag));
  EXPECT_GT(best, GetParam().correlation);
}

TEST_P(FormatsOfOthers, GiveAPartAsTheWholeHasIt) {
  const auto whole = DecodeMemory(bytes_, {.sample_rate = 16000});
  const auto part = DecodeMemory(bytes_, {.sample_rate = 16000, .start_s = 2.5, .length_s = 1});
  ASSERT_TRUE(whole.ok() && part.ok()) << whole.status() << part.status();
  ASSERT_EQ(part->samples.size(), 16000u);
  EXPECT_GT(Correlation(part->samples, std::span(whole->samples).subspan(40000, 16000), 0), 0.99);
}

INSTANTIATE_TEST_SUITE_P(Formats, FormatsOfOthers, ::testing::ValuesIn(kFormats),
                         [](const ::testing::TestParamInfo<Format>& info) {
                           return info.param.name;
                         });

std::string Case(const std::string& name) {
  const std::string bytes =
      ReadAll(std::string(ANTIPHON_SOURCE_DIR) + "/tests/cases/audio/" + name);
  EXPECT_FALSE(bytes.empty()) << name;
  return bytes;
}

TEST(RecordedByOthersTest, ABrowsersRecordingsAreRead) {
  for (const char* name : {"mediarecorder.webm", "mediarecorder.mp4"}) {
    DecodeReport report;
    const auto decoded = DecodeMemory(Case(name), {}, &report);
    ASSERT_TRUE(decoded.ok()) << name << ": " << decoded.status();
    EXPECT_NEAR(decoded->duration_s(), 5.9, 0.1) << name;
    EXPECT_THAT(report.Warnings(), IsEmpty()) << name;
    EXPECT_GT(Rms(*decoded, 0, 5.9), 0.1) << name;
  }
}

TEST(RecordedByOthersTest, APhonesRecordingsAreRead) {
  for (const char* name : {"amr_nb.amr", "amr_wb.amr"}) {
    DecodeReport report;
    const auto decoded = DecodeMemory(Case(name), {}, &report);
    ASSERT_TRUE(decoded.ok()) << name << ": " << decoded.status();
    EXPECT_NEAR(decoded->duration_s(), 6, 0.05) << name;
    EXPECT_THAT(report.Warnings(), IsEmpty()) << name;
    EXPECT_GT(Rms(*decoded, 0, 5.9), 0.05) << name;
  }
}

TEST(FilesInARowTest, AreAllRead) {
  const Waveform sound = Arpeggio(3, 44100);
  const std::string vorbis = Make(sound, Ffmpeg("-c:a libvorbis"), "a.ogg"),
                    stereo = Make(sound, Ffmpeg("-c:a libvorbis -ar 48000 -ac 2 -q:a 7"), "a.ogg"),
                    opus = Make(sound, Ffmpeg("-c:a libopus"), "a.opus"),
                    mp3 = Make(sound, "lame --quiet -V 4 {in} {out}", "a.mp3"),
                    adts = Make(sound, Ffmpeg("-c:a aac"), "a.aac");
  const std::string rows[] = {vorbis + vorbis, vorbis + stereo, stereo + vorbis, opus + opus,
                              vorbis + opus,   mp3 + mp3,       adts + adts};
  for (const std::string& row : rows) {
    DecodeReport report;
    const auto decoded = DecodeMemory(row, {}, &report);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_NEAR(decoded->duration_s(), 6, 0.15) << &row - rows;
    EXPECT_THAT(report.Warnings(), IsEmpty()) << &row - rows;
    // The second is heard as the first is.
    const auto half = decoded->samples.size() / 2;
    double best = 0;
    for (int64_t lag = -2500; lag <= 2500; lag += 2) {
      best = std::max(best, Correlation(std::span(decoded->samples).first(half),
                                        std::span(decoded->samples).subspan(half), lag));
    }
    EXPECT_GT(best, 0.9) << &row - rows;
  }
}

TEST(FilesInARowTest, LimitsHoldForAllOfThem) {
  const std::string ogg = EncodeAudio(Sine(440, 3, 44100), AudioFormat::kOggVorbis).value();
  EXPECT_TRUE(absl::IsResourceExhausted(DecodeMemory(ogg + ogg, {.max_duration_s = 4}).status()));
  EXPECT_TRUE(DecodeMemory(ogg + ogg, {.max_duration_s = 7}).ok());
}

TEST(Mp3Test, ZerosAndTagsAroundTheSoundAreNoDamage) {
  const std::string mp3 = EncodeAudio(Arpeggio(3, 44100), AudioFormat::kMp3).value();
  std::string id3("ID3\x04\x00\x00\x00\x00\x01\x00", 10), id3v1 = "TAG" + std::string(125, 'x');
  id3.append(128, 'x');
  for (const std::string& bytes :
       {std::string(1024, '\0') + mp3, id3 + std::string(4096, '\0') + mp3, id3 + mp3 + id3v1,
        mp3 + std::string(5000, '\0'), mp3 + id3v1}) {
    DecodeReport report;
    const auto decoded = DecodeMemory(bytes, {}, &report);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_NEAR(decoded->duration_s(), 3, 0.06);
    EXPECT_THAT(report.Warnings(), IsEmpty());
  }
}

// What is left when some of a file's bytes are gone, zero or noise.
struct Damage {
  const char* name;
  std::function<std::string(std::string)> apply;
};

std::string Noise(size_t bytes) {
  std::mt19937 generator(5);
  std::string noise(bytes, '\0');
  for (char& c : noise) c = static_cast<char>(generator());
  return noise;
}

const Damage kDamages[] = {
    {"hole", [](std::string s) { return s.erase(s.size() / 2, 3000); }},
    {"zeros", [](std::string s) { return s.replace(s.size() / 2, 3000, 3000, '\0'); }},
    {"zeros put in", [](std::string s) { return s.insert(s.size() / 2, 5000, '\0'); }},
    {"noise", [](std::string s) { return s.replace(s.size() / 2, 3000, Noise(3000)); }},
};

TEST(DamagedFilesTest, AreReadOnBehindTheDamageWhichIsSaid) {
  const Waveform sound = Arpeggio(20, 44100);
  const std::string files[] = {
      EncodeAudio(sound, AudioFormat::kMp3).value(), EncodeAudio(sound, AudioFormat::kFlac).value(),
      Make(sound, Ffmpeg("-c:a aac"), "a.aac"), Make(sound, Ffmpeg("-c:a libopus"), "a.opus"),
      Make(sound, "ffmpeg -v error -i {in} -c:a libopus -f webm - > {out}", "a.webm")};
  for (const std::string& file : files) {
    for (const Damage& damage : kDamages) {
      SCOPED_TRACE(std::string(damage.name) + " in file " + std::to_string(&file - files));
      DecodeReport report;
      const auto decoded = DecodeMemory(damage.apply(file), {}, &report);
      ASSERT_TRUE(decoded.ok()) << decoded.status();
      EXPECT_GT(decoded->duration_s(), 17);
      EXPECT_LT(decoded->duration_s(), 20.2);
      EXPECT_GT(report.DecodedShare(), 0.85);
      // Nothing in an ADTS file says that bytes are gone. A lost frame is not worth a word.
      const bool tells = &file != &files[2] || std::string(damage.name) != "hole";
      if (decoded->duration_s() < 19.8 && tells) {
        EXPECT_THAT(report.Warnings(), SizeIs(1));
      }
    }
  }
}

TEST(DamagedFilesTest, MostlyNoiseIsToldFromSound) {
  const Waveform sound = Arpeggio(5, 44100);
  const std::string files[] = {
      EncodeAudio(sound, AudioFormat::kMp3).value(),
      EncodeAudio(sound, AudioFormat::kFlac).value(),
      Make(sound, Ffmpeg("-c:a aac"), "a.aac"),
      Make(sound, Ffmpeg("-c:a aac -movflags faststart"), "a.m4a"),
      Make(sound, Ffmpeg("-c:a libopus"), "a.opus"),
      Make(sound, "ffmpeg -v error -i {in} -c:a libopus -f webm - > {out}", "a.webm")};
  for (const std::string& file : files) {
    DecodeReport report;
    const size_t quarter = file.size() / 4;
    const auto decoded = DecodeMemory(file.substr(0, quarter) + Noise(3 * quarter), {}, &report);
    ASSERT_TRUE(decoded.ok()) << &file - files << ": " << decoded.status();
    EXPECT_LT(report.DecodedShare(), kLeastDecodedShare) << &file - files;
    EXPECT_FALSE(report.Warnings().empty());
  }
}

TEST(TracksTest, TheFirstOfSoundIsReadAndOthersAreSaid) {
  const Waveform sound = Arpeggio(3, 44100);
  DecodeReport report;
  const std::string two =
      Make(sound, "ffmpeg -v error -y -i {in} -i {in} -map 0 -map 1 -c:a aac {out}", "a.m4a");
  ASSERT_TRUE(DecodeMemory(two, {}, &report).ok());
  EXPECT_EQ(report.other_tracks, 1);
  EXPECT_THAT(report.Warnings(), SizeIs(1));
  const std::string film = Make(
      sound,
      "ffmpeg -v error -y -f lavfi -i testsrc=d=3:r=5:s=64x64 -i {in} -c:v mpeg4 -c:a aac {out}",
      "a.mp4");
  const auto decoded = DecodeMemory(film, {}, &report);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_NEAR(decoded->duration_s(), 3, 0.05);
  EXPECT_THAT(report.Warnings(), IsEmpty());
  const std::string silent_film = Make(
      sound, "ffmpeg -v error -y -f lavfi -i testsrc=d=1:r=5:s=64x64 -c:v mpeg4 {out}", "a.mp4");
  const auto none = DecodeMemory(silent_film);
  EXPECT_TRUE(absl::IsInvalidArgument(none.status()));
  EXPECT_THAT(std::string(none.status().message()), HasSubstr("no sound"));
}

TEST(LimitsTest, HoldForEveryFormat) {
  const Waveform sound = Arpeggio(3, 44100);
  for (const auto& [name, command] :
       {std::pair("a.m4a", Ffmpeg("-c:a aac")), std::pair("a.webm", Ffmpeg("-c:a libopus")),
        std::pair("a.wma", Ffmpeg("-c:a wmav2")), std::pair("a.aac", Ffmpeg("-c:a aac")),
        std::pair("a.caf", Ffmpeg("-c:a alac"))}) {
    const std::string bytes = Make(sound, command, name);
    EXPECT_TRUE(absl::IsResourceExhausted(DecodeMemory(bytes, {.max_duration_s = 2}).status()))
        << name;
    EXPECT_TRUE(absl::IsResourceExhausted(DecodeMemory(bytes, {.max_source_rate = 22050}).status()))
        << name;
    EXPECT_TRUE(absl::IsInvalidArgument(DecodeMemory(bytes, {.start_s = 60}).status())) << name;
  }
}

TEST(CodingsTest, OneThatIsNotAcceptedIsNamed) {
  const auto decoded = DecodeMemory(Make(Arpeggio(2, 44100), Ffmpeg("-c:a ac3"), "a.mka"));
  EXPECT_TRUE(absl::IsInvalidArgument(decoded.status()));
  EXPECT_THAT(std::string(decoded.status().message()), HasSubstr("'ac3'"));
}

}  // namespace
}  // namespace antiphon::audio
