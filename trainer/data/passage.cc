#include "trainer/data/passage.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "trainer/base/fingerprint.h"

namespace antiphon::trainer::data {

uint64_t HashPassage(std::span<const music::Note> notes, double centre_s, double reach_s,
                     double grid_s) {
  const auto first = std::lower_bound(
      notes.begin(), notes.end(), centre_s - reach_s,
      [](const music::Note& note, double time_s) { return note.onset_s < time_s; });
  std::string passage;
  for (auto note = first; note != notes.end() && note->onset_s < centre_s + reach_s; ++note) {
    absl::StrAppend(&passage, note->pitch, "@", std::lround((note->onset_s - centre_s) / grid_s),
                    " ");
  }
  return HashOf(passage);
}

}  // namespace antiphon::trainer::data
