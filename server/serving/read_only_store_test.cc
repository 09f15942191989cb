#include "server/serving/read_only_store.h"

#include <gtest/gtest.h>

#include "server/serving/fake_collection.h"
#include "server/wire/status_map.h"

namespace antiphon::server {
namespace {

// Opens generation after generation, from 8 on.
struct Generations {
  absl::StatusOr<std::shared_ptr<const retrieval::Collection>> operator()() {
    if (!failure->ok()) return *failure;
    return std::make_shared<const FakeCollection>(first, FakeSources(), (*next)++);
  }
  FakeCollection first;
  std::shared_ptr<int64_t> next = std::make_shared<int64_t>(8);
  std::shared_ptr<absl::Status> failure = std::make_shared<absl::Status>();
};

TEST(ReadOnlyStore, FollowsTheGenerationInForce) {
  const Generations generations;
  const auto store = ReadOnlyStore::Open(generations);
  ASSERT_TRUE(store.ok()) << store.status();
  const auto before = (*store)->Current();
  EXPECT_EQ(before->manifest().generation, 8);
  const auto reloaded = (*store)->Reload();
  ASSERT_TRUE(reloaded.ok());
  EXPECT_EQ(reloaded->previous_generation, 8);
  EXPECT_EQ(reloaded->generation, 9);
  EXPECT_EQ((*store)->Current()->manifest().generation, 9);
  EXPECT_EQ(before->manifest().generation, 8) << "calls under way keep what they have";
}

TEST(ReadOnlyStore, WhatServedGoesOnServingWhenAReloadFails) {
  const Generations generations;
  const auto store = ReadOnlyStore::Open(generations);
  ASSERT_TRUE(store.ok());
  *generations.failure = absl::DataLossError("damaged");
  EXPECT_EQ((*store)->Reload().status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ((*store)->Current()->manifest().generation, 8);
  EXPECT_EQ(ReadOnlyStore::Open(generations).status().code(), absl::StatusCode::kDataLoss);
}

TEST(ReadOnlyStore, RefusesEveryChange) {
  const auto opened = ReadOnlyStore::Open(Generations());
  ASSERT_TRUE(opened.ok());
  Store& store = **opened;
  for (const absl::Status& status :
       {store.Apply(editing::AddPiece{{}, ""}, {}).status(),
        store.Apply(editing::UpdatePiece{.id = "p"}, {}).status(),
        store.Apply(editing::DeletePiece{.id = "p", .with_recordings = true}, {}).status(),
        store.Apply(editing::AddRecording{{}, ""}, {}).status(),
        store.Apply(editing::UpdateRecording{.id = "r"}, {}).status(),
        store.Apply(editing::DeleteRecording{.id = "r"}, {}).status(), store.Merge().status(),
        store.WriteSnapshot("s").status(), store.Restore("s").status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_TRUE(IsForCaller(status)) << "the caller is told why";
  }
  EXPECT_EQ(store.edit_status().last_change, 0);
}

}  // namespace
}  // namespace antiphon::server
