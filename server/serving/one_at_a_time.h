// What an operator may ask for one at a time: reload, merge, snapshot, restore. Header only; safe
// from any thread.
#ifndef ANTIPHON_SERVER_SERVING_ONE_AT_A_TIME_H_
#define ANTIPHON_SERVER_SERVING_ONE_AT_A_TIME_H_

#include <atomic>
#include <memory>

#include "absl/status/statusor.h"
#include "server/wire/status_map.h"

namespace antiphon::server {

class OneAtATime {
 public:
  // That it is somebody's turn, until this goes.
  struct End {
    void operator()(std::atomic<bool>* busy) const { *busy = false; }
  };
  using Turn = std::unique_ptr<std::atomic<bool>, End>;

  // Aborted, for the caller, while it is another's turn. The turn must end before this object goes.
  [[nodiscard]] absl::StatusOr<Turn> Enter() {
    if (!busy_.exchange(true)) return Turn(&busy_);
    return CallerError(
        absl::StatusCode::kAborted,
        "a reload, merge, snapshot or restore is under way; ask again when it is done");
  }

 private:
  std::atomic<bool> busy_ = false;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVING_ONE_AT_A_TIME_H_
