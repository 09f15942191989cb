#include "core/bundle/manifest.h"

#include <gmock/gmock.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "core/bundle/files.h"
#include "core/hash/sha256.h"

namespace antiphon::bundle {
namespace {

using absl::StatusCode;
using nlohmann::json;

Manifest Example() {
  Manifest manifest;
  manifest.generation = 7;
  manifest.created = "2024-02-29T12:00:00Z";
  manifest.origin = "0123456789abcdef0123456789abcdef";
  manifest.last_change = int64_t{1} << 40;
  manifest.model_id = "antiphon-ü-1";
  manifest.feature_settings = R"({"hop": 1103, "quote": "\""})";
  manifest.dimension = 64;
  manifest.pieces = 12;
  manifest.recordings = 3;
  manifest.score_vectors = std::numeric_limits<int64_t>::max();
  manifest.recording_vectors = 99;
  manifest.query_hop_s = 0.1;  // no exact binary fraction
  manifest.score_hop_s = 0.7;
  manifest.recording_hop_s = 3600;
  manifest.tempo_ratios = {0.25, 1.1, 4};
  manifest.files = {{"catalog.sqlite", 4096, std::string(64, 'a')},
                    {"scores.faiss", 0, std::string(64, '0')}};
  return manifest;
}

// The example with one thing changed, as text. The checksum is made right again, unless it was what
// changed.
template <typename Change>
std::string With(Change&& change) {
  json object = json::parse(ManifestToJson(Example()));
  const json checksum = object["checksum"];
  change(object);
  if (object.contains("checksum") && object["checksum"] == checksum) {
    object.erase("checksum");
    object["checksum"] = hash::HexSha256(object.dump());
  }
  return object.dump();
}

TEST(ManifestTest, RoundTripKeepsEverything) {
  const Manifest example = Example();
  const Manifest parsed = ParseManifest(ManifestToJson(example)).value();
  EXPECT_EQ(parsed.format_version, kBundleFormatVersion);
  EXPECT_EQ(parsed.generation, example.generation);
  EXPECT_EQ(parsed.created, example.created);
  EXPECT_EQ(parsed.origin, example.origin);
  EXPECT_EQ(parsed.last_change, example.last_change);
  EXPECT_EQ(parsed.model_id, example.model_id);
  EXPECT_EQ(parsed.feature_settings, example.feature_settings);
  EXPECT_EQ(parsed.dimension, example.dimension);
  EXPECT_EQ(parsed.pieces, example.pieces);
  EXPECT_EQ(parsed.recordings, example.recordings);
  EXPECT_EQ(parsed.score_vectors, example.score_vectors);
  EXPECT_EQ(parsed.recording_vectors, example.recording_vectors);
  EXPECT_EQ(parsed.query_hop_s, example.query_hop_s);
  EXPECT_EQ(parsed.score_hop_s, example.score_hop_s);
  EXPECT_EQ(parsed.recording_hop_s, example.recording_hop_s);
  EXPECT_EQ(parsed.tempo_ratios, example.tempo_ratios);
  ASSERT_EQ(parsed.files.size(), 2u);
  EXPECT_EQ(parsed.files[0].name, "catalog.sqlite");
  EXPECT_EQ(parsed.files[0].size, 4096);
  EXPECT_EQ(parsed.files[0].sha256, std::string(64, 'a'));
  EXPECT_EQ(ManifestToJson(parsed), ManifestToJson(example));
}

TEST(ManifestTest, UnknownFieldsAreIgnored) {
  EXPECT_TRUE(ParseManifest(With([](json& m) {
                m["comment"] = {{"from", "a later minor version"}};
              })).ok());
}

TEST(ManifestTest, AnySingleBitThatChangesIsNoticed) {
  const std::string text = ManifestToJson(Example());
  for (size_t position = 0; position + 1 < text.size(); ++position) {  // the last is a line feed
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = text;
      changed[position] = static_cast<char>(changed[position] ^ 1 << bit);
      EXPECT_FALSE(ParseManifest(changed).ok())
          << "bit " << bit << " of byte " << position << ": " << changed;
    }
  }
}

TEST(ManifestTest, AChecksumOfOtherFieldsIsNamed) {
  json object = json::parse(ManifestToJson(Example()));
  object["last_change"] = 8;
  EXPECT_THAT(std::string(ParseManifest(object.dump()).status().message()),
              ::testing::HasSubstr("checksum"));
}

TEST(ManifestTest, EveryMissingFieldIsNamed) {
  const json example = json::parse(ManifestToJson(Example()));
  for (const auto& field : example.items()) {
    const std::string& name = field.key();
    const absl::Status status = ParseManifest(With([&](json& m) { m.erase(name); })).status();
    EXPECT_EQ(status.code(), StatusCode::kDataLoss) << name;
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(name));
  }
  for (const std::string name : {"name", "size", "sha256"}) {
    const absl::Status status =
        ParseManifest(With([&](json& m) { m["files"][1].erase(name); })).status();
    EXPECT_EQ(status.code(), StatusCode::kDataLoss) << name;
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("files[1] " + name));
  }
}

TEST(ManifestTest, EveryFieldOfAWrongTypeIsNamed) {
  const json example = json::parse(ManifestToJson(Example()));
  for (const json& wrong : {json(nullptr), json(true), json(json::object()), json(1.5),
                            json("text"), json::array({1})}) {
    for (const auto& field : example.items()) {
      const std::string& name = field.key();
      const json& value = field.value();
      if (value.type() == wrong.type() || (value.is_number_float() && wrong.is_number())) continue;
      if (value.is_array() && wrong.is_array()) continue;
      const absl::Status status = ParseManifest(With([&](json& m) { m[name] = wrong; })).status();
      EXPECT_EQ(status.code(), StatusCode::kDataLoss) << name << " = " << wrong;
      EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(name));
    }
  }
}

TEST(ManifestTest, NumbersOutOfRangeAreRefused) {
  const std::vector<std::pair<std::string, json>> faults = {
      {"format_version", 0},
      {"format_version", -1},
      {"generation", 0},
      {"generation", -5},
      {"dimension", 0},
      {"dimension", 4097},
      {"dimension", int64_t{1} << 32 | 64},
      {"pieces", -1},
      {"recordings", std::numeric_limits<uint64_t>::max()},
      {"score_vectors", uint64_t{1} << 63},
      {"recording_vectors", -1},
      {"query_hop_s", -0.1},
      {"last_change", -1},
      {"last_change", std::numeric_limits<int64_t>::max()},
      {"score_hop_s", 0},
      {"score_hop_s", 3601},
      {"with_parts", 1},
      {"recording_hop_s", -0.1},
      {"tempo_ratios", json::array()},
      {"tempo_ratios", {0.24}},
      {"tempo_ratios", {1, 4.1}},
      {"tempo_ratios", {"1"}},
      {"tempo_ratios", json::array_t(101, 1.0)},
      {"origin", ""},
      {"origin", std::string(31, 'a')},
      {"origin", std::string(33, 'a')},
      {"origin", std::string(32, 'A')},
  };
  for (const auto& [name, value] : faults) {
    const absl::Status status = ParseManifest(With([&, &name = name, &value = value](json& m) {
                                  m[name] = value;
                                })).status();
    EXPECT_EQ(status.code(), StatusCode::kDataLoss) << name << " = " << value;
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(name));
  }
  std::string huge = ManifestToJson(Example());
  huge.replace(huge.find("\"query_hop_s\": 0.1"), 18, "\"query_hop_s\": 1e999");
  EXPECT_EQ(ParseManifest(huge).status().code(), StatusCode::kDataLoss);
}

TEST(ManifestTest, AnotherFormatIsToldApartFromDamage) {
  const absl::Status newer =
      ParseManifest(R"({"format_version": 5, "all": "else differs"})").status();
  EXPECT_EQ(newer.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(newer.message()), ::testing::HasSubstr("format_version is 5"));
  const absl::Status older =
      ParseManifest(R"({"format_version": 1, "all": "else differs"})").status();
  EXPECT_EQ(older.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(older.message()), ::testing::HasSubstr("antiphon-trainer migrate"));
}

TEST(ManifestTest, FormerFormatsAreRead) {
  Manifest former = Example();
  former.with_parts = true;  // says nothing before version 4
  for (const int version : {2, 3}) {
    former.format_version = version;
    const auto read = ParseManifest(ManifestToJson(former));
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->format_version, version);
    EXPECT_FALSE(read->with_parts);
  }
  former.format_version = 4;
  EXPECT_TRUE(ParseManifest(ManifestToJson(former)).value().with_parts);
}

TEST(ManifestTest, FileNamesThatLeaveTheFolderAreRefused) {
  for (const std::string name : {"", ".", "..", "../x", "a/b", "/etc/passwd", "a\\b", ".hidden",
                                 "-rf", "a b", "MANIFEST", "ä", "x\n"}) {
    EXPECT_EQ(ParseManifest(With([&](json& m) { m["files"][0]["name"] = name; })).status().code(),
              StatusCode::kDataLoss)
        << name;
  }
  EXPECT_EQ(ParseManifest(With([](json& m) { m["files"][0]["name"] = std::string("a\0b", 3); }))
                .status()
                .code(),
            StatusCode::kDataLoss);
  EXPECT_EQ(ParseManifest(With([](json& m) { m["files"][0]["name"] = std::string(201, 'x'); }))
                .status()
                .code(),
            StatusCode::kDataLoss);
  EXPECT_EQ(
      ParseManifest(With([](json& m) { m["files"][0]["name"] = "scores.faiss"; })).status().code(),
      StatusCode::kDataLoss);  // twice
}

TEST(ManifestTest, HashesMustBeLowerCaseHexadecimal) {
  for (const std::string& hash : {std::string(), std::string(63, 'a'), std::string(65, 'a'),
                                  std::string(64, 'A'), std::string(64, 'g')}) {
    EXPECT_EQ(ParseManifest(With([&](json& m) { m["files"][0]["sha256"] = hash; })).status().code(),
              StatusCode::kDataLoss);
  }
}

TEST(ManifestTest, TextThatIsNoManifestIsRefused) {
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("null"), std::string("[]"),
        std::string("\"MANIFEST\""), std::string("{}trailing"), std::string(1000, '\0'),
        std::string("\xff\xfe{}"), std::string(3'000'000, '['), std::string(5'000'000, ' ')}) {
    EXPECT_EQ(ParseManifest(text).status().code(), StatusCode::kDataLoss) << text.substr(0, 20);
  }
  std::string deep;
  for (int i = 0; i < 200'000; ++i) deep += "{\"a\":[";
  EXPECT_EQ(ParseManifest(deep).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(ParseManifest(With([](json& m) {
              json nested = 1;
              for (int i = 0; i < 20; ++i) nested = json::array({nested});
              m["nested"] = nested;
            }))
                .status()
                .code(),
            StatusCode::kDataLoss);
  EXPECT_EQ(ParseManifest(With([](json& m) { m["files"] = json::array_t(1001, m["files"][0]); }))
                .status()
                .code(),
            StatusCode::kDataLoss);
}

TEST(ManifestTest, RandomDamageIsRefusedOrStaysInRange) {
  std::mt19937 random(1);
  const std::string text = ManifestToJson(Example());
  int refused = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string changed = text;
    for (int i = 0; i < 1 + static_cast<int>(random() % 4); ++i) {
      changed[random() % changed.size()] = static_cast<char>(random());
    }
    const auto manifest = ParseManifest(changed);
    if (!manifest.ok()) {
      ++refused;
      continue;
    }
    EXPECT_GE(manifest->dimension, 1);
    EXPECT_GE(manifest->generation, 1);
    for (const FileEntry& file : manifest->files) EXPECT_TRUE(IsPlainName(file.name));
  }
  EXPECT_GT(refused, 1000);
}

TEST(GenerationNameTest, NamesRoundTripAndOnlyTheyAreRead) {
  for (const int64_t generation :
       {int64_t{1}, int64_t{42}, int64_t{999'999}, int64_t{1'000'000}, kMaxGeneration}) {
    EXPECT_EQ(ParseGenerationName(GenerationName(generation)), generation);
  }
  EXPECT_EQ(GenerationName(1), "gen-000001");
  for (const std::string name :
       {"", "gen-", "gen-0", "gen-000000", "gen-1", "gen-0000001", "gen--00001", "gen-+00001",
        "gen-000001 ", "gen-00000a", "GEN-000001", "../gen-000001", "gen-000001/..",
        "gen-99999999999999999999"}) {
    EXPECT_EQ(ParseGenerationName(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace antiphon::bundle
