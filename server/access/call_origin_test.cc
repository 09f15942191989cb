#include "server/access/call_origin.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace antiphon::server {
namespace {

TEST(CallOrigin, TheCallersIdIsKeptWhereItCanBePrinted) {
  for (const std::string& id :
       {std::string("a"), std::string("job 7/step=3 \"x\""), std::string(128, '~')}) {
    EXPECT_EQ(RequestIdFor(id), id);
  }
}

TEST(CallOrigin, OtherwiseOneIsMadeUp) {
  for (const std::string& id :
       {std::string(), std::string(129, 'x'), std::string("a\nb"), std::string("\x1b[31m"),
        std::string("\xc3\xa4"), std::string("a\0b", 3), std::string("\x7f")}) {
    const std::string made_up = RequestIdFor(id);
    EXPECT_EQ(made_up.size(), 16u);
    EXPECT_EQ(made_up.find_first_not_of("0123456789abcdef"), std::string::npos) << made_up;
  }
}

TEST(CallOrigin, NoIdIsMadeUpTwice) {
  std::set<std::string> ids;
  for (int i = 0; i < 10'000; ++i) ids.insert(RequestIdFor(""));
  EXPECT_EQ(ids.size(), 10'000u);
}

TEST(CallOrigin, ReadsTheKeyOfAnAuthorizationHeader) {
  EXPECT_EQ(BearerKey("Bearer abc"), "abc");
  EXPECT_EQ(BearerKey("bearer abc"), "abc");
  EXPECT_EQ(BearerKey("Basic abc"), "");
  EXPECT_EQ(BearerKey("Bearer"), "");
  EXPECT_EQ(BearerKey("abc"), "");
  EXPECT_EQ(BearerKey(""), "");
}

}  // namespace
}  // namespace antiphon::server
