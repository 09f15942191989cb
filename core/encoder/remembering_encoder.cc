#include "core/encoder/remembering_encoder.h"

#include <set>
#include <string_view>

#include "absl/status/status.h"
#include "core/base/status_macros.h"

namespace antiphon::encoder {

absl::StatusOr<std::vector<float>> RememberingEncoder::EncodeWhile(
    const std::function<absl::Status()>& keep_going, std::span<const uint8_t> windows) const {
  const size_t cells = size_t{1} * info().settings.window_frames * info().channels * info().bands;
  // The encoder says what is wrong with them.
  if (cells == 0 || windows.size() % cells != 0) return encoder_.EncodeWhile(keep_going, windows);
  const auto bytes =
      std::string_view(reinterpret_cast<const char*>(windows.data()), windows.size());
  std::vector<std::string_view> asked;
  for (size_t begin = 0; begin < bytes.size(); begin += cells)
    asked.push_back(bytes.substr(begin, cells));

  std::vector<std::string_view> unknown;
  std::vector<uint8_t> unknown_cells;
  {
    const absl::MutexLock lock(&mutex_);
    std::set<std::string_view> seen;
    for (const std::string_view window : asked) {
      if (embeddings_.contains(window) || !seen.insert(window).second) continue;
      unknown.push_back(window);
      unknown_cells.insert(unknown_cells.end(), window.begin(), window.end());
    }
  }
  const size_t dimension = info_.dimension;
  std::vector<float> rows;
  if (!unknown.empty()) {
    ASSIGN_OR_RETURN(rows, encoder_.EncodeWhile(keep_going, unknown_cells));
    if (rows.size() != unknown.size() * dimension)
      return absl::InternalError("the encoder gave another number of embeddings than of windows");
  }

  const absl::MutexLock lock(&mutex_);
  for (size_t i = 0; i < unknown.size(); ++i) {
    const auto row = rows.begin() + static_cast<int64_t>(i * dimension);
    embeddings_.emplace(unknown[i], std::vector<float>(row, row + static_cast<int64_t>(dimension)));
  }
  std::vector<float> result;
  result.reserve(asked.size() * dimension);
  for (const std::string_view window : asked) {
    const std::vector<float>& embedding = embeddings_.find(window)->second;
    result.insert(result.end(), embedding.begin(), embedding.end());
  }
  return result;
}

}  // namespace antiphon::encoder
