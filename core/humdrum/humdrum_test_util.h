// What the tests of the Humdrum reader share.
#ifndef ANTIPHON_CORE_HUMDRUM_HUMDRUM_TEST_UTIL_H_
#define ANTIPHON_CORE_HUMDRUM_HUMDRUM_TEST_UTIL_H_

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "core/humdrum/humdrum.h"
#include "tests/support/written_scores.h"

namespace antiphon::notation::humdrum_testing {

inline constexpr Ticks kQuarter = kTicksPerQuarter;

// Lines of a file; two spaces stand for a tab.
inline std::string Lines(std::initializer_list<std::string_view> lines) {
  std::string text;
  for (std::string line : std::vector<std::string>(lines.begin(), lines.end())) {
    for (size_t at = line.find("  "); at != std::string::npos; at = line.find("  ")) {
      line.replace(at, 2, "\t");
    }
    text += line + "\n";
  }
  return text;
}

inline WrittenScore Read(std::string_view text, const NotationLimits& limits = {}) {
  auto score = ReadHumdrum(text, limits);
  EXPECT_TRUE(score.ok()) << score.status();
  if (!score.ok()) return {};
  EXPECT_TRUE(antiphon::testing::IsSane(*score));
  return *std::move(score);
}

inline WrittenScore Read(std::initializer_list<std::string_view> lines) {
  return Read(Lines(lines));
}

inline absl::Status Refusal(std::string_view text, const NotationLimits& limits = {}) {
  return ReadHumdrum(text, limits).status();
}

// Onset and duration in quarter notes, pitch.
using Shown = std::tuple<double, double, int>;
inline std::vector<Shown> Notes(const WrittenScore& score) {
  std::vector<Shown> shown;
  for (const WrittenNote& note : score.notes) {
    shown.emplace_back(static_cast<double>(note.onset) / kQuarter,
                       static_cast<double>(note.duration) / kQuarter, note.pitch);
  }
  return shown;
}

inline std::vector<std::string> Numbers(const WrittenScore& score) {
  std::vector<std::string> numbers;
  for (const WrittenBar& bar : score.bars) numbers.push_back(bar.number);
  return numbers;
}

inline std::vector<int> Plays(const WrittenScore& score) {
  std::vector<int> plays;
  for (const WrittenBar& bar : score.bars) plays.push_back(bar.plays);
  return plays;
}

}  // namespace antiphon::notation::humdrum_testing

#endif  // ANTIPHON_CORE_HUMDRUM_HUMDRUM_TEST_UTIL_H_
