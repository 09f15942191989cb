#include "core/bundle/bundle.h"

#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "core/bundle/files.h"
#include "core/testing/temporary_folder.h"

namespace antiphon::bundle {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A file system of so many bytes, where this process may mount one.
class SmallDisk {
 public:
  explicit SmallDisk(int64_t bytes)
      : mounted_(mount("none", folder_.path().c_str(), "tmpfs", 0,
                       absl::StrCat("size=", bytes).c_str()) == 0) {}
  ~SmallDisk() {
    if (mounted_) umount2(folder_.path().c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  const std::string& path() const { return folder_.path(); }

 private:
  const testing::TemporaryFolder folder_;
  const bool mounted_;
};

class BundleTest : public ::testing::Test {
 protected:
  static void Write(const fs::path& path, const std::string& contents) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << contents;
  }
  static std::string Read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::unique_ptr<BundleWriter> Create() {
    auto writer = BundleWriter::Create(root_.string());
    EXPECT_TRUE(writer.ok()) << writer.status();
    return *std::move(writer);
  }

  static Manifest Described(const std::string& model) {
    Manifest manifest;
    manifest.model_id = model;
    manifest.dimension = 64;
    manifest.score_hop_s = 0.5;
    manifest.recording_hop_s = 0.25;
    manifest.tempo_ratios = {1.0};
    return manifest;
  }

  // Publishes a generation of two files whose contents name the model.
  Manifest Publish(const std::string& model) {
    auto writer = Create();
    Write(fs::path(writer->directory()) / kCatalogFile, "catalogue of " + model);
    Write(fs::path(writer->directory()) / kScoreIndexFile, std::string(3'000'000, 's') + model);
    auto manifest = writer->Publish(Described(model));
    EXPECT_TRUE(manifest.ok()) << manifest.status();
    return *std::move(manifest);
  }

  absl::StatusOr<OpenedBundle> Open() { return OpenBundle(root_.string()); }

  // Three generations "one", "two", "three", of which the last was damaged, must open as "two" and
  // say why.
  void ExpectFallback(const std::string& reason) {
    const auto opened = Open();
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(opened->manifest.model_id, "two");
    EXPECT_EQ(fs::path(opened->directory), root_ / "gen-000002");
    EXPECT_THAT(opened->rejected, ElementsAre(HasSubstr(reason)));
  }

  void PublishThree() {
    for (const std::string model : {"one", "two", "three"}) Publish(model);
  }

  std::vector<std::string> Names() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(root_))
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

  const testing::TemporaryFolder folder_;
  const fs::path root_ = fs::path(folder_.path()) / "bundle";
};

TEST_F(BundleTest, WhatIsPublishedOpens) {
  const Manifest written = Publish("one");
  EXPECT_EQ(written.generation, 1);
  EXPECT_THAT(written.created, ::testing::MatchesRegex("....-..-..T..:..:..Z"));
  ASSERT_EQ(written.files.size(), 2u);
  const auto opened = Open().value();
  EXPECT_EQ(fs::path(opened.directory), root_ / "gen-000001");
  EXPECT_EQ(opened.manifest.model_id, "one");
  EXPECT_EQ(ManifestToJson(opened.manifest), ManifestToJson(written));
  EXPECT_TRUE(opened.rejected.empty());
  EXPECT_EQ(Read(fs::path(opened.directory) / kCatalogFile), "catalogue of one");
  EXPECT_EQ(Read(root_ / "CURRENT"), "gen-000001\n");
  EXPECT_THAT(Names(), ElementsAre("CURRENT", "LOCK", "gen-000001"));
}

TEST_F(BundleTest, HashIsTheStandardsOwnExample) {
  fs::create_directories(root_);
  Write(root_ / "abc", "abc");  // FIPS 180-4
  EXPECT_EQ(Sha256File((root_ / "abc").string()).value(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256File((root_ / "none").string()).status().code(), StatusCode::kNotFound);
}

TEST_F(BundleTest, ALaterGenerationTakesOverAndTheEarlierStays) {
  PublishThree();
  EXPECT_EQ(Open()->manifest.model_id, "three");
  EXPECT_EQ(Open()->manifest.generation, 3);
  EXPECT_THAT(Names(), ElementsAre("CURRENT", "LOCK", "gen-000001", "gen-000002", "gen-000003"));
}

TEST_F(BundleTest, NothingThereIsNotFound) {
  EXPECT_EQ(Open().status().code(), StatusCode::kNotFound);
  Create();
  EXPECT_EQ(Open().status().code(), StatusCode::kNotFound);
}

TEST_F(BundleTest, AMissingFileFallsBack) {
  PublishThree();
  fs::remove(root_ / "gen-000003" / kCatalogFile);
  ExpectFallback("gen-000003: catalog.sqlite: is missing");
}

TEST_F(BundleTest, ATruncatedFileFallsBack) {
  PublishThree();
  fs::resize_file(root_ / "gen-000003" / kScoreIndexFile, 1000);
  ExpectFallback("gen-000003: scores.faiss: has 1000 bytes");
}

TEST_F(BundleTest, AFlippedBitFallsBack) {
  PublishThree();
  const fs::path path = root_ / "gen-000003" / kScoreIndexFile;
  std::string contents = Read(path);
  contents[2'345'678] ^= 1;
  Write(path, contents);
  ExpectFallback("gen-000003: scores.faiss: its SHA-256");
}

TEST_F(BundleTest, WhatIsDoneWhileIndexesAreCheckedDoesNotSaveADamagedOne) {
  const auto expect_opened = [&](const std::vector<std::string>& expected) {
    std::vector<std::string> models;
    const auto caller = std::this_thread::get_id();
    const auto opened = OpenBundle(root_.string(), [&](const OpenedBundle& unchecked) {
      models.push_back(unchecked.manifest.model_id);
      EXPECT_EQ(unchecked.directory,
                (root_ / GenerationName(unchecked.manifest.generation)).string());
      EXPECT_EQ(std::this_thread::get_id(), caller);
    });
    EXPECT_EQ(models, expected);
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(opened->manifest.model_id, expected.back());
  };
  PublishThree();
  const fs::path newest = root_ / "gen-000003";
  expect_opened({"three"});
  std::string contents = Read(newest / kScoreIndexFile);
  contents[2'345'678] ^= 1;
  Write(newest / kScoreIndexFile, contents);
  expect_opened({"three", "two"});
  // Nobody opens what is not even a file of that size, nor a generation whose other files are
  // damaged.
  fs::remove(newest / kScoreIndexFile);
  ASSERT_EQ(mkfifo((newest / kScoreIndexFile).c_str(), 0600), 0);
  expect_opened({"two"});
  Write(root_ / "gen-000002" / kCatalogFile, "catalogue of TWO");
  expect_opened({"one"});
}

TEST_F(BundleTest, ALinkInPlaceOfAFileFallsBack) {
  PublishThree();
  const fs::path path = root_ / "gen-000003" / kCatalogFile;
  fs::rename(path, root_ / "elsewhere");
  fs::create_symlink(root_ / "elsewhere", path);
  ExpectFallback("catalog.sqlite: is a link");
}

TEST_F(BundleTest, APipeInPlaceOfAFileFallsBackWithoutWaiting) {
  PublishThree();
  const fs::path path = root_ / "gen-000003" / kCatalogFile;
  fs::remove(path);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  ExpectFallback("catalog.sqlite: is not a plain file");
}

TEST_F(BundleTest, ADamagedManifestFallsBack) {
  PublishThree();
  const fs::path path = root_ / "gen-000003" / "MANIFEST";
  const std::string good = Read(path);
  for (const std::string& bad :
       {std::string(), std::string("garbage"), good.substr(0, good.size() / 2),
        std::string(1'000'000, '['), Read(root_ / "gen-000001" / "MANIFEST")}) {
    Write(path, bad);
    ExpectFallback("MANIFEST");
  }
  fs::remove(path);
  ExpectFallback("MANIFEST: is missing");
}

TEST_F(BundleTest, AManifestThatNamesFilesOutsideFallsBack) {
  PublishThree();
  const fs::path path = root_ / "gen-000003" / "MANIFEST";
  std::string manifest = Read(path);
  manifest.replace(manifest.find("catalog.sqlite"), 14, "../CURRENT");
  Write(path, manifest);
  ExpectFallback("is not a plain file name");
}

TEST_F(BundleTest, AMissingGenerationFallsBack) {
  PublishThree();
  fs::remove_all(root_ / "gen-000003");
  ExpectFallback("gen-000003: there is no such folder");
}

TEST_F(BundleTest, ALinkInPlaceOfAGenerationFallsBack) {
  PublishThree();
  fs::rename(root_ / "gen-000003", root_ / "moved");
  fs::create_directory_symlink(root_ / "moved", root_ / "gen-000003");
  ExpectFallback("gen-000003: there is no such folder");
}

TEST_F(BundleTest, WithoutAUsableCurrentTheNewestThatPassesIsTaken) {
  PublishThree();
  for (const std::string& bad :
       {std::string(), std::string("garbage"), std::string("../gen-000003"), std::string("/etc"),
        std::string("gen-000003/../gen-000001"), std::string("gen-3"), std::string(5000, 'x'),
        std::string("gen-000001\ngen-000002")}) {
    Write(root_ / "CURRENT", bad);
    const auto opened = Open();
    ASSERT_TRUE(opened.ok()) << bad;
    EXPECT_EQ(opened->manifest.model_id, "three");
    EXPECT_THAT(opened->rejected, ElementsAre("CURRENT: does not name a generation"));
  }
  fs::remove(root_ / "CURRENT");
  fs::create_directory(root_ / "CURRENT");
  EXPECT_EQ(Open()->manifest.model_id, "three");
}

TEST_F(BundleTest, WhenNothingPassesEveryReasonIsTold) {
  PublishThree();
  fs::remove(root_ / "gen-000003" / kCatalogFile);
  fs::resize_file(root_ / "gen-000002" / kCatalogFile, 1);
  Write(root_ / "gen-000001" / "MANIFEST", "");
  const absl::Status status = Open().status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  const std::string message(status.message());
  for (const std::string part :
       {"gen-000003: catalog.sqlite", "gen-000002: catalog.sqlite", "gen-000001: MANIFEST"}) {
    EXPECT_THAT(message, HasSubstr(part));
  }
  EXPECT_THAT(message, ::testing::Not(HasSubstr(root_.string())));
}

TEST_F(BundleTest, ANewerFormatFallsBack) {
  PublishThree();
  Write(root_ / "gen-000003" / "MANIFEST", R"({"format_version": 5})");
  ExpectFallback("format_version is 5");
}

TEST_F(BundleTest, AnOlderFormatIsRefusedWithAdvice) {
  Publish("one");
  Write(root_ / "gen-000001" / "MANIFEST", R"({"format_version": 1})");
  EXPECT_THAT(std::string(Open().status().message()),
              HasSubstr("format_version is 1, this program reads 2 to 4: too old for"));
}

TEST_F(BundleTest, EveryPublicationHasAnOriginOfItsOwnUnlessItIsGivenOne) {
  const std::string first = Publish("one").origin;
  EXPECT_THAT(first, ::testing::MatchesRegex("[0-9a-f]{32}"));
  EXPECT_NE(Publish("two").origin, first);
  Manifest merged = Described("three");
  merged.origin = first;
  merged.last_change = 12;
  EXPECT_EQ(Create()->Publish(merged)->origin, first);
  EXPECT_EQ(Open()->manifest.origin, first);
  EXPECT_EQ(Open()->manifest.last_change, 12);
  merged.origin = "not an origin";
  EXPECT_EQ(Create()->Publish(merged).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(BundleTest, WhatWasNotPublishedLeavesNoTraceAndThePreviousInForce) {
  Publish("one");
  std::string directory;
  {
    auto writer = Create();
    directory = writer->directory();
    Write(fs::path(directory) / kCatalogFile, "half");
    EXPECT_EQ(Open()->manifest.model_id, "one");
  }
  EXPECT_FALSE(fs::exists(directory));
  EXPECT_EQ(Open()->manifest.model_id, "one");
  EXPECT_THAT(Names(), ElementsAre("CURRENT", "LOCK", "gen-000001"));
}

// The state on disk after a crash at each step of a publication.
TEST_F(BundleTest, ACrashAtAnyStepLeavesThePreviousInForceAndTheNextPublicationCleansUp) {
  Publish("one");
  fs::create_directory(root_ / "tmp-abcdef");
  Write(root_ / "tmp-abcdef" / kCatalogFile, "half");
  EXPECT_EQ(Open()->manifest.model_id, "one");  // files being written
  Write(root_ / "tmp-abcdef" / "MANIFEST", "half");
  EXPECT_EQ(Open()->manifest.model_id, "one");  // MANIFEST being written
  fs::copy(root_ / "gen-000001", root_ / "gen-000002");
  EXPECT_EQ(Open()->manifest.model_id, "one");  // renamed, not yet named by CURRENT
  Write(root_ / "tmp-CURRENT", "gen-0000");
  EXPECT_EQ(Open()->manifest.model_id, "one");  // CURRENT's successor being written
  EXPECT_TRUE(Open()->rejected.empty());
  EXPECT_EQ(Publish("three").generation, 3);
  EXPECT_EQ(Open()->manifest.model_id, "three");
  EXPECT_THAT(Names(), ElementsAre("CURRENT", "LOCK", "gen-000001", "gen-000002", "gen-000003"));
}

TEST_F(BundleTest, ASecondPublicationAtOnceIsAborted) {
  auto first = Create();
  EXPECT_EQ(BundleWriter::Create(root_.string()).status().code(), StatusCode::kAborted);
  EXPECT_TRUE(fs::exists(first->directory()));
  first.reset();
  EXPECT_EQ(Publish("after").generation, 1);
}

TEST_F(BundleTest, PublishingTwiceIsRefused) {
  auto writer = Create();
  ASSERT_TRUE(writer->Publish(Described("one")).ok());
  EXPECT_EQ(writer->Publish(Described("one")).status().code(), StatusCode::kFailedPrecondition);
  writer.reset();
  EXPECT_EQ(Open()->manifest.model_id, "one");
}

TEST_F(BundleTest, WhatCouldNotBeReadBackIsNotPublished) {
  Publish("one");
  const std::vector<std::function<void(const fs::path&)>> faults = {
      [](const fs::path& folder) { fs::create_directory(folder / "sub"); },
      [](const fs::path& folder) { fs::create_symlink("/etc/hostname", folder / "link"); },
      [](const fs::path& folder) { Write(folder / "MANIFEST", "{}"); },
      [](const fs::path& folder) { Write(folder / ".hidden", ""); },
      [](const fs::path& folder) { Write(folder / "with space", ""); },
  };
  for (const auto& fault : faults) {
    auto writer = Create();
    fault(writer->directory());
    EXPECT_EQ(writer->Publish(Described("bad")).status().code(), StatusCode::kInvalidArgument);
  }
  Manifest no_dimension = Described("bad");
  no_dimension.dimension = 0;
  EXPECT_EQ(Create()->Publish(no_dimension).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Open()->manifest.model_id, "one");
  EXPECT_THAT(Names(), ElementsAre("CURRENT", "LOCK", "gen-000001"));
}

TEST_F(BundleTest, TheCheckSeesTheGenerationInItsPlaceAndNotYetInForce) {
  Publish("one");
  auto writer = Create();
  Write(fs::path(writer->directory()) / kCatalogFile, "two");
  const auto manifest = writer->Publish(Described("two"), [&](const OpenedBundle& opened) {
    EXPECT_EQ(fs::path(opened.directory), root_ / "gen-000002");
    EXPECT_EQ(Read(fs::path(opened.directory) / kCatalogFile), "two");
    EXPECT_EQ(opened.manifest.generation, 2);
    EXPECT_EQ(Open()->manifest.model_id, "one");
    return absl::OkStatus();
  });
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_EQ(Open()->manifest.model_id, "two");
}

TEST_F(BundleTest, WhatFailsTheCheckLeavesNothing) {
  Publish("one");
  auto writer = Create();
  Write(fs::path(writer->directory()) / kCatalogFile, "two");
  const auto refuse = [](const OpenedBundle&) { return absl::UnavailableError("not good enough"); };
  EXPECT_EQ(writer->Publish(Described("two"), refuse).status().message(), "not good enough");
  EXPECT_FALSE(writer->Prune(1).ok());
  writer.reset();
  EXPECT_EQ(Open()->manifest.model_id, "one");
  EXPECT_THAT(Names(), ElementsAre("CURRENT", "LOCK", "gen-000001"));
}

TEST_F(BundleTest, ANameIsGivenOnce) {
  fs::create_directories(root_ / "a");
  fs::create_directories(root_ / "b");
  EXPECT_EQ(RenameToNew((root_ / "a").string(), (root_ / "b").string()).code(),
            StatusCode::kAlreadyExists);
  EXPECT_EQ(RenameToNew((root_ / "none").string(), (root_ / "c").string()).code(),
            StatusCode::kNotFound);
  EXPECT_TRUE(RenameToNew((root_ / "a").string(), (root_ / "c").string()).ok());
  EXPECT_THAT(Names(), ElementsAre("b", "c"));
}

TEST_F(BundleTest, ATemporaryFolderGoesUnlessItIsKept) {
  fs::create_directories(root_);
  std::string kept;
  {
    auto folder = TemporaryFolder::Create(root_.string(), ".part-");
    ASSERT_TRUE(folder.ok()) << folder.status();
    Write(fs::path(folder->path()) / "file", "content");
    auto other = TemporaryFolder::Create(root_.string(), "kept-");
    kept = fs::path(other->path()).filename().string();
    other->Keep();
    TemporaryFolder moved = *std::move(folder);
    EXPECT_THAT(Names(), ::testing::SizeIs(2));
  }
  EXPECT_THAT(Names(), ElementsAre(kept));
  EXPECT_FALSE(TemporaryFolder::Create((root_ / "none").string(), "x").ok());
}

TEST_F(BundleTest, PruningKeepsTheNewestThatPass) {
  PublishThree();
  fs::resize_file(root_ / "gen-000003" / kCatalogFile, 1);
  auto writer = Create();
  ASSERT_EQ(writer->Publish(Described("four"))->generation, 4);
  const auto kept = writer->Prune(2);
  ASSERT_TRUE(kept.ok()) << kept.status();
  ASSERT_EQ(kept->size(), 2u);
  EXPECT_EQ((*kept)[0].model_id, "four");
  EXPECT_EQ((*kept)[1].model_id, "two");
  EXPECT_THAT(Names(), ElementsAre("CURRENT", "LOCK", "gen-000002", "gen-000003", "gen-000004"));
  ASSERT_EQ(writer->Prune(1)->size(), 1u);
  EXPECT_THAT(Names(), ElementsAre("CURRENT", "LOCK", "gen-000004"));
  EXPECT_EQ(Open()->manifest.model_id, "four");
}

TEST_F(BundleTest, WhatIsNewerThanTheOneInForceIsPruned) {
  Publish("one");
  auto writer = Create();
  ASSERT_TRUE(writer->Publish(Described("two")).ok());
  fs::copy(root_ / "gen-000001", root_ / "gen-000009");
  ASSERT_TRUE(writer->Prune(5).ok());
  EXPECT_THAT(Names(), ElementsAre("CURRENT", "LOCK", "gen-000001", "gen-000002"));
}

// Killed while it was checked in its place: it may be what nobody was ever told of.
TEST_F(BundleTest, WhatWasNeverInForceIsPrunedAndDoesNotCount) {
  Publish("one");
  Publish("never in force");
  Write(root_ / "CURRENT", "gen-000001\n");
  auto writer = Create();
  ASSERT_EQ(writer->Publish(Described("three"))->generation, 3);
  const auto kept = writer->Prune(2);
  ASSERT_TRUE(kept.ok()) << kept.status();
  ASSERT_EQ(kept->size(), 2u);
  EXPECT_EQ((*kept)[1].model_id, "one");
  EXPECT_THAT(Names(), ElementsAre("CURRENT", "LOCK", "gen-000001", "gen-000003"));
}

TEST_F(BundleTest, CurrentIsToldWhateverItsState) {
  EXPECT_EQ(CurrentGeneration(root_.string()).status().code(), StatusCode::kNotFound);
  PublishThree();
  fs::remove_all(root_ / "gen-000003");
  EXPECT_EQ(CurrentGeneration(root_.string()).value(), 3);
  Write(root_ / "CURRENT", "garbage");
  EXPECT_EQ(CurrentGeneration(root_.string()).status().code(), StatusCode::kDataLoss);
}

TEST_F(BundleTest, FilesOfOthersAreLeftAlone) {
  Publish("one");
  for (const std::string name :
       {"journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm", "notes"}) {
    Write(root_ / name, "theirs");
  }
  Publish("two");
  EXPECT_EQ(Open()->manifest.model_id, "two");
  EXPECT_TRUE(Open()->rejected.empty());
  EXPECT_THAT(Names(), ElementsAre("CURRENT", "LOCK", "gen-000001", "gen-000002", "journal.sqlite",
                                   "journal.sqlite-shm", "journal.sqlite-wal", "notes"));
}

TEST_F(BundleTest, AFolderThatCannotBeMadeIsTold) {
  Write(root_, "a file where the folder should be");
  const absl::Status status = BundleWriter::Create(root_.string()).status();
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(Open().status().code(), StatusCode::kNotFound);
}

TEST(CopyToNewFileTest, CopiesWhatIsThere) {
  const testing::TemporaryFolder folder;
  const std::string from = folder.path() + "/from";
  EXPECT_EQ(CopyToNewFile(from, folder.path(), "to").code(), StatusCode::kNotFound);
  const std::string bytes(200'000, 'x');
  std::ofstream(from, std::ios::binary) << bytes;
  ASSERT_TRUE(CopyToNewFile(from, folder.path(), "to").ok());
  std::ifstream to(folder.path() + "/to", std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(to), {}), bytes);
  EXPECT_EQ(CopyToNewFile(from, folder.path(), "to").code(), StatusCode::kAlreadyExists);
}

TEST(CopyToNewFileTest, SaysThatTheDiskIsFull) {
  const SmallDisk disk(64 << 10);
  if (!disk.mounted()) GTEST_SKIP() << "no file system may be mounted here";
  const testing::TemporaryFolder folder;
  const std::string from = folder.path() + "/from";
  std::ofstream(from, std::ios::binary) << std::string(1 << 20, 'x');
  const absl::Status status = CopyToNewFile(from, disk.path(), "encoder");
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()),
              ::testing::AllOf(HasSubstr("encoder: "), HasSubstr("No space left on device")));
}

}  // namespace
}  // namespace antiphon::bundle
