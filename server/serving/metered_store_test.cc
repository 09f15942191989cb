#include "server/serving/metered_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "server/serving/fake_store.h"
#include "server/testing/server_fixture.h"

namespace antiphon::server {
namespace {

using ::testing::HasSubstr;

TEST(MeteredStore, EveryEditAndReloadIsCountedByItsKind) {
  Metrics metrics;
  FakeStore store(std::make_shared<FakeCollection>());
  store.failure = absl::ResourceExhaustedError("the disk is full");
  MeteredStore metered(store, metrics);
  EXPECT_FALSE(metered.Apply(editing::AddPiece{{.id = "new"}, MidiBytes(4)}, {}).ok());
  EXPECT_FALSE(metered.Apply(editing::UpdatePiece{.id = "p0"}, {}).ok());
  EXPECT_FALSE(metered.Apply(editing::DeletePiece{.id = "p0"}, {}).ok());
  EXPECT_FALSE(metered.Apply(editing::AddRecording{{.id = "new"}, WavFile(1)}, {}).ok());
  EXPECT_FALSE(metered.Apply(editing::UpdateRecording{.id = "r0"}, {}).ok());
  EXPECT_FALSE(metered.Apply(editing::DeleteRecording{.id = "r0"}, {}).ok());
  EXPECT_FALSE(metered.Merge().ok());
  EXPECT_FALSE(metered.Restore("x").ok());
  EXPECT_FALSE(metered.Reload().ok());
  store.failure = absl::OkStatus();
  EXPECT_TRUE(metered.Reload().ok());
  const std::string text = metrics.Text();
  for (const char* kind : {"add_piece", "update_piece", "delete_piece", "add_recording",
                           "update_recording", "delete_recording", "merge", "restore"}) {
    EXPECT_THAT(text, HasSubstr(absl::StrCat("antiphon_edits_total{kind=\"", kind,
                                             "\",result=\"exhausted\"} 1")));
  }
  EXPECT_THAT(text, HasSubstr(R"(antiphon_reloads_total{result="failed",what="collection"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(antiphon_reloads_total{result="ok",what="collection"} 1)"));
  EXPECT_EQ(metered.Current(), store.Current());
}

}  // namespace
}  // namespace antiphon::server
