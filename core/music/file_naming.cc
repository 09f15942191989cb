#include "core/music/file_naming.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "core/base/unicode.h"
#include "core/music/midi_text.h"

namespace antiphon::music {
namespace {

namespace fs = std::filesystem;

constexpr double kMostUpbeat = 64;  // quarter notes

std::optional<double> ParseUpbeat(const std::string& cell) {
  double upbeat = 0;
  const bool in_range = absl::SimpleAtod(cell, &upbeat) && upbeat >= 0 && upbeat <= kMostUpbeat;
  return in_range ? std::optional(upbeat) : std::nullopt;
}

std::string WithSpaces(const std::string& name) { return absl::StrReplaceAll(name, {{"_", " "}}); }

constexpr int kMidiEndings = 0, kMusicXmlEndings = 1, kHumdrumEndings = 2, kAbcEndings = 3;

// What the name of a score promises.
int FormatByEnding(const std::string& path) {
  const std::string ending = absl::AsciiStrToLower(fs::path(path).extension().string());
  if (ending == ".musicxml" || ending == ".mxl" || ending == ".xml") return kMusicXmlEndings;
  if (ending == ".krn" || ending == ".kern") return kHumdrumEndings;
  return ending == ".abc" ? kAbcEndings : kMidiEndings;
}

// Of files of music, of every program that names its exports after its files.
constexpr std::array kFileEndings = std::to_array<std::string_view>(
    {".mid", ".midi", ".kar",  ".rmi", ".rmid", ".smf",   ".xml",  ".musicxml", ".mxl",
     ".mei", ".krn",  ".kern", ".abc", ".mus",  ".musx",  ".mscz", ".mscx",     ".sib",
     ".cpr", ".wrk",  ".cwp",  ".ly",  ".nwc",  ".enc",   ".capx", ".gp3",      ".gp4",
     ".gp5", ".gpx",  ".pdf",  ".mp3", ".wav",  ".dorico"});

// Lower case, as far as that is ASCII.
constexpr std::array kPlaceholders = std::to_array<std::string_view>({
    "my song",          "new score",      "new song",      "newsong",
    "no name",          "no title",       "noname",        "notitle",
    "ohne titel",       "sans titre",     "senza titolo",  "sin titulo",
    "sin título",       "song name",      "song title",    "title",
    "unbenannt",        "unknown",        "unnamed",       "untitled",
    "untitled project", "untitled score", "untitled song", "without title",
    "your song title",  "без имени",      "Без имени",     "без названия",
    "Без названия",     "無題",           "無題のスコア",
});

}  // namespace

absl::StatusOr<Metadata> ParseMetadata(std::string_view text) {
  Metadata metadata;
  std::istringstream lines{std::string(text)};
  std::string line;
  std::vector<std::string> columns;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (number == 1 && line.starts_with("\xef\xbb\xbf")) line.erase(0, 3);  // byte order mark
    if (line.empty()) continue;
    std::vector<std::string> cells = absl::StrSplit(line, '\t');
    if (columns.empty()) {
      columns = std::move(cells);
      if (std::find(columns.begin(), columns.end(), "file") == columns.end()) {
        return absl::InvalidArgumentError(
            "line 1: the columns must be named, and one of them be 'file'");
      }
      continue;
    }
    if (cells.size() > columns.size()) {
      return absl::InvalidArgumentError(absl::StrCat("line ", number, " has ", cells.size(),
                                                     " columns, the first line ", columns.size()));
    }
    std::string file;
    FileMetadata entry;
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string cell = CleanMidiText(cells[i]);
      if (columns[i] == "file") file = CleanName(cell);
      if (columns[i] == "id") entry.id = cell;
      if (columns[i] == "title") entry.title = cell;
      if (columns[i] == "composer") entry.composer = cell;
      if (columns[i] == "piece_id") entry.piece_id = cell;
      if (columns[i] == "collection") entry.collection = cell;
      if (columns[i] == "work_id") entry.work_id = cell;
      if (columns[i] != "upbeat" || cell.empty()) continue;
      entry.upbeat = ParseUpbeat(cell);
      if (!entry.upbeat) {
        return absl::InvalidArgumentError(
            absl::StrCat("line ", number, ": the upbeat \"", cell,
                         "\" is no number of quarter notes from 0 to ", kMostUpbeat));
      }
    }
    if (!metadata.emplace(file, std::move(entry)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, " is a second one about '", file, "'"));
    }
  }
  return metadata;
}

std::string CleanName(std::string_view name) {
  std::string clean = ToNfc(CleanMidiText(name));
  while (clean.starts_with("./")) clean.erase(0, 2);
  return clean;
}

FileMetadata MetadataOf(const Metadata& metadata, std::string_view relative_path) {
  const auto found = metadata.find(ToNfc(relative_path));
  return found == metadata.end() ? FileMetadata() : found->second;
}

std::vector<std::string> RowsWithoutFile(const Metadata& metadata,
                                         const std::vector<std::string>& relative_paths) {
  std::set<std::string> there;
  for (const std::string& path : relative_paths) there.insert(ToNfc(path));
  std::vector<std::string> missing;
  for (const auto& [file, row] : metadata) {
    if (!there.contains(file)) missing.push_back(file);
  }
  return missing;
}

std::string IdOfPath(std::string_view relative_path) {
  return absl::StrReplaceAll(fs::path(ToNfc(relative_path)).replace_extension().generic_string(),
                             {{"/", "__"}});
}

std::string IdOf(const Metadata& metadata, std::string_view relative_path) {
  std::string id = MetadataOf(metadata, relative_path).id;
  return id.empty() ? IdOfPath(relative_path) : id;
}

std::vector<ScoreName> NamesOfScores(const Metadata& metadata,
                                     const std::vector<std::string>& relative_paths) {
  std::vector<ScoreName> names(relative_paths.size());
  std::map<std::string, std::vector<size_t>> alike;  // by id, those whose rows give none
  for (size_t i = 0; i < relative_paths.size(); ++i) {
    const FileMetadata row = MetadataOf(metadata, relative_paths[i]);
    names[i] = {row.id, row.work_id};
    if (row.id.empty()) alike[IdOfPath(relative_paths[i])].push_back(i);
  }
  for (const auto& [id, places] : alike) {
    const auto format = [&](size_t place) { return FormatByEnding(relative_paths[place]); };
    const auto by_preference = [&](size_t a, size_t b) {
      return std::pair(format(a) != kMidiEndings, relative_paths[a]) <
             std::pair(format(b) != kMidiEndings, relative_paths[b]);
    };
    const size_t first = *std::min_element(places.begin(), places.end(), by_preference);
    const bool editions = std::any_of(places.begin(), places.end(),
                                      [&](size_t place) { return format(place) != format(first); });
    for (const size_t place : places) {
      const std::string ending = fs::path(relative_paths[place]).extension().string();
      names[place].id = format(place) == format(first) ? id : absl::StrCat(id, ending);
      if (editions && names[place].work_id.empty()) names[place].work_id = id;
    }
  }
  return names;
}

bool IsFileName(std::string_view title) {
  const std::string lower = absl::AsciiStrToLower(absl::string_view(title.data(), title.size()));
  return std::any_of(kFileEndings.begin(), kFileEndings.end(),
                     [&](std::string_view ending) { return lower.ends_with(ending); });
}

bool IsPlaceholder(std::string_view title) {
  const std::string lower = absl::AsciiStrToLower(absl::string_view(title.data(), title.size()));
  return std::find(kPlaceholders.begin(), kPlaceholders.end(), lower) != kPlaceholders.end();
}

std::string StatedTitle(std::string title) {
  return IsFileName(title) || IsPlaceholder(title) ? "" : std::move(title);
}

std::string TitleOfPath(std::string_view relative_path) {
  return WithSpaces(fs::path(ToNfc(relative_path)).stem().string());
}

std::string ComposerOfPath(std::string_view relative_path) {
  const size_t slash = relative_path.find('/');
  return slash == std::string_view::npos ? "" : WithSpaces(ToNfc(relative_path.substr(0, slash)));
}

}  // namespace antiphon::music
