#include "core/abc/abc_dynamics.h"

#include <utility>

namespace antiphon::notation {

void AbcDynamics::Add(const AbcDynamic& dynamic, Ticks at) {
  switch (dynamic.kind) {
    case AbcDynamic::Kind::kMark:
      if (marks_.size() < most_) marks_.push_back({at, dynamic.velocity});
      return;
    case AbcDynamic::Kind::kHairpin:
      if (open_) Close(at);
      // Also one whose end stands before the same note: two hairpins meet where it begins.
      ends_with_note_ = false;
      open_ = Hairpin{at, at, dynamic.grows};
      return;
    case AbcDynamic::Kind::kHairpinEnd:
      if (!open_ || open_->grows != dynamic.grows) return;
      Close(at);
      ends_with_note_ = true;
      return;
  }
}

void AbcDynamics::Close(Ticks at) {
  open_->to = at;
  if (hairpins_.size() < most_) hairpins_.push_back(*open_);
  open_.reset();
}

void AbcDynamics::EndNote(Ticks end) {
  if (ends_with_note_ && !hairpins_.empty()) hairpins_.back().to = end;
  ends_with_note_ = false;
}

Loudness AbcDynamics::Take() && { return Loudness(std::move(marks_), std::move(hairpins_)); }

}  // namespace antiphon::notation
