#include "trainer/base/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_format.h"

namespace antiphon::trainer {
namespace {

constexpr int kBarWidth = 30;
constexpr std::chrono::milliseconds kTerminalInterval(100);
constexpr std::chrono::seconds kPlainInterval(10);

bool OnTerminal() {
  static const bool terminal = isatty(STDERR_FILENO) != 0;
  return terminal;
}

}  // namespace

void Progress::Start(const std::string& label, int64_t total) {
  Finish();
  absl::MutexLock lock(&mutex_);
  label_ = label;
  total_ = total;
  done_ = 0;
  running_ = true;
  started_ = printed_ = Clock::now();
  Print(/*last=*/false);
}

void Progress::Advance(int64_t units) {
  absl::MutexLock lock(&mutex_);
  if (!running_) return;
  done_ += units;
  const auto interval = OnTerminal()
                            ? std::chrono::duration_cast<Clock::duration>(kTerminalInterval)
                            : std::chrono::duration_cast<Clock::duration>(kPlainInterval);
  if (Clock::now() - printed_ >= interval) Print(/*last=*/false);
}

void Progress::Finish() {
  absl::MutexLock lock(&mutex_);
  if (!running_) return;
  Print(/*last=*/true);
  running_ = false;
}

void Progress::Print(bool last) {
  printed_ = Clock::now();
  const double seconds = std::chrono::duration<double>(printed_ - started_).count();
  std::string line = absl::StrFormat("%s: %d", label_, done_);
  if (total_ > 0) absl::StrAppendFormat(&line, " of %d (%d %%)", total_, 100 * done_ / total_);
  absl::StrAppendFormat(&line, ", %.0f s", seconds);
  if (!last && total_ > 0 && done_ > 0) {
    absl::StrAppendFormat(&line, ", about %.0f s to go", seconds * (total_ - done_) / done_);
  }
  if (!OnTerminal()) {
    std::fprintf(stderr, "%s\n", line.c_str());
    return;
  }
  const int filled =
      total_ > 0 ? static_cast<int>(std::min<int64_t>(kBarWidth, kBarWidth * done_ / total_)) : 0;
  std::fprintf(stderr, "\r[%s%s] %s\033[K%s", std::string(filled, '#').c_str(),
               std::string(kBarWidth - filled, '.').c_str(), line.c_str(), last ? "\n" : "");
  std::fflush(stderr);
}

}  // namespace antiphon::trainer
