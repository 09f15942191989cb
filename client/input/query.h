// From an input to what is sent: a whole file, a part of it, or something smaller where the file is
// too large. Stateless; safe from any thread.
#ifndef ANTIPHON_CLIENT_INPUT_QUERY_H_
#define ANTIPHON_CLIENT_INPUT_QUERY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "antiphon/v1/types.pb.h"
#include "client/input/input.h"

namespace antiphon::client {

// A server's limit on a request where it does not say.
inline constexpr int64_t kUsualMaxBytes = 32 << 20;

// What a request holds besides a file, generously.
inline constexpr int64_t kMessageOverheadBytes = 64 << 10;

struct QueryOptions {
  Kind as = Kind::kUnknown;  // kUnknown: as Sniff says
  // The part to send: from `start_s` seconds on (of a score, at the tempo written), for `length_s`
  // seconds, > 0. Left out: from the beginning, to the end.
  std::optional<double> start_s;
  std::optional<double> length_s;
  int64_t max_bytes = kUsualMaxBytes;  // the server's limit on a request
  bool takes_excerpt = true;           // the request can name a part of a whole file
};

struct Query {
  std::string name;                    // of the input
  double offset_s = 0;                 // where in the input the query starts
  std::optional<v1::Excerpt> excerpt;  // of `content`; its times are those of the input
  std::variant<v1::Audio, v1::Score> content;
  // What of the input could not be decoded here, for people.
  std::vector<std::string> warnings;

  bool is_audio() const { return content.index() == 0; }
};

// A part of a recording is decoded here and sent as 16-bit mono samples, or of formats that only
// the server decodes, or decodes better (core/audio/plain_decoder.h), as an excerpt of the whole
// file. A whole file larger than the limit is decoded here too, and sent as FLAC where the samples
// are too large as well, and as Ogg Vorbis where that is. InvalidArgument says what is wrong with
// the input (unknown kind, damaged, part beyond the end, too large in every form) and what to do.
[[nodiscard]] absl::StatusOr<Query> MakeQuery(const Input& input, const QueryOptions& options);

// What is sent to be kept: the file itself, or a recording that is larger than the limit as FLAC or
// Ogg Vorbis at the rate of queries; `warnings`, unless null, as in Query. InvalidArgument says
// what is wrong with the input.
[[nodiscard]] absl::StatusOr<std::string> MakeAudioFile(
    const Input& input, int64_t max_bytes, std::vector<std::string>* warnings = nullptr);
[[nodiscard]] absl::StatusOr<std::string> MakeScoreFile(const Input& input, int64_t max_bytes);

// InvalidArgument where `file`, which is all of the input, has several tunes and one is wanted.
[[nodiscard]] absl::Status CheckOneTune(const Input& input, std::string_view file);

// A score file as it is sent: MIDI in the field that every server knows.
v1::Score ToScore(std::string file);

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_INPUT_QUERY_H_
