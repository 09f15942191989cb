#include "core/humdrum/humdrum_timeline.h"

#include <algorithm>
#include <type_traits>
#include <utility>

namespace antiphon::notation {
namespace {

// Of several at one place the first one given counts: spines say the same thing one after another.
template <typename Value>
void AddOnce(Value value, Ticks at, std::vector<Written<Value>>* changes) {
  if (changes->empty() || changes->back().at < at) changes->push_back({at, std::move(value)});
}

}  // namespace

void HumdrumTimeline::AddGap() {
  if (!pending_.empty() && !std::holds_alternative<Gap>(pending_.back())) {
    pending_.emplace_back(Gap{});
  }
}

bool HumdrumTimeline::bar_pending() const {
  return std::any_of(pending_.begin(), pending_.end(),
                     [](const Event& event) { return std::holds_alternative<BarLine>(event); });
}

void HumdrumTimeline::Advance(Ticks time) {
  size_t last_gap = 0;  // events before it are earlier than `time`
  for (size_t i = 0; i < pending_.size(); ++i) {
    if (std::holds_alternative<Gap>(pending_[i])) last_gap = i;
  }
  for (size_t i = 0; i < pending_.size(); ++i) {
    Ticks at = time;
    if (i < last_gap) {
      const bool bar = std::holds_alternative<BarLine>(pending_[i]);
      at = std::clamp(bar ? NextBarByMetre() : last_bar_, now_, time);
    }
    now_ = at;
    Place(std::move(pending_[i]), at);
  }
  pending_.clear();
  now_ = time;
}

void HumdrumTimeline::Place(Event event, Ticks at) {
  std::visit(
      [&](auto& value) {
        using Type = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Type, BarLine>) {
          form_.bars.push_back({at, std::move(value)});
          last_bar_ = at;
        } else if constexpr (std::is_same_v<Type, Section>) {
          form_.sections.push_back({at, std::move(value.name)});
        } else if constexpr (std::is_same_v<Type, Metre>) {
          AddOnce(value, at, &metres_);
          const Metre& metre = metres_.back().value;
          bar_length_ = 4 * kTicksPerQuarter * metre.numerator / metre.denominator;
        } else if constexpr (std::is_same_v<Type, Key>) {
          // A signature and the mode that follows it are one; the last has both.
          if (!keys_.empty() && keys_.back().at == at) keys_.pop_back();
          keys_.push_back({at, value});
        } else if constexpr (std::is_same_v<Type, double>) {
          AddOnce(value, at, &tempi_);
        }
      },
      event);
}

}  // namespace antiphon::notation
