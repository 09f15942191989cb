#include "client/input/query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "core/audio/encoder.h"
#include "core/decoding/decoder.h"
#include "core/music/midi_file.h"
#include "tests/support/midi_bytes.h"

namespace antiphon::client {
namespace {

using ::testing::HasSubstr;

// Noise, so that no codec makes it much smaller; the level tells the seconds apart.
audio::Waveform Noise(double seconds, int sample_rate) {
  std::mt19937 rng(3);
  std::uniform_real_distribution<float> uniform(-1, 1);
  audio::Waveform waveform;
  waveform.sample_rate = sample_rate;
  for (int i = 0; i < seconds * sample_rate; ++i) {
    const int second = i / sample_rate;
    waveform.samples.push_back(uniform(rng) * 0.1f * static_cast<float>(1 + second % 8));
  }
  return waveform;
}

Input InMemory(std::string bytes) {
  std::istringstream in(bytes);
  return OpenInput("-", in).value();
}

Input Wav(const audio::Waveform& waveform) {
  return InMemory(audio::EncodeAudio(waveform, audio::AudioFormat::kWav).value());
}

std::string TenNotes() {  // one each second, C4 upwards: 120 quarters per minute, 480 ticks each
  testing::MidiTrack track;
  for (int i = 0; i < 10; ++i) track.On(0, 60 + i).Off(960, 60 + i);
  return testing::MidiFile(0, 480, {track.End()});
}

std::vector<float> Samples(const v1::Pcm& pcm) {
  std::vector<int16_t> raw(pcm.samples().size() / 2);
  std::memcpy(raw.data(), pcm.samples().data(), raw.size() * 2);
  return std::vector<float>(raw.begin(), raw.end());
}

double Level(const std::vector<float>& samples) {
  double sum = 0;
  for (const float sample : samples) sum += sample * sample / (32768.0 * 32768.0);
  return std::sqrt(sum / samples.size());
}

TEST(MakeQueryTest, SendsAFileThatFitsAsItIs) {
  const Input input = Wav(Noise(2, 8000));
  const auto query = MakeQuery(input, {});
  ASSERT_TRUE(query.ok()) << query.status();
  ASSERT_TRUE(query->is_audio());
  EXPECT_EQ(std::get<v1::Audio>(query->content).file(), input.bytes);

  const Input midi = InMemory(TenNotes());
  const auto score = MakeQuery(midi, {});
  ASSERT_TRUE(score.ok()) << score.status();
  ASSERT_FALSE(score->is_audio());
  EXPECT_EQ(std::get<v1::Score>(score->content).midi(), midi.bytes);
}

TEST(MakeQueryTest, SendsAPartOfSoundAsSamplesOfThatPart) {
  QueryOptions options;
  options.start_s = 3;
  options.length_s = 2;
  const auto query = MakeQuery(Wav(Noise(8, 44100)), options);
  ASSERT_TRUE(query.ok()) << query.status();
  EXPECT_EQ(query->offset_s, 3);
  const v1::Pcm& pcm = std::get<v1::Audio>(query->content).pcm();
  EXPECT_EQ(pcm.encoding(), v1::Pcm::ENCODING_INT16);
  EXPECT_EQ(pcm.channels(), 1);
  EXPECT_EQ(pcm.sample_rate(), 22050);
  const std::vector<float> samples = Samples(pcm);
  EXPECT_NEAR(samples.size(), 2 * 22050, 1);
  const std::vector<float> first(samples.begin(), samples.begin() + 22050);
  const std::vector<float> second(samples.begin() + 22050, samples.end());
  EXPECT_NEAR(Level(second) / Level(first), 5.0 / 4.0, 0.05) << "the fourth and the fifth second";
}

TEST(MakeQueryTest, SendsAPartOfAScoreAsThatPart) {
  QueryOptions options;
  options.start_s = 3;
  options.length_s = 2;
  const auto query = MakeQuery(InMemory(TenNotes()), options);
  ASSERT_TRUE(query.ok()) << query.status();
  const auto score = music::ReadMidi(std::get<v1::Score>(query->content).midi());
  ASSERT_TRUE(score.ok()) << score.status();
  ASSERT_EQ(score->notes.size(), 2u);
  EXPECT_EQ(score->notes[0].pitch, 63);
  EXPECT_EQ(score->notes[1].pitch, 64);
  EXPECT_NEAR(score->notes[0].onset_s, 0, 1e-3);
  EXPECT_TRUE(query->warnings.empty());
}

TEST(MakeQueryTest, SendsNotationAsItIsAndAPartOfItAsMidi) {
  const std::string abc = "X:1\nM:4/4\nL:1/4\nQ:1/4=60\nK:C\nCDEF|GABc|]\n";
  QueryOptions options;
  auto query = MakeQuery(InMemory(abc), options);
  ASSERT_TRUE(query.ok()) << query.status();
  EXPECT_EQ(std::get<v1::Score>(query->content).file(), abc);
  EXPECT_EQ(std::get<v1::Score>(query->content).midi(), "");
  options.start_s = 4;
  query = MakeQuery(InMemory(abc), options);
  ASSERT_TRUE(query.ok()) << query.status();
  const auto score = music::ReadMidi(std::get<v1::Score>(query->content).midi());
  ASSERT_TRUE(score.ok()) << score.status();
  ASSERT_EQ(score->notes.size(), 4u);
  EXPECT_EQ(score->notes[0].pitch, 67);
}

TEST(MakeQueryTest, SaysWhatIsWrongWithAScoreOfWhichItSendsAPart) {
  std::string cut = TenNotes();
  cut.pop_back();
  QueryOptions options;
  options.start_s = 3;
  const auto query = MakeQuery(InMemory(cut), options);
  ASSERT_TRUE(query.ok()) << query.status();
  ASSERT_EQ(query->warnings.size(), 1u);
  EXPECT_THAT(query->warnings[0], HasSubstr("ends in the middle of an event"));
}

TEST(MakeQueryTest, MakesALargeFileSmallEnough) {
  const Input input = Wav(Noise(20, 96000));  // 3.8 MB
  QueryOptions options;
  options.max_bytes = 1 << 20;  // 882 KB of samples at 22,050 Hz fit
  auto query = MakeQuery(input, options);
  ASSERT_TRUE(query.ok()) << query.status();
  EXPECT_TRUE(std::get<v1::Audio>(query->content).has_pcm());

  options.max_bytes = 500'000;  // neither they nor FLAC do
  query = MakeQuery(input, options);
  ASSERT_TRUE(query.ok()) << query.status();
  const v1::Audio& audio = std::get<v1::Audio>(query->content);
  EXPECT_EQ(audio.file().substr(0, 4), "OggS");
  EXPECT_LE(audio.ByteSizeLong(), 500'000u);
  const auto decoded = audio::DecodeMemory(audio.file());
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_NEAR(decoded->duration_s(), 20, 0.1);
}

TEST(MakeQueryTest, PrefersTheExactFormAmongTheSmallOnes) {
  audio::Waveform quiet;  // silence: FLAC makes it tiny
  quiet.samples.assign(20 * 22050, 0.0f);
  QueryOptions options;
  options.max_bytes = 500'000;
  const auto query = MakeQuery(Wav(quiet), options);
  ASSERT_TRUE(query.ok()) << query.status();
  EXPECT_EQ(std::get<v1::Audio>(query->content).file().substr(0, 4), "fLaC");
}

TEST(MakeQueryTest, SaysWhatToDoWithWhatCannotBeSent) {
  const auto refused = [](const Input& input, const QueryOptions& options) {
    const auto query = MakeQuery(input, options);
    EXPECT_TRUE(absl::IsInvalidArgument(query.status())) << query.status();
    return std::string(query.status().message());
  };
  QueryOptions tiny;
  tiny.max_bytes = 70'000;
  EXPECT_THAT(refused(Wav(Noise(20, 22050)), tiny), HasSubstr("--start and --length"));
  EXPECT_THAT(refused(InMemory("just words"), {}), HasSubstr("--as audio"));

  QueryOptions beyond;
  beyond.start_s = 100;
  EXPECT_THAT(refused(Wav(Noise(2, 22050)), beyond), HasSubstr("standard input"));
  EXPECT_THAT(refused(InMemory(TenNotes()), beyond), HasSubstr("beyond its end at 0:10.0"));

  QueryOptions nothing;
  nothing.length_s = 0;
  EXPECT_THAT(refused(InMemory(TenNotes()), nothing), HasSubstr("--length"));
  QueryOptions part;
  part.start_s = 1;
  EXPECT_THAT(refused(InMemory("MThd and no more"), part), HasSubstr("standard input"));
}

TEST(MakeQueryTest, BelievesTheUserAboutTheKind) {
  QueryOptions options;
  options.as = Kind::kAudio;
  const auto query = MakeQuery(InMemory("just words"), options);
  ASSERT_TRUE(query.ok()) << query.status();
  EXPECT_EQ(std::get<v1::Audio>(query->content).file(), "just words") << "for the server to judge";
}

}  // namespace
}  // namespace antiphon::client
