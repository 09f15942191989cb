#include "client/commands/streams.h"

#include <algorithm>
#include <cstdint>
#include <istream>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/files/file_kind.h"

namespace antiphon::client {

absl::StatusOr<Input> OpenAudio(const std::string& file, std::optional<double> length_s,
                                const std::string& instead, std::istream& in) {
  RETURN_IF_ERROR(CheckLength(length_s));
  ASSIGN_OR_RETURN(Input input, OpenInput(file, in));
  switch (files::TypeOf(input.bytes).kind) {
    case files::FileKind::kMidi:
      return absl::InvalidArgumentError(absl::StrCat(input.name, " is a MIDI file: ", instead));
    case files::FileKind::kNotation:
      return absl::InvalidArgumentError(absl::StrCat(input.name, " is a score: ", instead));
    case files::FileKind::kUnreadScore:
    case files::FileKind::kOther:
      return NotWanted(input, Kind::kAudio);
    case files::FileKind::kAudio:
    case files::FileKind::kUnknown:
      break;  // the decoder says what it is
  }
  return input;
}

absl::Status StreamRaw(const RawFormat& format, double seconds, std::istream& in,
                       const std::function<absl::Status(const std::string&)>& send) {
  const int64_t sample_bytes =
      format.encoding == v1::Pcm::ENCODING_FLOAT32 ? sizeof(float) : sizeof(int16_t);
  const int64_t frame_bytes = sample_bytes * std::clamp(format.channels, 1, 1000);
  const auto frames =
      static_cast<int64_t>(std::clamp(format.sample_rate, 1000, 1'000'000) * seconds);
  std::string samples;
  while (in) {
    samples.resize(frames * frame_bytes);
    in.read(samples.data(), static_cast<std::streamsize>(samples.size()));
    samples.resize(static_cast<size_t>(in.gcount()));
    if (samples.empty()) break;
    RETURN_IF_ERROR(send(samples));
  }
  if (in.bad()) return absl::InvalidArgumentError("cannot read standard input: it broke off");
  return absl::OkStatus();
}

}  // namespace antiphon::client
