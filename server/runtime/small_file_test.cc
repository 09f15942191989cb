#include "server/runtime/small_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "core/testing/temporary_folder.h"

namespace antiphon::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class SmallFileTest : public ::testing::Test {
 protected:
  const testing::TemporaryFolder folder_;
  const std::string file_ = folder_.path() + "/small_file";
};

TEST_F(SmallFileTest, IsReadWhole) {
  const std::string text = std::string(10'000, 'x') + '\0' + "end";
  std::ofstream(file_) << text;
  EXPECT_EQ(*ReadSmallFile(file_, text.size()), text);
  EXPECT_EQ(ReadSmallFile(file_, text.size() - 1).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(SmallFileTest, WhatIsNoFileIsNotWaitedForNorNamed) {
  EXPECT_EQ(ReadSmallFile(file_, 10).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(ReadSmallFile(file_, 10).status().message()),
              Not(HasSubstr("small_file")));
  EXPECT_EQ(ReadSmallFile(file_ + "/x", 10).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadSmallFile(folder_.path(), 10).status().code(), absl::StatusCode::kInvalidArgument);
  ASSERT_EQ(mkfifo(file_.c_str(), 0600), 0);
  EXPECT_EQ(ReadSmallFile(file_, 10).status().code(), absl::StatusCode::kInvalidArgument)
      << "and not for ever";
}

TEST_F(SmallFileTest, StampsTellChangesApart) {
  EXPECT_EQ(StampOf(file_), FileStamp());
  std::ofstream(file_) << "a";
  const FileStamp before = StampOf(file_);
  EXPECT_EQ(StampOf(file_), before);
  EXPECT_NE(before, FileStamp());
  std::ofstream(file_) << "ab";
  EXPECT_NE(StampOf(file_), before);
}

}  // namespace
}  // namespace antiphon::server
