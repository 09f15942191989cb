#include "core/collection/collection_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <random>
#include <set>
#include <thread>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "core/testing/temporary_folder.h"

namespace antiphon::collection {
namespace {

using catalog::Side;
using ::testing::HasSubstr;

constexpr int kDimension = 16;
constexpr Side kSides[] = {Side::kScores, Side::kRecordings};

using Record = std::shared_ptr<const catalog::SourceRecord>;

// With vectors of small whole numbers, so that inner products are exact however they are added up,
// and many are equal.
Record RandomRecord(Side side, const std::string& id, std::mt19937& random) {
  auto record = std::make_shared<catalog::SourceRecord>();
  record->side = side;
  const double duration_s = 10 + static_cast<double>(random() % 100);
  const std::string title = absl::StrCat("Title ", random() % 1000);
  record->piece = {.id = id, .title = title, .composer = "", .duration_s = duration_s};
  record->recording = {
      .id = id, .title = title, .composer = "", .piece_id = "", .duration_s = duration_s};
  record->content = absl::StrCat("content ", random());
  int64_t vectors = 0;
  const int runs = 1 + static_cast<int>(random() % 3);
  for (int i = 0; i < runs; ++i) {
    const auto count = static_cast<int64_t>(1 + random() % 12);
    record->runs.push_back(
        {vectors, count, 0, 0.5 + 0.25 * i, 0.1 * static_cast<double>(random() % 50), 0.5, 2.0});
    vectors += count;
  }
  for (int64_t i = 0; i < vectors * kDimension; ++i) {
    record->vectors.push_back(static_cast<float>(static_cast<int>(random() % 5) - 2));
  }
  return record;
}

// CollectionView indexed from scratch in `folder`, which must be empty.
std::shared_ptr<const CollectionView> FromScratch(const std::string& folder,
                                                  const std::vector<Record>& scores,
                                                  const std::vector<Record>& recordings,
                                                  index::IndexKind kind = index::IndexKind::kFlat) {
  const std::string path = folder + "/catalog";
  std::remove(path.c_str());
  auto writer = catalog::CatalogWriter::Create(path).value();
  std::vector<std::shared_ptr<const index::VectorIndex>> indexes;
  for (const Side side : kSides) {
    std::vector<float> vectors;
    for (const Record& record : side == Side::kScores ? scores : recordings) {
      const auto source = side == Side::kScores
                              ? writer->AddPiece(record->piece, record->content)
                              : writer->AddRecording(record->recording, record->content);
      EXPECT_TRUE(source.ok()) << source.status();
      for (catalog::SnippetRun run : record->runs) {
        run.source = *source;
        run.first_vector += static_cast<int64_t>(vectors.size()) / kDimension;
        EXPECT_TRUE(writer->AddRun(side, run).ok());
      }
      vectors.insert(vectors.end(), record->vectors.begin(), record->vectors.end());
    }
    indexes.push_back(
        index::VectorIndex::Build({.kind = kind, .dimension = kDimension}, vectors).value());
  }
  EXPECT_TRUE(writer->Finish().ok());
  return CollectionView::FromBase(catalog::Catalog::Open(path).value(), indexes[0], indexes[1]);
}

std::vector<float> RandomQueries(std::mt19937& random, int count) {
  std::vector<float> queries(count * kDimension);
  for (float& value : queries) value = static_cast<float>(static_cast<int>(random() % 7) - 3);
  return queries;
}

auto Fields(const CollectionView::Found& f) {
  const catalog::SnippetPosition& p = f.position;
  return std::tuple(f.query, p.source, p.tempo_ratio, p.start_s, p.end_s, f.similarity);
}

using Rows = std::vector<std::tuple<int, int, double, double, double, float>>;
Rows Found(const CollectionView& view, Side side, const std::vector<float>& queries, int k,
           const ResolvedFilter& scope = {}) {
  const auto found = view.Search(side, queries, k, scope);
  EXPECT_TRUE(found.ok()) << found.status();
  Rows rows;
  for (const CollectionView::Found& one : *found) rows.push_back(Fields(one));
  return rows;
}

// What is there according to a simple list, in the order of positions.
struct Model {
  std::vector<Record> of[2];

  std::vector<Record>& side(Side side) { return of[static_cast<int>(side)]; }
  void Apply(const Edit& edit) {
    std::vector<Record>& records = side(edit.side);
    std::erase_if(records, [&](const Record& record) { return record->id() == edit.id; });
    if (edit.put != nullptr) records.push_back(edit.put);
  }
};

class ContentsTest : public ::testing::Test {
 protected:
  Model MakeModel(int sources) {
    Model model;
    for (const Side side : kSides) {
      for (int i = 0; i < sources; ++i) {
        model.side(side).push_back(RandomRecord(side, absl::StrCat("base-", i), random_));
      }
    }
    return model;
  }

  // Puts, replaces or takes away something, there or not.
  Edit RandomEdit() {
    const Side side = kSides[random_() % 2];
    const std::string id = absl::StrCat(random_() % 2 == 0 ? "base-" : "new-", random_() % 12);
    return {side, id, random_() % 5 < 3 ? RandomRecord(side, id, random_) : nullptr};
  }

  void ExpectSame(const CollectionView& view, Model& model) {
    const testing::TemporaryFolder folder;
    const auto scratch =
        FromScratch(folder.path(), model.side(Side::kScores), model.side(Side::kRecordings));
    for (const Side side : kSides) {
      ExpectSameSources(view, model.side(side), side);
      EXPECT_EQ(view.vector_count(side), scratch->vector_count(side));
      EXPECT_EQ(
          view.base_index(side).size() - view.removed_vectors(side) + view.added_vectors(side),
          view.vector_count(side));
      const std::vector<float> queries = RandomQueries(random_, 5);
      for (const int k : {1, 7, 400}) {
        EXPECT_EQ(Found(view, side, queries, k), Found(*scratch, side, queries, k));
      }
      ResolvedFilter scope{.sources = std::vector<bool>(model.side(side).size()),
                           .exact = random_() % 2 == 0};
      for (size_t i = 0; i < scope.sources->size(); ++i) (*scope.sources)[i] = random_() % 3 == 0;
      const Rows found = Found(view, side, queries, 400, scope);
      EXPECT_EQ(found, Found(*scratch, side, queries, 400, scope));
      for (const auto& row : found) EXPECT_TRUE((*scope.sources)[std::get<1>(row)]);
    }
  }

  void ExpectSameSources(const CollectionView& view, const std::vector<Record>& records,
                         Side side) {
    ASSERT_EQ(view.source_count(side), static_cast<int64_t>(records.size()));
    ASSERT_EQ(side == Side::kScores ? view.pieces().size() : view.recordings().size(),
              records.size());
    for (size_t i = 0; i < records.size(); ++i) {
      const catalog::SourceRecord& record = *records[i];
      const auto position = static_cast<int>(i);
      const bool score = side == Side::kScores;
      EXPECT_EQ(score ? view.pieces()[i].id : view.recordings()[i].id, record.id());
      EXPECT_EQ(score ? view.pieces()[i].title : view.recordings()[i].title,
                score ? record.piece.title : record.recording.title);
      EXPECT_EQ(view.duration_s(side, position), record.piece.duration_s);
      EXPECT_EQ(score ? view.FindPiece(record.id()) : view.FindRecording(record.id()), position);
      EXPECT_EQ((score ? view.ReadMidi(position) : view.ReadAudio(position)).value(),
                record.content);
      const auto runs = view.ReadRuns(side, position);
      ASSERT_TRUE(runs.ok());
      std::vector<float> vectors;
      ASSERT_EQ(runs->size(), record.runs.size());
      for (size_t r = 0; r < runs->size(); ++r) {
        const catalog::SnippetRun &got = (*runs)[r].run, &put = record.runs[r];
        EXPECT_EQ(std::tuple(got.source, got.first_vector, got.count, got.tempo_ratio, got.start_s,
                             got.hop_s),
                  std::tuple(position, put.first_vector, put.count, put.tempo_ratio, put.start_s,
                             put.hop_s));
        vectors.insert(vectors.end(), (*runs)[r].vectors.begin(), (*runs)[r].vectors.end());
      }
      EXPECT_EQ(vectors, record.vectors);
    }
    EXPECT_FALSE(view.FindPiece("nobody").has_value());
  }

  const testing::TemporaryFolder folder_;
  std::mt19937 random_{11};
};

TEST_F(ContentsTest, AnswersAsIfIndexedFromScratchAfterAnyEdits) {
  Model model = MakeModel(10);
  auto view = FromScratch(folder_.path(), model.side(Side::kScores), model.side(Side::kRecordings));
  ExpectSame(*view, model);
  for (int round = 0; round < 25; ++round) {
    std::vector<Edit> edits(random_() % 6);
    for (Edit& edit : edits) {
      edit = RandomEdit();
      model.Apply(edit);
    }
    view = view->With(edits);
    ExpectSame(*view, model);
    if (HasFailure()) break;
  }
}

TEST_F(ContentsTest, EverythingCanGoAndComeBack) {
  Model model = MakeModel(4);
  auto view = FromScratch(folder_.path(), model.side(Side::kScores), model.side(Side::kRecordings));
  std::vector<Edit> edits;
  for (const Side side : kSides) {
    for (int i = 0; i < 4; ++i) edits.push_back({side, absl::StrCat("base-", i), nullptr});
  }
  for (const Edit& edit : edits) model.Apply(edit);
  view = view->With(edits);
  EXPECT_EQ(view->source_count(Side::kScores), 0);
  EXPECT_TRUE(Found(*view, Side::kScores, RandomQueries(random_, 3), 5).empty());
  ExpectSame(*view, model);
  edits = {{Side::kScores, "base-2", RandomRecord(Side::kScores, "base-2", random_)}};
  model.Apply(edits[0]);
  view = view->With(edits);
  ExpectSame(*view, model);
  EXPECT_EQ(view->removed_vectors(Side::kScores), view->base_index(Side::kScores).size());
}

TEST_F(ContentsTest, TheOrderOfEditsCountsWithinOneCall) {
  Model model = MakeModel(3);
  const auto view =
      FromScratch(folder_.path(), model.side(Side::kScores), model.side(Side::kRecordings));
  const std::vector<Edit> edits = {
      {Side::kScores, "x", RandomRecord(Side::kScores, "x", random_)},
      {Side::kScores, "y", RandomRecord(Side::kScores, "y", random_)},
      {Side::kScores, "x", nullptr},
      {Side::kScores, "base-1", RandomRecord(Side::kScores, "base-1", random_)},
      {Side::kScores, "x", RandomRecord(Side::kScores, "x", random_)},
      {Side::kScores, "x", RandomRecord(Side::kScores, "x", random_)},
      {Side::kScores, "nobody", nullptr}};
  auto one_by_one = view;
  for (const Edit& edit : edits) {
    model.Apply(edit);
    one_by_one = one_by_one->With({&edit, 1});
  }
  ExpectSame(*view->With(edits), model);
  ExpectSame(*one_by_one, model);
}

TEST_F(ContentsTest, GraphsAndListsForgetWhatHasGoneAndFindWhatHasCome) {
  Model model = MakeModel(60);
  const std::vector<Edit> edits = {
      {Side::kScores, "base-3", nullptr},
      {Side::kScores, "new", RandomRecord(Side::kScores, "new", random_)}};
  Model edited = model;
  for (const Edit& edit : edits) edited.Apply(edit);
  const testing::TemporaryFolder folder;
  const auto scratch =
      FromScratch(folder.path(), edited.side(Side::kScores), edited.side(Side::kRecordings));
  const auto queries = RandomQueries(random_, 40);
  for (const index::IndexKind kind : {index::IndexKind::kHnsw, index::IndexKind::kIvf}) {
    const auto view =
        FromScratch(folder_.path(), model.side(Side::kScores), model.side(Side::kRecordings), kind)
            ->With(edits);
    EXPECT_EQ(view->index_kind(Side::kScores), kind);
    std::set<int> sources;
    for (const auto& row : Found(*view, Side::kScores, queries, 300))
      sources.insert(std::get<1>(row));
    EXPECT_TRUE(sources.contains(59));  // the new one
    EXPECT_EQ(view->FindPiece("base-3"), std::nullopt);
    EXPECT_EQ(Found(*view, Side::kScores, queries, 300, {.exact = true}),
              Found(*scratch, Side::kScores, queries, 300));
  }
}

TEST_F(ContentsTest, SearchesInOldContentsGoOnWhileNewOnesAreMade) {
  Model model = MakeModel(8);
  const auto old =
      FromScratch(folder_.path(), model.side(Side::kScores), model.side(Side::kRecordings));
  const auto queries = RandomQueries(random_, 4);
  const Rows before = Found(*old, Side::kScores, queries, 20);
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&, view = old] {
      while (!stop) ASSERT_EQ(Found(*view, Side::kScores, queries, 20), before);
    });
  }
  std::shared_ptr<const CollectionView> view = old;
  for (int i = 0; i < 150; ++i) {
    const Edit edit = RandomEdit();
    model.Apply(edit);
    view = view->With({&edit, 1});
    Found(*view, Side::kScores, queries, 20);
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  ExpectSame(*view, model);
}

TEST_F(ContentsTest, EditsShareWhatTheyLeaveAlone) {
  Model model = MakeModel(5);
  auto view = FromScratch(folder_.path(), model.side(Side::kScores), model.side(Side::kRecordings));
  const index::VectorIndex* const base = &view->base_index(Side::kScores);
  const Edit put{Side::kScores, "kept", RandomRecord(Side::kScores, "kept", random_)};
  view = view->With({&put, 1});
  for (int i = 0; i < 50; ++i) {
    const std::string id = absl::StrCat("new-", i);
    const Edit edit{Side::kScores, id, RandomRecord(Side::kScores, id, random_)};
    view = view->With({&edit, 1});
  }
  EXPECT_EQ(&view->base_index(Side::kScores), base);
  // In the edit and in the last contents: no copy took its place.
  EXPECT_EQ(put.put.use_count(), 2);
}

TEST(CheckRecordTest, SaysWhatDoesNotFit) {
  std::mt19937 random(5);
  const catalog::SourceRecord good = *RandomRecord(Side::kScores, "p", random);
  EXPECT_TRUE(CheckRecord(good, kDimension).ok()) << CheckRecord(good, kDimension);
  const auto refused = [&](const char* what,
                           const std::function<void(catalog::SourceRecord&)>& damage) {
    catalog::SourceRecord record = good;
    damage(record);
    const absl::Status status = CheckRecord(record, kDimension);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << what;
    EXPECT_THAT(status.message(), HasSubstr(what));
  };
  refused("piece id", [](catalog::SourceRecord& r) { r.piece.id.clear(); });
  refused("recording id",
          [](catalog::SourceRecord& r) { r.side = Side::kRecordings, r.recording.id.clear(); });
  refused("vectors", [](catalog::SourceRecord& r) { r.vectors.pop_back(); });
  refused("vectors",
          [](catalog::SourceRecord& r) { r.vectors.resize(r.vectors.size() - kDimension); });
  refused("vectors", [](catalog::SourceRecord& r) { r.runs.clear(); });
  refused("finite", [](catalog::SourceRecord& r) { r.vectors[3] = std::nanf(""); });
  refused("first_vector", [](catalog::SourceRecord& r) { r.runs[0].first_vector = 1; });
  refused("count", [](catalog::SourceRecord& r) { r.runs[0].count = 0; });
  refused("vectors", [](catalog::SourceRecord& r) {
    r.runs.back().count = std::numeric_limits<int64_t>::max() / 2;
  });
  refused("tempo", [](catalog::SourceRecord& r) { r.runs[0].tempo_ratio = -1; });
}

}  // namespace
}  // namespace antiphon::collection
