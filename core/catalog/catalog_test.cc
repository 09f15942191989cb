#include "core/catalog/catalog.h"

#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>
#include <thread>

#include "absl/strings/str_cat.h"
#include "core/catalog/checks.h"
#include "core/testing/temporary_folder.h"

namespace antiphon::catalog {
namespace {

using absl::StatusCode;

class CatalogTest : public ::testing::Test {
 protected:
  std::unique_ptr<CatalogWriter> Create() {
    auto writer = CatalogWriter::Create(path_);
    EXPECT_TRUE(writer.ok()) << writer.status();
    return *std::move(writer);
  }

  std::unique_ptr<Catalog> Open() {
    auto catalog = Catalog::Open(path_);
    EXPECT_TRUE(catalog.ok()) << catalog.status();
    return *std::move(catalog);
  }

  const testing::TemporaryFolder folder_;
  std::string path_ = folder_.path() + "/catalog.sqlite";
};

Piece MakePiece(const std::string& id) {
  return {id, "Title of " + id, "Composer", 61.5, 120, 30, 456};
}
Recording MakeRecording(const std::string& id) {
  return {id, "Title of " + id, "Composer", "piece", 62.25};
}

TEST_F(CatalogTest, EverythingAddedIsReadBack) {
  const std::string binary("MThd\0\0\xff\x80\0tail", 13);
  auto writer = Create();
  EXPECT_EQ(writer
                ->AddPiece({"bwv-999", "Präludium ‚für die Laute‘", "Јohann Sebastian Bach", 91.5,
                            129, 43, 512, "Unterricht ♫", 77, "BWV 999 · прелюдия", true},
                           binary)
                .value(),
            0);
  EXPECT_EQ(writer->AddPiece({"さくら", "さくら さくら 🎵", "", 0, 0, 0, 0, "", 0}, "").value(), 1);
  EXPECT_EQ(writer
                ->AddRecording({"r/1", "Élégie; DROP TABLE pieces", "Fauré", "bwv-999", 12.75,
                                "Archiv", 1LL << 60},
                               binary)
                .value(),
            0);
  ASSERT_TRUE(writer->AddRun(Side::kScores, {0, 10, 1, 0.8, -0.5, 0.25, 4.2}).ok());
  ASSERT_TRUE(writer->AddRun(Side::kScores, {10, 1, 0, 1.25, 0, 0, 4.2, 3}).ok());
  ASSERT_TRUE(writer->AddRun(Side::kRecordings, {0, 3, 0, 1, 0, 0.5, 4.2}).ok());
  ASSERT_TRUE(writer->Finish().ok());

  const auto catalog = Open();
  ASSERT_EQ(catalog->pieces().size(), 2u);
  const Piece& piece = catalog->pieces()[0];
  EXPECT_EQ(piece.id, "bwv-999");
  EXPECT_EQ(piece.title, "Präludium ‚für die Laute‘");
  EXPECT_EQ(piece.composer, "Јohann Sebastian Bach");
  EXPECT_EQ(piece.duration_s, 91.5);
  EXPECT_EQ(piece.beats, 129);
  EXPECT_EQ(piece.bars, 43);
  EXPECT_EQ(piece.notes, 512);
  EXPECT_EQ(piece.collection, "Unterricht ♫");
  EXPECT_EQ(piece.version, 77);
  EXPECT_EQ(piece.work_id, "BWV 999 · прелюдия");
  EXPECT_TRUE(piece.with_parts);
  EXPECT_FALSE(catalog->pieces()[1].with_parts);
  EXPECT_EQ(catalog->pieces()[1].collection, "");
  EXPECT_EQ(catalog->pieces()[1].version, 0);
  EXPECT_EQ(catalog->pieces()[1].work_id, "");
  EXPECT_EQ(catalog->pieces()[1].title, "さくら さくら 🎵");
  ASSERT_EQ(catalog->recordings().size(), 1u);
  EXPECT_EQ(catalog->recordings()[0].title, "Élégie; DROP TABLE pieces");
  EXPECT_EQ(catalog->recordings()[0].piece_id, "bwv-999");
  EXPECT_EQ(catalog->recordings()[0].duration_s, 12.75);
  EXPECT_EQ(catalog->recordings()[0].collection, "Archiv");
  EXPECT_EQ(catalog->recordings()[0].version, int64_t{1} << 60);
  EXPECT_EQ(catalog->ReadMidi(0).value(), binary);
  EXPECT_EQ(catalog->ReadMidi(1).value(), "");
  EXPECT_EQ(catalog->ReadAudio(0).value(), binary);
  ASSERT_EQ(catalog->runs(Side::kScores).size(), 2u);
  EXPECT_EQ(catalog->runs(Side::kScores)[0].part, kWhole);
  EXPECT_EQ(catalog->runs(Side::kScores)[1].tempo_ratio, 1.25);
  EXPECT_EQ(catalog->runs(Side::kScores)[1].part, 3);
  EXPECT_EQ(catalog->Locate(Side::kScores, 10)->part, 3);
  EXPECT_EQ(catalog->vector_count(Side::kScores), 11);
  EXPECT_EQ(catalog->vector_count(Side::kRecordings), 3);
}

TEST_F(CatalogTest, FindsByIdOnlyWhatIsThere) {
  auto writer = Create();
  for (int i = 0; i < 300; ++i) {
    ASSERT_EQ(writer->AddPiece(MakePiece(absl::StrCat("p", i)), absl::StrCat("m", i)).value(), i);
    ASSERT_EQ(writer->AddRecording(MakeRecording(absl::StrCat("r", i)), "a").value(), i);
  }
  ASSERT_TRUE(writer->Finish().ok());
  const auto catalog = Open();
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(catalog->FindPiece(absl::StrCat("p", i)), i);
    EXPECT_EQ(catalog->FindRecording(absl::StrCat("r", i)), i);
    EXPECT_EQ(catalog->ReadMidi(i).value(), absl::StrCat("m", i));
  }
  EXPECT_EQ(catalog->FindPiece("r1"), std::nullopt);
  EXPECT_EQ(catalog->FindPiece(""), std::nullopt);
  EXPECT_EQ(catalog->FindRecording("p1"), std::nullopt);
  for (const int outside : {-1, 300}) {
    EXPECT_EQ(catalog->ReadMidi(outside).status().code(), StatusCode::kOutOfRange);
    EXPECT_EQ(catalog->ReadAudio(outside).status().code(), StatusCode::kOutOfRange);
  }
}

TEST_F(CatalogTest, EmptyCatalogIsACatalog) {
  ASSERT_TRUE(Create()->Finish().ok());
  const auto catalog = Open();
  EXPECT_TRUE(catalog->pieces().empty());
  EXPECT_EQ(catalog->vector_count(Side::kScores), 0);
  EXPECT_EQ(catalog->Locate(Side::kScores, 0).status().code(), StatusCode::kOutOfRange);
}

TEST_F(CatalogTest, LocateAgreesWithCountingThroughTheRuns) {
  std::mt19937 random(1);
  auto writer = Create();
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(writer->AddPiece(MakePiece(absl::StrCat("p", i)), "").ok());
  for (int i = 0; i < 7; ++i)
    ASSERT_TRUE(writer->AddRecording(MakeRecording(absl::StrCat("r", i)), "").ok());
  std::vector<SnippetPosition> expected[2];
  for (const Side side : {Side::kScores, Side::kRecordings}) {
    auto& positions = expected[static_cast<int>(side)];
    for (int i = 0; i < 200; ++i) {
      const SnippetRun run = {static_cast<int64_t>(positions.size()),
                              1 + static_cast<int64_t>(random() % 9),
                              static_cast<int>(random() % (side == Side::kScores ? 20 : 7)),
                              0.5 + random() % 4 * 0.25,
                              random() % 100 * 0.1,
                              0.25,
                              4.2};
      ASSERT_TRUE(writer->AddRun(side, run).ok());
      for (int64_t j = 0; j < run.count; ++j) {
        const double start = run.start_s + j * run.hop_s;
        positions.push_back({run.source, run.tempo_ratio, start, start + run.window_s});
      }
    }
  }
  ASSERT_TRUE(writer->Finish().ok());
  const auto catalog = Open();
  for (const Side side : {Side::kScores, Side::kRecordings}) {
    const auto& positions = expected[static_cast<int>(side)];
    ASSERT_EQ(catalog->vector_count(side), static_cast<int64_t>(positions.size()));
    for (size_t v = 0; v < positions.size(); ++v) {
      const SnippetPosition found = catalog->Locate(side, v).value();
      EXPECT_EQ(found.source, positions[v].source);
      EXPECT_EQ(found.tempo_ratio, positions[v].tempo_ratio);
      EXPECT_DOUBLE_EQ(found.start_s, positions[v].start_s);
      EXPECT_DOUBLE_EQ(found.end_s, positions[v].end_s);
    }
    for (const int64_t outside :
         {int64_t{-1}, catalog->vector_count(side), std::numeric_limits<int64_t>::max()}) {
      EXPECT_EQ(catalog->Locate(side, outside).status().code(), StatusCode::kOutOfRange);
    }
  }
}

TEST_F(CatalogTest, RepeatedIdsAreRefusedPerKind) {
  auto writer = Create();
  ASSERT_TRUE(writer->AddPiece(MakePiece("same"), "first").ok());
  EXPECT_EQ(writer->AddPiece(MakePiece("same"), "second").status().code(),
            StatusCode::kAlreadyExists);
  EXPECT_EQ(writer->AddRecording(MakeRecording("same"), "").value(), 0);  // another kind
  EXPECT_EQ(writer->AddRecording(MakeRecording("same"), "").status().code(),
            StatusCode::kAlreadyExists);
  EXPECT_EQ(writer->AddPiece(MakePiece("other"), "third").value(), 1);
  ASSERT_TRUE(writer->Finish().ok());
  const auto catalog = Open();
  EXPECT_EQ(catalog->pieces().size(), 2u);
  EXPECT_EQ(catalog->ReadMidi(0).value(), "first");
}

TEST_F(CatalogTest, WrongFieldsAreNamed) {
  auto writer = Create();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto with = [](auto change) {
    Piece piece = MakePiece("id");
    change(piece);
    return piece;
  };
  const std::vector<std::pair<std::string, Piece>> faults = {
      {"id", with([](Piece& p) { p.id = ""; })},
      {"id", with([](Piece& p) { p.id = std::string(201, 'x'); })},
      {"id", with([](Piece& p) { p.id = "\xff"; })},
      {"title", with([](Piece& p) { p.title = "\xc3("; })},
      {"title", with([](Piece& p) { p.title = std::string(5000, 'x'); })},
      {"composer", with([](Piece& p) { p.composer = "\xed\xa0\x80"; })},
      {"duration", with([&](Piece& p) { p.duration_s = nan; })},
      {"beats", with([](Piece& p) { p.beats = -1; })},
      {"bars", with([](Piece& p) { p.bars = -1; })},
      {"notes", with([](Piece& p) { p.notes = -1; })},
      {"collection", with([](Piece& p) { p.collection = "\xff"; })},
      {"collection", with([](Piece& p) { p.collection = std::string(201, 'x'); })},
      {"version", with([](Piece& p) { p.version = -1; })},
      {"work_id", with([](Piece& p) { p.work_id = "\xff"; })},
      {"work_id", with([](Piece& p) { p.work_id = std::string(201, 'x'); })},
  };
  for (const auto& [field, piece] : faults) {
    const absl::Status status = writer->AddPiece(piece, "").status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << field;
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(field));
  }
  EXPECT_TRUE(writer->AddPiece(with([](Piece& p) { p.id = std::string(200, 'x'); }), "").ok());
  Recording recording = MakeRecording("r");
  recording.version = -1;
  EXPECT_THAT(std::string(writer->AddRecording(recording, "").status().message()),
              ::testing::HasSubstr("version"));
  recording = MakeRecording("r");
  recording.collection = std::string(201, 'x');
  EXPECT_THAT(std::string(writer->AddRecording(recording, "").status().message()),
              ::testing::HasSubstr("collection"));
}

TEST_F(CatalogTest, RunsMustFollowOneAnotherAndNameASource) {
  auto writer = Create();
  ASSERT_TRUE(writer->AddPiece(MakePiece("p"), "").ok());
  const SnippetRun good = {0, 5, 0, 1, 0, 0.5, 4};
  const auto with = [&](auto change) {
    SnippetRun run = good;
    change(run);
    return run;
  };
  for (const SnippetRun& bad : {
           with([](SnippetRun& r) { r.first_vector = 1; }),
           with([](SnippetRun& r) { r.count = 0; }),
           with([](SnippetRun& r) { r.source = 1; }),
           with([](SnippetRun& r) { r.source = -1; }),
           with([](SnippetRun& r) { r.tempo_ratio = 0; }),
           with([](SnippetRun& r) { r.start_s = std::numeric_limits<double>::infinity(); }),
           with([](SnippetRun& r) { r.hop_s = -0.1; }),
           with([](SnippetRun& r) { r.hop_s = std::numeric_limits<double>::quiet_NaN(); }),
           with([](SnippetRun& r) { r.window_s = 0; }),
       }) {
    EXPECT_EQ(writer->AddRun(Side::kScores, bad).code(), StatusCode::kInvalidArgument);
  }
  // There is no recording.
  EXPECT_EQ(writer->AddRun(Side::kRecordings, good).code(), StatusCode::kInvalidArgument);
  ASSERT_TRUE(writer->AddRun(Side::kScores, good).ok());
  EXPECT_EQ(writer->AddRun(Side::kScores, good).code(), StatusCode::kInvalidArgument);  // 5 is next
  EXPECT_EQ(writer
                ->AddRun(Side::kScores, with([](SnippetRun& r) {
                           r.first_vector = 5;
                           r.count = std::numeric_limits<int64_t>::max();
                         }))
                .code(),
            StatusCode::kInvalidArgument);
}

TEST_F(CatalogTest, NothingIsThereBeforeFinishAndNothingAfterGivingUp) {
  {
    auto writer = Create();
    ASSERT_TRUE(writer->AddPiece(MakePiece("p"), std::string(1 << 20, 'x')).ok());
    EXPECT_EQ(Catalog::Open(path_).status().code(), StatusCode::kNotFound);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(CatalogTest, RemainsOfACrashedWriterAreNoObstacle) {
  std::ofstream(path_ + ".partial") << "half a database";
  ASSERT_TRUE(Create()->Finish().ok());
  EXPECT_TRUE(Open()->pieces().empty());
}

TEST_F(CatalogTest, AnExistingFileIsLeftAlone) {
  std::ofstream(path_) << "precious";
  EXPECT_EQ(CatalogWriter::Create(path_).status().code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(std::filesystem::file_size(path_), 8u);
}

TEST_F(CatalogTest, AFileThatCameMeanwhileIsLeftAlone) {
  auto writer = Create();
  std::ofstream(path_) << "precious";
  EXPECT_EQ(writer->Finish().code(), StatusCode::kAlreadyExists);
  writer.reset();
  EXPECT_EQ(std::filesystem::file_size(path_), 8u);
}

TEST_F(CatalogTest, AFinishedWriterRefusesMore) {
  auto writer = Create();
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_EQ(writer->AddPiece(MakePiece("p"), "").status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(writer->Finish().code(), StatusCode::kFailedPrecondition);
}

TEST_F(CatalogTest, PathsWithAnyCharactersWork) {
  path_ = folder_.path() + "/a?mode=memory&b#c %41 ü.sqlite";
  ASSERT_TRUE(Create()->Finish().ok());
  EXPECT_TRUE(std::filesystem::exists(path_));
  EXPECT_TRUE(Open()->pieces().empty());
}

TEST_F(CatalogTest, ManyThreadsReadAtOnce) {
  auto writer = Create();
  const auto blob = [](int i) {
    return std::string(1000 + 300 * i, static_cast<char>('a' + i % 26));
  };
  for (int i = 0; i < 40; ++i)
    ASSERT_TRUE(writer->AddPiece(MakePiece(absl::StrCat("p", i)), blob(i)).ok());
  ASSERT_TRUE(writer->Finish().ok());
  const auto catalog = Open();
  std::vector<std::thread> threads;
  std::vector<int> correct(4);
  for (int& count : correct) {
    threads.emplace_back([&] {
      for (int i = 0; i < 40; ++i) count += catalog->ReadMidi(i).value() == blob(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(correct, ::testing::Each(40));
}

TEST(TextTest, WellFormedUtf8IsTold) {
  for (const std::string good : {"", "plain", "é", "漢字", "🎹", "\xf4\x8f\xbf\xbf"})
    EXPECT_TRUE(IsText(good)) << good;
  for (const std::string bad :
       {"\x80", "\xc0\xaf", "\xc3", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf0\x9f\x8e",
        "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "a\xff"}) {
    EXPECT_FALSE(IsText(bad)) << ::testing::PrintToString(bad);
  }
  EXPECT_FALSE(IsText(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace antiphon::catalog
