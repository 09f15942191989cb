#include "server/snapshots/s3_answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace antiphon::server {
namespace {

using ::testing::SizeIs;

std::string Page(const std::string& inside) {
  return absl::StrCat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
                      "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">",
                      inside, "</ListBucketResult>");
}

std::string Object(const std::string& key, const std::string& size = "7") {
  return absl::StrCat("<Contents><Key>", key, "</Key><LastModified>2026-05-06T07:08:09.000Z",
                      "</LastModified><ETag>&quot;abc&quot;</ETag><Size>", size,
                      "</Size></Contents>");
}

TEST(ParseS3Page, GivesObjectsAndWhereToGoOn) {
  const auto page = ParseS3Page(Page(absl::StrCat(
      "<IsTruncated>true</IsTruncated>", "<NextContinuationToken>1/a+b==</NextContinuationToken>",
      Object("p/monday/CURRENT"), Object("p%2Ftuesday%2fCURRENT"))));
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->next, "1/a+b==");
  ASSERT_THAT(page->objects, SizeIs(2));
  EXPECT_EQ(page->objects[0].key, "p/monday/CURRENT");
  EXPECT_EQ(page->objects[0].size, 7);
  EXPECT_EQ(page->objects[0].etag, "\"abc\"");
  EXPECT_EQ(absl::FormatTime(page->objects[0].modified, absl::UTCTimeZone()),
            "2026-05-06T07:08:09+00:00");
  EXPECT_EQ(page->objects[1].key, "p/tuesday/CURRENT") << "as services that encode say it";
}

TEST(ParseS3Page, AnEmptyOneIsTheLast) {
  const auto page = ParseS3Page(Page("<IsTruncated>false</IsTruncated>"));
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(page->objects, SizeIs(0));
  EXPECT_EQ(page->next, "");
}

TEST(ParseS3Page, LeavesOutKeysThatAreNotPlain) {
  const auto page = ParseS3Page(
      Page(absl::StrCat(Object("a b"), Object("&lt;x&gt;"), Object(""), Object("ü"),
                        Object("a&#10;b"), Object(std::string(2000, 'a')), Object("good"))));
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_THAT(page->objects, SizeIs(1));
  EXPECT_EQ(page->objects[0].key, "good");
}

TEST(ParseS3Page, RefusesWhatIsNoList) {
  for (const std::string& xml :
       {std::string(), std::string("nonsense"), std::string("<html></html>"),
        std::string("<ListBucketResult><Contents>"), std::string("\0\xff\xfe", 3),
        Page(Object("a", "-1")), Page(Object("a", "many")), Page(Object("a", "")),
        Page("<IsTruncated>true</IsTruncated>"),
        Page(absl::StrCat("<IsTruncated>true</IsTruncated><NextContinuationToken>",
                          std::string(5000, 'a'), "</NextContinuationToken>")),
        std::string(kMaxS3ListBytes + 1, ' ')}) {
    EXPECT_TRUE(absl::IsDataLoss(ParseS3Page(xml).status())) << xml.substr(0, 100);
  }
}

TEST(ParseS3Page, ExpandsNoEntitiesOfTheDocumentsOwn) {
  const std::string bomb = absl::StrCat(
      "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b SYSTEM \"file:///etc/passwd\">]>",
      "<ListBucketResult>", Object("&a;"), Object("&b;"), "</ListBucketResult>");
  const auto page = ParseS3Page(bomb);
  EXPECT_TRUE(!page.ok() || page->objects.empty()) << "'&' and ';' are in no plain key";
}

TEST(ParseS3Page, BearsDeepNesting) {
  std::string deep;
  for (int i = 0; i < 200'000; ++i) deep += "<a>";
  EXPECT_TRUE(absl::IsDataLoss(ParseS3Page(Page(deep)).status()));
}

TEST(ParseS3ErrorCode, GivesPlainCodesOnly) {
  EXPECT_EQ(ParseS3ErrorCode("<Error><Code>NoSuchBucket</Code></Error>"), "NoSuchBucket");
  for (const char* xml : {"", "busy", "<Error/>", "<Error><Code>a b</Code></Error>",
                          "<Error><Code>/etc/passwd</Code></Error>", "<Error><Code>&#10;</Code>"}) {
    EXPECT_EQ(ParseS3ErrorCode(xml), "") << xml;
  }
  EXPECT_EQ(
      ParseS3ErrorCode(absl::StrCat("<Error><Code>", std::string(65, 'a'), "</Code></Error>")), "");
}

TEST(UriEncode, LeavesWhatSignaturesLeave) {
  EXPECT_EQ(UriEncode("aZ09-._~/", true), "aZ09-._~/");
  EXPECT_EQ(UriEncode("a/b=c+d e&", false), "a%2Fb%3Dc%2Bd%20e%26");
  EXPECT_EQ(UriEncode("ü", false), "%C3%BC");
}

}  // namespace
}  // namespace antiphon::server
