#include "trainer/data/midi_files.h"

#include <algorithm>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/music/midi_text.h"

namespace antiphon::trainer::data {

namespace fs = std::filesystem;

absl::StatusOr<std::vector<SourceFile>> FilesBelow(const std::string& folder,
                                                   const std::vector<std::string>& extensions) {
  std::error_code error;
  if (!fs::is_directory(folder, error))
    return absl::NotFoundError(absl::StrCat(folder, " is not a folder"));
  std::vector<SourceFile> files;
  fs::recursive_directory_iterator walk(folder, fs::directory_options::skip_permission_denied,
                                        error);
  for (const fs::recursive_directory_iterator end; !error && walk != end; walk.increment(error)) {
    std::error_code ignored;  // a link to nowhere is no regular file
    if (!walk->is_regular_file(ignored)) continue;
    const std::string extension = absl::AsciiStrToLower(walk->path().extension().string());
    if (std::find(extensions.begin(), extensions.end(), extension) == extensions.end()) continue;
    files.push_back({walk->path(), music::CleanMidiText(
                                       walk->path().lexically_relative(folder).generic_string())});
  }
  if (error) return absl::UnavailableError(absl::StrCat("reading ", folder, ": ", error.message()));
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return files;
}

absl::StatusOr<std::vector<SourceFile>> MidiFilesBelow(const std::string& folder) {
  return FilesBelow(folder, {".mid", ".midi"});
}

}  // namespace antiphon::trainer::data
