#include "core/encoder/encoder_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace antiphon::encoder {
namespace {

using ::testing::HasSubstr;

EncoderInfo SomeInfo() {
  EncoderInfo info;
  info.model_id = "residual-64-abc";
  info.modality = Modality::kScore;
  info.dimension = 64;
  info.channels = 2;
  info.bands = info.settings.pitches;
  return info;
}

TEST(EncoderFileTest, RoundTrip) {
  const auto parsed = ParseEncoderInfo(EncoderInfoToJson(SomeInfo()));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->model_id, "residual-64-abc");
  EXPECT_EQ(parsed->modality, Modality::kScore);
  EXPECT_EQ(parsed->dimension, 64);
  EXPECT_EQ(parsed->settings, SomeInfo().settings);
}

TEST(EncoderFileTest, EveryFieldIsNeededAndNamed) {
  const auto whole = nlohmann::json::parse(EncoderInfoToJson(SomeInfo()));
  for (const auto& [name, value] : whole.items()) {
    nlohmann::json lacking = whole;
    lacking.erase(name);
    const auto parsed = ParseEncoderInfo(lacking.dump());
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr(name));
  }
}

TEST(EncoderFileTest, RefusesWhatDoesNotFitTogether) {
  const auto refused = [](const char* name, const nlohmann::json& value) {
    auto changed = nlohmann::json::parse(EncoderInfoToJson(SomeInfo()));
    changed[name] = value;
    return !ParseEncoderInfo(changed.dump()).ok();
  };
  EXPECT_TRUE(refused("version", 2));
  EXPECT_TRUE(refused("modality", "sculpture"));
  EXPECT_TRUE(refused("modality", "audio"));
  EXPECT_TRUE(refused("dimension", 0));
  EXPECT_TRUE(refused("dimension", 1e9));
  EXPECT_TRUE(refused("channels", 1));
  EXPECT_TRUE(refused("bands", 12));
  EXPECT_TRUE(refused("settings", nullptr));
  for (const char* text : {"", "[]", "{", "null", "\xff"})
    EXPECT_FALSE(ParseEncoderInfo(text).ok()) << text;
}

}  // namespace
}  // namespace antiphon::encoder
