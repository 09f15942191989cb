#include "core/exchange/export_manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_replace.h"
#include "core/music/file_naming.h"

namespace antiphon::exchange {
namespace {

using absl::StatusCode;
using catalog::Side;
using ::testing::HasSubstr;

ExportManifest Example() {
  const std::string sha256(64, 'a');
  ExportManifest manifest;
  manifest.created = "2026-01-02T03:04:05Z";
  manifest.origin = std::string(32, 'b');
  manifest.generation = 3;
  manifest.last_change = 12;
  manifest.model_id = "m";
  manifest.index = index::IndexKind::kHnsw;
  manifest.score_hop_s = 0.5;
  manifest.recording_hop_s = 0.125;
  manifest.tempo_ratios = {0.84, 1};
  manifest.score_metadata = manifest.recording_metadata = {"metadata.tsv", 10, sha256};
  ExportedSource piece{{"one.mid", 99, sha256}, {}};
  piece.source.piece = {.id = "öne\t", .title = "Tab\tand\nline", .composer = "Ä", .version = 12};
  piece.source.piece.work_id = "w";
  ExportedSource recording{{"two.flac", 98, sha256}, {}};
  recording.source.side = Side::kRecordings;
  recording.source.recording = {.id = "two", .piece_id = "öne\t", .collection = "c"};
  manifest.pieces = {piece};
  manifest.recordings = {recording};
  return manifest;
}

TEST(ExportManifest, IsReadAsItWasWritten) {
  const std::string json = ExportToJson(Example());
  const auto read = ParseExport(json);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(ExportToJson(*read), json);
  EXPECT_EQ(read->pieces.at(0).source.piece.title, "Tab\tand\nline");
  EXPECT_EQ(read->pieces.at(0).source.piece.version, 12);
  EXPECT_EQ(read->pieces.at(0).source.piece.work_id, "w");
  EXPECT_EQ(read->recordings.at(0).source.recording.piece_id, "öne\t");
  EXPECT_EQ(read->recordings.at(0).file.name, "two.flac");
  EXPECT_EQ(read->index, index::IndexKind::kHnsw);
}

TEST(ExportManifest, EveryFieldIsCheckedAndNamed) {
  const std::string json = ExportToJson(Example());
  const auto refused = [&](const std::string& before, const std::string& after,
                           const std::string& message, StatusCode code = StatusCode::kDataLoss) {
    ASSERT_THAT(json, HasSubstr(before));
    const std::string changed = absl::StrReplaceAll(json, {{before, after}});
    const absl::Status status = ParseExport(changed).status();
    EXPECT_EQ(status.code(), code) << after;
    EXPECT_THAT(std::string(status.message()), HasSubstr(message)) << after;
  };
  refused("\"antiphon export\"", "\"other\"", "format is not");
  refused("\"format_version\": 1", "\"format_version\": 2", "format_version is 2",
          StatusCode::kFailedPrecondition);
  refused("\"generation\": 3", "\"generation\": -3", "generation is no whole number");
  refused("\"generation\": 3", "\"generation\": 1e300", "generation is no whole number");
  refused("\"generation\": 3", "\"generation\": 18446744073709551615", "generation is no whole");
  refused("\"last_change\": 12", "\"last_change\": 11", "pieces[0] version is no whole number");
  refused("\"last_change\": 12", "\"last_change\": 13", "checksum");
  refused("\"index\": \"hnsw\"", "\"index\": \"fast\"", "index is not a kind");
  refused("\"score_hop_s\": 0.5", "\"score_hop_s\": 0", "score_hop_s");
  refused("\"score_hop_s\": 0.5", "\"score_hop_s\": \"x\"", "score_hop_s");
  refused("0.84", "0", "tempo_ratios has a number out of range");
  refused("\"piece_count\": 1", "\"piece_count\": 2", "piece_count");
  refused("\"one.mid\"", "\"../one.mid\"", "pieces[0] file is no plain file name");
  refused("\"one.mid\"", "\"/etc/passwd\"", "pieces[0] file is no plain file name");
  refused("\"size\": 99", "\"size\": 1e12", "pieces[0] size");
  refused(std::string(64, 'a'), "abc", "sha256");
  refused("\"title\": \"Tab", "\"name\": \"Tab", "pieces[0] title is missing");
  refused("\"composer\": \"Ä\"", "\"composer\": 5", "pieces[0] composer is no text");
  refused("\"id\": \"two\"", "\"id\": \"\"", "recordings[0] recording id");
  refused("\"recordings\": [", "\"recordings\": [5, ", "recordings[0] is no object");
  refused("\"folder\": \"scores\"", "\"folder\": \"recordings\"", "metadata[0] folder");
  EXPECT_THAT(std::string(ParseExport("{").status().message()), HasSubstr("is not JSON"));
  EXPECT_THAT(std::string(ParseExport("5").status().message()), HasSubstr("is no object"));
  EXPECT_THAT(
      std::string(ParseExport(std::string(20, '[') + std::string(20, ']')).status().message()),
      HasSubstr("nested too deep"));
  ExportManifest twice = Example();
  twice.pieces.push_back(twice.pieces[0]);
  EXPECT_THAT(std::string(ParseExport(ExportToJson(twice)).status().message()),
              HasSubstr("pieces[1] id is there twice"));
  twice.pieces[1].source.piece.id = "another";
  EXPECT_THAT(std::string(ParseExport(ExportToJson(twice)).status().message()),
              HasSubstr("pieces[1] file is there twice"));
}

TEST(ExportManifest, DamageIsFoundWhereverItIs) {
  const std::string json = ExportToJson(Example());
  for (size_t i = 0; i < json.size(); ++i) {
    EXPECT_FALSE(ParseExport(json.substr(0, i)).ok() && i + 1 < json.size()) << i;
    for (const char mask : {'\x01', '\x20', '\x80'}) {
      std::string bad = json;
      bad[i] = static_cast<char>(bad[i] ^ mask);
      const auto read = ParseExport(bad);
      // White space says nothing.
      EXPECT_TRUE(!read.ok() || ExportToJson(*read) == json) << i << " " << bad.substr(i, 20);
    }
  }
}

TEST(ExportManifest, TheTableIsReadByAnIndexing) {
  const ExportManifest manifest = Example();
  const auto pieces = music::ParseMetadata(MetadataTable(manifest.pieces, Side::kScores));
  ASSERT_TRUE(pieces.ok()) << pieces.status();
  EXPECT_EQ(pieces->at("one.mid").id, "öne");
  EXPECT_EQ(pieces->at("one.mid").title, "Tab and line");
  EXPECT_EQ(pieces->at("one.mid").composer, "Ä");
  EXPECT_EQ(pieces->at("one.mid").work_id, "w");
  const auto recordings =
      music::ParseMetadata(MetadataTable(manifest.recordings, Side::kRecordings));
  ASSERT_TRUE(recordings.ok()) << recordings.status();
  EXPECT_EQ(recordings->at("two.flac").id, "two");
  EXPECT_EQ(recordings->at("two.flac").collection, "c");
}

}  // namespace
}  // namespace antiphon::exchange
