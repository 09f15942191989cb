#include "core/features/feature_sequence.h"

#include <algorithm>

namespace antiphon::features {

void FeatureSequence::CopyWindow(int64_t first, int count, uint8_t* out) const {
  const int64_t width = cells_per_frame();
  const int64_t begin = std::clamp<int64_t>(first, 0, frames());
  const int64_t end = std::clamp<int64_t>(first + count, begin, frames());
  std::fill_n(out, count * width, uint8_t{0});
  std::copy(cells.begin() + begin * width, cells.begin() + end * width, out + (begin - first) * (begin < end) * width);
}

bool FeatureSequence::IsEmptyWindow(int64_t first, int count) const {
  const int64_t width = cells_per_frame();
  const int64_t begin = std::clamp<int64_t>(first, 0, frames());
  const int64_t end = std::clamp<int64_t>(first + count, begin, frames());
  return std::all_of(cells.begin() + begin * width, cells.begin() + end * width,
                     [](uint8_t cell) { return cell == 0; });
}

}  // namespace antiphon::features
