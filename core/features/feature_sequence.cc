#include "core/features/feature_sequence.h"

#include <algorithm>

namespace antiphon::features {

namespace {

// The part of [first, first + count) that lies in [0, frames). `first` is far from the ends of
// int64_t after that.
struct Overlap {
  Overlap(int64_t first_frame, int count, int64_t frames)
      : first(std::clamp<int64_t>(first_frame, -int64_t{count}, frames)),
        begin(std::clamp<int64_t>(first, 0, frames)),
        end(std::clamp<int64_t>(first + count, begin, frames)) {}
  int64_t first, begin, end;
};

}  // namespace

void FeatureSequence::CopyWindow(int64_t first, int count, uint8_t* out) const {
  const int64_t width = cells_per_frame();
  const Overlap part(first, count, frames());
  std::fill_n(out, count * width, uint8_t{0});
  if (part.begin == part.end) return;
  std::copy(cells.begin() + part.begin * width, cells.begin() + part.end * width,
            out + (part.begin - part.first) * width);
}

bool FeatureSequence::IsEmptyWindow(int64_t first, int count) const {
  const int64_t width = cells_per_frame();
  const Overlap part(first, count, frames());
  return std::all_of(cells.begin() + part.begin * width, cells.begin() + part.end * width,
                     [](uint8_t cell) { return cell == 0; });
}

}  // namespace antiphon::features
