// Products of rows of bytes with many queries at once, for the vector instructions of the processor
// at hand. Sums are whole numbers, so that they are the same on all of them.
//
// Sixteen rows make a block. It holds four values of each row, then the next four of each, and so
// on: one vector then has the terms of sixteen sums. Stateless; safe from any thread. Internal to
// core/index.
#ifndef ANTIPHON_CORE_INDEX_BYTE_SCAN_H_
#define ANTIPHON_CORE_INDEX_BYTE_SCAN_H_

#include <cstdint>
#include <span>
#include <vector>

namespace antiphon::index {

enum class ByteInstructions {
  kBaseline,    // what the build targets
  kAvx2,        // AVX2
  kAvx512Vnni,  // AVX-512F and its dot products of bytes (VNNI)
  kAmx,         // products of tiles of bytes (AMX-INT8), beside those
};

struct ByteKernels {
  static constexpr int kBlockRows = 16;
  static constexpr int kQuad = 4;          // values that stand together
  static constexpr int kZero = 128;        // the byte of value 0 in a row
  static constexpr int kMostQuads = 1024;  // 4,096 values: no sum leaves 32 bits
  // Values of a query lie between this and its negative: two products with bytes fit 16 bits.
  static constexpr int kLargestQueryValue = 64;
  // Quads whose products AVX2 sums in 16 bits, from a multiple of so many on. The values of a query
  // in the first halves of these quads, without their signs, add up to no more than this; so do
  // those in the second halves.
  static constexpr int kSpanQuads = 8;
  static constexpr int kMostOfSpan = 255;

  struct alignas(64) Quads {
    uint8_t bytes[kBlockRows][kQuad];  // of every row, each value kZero more than it is
  };

  struct Queries {
    int count = 0;
    int quads = 0;                         // of a row, at most kMostQuads
    const int8_t* values = nullptr;        // [count, quads * kQuad], small as said above
    const int32_t* starts = nullptr;       // [count], StartOf the values of each
    const int32_t* span_starts = nullptr;  // [count, SpansOf(quads)], SpanStartsOf them
    const int32_t* bounds = nullptr;       // [count]
  };

  // Where sums begin: bytes of rows are kZero too large.
  static int32_t StartOf(std::span<const int8_t> query);
  // Where those of each span begin: 16 bits for first halves of quads, above them 16 for second.
  static std::vector<int32_t> SpanStartsOf(std::span<const int8_t> query);
  // Of a query's values before they are rounded: the largest sum of those that kMostOfSpan is for.
  static float LargestOfSpans(std::span<const float> query);
  static constexpr int SpansOf(int quads) { return (quads + kSpanQuads - 1) / kSpanQuads; }

  // A product that exceeds its query's bound.
  struct Hit {
    int32_t row = 0;  // from the first block's first row on
    int32_t query = 0;
    int32_t product = 0;
  };

  // Writes the hits of `block_count` blocks, [block_count, queries.quads], by rising row for each
  // query; there must be room for all products. Returns their number.
  int64_t (*scan)(const Quads* blocks, int64_t block_count, const Queries& queries, Hit* hits);

  // The fastest that this processor can execute.
  static const ByteKernels& Fastest();
  // Those of one instruction set; null where the processor or the build lacks it.
  static const ByteKernels* ForInstructions(ByteInstructions instructions);
};

}  // namespace antiphon::index

#endif  // ANTIPHON_CORE_INDEX_BYTE_SCAN_H_
