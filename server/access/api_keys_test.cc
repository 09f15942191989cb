#include "server/access/api_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "absl/strings/str_cat.h"

namespace {
int constant_time_comparisons = 0;
}

// Takes the place of OpenSSL's, to see that it is what compares.
extern "C" int CRYPTO_memcmp(const void* a, const void* b, size_t size) {
  ++constant_time_comparisons;
  unsigned char difference = 0;
  for (size_t i = 0; i < size; ++i) {
    difference |= static_cast<const unsigned char*>(a)[i] ^ static_cast<const unsigned char*>(b)[i];
  }
  return difference;
}

namespace antiphon::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// SHA-256 of "0123456789abcdef" and of "fedcba9876543210".
constexpr char kHashA[] = "9f9f5111f7b27a781f1f1ddde5ebc2dd2b796bfc7365c9c28b548e564176929f";
constexpr char kHashB[] = "3465f6e6975baa864ca957f0914ecda9bf7eb601ac31ac20a5dc3d329279a843";

std::string Error(const std::string& text) {
  const auto keys = ParseApiKeys(text);
  EXPECT_EQ(keys.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(keys.status().message());
}

TEST(ApiKeys, ReadsNamesRolesHashesAndRates) {
  const auto keys = ParseApiKeys(absl::StrCat("# a comment\n\n  \t\n", "web.1 read ", kHashA,
                                              " 2.5 # per second\r\n", "import\tadmin   ", kHashB));
  ASSERT_TRUE(keys.ok()) << keys.status();
  ASSERT_EQ(keys->size(), 2u);
  EXPECT_EQ((*keys)[0].name, "web.1");
  EXPECT_EQ((*keys)[0].role, Role::kRead);
  EXPECT_EQ((*keys)[0].requests_per_second, 2.5);
  EXPECT_EQ((*keys)[0].hash[0], '\x9f');
  EXPECT_EQ((*keys)[0].hash.size(), 32u);
  EXPECT_EQ((*keys)[1].name, "import");
  EXPECT_EQ((*keys)[1].role, Role::kAdmin);
  EXPECT_EQ((*keys)[1].requests_per_second, 0);
}

TEST(ApiKeys, ReadsQuotasAndTakesTheRestFromTheDefaults) {
  const Quota defaults = {.streams = 3, .mib = 30, .batch = 5};
  const auto keys = ParseApiKeys(
      absl::StrCat("web read ", kHashA, " 2.5 mib=64 streams=4\nother admin ", kHashB, " batch=1"),
      defaults);
  ASSERT_TRUE(keys.ok()) << keys.status();
  EXPECT_EQ((*keys)[0].requests_per_second, 2.5);
  EXPECT_EQ((*keys)[0].quota.streams, 4);
  EXPECT_EQ((*keys)[0].quota.mib, 64);
  EXPECT_EQ((*keys)[0].quota.batch, 5);
  EXPECT_EQ((*keys)[1].requests_per_second, 0);
  EXPECT_EQ((*keys)[1].quota.streams, 3);
  EXPECT_EQ((*keys)[1].quota.batch, 1);
  for (const char* quota : {"streams=0", "streams=", "mib=-1", "batch=x", "batch=1001"}) {
    EXPECT_THAT(Error(absl::StrCat("web read ", kHashA, " ", quota)), HasSubstr(" is 1 to "))
        << quota;
  }
  EXPECT_THAT(Error(absl::StrCat("web read ", kHashA, " stream=1")), HasSubstr("a quota is"));
}

TEST(ApiKeys, ReadsFilesOfOtherSystemsEditors) {
  const auto keys =
      ParseApiKeys(absl::StrCat("\xEF\xBB\xBF# the keys\r\nweb read ", kHashA, "\r\n"), Quota());
  ASSERT_TRUE(keys.ok()) << keys.status();
  EXPECT_EQ(keys->size(), 1u);
  EXPECT_EQ((*keys)[0].name, "web");
}

TEST(ApiKeys, TheHashIsThatOfEveryOtherTool) {
  // printf 0123456789abcdef | sha256sum
  EXPECT_EQ(*HashForFile("0123456789abcdef"), kHashA);
}

TEST(ApiKeys, ShortOrUnsendableKeysGetNoHash) {
  EXPECT_FALSE(HashForFile("0123456789abcde").ok());
  EXPECT_FALSE(HashForFile(std::string(1025, 'x')).ok());
  EXPECT_FALSE(HashForFile("0123456789 abcdef").ok());
  EXPECT_FALSE(HashForFile("0123456789abcde\n").ok());
  EXPECT_FALSE(HashForFile("0123456789abcd\xc3\xa4").ok());
}

TEST(ApiKeys, SaysWhichLineIsWrongAndNotWhatStandsInIt) {
  const std::string good = absl::StrCat("web read ", kHashA, "\n");
  EXPECT_THAT(Error(absl::StrCat(good, "other read my-secret-key\n")),
              HasSubstr("line 2: a SHA-256"));
  EXPECT_THAT(Error(absl::StrCat(good, "other read my-secret-key\n")), Not(HasSubstr("secret")));
  EXPECT_THAT(Error(absl::StrCat("web write ", kHashA)),
              HasSubstr("line 1: a role is read or admin"));
  EXPECT_THAT(Error(absl::StrCat("web Read ", kHashA)), HasSubstr("role"));
  EXPECT_THAT(Error(absl::StrCat("we/b read ", kHashA)), HasSubstr("name"));
  EXPECT_THAT(Error(absl::StrCat(std::string(65, 'n'), " read ", kHashA)), HasSubstr("name"));
  EXPECT_THAT(Error(absl::StrCat("web read ", std::string(kHashA).substr(1))),
              HasSubstr("SHA-256"));
  EXPECT_THAT(Error(absl::StrCat("web read g", std::string(kHashA).substr(1))),
              HasSubstr("SHA-256"));
  for (const char* rate : {"0", "-1", "nan", "inf", "1e7", "fast", "0.0001"}) {
    EXPECT_THAT(Error(absl::StrCat("web read ", kHashA, " ", rate)),
                HasSubstr("requests per second"))
        << rate;
  }
  EXPECT_THAT(Error("web read"), HasSubstr("expected NAME ROLE"));
  EXPECT_THAT(Error(absl::StrCat("web read ", kHashA, " 1 2")), HasSubstr("expected NAME ROLE"));
  EXPECT_THAT(Error(absl::StrCat(good, "web admin ", kHashB)),
              HasSubstr("line 2: the name has been used"));
  EXPECT_THAT(Error(absl::StrCat(good, "other admin ", kHashA)),
              HasSubstr("line 2: the key has been used"));
}

TEST(ApiKeys, AFileWithoutAKeyIsAMistake) {
  EXPECT_THAT(Error(""), HasSubstr("no key"));
  EXPECT_THAT(Error("# nothing\n"), HasSubstr("no key"));
}

TEST(ApiKeys, NoGarbageIsTakenForKeys) {
  std::mt19937 rng(1);
  const std::string good = absl::StrCat("web read ", kHashA, " 5\nimport admin ", kHashB, "\n");
  for (int round = 0; round < 2000; ++round) {
    std::string text = good;
    for (int i = static_cast<int>(rng() % 6); i >= 0; --i)
      text[rng() % text.size()] = static_cast<char>(rng());
    const auto keys = ParseApiKeys(text);
    if (!keys.ok()) continue;
    for (const ApiKey& key : *keys) {
      EXPECT_LE(key.name.size(), 64u);
      EXPECT_TRUE(key.requests_per_second == 0 || key.requests_per_second >= 0.001);
    }
  }
  EXPECT_FALSE(ParseApiKeys(std::string(1000, '\0')).ok());
  EXPECT_THAT(Error(std::string((4 << 20) + 1, '#')), HasSubstr("bytes"));
}

TEST(ApiKeys, FindsTheKeyThatWasHashed) {
  const std::string text = absl::StrCat("a read ", *HashForFile("the-first-key-of-all"), "\n",
                                        "b admin ", *HashForFile("the-second-key-of-all"), "\n");
  const auto keys = ParseApiKeys(text);
  ASSERT_TRUE(keys.ok()) << keys.status();
  ASSERT_NE(FindKey(*keys, "the-first-key-of-all"), nullptr);
  EXPECT_EQ(FindKey(*keys, "the-first-key-of-all")->name, "a");
  EXPECT_EQ(FindKey(*keys, "the-second-key-of-all")->name, "b");
  for (const char* wrong :
       {"", "the-first-key-of-al", "the-first-key-of-all ", "The-first-key-of-all"}) {
    EXPECT_EQ(FindKey(*keys, wrong), nullptr) << wrong;
  }
  EXPECT_EQ(FindKey(*keys, *HashForFile("the-first-key-of-all")), nullptr)
      << "a hash opens nothing";
}

TEST(ApiKeys, ComparesEveryHashInConstantTimeWhicheverIsRight) {
  std::string text;
  for (int i = 0; i < 10; ++i)
    absl::StrAppend(&text, "k", i, " read ", *HashForFile(absl::StrCat("0123456789abcdef", i)),
                    "\n");
  const auto keys = ParseApiKeys(text);
  ASSERT_TRUE(keys.ok()) << keys.status();
  for (const std::string& key :
       {std::string("0123456789abcdef0"), std::string("0123456789abcdef9"), std::string("no")}) {
    constant_time_comparisons = 0;
    FindKey(*keys, key);
    EXPECT_EQ(constant_time_comparisons, 10) << key;
  }
}

}  // namespace
}  // namespace antiphon::server
