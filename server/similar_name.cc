#include "server/similar_name.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

namespace antiphon::server {
namespace {

constexpr size_t kLongestName = 100;  // compared; nobody mistypes that much

// How many letters must be changed, added, left out or swapped with their neighbour to make one of
// the other (Damerau and Levenshtein).
int EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<int> before_last, last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = static_cast<int>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const int change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({change, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last = std::exchange(last, row);
  }
  return last[b.size()];
}

bool IsSameWord(absl::string_view a, absl::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  return a == b || (a.size() >= 3 && absl::StartsWith(b, a));
}

// How many words two names share, each word counted once.
size_t SharedWords(const std::vector<std::string>& a, std::vector<std::string> b) {
  size_t shared = 0;
  for (const std::string& word : a) {
    const auto same = std::find_if(b.begin(), b.end(),
                                   [&](const auto& other) { return IsSameWord(word, other); });
    if (same == b.end()) continue;
    b.erase(same);
    ++shared;
  }
  return shared;
}

// 0 for none at all; more is nearer.
int Similarity(absl::string_view a, absl::string_view b) {
  const int distance = EditDistance(a, b);
  const int shorter = static_cast<int>(std::min(a.size(), b.size()));
  if (distance <= 2 && 2 * distance < shorter) return 100 - distance;
  const std::vector<std::string> words = absl::StrSplit(a, '-');
  const std::vector<std::string> others = absl::StrSplit(b, '-');
  const size_t shared = SharedWords(words, others);
  const size_t longer = std::max(words.size(), others.size());
  if (shared == longer) return 50;
  return shared >= 2 && shared + 1 == longer ? 10 + static_cast<int>(shared) : 0;
}

}  // namespace

std::optional<std::string> SimilarName(absl::string_view name,
                                       const std::vector<std::string>& names) {
  if (name.size() > kLongestName) return std::nullopt;
  int most = 0;
  std::optional<std::string> similar;
  for (const std::string& candidate : names) {
    const int similarity = Similarity(name, candidate);
    if (similarity <= most) continue;
    most = similarity;
    similar = candidate;
  }
  return similar;
}

}  // namespace antiphon::server
