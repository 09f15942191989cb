// Where seeds go, and who makes them.
#ifndef ANTIPHON_TESTS_FUZZ_SEEDS_H_
#define ANTIPHON_TESTS_FUZZ_SEEDS_H_

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "tests/fuzz/fuzz.h"

namespace antiphon::fuzz {

// FOLDER/TARGET/NAME.
class Seeds {
 public:
  explicit Seeds(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void Add(const std::string& target, const std::string& name, std::string_view bytes) const {
    std::filesystem::create_directories(folder_ / target);
    WriteBytes((folder_ / target / name).string(), bytes);
  }

 private:
  std::filesystem::path folder_;
};

// Of the targets `requests` and `answers`: each method, called as it should be.
void AddRequests(const Seeds& seeds);

}  // namespace antiphon::fuzz

#endif  // ANTIPHON_TESTS_FUZZ_SEEDS_H_
