// A bar that shows how far something has come, on one line of a terminal. Used by one thread.
#ifndef ANTIPHON_CLIENT_OUTPUT_PROGRESS_H_
#define ANTIPHON_CLIENT_OUTPUT_PROGRESS_H_

#include <chrono>
#include <cstdint>
#include <ostream>
#include <string>

namespace antiphon::client {

class Progress {
 public:
  // Draws on `out`, which is borrowed; nothing at all unless `visible`.
  Progress(std::ostream& out, bool visible) : out_(out), visible_(visible) {}
  ~Progress() { Clear(); }

  // "[#####.....] 512 of 1,024  …": at most ten times a second, and at the end. `total` 0 is not
  // known.
  void Show(int64_t done, int64_t total, const std::string& text);

  // Takes the bar away, so that something else can be written.
  void Clear();

 private:
  std::ostream& out_;
  const bool visible_;
  int drawn_ = 0;  // columns
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_OUTPUT_PROGRESS_H_
