#include "trainer/metrics/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace antiphon::trainer::metrics {
namespace {

const Report kReport = {"snippets",
                        {{"model", "residual-64-abc"}},
                        {{"2000 candidates",
                          {"R@1", "median"},
                          {{"this model", {0.9745, 1}}, {"random", {0.0005, 1000.5}}}}}};

TEST(ReportTest, TextAndJsonHoldTheSameFigures) {
  const std::string text = ReportText(kReport);
  const auto json = nlohmann::json::parse(ReportJson(kReport));
  EXPECT_EQ(json["suite"], "snippets");
  EXPECT_EQ(json["settings"]["model"], "residual-64-abc");
  EXPECT_EQ(json["tables"][0]["rows"][0]["figures"]["R@1"], 0.9745);
  EXPECT_EQ(json["tables"][0]["rows"][1]["name"], "random");
  EXPECT_THAT(text, ::testing::HasSubstr("0.9745"));
  EXPECT_THAT(text, ::testing::HasSubstr("1000.5"));
  EXPECT_THAT(text, ::testing::HasSubstr("model: residual-64-abc"));
}

}  // namespace
}  // namespace antiphon::trainer::metrics
