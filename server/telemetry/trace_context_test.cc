#include "server/telemetry/trace_context.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"

namespace antiphon::server {
namespace {

// The example of the recommendation.
constexpr char kExample[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(ParseTraceparentTest, ReadsTraceSpanAndWhetherItIsKept) {
  const TraceContext context = ParseTraceparent(kExample);
  EXPECT_EQ(absl::BytesToHexString(context.trace_id), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(absl::BytesToHexString(context.span_id), "b7ad6b7169203331");
  EXPECT_TRUE(context.sampled);
}

TEST(ParseTraceparentTest, OnlyTheLastBitOfTheFlagsSaysThatItIsKept) {
  std::string header = kExample;
  for (const auto& [flags, sampled] :
       {std::pair("00", false), std::pair("02", false), std::pair("03", true)}) {
    header.replace(53, 2, flags);
    EXPECT_FALSE(ParseTraceparent(header).trace_id.empty());
    EXPECT_EQ(ParseTraceparent(header).sampled, sampled) << flags;
  }
}

TEST(ParseTraceparentTest, ALaterVersionMayHaveMoreFields) {
  std::string header = kExample;
  EXPECT_TRUE(ParseTraceparent(header + "-more").trace_id.empty());
  header.replace(0, 2, "01");
  EXPECT_FALSE(ParseTraceparent(header).trace_id.empty());
  EXPECT_FALSE(ParseTraceparent(header + "-more").trace_id.empty());
  EXPECT_TRUE(ParseTraceparent(header + "more").trace_id.empty());
}

TEST(ParseTraceparentTest, WhatIsMalformedNamesNoTrace) {
  for (const char* header : {
           "",
           "00",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
           "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333x-01",
           "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
           "00-00000000000000000000000000000000-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
           "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
           "0x-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
       }) {
    const TraceContext context = ParseTraceparent(header);
    EXPECT_TRUE(context.trace_id.empty()) << header;
    EXPECT_FALSE(context.sampled) << header;
  }
}

}  // namespace
}  // namespace antiphon::server
