#include "core/scores/read_score.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/abc/abc.h"
#include "core/base/status_macros.h"
#include "core/humdrum/humdrum.h"
#include "core/music/file_naming.h"
#include "core/musicxml/musicxml.h"

namespace antiphon::notation {
namespace {

bool IsZip(std::string_view bytes) { return bytes.starts_with("PK\x03\x04"); }

absl::StatusOr<WrittenScore> ReadOneTune(std::string_view bytes, const NotationLimits& limits) {
  ASSIGN_OR_RETURN(std::vector<WrittenScore> tunes, ReadAbc(bytes, limits));
  if (tunes.size() == 1) return std::move(tunes.front());
  return absl::InvalidArgumentError(
      absl::StrCat("the file has ", tunes.size(), " tunes, and a score is one of them"));
}

absl::StatusOr<WrittenScore> ReadWritten(ScoreFormat format, std::string_view bytes,
                                         const NotationLimits& limits) {
  switch (format) {
    case ScoreFormat::kMusicXml:
      return ReadMusicXml(bytes, limits);
    case ScoreFormat::kHumdrum:
      return ReadHumdrum(bytes, limits);
    case ScoreFormat::kAbc:
      return ReadOneTune(bytes, limits);
    case ScoreFormat::kMidi:
      break;
  }
  return absl::InternalError("MIDI isn't notation");
}

// Where a field X: begins a line, in order.
std::vector<size_t> StartsOfTunes(std::string_view text) {
  std::vector<size_t> starts;
  for (size_t i = text.find("X:"); i != std::string_view::npos; i = text.find("X:", i + 2)) {
    if (i == 0 || text[i - 1] == '\n' || text[i - 1] == '\r' ||
        (i == 3 && text.starts_with("\xEF\xBB\xBF"))) {
      starts.push_back(i);
    }
  }
  return starts;
}

// What of the number after "X:" can be in an id.
std::string NumberAt(std::string_view tune) {
  std::string number;
  constexpr size_t kLongest = 20;
  for (const char c : tune.substr(2, tune.find_first_of("\r\n%") - 2)) {
    const auto is_plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (is_plain && number.size() < kLongest) number += c;
  }
  return number;
}

// Whether a title is the last part of a path, with its ending, or without it and to the letter:
// "Air" is what air.abc is called.
bool IsNameOfFile(absl::string_view title, std::string_view path) {
  const std::filesystem::path file(path);
  return title == file.stem().string() ||
         (file.has_extension() && absl::EqualsIgnoreCase(title, file.filename().string()));
}

}  // namespace

std::string_view NameOf(ScoreFormat format) {
  switch (format) {
    case ScoreFormat::kMidi:
      return "MIDI";
    case ScoreFormat::kMusicXml:
      return "MusicXML";
    case ScoreFormat::kHumdrum:
      return "Humdrum";
    case ScoreFormat::kAbc:
      return "ABC";
  }
  return "";
}

std::string_view EndingOf(ScoreFormat format, std::string_view bytes) {
  switch (format) {
    case ScoreFormat::kMidi:
      return bytes.starts_with("RIFF") ? ".rmi" : ".mid";
    case ScoreFormat::kMusicXml:
      return IsZip(bytes) ? ".mxl" : ".musicxml";
    case ScoreFormat::kHumdrum:
      return ".krn";
    case ScoreFormat::kAbc:
      return ".abc";
  }
  return "";
}

const std::vector<std::string>& ScoreEndings() {
  static const auto* endings =
      new std::vector<std::string>{".mid",      ".midi", ".kar", ".rmi",  ".rmid", ".smf",
                                   ".musicxml", ".mxl",  ".krn", ".kern", ".abc"};
  return *endings;
}

std::optional<ScoreFormat> FormatOf(std::string_view head) {
  // Text first: MIDI may stand behind other bytes, so that its mark within a text is no mark.
  if (head.starts_with("MThd")) return ScoreFormat::kMidi;
  if (LooksLikeMusicXml(head)) return ScoreFormat::kMusicXml;
  if (LooksLikeHumdrum(head)) return ScoreFormat::kHumdrum;
  if (LooksLikeAbc(head)) return ScoreFormat::kAbc;
  if (music::LooksLikeMidi(head)) return ScoreFormat::kMidi;
  return std::nullopt;
}

absl::StatusOr<music::Score> ReadScore(std::string_view bytes, const ScoreLimits& limits,
                                       const PlayOptions& options) {
  std::optional<ScoreFormat> format = FormatOf(bytes);
  // A container may begin with anything; its reader says what is missing.
  if (!format && IsZip(bytes)) format = ScoreFormat::kMusicXml;
  if (!format) {
    return absl::InvalidArgumentError(
        "not a score of a known kind: neither a Standard MIDI File (it does not begin with MThd) "
        "nor MusicXML, Humdrum **kern or ABC");
  }
  if (*format == ScoreFormat::kMidi) return music::ReadMidi(bytes, limits.midi);
  ASSIGN_OR_RETURN(const WrittenScore written, ReadWritten(*format, bytes, limits.notation));
  return MapError(Play(written, options, limits.notation), [](const absl::Status& failure) {
    if (!absl::IsInternal(failure)) return failure;
    // One file that a reader gets wrong shall not end what goes over thousands.
    return absl::InvalidArgumentError(absl::StrCat(
        "the score cannot be played, which is a fault of its reader: ", failure.message()));
  });
}

absl::StatusOr<music::Score> ReadScoreFile(const std::string& path, const ScoreLimits& limits,
                                           const PlayOptions& options) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    return absl::NotFoundError(absl::StrCat(path, ": no such file"));
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  const int64_t max_bytes = std::max(limits.midi.max_bytes, limits.notation.max_bytes);
  if (!error && size > static_cast<std::uintmax_t>(max_bytes)) {
    return absl::ResourceExhaustedError(
        absl::StrCat(path, ": file has more than ", max_bytes, " bytes"));
  }
  std::ifstream file(path, std::ios::binary);
  std::string bytes(error ? 0 : static_cast<size_t>(size), '\0');
  if (error || !file.read(bytes.data(), static_cast<std::streamsize>(bytes.size())))
    return absl::UnavailableError(absl::StrCat(path, ": cannot be read"));
  return MapError(ReadScore(bytes, limits, options), [&path](const absl::Status& failure) {
    return absl::Status(failure.code(), absl::StrCat(path, ": ", failure.message()));
  });
}

std::vector<Tune> TunesOf(std::string_view bytes) {
  if (FormatOf(bytes) != ScoreFormat::kAbc) return {};
  const std::vector<size_t> starts = StartsOfTunes(bytes);
  if (starts.size() < 2) return {};
  const std::string_view header = bytes.substr(0, starts.front());
  std::map<std::string, int> used;
  std::vector<Tune> tunes;
  for (size_t i = 0; i < starts.size(); ++i) {
    const size_t end = i + 1 < starts.size() ? starts[i + 1] : bytes.size();
    const std::string_view tune = bytes.substr(starts[i], end - starts[i]);
    std::string number = NumberAt(tune);
    if (number.empty()) number = absl::StrCat(i + 1);
    for (int again = ++used[number]; again > 1; again = ++used[number])
      number = absl::StrCat(number, "-", again);
    tunes.push_back({std::move(number), std::string(header).append(tune)});
  }
  return tunes;
}

std::vector<FiledScore> PiecesOf(const std::string& id, std::string bytes) {
  std::vector<FiledScore> pieces;
  for (Tune& tune : TunesOf(bytes)) {
    const std::string tune_id = absl::StrCat(id, ".", tune.number);
    pieces.push_back({tune_id, std::move(tune.number), std::move(tune.bytes)});
  }
  if (pieces.empty()) pieces.push_back({id, "", std::move(bytes)});
  return pieces;
}

std::string TitleOf(const music::Score& score, std::string_view path) {
  if (score.title.empty() || IsNameOfFile(score.title, path)) return music::TitleOfPath(path);
  if (score.opus.empty() || score.title.find(score.opus) != std::string::npos) return score.title;
  return absl::StrCat(score.title, ", ", score.opus);
}

}  // namespace antiphon::notation
