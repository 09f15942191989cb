// Sound as it is streamed to the server, from a file or from the standard input. Free of state.
#ifndef ANTIPHON_CLIENT_COMMANDS_STREAMS_H_
#define ANTIPHON_CLIENT_COMMANDS_STREAMS_H_

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "antiphon/v1/types.pb.h"
#include "client/input/input.h"

namespace antiphon::client {

// A file of sound. InvalidArgument where it cannot be read or is a score, for which `instead` says
// what to do; or where `length_s`, of the part to be streamed, is not above 0.
[[nodiscard]] absl::StatusOr<Input> OpenAudio(const std::string& file,
                                              std::optional<double> length_s,
                                              const std::string& instead, std::istream& in);

// Of raw samples, interleaved.
struct RawFormat {
  v1::Pcm::Encoding encoding = v1::Pcm::ENCODING_INT16;
  int sample_rate = 0;  // Hz
  int channels = 1;
};

// Reads raw samples as they come, `seconds` at a time, up to the end. InvalidArgument when it
// breaks off; else a failure of `send`, as it is.
[[nodiscard]] absl::Status StreamRaw(const RawFormat& format, double seconds, std::istream& in,
                                     const std::function<absl::Status(const std::string&)>& send);

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_COMMANDS_STREAMS_H_
