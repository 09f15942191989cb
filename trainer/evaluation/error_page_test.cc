#include "trainer/evaluation/error_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace antiphon::trainer::evaluation {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ErrorPageTest, HoldsCountsCasesAndPicturesAndNeedsNoOtherFile) {
  ErrorCase error;
  error.kind = metrics::ErrorKind::kOctave;
  error.title = "Étude <1> & \"2\"";
  error.details = {{"named", "a<b"}};
  error.played_png = "not really a picture";
  error.right = {{1, 0.9f, 10}, {1.25, 0.8f, 10.25}};
  error.named = {{1, 0.95f, 50}};
  const std::string page = ErrorPage(
      "suite x", 10, {{metrics::ErrorKind::kOctave, 3}, {metrics::ErrorKind::kRoom, 1}}, {error});
  EXPECT_THAT(page, HasSubstr("4 of 10 answers are wrong; 1 are shown"));
  EXPECT_THAT(page, HasSubstr("octave: Étude &lt;1&gt; &amp; &quot;2&quot;"));
  EXPECT_THAT(page, HasSubstr("a&lt;b"));
  EXPECT_THAT(page, HasSubstr("data:image/png;base64," + Base64("not really a picture")));
  EXPECT_THAT(page, HasSubstr("<polyline"));
  EXPECT_THAT(page, HasSubstr("<circle"));
  EXPECT_THAT(page, Not(HasSubstr("src='http")));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
}

TEST(ErrorPageTest, Base64ByTheRfc) {
  EXPECT_EQ(Base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(Base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(Base64(""), "");
}

}  // namespace
}  // namespace antiphon::trainer::evaluation
