// A file or the standard input, and what kind of thing is in it. Plain values; safe from any
// thread.
#ifndef ANTIPHON_CLIENT_INPUT_INPUT_H_
#define ANTIPHON_CLIENT_INPUT_INPUT_H_

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace antiphon::client {

// The most that is read into memory at once.
inline constexpr int64_t kMaxInputBytes = int64_t{1} << 30;

struct Input {
  std::string name;   // as the user gave it; "standard input" for "-"
  std::string path;   // of a regular file; empty for a pipe or the standard input, read at once
  std::string bytes;  // all of it where `path` is empty, else the first few for Sniff
  int64_t size = 0;   // bytes, > 0
};

// "-" is `standard_input`. InvalidArgument, naming it and what to do, when it cannot be read, is
// empty or, as a stream, larger than kMaxInputBytes.
[[nodiscard]] absl::StatusOr<Input> OpenInput(const std::string& file,
                                              std::istream& standard_input);

// InvalidArgument when a part of an input (--length) is to last 0 seconds or less; a part that is
// left out has no end of its own.
[[nodiscard]] absl::Status CheckLength(std::optional<double> length_s);

// All of it. InvalidArgument when it cannot be read or is larger than kMaxInputBytes.
[[nodiscard]] absl::StatusOr<std::string> ReadAll(const Input& input);

enum class Kind { kAudio, kScore, kUnknown };

// By the first bytes (core/files/file_kind.h). Audio is audio whether or not it can be decoded
// here; kScore is a score of any kind that is read, and one that is not is kUnknown.
Kind Sniff(std::string_view bytes);

// Why an input that is not of the `wanted` kind (kUnknown: audio or a score) is of no use, and what
// to do about it. InvalidArgument.
[[nodiscard]] absl::Status NotWanted(const Input& input, Kind wanted);

// The last part of a path: "bach/prelude.mid" gives "prelude.mid".
std::string BaseName(const std::string& path);

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_INPUT_INPUT_H_
