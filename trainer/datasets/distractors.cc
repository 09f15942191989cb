#include "trainer/datasets/distractors.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/music/midi_file.h"
#include "core/scores/read_score.h"
#include "trainer/base/fingerprint.h"
#include "trainer/data/renderer.h"

namespace antiphon::trainer::datasets {
namespace {

constexpr int kMinShared = 8;       // runs of melody …
constexpr double kMinShare = 0.15;  // … and their least share of the shorter piece's
constexpr int kStretches = 6;
constexpr double kStretch_s = 10;

double Uniform(std::mt19937_64& random, double low, double high) {
  return low + (high - low) * static_cast<double>(random() >> 11) * 0x1p-53;
}

int Root(std::vector<int>& parent, int of) {
  while (parent[of] != of) of = parent[of] = parent[parent[of]];
  return of;
}

}  // namespace

bool AreEditions(const std::set<uint64_t>& a, const std::set<uint64_t>& b) {
  int shared = 0;
  for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end();) {
    if (*i < *j) {
      ++i;
    } else if (*j < *i) {
      ++j;
    } else {
      ++shared, ++i, ++j;
    }
  }
  return shared >= kMinShared &&
         shared >= kMinShare * static_cast<double>(std::min(a.size(), b.size()));
}

std::vector<int> WorksOf(const std::vector<std::set<uint64_t>>& pieces) {
  std::vector<int> parent(pieces.size());
  std::iota(parent.begin(), parent.end(), 0);
  for (size_t i = 0; i < pieces.size(); ++i) {
    for (size_t j = i + 1; j < pieces.size(); ++j) {
      if (AreEditions(pieces[i], pieces[j]))
        parent[Root(parent, static_cast<int>(j))] = Root(parent, static_cast<int>(i));
    }
  }
  std::vector<int> works;
  for (size_t i = 0; i < pieces.size(); ++i) works.push_back(Root(parent, static_cast<int>(i)));
  return works;
}

music::Score Recombine(const std::vector<music::Score>& scores, uint64_t seed) {
  std::mt19937_64 random(seed);
  music::Score made;
  double at_s = 0;
  for (int i = 0; i < kStretches; ++i) {
    const music::Score& source = scores[random() % scores.size()];
    const double tempo = Uniform(random, 0.8, 1.25), span_s = kStretch_s * tempo;
    const double start_s = Uniform(random, 0, std::max(0.0, data::MusicEnd(source) - span_s));
    const music::Score stretch =
        music::AtTempoRatio(music::Excerpt(source, start_s, start_s + span_s), tempo);
    const int semitones = static_cast<int>(random() % 6 + 1) * (random() % 2 == 0 ? 1 : -1);
    for (music::Note note : stretch.notes) {
      note.pitch =
          std::clamp(note.pitch + semitones, music::kLowestPianoPitch, music::kHighestPianoPitch);
      note.onset_s += at_s;
      note.offset_s += at_s;
      note.sounding_offset_s += at_s;
      note.track = note.channel = 0;
      made.notes.push_back(note);
    }
    at_s += kStretch_s;
  }
  std::stable_sort(made.notes.begin(), made.notes.end(),
                   [](const music::Note& a, const music::Note& b) {
                     return a.onset_s != b.onset_s ? a.onset_s < b.onset_s : a.pitch < b.pitch;
                   });
  made.duration_s = at_s;
  return made;
}

absl::StatusOr<std::vector<CollectionEntry>> MakeRecombined(
    const std::vector<CollectionEntry>& pieces, int count, uint64_t seed) {
  std::vector<music::Score> scores;
  for (const CollectionEntry& piece : pieces) {
    absl::StatusOr<music::Score> score = notation::ReadScore(piece.midi);
    if (score.ok() && !score->notes.empty()) scores.push_back(*std::move(score));
  }
  if (scores.empty()) return absl::NotFoundError("there is no piece to recombine");
  std::vector<CollectionEntry> made;
  for (int i = 1; i <= count; ++i) {
    const std::string id = absl::StrCat("recombined-", i);
    ASSIGN_OR_RETURN(std::string midi,
                     music::WriteMidi(Recombine(scores, HashOf(absl::StrCat(seed, id)))));
    made.push_back({id, id, "recombined", std::move(midi)});
  }
  return made;
}

}  // namespace antiphon::trainer::datasets
