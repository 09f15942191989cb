#include "trainer/evaluation/rendered_passages.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "trainer/base/fingerprint.h"
#include "trainer/data/renderer.h"
#include "trainer/data/split.h"

namespace antiphon::trainer::evaluation {
namespace {

constexpr double kSlowest = 0.8, kFastest = 1.25;

void KeepFirst(std::vector<int>& places, int count) {
  if (count > 0 && std::ssize(places) > count) places.resize(count);
}

}  // namespace

DrawnWorks DrawWorks(const std::vector<std::string>& ids, int played, int listed, uint64_t seed) {
  std::vector<std::pair<uint64_t, int>> lots;
  lots.reserve(ids.size());
  for (int i = 0; i < std::ssize(ids); ++i)
    lots.emplace_back(HashOf(absl::StrCat(seed, "/", ids[i])), i);
  std::sort(lots.begin(), lots.end());
  const data::Split split = data::Split::ByHash();
  DrawnWorks drawn;
  std::vector<int> others;
  for (const auto& [lot, i] : lots) {
    const bool is_test =
        split.PartOf(std::filesystem::path(ids[i]).stem().string()) == data::Part::kTest;
    const bool plays = is_test && (played == 0 || std::ssize(drawn.played) < played);
    (plays ? drawn.played : others).push_back(i);
  }
  drawn.listed = drawn.played;
  drawn.listed.insert(drawn.listed.end(), others.begin(), others.end());
  KeepFirst(drawn.listed, listed == 0 ? 0 : std::max<int>(listed, std::ssize(drawn.played)));
  std::sort(drawn.played.begin(), drawn.played.end());
  std::sort(drawn.listed.begin(), drawn.listed.end());
  return drawn;
}

std::vector<Passage> DrawPassages(const music::Score& score, int count, std::string_view key) {
  std::vector<Passage> passages;
  if (score.notes.empty()) return passages;
  const double end_s = data::MusicEnd(score);
  const int beside = static_cast<int>(
      std::clamp(end_s / (kPassage_s * kFastest), 1.0, static_cast<double>(count)));
  for (int i = 0; i < beside; ++i) {
    Passage passage;
    const uint64_t lot = HashOf(absl::StrCat(std::string(key), "/", i));
    const double uniform = static_cast<double>(lot >> 11) * 0x1p-53;
    passage.tempo_ratio = kSlowest * std::pow(kFastest / kSlowest, uniform);
    const double length_s = kPassage_s * passage.tempo_ratio;
    const double latest_s = std::max(0.0, end_s - length_s);
    const double share = beside > 1 ? static_cast<double>(i) / (beside - 1) : 0.5;
    const auto from =
        std::lower_bound(score.notes.begin(), score.notes.end(), latest_s * share,
                         [](const music::Note& note, double s) { return note.onset_s < s; });
    passage.start_s = from == score.notes.end() ? score.notes.back().onset_s : from->onset_s;
    passage.end_s = passage.start_s + length_s;
    passages.push_back(passage);
  }
  return passages;
}

matching::Span MiddleOf(double duration_s, double length_s) {
  const double within_s = std::min(duration_s, length_s);
  const double start_s = (duration_s - within_s) / 2;
  return {start_s, start_s + within_s};
}

}  // namespace antiphon::trainer::evaluation
