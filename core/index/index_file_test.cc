#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <random>

#include "core/index/vector_index.h"
#include "core/testing/clustered_vectors.h"
#include "core/testing/temporary_folder.h"

namespace antiphon::index {
namespace {

constexpr int kDimension = 4;
constexpr int64_t kVectors = 24;

IndexOptions Options(IndexKind kind) {
  IndexOptions options;
  options.kind = kind;
  options.dimension = kDimension;
  options.hnsw_links = 4;
  options.ivf_lists = 6;
  options.ivf_probes = 6;
  options.threads = 1;
  return options;
}

// A kind of index, and how it is loaded.
struct Form {
  std::string name;
  IndexKind kind;
  bool mapped = false;  // flat: stays in its file

  IndexOptions Options() const {
    IndexOptions options = index::Options(kind);
    if (mapped) options.packed_from = 1;
    return options;
  }
};

class IndexFileTest : public ::testing::TestWithParam<Form> {
 protected:
  void SetUp() override {
    const auto vectors = ClusteredUnitVectors(kVectors, kDimension, 0, 1);
    ASSERT_TRUE(VectorIndex::Build(GetParam().Options(), vectors).value()->Save(path_).ok());
    std::ifstream file(path_, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(file), {});
  }

  absl::StatusOr<std::unique_ptr<VectorIndex>> Load(const std::string& bytes) {
    // File systems flush a file that is truncated and written anew, which is slow.
    std::filesystem::remove(path_);
    std::ofstream(path_, std::ios::binary) << bytes;
    IndexOptions options = GetParam().Options();
    options.kind = IndexKind::kFlat;  // the file says which it is
    return VectorIndex::Load(path_, options);
  }

  // A damaged file either gives DataLoss or an index that can be used in every way.
  void ExpectRefusedOrUsable(const std::string& bytes) {
    auto index = Load(bytes);
    if (!index.ok()) {
      ASSERT_EQ(index.status().code(), absl::StatusCode::kDataLoss) << index.status();
      ++refused_;
      return;
    }
    const auto queries = ClusteredUnitVectors(3, kDimension, 0, 2);
    const auto result = (*index)->Search(queries, 20);
    ASSERT_TRUE(result.ok()) << result.status();
    for (const int64_t id : result->ids) ASSERT_TRUE(id >= -1 && id < (*index)->size());
    ASSERT_TRUE((*index)->Reconstruct(0, (*index)->size()).ok());
    ASSERT_TRUE((*index)->Add(queries).ok());
    ASSERT_TRUE((*index)->Search(queries, 5).ok());
  }

  const testing::TemporaryFolder folder_;
  const std::string path_ = folder_.path() + "/index";
  std::string bytes_;
  int refused_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Kinds, IndexFileTest,
                         ::testing::Values(Form{"flat", IndexKind::kFlat},
                                           Form{"mapped", IndexKind::kFlat, true},
                                           Form{"hnsw", IndexKind::kHnsw},
                                           Form{"ivf", IndexKind::kIvf}),
                         [](const auto& info) { return info.param.name; });

TEST_P(IndexFileTest, UnchangedFileLoads) { EXPECT_TRUE(Load(bytes_).ok()); }

TEST_P(IndexFileTest, EveryTruncationIsRefused) {
  for (size_t length = 0; length < bytes_.size(); length += length < 200 ? 1 : 7) {
    EXPECT_EQ(Load(bytes_.substr(0, length)).status().code(), absl::StatusCode::kDataLoss)
        << length;
  }
}

TEST_P(IndexFileTest, BytesAfterTheEndAreRefused) {
  EXPECT_EQ(Load(bytes_ + '\0').status().code(), absl::StatusCode::kDataLoss);
}

TEST_P(IndexFileTest, EveryChangedByteIsRefusedOrHarmless) {
  for (size_t i = 0; i < bytes_.size(); ++i) {
    std::string changed = bytes_;
    changed[i] = static_cast<char>(changed[i] ^ (1 << i % 8));
    ASSERT_NO_FATAL_FAILURE(ExpectRefusedOrUsable(changed)) << "byte " << i;
  }
  EXPECT_GT(refused_, 15);
}

TEST_P(IndexFileTest, HostileNumbersAreRefusedOrHarmless) {
  // Any field may be a size: huge, negative and wrapping values at every offset must not be
  // allocated or believed.
  const uint64_t hostile[] = {0, 0x7fffffff, uint64_t{1} << 39, ~uint64_t{0}};
  for (size_t i = 0; i + 8 <= bytes_.size(); ++i) {
    std::string changed = bytes_;
    changed.replace(i, 8, reinterpret_cast<const char*>(&hostile[i * 7 / 3 % 4]), 8);
    ASSERT_NO_FATAL_FAILURE(ExpectRefusedOrUsable(changed)) << "offset " << i;
  }
  for (size_t i = 0; i < 120; ++i) {  // the header
    for (const uint64_t& value : hostile) {
      std::string changed = bytes_;
      changed.replace(i, 8, reinterpret_cast<const char*>(&value), 8);
      ASSERT_NO_FATAL_FAILURE(ExpectRefusedOrUsable(changed))
          << "offset " << i << " value " << value;
    }
  }
  EXPECT_GT(refused_, 100);
}

TEST_P(IndexFileTest, RandomDamageIsRefusedOrHarmless) {
  std::mt19937 random(3);
  for (int round = 0; round < 500; ++round) {
    std::string changed = bytes_;
    for (int i = 0; i < 1 + static_cast<int>(random() % 8); ++i) {
      changed[random() % changed.size()] = static_cast<char>(random());
    }
    ASSERT_NO_FATAL_FAILURE(ExpectRefusedOrUsable(changed)) << "round " << round;
  }
}

TEST_P(IndexFileTest, AnotherDimensionThanAskedForIsRefused) {
  IndexOptions options = GetParam().Options();
  options.dimension = kDimension + 1;
  EXPECT_EQ(VectorIndex::Load(path_, options).status().code(), absl::StatusCode::kDataLoss);
}

TEST(IndexFileErrorsTest, MissingFilesAndOtherFilesAreTold) {
  const IndexOptions options = Options(IndexKind::kFlat);
  const testing::TemporaryFolder folder;
  const std::string& directory = folder.path();
  EXPECT_EQ(VectorIndex::Load(directory + "/no_such_index", options).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(VectorIndex::Load(directory, options).status().code(), absl::StatusCode::kDataLoss);
  const std::string path = directory + "/not_an_index";
  std::ofstream(path) << "a text file, not an index";
  const absl::Status status = VectorIndex::Load(path, options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), ::testing::Not(::testing::HasSubstr(path)));
}

// Whether the file is large enough to be written at once or goes out at the end.
TEST(IndexFileErrorsTest, AFullDiskIsTold) {
  for (const int64_t count : {int64_t{10}, int64_t{100'000}}) {
    const auto index = VectorIndex::Build(Options(IndexKind::kFlat),
                                          ClusteredUnitVectors(count, kDimension, 0, 1));
    const absl::Status status = (*index)->Save("/dev/full");
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
    EXPECT_THAT(std::string(status.message()),
                ::testing::StartsWith("index file: cannot be written"));
  }
}

}  // namespace
}  // namespace antiphon::index
