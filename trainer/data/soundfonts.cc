#include "trainer/data/soundfonts.h"

#include <filesystem>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/bundle/bundle.h"

namespace antiphon::trainer::data {

absl::Status CheckTrainingSoundfont(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path resolved = fs::canonical(path, error);
  if (error || !fs::is_regular_file(resolved))
    return absl::NotFoundError(absl::StrCat("no soundfont at ", path));
  const absl::Status refused = absl::FailedPreconditionError(absl::StrCat(
      path, " is the evaluation soundfont: training on it would make every figure worthless"));
  // The package has it in several resolutions, all of this name.
  if (absl::StrContains(absl::AsciiStrToLower(resolved.filename().string()), "musescore_general"))
    return refused;
  if (fs::exists(kEvaluationSoundfont) &&
      fs::file_size(kEvaluationSoundfont, error) == fs::file_size(resolved)) {
    const absl::StatusOr<std::string> own = bundle::Sha256File(resolved);
    const absl::StatusOr<std::string> reserved = bundle::Sha256File(kEvaluationSoundfont);
    if (own.ok() && reserved.ok() && *own == *reserved) return refused;
  }
  return absl::OkStatus();
}

}  // namespace antiphon::trainer::data
