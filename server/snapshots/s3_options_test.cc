#include "server/snapshots/s3_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "core/testing/temporary_folder.h"

namespace antiphon::server {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(ParseS3Location, TakesEndpointBucketAndPrefix) {
  const auto location = ParseS3Location("https://s3.example.org:9000/my-bucket/antiphon/main");
  ASSERT_TRUE(location.ok()) << location.status();
  EXPECT_EQ(location->endpoint, "https://s3.example.org:9000");
  EXPECT_EQ(location->bucket, "my-bucket");
  EXPECT_EQ(location->prefix, "antiphon/main/");
  EXPECT_TRUE(location->secure);
  EXPECT_EQ(ParseS3Location("https://h/bucket")->prefix, "");
  EXPECT_EQ(ParseS3Location("https://h/bucket/")->prefix, "");
  EXPECT_EQ(ParseS3Location("https://h/bucket/a/")->prefix, "a/");
  EXPECT_FALSE(ParseS3Location("http://[::1]:9000/bucket")->secure);
}

TEST(ParseS3Location, SaysWhatIsWrong) {
  for (const char* text : {"",
                           "bucket",
                           "s3://bucket",
                           "ftp://h/bucket",
                           "https://",
                           "https:///bucket",
                           "https://h",
                           "https://h/",
                           "https://h/ab",
                           "https://h/-bucket",
                           "https://h/bu cket",
                           "https://h/bucket//a",
                           "https://h/bucket/../a",
                           "https://h/bucket/a b",
                           "https://h/bucket/.a",
                           "https://h?x/bucket",
                           "https://h/bucket?x=y",
                           "https://h/bucket#a",
                           "https://h/b%2Fcket",
                           "https://h\n/bucket"}) {
    EXPECT_EQ(ParseS3Location(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(ParseS3Location, DoesNotRepeatAPassword) {
  const absl::Status status = ParseS3Location("https://me:secret@h/bucket").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("file"), Not(HasSubstr("secret"))));
}

TEST(S3Options, NameTheOptionThatIsWrong) {
  const auto message = [](const S3Options& options) {
    return std::string(options.Validate().message());
  };
  EXPECT_TRUE(S3Options().Validate().ok());
  EXPECT_TRUE(S3Options({.location = "https://h/bucket"}).Validate().ok());
  EXPECT_TRUE(S3Options({.location = "http://127.0.0.1:9000/bucket"}).Validate().ok());
  EXPECT_TRUE(S3Options({.location = "http://localhost/bucket"}).Validate().ok());
  EXPECT_TRUE(S3Options({.location = "http://h/bucket", .allow_http = true}).Validate().ok());
  EXPECT_THAT(message({.location = "http://h/bucket"}),
              AllOf(StartsWith("snapshot-s3: "), HasSubstr("snapshot-s3-allow-http")));
  EXPECT_THAT(message({.location = "nonsense"}), StartsWith("snapshot-s3: "));
  EXPECT_THAT(message({.location = "https://h/bucket", .region = ""}),
              StartsWith("snapshot-s3-region: "));
  EXPECT_THAT(message({.location = "https://h/bucket", .region = "a:b"}),
              StartsWith("snapshot-s3-region: "));
  EXPECT_THAT(message({.credentials_file = "f"}), StartsWith("snapshot-s3-credentials-file: "));
  EXPECT_THAT(message({.ca_file = "f"}), StartsWith("snapshot-s3-ca-file: "));
  EXPECT_THAT(message({.allow_http = true}), StartsWith("snapshot-s3-allow-http: "));
}

TEST(S3Credentials, AreReadFromTextAsTheToolsWriteIt) {
  const auto credentials = ParseS3Credentials(
      "# mine\r\n[other]\naws_access_key_id = no\n[default]\r\naws_access_key_id = ID1\r\n"
      "AWS_SECRET_ACCESS_KEY=a/b+c=\nregion = x\naws_session_token =  token\n[more]\n"
      "aws_access_key_id = no\n");
  ASSERT_TRUE(credentials.ok()) << credentials.status();
  EXPECT_EQ(credentials->key_id, "ID1");
  EXPECT_EQ(credentials->secret, "a/b+c=");
  EXPECT_EQ(credentials->session_token, "token");
  EXPECT_EQ(ParseS3Credentials("aws_access_key_id=a\naws_secret_access_key=b")->session_token, "");
}

TEST(S3Credentials, WhatIsWrongIsNamedAndNotRepeated) {
  for (const char* text :
       {"", "aws_access_key_id = hidden", "aws_secret_access_key = hidden",
        "aws_access_key_id = hid den\naws_secret_access_key = hidden",
        "aws_access_key_id = a\naws_secret_access_key = hid\001den",
        "aws_access_key_id = a\naws_secret_access_key = b\naws_session_token = hidden \xff"}) {
    const absl::Status status = ParseS3Credentials(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("aws_"), Not(HasSubstr("hid"))));
  }
}

TEST(S3Credentials, ComeFromAFileOrFromTheEnvironment) {
  const antiphon::testing::TemporaryFolder folder;
  const std::string file = folder.path() + "/credentials";
  EXPECT_FALSE(ReadS3Credentials(file).ok());
  std::ofstream(file) << "aws_access_key_id = f\naws_secret_access_key = s\n";
  EXPECT_EQ(ReadS3Credentials(file)->key_id, "f");
  unsetenv("AWS_ACCESS_KEY_ID");
  EXPECT_FALSE(ReadS3Credentials("").ok());
  setenv("AWS_ACCESS_KEY_ID", "e", 1);
  setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
  setenv("AWS_SESSION_TOKEN", "t", 1);
  EXPECT_EQ(ReadS3Credentials("")->key_id, "e");
  EXPECT_EQ(ReadS3Credentials("")->session_token, "t");
}

}  // namespace
}  // namespace antiphon::server
