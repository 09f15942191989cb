#include "core/notation/humdrum.h"

#include "gtest/gtest.h"

namespace antiphon::notation {
namespace {
TEST(HumdrumTest, Reads) { EXPECT_TRUE(ReadHumdrum("**kern\n*M4/4\n=1\n1c\n==\n*-\n").ok()); }
}  // namespace
}  // namespace antiphon::notation
