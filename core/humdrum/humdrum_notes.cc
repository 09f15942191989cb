#include "core/humdrum/humdrum_notes.h"

#include <algorithm>
#include <cstdlib>
#include <tuple>

namespace antiphon::notation {
namespace {

constexpr Ticks kUnplaced = -1;
// Open ties of one pitch and player: more are damage, and the oldest are forgotten.
constexpr size_t kMaxOpenTies = 16;

int64_t TieKey(int group, int pitch) { return int64_t{group} * 128 + pitch; }

// Notes of an arpeggio, marked with 1, get their places: upwards. Requires sorted notes.
void NumberArpeggios(std::vector<WrittenNote>* notes) {
  size_t begin = 0;
  while (begin < notes->size()) {
    const WrittenNote& first = (*notes)[begin];
    size_t end = begin;
    std::vector<int> counts;  // by part, as far as needed
    while (end < notes->size() && (*notes)[end].onset == first.onset &&
           (*notes)[end].grace == first.grace) {
      WrittenNote& note = (*notes)[end++];
      if (note.arpeggio == 0) continue;
      const auto part = static_cast<size_t>(note.part);
      if (counts.size() <= part) counts.resize(part + 1);
      note.arpeggio = ++counts[part];
    }
    // One note alone is no arpeggio.
    for (size_t i = begin; i < end && !counts.empty(); ++i) {
      WrittenNote& note = (*notes)[i];
      if (note.arpeggio > 0 && counts[static_cast<size_t>(note.part)] < 2) note.arpeggio = 0;
    }
    begin = end;
  }
}

}  // namespace

WrittenNote& HumdrumNotes::Append(const KernNote& note, const Place& place, int pitch,
                                  int velocity) {
  WrittenNote written;
  written.onset = place.onset;
  written.pitch = pitch;
  written.velocity = velocity;
  written.part = place.track;
  written.voice = place.voice;
  written.ornament = note.ornament;
  written.ornament_upper = note.ornament_upper;
  written.ornament_lower = note.ornament_lower;
  written.arpeggio = note.arpeggio ? 1 : 0;
  return notes_.emplace_back(written);
}

WrittenNote* HumdrumNotes::Tied(const Place& place, int pitch, bool goes_on) {
  const auto found = open_.find(TieKey(place.group, pitch));
  if (found == open_.end()) return nullptr;
  std::vector<size_t>& open = found->second;
  size_t best = open.size();
  int best_rank = -1;
  for (size_t i = 0; i < open.size(); ++i) {
    const WrittenNote& note = notes_[open[i]];
    if (std::abs(note.onset + note.duration - place.onset) > kTimeTolerance) continue;
    const int rank = (note.part == place.track ? 2 : 0) + (note.voice == place.voice ? 1 : 0);
    if (rank > best_rank) {
      best = i;
      best_rank = rank;
    }
  }
  if (best == open.size()) return nullptr;
  WrittenNote* note = &notes_[open[best]];
  if (!goes_on) open.erase(open.begin() + static_cast<std::ptrdiff_t>(best));
  return note;
}

bool HumdrumNotes::Add(const KernNote& note, const Place& place, int pitch, int velocity) {
  if (note.tie_ends) {
    if (WrittenNote* before = Tied(place, pitch, note.tie_begins); before != nullptr) {
      before->duration = place.onset + note.duration - before->onset;
      return false;
    }
  }
  WrittenNote& added = Append(note, place, pitch, velocity);
  added.duration = note.duration;
  added.continues = note.tie_ends;
  if (note.tie_begins) {
    std::vector<size_t>& open = open_[TieKey(place.group, pitch)];
    if (open.size() == kMaxOpenTies) open.erase(open.begin());
    open.push_back(notes_.size() - 1);
  }
  return true;
}

size_t HumdrumNotes::AddGrace(const KernNote& note, const Place& place, int pitch, int velocity) {
  WrittenNote& written = Append(note, place, pitch, velocity);
  written.onset = kUnplaced;
  written.grace = 1;
  return notes_.size() - 1;
}

void HumdrumNotes::PlaceGraces(const std::vector<std::pair<size_t, size_t>>& chords, Ticks onset) {
  int place = static_cast<int>(chords.size());
  for (const auto& [begin, end] : chords) {
    for (size_t i = begin; i < end; ++i) {
      notes_[i].onset = onset;
      notes_[i].grace = place;
    }
    --place;
  }
}

std::vector<WrittenNote> HumdrumNotes::Take(const HumdrumParts::Players& players,
                                            const std::vector<Loudness>& loudness,
                                            int* lost_graces) {
  *lost_graces = static_cast<int>(
      std::erase_if(notes_, [](const WrittenNote& note) { return note.onset == kUnplaced; }));
  for (WrittenNote& note : notes_) {
    const auto track = static_cast<size_t>(note.part);
    if (note.velocity == 0) note.velocity = loudness[track].VelocityAt(note.onset);
    note.part = players.part_of_track[track];
    note.voice += players.first_voice_of_track[track];
  }
  std::stable_sort(notes_.begin(), notes_.end(), [](const WrittenNote& a, const WrittenNote& b) {
    return std::tuple(a.onset, -a.grace, a.pitch) < std::tuple(b.onset, -b.grace, b.pitch);
  });
  NumberArpeggios(&notes_);
  open_.clear();
  return std::move(notes_);
}

}  // namespace antiphon::notation
