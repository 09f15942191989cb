#include "trainer/data/renderer.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace antiphon::trainer::data {
namespace {

constexpr char kSoundfont[] = "/usr/share/sounds/sf2/TimGM6mb.sf2";
constexpr int kViolin = 40;

class RendererTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kSoundfont)) GTEST_SKIP() << kSoundfont << " is not installed";
    for (int i = 0; i < 4; ++i) {
      music::Note note;
      note.onset_s = 0.25 * i;
      note.offset_s = note.sounding_offset_s = note.onset_s + 0.25;
      note.pitch = 60 + i;
      note.track = i % 2;
      score_.notes.push_back(note);
    }
    score_.parts = {{"first", 0, 0, kViolin}, {"second", 1, 0, kViolin}};
  }

  std::vector<float> Render(const Variation& variation) {
    const auto audio = renderer_.Render(score_, VariationOptions(), variation);
    EXPECT_TRUE(audio.ok()) << audio.status();
    return audio.ok() ? audio->samples : std::vector<float>();
  }

  Renderer renderer_{22050};
  music::Score score_;
};

TEST_F(RendererTest, OnePianoPlaysAllUnlessToldOtherwise) {
  const Variation piano = PlainVariation(kSoundfont);
  Variation violin = piano, own = piano;
  violin.render.program = kViolin;
  own.own_instruments = true;
  EXPECT_NE(Render(piano), Render(own));
  EXPECT_EQ(Render(own), Render(violin)) << "the score's parts are violins";
  score_.parts.clear();
  EXPECT_EQ(Render(own), Render(piano)) << "notes without a part are the variation's";
}

TEST_F(RendererTest, EachPartHasItsOwn) {
  Variation own = PlainVariation(kSoundfont);
  own.own_instruments = true;
  const std::vector<float> violins = Render(own);
  score_.parts[1].program = 0;
  const std::vector<float> both = Render(own);
  EXPECT_NE(both, violins);
  EXPECT_NE(both, Render(PlainVariation(kSoundfont)));
}

TEST(DrawVariationTest, InstrumentsAreAsTheOptionsSayAndNothingElseChanges) {
  VariationOptions options;
  const Variation piano = DrawVariation(options, {"a.sf2"}, 5);
  options.own_instruments = true;
  const Variation own = DrawVariation(options, {"a.sf2"}, 5);
  EXPECT_FALSE(piano.own_instruments);
  EXPECT_TRUE(own.own_instruments);
  EXPECT_EQ(own.tempo_ratio, piano.tempo_ratio);
  EXPECT_EQ(own.recording_seed, piano.recording_seed);
}

}  // namespace
}  // namespace antiphon::trainer::data
