#include "core/index/byte_scan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#define ANTIPHON_AVX2 [[gnu::target("avx2")]]
#define ANTIPHON_VNNI [[gnu::target("avx512f,avx512bw,avx512vnni")]]
#define ANTIPHON_AMX [[gnu::target("avx512f,amx-tile,amx-int8")]]
#endif

namespace antiphon::index {
namespace {

using Hit = ByteKernels::Hit;
using Quads = ByteKernels::Quads;
using Queries = ByteKernels::Queries;

constexpr int kRows = ByteKernels::kBlockRows;
constexpr int kQuad = ByteKernels::kQuad;

const int8_t* ValuesOf(const Queries& queries, int query) {
  return queries.values + int64_t{query} * queries.quads * kQuad;
}

int64_t ScanBaseline(const Quads* blocks, int64_t block_count, const Queries& queries, Hit* hits) {
  int64_t found = 0;
  for (int64_t block = 0; block < block_count; ++block, blocks += queries.quads) {
    for (int query = 0; query < queries.count; ++query) {
      const int8_t* values = ValuesOf(queries, query);
      int32_t sums[kRows];
      std::fill_n(sums, kRows, queries.starts[query]);
      for (int quad = 0; quad < queries.quads; ++quad, values += kQuad) {
        for (int row = 0; row < kRows; ++row) {
          for (int i = 0; i < kQuad; ++i) sums[row] += blocks[quad].bytes[row][i] * values[i];
        }
      }
      for (int row = 0; row < kRows; ++row) {
        if (sums[row] > queries.bounds[query])
          hits[found++] = {static_cast<int32_t>(block * kRows + row), query, sums[row]};
      }
    }
  }
  return found;
}
constexpr ByteKernels kBaseline = {ScanBaseline};

#if defined(__x86_64__)

// Queries are taken in groups of at most this many: as many sums at once as keep the multipliers
// busy, none waiting for the one before it, and every row that is loaded serves them all.
constexpr int kGroupAvx2 = 5;
constexpr int kGroupVnni = 8;

// Four values of a query, as one number.
inline int32_t QuadOf(const int8_t* values, int quad) {
  int32_t four;
  std::memcpy(&four, values + int64_t{quad} * kQuad, sizeof four);
  return four;
}

// One bit for each row in `above`; products are those of all rows.
inline int64_t Keep(unsigned above, const int32_t* products, int32_t first_row, int query,
                    Hit* hits) {
  int64_t found = 0;
  for (; above != 0; above &= above - 1) {
    const int row = __builtin_ctz(above);
    hits[found++] = {first_row + row, query, products[row]};
  }
  return found;
}

template <int kCount>
ANTIPHON_VNNI int64_t BlockVnni(const Quads* block, const Queries& queries, int first,
                                int32_t first_row, Hit* hits) {
  const int8_t* values[kCount];
  __m512i sums[kCount];
  for (int q = 0; q < kCount; ++q) {
    values[q] = ValuesOf(queries, first + q);
    sums[q] = _mm512_set1_epi32(queries.starts[first + q]);
  }
  for (int quad = 0; quad < queries.quads; ++quad) {
    const __m512i rows = _mm512_load_si512(block + quad);
    for (int q = 0; q < kCount; ++q) {
      sums[q] = _mm512_dpbusd_epi32(sums[q], rows, _mm512_set1_epi32(QuadOf(values[q], quad)));
    }
  }
  __mmask16 above[kCount];
  unsigned any = 0;
  for (int q = 0; q < kCount; ++q) {
    above[q] = _mm512_cmpgt_epi32_mask(sums[q], _mm512_set1_epi32(queries.bounds[first + q]));
    any |= above[q];
  }
  if (any == 0) return 0;
  int64_t found = 0;
  for (int q = 0; q < kCount; ++q) {
    int32_t products[kRows];
    _mm512_storeu_si512(products, sums[q]);
    found += Keep(above[q], products, first_row, first + q, hits + found);
  }
  return found;
}

// Eight rows at a time. Each half of a quad is summed in 16 bits over a span, and both halves of
// all spans in 32.
template <int kCount>
ANTIPHON_AVX2 int64_t BlockAvx2(const Quads* block, const Queries& queries, int first,
                                int32_t first_row, Hit* hits) {
  constexpr int kParts = 2;
  const int spans = ByteKernels::SpansOf(queries.quads);
  const int8_t* values[kCount];
  const int32_t* starts[kCount];
  __m256i sums[kCount][kParts];
  for (int q = 0; q < kCount; ++q) {
    values[q] = ValuesOf(queries, first + q);
    starts[q] = queries.span_starts + int64_t{first + q} * spans;
    for (__m256i& sum : sums[q]) sum = _mm256_setzero_si256();
  }
  const __m256i ones = _mm256_set1_epi16(1);
  for (int span = 0; span < spans; ++span) {
    __m256i halves[kCount][kParts];
    for (int q = 0; q < kCount; ++q) {
      for (__m256i& sum : halves[q]) sum = _mm256_set1_epi32(starts[q][span]);
    }
    const int last = std::min(queries.quads, (span + 1) * ByteKernels::kSpanQuads);
    for (int quad = span * ByteKernels::kSpanQuads; quad < last; ++quad) {
      const auto* from = reinterpret_cast<const __m256i*>(block + quad);
      const __m256i rows[kParts] = {_mm256_load_si256(from), _mm256_load_si256(from + 1)};
      for (int q = 0; q < kCount; ++q) {
        const __m256i query = _mm256_set1_epi32(QuadOf(values[q], quad));
        for (int part = 0; part < kParts; ++part) {
          halves[q][part] =
              _mm256_add_epi16(halves[q][part], _mm256_maddubs_epi16(rows[part], query));
        }
      }
    }
    for (int q = 0; q < kCount; ++q) {
      for (int part = 0; part < kParts; ++part)
        sums[q][part] = _mm256_add_epi32(sums[q][part], _mm256_madd_epi16(halves[q][part], ones));
    }
  }
  unsigned above[kCount] = {}, any = 0;
  for (int q = 0; q < kCount; ++q) {
    const __m256i bound = _mm256_set1_epi32(queries.bounds[first + q]);
    for (int part = 0; part < kParts; ++part) {
      const __m256i exceeds = _mm256_cmpgt_epi32(sums[q][part], bound);
      above[q] |= static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(exceeds)))
                  << 8 * part;
    }
    any |= above[q];
  }
  if (any == 0) return 0;
  int64_t found = 0;
  for (int q = 0; q < kCount; ++q) {
    int32_t products[kRows];
    for (int part = 0; part < kParts; ++part)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(products + ptrdiff_t{8} * part),
                          sums[q][part]);
    found += Keep(above[q], products, first_row, first + q, hits + found);
  }
  return found;
}

using ScanBlock = int64_t (*)(const Quads*, const Queries&, int, int32_t, Hit*);

// Blocks ahead of the one that is multiplied: processors fetch none beyond a small page by
// themselves. Those behind the last are not read.
constexpr int kBlocksAhead = 4;

inline void Fetch(const Quads* quads, int count) {
  for (int i = 0; i < count; ++i) __builtin_prefetch(quads + i);
}

// by_count[n - 1] takes n queries at once. Groups are of nearly equal size.
inline int64_t ScanInGroups(std::span<const ScanBlock> by_count, const Quads* blocks,
                            int64_t block_count, const Queries& queries, Hit* hits) {
  const auto most = static_cast<int>(by_count.size());
  const int groups = (queries.count + most - 1) / most;
  int64_t found = 0;
  for (int64_t block = 0; block < block_count; ++block, blocks += queries.quads) {
    Fetch(blocks + ptrdiff_t{kBlocksAhead} * queries.quads, queries.quads);
    for (int group = 0; group < groups; ++group) {
      const int first = queries.count * group / groups;
      const int count = queries.count * (group + 1) / groups - first;
      found += by_count[count - 1](blocks, queries, first, static_cast<int32_t>(block * kRows),
                                   hits + found);
    }
  }
  return found;
}

int64_t ScanAvx2(const Quads* blocks, int64_t block_count, const Queries& queries, Hit* hits) {
  static constexpr ScanBlock kByCount[kGroupAvx2] = {BlockAvx2<1>, BlockAvx2<2>, BlockAvx2<3>,
                                                     BlockAvx2<4>, BlockAvx2<5>};
  return ScanInGroups(kByCount, blocks, block_count, queries, hits);
}
constexpr ByteKernels kAvx2 = {ScanAvx2};

int64_t ScanVnni(const Quads* blocks, int64_t block_count, const Queries& queries, Hit* hits) {
  static constexpr ScanBlock kByCount[kGroupVnni] = {BlockVnni<1>, BlockVnni<2>, BlockVnni<3>,
                                                     BlockVnni<4>, BlockVnni<5>, BlockVnni<6>,
                                                     BlockVnni<7>, BlockVnni<8>};
  return ScanInGroups(kByCount, blocks, block_count, queries, hits);
}
constexpr ByteKernels kAvx512Vnni = {ScanVnni};

// A tile has sixteen rows of 64 bytes. A block's quads are one as they are; sixteen queries are
// another, and the products of the two a third.
constexpr int kTileRows = 16;
constexpr int kTileQuads = 16;
constexpr int kTileQueries = 4 * kTileRows;  // at once: four tiles hold their products

struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

// Of at most kTileQueries queries, whose values stand in whole tiles. `products` is
// [kTileQueries][kRows].
ANTIPHON_AMX void MultiplyTiles(const Quads* block, const int8_t* values, int count, int quads,
                                int32_t* products) {
  constexpr int kProductStride = kRows * sizeof(int32_t);
  const int stride = quads * kQuad;
  const auto tile_of = [&](int group, int quad) {
    return values + ptrdiff_t{group} * kTileRows * stride + ptrdiff_t{quad} * kQuad;
  };
  const int groups = (count + kTileRows - 1) / kTileRows;
  _tile_zero(4);
  _tile_zero(5);
  _tile_zero(6);
  _tile_zero(7);
  for (int quad = 0; quad < quads; quad += kTileQuads) {
    _tile_loadd(0, block + quad, sizeof(Quads));
    _tile_loadd(1, tile_of(0, quad), stride);
    _tile_dpbsud(4, 1, 0);
    if (groups > 1) {
      _tile_loadd(2, tile_of(1, quad), stride);
      _tile_dpbsud(5, 2, 0);
    }
    if (groups > 2) {
      _tile_loadd(3, tile_of(2, quad), stride);
      _tile_dpbsud(6, 3, 0);
    }
    if (groups > 3) {
      _tile_loadd(1, tile_of(3, quad), stride);
      _tile_dpbsud(7, 1, 0);
    }
  }
  _tile_stored(4, products, kProductStride);
  if (groups > 1) _tile_stored(5, products + ptrdiff_t{1} * kTileRows * kRows, kProductStride);
  if (groups > 2) _tile_stored(6, products + ptrdiff_t{2} * kTileRows * kRows, kProductStride);
  if (groups > 3) _tile_stored(7, products + ptrdiff_t{3} * kTileRows * kRows, kProductStride);
}

ANTIPHON_AMX int64_t ScanAmx(const Quads* blocks, int64_t block_count, const Queries& queries,
                             Hit* hits) {
  // Whole tiles only, and not mostly empty ones.
  if (queries.quads % kTileQuads != 0 || queries.count < kTileRows / 2)
    return ScanVnni(blocks, block_count, queries, hits);
  const int64_t width = int64_t{queries.quads} * kQuad;
  const int padded = (queries.count + kTileRows - 1) / kTileRows * kTileRows;
  std::vector<int8_t> values(padded * width, 0);
  std::copy_n(queries.values, queries.count * width, values.begin());
  std::vector<int32_t> bounds(queries.count);  // of sums that begin at 0
  for (int q = 0; q < queries.count; ++q) {
    bounds[q] = static_cast<int32_t>(std::clamp<int64_t>(
        int64_t{queries.bounds[q]} - queries.starts[q], std::numeric_limits<int32_t>::min(),
        std::numeric_limits<int32_t>::max()));
  }
  // In assembly, so that the compiler knows that all of the configuration is read; the barrier is
  // for the values, which tiles are loaded from behind its back.
  const TileConfig config;
  asm volatile("ldtilecfg %0" ::"m"(config));
  asm volatile("" ::: "memory");
  alignas(64) int32_t products[kTileQueries * kRows];
  int64_t found = 0;
  for (int64_t block = 0; block < block_count; ++block, blocks += queries.quads) {
    for (int first = 0; first < queries.count; first += kTileQueries) {
      const int count = std::min(kTileQueries, queries.count - first);
      MultiplyTiles(blocks, values.data() + first * width, count, queries.quads, products);
      for (int q = 0; q < count; ++q) {
        const int32_t* of_query = products + ptrdiff_t{q} * kRows;
        unsigned above = _mm512_cmpgt_epi32_mask(_mm512_load_si512(of_query),
                                                 _mm512_set1_epi32(bounds[first + q]));
        for (; above != 0; above &= above - 1) {
          const int row = __builtin_ctz(above);
          hits[found++] = {static_cast<int32_t>(block * kRows + row), first + q,
                           of_query[row] + queries.starts[first + q]};
        }
      }
    }
  }
  _tile_release();
  return found;
}
constexpr ByteKernels kAmx = {ScanAmx};

// Whether the processor multiplies tiles, and the kernel lets this process do so.
bool MayUseTiles() {
  constexpr unsigned kTile = 1U << 24, kInt8 = 1U << 25;      // of the processor's features
  constexpr int kRequestPermission = 0x1023, kTileData = 18;  // of arch_prctl
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  if ((d & kTile) == 0 || (d & kInt8) == 0) return false;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

#endif

// Sums of terms over what AVX2 adds up in 16 bits: of each span the first halves of its quads, and
// the second halves.
template <typename Sum, typename Value, typename Term>
std::vector<std::array<Sum, 2>> SumHalves(std::span<const Value> query, Term term) {
  constexpr size_t kValues = size_t{ByteKernels::kSpanQuads} * kQuad;
  std::vector<std::array<Sum, 2>> sums((query.size() + kValues - 1) / kValues);
  for (size_t i = 0; i < query.size(); ++i) sums[i / kValues][i % kQuad / 2] += term(query[i]);
  return sums;
}

}  // namespace

int32_t ByteKernels::StartOf(std::span<const int8_t> query) {
  int32_t sum = 0;
  for (const int8_t value : query) sum += value;
  return -kZero * sum;
}

std::vector<int32_t> ByteKernels::SpanStartsOf(std::span<const int8_t> query) {
  std::vector<int32_t> starts;
  // Sums are taken modulo 2^16.
  for (const auto& [first, second] : SumHalves<uint16_t>(
           query, [](int8_t value) { return static_cast<uint16_t>(-kZero * value); })) {
    starts.push_back(static_cast<int32_t>(first | uint32_t{second} << 16));
  }
  return starts;
}

float ByteKernels::LargestOfSpans(std::span<const float> query) {
  float largest = 0;
  for (const auto& [first, second] :
       SumHalves<float>(query, [](float value) { return std::abs(value); }))
    largest = std::max({largest, first, second});
  return largest;
}

const ByteKernels* ByteKernels::ForInstructions(ByteInstructions instructions) {
#if defined(__x86_64__)
  __builtin_cpu_init();
#endif
  switch (instructions) {
    case ByteInstructions::kBaseline:
      return &kBaseline;
    case ByteInstructions::kAvx2:
#if defined(__x86_64__)
      if (__builtin_cpu_supports("avx2")) return &kAvx2;
#endif
      return nullptr;
    case ByteInstructions::kAvx512Vnni:
#if defined(__x86_64__)
      if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vnni"))
        return &kAvx512Vnni;
#endif
      return nullptr;
    case ByteInstructions::kAmx:
#if defined(__x86_64__)
      static const bool may = ForInstructions(ByteInstructions::kAvx512Vnni) && MayUseTiles();
      if (may) return &kAmx;
#endif
      return nullptr;
  }
  return nullptr;
}

const ByteKernels& ByteKernels::Fastest() {
  for (const ByteInstructions instructions :
       {ByteInstructions::kAmx, ByteInstructions::kAvx512Vnni, ByteInstructions::kAvx2}) {
    if (const ByteKernels* kernels = ForInstructions(instructions)) return *kernels;
  }
  return kBaseline;
}

}  // namespace antiphon::index
