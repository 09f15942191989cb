#include "trainer/datasets/violin_recordings.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/audio/sound_format.h"
#include "core/base/status_macros.h"
#include "trainer/data/midi_files.h"

namespace antiphon::trainer::datasets {

absl::StatusOr<std::vector<ViolinRecording>> ReadViolinRecordings(const std::string& folder) {
  ASSIGN_OR_RETURN(const std::vector<data::SourceFile> files,
                   data::FilesBelow(folder, audio::SoundFileEndings()));
  std::vector<ViolinRecording> recordings;
  for (const data::SourceFile& file : files) {
    ViolinRecording recording{file.path.string(), file.name(), ""};
    const size_t last = recording.name.rfind('_');
    const size_t before = last == std::string::npos || last == 0
                              ? std::string::npos
                              : recording.name.rfind('_', last - 1);
    if (before == std::string::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat(file.path.string(), " is not called player_work_movement"));
    }
    recording.movement = recording.name.substr(before + 1);
    recordings.push_back(std::move(recording));
  }
  if (recordings.empty()) return absl::NotFoundError(absl::StrCat(folder, " has no recording"));
  return recordings;
}

bool HoldsMovement(std::string_view score, std::string_view movement) {
  if (score == movement || score == movement.substr(0, movement.rfind('_'))) return true;
  return score.starts_with(movement) && score[movement.size()] == '_';
}

}  // namespace antiphon::trainer::datasets
