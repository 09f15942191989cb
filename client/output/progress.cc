#include "client/output/progress.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/output/format.h"
#include "client/output/table.h"

namespace antiphon::client {
namespace {

constexpr int kBar = 30;  // columns
constexpr int kLine = 78;
constexpr std::chrono::milliseconds kBetween(100);

}  // namespace

void Progress::Show(int64_t done, int64_t total, const std::string& text) {
  if (!visible_) return;
  const auto now = std::chrono::steady_clock::now();
  if (done != total && now - last_ < kBetween) return;
  last_ = now;
  std::string line;
  if (total > 0) {
    const auto filled = static_cast<size_t>(std::clamp<int64_t>(done * kBar / total, 0, kBar));
    line = absl::StrCat("[", std::string(filled, '#'), std::string(kBar - filled, '.'), "] ",
                        FormatCount(done), " of ", FormatCount(total), "  ");
  }
  line = Shorten(Printable(line + text), kLine);
  const int width = DisplayWidth(line);
  out_ << "\r" << line << std::string(std::max(0, drawn_ - width), ' ') << std::flush;
  drawn_ = width;
}

void Progress::Clear() {
  if (drawn_ > 0) out_ << "\r" << std::string(drawn_, ' ') << "\r" << std::flush;
  drawn_ = 0;
}

}  // namespace antiphon::client
