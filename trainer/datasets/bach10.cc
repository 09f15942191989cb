#include "trainer/datasets/bach10.h"

#include <algorithm>
#include <filesystem>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"
#include "trainer/base/fingerprint.h"
#include "trainer/data/midi_files.h"

namespace antiphon::trainer::datasets {
namespace {

namespace fs = std::filesystem;

constexpr int kVoices = 4;
constexpr double kNote_s = 0.25;  // the alignment says where notes begin, not where they end

// What the files are called, by voice; the name of one is misspelled in the dataset.
constexpr const char* kEndings[] = {"", "-violin", "-clarinet", "-saxphone", "-bassoon"};

bool ParseLine(absl::string_view line, AlignedNote& note) {
  const std::vector<absl::string_view> cells =
      absl::StrSplit(line, absl::ByAnyChar("\t "), absl::SkipEmpty());
  int sound_ms = 0, score_ms = 0;
  if (cells.size() != 4 || !absl::SimpleAtoi(cells[0], &sound_ms) ||
      !absl::SimpleAtoi(cells[1], &score_ms) || !absl::SimpleAtoi(cells[2], &note.pitch) ||
      !absl::SimpleAtoi(cells[3], &note.voice)) {
    return false;
  }
  note.sound_s = sound_ms / 1000.0;
  note.score_s = score_ms / 1000.0;
  return note.sound_s >= 0 && note.score_s >= 0 && note.pitch >= 0 && note.pitch <= 127 &&
         note.voice >= 1 && note.voice <= kVoices;
}

}  // namespace

const std::vector<std::string>& Bach10Instruments() {
  static const auto* const instruments =
      new std::vector<std::string>{"mix", "violin", "clarinet", "saxophone", "bassoon"};
  return *instruments;
}

absl::StatusOr<std::vector<AlignedNote>> ParseAlignedNotes(std::string_view text) {
  std::vector<AlignedNote> notes;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(absl::string_view(text.data(), text.size()), '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty()) continue;
    AlignedNote note;
    if (!ParseLine(line, note)) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, " does not hold two times in ms, a pitch and a voice"));
    }
    notes.push_back(note);
  }
  std::stable_sort(notes.begin(), notes.end(), [](const AlignedNote& a, const AlignedNote& b) {
    return a.sound_s < b.sound_s;
  });
  return notes;
}

absl::StatusOr<std::vector<Bach10Piece>> ReadBach10(const std::string& folder) {
  ASSIGN_OR_RETURN(const std::vector<data::SourceFile> files, data::FilesBelow(folder, {".txt"}));
  std::vector<Bach10Piece> pieces;
  for (const data::SourceFile& file : files) {
    const fs::path stem = fs::path(file.path).replace_extension();
    std::error_code error;
    if (!fs::exists(stem.string() + ".flac", error)) continue;  // a text about something else
    Bach10Piece piece{file.name(), {}, {}};
    ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(file.path));
    ASSIGN_OR_RETURN(
        piece.notes, MapError(ParseAlignedNotes(text), [&file](const absl::Status& failure) {
          return absl::Status(failure.code(),
                              absl::StrCat(file.path.string(), ": ", failure.message()));
        }));
    for (int voice = 0; voice <= kVoices; ++voice) {
      const std::string path = absl::StrCat(stem.string(), kEndings[voice], ".flac");
      if (!fs::exists(path, error)) return absl::NotFoundError(absl::StrCat(path, " is not there"));
      piece.recordings.push_back({path, Bach10Instruments()[voice], voice});
    }
    pieces.push_back(std::move(piece));
  }
  if (pieces.empty()) {
    return absl::NotFoundError(
        absl::StrCat(folder, " has no recording with its notes (NAME.flac beside NAME.txt)"));
  }
  return pieces;
}

std::vector<music::Note> WrittenWithin(const std::vector<AlignedNote>& notes, int voice,
                                       double start_s, double length_s) {
  std::vector<music::Note> written;
  for (const AlignedNote& note : notes) {
    if (voice != 0 && note.voice != voice) continue;
    if (note.sound_s < start_s || note.sound_s >= start_s + length_s) continue;
    music::Note one;
    one.onset_s = note.score_s;
    one.offset_s = one.sounding_offset_s = note.score_s + kNote_s;
    one.pitch = note.pitch;
    one.track = note.voice - 1;
    written.push_back(one);
  }
  std::stable_sort(written.begin(), written.end(), [](const auto& a, const auto& b) {
    return a.onset_s != b.onset_s ? a.onset_s < b.onset_s : a.pitch < b.pitch;
  });
  const double first_s = written.empty() ? 0 : written.front().onset_s;
  for (music::Note& note : written) {
    note.onset_s -= first_s;
    note.offset_s -= first_s;
    note.sounding_offset_s -= first_s;
  }
  return written;
}

}  // namespace antiphon::trainer::datasets
