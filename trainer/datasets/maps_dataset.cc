#include "trainer/datasets/maps_dataset.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"
#include "core/scores/read_score.h"
#include "trainer/data/midi_files.h"
#include "trainer/metrics/note_match.h"

namespace antiphon::trainer::datasets {

std::string PieceOfMapsName(std::string_view name) {
  return std::string(name.substr(0, name.rfind('_')));
}

absl::StatusOr<MapsTestBed> MakeMapsTestBed(const std::string& recordings_dir,
                                            const std::string& midi_dir) {
  MapsTestBed bed;
  ASSIGN_OR_RETURN(bed.entries, ReadEntries(midi_dir));
  std::map<std::string, int> place;
  for (size_t i = 0; i < bed.entries.size(); ++i) place[bed.entries[i].id] = static_cast<int>(i);
  ASSIGN_OR_RETURN(const std::vector<data::SourceFile> files,
                   data::FilesBelow(recordings_dir, {".flac", ".wav"}));
  for (const data::SourceFile& file : files) {
    TestRecording recording{file.name(), file.path.string(), -1};
    const auto piece = place.find(PieceOfMapsName(recording.name));
    if (piece != place.end()) recording.work = piece->second;
    (piece != place.end() ? bed.recordings : bed.unknown).push_back(std::move(recording));
  }
  if (bed.recordings.empty()) {
    return absl::NotFoundError(
        absl::StrCat(recordings_dir, " has no recording of a piece below ", midi_dir));
  }
  return bed;
}

absl::StatusOr<std::vector<music::Note>> ParseNoteList(std::string_view text) {
  std::vector<music::Note> notes;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(absl::string_view(text.data(), text.size()), '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line[0] == '#') continue;
    double values[4] = {};
    int count = 0;
    for (const absl::string_view cell :
         absl::StrSplit(line, absl::ByAnyChar(",\t "), absl::SkipEmpty())) {
      if (count == 4 || !absl::SimpleAtod(cell, &values[count]) || !std::isfinite(values[count])) {
        count = 0;
        break;
      }
      ++count;
    }
    if (count < 4)
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, " does not hold four numbers"));
    music::Note note;
    note.onset_s = values[0];
    note.offset_s = note.sounding_offset_s = values[1];
    note.pitch = static_cast<int>(values[2]);
    note.velocity = static_cast<int>(values[3]);
    notes.push_back(note);
  }
  std::sort(notes.begin(), notes.end(), [](const music::Note& a, const music::Note& b) {
    return a.onset_s != b.onset_s ? a.onset_s < b.onset_s : a.pitch < b.pitch;
  });
  return notes;
}

double NoteLikeness(const std::vector<music::Note>& a, const std::vector<music::Note>& b) {
  if (a.empty() || b.empty()) return 0;
  const double a_s = a.back().onset_s - a.front().onset_s,
               b_s = b.back().onset_s - b.front().onset_s;
  const double stretch = a_s > 0 && b_s > 0 ? a_s / b_s : 1;
  std::vector<metrics::Onset> truth, found;
  for (const music::Note& note : a) truth.push_back({note.onset_s - a.front().onset_s, note.pitch});
  for (const music::Note& note : b)
    found.push_back({(note.onset_s - b.front().onset_s) * stretch, note.pitch});
  return metrics::MatchOnsets(std::move(truth), std::move(found), 0.1).f1();
}

absl::StatusOr<NearestScore> FindNearestScore(const std::vector<music::Note>& notes,
                                              const std::vector<CollectionEntry>& entries) {
  NearestScore nearest;
  for (size_t i = 0; i < entries.size(); ++i) {
    ASSIGN_OR_RETURN(const music::Score score, notation::ReadScore(entries[i].midi));
    const double likeness = NoteLikeness(notes, score.notes);
    if (likeness > nearest.likeness) {
      nearest = {static_cast<int>(i), likeness, nearest.entry, nearest.likeness};
    } else if (likeness > nearest.next_likeness) {
      nearest.next = static_cast<int>(i);
      nearest.next_likeness = likeness;
    }
  }
  return nearest;
}

}  // namespace antiphon::trainer::datasets
