// Which soundfont is for measuring and must never be trained on. Stateless; safe from any thread.
#ifndef ANTIPHON_TRAINER_DATA_SOUNDFONTS_H_
#define ANTIPHON_TRAINER_DATA_SOUNDFONTS_H_

#include <string>

#include "absl/status/status.h"

namespace antiphon::trainer::data {

// Of Debian's musescore-general-soundfont; what the evaluation suites render with.
inline constexpr char kEvaluationSoundfont[] = "/usr/share/sounds/sf3/MuseScore_General.sf3";

// FailedPrecondition when `path` is the evaluation soundfont under whatever name or link (by its
// resolved file name, or by its contents), NotFound when there is no such file.
[[nodiscard]] absl::Status CheckTrainingSoundfont(const std::string& path);

}  // namespace antiphon::trainer::data

#endif  // ANTIPHON_TRAINER_DATA_SOUNDFONTS_H_
