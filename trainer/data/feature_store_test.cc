#include "trainer/data/feature_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/testing/temporary_folder.h"
#include "trainer/data/test_items.h"

namespace antiphon::trainer::data {
namespace {

class FeatureStoreTest : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(store_ + "/items"); }

  const testing::TemporaryFolder folder_;
  const std::string store_ = folder_.path();
};

TEST_F(FeatureStoreTest, AnItemReadsBackAsItWasWritten) {
  StoreItem item = RandomItem("a piece/with: odd name", 1, 40, 1.25);
  item.time = music::TimeMap::Create({{0, 0.1}, {1.0 / 3, 0.7}, {9, 11}}).value();
  const std::string path = ItemPath(store_, item.piece, 3);
  ASSERT_TRUE(WriteItem(path, item).ok());
  const auto read = ReadItem(path);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->piece, item.piece);
  EXPECT_EQ(read->part, item.part);
  EXPECT_EQ(read->time.points().size(), 3u);
  EXPECT_EQ(read->time.To(0.2), item.time.To(0.2));
  EXPECT_EQ(read->settings, item.settings);
  EXPECT_EQ(read->spectrogram.cells, item.spectrogram.cells);
  ASSERT_EQ(read->notes.size(), item.notes.size());
  EXPECT_EQ(read->notes.back().onset_s, item.notes.back().onset_s);
  EXPECT_EQ(ReadFingerprint(path).value_or(""), item.fingerprint);
  const auto items = ListItems(store_);
  ASSERT_TRUE(items.ok());
  EXPECT_EQ(*items, std::vector<std::string>{path});
}

TEST_F(FeatureStoreTest, ACutItemIsRefusedAtEveryLength) {
  const std::string path = ItemPath(store_, "piece", 0);
  ASSERT_TRUE(WriteItem(path, RandomItem("piece", 2, 5)).ok());
  const auto size = std::filesystem::file_size(path);
  for (std::uintmax_t length = 0; length < size; length += 97) {
    std::filesystem::copy_file(path, path + ".cut",
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(path + ".cut", length);
    EXPECT_EQ(ReadItem(path + ".cut").status().code(), absl::StatusCode::kDataLoss) << length;
  }
}

TEST_F(FeatureStoreTest, WhatIsNotThereIsNotFound) {
  EXPECT_EQ(ReadItem("/nonexistent/x.item").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ListItems("/nonexistent").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace antiphon::trainer::data
