// A folder of its own for each test. Header only; links nothing.
#ifndef ANTIPHON_CORE_TESTING_TEMPORARY_FOLDER_H_
#define ANTIPHON_CORE_TESTING_TEMPORARY_FOLDER_H_

#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace antiphon::testing {

// Makes an empty folder under the system's temporary folder and removes it, with everything in it,
// on destruction. No two have the same path, so tests can run side by side. Aborts when the folder
// can't be made. Safe from any thread.
class TemporaryFolder {
 public:
  TemporaryFolder()
      : path_((std::filesystem::temp_directory_path() / "antiphon-test-XXXXXX").string()) {
    if (mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  // Without a slash at the end.
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace antiphon::testing

#endif  // ANTIPHON_CORE_TESTING_TEMPORARY_FOLDER_H_
