#include "trainer/data/prepare.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "core/music/midi_file.h"
#include "core/testing/temporary_folder.h"
#include "trainer/data/feature_store.h"
#include "trainer/data/soundfonts.h"

namespace antiphon::trainer::data {
namespace {

namespace fs = std::filesystem;

constexpr char kSoundfont[] = "/usr/share/sounds/sf2/TimGM6mb.sf2";

class PrepareTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(kSoundfont)) GTEST_SKIP() << kSoundfont << " is not installed";
    fs::create_directories(root_ + "/midi");
    for (const char* name : {"first", "second"}) {
      music::Score score;
      for (int i = 0; i < 12; ++i) {
        music::Note note;
        note.onset_s = 0.25 * i;
        note.offset_s = note.sounding_offset_s = note.onset_s + 0.25;
        note.pitch = (name[0] == 'f' ? 60 : 48) + i;
        score.notes.push_back(note);
      }
      std::ofstream(root_ + "/midi/" + name + ".mid", std::ios::binary)
          << music::WriteMidi(score).value();
    }
    std::ofstream(root_ + "/midi/broken.mid") << "not a MIDI file";
    std::ofstream(root_ + "/split.tsv")
        << "piece\tsplit\nfirst\ttrain\nsecond\tvalid\nbroken\ttrain\n";
    options_.midi_dir = root_ + "/midi";
    options_.split = Split::Read(root_ + "/split.tsv").value();
    options_.soundfonts = {kSoundfont};
    options_.store = root_ + "/store";
  }

  const testing::TemporaryFolder folder_;
  const std::string root_ = folder_.path();
  PrepareOptions options_;
  Progress progress_;
};

TEST_F(PrepareTest, MakesEveryVariationOnceAndResumes) {
  const auto first = Prepare(options_, progress_);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->made, 4);
  EXPECT_EQ(first->skipped, 2);  // both variations of the broken file
  fs::remove(ItemPath(options_.store, "second", 1));
  const auto second = Prepare(options_, progress_);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->made, 1);
  EXPECT_EQ(second->kept, 3);
  options_.seed = 2;  // another recipe: nothing fits any more
  const auto third = Prepare(options_, progress_);
  ASSERT_TRUE(third.ok());
  EXPECT_EQ(third->made, 4);
}

TEST_F(PrepareTest, OwnInstrumentsAreAnotherRecipe) {
  const auto description = [this] {
    std::ifstream file(options_.store + "/store.json");
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  ASSERT_TRUE(Prepare(options_, progress_).ok());
  EXPECT_EQ(description().find("own_instruments"), std::string::npos)
      << "stores made before there was a choice fit";
  options_.variation.own_instruments = true;
  const auto own = Prepare(options_, progress_);
  ASSERT_TRUE(own.ok()) << own.status();
  EXPECT_EQ(own->made, 4);
  EXPECT_NE(description().find("\"own_instruments\": true"), std::string::npos);
}

TEST_F(PrepareTest, AnItemHoldsTheScoreAndItsSoundAtItsTempo) {
  options_.variations = 3;
  options_.variation.max_slip_share = options_.variation.recorded_share = 0;
  ASSERT_TRUE(Prepare(options_, progress_).ok());
  for (int variation = 0; variation < 3; ++variation) {
    const auto item = ReadItem(ItemPath(options_.store, "first", variation));
    ASSERT_TRUE(item.ok()) << item.status();
    EXPECT_EQ(item->part, Part::kTrain);
    ASSERT_EQ(item->notes.size(), 12u);
    EXPECT_NEAR(item->notes[4].onset_s, 1.0, 1e-3);
    const double audio_s = item->spectrogram.frames() / item->settings.frame_rate();
    EXPECT_NEAR(audio_s, item->time.To(3.0) + 1.0, 0.5);  // one second of tail
    // The fifth note's band is louder a moment after its onset than a moment before.
    const int band = (item->notes[4].pitch - 21) * 2;
    const auto level = [&](double seconds) {
      return item->spectrogram
          .cells[std::lround(item->time.To(seconds) * item->settings.frame_rate()) *
                     item->settings.bands +
                 band];
    };
    EXPECT_GT(level(1.1), level(0.9) + 10) << "variation " << variation;
  }
}

TEST_F(PrepareTest, RefusesTheEvaluationSoundfont) {
  fs::create_symlink(kSoundfont, root_ + "/link");
  std::ofstream(root_ + "/MuseScore_General.sf3") << "x";
  options_.soundfonts.push_back(root_ + "/MuseScore_General.sf3");
  EXPECT_EQ(Prepare(options_, progress_).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(fs::exists(options_.store));
}

TEST_F(PrepareTest, SaysWhatIsMissing) {
  options_.midi_dir = root_ + "/nothing";
  EXPECT_EQ(Prepare(options_, progress_).status().code(), absl::StatusCode::kNotFound);
  options_.midi_dir = root_ + "/midi";
  options_.parts = {Part::kTest};
  EXPECT_EQ(Prepare(options_, progress_).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace antiphon::trainer::data
