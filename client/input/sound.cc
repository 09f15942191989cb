#include "client/input/sound.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace antiphon::client {
namespace {

constexpr char kThroughFfmpeg[] = "`ffmpeg -i FILE FILE.wav` makes one that is";

}  // namespace

absl::Status NotDecoded(const Input& input, const absl::Status& failure) {
  std::string message(failure.message());
  // Failures about a file name it already.
  if (!absl::StrContains(message, input.name)) message = absl::StrCat(input.name, ": ", message);
  if (absl::IsUnimplemented(failure)) {
    absl::StrAppend(&message, ", and this cannot be sent as a whole file: ", kThroughFfmpeg,
                    " decoded here too");
  }
  return absl::InvalidArgumentError(message);
}

std::vector<std::string> WarningsOf(const audio::DecodeReport& report) {
  std::vector<std::string> warnings = report.Warnings();
  if (report.missing_s > 0 && !warnings.empty())
    warnings.front() = absl::StrCat(warnings.front(), "; ", kThroughFfmpeg, " read to its end");
  return warnings;
}

}  // namespace antiphon::client
