#include "core/editing/pending_edits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace antiphon::editing {
namespace {

using catalog::Side;
using ::testing::ElementsAre;

collection::Edit Put(const std::string& id, const std::string& content, Side side = Side::kScores) {
  auto record = std::make_shared<catalog::SourceRecord>();
  record->side = side;
  record->piece.id = record->recording.id = id;
  record->content = content;
  return {side, id, record};
}

std::vector<std::string> Show(const std::vector<collection::Edit>& edits) {
  std::vector<std::string> lines;
  for (const collection::Edit& edit : edits)
    lines.push_back(edit.id + (edit.put ? " " + edit.put->content : " gone"));
  return lines;
}

TEST(PendingEdits, TheLastEditOfASourceCounts) {
  PendingEdits edits;
  edits.Add(3, Put("a", "1"));
  edits.Add(5, Put("b", "22"));
  edits.Add(6, Put("a", "sound", Side::kRecordings));
  edits.Add(8, Put("a", "333"));
  EXPECT_THAT(Show(edits.After(0)), ElementsAre("b 22", "a sound", "a 333"));
  EXPECT_THAT(Show(edits.After(6)), ElementsAre("a 333"));
  EXPECT_EQ(edits.count(), 4);
  EXPECT_EQ(edits.last(), 8);
  EXPECT_EQ(edits.bytes(), 10);
  edits.Add(9, {Side::kScores, "b", nullptr});
  EXPECT_THAT(Show(edits.After(0)), ElementsAre("a sound", "a 333", "b gone"));
  EXPECT_EQ(edits.bytes(), 8);
}

TEST(PendingEdits, WhatIsPartOfTheBaseIsForgotten) {
  PendingEdits edits;
  EXPECT_EQ(edits.last(), 0);
  edits.Add(3, Put("a", "1"));
  edits.Add(5, Put("b", "22"));
  edits.Add(8, Put("a", "333"));
  edits.Forget(5);
  EXPECT_THAT(Show(edits.After(0)), ElementsAre("a 333"));
  EXPECT_EQ(edits.count(), 1);
  EXPECT_EQ(edits.bytes(), 3);
  edits.Add(9, Put("b", "4444"));  // as if it had never been there
  EXPECT_THAT(Show(edits.After(0)), ElementsAre("a 333", "b 4444"));
  edits.Forget(9);
  EXPECT_EQ(edits.count(), 0);
  EXPECT_EQ(edits.last(), 0);
  EXPECT_EQ(edits.bytes(), 0);
  EXPECT_TRUE(edits.After(0).empty());
}

}  // namespace
}  // namespace antiphon::editing
