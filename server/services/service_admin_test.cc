#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "core/testing/temporary_folder.h"
#include "server/testing/server_fixture.h"

namespace antiphon::server {
namespace {

using grpc::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Stub = v1::Admin::Stub;

class AdminServiceTest : public ServerFixture {
 protected:
  void SetUp() override {
    config_.snapshots.directory = folder_.path();
    Start();
  }

  v1::StatusResponse Status() {
    v1::StatusResponse response;
    EXPECT_TRUE(Ask(*admin_, &Stub::Status, v1::StatusRequest(), &response).ok());
    return response;
  }
  grpc::Status Reload(v1::ReloadResponse* response = nullptr) {
    return Ask(*admin_, &Stub::Reload, v1::ReloadRequest(), response);
  }
  grpc::Status Merge(v1::MergeResponse* response = nullptr) {
    return Ask(*admin_, &Stub::Merge, v1::MergeRequest(), response);
  }
  grpc::Status Snapshot(const std::string& name, v1::SnapshotResponse* response = nullptr) {
    v1::SnapshotRequest request;
    request.set_name(name);
    return Ask(*admin_, &Stub::Snapshot, request, response);
  }
  grpc::Status Restore(const std::string& name, v1::RestoreResponse* response = nullptr) {
    v1::RestoreRequest request;
    request.set_name(name);
    return Ask(*admin_, &Stub::Restore, request, response);
  }
  grpc::Status ListSnapshots(const v1::ListSnapshotsRequest& request,
                             v1::ListSnapshotsResponse* response) {
    return Ask(*admin_, &Stub::ListSnapshots, request, response);
  }
  std::vector<v1::SnapshotInfo> Snapshots() {
    v1::ListSnapshotsResponse response;
    EXPECT_TRUE(ListSnapshots({}, &response).ok());
    EXPECT_EQ(response.total(), response.snapshots_size());
    return {response.snapshots().begin(), response.snapshots().end()};
  }
  grpc::Status DeleteSnapshot(const std::string& name,
                              v1::DeleteSnapshotResponse* response = nullptr) {
    v1::DeleteSnapshotRequest request;
    request.set_name(name);
    return Ask(*admin_, &Stub::DeleteSnapshot, request, response);
  }
  void DeletePiece(const std::string& id) {
    v1::DeletePieceRequest request;
    request.set_piece_id(id);
    request.set_with_recordings(true);
    v1::DeletePieceResponse response;
    ASSERT_TRUE(Ask(*catalog_, &v1::Catalog::Stub::DeletePiece, request, &response).ok());
  }

  const antiphon::testing::TemporaryFolder folder_;  // of the snapshots
};

TEST_F(AdminServiceTest, StatusTellsOfTheModelsConfidence) {
  const v1::StatusResponse status = Status();
  EXPECT_EQ(status.confidence_threshold(), collection_->confidence().threshold);
  EXPECT_EQ(status.false_accept_rate(), 0.01);
  EXPECT_EQ(status.calibration_queries(), 1234);
  EXPECT_FALSE(status.tls());
  EXPECT_FALSE(status.authentication());
  EXPECT_GT(status.resident_bytes(), 1 << 20);
  EXPECT_LT(status.resident_bytes(), int64_t{1} << 40);
  EXPECT_EQ(status.limits().max_batch_queries(), 64);
  EXPECT_EQ(status.limits().max_filter_entries(), 1000);
  EXPECT_GT(status.limits().max_streams(), 0);
}

TEST_F(AdminServiceTest, StatusCountsWhatIsThereNow) {
  EXPECT_EQ(Status().last_change(), 0);
  DeletePiece("p0");
  const v1::StatusResponse status = Status();
  EXPECT_EQ(status.pieces(), 1);
  EXPECT_EQ(status.recordings(), 1);
  EXPECT_EQ(status.score_vectors(), 50);
  EXPECT_EQ(status.recording_vectors(), 25);
  EXPECT_EQ(status.last_change(), 1);
  EXPECT_EQ(status.unmerged_changes(), 1);
  EXPECT_THAT(status.rejected_changes(), ElementsAre("change 3: damaged"));
}

TEST_F(AdminServiceTest, ReloadSaysWhatServesAndWhatWasRefused) {
  v1::ReloadResponse response;
  ASSERT_TRUE(Reload(&response).ok());
  EXPECT_EQ(response.previous_generation(), 7);
  EXPECT_EQ(response.generation(), 8);
  EXPECT_THAT(response.rejected_generations(), ElementsAre("gen-000099: not whole"));
  EXPECT_EQ(Status().generation(), 8);
}

TEST_F(AdminServiceTest, AReloadThatFailsSaysWhy) {
  for (const auto code : {absl::StatusCode::kFailedPrecondition, absl::StatusCode::kDataLoss}) {
    store_.failure = absl::Status(code, "gen-000009: catalog.sqlite: its hash is another");
    const grpc::Status status = Reload();
    EXPECT_EQ(status.error_code(), StatusCode::FAILED_PRECONDITION);
    EXPECT_EQ(status.error_message(), "gen-000009: catalog.sqlite: its hash is another");
    EXPECT_FALSE(DetailOf(status).has_value()) << "no field is to blame";
  }
  store_.failure = absl::ResourceExhaustedError("not enough memory for both");
  EXPECT_EQ(Reload().error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(Status().generation(), 7);
}

TEST_F(AdminServiceTest, MergeMakesAGenerationOfTheChanges) {
  v1::MergeResponse response;
  ASSERT_TRUE(Merge(&response).ok());
  EXPECT_EQ(response.merged_changes(), 0);
  EXPECT_EQ(response.generation(), 7);
  DeletePiece("p0");
  ASSERT_TRUE(Merge(&response).ok());
  EXPECT_EQ(response.merged_changes(), 1);
  EXPECT_EQ(response.generation(), 8);
  EXPECT_EQ(Status().unmerged_changes(), 0);
}

TEST_F(AdminServiceTest, WhatASnapshotHoldsCanBeRestored) {
  v1::SnapshotResponse snapshot;
  ASSERT_TRUE(Snapshot("monday-1.0_a", &snapshot).ok());
  EXPECT_EQ(snapshot.name(), "monday-1.0_a");
  EXPECT_EQ(snapshot.pieces(), 2);
  EXPECT_EQ(snapshot.recordings(), 2);
  EXPECT_EQ(snapshot.version(), 0);
  EXPECT_EQ(snapshot.bytes(), 8);
  EXPECT_TRUE(Blames(Snapshot("monday-1.0_a"), StatusCode::ALREADY_EXISTS, "name"));

  DeletePiece("p1");
  EXPECT_EQ(Status().pieces(), 1);
  v1::RestoreResponse restored;
  ASSERT_TRUE(Restore("monday-1.0_a", &restored).ok());
  EXPECT_EQ(restored.generation(), 8);
  EXPECT_EQ(restored.pieces(), 2);
  EXPECT_EQ(Status().pieces(), 2);
  EXPECT_TRUE(Blames(Restore("tuesday"), StatusCode::NOT_FOUND, "name"));
}

TEST_F(AdminServiceTest, ASnapshotHasAPlainName) {
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string(".hidden"),
        std::string("-f"), std::string("a/b"), std::string("../up"), std::string("a b"),
        std::string("ü"), std::string("a\0b", 3), std::string(101, 'a')}) {
    EXPECT_TRUE(Blames(Snapshot(name), StatusCode::INVALID_ARGUMENT, "name")) << name;
    EXPECT_TRUE(Blames(Restore(name), StatusCode::INVALID_ARGUMENT, "name")) << name;
    EXPECT_TRUE(Blames(DeleteSnapshot(name), StatusCode::INVALID_ARGUMENT, "name")) << name;
  }
  EXPECT_TRUE(Snapshot(std::string(100, 'a')).ok());
}

TEST_F(AdminServiceTest, WithoutADirectoryThereAreNoSnapshots) {
  const auto expect_refused = [this] {
    v1::ListSnapshotsResponse unused;
    for (const grpc::Status& status :
         {Snapshot("a"), Restore("a"), ListSnapshots({}, &unused), DeleteSnapshot("a")}) {
      EXPECT_EQ(status.error_code(), StatusCode::FAILED_PRECONDITION);
      EXPECT_THAT(status.error_message(), HasSubstr("snapshot directory"));
      EXPECT_THAT(status.error_message(), Not(HasSubstr(folder_.path())));
    }
  };
  std::filesystem::remove_all(folder_.path());
  expect_refused();
  server_.reset();
  config_.snapshots.directory.clear();
  Start();
  expect_refused();
  EXPECT_THAT(metrics_.Text(), HasSubstr(R"(antiphon_snapshots_total{result="refused"} 2)"));
}

TEST_F(AdminServiceTest, SnapshotsAreListedWithWhatTheyHold) {
  EXPECT_THAT(Snapshots(), IsEmpty());
  ASSERT_TRUE(Snapshot("first").ok());
  DeletePiece("p0");
  ASSERT_TRUE(Snapshot("second").ok());
  const std::vector<v1::SnapshotInfo> snapshots = Snapshots();
  ASSERT_EQ(snapshots.size(), 2u);
  EXPECT_EQ(snapshots[0].name(), "second");
  EXPECT_EQ(snapshots[1].name(), "first");
  EXPECT_EQ(snapshots[0].pieces(), 1);
  EXPECT_EQ(snapshots[0].recordings(), 1);
  EXPECT_EQ(snapshots[0].version(), 1);
  EXPECT_EQ(snapshots[0].bytes(), 8);
  EXPECT_EQ(snapshots[0].model_id(), "fake-model");
  EXPECT_TRUE(snapshots[0].same_model());
  EXPECT_TRUE(snapshots[0].restorable());
  EXPECT_EQ(snapshots[0].problem(), "");
  absl::Time created;
  std::string why;
  ASSERT_TRUE(absl::ParseTime(absl::RFC3339_full, snapshots[0].created(), &created, &why)) << why;
  EXPECT_LT(absl::Now() - created, absl::Minutes(5));
}

TEST_F(AdminServiceTest, ADamagedSnapshotIsListedWithTheReason) {
  ASSERT_TRUE(Snapshot("monday").ok());
  std::filesystem::resize_file(folder_.path() + "/monday/gen-000001/contents", 3);
  const std::vector<v1::SnapshotInfo> snapshots = Snapshots();
  ASSERT_EQ(snapshots.size(), 1u);
  EXPECT_FALSE(snapshots[0].restorable());
  EXPECT_EQ(snapshots[0].problem(), "contents: has 3 bytes where MANIFEST says 8");
  const grpc::Status status = Restore("monday");
  EXPECT_EQ(status.error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("contents"));
  EXPECT_THAT(status.error_message(), Not(HasSubstr(folder_.path())));
  EXPECT_TRUE(DeleteSnapshot("monday").ok());
  EXPECT_THAT(Snapshots(), IsEmpty());
}

TEST_F(AdminServiceTest, SnapshotsAreListedInPages) {
  for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(Snapshot(name).ok());
  v1::ListSnapshotsRequest request;
  request.set_page_size(2);
  v1::ListSnapshotsResponse page;
  ASSERT_TRUE(ListSnapshots(request, &page).ok());
  EXPECT_EQ(page.total(), 3);
  ASSERT_EQ(page.snapshots_size(), 2);
  request.set_page_token(page.next_page_token());
  v1::ListSnapshotsResponse rest;
  ASSERT_TRUE(ListSnapshots(request, &rest).ok());
  ASSERT_EQ(rest.snapshots_size(), 1);
  EXPECT_EQ(rest.next_page_token(), "");
  EXPECT_NE(rest.snapshots(0).name(), page.snapshots(0).name());
  EXPECT_NE(rest.snapshots(0).name(), page.snapshots(1).name());
  ASSERT_TRUE(DeleteSnapshot("b").ok());
  EXPECT_TRUE(Blames(ListSnapshots(request, &rest), StatusCode::INVALID_ARGUMENT, "page_token"))
      << "another list";
  for (const int size : {0, -1, 1001}) {
    request.set_page_size(size);
    EXPECT_TRUE(Blames(ListSnapshots(request, &rest), StatusCode::INVALID_ARGUMENT, "page_size"));
  }
}

TEST_F(AdminServiceTest, ADeletedSnapshotIsGone) {
  ASSERT_TRUE(Snapshot("monday").ok());
  v1::DeleteSnapshotResponse deleted;
  ASSERT_TRUE(DeleteSnapshot("monday", &deleted).ok());
  EXPECT_EQ(deleted.name(), "monday");
  EXPECT_EQ(deleted.bytes(), 8);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
  EXPECT_TRUE(Blames(DeleteSnapshot("monday"), StatusCode::NOT_FOUND, "name"));
  EXPECT_TRUE(Blames(Restore("monday"), StatusCode::NOT_FOUND, "name"));
  EXPECT_TRUE(Snapshot("monday").ok()) << "the name is free";
}

TEST_F(AdminServiceTest, TheSchedulesNamesAreItsOwn) {
  EXPECT_TRUE(Blames(Snapshot("auto-20260506-070809"), StatusCode::INVALID_ARGUMENT, "name"));
  EXPECT_TRUE(Snapshot("auto-20260506").ok());
}

TEST_F(AdminServiceTest, AFullDiskIsSaidWithWhenToAskAgain) {
  store_.failure = absl::ResourceExhaustedError("copying scores.faiss failed: no space");
  const grpc::Status status = Snapshot("monday");
  EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_FALSE(DetailOf(status).has_value());
  EXPECT_GE(RetryDelayOf(status), absl::Seconds(1));
  EXPECT_THAT(metrics_.Text(), HasSubstr(R"(antiphon_snapshots_total{result="exhausted"} 1)"));
}

TEST_F(AdminServiceTest, OneIsAdministeredAtATimeAndStatusAnswersMeanwhile) {
  absl::Notification started, release;
  store_.on_administer = [&] {
    started.Notify();
    release.WaitForNotification();
  };
  std::thread first([&] { EXPECT_TRUE(Reload().ok()); });
  started.WaitForNotification();
  for (const grpc::Status& status : {Reload(), Merge(), Snapshot("a"), Restore("a")}) {
    EXPECT_EQ(status.error_code(), StatusCode::ABORTED);
    EXPECT_THAT(status.error_message(), HasSubstr("under way"));
  }
  EXPECT_EQ(Status().generation(), 7);
  v1::SearchScoresRequest query;
  query.mutable_audio()->set_file(WavFile(1));
  EXPECT_TRUE(Search(query).ok()) << "searches go on";
  release.Notify();
  first.join();
  store_.on_administer = nullptr;
  store_.failure = absl::InternalError("x");
  EXPECT_EQ(Merge().error_code(), StatusCode::INTERNAL);
  store_.failure = absl::OkStatus();
  EXPECT_TRUE(Merge().ok()) << "a failure ends it, too";
}

}  // namespace
}  // namespace antiphon::server
