// What a piece, a recording and a run must fulfil, whether they come from a caller or from a file.
// InvalidArgument says which field is wrong. Free of state.
#ifndef ANTIPHON_CORE_CATALOG_CHECKS_H_
#define ANTIPHON_CORE_CATALOG_CHECKS_H_

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "core/catalog/catalog.h"

namespace antiphon::catalog {

inline constexpr size_t kMaxIdBytes = 200;
inline constexpr size_t kMaxTextBytes = 4000;       // of a title or a composer
inline constexpr size_t kMaxCollectionBytes = 200;  // of the name of a collection
inline constexpr size_t kMaxWorkIdBytes = 200;
inline constexpr size_t kMaxBlobBytes = 1u << 30;    // of a MIDI file or of sound
inline constexpr int kMostPart = 65'535;             // position of a part
inline constexpr int64_t kMaxSources = 100'000'000;  // pieces or recordings; positions are int

// A number that a file has for a part; one out of range becomes one that CheckRun refuses.
inline int PartFrom(int64_t number) {
  return static_cast<int>(std::clamp<int64_t>(number, kWhole - 1, kMostPart + 1));
}

// Well-formed UTF-8 (RFC 3629) without NUL.
bool IsText(std::string_view text);

[[nodiscard]] absl::Status CheckPiece(const Piece& piece);
[[nodiscard]] absl::Status CheckRecording(const Recording& recording);

// The run that follows `next_vector` vectors of its side, which has `sources` pieces or recordings.
[[nodiscard]] absl::Status CheckRun(const SnippetRun& run, int64_t next_vector, size_t sources);

}  // namespace antiphon::catalog

#endif  // ANTIPHON_CORE_CATALOG_CHECKS_H_
