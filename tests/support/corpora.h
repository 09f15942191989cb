// Where the music corpora are that some tests read beyond what the repository holds. Such tests
// skip without them.
#ifndef ANTIPHON_TESTS_SUPPORT_CORPORA_H_
#define ANTIPHON_TESTS_SUPPORT_CORPORA_H_

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

namespace antiphon::testing {

// The folder named by the environment variable ANTIPHON_CORPORA, or else ../shared beside the
// checkout; nothing if it is not there. Holds corpus/ (MIDI) and recordings/.
inline std::optional<std::filesystem::path> CorporaDir() {
  const char* named = std::getenv("ANTIPHON_CORPORA");
  const std::filesystem::path folder = named != nullptr ? named : ANTIPHON_SOURCE_DIR "/../shared";
  std::error_code error;
  if (!std::filesystem::is_directory(folder / "corpus", error)) return std::nullopt;
  return folder;
}

// All files below `folder` with that extension (".mid"), sorted; none if it is not there.
inline std::vector<std::filesystem::path> FilesBelow(const std::filesystem::path& folder,
                                                     const std::filesystem::path& extension) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, error)) {
    if (entry.is_regular_file() && entry.path().extension() == extension)
      files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace antiphon::testing

#endif  // ANTIPHON_TESTS_SUPPORT_CORPORA_H_
