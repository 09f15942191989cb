#include "core/features/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace antiphon::features {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

json DefaultJson() { return json::parse(SettingsToJson(FeatureSettings())); }

std::vector<std::string> FieldNames() {
  std::vector<std::string> names;
  const json object = DefaultJson();
  for (const auto& item : object.items()) names.push_back(item.key());
  return names;
}

// Refused, as the user's fault, in words that name `field`.
void ExpectRefused(const absl::Status& status, const std::string& field) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << field << ": " << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(field));
}

TEST(FeatureSettingsTest, DefaultsAreValidAndCoverThePiano) {
  const FeatureSettings settings;
  EXPECT_TRUE(settings.Validate().ok()) << settings.Validate();
  EXPECT_DOUBLE_EQ(settings.frame_rate(), 21.0);
  EXPECT_DOUBLE_EQ(settings.window_s(), 2.0);
  const double highest =
      settings.min_frequency * std::exp2((settings.bands - 1.0) / settings.bands_per_octave);
  EXPECT_GE(highest, 4186.0);  // C8
  EXPECT_EQ(settings.lowest_pitch + settings.pitches - 1, 108);
}

TEST(FeatureSettingsTest, DorferSettingsAreAsPublished) {
  const FeatureSettings settings = DorferSettings();
  EXPECT_TRUE(settings.Validate().ok()) << settings.Validate();
  EXPECT_EQ(settings.front_end, FrontEndKind::kLogFilterbank);
  EXPECT_EQ(settings.sample_rate, 22050);
  EXPECT_EQ(settings.fft_length, 2048);
  EXPECT_EQ(settings.bands, 92);
  EXPECT_EQ(settings.bands_per_octave, 16);
  EXPECT_EQ(settings.min_frequency, 30.0);
}

TEST(FeatureSettingsTest, EveryFieldHasARange) {
  const struct {
    const char* field;
    std::function<void(FeatureSettings&)> spoil;
  } cases[] = {
      {"sample_rate", [](auto& s) { s.sample_rate = 7999; }},
      {"sample_rate", [](auto& s) { s.sample_rate = 96001; }},
      {"hop_length", [](auto& s) { s.hop_length = 0; }},
      {"hop_length", [](auto& s) { s.hop_length = -1050; }},
      {"hop_length", [](auto& s) { s.hop_length = 96001; }},
      {"window_frames", [](auto& s) { s.window_frames = 3; }},
      {"window_frames", [](auto& s) { s.window_frames = 1025; }},
      {"min_frequency", [](auto& s) { s.min_frequency = 9.9; }},
      {"min_frequency", [](auto& s) { s.min_frequency = -27.5; }},
      {"min_frequency", [](auto& s) { s.min_frequency = 1001; }},
      {"min_frequency", [](auto& s) { s.min_frequency = kNan; }},
      {"min_frequency", [](auto& s) { s.min_frequency = kInfinity; }},
      {"bands_per_octave", [](auto& s) { s.bands_per_octave = 5; }},
      {"bands_per_octave", [](auto& s) { s.bands_per_octave = 97; }},
      {"bands", [](auto& s) { s.bands = 11; }},
      {"bands", [](auto& s) { s.bands = 1025; }},
      {"bands", [](auto& s) { s.bands = 300; }},  // beyond half the sample rate
      {"fft_length", [](auto& s) { s.fft_length = -1; }},
      {"fft_length", [](auto& s) { s.fft_length = 128; }},
      {"fft_length", [](auto& s) { s.fft_length = 32767; }},
      {"fft_length", [](auto& s) { s.fft_length = 1 << 19; }},
      {"lowest_pitch", [](auto& s) { s.lowest_pitch = -1; }},
      {"lowest_pitch", [](auto& s) { s.lowest_pitch = 128; }},
      {"pitches", [](auto& s) { s.pitches = 0; }},
      {"pitches", [](auto& s) { s.pitches = 108; }},  // 21 + 108 is beyond MIDI's 127
  };
  for (const auto& test : cases) {
    FeatureSettings settings;
    test.spoil(settings);
    ExpectRefused(settings.Validate(), test.field);
  }
}

TEST(FeatureSettingsTest, JsonBringsEveryFieldBack) {
  FeatureSettings settings;
  settings.sample_rate = 44100;
  settings.hop_length = 2205;
  settings.window_frames = 40;
  settings.front_end = FrontEndKind::kLogFilterbank;
  settings.min_frequency = 31.772344821;  // no short decimal
  settings.bands_per_octave = 18;
  settings.bands = 101;
  settings.fft_length = 4096;
  settings.lowest_pitch = 24;
  settings.pitches = 72;
  for (const FeatureSettings& original : {settings, FeatureSettings(), DorferSettings()}) {
    const auto parsed = ParseSettings(SettingsToJson(original));
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_TRUE(*parsed == original) << SettingsToJson(*parsed);
  }
}

TEST(FeatureSettingsTest, EveryChangedFieldIsSeenByEquality) {
  const json original = DefaultJson();
  for (const std::string& field : FieldNames()) {
    json changed = original;
    changed[field] = field == "front_end"    ? json("log_filterbank")
                     : field == "fft_length" ? json(65536)
                                             : json(original[field].get<int>() - 1);
    if (field == "min_frequency") changed[field] = 28.0;
    const auto parsed = ParseSettings(changed.dump());
    ASSERT_TRUE(parsed.ok()) << field << ": " << parsed.status();
    EXPECT_FALSE(*parsed == FeatureSettings()) << field;
  }
}

TEST(FeatureSettingsTest, AMissingFieldIsNamed) {
  EXPECT_EQ(FieldNames().size(), 10u);
  for (const std::string& field : FieldNames()) {
    json object = DefaultJson();
    object.erase(field);
    ExpectRefused(ParseSettings(object.dump()).status(), field);
  }
}

TEST(FeatureSettingsTest, AFieldOfTheWrongTypeIsNamed) {
  const json wrong[] = {nullptr, true, json::array({1}), json::object({{"a", 1}}), "", "22050"};
  for (const std::string& field : FieldNames()) {
    for (const json& value : wrong) {
      json object = DefaultJson();
      object[field] = value;
      ExpectRefused(ParseSettings(object.dump()).status(), field);
    }
    if (field == "min_frequency") continue;
    json object = DefaultJson();
    object[field] = 24.5;  // neither an integer nor a name
    ExpectRefused(ParseSettings(object.dump()).status(), field);
  }
}

TEST(FeatureSettingsTest, AFieldOutOfRangeIsNamed) {
  const json extreme[] = {-1,
                          -1e300,
                          1e300,
                          std::numeric_limits<int64_t>::min(),
                          1LL << 31,
                          1LL << 32,
                          (1LL << 32) + 24,
                          std::numeric_limits<int64_t>::max(),
                          std::numeric_limits<uint64_t>::max()};
  for (const std::string& field : FieldNames()) {
    for (const json& value : extreme) {
      json object = DefaultJson();
      object[field] = value;
      ExpectRefused(ParseSettings(object.dump()).status(), field);
    }
  }
}

TEST(FeatureSettingsTest, FieldsOfALaterVersionAreLeftAside) {
  json object = DefaultJson();
  object["comment"] = json::array({1, 2, 3});
  const auto parsed = ParseSettings(object.dump());
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_TRUE(*parsed == FeatureSettings());
}

TEST(FeatureSettingsTest, HostileJsonIsRefused) {
  const std::string good = SettingsToJson(FeatureSettings());
  std::vector<std::string> hostile = {
      "",
      " ",
      "null",
      "[]",
      "{}",
      "42",
      "\"settings\"",
      "{",
      "}",
      "{]",
      good + good,
      "[" + good + "]",
      "\xff\xfe\x00",
      std::string("\0\0\0", 3),
      "{\"sample_rate\":\"\xff\xff\"}",
      std::string(200'000, '['),  // deep nesting must not use up the stack
      std::string(200'000, '[') + std::string(200'000, ']'),
      "{\"sample_rate\":1" + std::string(100'000, '0') + "}",
      "{\"sample_rate\":NaN}",
  };
  std::string nested;
  for (int depth = 0; depth < 50'000; ++depth) nested += "{\"sample_rate\":";
  hostile.push_back(nested + "1" + std::string(50'000, '}'));
  for (size_t length = 0; length < good.size(); ++length) hostile.push_back(good.substr(0, length));
  for (const std::string& text : hostile) {
    const auto parsed = ParseSettings(text);
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument) << text.substr(0, 80);
  }
}

TEST(FeatureSettingsTest, AChangedByteIsRefusedOrGivesValidSettings) {
  const std::string good = SettingsToJson(FeatureSettings());
  int refused = 0;
  for (size_t at = 0; at < good.size(); ++at) {
    for (const char byte : {'\0', '0', '9', '"', '{', ',', '-', 'e', '\xff'}) {
      std::string text = good;
      text[at] = byte;
      const auto parsed = ParseSettings(text);
      if (parsed.ok()) {
        EXPECT_TRUE(parsed->Validate().ok()) << text;
      } else {
        EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument) << text;
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace antiphon::features
