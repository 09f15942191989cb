#include "server/similar_name.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/options.h"

namespace antiphon::server {
namespace {

std::string Similar(const std::string& name) {
  return SimilarName(name, OptionNames()).value_or("");
}

TEST(SimilarName, ForgivesALetterOrTwo) {
  EXPECT_EQ(Similar("wrokers"), "workers");
  EXPECT_EQ(Similar("workrs"), "workers");
  EXPECT_EQ(Similar("lsiten"), "listen");
  EXPECT_EQ(Similar("readonly"), "read-only");
  EXPECT_EQ(Similar("queue-mb"), "queue-mib");
}

TEST(SimilarName, ForgivesPluralsOrderAndWordsWrittenOut) {
  EXPECT_EQ(Similar("api-key-file"), "api-keys-file");
  EXPECT_EQ(Similar("file-api-keys"), "api-keys-file");
  EXPECT_EQ(Similar("dir-snapshots"), "snapshot-dir");
  EXPECT_EQ(Similar("snapshot-directory"), "snapshot-dir");
  EXPECT_EQ(Similar("tls-certificate"), "tls-cert");
}

TEST(SimilarName, ForgivesAWordMoreOrLess) {
  EXPECT_EQ(Similar("api-keys"), "api-keys-file");
  EXPECT_EQ(Similar("tls-cert-file"), "tls-cert");
  EXPECT_EQ(Similar("tls-ca"), "tls-client-ca");
  EXPECT_EQ(Similar("allow-unauthenticated-access"), "allow-unauthenticated");
}

TEST(SimilarName, TakesTheNearest) {
  EXPECT_EQ(SimilarName("index-thread", {"compute-threads", "index-threads"}), "index-threads");
  EXPECT_EQ(SimilarName("abcdef", {"abcdxy", "abcdex"}), "abcdex");
}

TEST(SimilarName, OthersAreOthers) {
  for (const std::string name : {"", "x", "colour", "threads", "server", "tls", "port", "jobs"})
    EXPECT_EQ(Similar(name), "") << name;
  EXPECT_EQ(Similar(std::string(100'000, 'a')), "");
  EXPECT_EQ(SimilarName("workers", {}), std::nullopt);
}

}  // namespace
}  // namespace antiphon::server
