// Edits: what they do, what they refuse, and that they last.
#include "core/editing/collection_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "core/audio/encoder.h"
#include "core/base/error_reason.h"
#include "core/bundle/bundle.h"
#include "core/retrieval/bundle_collection.h"
#include "core/testing/live_test_bundle.h"
#include "core/testing/temporary_folder.h"
#include "core/testing/test_collection.h"

namespace antiphon::editing {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LiveCollectionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.merge_fraction = 0;  // only when a test asks for it
    options_.on_background_failure = [this](const absl::Status& status) {
      absl::MutexLock lock(&mutex_);
      failures_.push_back(std::string(status.message()));
    };
  }

  std::unique_ptr<CollectionStore> Open() {
    auto live = CollectionStore::Open(bundle_.root(), options_);
    EXPECT_TRUE(live.ok()) << live.status();
    return *std::move(live);
  }

  static std::vector<std::string> ListingOf(const CollectionStore& live) {
    return testing::Listing(live.Current()->view());
  }

  const testing::TemporaryFolder folder_;
  const testing::LiveTestBundle bundle_{folder_.path()};
  StoreOptions options_;
  absl::Mutex mutex_;
  std::vector<std::string> failures_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(LiveCollectionTest, PartsComeAndGoWithAnEdit) {
  bundle_.Index(2, 0);
  int64_t whole = 0, by_parts = 0;
  const auto parts_of = [](const CollectionStore& live) {
    const collection::CollectionView& view = live.Current()->view();
    std::set<int> parts;
    const auto runs = view.ReadRuns(catalog::Side::kScores, *view.FindPiece("duo")).value();
    for (const auto& run : runs) parts.insert(run.run.part);
    return parts;
  };
  {
    auto live = Open();
    // RandomPiece has two tracks.
    ASSERT_TRUE(live->Apply(AddPiece{{.id = "duo", .title = "Duo"}, testing::MidiOf(7)}).ok());
    EXPECT_EQ(parts_of(*live), std::set<int>{catalog::kWhole}) << "as the bundle";
    whole = live->Current()->vector_count(catalog::Side::kScores);
    const auto updated = live->Apply(UpdatePiece{.id = "duo", .with_parts = true});
    ASSERT_TRUE(updated.ok()) << updated.status();
    EXPECT_TRUE(updated->piece.with_parts);
    EXPECT_EQ(updated->piece.title, "Duo");
    EXPECT_EQ(updated->version, 2);
    EXPECT_EQ(parts_of(*live), (std::set<int>{catalog::kWhole, 0, 1}));
    by_parts = live->Current()->vector_count(catalog::Side::kScores);
    EXPECT_GT(by_parts, whole);
    // An edit that does not name them leaves them, with a new score too.
    ASSERT_TRUE(live->Apply(UpdatePiece{.id = "duo", .title = "Still a duo"}).ok());
    ASSERT_TRUE(live->Apply(UpdatePiece{.id = "duo", .midi = testing::MidiOf(7)}).ok());
    EXPECT_EQ(live->Current()->vector_count(catalog::Side::kScores), by_parts);
    EXPECT_EQ(testing::DifferenceFromFresh(bundle_, *live->Current(), {0, 1, 7}), "");
  }
  auto live = Open();
  EXPECT_EQ(parts_of(*live), (std::set<int>{catalog::kWhole, 0, 1})) << "after reopening";
  ASSERT_TRUE(live->Merge().ok());
  EXPECT_EQ(parts_of(*live), (std::set<int>{catalog::kWhole, 0, 1})) << "after a merge";
  ASSERT_TRUE(live->Apply(UpdatePiece{.id = "duo", .with_parts = false}).ok());
  EXPECT_EQ(live->Current()->vector_count(catalog::Side::kScores), whole);
}

TEST_F(LiveCollectionTest, EditsAreSeenAtOnceAndAfterReopening) {
  bundle_.Index(3, 2);
  std::vector<std::string> listing;
  {
    auto live = Open();
    EXPECT_EQ(live->edit_status().last_change, 0);
    const auto added = live->Apply(AddPiece{
        {.id = "new", .title = "New", .composer = "N", .collection = "C", .work_id = "Werk ♫"},
        testing::MidiOf(7)});
    ASSERT_TRUE(added.ok()) << added.status();
    EXPECT_EQ(added->version, 1);
    EXPECT_EQ(added->piece.version, 1);
    EXPECT_EQ(added->piece.work_id, "Werk ♫");
    EXPECT_GT(added->piece.notes, 10);
    EXPECT_NEAR(added->piece.duration_s, 12, 1);
    const auto recorded = live->Apply(
        AddRecording{{.id = "take", .title = "Take", .piece_id = "new"}, testing::AudioOf(7)});
    ASSERT_TRUE(recorded.ok()) << recorded.status();
    EXPECT_EQ(recorded->version, 2);
    const auto updated = live->Apply(UpdatePiece{
        .id = "p1", .title = "Renamed", .midi = testing::MidiOf(8), .expected_version = 0});
    ASSERT_TRUE(updated.ok()) << updated.status();
    EXPECT_EQ(updated->version, 3);
    EXPECT_EQ(updated->piece.composer, "Chance");  // left out: stays
    EXPECT_EQ(updated->piece.collection, "Base");
    EXPECT_EQ(updated->piece.work_id, "work-0");
    const auto moved =
        live->Apply(UpdateRecording{.id = "r0", .collection = "Tapes", .piece_id = "p2"});
    ASSERT_TRUE(moved.ok()) << moved.status();
    EXPECT_EQ(moved->recording.title, "Indexed");
    EXPECT_GT(moved->recording.duration_s, 10);
    ASSERT_TRUE(live->Apply(DeleteRecording{.id = "r1", .expected_version = 0}).ok());
    EXPECT_EQ(live->edit_status().last_change, 5);
    EXPECT_EQ(live->edit_status().unmerged, 5);
    listing = ListingOf(*live);
    EXPECT_EQ(listing.size(), 6u);
    EXPECT_EQ(testing::DifferenceFromFresh(bundle_, *live->Current(), {0, 1, 7, 8}), "");
    const auto match = live->Current()->IdentifyAudio(
        testing::Play(music::Excerpt(testing::RandomPiece(7, 12), 2, 11)), {}, {});
    EXPECT_EQ(live->Current()->view().pieces()[match->candidates.at(0).source].id, "new");
  }
  auto live = Open();
  EXPECT_EQ(ListingOf(*live), listing);
  EXPECT_EQ(live->edit_status().unmerged, 5);
  EXPECT_EQ(testing::DifferenceFromFresh(bundle_, *live->Current(), {0, 1, 7, 8}), "");
  EXPECT_EQ(live->Apply(AddPiece{{.id = "later"}, testing::MidiOf(9)})->version, 6);
}

TEST_F(LiveCollectionTest, WhoHoldsACollectionKeepsItAsItWas) {
  bundle_.Index(2, 0);
  auto live = Open();
  const auto before = live->Current();
  const auto listing = testing::Listing(before->view());
  ASSERT_TRUE(live->Apply(DeletePiece{.id = "p0"}).ok());
  ASSERT_TRUE(live->Apply(AddPiece{{.id = "new"}, testing::MidiOf(5)}).ok());
  EXPECT_EQ(testing::Listing(before->view()), listing);
  EXPECT_NE(ListingOf(*live), listing);
}

TEST_F(LiveCollectionTest, WhatIsRefusedChangesNothing) {
  bundle_.Index(2, 2);
  auto live = Open();
  const auto listing = ListingOf(*live);
  const auto expect = [](const absl::Status& status, StatusCode code, const std::string& message,
                         std::optional<ErrorReason> reason = std::nullopt) {
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_EQ(ReasonOf(status), reason) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(message));
  };
  const std::string silence =
      *audio::EncodeAudio({std::vector<float>(44100, 0.0f), 22050}, audio::AudioFormat::kWav);
  expect(live->Apply(AddPiece{{.id = "p1"}, testing::MidiOf(5)}).status(),
         StatusCode::kAlreadyExists, "piece id", ErrorReason::kIdTaken);
  expect(live->Apply(AddPiece{{.id = ""}, testing::MidiOf(5)}).status(),
         StatusCode::kInvalidArgument, "piece id");
  expect(live->Apply(AddPiece{{.id = "x", .title = "\xff"}, testing::MidiOf(5)}).status(),
         StatusCode::kInvalidArgument, "piece title");
  expect(live->Apply(AddPiece{{.id = "x", .work_id = "\xff"}, testing::MidiOf(5)}).status(),
         StatusCode::kInvalidArgument, "piece work_id");
  expect(live->Apply(AddPiece{{.id = "x"}, "no score"}).status(), StatusCode::kInvalidArgument, "");
  expect(live->Apply(AddRecording{{.id = "r1"}, testing::AudioOf(5)}).status(),
         StatusCode::kAlreadyExists, "recording id", ErrorReason::kIdTaken);
  expect(live->Apply(AddRecording{{.id = "x", .piece_id = "none"}, testing::AudioOf(5)}).status(),
         StatusCode::kNotFound, "recording piece_id", ErrorReason::kPieceUnknown);
  expect(live->Apply(AddRecording{{.id = "x"}, silence}).status(), StatusCode::kInvalidArgument,
         "silent");
  expect(live->Apply(UpdatePiece{.id = "none", .title = "T"}).status(), StatusCode::kNotFound,
         "piece id", ErrorReason::kIdUnknown);
  expect(live->Apply(UpdatePiece{.id = "p0", .title = "T", .expected_version = 4}).status(),
         StatusCode::kAborted, "piece version: is 0, not 4", ErrorReason::kVersionMismatch);
  expect(live->Apply(UpdatePiece{.id = "p0", .title = "\xff"}).status(),
         StatusCode::kInvalidArgument, "piece title");
  expect(live->Apply(UpdatePiece{.id = "p0", .work_id = std::string(201, 'x')}).status(),
         StatusCode::kInvalidArgument, "piece work_id");
  expect(live->Apply(UpdatePiece{.id = "p0", .midi = "no score"}).status(),
         StatusCode::kInvalidArgument, "");
  expect(live->Apply(UpdateRecording{.id = "none", .title = "T"}).status(), StatusCode::kNotFound,
         "recording id", ErrorReason::kIdUnknown);
  expect(live->Apply(UpdateRecording{.id = "r0", .piece_id = "none"}).status(),
         StatusCode::kNotFound, "recording piece_id", ErrorReason::kPieceUnknown);
  expect(live->Apply(UpdateRecording{.id = "r0", .audio = "no sound"}).status(),
         StatusCode::kInvalidArgument, "");
  expect(live->Apply(DeletePiece{.id = "none", .with_recordings = true}).status(),
         StatusCode::kNotFound, "piece id", ErrorReason::kIdUnknown);
  expect(live->Apply(DeletePiece{.id = "p0"}).status(), StatusCode::kFailedPrecondition,
         "recordings", ErrorReason::kHasRecordings);
  expect(
      live->Apply(DeletePiece{.id = "p0", .expected_version = 1, .with_recordings = true}).status(),
      StatusCode::kAborted, "piece version", ErrorReason::kVersionMismatch);
  expect(live->Apply(DeleteRecording{.id = "none"}).status(), StatusCode::kNotFound, "recording id",
         ErrorReason::kIdUnknown);
  expect(live->Apply(DeleteRecording{.id = "r0", .expected_version = 9}).status(),
         StatusCode::kAborted, "recording version", ErrorReason::kVersionMismatch);
  EXPECT_EQ(ListingOf(*live), listing);
  EXPECT_EQ(live->edit_status().last_change, 0);
}

TEST_F(LiveCollectionTest, APieceGoesWithItsRecordingsInOneChange) {
  bundle_.Index(2, 2);
  auto live = Open();
  ASSERT_TRUE(
      live->Apply(AddRecording{{.id = "second", .piece_id = "p0"}, testing::AudioOf(0)}).ok());
  const auto deleted = live->Apply(DeletePiece{.id = "p0", .with_recordings = true});
  ASSERT_TRUE(deleted.ok()) << deleted.status();
  EXPECT_EQ(deleted->recordings_deleted, 2);
  EXPECT_EQ(deleted->version, live->edit_status().last_change);
  EXPECT_EQ(live->Current()->view().pieces().size(), 1u);
  EXPECT_EQ(live->Current()->view().recordings().size(), 1u);
  ASSERT_TRUE(
      live->Apply(AddPiece{{.id = "p0"}, testing::MidiOf(3)}).ok());  // the id is free again
}

TEST_F(LiveCollectionTest, OfTwoWhoExpectTheSameVersionOneIsRefused) {
  bundle_.Index(1, 0);
  auto live = Open();
  for (int64_t round = 0, version = 0; round < 10; ++round) {
    std::atomic<int> done = 0, refused = 0;
    std::atomic<int64_t> next = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        const auto updated = live->Apply(
            UpdatePiece{.id = "p0", .title = absl::StrCat("By ", t), .expected_version = version});
        if (updated.ok()) next = updated->version;
        ++(updated.ok() ? done : refused);
        EXPECT_TRUE(updated.ok() || absl::IsAborted(updated.status())) << updated.status();
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(done, 1);
    EXPECT_EQ(refused, 2);
    version = next;
  }
}

TEST_F(LiveCollectionTest, ACallerWhoHasGoneChangesNothing) {
  bundle_.Index(1, 0);
  auto live = Open();
  int asked = 0;
  const matching::RequestContext count{.keep_going = [&] { return ++asked, absl::OkStatus(); },
                                       .on_stage = {}};
  ASSERT_TRUE(live->Apply(AddPiece{{.id = "counted"}, testing::MidiOf(3)}, count).ok());
  ASSERT_GT(asked, 3);
  for (int last = 1; last <= asked; ++last) {
    int calls = 0;
    const matching::RequestContext context{
        .keep_going =
            [&] { return ++calls < last ? absl::OkStatus() : absl::CancelledError("gone"); },
        .on_stage = {}};
    EXPECT_EQ(live->Apply(AddPiece{{.id = "new"}, testing::MidiOf(3)}, context).status().code(),
              StatusCode::kCancelled);
    EXPECT_EQ(live->Current()->view().FindPiece("new"), std::nullopt);
  }
  EXPECT_EQ(live->edit_status().last_change, 1);
}

TEST_F(LiveCollectionTest, ConcurrentEditsFollowOneAnotherAndAreThereWhenTheyReturn) {
  bundle_.Index(1, 0);
  auto live = Open();
  std::vector<std::vector<int64_t>> versions(3);
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 4; ++i) {
        const std::string id = absl::StrCat(t, "-", i);
        const auto added = live->Apply(AddPiece{{.id = id}, testing::MidiOf(t)});
        ASSERT_TRUE(added.ok()) << added.status();
        const auto now = live->Current();
        EXPECT_TRUE(now->FindPiece(id).has_value());
        EXPECT_GE(now->pieces().size(), 1u + added->version);
        versions[t].push_back(added->version);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<int64_t> all;
  for (const std::vector<int64_t>& of_thread : versions) {
    EXPECT_TRUE(std::is_sorted(of_thread.begin(), of_thread.end()));
    all.insert(all.end(), of_thread.begin(), of_thread.end());
  }
  EXPECT_THAT(all, ::testing::UnorderedElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
  EXPECT_EQ(live->Current()->pieces().size(), 13u);
}

TEST_F(LiveCollectionTest, AFullDiskRefusesEditsAndServesOn) {
  bundle_.Index(2, 0);
  auto live = Open();
  ASSERT_TRUE(live->Apply(AddPiece{{.id = "before"}, testing::MidiOf(3)}).ok());
  const auto listing = ListingOf(*live);
  signal(SIGXFSZ, SIG_IGN);
  rlimit before = {};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit full = before;
  full.rlim_cur = 1000;
  setrlimit(RLIMIT_FSIZE, &full);
  const absl::Status status = live->Apply(AddPiece{{.id = "new"}, testing::MidiOf(4)}).status();
  const absl::Status merged = live->Merge().status();
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted) << status;
  EXPECT_EQ(ReasonOf(status), ErrorReason::kStorageFull) << status;
  EXPECT_FALSE(merged.ok());
  EXPECT_EQ(ListingOf(*live), listing);
  ASSERT_TRUE(live->Apply(AddPiece{{.id = "new"}, testing::MidiOf(4)}).ok());
  ASSERT_TRUE(live->Merge().ok());
  live.reset();
  EXPECT_NE(Open()->Current()->view().FindPiece("new"), std::nullopt);
}

TEST_F(LiveCollectionTest, ADamagedChangeIsLeftOutAndListed) {
  bundle_.Index(1, 0);
  {
    auto live = Open();
    ASSERT_TRUE(live->Apply(AddPiece{{.id = "first", .title = "A title to find in the file"},
                                     testing::MidiOf(3)})
                    .ok());
    ASSERT_TRUE(live->Apply(AddPiece{{.id = "second"}, testing::MidiOf(4)}).ok());
  }
  const std::string path = bundle_.root() + "/journal.sqlite";
  std::ifstream in(path, std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(in), {});
  bytes[bytes.find("A title to find")] = 'B';
  std::ofstream(path, std::ios::binary) << bytes;
  auto live = Open();
  EXPECT_EQ(live->Current()->view().FindPiece("first"), std::nullopt);
  EXPECT_NE(live->Current()->view().FindPiece("second"), std::nullopt);
  EXPECT_THAT(live->edit_status().rejected_changes, ::testing::ElementsAre(HasSubstr("change 1:")));
  absl::MutexLock lock(&mutex_);
  EXPECT_THAT(failures_, ::testing::ElementsAre(HasSubstr("change 1:")));
}

TEST_F(LiveCollectionTest, WhatCannotBeOpenedIsTold) {
  EXPECT_EQ(CollectionStore::Open(bundle_.root(), options_).status().code(), StatusCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(bundle_.root() + "/journal.sqlite"));
  bundle_.Index(1, 0);
  {
    auto live = Open();
    EXPECT_EQ(CollectionStore::Open(bundle_.root(), options_).status().code(),
              StatusCode::kAborted);
    EXPECT_TRUE(retrieval::BundleCollection::Open(bundle_.root()).ok());  // reading is free
  }
  options_.self_check = [](const retrieval::BundleCollection&) {
    return absl::InternalError("does not find itself");
  };
  EXPECT_THAT(std::string(CollectionStore::Open(bundle_.root(), options_).status().message()),
              HasSubstr("find itself"));
  options_.self_check = {};
  std::ofstream(bundle_.root() + "/journal.sqlite") << "not a journal, whatever it is";
  const absl::Status status = CollectionStore::Open(bundle_.root(), options_).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("journal"));
  options_.keep_generations = 0;
  EXPECT_EQ(CollectionStore::Open(bundle_.root(), options_).status().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(LiveCollectionTest, StrayFilesDoNotStopAStart) {
  bundle_.Index(2, 0);
  for (const char* name : {"journal.sqlite-wal", "journal.sqlite-shm", "journal.sqlite-journal",
                           "tmp-CURRENT", "notes"}) {
    std::ofstream(bundle_.root() + "/" + name) << std::string(5000, 'x');
  }
  std::filesystem::create_directory(bundle_.root() + "/tmp-abcdef");
  auto live = Open();
  ASSERT_TRUE(live->Apply(AddPiece{{.id = "new"}, testing::MidiOf(4)}).ok());
  live.reset();
  for (const char* name : {"journal.sqlite-wal", "journal.sqlite-shm"}) {
    std::ofstream(bundle_.root() + "/" + name) << std::string(5000, 'x');
  }
  EXPECT_EQ(ListingOf(*Open()).size(), 3u);
}

// Searches during 200 edits and the merges that these cause: each answer must be right for what was
// there.
TEST_F(LiveCollectionTest, SearchesGoOnDuringEditsAndMerges) {
  bundle_.Index(4, 1);
  options_.merge_fraction = 0.01;
  options_.merge_vectors = 400;
  auto live = Open();
  std::atomic<bool> done = false;
  std::atomic<int> searches = 0;
  std::vector<std::thread> searchers;
  for (int t = 0; t < 2; ++t) {
    searchers.emplace_back([&, t] {
      const audio::Waveform query =
          testing::Play(music::Excerpt(testing::RandomPiece(t, 12), 2, 8));
      while (!done) {
        const auto collection = live->Current();
        const auto hits = collection->SearchScores(query, {}, {});
        ASSERT_TRUE(hits.ok()) << hits.status();
        ASSERT_FALSE(hits->empty());
        // p0 and p1 are never touched.
        ASSERT_EQ(collection->view().pieces().at(hits->front().source).id, absl::StrCat("p", t));
        ++searches;
      }
    });
  }
  std::mt19937 random(5);
  std::vector<std::string> there;
  int edits = 0;
  for (; edits < 200; ++edits) {
    const int dice = static_cast<int>(random() % 10);
    const size_t which = there.empty() ? 0 : random() % there.size();
    absl::Status status;
    if (there.size() < 3 || dice < 5) {
      there.push_back(absl::StrCat("new-", edits));
      status = live->Apply(AddPiece{{.id = there.back()},
                                    testing::MidiOf(10 + static_cast<int>(random() % 20))})
                   .status();
    } else if (dice < 8) {
      status = live->Apply(UpdatePiece{.id = there[which], .title = absl::StrCat("Edit ", edits)})
                   .status();
    } else {
      status = live->Apply(DeletePiece{.id = there[which], .with_recordings = true}).status();
      there.erase(there.begin() + static_cast<std::ptrdiff_t>(which));
    }
    EXPECT_TRUE(status.ok()) << status;
  }
  done = true;
  for (std::thread& searcher : searchers) searcher.join();
  EXPECT_GT(searches, 10);
  EXPECT_EQ(live->Current()->view().pieces().size(), there.size() + 4);
  EXPECT_EQ(testing::DifferenceFromFresh(bundle_, *live->Current(), {0, 1, 12, 15}), "");
  EXPECT_GT(live->Current()->manifest().generation, 2);
  const auto listing = ListingOf(*live);
  live.reset();
  live = Open();
  EXPECT_EQ(ListingOf(*live), listing);
  EXPECT_EQ(testing::DifferenceFromFresh(bundle_, *live->Current(), {0, 12}), "");
  absl::MutexLock lock(&mutex_);
  EXPECT_THAT(failures_, IsEmpty());
}

}  // namespace
}  // namespace antiphon::editing
