// The reader against input that is truncated, mutated, over a limit or built to exhaust it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <new>

#include "core/music/midi_file.h"
#include "tests/support/midi_bytes.h"
#include "tests/support/scores.h"

namespace {

std::atomic<size_t> allocated{0};  // bytes asked for since the last reset, freed or not

}  // namespace

// Counts what the reader asks for. Not inlined, or GCC takes each free() for a mismatch of new and
// delete.
[[gnu::noinline]] void* operator new(size_t size, const std::nothrow_t&) noexcept {
  allocated += size;
  return std::malloc(size == 0 ? 1 : size);
}
[[gnu::noinline]] void* operator new(size_t size) {
  if (void* memory = operator new(size, std::nothrow)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace antiphon::music {
namespace {

using ::antiphon::testing::BigEndianBytes;
using ::antiphon::testing::Bytes;
using ::antiphon::testing::Chunk;
using ::antiphon::testing::IsSane;
using ::antiphon::testing::MidiFile;
using ::antiphon::testing::MidiHeader;
using ::antiphon::testing::MidiTrack;
using ::antiphon::testing::Rng;
using ::antiphon::testing::UniformInt;
using ::testing::HasSubstr;

std::string Message(const absl::Status& status) { return std::string(status.message()); }

void ExpectMalformed(const std::string& bytes, const std::string& what) {
  const absl::Status status = ReadMidi(bytes).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << what;
  EXPECT_THAT(Message(status), HasSubstr(what));
}

void ExpectExceeds(const std::string& bytes, const MidiLimits& limits, const std::string& what) {
  const absl::Status status = ReadMidi(bytes, limits).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << what;
  EXPECT_THAT(Message(status), HasSubstr(what));
}

// Something of everything, in each format and both kinds of division.
std::vector<std::string> Samples() {
  const std::string conductor = MidiTrack()
                                    .Name("Pr\xe9lude")
                                    .Tempo(0, 400'000)
                                    .Metre(0, 6, 3)
                                    .Key(0, -2, 1)
                                    .Tempo(90, 700'000)
                                    .End(500);
  const std::string piano = MidiTrack()
                                .Raw(0, Bytes({0xc0, 0}))
                                .Pedal(0, 100)
                                .On(0, 60)
                                .Raw(0, Bytes({64, 70}))
                                .Raw(129, Bytes({60, 0}))
                                .Raw(0, Bytes({0xf0, 3, 1, 2, 0xf7}))
                                .Off(20000, 64)
                                .Pedal(3, 0)
                                .On(1, 40, 1, 15)
                                .Metre(7, 3, 2)
                                .End(9);
  const std::string drums = MidiTrack().On(0, 36, 90, 9).Off(10, 36, 9).On(5, 99).Open();
  return {MidiFile(0, 96, {piano}),
          MidiFile(1, 480, {conductor, piano + Chunk("XFIH", "alien"), drums}),
          MidiFile(2, 24, {conductor, piano, drums}), MidiFile(1, 0xe250, {conductor, piano})};
}

TEST(MidiRobustnessTest, RefusesWhatIsNoMidiFile) {
  for (const std::string& bytes :
       {std::string(), std::string("M"), std::string("MThx"), std::string(100, '\0'),
        std::string("RIFF\x10\0\0\0WAVEfmt ", 16)}) {
    ExpectMalformed(bytes, "not a Standard MIDI File");
  }
}

TEST(MidiRobustnessTest, SaysWhatIsWrongAndWhere) {
  const std::string track = MidiTrack().On(0, 60).End();
  ExpectMalformed(MidiHeader(3, 1, 96) + track, "format 3");
  ExpectMalformed(MidiHeader(0, 1, 0) + track, "division of 0");
  ExpectMalformed(MidiHeader(0, 1, 0xe700) + track, "0 ticks per frame");
  ExpectMalformed(MidiHeader(0, 1, 0xff28) + track, "1 frames per second");
  ExpectMalformed(Chunk("MThd", Bytes({0, 0, 0, 1})) + track, "shorter than 6 bytes");
  ExpectMalformed(MidiHeader(1, 2, 96), "before its first track");
  ExpectMalformed("\n\n" + MidiHeader(3, 1, 96) + track, "(byte 10)");
  ExpectMalformed(MidiFile(0, 96, {MidiTrack().Raw(0, Bytes({60, 64})).End()}),
                  "a data byte where an event should");
  ExpectMalformed(MidiFile(0, 96, {MidiTrack().Raw(0, Bytes({0x90, 60, 200})).End()}),
                  "above 127 (byte 25)");
  ExpectMalformed(MidiFile(0, 96, {MidiTrack().Raw(0, Bytes({0x90, 60})).Open()}),
                  "track 1 ends in the middle of an event");
  ExpectMalformed(MidiFile(0, 96, {MidiTrack().Raw(0, Bytes({0xf1, 0})).End()}), "a system event");
  ExpectMalformed(MidiFile(0, 96, {Chunk("MTrk", Bytes({0x80, 0x80, 0x80, 0x80, 0}))}),
                  "more than 4 bytes");
  ExpectMalformed(MidiFile(0, 96, {MidiTrack().Raw(0, Bytes({0xff, 3, 5, 'a'})).Open()}),
                  "longer than its track");
}

// Reading what is there must not look like reading everything.
TEST(MidiRobustnessTest, ATruncatedFileIsAnErrorOrAScoreWithAWarning) {
  for (const std::string& sample : Samples()) {
    const absl::StatusOr<Score> whole = ReadMidi(sample);
    ASSERT_TRUE(whole.ok());
    EXPECT_TRUE(whole->warnings.empty()) << whole->warnings.front();
    int scores = 0;
    for (size_t length = 0; length < sample.size(); ++length) {
      SCOPED_TRACE(::testing::Message() << length << " of " << sample.size());
      const absl::StatusOr<Score> score = ReadMidi(std::string_view(sample).substr(0, length));
      if (!score.ok()) {
        EXPECT_EQ(score.status().code(), absl::StatusCode::kInvalidArgument);
        EXPECT_FALSE(score.status().message().empty());
        continue;
      }
      ++scores;
      EXPECT_TRUE(IsSane(*score));
      EXPECT_FALSE(score->warnings.empty());
      EXPECT_LE(score->notes.size(), whole->notes.size());
    }
    EXPECT_GT(scores, 0);
  }
}

TEST(MidiRobustnessTest, WarningsAreFew) {
  std::string file = MidiHeader(1, 1, 96);
  for (int i = 0; i < 500; ++i) file += MidiTrack().On(0, 60).End() + "\1\2\3";
  const absl::StatusOr<Score> score = ReadMidi(file);
  ASSERT_TRUE(score.ok()) << score.status();
  EXPECT_EQ(score->notes.size(), 500u);
  EXPECT_EQ(score->warnings.size(), static_cast<size_t>(kMaxScoreWarnings));
  EXPECT_EQ(score->warnings.back(), "and 481 more");
}

// Looking for the end of a track is bounded by the limit on events, however many tracks have none.
TEST(MidiRobustnessTest, ManyTracksWithoutEndTakeNoLongerThanTheirBytes) {
  MidiTrack rest;
  rest.On(0, 60);
  for (int i = 0; i < 400'000; ++i) rest.Raw(0, Bytes({60, 64}));
  std::string file = MidiHeader(1, 1000, 96);
  for (int i = 0; i < 1000; ++i) file += "MTrk" + BigEndianBytes(0, 4) + Bytes({0, 0x90, 60, 64});
  file += rest.Open();
  EXPECT_TRUE(ReadMidi(file).ok() || absl::IsResourceExhausted(ReadMidi(file).status()));
}

// Whatever the declared lengths, they cannot be longer than the input; no byte past its end is read
// (AddressSanitizer sees to that: each input is its own allocation).
TEST(MidiRobustnessTest, AnyChangedByteGivesAScoreOrAStatus) {
  for (const std::string& sample : Samples()) {
    for (size_t position = 0; position < sample.size(); ++position) {
      for (const int value : {0x00, 0x01, 0x3f, 0x40, 0x7f, 0x80, 0x90, 0xf0, 0xf7, 0xff}) {
        std::string changed = sample;
        changed[position] = static_cast<char>(value);
        const absl::StatusOr<Score> score = ReadMidi(changed);
        EXPECT_TRUE(!score.ok() || IsSane(*score)) << "byte " << position << " = " << value;
      }
    }
  }
}

std::string Mutated(std::string bytes, Rng& rng) {
  for (int n = UniformInt(rng, 1, 8); n > 0 && !bytes.empty(); --n) {
    // Past the header most of the time, where the variety is.
    const int size = static_cast<int>(bytes.size());
    const int at =
        UniformInt(rng, UniformInt(rng, 0, 7) == 0 ? 0 : std::min(14, size - 1), size - 1);
    const auto position = static_cast<size_t>(at);
    const auto length = static_cast<size_t>(UniformInt(rng, 1, 6));
    switch (UniformInt(rng, 0, 5)) {
      case 0:
        bytes[position] = static_cast<char>(UniformInt(rng, 0, 255));
        break;
      case 1:
        bytes[position] = static_cast<char>(bytes[position] ^ 1 << UniformInt(rng, 0, 7));
        break;
      case 2:
        bytes.erase(position, length);
        break;
      case 3:
        bytes.insert(position,
                     bytes.substr(static_cast<size_t>(UniformInt(rng, 0, size - 1)), length));
        break;
      case 4:
        bytes.insert(position, length, static_cast<char>(UniformInt(rng, 0, 255)));
        break;
      default:
        bytes.resize(UniformInt(rng, 0, 9) == 0 ? position : bytes.size());
    }
  }
  return bytes;
}

// Makes the declared track lengths true, so that more mutants get past them.
std::string WithTrueLengths(std::string bytes) {
  for (size_t track = bytes.find("MTrk");
       track != std::string::npos && track + 8 <= bytes.size();) {
    const size_t next = bytes.find("MTrk", track + 8);
    bytes.replace(track + 4, 4, BigEndianBytes(std::min(next, bytes.size()) - track - 8, 4));
    track = next;
  }
  return bytes;
}

TEST(MidiRobustnessTest, AnyMutantGivesAScoreOrAStatus) {
  Rng rng(20'240);
  const std::vector<std::string> samples = Samples();
  int scores = 0;
  for (int i = 0; i < 40'000; ++i) {
    std::string mutant = Mutated(samples[static_cast<size_t>(i) % samples.size()], rng);
    if (i % 3 != 0) mutant = WithTrueLengths(std::move(mutant));
    const absl::StatusOr<Score> score = ReadMidi(mutant);
    if (!score.ok()) {
      ASSERT_TRUE(absl::IsInvalidArgument(score.status()) ||
                  absl::IsResourceExhausted(score.status()));
      ASSERT_FALSE(score.status().message().empty());
      continue;
    }
    ++scores;
    ASSERT_TRUE(IsSane(*score)) << "mutant " << i;
    // What follows reading must bear it, too.
    ASSERT_TRUE(IsSane(Excerpt(*score, score->duration_s * 0.3, score->duration_s * 0.6 + 1)));
    ASSERT_TRUE(IsSane(AtTempoRatio(*score, 1.5)));
    const absl::StatusOr<std::string> written = WriteMidi(*score);
    ASSERT_TRUE(written.ok() || absl::IsInvalidArgument(written.status()));
    ASSERT_GE(score->tempo_map.BarAt(score->tempo_map.BeatsAt(score->duration_s)).bar, 1);
  }
  EXPECT_GT(scores, 4'000);  // else the mutants do not reach what is behind the parser
}

TEST(MidiRobustnessTest, AsksForNoMoreMemoryThanTheInputWarrants) {
  const std::string header = MidiHeader(1, 1024, 96);
  const std::string huge_track = header + "MTrk" + Bytes({0xff, 0xff, 0xff, 0xff, 0, 0xb0, 60, 64});
  const std::string huge_chunk = header + "XXXX" + Bytes({0x7f, 0xff, 0xff, 0xff, 0, 0x90, 60, 64});
  const std::string huge_title =
      header + MidiTrack().Raw(0, Bytes({0xff, 3, 0xff, 0xff, 0xff, 0x7f, 'a'})).Open();
  const std::string huge_sysex =
      header + MidiTrack().Raw(0, Bytes({0xf0, 0xff, 0xff, 0xff, 0x7f, 'a'})).Open();
  for (const std::string& bytes : {huge_track, huge_chunk, huge_title, huge_sysex}) {
    allocated = 0;
    const absl::StatusOr<Score> score = ReadMidi(bytes);
    const size_t used = allocated;
    EXPECT_EQ(score.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_LT(used, 8192u);
  }
  // Notes are what costs most: 3 bytes each, with running status.
  MidiTrack track;
  track.On(0, 0);
  for (int i = 1; i < 100'000; ++i) track.Raw(0, Bytes({i % 128, 64}));
  const std::string bytes = MidiFile(0, 96, {track.Open()});
  allocated = 0;
  ASSERT_TRUE(ReadMidi(bytes).ok());
  EXPECT_LT(allocated, 100 * bytes.size());
}

TEST(MidiRobustnessTest, EachLimitIsNamedWhenExceeded) {
  const std::string file = MidiFile(1, 100,
                                    {MidiTrack().On(0, 60).On(0, 61).End(),
                                     MidiTrack().On(0, 62).Off(100, 62).End(), MidiTrack().End()});
  MidiLimits limits;
  limits.max_bytes = static_cast<int64_t>(file.size());
  limits.max_tracks = 3;
  limits.max_events = 7;
  limits.max_notes = 3;
  limits.max_duration_s = 0.5;
  ASSERT_TRUE(ReadMidi(file, limits).ok()) << ReadMidi(file, limits).status();

  const auto lowered = [&limits](auto member, auto by) {
    MidiLimits low = limits;
    low.*member -= by;
    return low;
  };
  ExpectExceeds(file, lowered(&MidiLimits::max_bytes, 1), "bytes");
  ExpectExceeds(file, lowered(&MidiLimits::max_tracks, 1), "more than 2 tracks");
  ExpectExceeds(file, lowered(&MidiLimits::max_events, 1), "more than 6 events");
  ExpectExceeds(file, lowered(&MidiLimits::max_notes, 1), "more than 2 notes");
  ExpectExceeds(file, lowered(&MidiLimits::max_duration_s, 0.01),
                "lasts 0.5 s, the limit is 0.49 s");
}

TEST(MidiRobustnessTest, DefaultLimitsHoldAgainstManyTracks) {
  std::string file = MidiHeader(1, 0xffff, 96);
  for (int i = 0; i < 1024; ++i) file += MidiTrack().On(0, 60).End();
  EXPECT_TRUE(ReadMidi(file).ok()) << "what the header says is no track yet";
  ExpectExceeds(file + MidiTrack().End(), {}, "more than 1024 tracks");
}

TEST(MidiRobustnessTest, HugeDeltaTimesMeetTheDurationLimitAndStayFinite) {
  constexpr uint32_t kLongest = 0x0fffffff;
  MidiTrack track;
  track.Tempo(0, 0xffffff).Pedal(0, 127);
  for (int i = 0; i < 2'000; ++i) track.On(kLongest, i % 128).Off(kLongest, i % 128);
  const std::string file = MidiFile(0, 1, {track.End(kLongest)});
  ExpectExceeds(file, {}, "the limit is 21600 s");
  MidiLimits limits;
  limits.max_duration_s = std::numeric_limits<double>::infinity();
  const absl::StatusOr<Score> score = ReadMidi(file, limits);
  ASSERT_TRUE(score.ok()) << score.status();
  EXPECT_TRUE(IsSane(*score));
  EXPECT_NEAR(score->duration_s / (4'001.0 * kLongest * 16.777215), 1.0, 1e-9);
}

TEST(MidiRobustnessTest, TheShortestTicksKeepTheirOrderAtTheLatestTime) {
  // A tick of 3e-11 s, six hours on, is near the resolution of a double.
  MidiTrack track;
  track.Tempo(0, 0xffffff);
  track.Meta(1286 * 32767, 0x01, "").Tempo(0, 1);
  for (int i = 0; i < 100; ++i)
    track.On(i % 3 == 0 ? 1 : 0, 30 + i % 7).Off(i % 2 == 0 ? 1 : 0, 30 + i % 7);
  const absl::StatusOr<Score> score = ReadMidi(MidiFile(0, 32767, {track.End()}));
  ASSERT_TRUE(score.ok()) << score.status();
  EXPECT_EQ(score->notes.size(), 100u);
  EXPECT_TRUE(IsSane(*score));
}

}  // namespace
}  // namespace antiphon::music
