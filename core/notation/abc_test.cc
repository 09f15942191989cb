#include "core/notation/abc.h"

#include <gtest/gtest.h>

namespace antiphon::notation {
namespace {

TEST(AbcTest, Reads) {
  const auto s = ReadAbc("X:1\nK:C\nABc|\n");
  ASSERT_TRUE(s.ok()) << s.status();
}

}  // namespace
}  // namespace antiphon::notation
