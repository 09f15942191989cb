// Generations of a bundle that is served: merged, fallen back from, reloaded, taken away and
// brought back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "core/bundle/bundle.h"
#include "core/catalog/change_journal.h"
#include "core/editing/collection_store.h"
#include "core/retrieval/bundle_collection.h"
#include "core/testing/live_test_bundle.h"
#include "core/testing/temporary_folder.h"
#include "core/testing/test_collection.h"

namespace antiphon::editing {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class LiveGenerationsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.merge_fraction = 0;
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

  // A new piece "new-SEED".
  static void Add(CollectionStore& live, int seed) {
    const auto added =
        live.Apply(AddPiece{{.id = absl::StrCat("new-", seed)}, testing::MidiOf(seed)});
    EXPECT_TRUE(added.ok()) << added.status();
  }

  static std::vector<std::string> ListingOf(const CollectionStore& live) {
    return testing::Listing(live.Current()->view());
  }
  static int64_t GenerationOf(const CollectionStore& live) {
    return live.Current()->manifest().generation;
  }

  std::vector<std::string> Generations() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(bundle_.root())) {
      if (entry.is_directory()) names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  void Damage(const std::string& generation, const char* file = bundle::kScoreIndexFile) const {
    const std::string path = absl::StrCat(bundle_.root(), "/", generation, "/", file);
    std::fstream stream(path, std::ios::binary | std::ios::in | std::ios::out);
    stream.seekp(static_cast<std::streamoff>(fs::file_size(path) / 2));
    stream.put('?');
    ASSERT_TRUE(stream.good());
  }

  std::vector<std::string> failures() {
    absl::MutexLock lock(&mutex_);
    return failures_;
  }

  const testing::TemporaryFolder folder_;
  const testing::LiveTestBundle bundle_{folder_.path()};
  StoreOptions options_;
  absl::Mutex mutex_;
  std::vector<std::string> failures_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(LiveGenerationsTest, AMergeKeepsWhatThereIsAndItsOrigin) {
  for (const index::IndexKind kind :
       {index::IndexKind::kFlat, index::IndexKind::kHnsw, index::IndexKind::kIvf}) {
    fs::remove_all(bundle_.root());
    const bundle::Manifest indexed = bundle_.Index(3, 2, 0, kind);
    auto live = Open();
    EXPECT_EQ(live->Merge()->changes, 0);
    EXPECT_THAT(Generations(), ElementsAre("gen-000001"));
    Add(*live, 7);
    ASSERT_TRUE(
        live->Apply(UpdatePiece{.id = "p0", .title = "Renamed", .work_id = "another"}).ok());
    ASSERT_TRUE(live->Apply(DeletePiece{.id = "p1", .with_recordings = true}).ok());
    const auto listing = ListingOf(*live);
    const auto merged = live->Merge();
    ASSERT_TRUE(merged.ok()) << merged.status();
    EXPECT_EQ(merged->generation, 2);
    EXPECT_EQ(merged->changes, 4);
    EXPECT_EQ(live->edit_status().unmerged, 0);
    EXPECT_EQ(live->edit_status().last_change, 4);
    const bundle::Manifest& manifest = live->Current()->manifest();
    EXPECT_EQ(manifest.origin, indexed.origin);
    EXPECT_EQ(manifest.last_change, 4);
    EXPECT_EQ(manifest.tempo_ratios, indexed.tempo_ratios);
    EXPECT_EQ(manifest.query_hop_s, indexed.query_hop_s);
    EXPECT_EQ(manifest.pieces, 3);
    EXPECT_EQ(live->Current()->view().index_kind(catalog::Side::kScores), kind);
    EXPECT_EQ(live->Current()->view().added_vectors(catalog::Side::kScores), 0);
    EXPECT_EQ(ListingOf(*live), listing);
    EXPECT_EQ(testing::DifferenceFromFresh(bundle_, *live->Current(), {0, 2, 7}), "")
        << index::IndexKindName(kind);
    EXPECT_EQ(
        live->Apply(UpdatePiece{.id = "p0", .title = "Again", .expected_version = 2})->version, 5);
  }
  EXPECT_THAT(failures(), IsEmpty());
}

TEST_F(LiveGenerationsTest, AMergeOfNothingLeftIsAnEmptyCollection) {
  bundle_.Index(1, 1);
  auto live = Open();
  ASSERT_TRUE(live->Apply(DeletePiece{.id = "p0", .with_recordings = true}).ok());
  ASSERT_TRUE(live->Merge().ok());
  EXPECT_THAT(ListingOf(*live), IsEmpty());
  Add(*live, 3);
  live.reset();
  EXPECT_EQ(ListingOf(*Open()).size(), 1u);
}

TEST_F(LiveGenerationsTest, EditsDuringAMergeAreKept) {
  bundle_.Index(2, 0);
  CollectionStore* running = nullptr;
  options_.self_check = [&](const retrieval::BundleCollection&) {  // asked in the middle of a merge
    if (running == nullptr) return absl::OkStatus();
    Add(*running, 20);
    EXPECT_TRUE(running->Apply(UpdatePiece{.id = "new-7", .title = "Meanwhile"}).ok());
    return running->Apply(DeletePiece{.id = "p0"}).status();
  };
  auto live = Open();
  Add(*live, 7);
  running = live.get();
  const auto merged = live->Merge();
  running = nullptr;
  ASSERT_TRUE(merged.ok()) << merged.status();
  EXPECT_EQ(merged->changes, 1);
  EXPECT_EQ(live->edit_status().unmerged, 3);
  EXPECT_EQ(live->Current()->manifest().last_change, 1);
  const auto listing = ListingOf(*live);
  EXPECT_EQ(listing.size(), 3u);
  EXPECT_EQ(testing::DifferenceFromFresh(bundle_, *live->Current(), {1, 7, 20}), "");
  live.reset();
  EXPECT_EQ(ListingOf(*Open()), listing);
}

// What was merged is still in the journal as long as a generation without it may be needed.
TEST_F(LiveGenerationsTest, AfterAFallbackAllEditsAreThere) {
  bundle_.Index(2, 1);
  std::vector<std::string> listing;
  {
    auto live = Open();
    Add(*live, 7);
    ASSERT_TRUE(live->Merge().ok());
    Add(*live, 8);
    ASSERT_TRUE(live->Apply(DeletePiece{.id = "p1", .with_recordings = true}).ok());
    ASSERT_TRUE(live->Merge().ok());
    Add(*live, 9);
    listing = ListingOf(*live);
    EXPECT_THAT(Generations(), ElementsAre("gen-000002", "gen-000003"));
  }
  Damage("gen-000003");
  {
    auto live = Open();
    EXPECT_EQ(GenerationOf(*live), 2);
    EXPECT_THAT(live->Current()->rejected_generations(),
                ElementsAre(HasSubstr("gen-000003: scores.faiss")));
    EXPECT_EQ(ListingOf(*live), listing);
    EXPECT_EQ(live->edit_status().unmerged, 3);
    EXPECT_EQ(testing::DifferenceFromFresh(bundle_, *live->Current(), {0, 7, 9}), "");
    // A damaged generation is no fallback: the good one before it is kept in its place.
    Add(*live, 10);
    listing = ListingOf(*live);
    EXPECT_EQ(live->Merge()->generation, 4);
    EXPECT_THAT(Generations(), ElementsAre("gen-000002", "gen-000003", "gen-000004"));
  }
  Damage("gen-000004");
  auto live = Open();
  EXPECT_EQ(GenerationOf(*live), 2);
  EXPECT_EQ(ListingOf(*live), listing);
}

TEST_F(LiveGenerationsTest, OldGenerationsAndWhatAllKeptOnesContainAreForgotten) {
  bundle_.Index(1, 0);
  options_.keep_generations = 3;
  auto live = Open();
  for (int i = 0; i < 6; ++i) {
    Add(*live, 10 + i);
    ASSERT_TRUE(live->Merge().ok());
  }
  EXPECT_THAT(Generations(), ElementsAre("gen-000005", "gen-000006", "gen-000007"));
  live.reset();
  auto journal = catalog::ChangeJournal::Open(bundle_.root() + "/journal.sqlite").value();
  std::vector<int64_t> numbers;
  ASSERT_TRUE(journal
                  ->ReadAfter(bundle::OpenBundle(bundle_.root())->manifest.origin, 0,
                              [&](const catalog::Change& change) {
                                numbers.push_back(change.sequence);
                                return absl::OkStatus();
                              },
                              {})
                  .ok());
  EXPECT_THAT(numbers, ElementsAre(5, 6));  // generation 5 contains the first four
  EXPECT_EQ(journal->last_sequence(), 6);
}

TEST_F(LiveGenerationsTest, WhatFailsToBeTriedOutLeavesTheOldAndNothingOnDisk) {
  bundle_.Index(2, 0);
  bool good = true;
  options_.self_check = [&](const retrieval::BundleCollection&) {
    return good ? absl::OkStatus() : absl::InternalError("not itself");
  };
  auto live = Open();
  Add(*live, 7);
  const auto listing = ListingOf(*live);
  good = false;
  EXPECT_THAT(std::string(live->Merge().status().message()), HasSubstr("not itself"));
  EXPECT_THAT(Generations(), ElementsAre("gen-000001"));
  EXPECT_FALSE(live->edit_status().merging);
  bundle_.Index(1, 0, 30);
  EXPECT_THAT(std::string(live->Reload().status().message()), HasSubstr("not itself"));
  EXPECT_EQ(GenerationOf(*live), 1);
  EXPECT_EQ(ListingOf(*live), listing);
  Add(*live, 8);  // goes on
  good = true;
  EXPECT_EQ(live->Reload()->generation, 2);
}

TEST_F(LiveGenerationsTest, ManyEditsAreMergedByThemselves) {
  bundle_.Index(2, 0);
  options_.merge_fraction = 0.5;
  options_.merge_vectors = 100;
  auto live = Open();
  for (int i = 0; i < 3; ++i) Add(*live, 10 + i);
  for (int wait = 0; wait < 200 && live->edit_status().unmerged > 2; ++wait) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_GT(GenerationOf(*live), 1);
  EXPECT_EQ(ListingOf(*live).size(), 5u);
  EXPECT_THAT(failures(), IsEmpty());
}

TEST_F(LiveGenerationsTest, MuchSoundInMemoryIsMergedByItself) {
  bundle_.Index(1, 0);
  options_.merge_fraction = 1;
  options_.merge_bytes = static_cast<int64_t>(testing::AudioOf(3).size()) + 1;
  auto live = Open();
  ASSERT_TRUE(live->Apply(AddRecording{{.id = "one"}, testing::AudioOf(3)}).ok());
  ASSERT_TRUE(live->Apply(AddRecording{{.id = "two"}, testing::AudioOf(4)}).ok());
  for (int wait = 0; wait < 200 && GenerationOf(*live) == 1; ++wait) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(GenerationOf(*live), 2);
}

TEST_F(LiveGenerationsTest, AMergeThatFailsInTheBackgroundIsReported) {
  bundle_.Index(1, 0);
  options_.merge_fraction = 0.01;
  options_.merge_vectors = 1;
  auto live = Open();
  auto publishing = bundle::BundleWriter::Create(bundle_.root());  // somebody else is
  ASSERT_TRUE(publishing.ok());
  Add(*live, 3);
  for (int wait = 0; wait < 200 && failures().empty(); ++wait) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_THAT(failures(), ElementsAre(HasSubstr("another publication")));
  EXPECT_EQ(GenerationOf(*live), 1);
  EXPECT_EQ(ListingOf(*live).size(), 2u);
}

TEST_F(LiveGenerationsTest, AReloadTakesWhatWasIndexedMeanwhile) {
  const bundle::Manifest first = bundle_.Index(2, 0);
  auto live = Open();
  Add(*live, 7);
  const auto edited = ListingOf(*live);
  EXPECT_EQ(live->Reload()->generation, 1);  // nothing newer
  EXPECT_EQ(ListingOf(*live), edited);
  const bundle::Manifest second = bundle_.Index(3, 1, 30);  // while it serves
  EXPECT_NE(second.origin, first.origin);
  // What somebody else published is not buried under what serves.
  EXPECT_EQ(live->Merge().status().code(), StatusCode::kFailedPrecondition);
  const auto reloaded = live->Reload();
  ASSERT_TRUE(reloaded.ok()) << reloaded.status();
  EXPECT_EQ(reloaded->generation, 2);
  EXPECT_EQ(reloaded->previous_generation, 1);
  EXPECT_THAT(reloaded->rejected_generations, IsEmpty());
  EXPECT_EQ(live->Current()->view().pieces().size(), 3u);  // begins without edits
  EXPECT_EQ(live->edit_status().unmerged, 0);
  EXPECT_EQ(live->Apply(AddPiece{{.id = "new-7"}, testing::MidiOf(7)})->version, 2);
  const auto after = ListingOf(*live);
  live.reset();
  EXPECT_EQ(ListingOf(*Open()), after);
  // The edits to the collection before are still there, should its generation be needed again.
  std::ofstream(bundle_.root() + "/CURRENT") << "gen-000001\n";
  EXPECT_EQ(ListingOf(*Open()), edited);
}

TEST_F(LiveGenerationsTest, AReloadOfWhatIsDamagedLeavesWhatServes) {
  bundle_.Index(2, 0);
  auto live = Open();
  Add(*live, 7);
  const auto edited = ListingOf(*live);
  bundle_.Index(1, 0, 30);
  Damage("gen-000002");
  const absl::Status status = live->Reload().status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("gen-000002: scores.faiss: its SHA-256"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr(bundle_.root())));
  EXPECT_EQ(ListingOf(*live), edited);
  // A start would fall back to the same; so the edits may go into the next generation.
  EXPECT_EQ(live->Merge()->generation, 3);
  EXPECT_EQ(ListingOf(*live), edited);
  // Of two newer ones the good one is taken, and the bad one told.
  bundle_.Index(3, 0, 40);
  bundle_.Index(1, 0, 50);
  Damage("gen-000005", bundle::kCatalogFile);
  const auto reloaded = live->Reload();
  ASSERT_TRUE(reloaded.ok()) << reloaded.status();
  EXPECT_EQ(reloaded->generation, 4);
  EXPECT_THAT(reloaded->rejected_generations, ElementsAre(HasSubstr("gen-000005")));
}

TEST_F(LiveGenerationsTest, AReloadWithoutTheMemoryIsRefused) {
  bundle_.Index(2, 0);
  options_.reload_memory_factor = 1e15;
  auto live = Open();
  bundle_.Index(1, 0, 30);
  const absl::Status status = live->Reload().status();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("generation 2 needs"));
  EXPECT_EQ(live->Snapshot(bundle_.Path("snapshot")).status().code(),
            StatusCode::kResourceExhausted);
  ASSERT_TRUE(live->Apply(DeletePiece{.id = "p0"}).ok());
  EXPECT_EQ(live->Merge().status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(GenerationOf(*live), 1);
}

TEST_F(LiveGenerationsTest, OneModelIsLoadedOnce) {
  int loaded = 0;
  options_.collection.wrap_encoder = [&](std::unique_ptr<encoder::WindowEncoder> encoder) {
    return ++loaded, std::move(encoder);
  };
  bundle_.Index(2, 0);
  auto live = Open();
  EXPECT_EQ(loaded, 2);
  Add(*live, 7);
  ASSERT_TRUE(live->Merge().ok());
  bundle_.Index(1, 0, 30);
  ASSERT_TRUE(live->Reload().ok());
  EXPECT_EQ(loaded, 2);
}

TEST_F(LiveGenerationsTest, ManyReloadsUnderSearchesHarmNone) {
  bundle_.Index(2, 0);
  bundle_.Index(3, 0);
  auto live = Open();
  std::atomic<bool> done = false;
  std::thread searcher([&] {
    const audio::Waveform query = testing::Play(music::Excerpt(testing::RandomPiece(1, 12), 2, 8));
    while (!done) {
      const auto collection = live->Current();
      const auto hits = collection->SearchScores(query, {}, {});
      ASSERT_TRUE(hits.ok()) << hits.status();
      ASSERT_EQ(collection->view().pieces().at(hits->at(0).source).id, "p1");
    }
  });
  for (int i = 0; i < 40; ++i) {
    std::ofstream(bundle_.root() + "/next") << (i % 2 == 0 ? "gen-000001\n" : "gen-000002\n");
    fs::rename(bundle_.root() + "/next", bundle_.root() + "/CURRENT");
    const auto reloaded = live->Reload();
    EXPECT_TRUE(reloaded.ok()) << reloaded.status();
    EXPECT_EQ(GenerationOf(*live), i % 2 == 0 ? 1 : 2);
  }
  done = true;
  searcher.join();
}

TEST_F(LiveGenerationsTest, ASnapshotIsABundleOfItsOwnAndRestoresIt) {
  const bundle::Manifest indexed = bundle_.Index(2, 1);
  auto live = Open();
  Add(*live, 7);
  ASSERT_TRUE(live->Apply(DeletePiece{.id = "p0", .with_recordings = true}).ok());
  const auto then = ListingOf(*live);
  const auto snapshot = live->Snapshot(bundle_.Path("snapshot"));
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_EQ(snapshot->last_change, 3);
  EXPECT_EQ(snapshot->pieces, 2);
  EXPECT_EQ(GenerationOf(*live), 1);  // nothing else happened
  EXPECT_EQ(live->edit_status().unmerged, 3);
  EXPECT_EQ(
      testing::Listing(retrieval::BundleCollection::Open(bundle_.Path("snapshot")).value()->view()),
      then);
  EXPECT_EQ(live->Snapshot(bundle_.Path("snapshot")).status().code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(live->Snapshot(bundle_.Path("none/snapshot")).status().code(), StatusCode::kNotFound);

  Add(*live, 8);
  ASSERT_TRUE(live->Apply(DeletePiece{.id = "new-7"}).ok());
  const auto restored = live->Restore(bundle_.Path("snapshot"));
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_NE(restored->origin, indexed.origin);
  EXPECT_EQ(restored->generation, 2);
  EXPECT_EQ(ListingOf(*live), then);
  EXPECT_EQ(live->edit_status().unmerged, 0);
  EXPECT_EQ(testing::DifferenceFromFresh(bundle_, *live->Current(), {1, 7}), "");
  EXPECT_EQ(live->Apply(AddPiece{{.id = "later"}, testing::MidiOf(9)})->version, 6);
  const auto later = ListingOf(*live);
  live.reset();
  live = Open();
  EXPECT_EQ(ListingOf(*live), later);
  // Into another bundle, whose journal knows nothing of these versions.
  live.reset();
  fs::remove_all(bundle_.root());
  bundle_.Index(1, 0, 50);
  live = Open();
  ASSERT_TRUE(live->Restore(bundle_.Path("snapshot")).ok());
  EXPECT_EQ(ListingOf(*live), then);
  EXPECT_EQ(live->Apply(AddPiece{{.id = "later"}, testing::MidiOf(9)})->version, 4);
}

TEST_F(LiveGenerationsTest, WhatCannotBeRestoredLeavesWhatServes) {
  bundle_.Index(2, 0);
  auto live = Open();
  Add(*live, 7);
  const auto listing = ListingOf(*live);
  EXPECT_EQ(live->Restore(bundle_.Path("none")).status().code(), StatusCode::kNotFound);
  ASSERT_TRUE(live->Snapshot(bundle_.Path("snapshot")).ok());
  for (const char* file : {bundle::kCatalogFile, bundle::kAudioEncoderFile}) {
    const std::string path = bundle_.Path("snapshot/gen-000001/") + file;
    fs::resize_file(path, fs::file_size(path) / 2);
    const absl::Status status = live->Restore(bundle_.Path("snapshot")).status();
    EXPECT_EQ(status.code(), StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()), HasSubstr(file == bundle::kCatalogFile ? file : ""));
  }
  EXPECT_EQ(ListingOf(*live), listing);
  EXPECT_THAT(Generations(), ElementsAre("gen-000001"));
}

// Hashes tell that files are as they were written, not that they are any good.
TEST_F(LiveGenerationsTest, WhatIsNoEncoderCannotBeRestoredAndNoPathIsTold) {
  bundle_.Index(1, 0);
  auto live = Open();
  for (const bool missing : {false, true}) {
    const std::string snapshot = bundle_.Path(missing ? "missing" : "wrong");
    auto writer = bundle::BundleWriter::Create(snapshot).value();
    for (const auto& entry : fs::directory_iterator(bundle_.root() + "/gen-000001")) {
      const std::string name = entry.path().filename().string();
      if (name == bundle::kAudioEncoderFile && missing) continue;
      const char* from = name == bundle::kAudioEncoderFile ? bundle::kCatalogFile : name.c_str();
      if (name != "MANIFEST")
        fs::copy_file(entry.path().parent_path() / from, writer->directory() + "/" + name);
    }
    ASSERT_TRUE(writer->Publish(live->Current()->manifest()).ok());
    const absl::Status status = live->Restore(snapshot).status();
    EXPECT_EQ(status.code(), missing ? StatusCode::kDataLoss : StatusCode::kInvalidArgument)
        << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(bundle::kAudioEncoderFile));
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr(folder_.path())));
  }
  EXPECT_EQ(GenerationOf(*live), 1);
}

// Once CURRENT names it nothing may fail: edits that are acknowledged after that would be lost with
// the next start.
TEST_F(LiveGenerationsTest, ARestorationWhoseJournalCannotBeWrittenLeavesWhatIsInForce) {
  bundle_.Index(1, 0);
  auto live = Open();
  for (const int seed : {5, 6}) Add(*live, seed);
  ASSERT_TRUE(live->Snapshot(bundle_.Path("snapshot")).ok());
  live.reset();
  fs::remove_all(bundle_.root());
  bundle_.Index(1, 0, 50);  // its journal knows fewer changes
  rlimit before = {};
  getrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, SIG_IGN);
  options_.self_check = [&](const retrieval::BundleCollection&) {
    rlimit full = before;
    full.rlim_cur = 1000;  // from here on: no page of the journal, though all that CURRENT takes
    if (live != nullptr) setrlimit(RLIMIT_FSIZE, &full);
    return absl::OkStatus();
  };
  live = Open();
  const absl::Status restored = live->Restore(bundle_.Path("snapshot")).status();
  setrlimit(RLIMIT_FSIZE, &before);
  const auto current = bundle::CurrentGeneration(bundle_.root());
  ASSERT_TRUE(current.ok());
  EXPECT_EQ(*current, GenerationOf(*live)) << restored;
  Add(*live, 9);
  const auto listing = ListingOf(*live);
  live.reset();
  options_.self_check = nullptr;
  EXPECT_EQ(ListingOf(*Open()), listing);
}

TEST_F(LiveGenerationsTest, RemainsOfASnapshotThatDiedAreRemovedAndThoseOfALivingOneAreNot) {
  bundle_.Index(1, 0);
  auto live = Open();
  const auto living = bundle::BundleWriter::Create(bundle_.Path(".snapshot-living")).value();
  { bundle::BundleWriter::Create(bundle_.Path(".snapshot-dead")).value(); }
  ASSERT_TRUE(live->Snapshot(bundle_.Path("snapshot/")).ok());
  EXPECT_TRUE(fs::exists(bundle_.Path(".snapshot-living")));
  EXPECT_FALSE(fs::exists(bundle_.Path(".snapshot-dead")));
  EXPECT_TRUE(retrieval::BundleCollection::Open(bundle_.Path("snapshot")).ok());
}

// The next snapshot would take it for the remains of one that died.
TEST_F(LiveGenerationsTest, ASnapshotIsNotNamedLikeAnUnfinishedOne) {
  bundle_.Index(1, 0);
  auto live = Open();
  EXPECT_EQ(live->Snapshot(bundle_.Path(".snapshot-mine")).status().code(),
            StatusCode::kInvalidArgument);
  ASSERT_TRUE(live->Snapshot(bundle_.Path("tmp-snapshot-mine")).ok());
  ASSERT_TRUE(live->Snapshot(bundle_.Path("another")).ok());
  EXPECT_TRUE(retrieval::BundleCollection::Open(bundle_.Path("tmp-snapshot-mine")).ok());
}

// A merge must not give a new hash to what has changed on disk.
TEST_F(LiveGenerationsTest, AMergeOfADamagedBaseIsRefused) {
  bundle_.Index(2, 0);
  auto live = Open();
  Add(*live, 7);
  for (const char* file : {bundle::kAudioEncoderFile, bundle::kCatalogFile}) {
    Damage("gen-000001", file);
    const absl::Status status = live->Merge().status();
    EXPECT_EQ(status.code(), StatusCode::kDataLoss) << status;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr(absl::StrCat(file, ": has changed on disk")));
    EXPECT_EQ(live->Snapshot(bundle_.Path("snapshot")).status().code(), StatusCode::kDataLoss);
  }
  EXPECT_THAT(Generations(), ElementsAre("gen-000001"));
  EXPECT_EQ(ListingOf(*live).size(), 3u);
}

}  // namespace
}  // namespace antiphon::editing
