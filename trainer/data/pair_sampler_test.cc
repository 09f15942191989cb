#include "trainer/data/pair_sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "trainer/data/test_items.h"

namespace antiphon::trainer::data {
namespace {

using ::testing::HasSubstr;

std::vector<StoreItem> SomeItems() {
  std::vector<StoreItem> items;
  for (int i = 0; i < 6; ++i)
    items.push_back(RandomItem("piece" + std::to_string(i), i, 120, i % 2 ? 1.3 : 0.8));
  // The first piece again at another tempo, note for note the same music.
  items.push_back(RandomItem("piece0", 0, 120, 1.1));
  return items;
}

std::vector<std::string> Windows(const std::vector<uint8_t>& cells, int64_t count) {
  std::vector<std::string> windows;
  const size_t size = cells.size() / count;
  for (int64_t i = 0; i < count; ++i)
    windows.emplace_back(cells.begin() + i * size, cells.begin() + (i + 1) * size);
  return windows;
}

TEST(PairSamplerTest, EverySnippetHasExactlyOneCounterpart) {
  const PairSampler sampler(SomeItems());
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const PairBatch batch = sampler.Sample(64, seed, SamplerOptions()).value();
    ASSERT_EQ(batch.pairs, 64);
    const auto scores = Windows(batch.score, batch.pairs);
    EXPECT_EQ(std::set<std::string>(scores.begin(), scores.end()).size(), scores.size())
        << "seed " << seed;
    const auto audio = Windows(batch.audio, batch.pairs);
    EXPECT_EQ(std::set<std::string>(audio.begin(), audio.end()).size(), audio.size())
        << "seed " << seed;
  }
}

TEST(PairSamplerTest, ASeedGivesABatch) {
  const PairSampler sampler(SomeItems());
  const PairBatch one = sampler.Sample(32, 5, SamplerOptions()).value();
  const PairBatch same = sampler.Sample(32, 5, SamplerOptions()).value();
  const PairBatch other = sampler.Sample(32, 6, SamplerOptions()).value();
  EXPECT_EQ(one.audio, same.audio);
  EXPECT_EQ(one.score, same.score);
  EXPECT_NE(one.score, other.score);
}

// In the made-up spectrograms each note is a bright cell at its pitch: both windows of a pair must
// show the same onsets.
TEST(PairSamplerTest, PlainPairsShowTheSameMusic) {
  const PairSampler sampler(SomeItems());
  const PairBatch batch = sampler.SamplePlain(100, 9);
  ASSERT_GT(batch.pairs, 50);
  const features::FeatureSettings settings = SmallSettings();
  int64_t onsets = 0, sounding = 0;
  for (int64_t pair = 0; pair < batch.pairs; ++pair) {
    for (int frame = 2; frame + 2 < settings.window_frames; ++frame) {
      for (int row = 0; row < settings.pitches; ++row) {
        const int64_t score =
            ((pair * settings.window_frames + frame) * 2) * settings.pitches + row;
        if (batch.score[score] == 0) continue;
        ++onsets;
        for (int near = frame - 1; near <= frame + 1; ++near) {
          if (batch.audio[(pair * settings.window_frames + near) * settings.bands + row] < 100)
            continue;
          ++sounding;
          break;
        }
      }
    }
  }
  EXPECT_GT(onsets, 300);
  EXPECT_EQ(sounding, onsets);
}

TEST(PairSamplerTest, TranspositionMovesBothSidesTogether) {
  const PairSampler sampler(SomeItems());
  SamplerOptions options;
  options.exact_share = options.onset_share = 1;
  options.equalise_deviation_db = 0;
  options.noise_share = options.mask_share = options.cut_share = 0;
  options.max_transposition = 5;
  const features::FeatureSettings settings = SmallSettings();
  const PairBatch batch = sampler.Sample(60, 4, options).value();
  for (int64_t pair = 0; pair < batch.pairs; ++pair) {
    // The onset in the middle of the score window audio in the middle of the audio window at the
    // same row.
    const int middle = settings.window_frames / 2;
    const auto* score =
        batch.score.data() + (pair * settings.window_frames + middle) * 2 * settings.pitches;
    const auto row = std::max_element(score, score + settings.pitches) - score;
    ASSERT_GE(score[row], 127) << "pair "
                               << pair;  // at least half of an onset lies in its nearest frame
    const auto* audio =
        batch.audio.data() + (pair * settings.window_frames + middle + 1) * settings.bands;
    EXPECT_GT(audio[row], 100) << "pair " << pair;
  }
}

// The same music as features with 16 bands per octave, which no semitone is a whole number of.
PairSampler SixteenBandsPerOctave() {
  StoreItem item = RandomItem("piece", 1, 120);
  item.settings.bands_per_octave = 16;
  return PairSampler({std::move(item)});
}

TEST(PairSamplerTest, ATranspositionThatBandsDoNotAllowIsRefused) {
  const PairSampler sampler = SixteenBandsPerOctave();
  SamplerOptions options;
  options.max_transposition = 2;
  const absl::Status refused = sampler.Sample(8, 1, options).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(refused.message(), HasSubstr("max_transposition (--transpose) is 2"));
  EXPECT_THAT(refused.message(), HasSubstr("16 bands per octave"));
  EXPECT_TRUE(PairSampler(SomeItems()).Sample(8, 1, options).ok());
}

TEST(PairSamplerTest, WithoutAWishTranspositionIsAsFarAsBandsAllow) {
  const PairSampler sixteen = SixteenBandsPerOctave();
  const PairSampler twelve(SomeItems());
  SamplerOptions options;
  EXPECT_EQ(TranspositionFor(options, sixteen.settings()).value(), 0);
  EXPECT_EQ(TranspositionFor(options, twelve.settings()).value(), 3);
  const PairBatch open = sixteen.Sample(8, 1, options).value();
  options.max_transposition = 0;
  EXPECT_EQ(TranspositionFor(options, sixteen.settings()).value(), 0);
  EXPECT_EQ(TranspositionFor(options, twelve.settings()).value(), 0);
  EXPECT_EQ(sixteen.Sample(8, 1, options)->score, open.score);
}

TEST(SamplerOptionsTest, NamesWhatIsOutOfRange) {
  SamplerOptions options;
  EXPECT_EQ(options.Check(), absl::OkStatus());
  options.max_transposition = 13;
  EXPECT_EQ(options.Check().message(), "max_transposition is 13, allowed is 0 to 12");
  options.max_transposition.reset();
  options.cut_share = -0.1;
  EXPECT_EQ(options.Check().message(), "cut_share is -0.1, allowed is 0 to 1");
}

// A tune played twice, the second time a third of a frame late.
TEST(PairSamplerTest, DrawsRepeatsOfTheSameNotesWhereAskedTo) {
  StoreItem item = RandomItem("repeated", 3, 40);
  const double shift_s = item.notes.back().onset_s + 2 + 1 / (3 * item.settings.frame_rate());
  for (int i = 0; i < 40; ++i) {
    music::Note note = item.notes[i];
    for (double* time_s : {&note.onset_s, &note.offset_s, &note.sounding_offset_s})
      *time_s += shift_s;
    item.notes.push_back(note);
  }
  item.spectrogram.cells.resize(item.spectrogram.cells.size() * 3);
  const PairSampler sampler({item});
  SamplerOptions options;
  options.exact_share = options.onset_share = options.repeat_share = 1;
  options.group = 2;
  options.max_transposition = 0;
  // Notes struck in the window, whatever the fraction of a frame.
  const auto notes_of = [](const std::string& window) {
    const features::FeatureSettings settings = SmallSettings();
    std::vector<int> struck(settings.pitches, 0);
    for (int frame = 0; frame < settings.window_frames; ++frame) {
      for (int row = 0; row < settings.pitches; ++row) {
        struck[row] += static_cast<uint8_t>(window[(frame * 2) * settings.pitches + row]);
      }
    }
    return struck;
  };
  int alike = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const PairBatch batch = sampler.Sample(2, seed, options).value();
    ASSERT_EQ(batch.pairs, 2);
    const auto windows = Windows(batch.score, 2);
    EXPECT_NE(windows[0], windows[1]);
    alike += notes_of(windows[0]) == notes_of(windows[1]);
  }
  EXPECT_GE(alike, 8);  // notes at the very edge of a window fall in or out by the fraction
}

// A near miss shows a counterpart's notes, and each a part of a frame earlier or later.
TEST(PairSamplerTest, NearMissesAreCounterpartsAPartOfAFrameOff) {
  const PairSampler sampler(SomeItems());
  SamplerOptions options;
  options.exact_share = options.near_miss_share = 1;
  options.max_transposition = 0;
  const PairBatch batch = sampler.Sample(40, 3, options).value();
  ASSERT_EQ(batch.pairs, 40);
  ASSERT_EQ(batch.near_misses, 40);
  const auto windows = Windows(batch.score, batch.pairs + batch.near_misses);
  EXPECT_EQ(std::set<std::string>(windows.begin(), windows.end()).size(), windows.size());
  const features::FeatureSettings settings = SmallSettings();
  // Where an onset lies in time, by its shares in two frames, is told by their centre of gravity.
  const auto centre_of = [&](const std::string& window) {
    double weight = 0, sum = 0;
    for (int frame = 0; frame < settings.window_frames; ++frame) {
      for (int row = 0; row < settings.pitches; ++row) {
        const double share = static_cast<uint8_t>(window[(frame * 2) * settings.pitches + row]);
        weight += share;
        sum += share * frame;
      }
    }
    return sum / weight;
  };
  int near = 0;
  for (int pair = 0; pair < 40; ++pair) {
    near += std::abs(centre_of(windows[pair]) - centre_of(windows[40 + pair])) < 0.7;
  }
  EXPECT_GE(near, 25);  // in the others a note comes in or goes out at an edge
  options.exact_share = 0;
  EXPECT_EQ(sampler.Sample(40, 3, options).value().near_misses, 0);
}

TEST(PairSamplerTest, GivesFewerWhenThereAreNoMore) {
  EXPECT_EQ(PairSampler({}).Sample(8, 1, SamplerOptions())->pairs, 0);
  const PairBatch few = PairSampler({RandomItem("a", 1, 5)}).SamplePlain(64, 1);
  EXPECT_GE(few.pairs, 1);
  EXPECT_LE(few.pairs, 5);
}

}  // namespace
}  // namespace antiphon::trainer::data
