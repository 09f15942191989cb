// Runs the stages of one request under its RequestContext: asks whether to go on, takes the time.
// Belongs to one thread and borrows the context.
#ifndef ANTIPHON_CORE_MATCHING_STAGE_TIMER_H_
#define ANTIPHON_CORE_MATCHING_STAGE_TIMER_H_

#include <array>
#include <chrono>
#include <optional>

#include "absl/status/status.h"
#include "core/base/status_macros.h"
#include "core/matching/request.h"

namespace antiphon::matching {

class StageTimer {
 public:
  explicit StageTimer(const RequestContext& context) : context_(context) {}

  // Reports the stages that were begun, each once with the sum of its times, whatever became of the
  // request.
  ~StageTimer() {
    if (!context_.on_stage) return;
    for (size_t i = 0; i < seconds_.size(); ++i) {
      if (seconds_[i]) context_.on_stage(static_cast<Stage>(i), *seconds_[i]);
    }
  }
  StageTimer(const StageTimer&) = delete;
  StageTimer& operator=(const StageTimer&) = delete;

  [[nodiscard]] absl::Status KeepGoing() const {
    return context_.keep_going ? context_.keep_going() : absl::OkStatus();
  }

  // `work` returns a Status or a StatusOr; so does this, with keep_going's failure in place of the
  // work.
  template <typename Work>
  auto Run(Stage stage, Work work) -> decltype(work()) {
    RETURN_IF_ERROR(KeepGoing());
    std::optional<double>& seconds = seconds_[static_cast<size_t>(stage)];
    const auto start = std::chrono::steady_clock::now();
    auto result = work();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    seconds = seconds.value_or(0) + taken.count();
    return result;
  }

 private:
  const RequestContext& context_;
  std::array<std::optional<double>, 4> seconds_;  // by Stage
};

}  // namespace antiphon::matching

#endif  // ANTIPHON_CORE_MATCHING_STAGE_TIMER_H_
