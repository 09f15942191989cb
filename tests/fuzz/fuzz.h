// What the fuzz targets share. Header only; belongs to one thread.
//
// A target is a program of libFuzzer: LLVMFuzzerTestOneInput gets bytes of its invention and must
// come back, whatever they are. It stops at what the sanitizers find, and where a promise of the
// code under test does not hold (Require).
#ifndef ANTIPHON_TESTS_FUZZ_FUZZ_H_
#define ANTIPHON_TESTS_FUZZ_FUZZ_H_

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace antiphon::fuzz {

// Ends the run, which keeps the input, when a promise is broken.
inline void Require(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

// A failure has one of the codes that the function's header names, and says why.
inline void RequireRefusal(const absl::Status& status,
                           std::initializer_list<absl::StatusCode> codes) {
  bool known = false;
  for (const absl::StatusCode code : codes) known |= status.code() == code;
  if (known && !status.message().empty()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  Require(false, "a failure has a code that the header names, and a message");
}

inline std::string_view AsText(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

inline void WriteBytes(const std::string& path, std::string_view bytes) {
  // Unlinked first: a reader of the last input may still have it open, and it must not change under
  // it.
  unlink(path.c_str());
  std::FILE* file = std::fopen(path.c_str(), "wb");
  Require(file != nullptr, "the scratch folder can be written to");
  Require(std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size(),
          "the scratch folder has room");
  std::fclose(file);
}

// A folder in memory (or, where there is none, on disk) for code that reads files; removed when the
// process ends in order, and where it does not, by scripts/fuzz.sh.
class Scratch {
 public:
  Scratch() {
    std::error_code error;
    const bool memory = std::filesystem::is_directory("/dev/shm", error);
    path_ = (memory ? std::string("/dev/shm") : std::filesystem::temp_directory_path().string()) +
            "/antiphon-fuzz-XXXXXX";
    Require(mkdtemp(path_.data()) != nullptr, "a scratch folder can be made");
  }
  ~Scratch() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace antiphon::fuzz

#endif  // ANTIPHON_TESTS_FUZZ_FUZZ_H_
