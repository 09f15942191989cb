#include "core/index/byte_scan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <random>
#include <span>
#include <tuple>
#include <vector>

namespace antiphon::index {
namespace {

constexpr int kBlockRows = ByteKernels::kBlockRows;
constexpr int kQuad = ByteKernels::kQuad;

// Rows and queries at random, the largest values among them, and what their products must be.
struct Case {
  Case(int64_t block_count, int quads, int query_count, uint32_t seed)
      : blocks(block_count), quads(quads), queries(query_count), random(seed) {
    packed.resize(block_count * quads);
    for (ByteKernels::Quads& quad : packed) {
      for (auto& row : quad.bytes) {
        for (uint8_t& byte : row) byte = static_cast<uint8_t>(AnyByte());
      }
    }
    values.resize(int64_t{query_count} * quads * kQuad);
    for (int8_t& value : values) {
      value = static_cast<int8_t>(std::clamp(AnyByte() - 128, -ByteKernels::kLargestQueryValue,
                                             ByteKernels::kLargestQueryValue));
    }
    for (int q = 0; q < query_count; ++q) {
      Shrink(ValuesOf(q));
      Begin(q);
    }
  }

  std::span<int8_t> ValuesOf(int query) {
    return std::span(values).subspan(int64_t{query} * quads * kQuad, quads * kQuad);
  }

  // Takes from the values as they come whatever is too much for their half of a span.
  static void Shrink(std::span<int8_t> query) {
    constexpr int kSpan = ByteKernels::kSpanQuads * kQuad;
    int left[2] = {};
    for (size_t i = 0; i < query.size(); ++i) {
      if (i % kSpan == 0) std::fill_n(left, 2, ByteKernels::kMostOfSpan);
      int& room = left[i % kQuad / 2];
      query[i] = static_cast<int8_t>(std::clamp(int{query[i]}, -room, room));
      room -= std::abs(query[i]);
    }
  }

  // Where the sums of the query begin.
  void Begin(int query) {
    const std::vector<int32_t> of_spans = ByteKernels::SpanStartsOf(ValuesOf(query));
    starts.resize(queries);
    starts[query] = ByteKernels::StartOf(ValuesOf(query));
    span_starts.resize(queries * of_spans.size());
    std::copy(of_spans.begin(), of_spans.end(), span_starts.begin() + query * of_spans.size());
  }

  int AnyByte() {
    const unsigned any = random();
    return any % 4 == 0 ? (any / 4 % 2 == 0 ? 0 : 255) : static_cast<int>(any / 8 % 256);
  }

  int32_t Product(int64_t row, int query) const {
    int32_t sum = 0;
    for (int i = 0; i < quads * kQuad; ++i) {
      const ByteKernels::Quads& quad = packed[row / kBlockRows * quads + i / kQuad];
      const int value = quad.bytes[row % kBlockRows][i % kQuad] - ByteKernels::kZero;
      sum += value * values[int64_t{query} * quads * kQuad + i];
    }
    return sum;
  }

  std::vector<ByteKernels::Hit> Scan(const ByteKernels& kernels,
                                     const std::vector<int32_t>& bounds) const {
    std::vector<ByteKernels::Hit> hits(blocks * kBlockRows * queries);
    hits.resize(kernels.scan(
        packed.data(), blocks,
        {queries, quads, values.data(), starts.data(), span_starts.data(), bounds.data()},
        hits.data()));
    return hits;
  }

  int64_t blocks;
  int quads, queries;
  std::mt19937 random;
  std::vector<ByteKernels::Quads> packed;
  std::vector<int8_t> values;
  std::vector<int32_t> starts, span_starts;
};

class ByteScanTest : public ::testing::TestWithParam<ByteInstructions> {
 protected:
  void SetUp() override {
    kernels_ = ByteKernels::ForInstructions(GetParam());
    if (kernels_ == nullptr) GTEST_SKIP() << "this processor lacks the instructions";
  }

  const ByteKernels* kernels_ = nullptr;
};
INSTANTIATE_TEST_SUITE_P(Instructions, ByteScanTest,
                         ::testing::Values(ByteInstructions::kBaseline, ByteInstructions::kAvx2,
                                           ByteInstructions::kAvx512Vnni, ByteInstructions::kAmx));

TEST_P(ByteScanTest, EveryProductAboveItsBoundAndNoOther) {
  for (const int quads : {1, 5, 9, 16, 21, 1024}) {
    for (const int queries : {1, 2, 3, 7, 8, 9, 33, 48, 49, 70}) {
      const Case given(3, quads, queries, quads + queries);
      std::vector<int32_t> bounds;  // of a row's product: the equal one is no hit
      for (int q = 0; q < queries; ++q) bounds.push_back(given.Product(q % (3 * kBlockRows), q));
      std::vector<int64_t> last_row(queries, -1);
      int64_t expected = 0;
      const auto hits = given.Scan(*kernels_, bounds);
      for (const auto& [row, query, product] : hits) {
        ASSERT_EQ(product, given.Product(row, query)) << quads << ' ' << queries;
        ASSERT_GT(product, bounds[query]);
        ASSERT_GT(row, last_row[query]);
        last_row[query] = row;
      }
      for (int q = 0; q < queries; ++q) {
        for (int64_t row = 0; row < 3 * kBlockRows; ++row)
          expected += given.Product(row, q) > bounds[q] ? 1 : 0;
      }
      ASSERT_EQ(std::ssize(hits), expected) << quads << ' ' << queries;
    }
  }
}

TEST_P(ByteScanTest, TheLargestSumsStayWithinTheirBits) {
  for (const uint8_t byte : {0, 255}) {
    Case given(1, ByteKernels::kMostQuads, 2, 1);
    for (ByteKernels::Quads& quad : given.packed) {
      for (auto& row : quad.bytes) std::fill_n(row, kQuad, byte);
    }
    for (const int q : {0, 1}) {
      const int largest = ByteKernels::kLargestQueryValue;
      std::ranges::fill(given.ValuesOf(q), static_cast<int8_t>(q == 0 ? largest : -largest));
      Case::Shrink(given.ValuesOf(q));
      given.Begin(q);
    }
    const auto hits = given.Scan(
        *kernels_, {std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::min()});
    ASSERT_EQ(hits.size(), size_t{2 * kBlockRows});
    const int halves = 2 * ByteKernels::SpansOf(ByteKernels::kMostQuads);
    for (const auto& hit : hits) {
      EXPECT_EQ(hit.product, (hit.query == 0 ? 1 : -1) * (byte - ByteKernels::kZero) *
                                 ByteKernels::kMostOfSpan * halves);
    }
  }
}

TEST_P(ByteScanTest, NothingToScanHitsNothing) {
  const Case given(0, 16, 4, 2);
  EXPECT_TRUE(given.Scan(*kernels_, std::vector<int32_t>(4, -1'000'000)).empty());
}

TEST(FastestByteKernelsTest, AreThoseOfASupportedInstructionSet) {
  const ByteKernels* fastest = &ByteKernels::Fastest();
  EXPECT_TRUE(fastest == ByteKernels::ForInstructions(ByteInstructions::kBaseline) ||
              fastest == ByteKernels::ForInstructions(ByteInstructions::kAvx2) ||
              fastest == ByteKernels::ForInstructions(ByteInstructions::kAvx512Vnni) ||
              fastest == ByteKernels::ForInstructions(ByteInstructions::kAmx));
}

}  // namespace
}  // namespace antiphon::index
