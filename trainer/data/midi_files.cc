#include "trainer/data/midi_files.h"

#include <algorithm>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/base/unicode.h"
#include "core/music/file_naming.h"
#include "core/music/midi_text.h"
#include "core/scores/read_score.h"

namespace antiphon::trainer::data {

namespace fs = std::filesystem;

namespace {

// What an entry of a folder is that is no file with one of the endings; empty for a folder to go on
// into.
std::string KindOf(const fs::directory_entry& entry) {
  std::error_code error;
  if (entry.is_symlink(error)) {
    if (!entry.exists(error)) return "link to nowhere";
    if (entry.is_directory(error)) return "link to a folder";
  }
  if (entry.is_directory(error)) {
    const fs::directory_iterator probe(entry.path(), error);
    return error ? "folder that must not be read" : "";
  }
  if (!entry.is_regular_file(error)) return "neither file nor folder";
  const std::string ending = music::CleanMidiText(entry.path().extension().string());
  return ending.empty() ? "without an ending" : absl::AsciiStrToLower(ending);
}

constexpr char kXml[] = ".xml";
constexpr size_t kHeadBytes = 8192;

bool BeginsLikeAScore(const fs::path& path) {
  std::string head(kHeadBytes, '\0');
  std::ifstream stream(path, std::ios::binary);
  stream.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<size_t>(stream.gcount()));
  return notation::FormatOf(head).has_value();
}

}  // namespace

const std::vector<std::string>& ScoreEndings() { return notation::ScoreEndings(); }

std::string ToText(const PassedOver& passed_over) {
  std::vector<std::pair<std::string, int64_t>> kinds(passed_over.begin(), passed_over.end());
  std::stable_sort(kinds.begin(), kinds.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return absl::StrJoin(kinds, ", ", [](std::string* text, const auto& kind) {
    absl::StrAppend(text, kind.second, " ", kind.first);
  });
}

absl::StatusOr<std::vector<SourceFile>> FilesBelow(const std::string& folder,
                                                   const std::vector<std::string>& endings,
                                                   PassedOver* passed_over) {
  std::error_code error;
  if (!fs::is_directory(folder, error))
    return absl::NotFoundError(absl::StrCat(folder, " is not a folder"));
  std::vector<SourceFile> files;
  fs::recursive_directory_iterator walk(folder, fs::directory_options::skip_permission_denied,
                                        error);
  for (const fs::recursive_directory_iterator end; !error && walk != end; walk.increment(error)) {
    std::error_code ignored;  // a link to nowhere is no regular file
    const std::string ending = absl::AsciiStrToLower(walk->path().extension().string());
    const std::string relative =
        ToNfc(music::CleanMidiText(walk->path().lexically_relative(folder).generic_string()));
    if (walk->is_regular_file(ignored) &&
        std::find(endings.begin(), endings.end(), ending) != endings.end()) {
      files.push_back({walk->path(), relative});
    } else if (passed_over != nullptr && relative != music::kMetadataFile) {
      const std::string kind = KindOf(*walk);
      if (!kind.empty()) ++(*passed_over)[kind];
    }
  }
  if (error) return absl::UnavailableError(absl::StrCat("reading ", folder, ": ", error.message()));
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return files;
}

absl::StatusOr<std::vector<SourceFile>> MidiFilesBelow(const std::string& folder,
                                                       PassedOver* passed_over) {
  std::vector<std::string> endings = ScoreEndings();
  endings.emplace_back(kXml);
  ASSIGN_OR_RETURN(std::vector<SourceFile> files, FilesBelow(folder, endings, passed_over));
  const size_t others = std::erase_if(files, [](const SourceFile& file) {
    return absl::AsciiStrToLower(file.path.extension().string()) == kXml &&
           !BeginsLikeAScore(file.path);
  });
  if (passed_over != nullptr && others > 0) (*passed_over)[kXml] += static_cast<int64_t>(others);
  return files;
}

}  // namespace antiphon::trainer::data
