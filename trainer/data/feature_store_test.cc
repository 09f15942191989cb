#include "trainer/data/feature_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "trainer/data/test_items.h"

namespace antiphon::trainer::data {
namespace {

std::string NewStore(const std::string& name) {
  const std::string store = ::testing::TempDir() + name;
  std::filesystem::remove_all(store);
  std::filesystem::create_directories(store + "/items");
  return store;
}

TEST(FeatureStoreTest, AnItemReadsBackAsItWasWritten) {
  const std::string store = NewStore("round_trip");
  StoreItem item = RandomItem("a piece/with: odd name", 1, 40, 1.25);
  item.time = music::TimeMap::Create({{0, 0.1}, {1.0 / 3, 0.7}, {9, 11}}).value();
  const std::string path = ItemPath(store, item.piece, 3);
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
  const auto items = ListItems(store);
  ASSERT_TRUE(items.ok());
  EXPECT_EQ(*items, std::vector<std::string>{path});
}

TEST(FeatureStoreTest, ACutItemIsRefusedAtEveryLength) {
  const std::string store = NewStore("cut");
  const std::string path = ItemPath(store, "piece", 0);
  ASSERT_TRUE(WriteItem(path, RandomItem("piece", 2, 5)).ok());
  const auto size = std::filesystem::file_size(path);
  for (std::uintmax_t length = 0; length < size; length += 97) {
    std::filesystem::copy_file(path, path + ".cut",
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(path + ".cut", length);
    EXPECT_EQ(ReadItem(path + ".cut").status().code(), absl::StatusCode::kDataLoss) << length;
  }
}

TEST(FeatureStoreTest, WhatIsNotThereIsNotFound) {
  EXPECT_EQ(ReadItem("/nonexistent/x.item").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ListItems("/nonexistent").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace antiphon::trainer::data
