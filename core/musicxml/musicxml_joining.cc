#include "core/musicxml/musicxml_joining.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "core/base/status_macros.h"
#include "core/notation/loudness.h"

namespace antiphon::notation {
namespace {

// Durations that a file rounds to its divisions still meet.
constexpr Ticks kTolerance = kTicksPerQuarter / 32;
constexpr size_t kMostOpen = 64;      // ties from notes of one pitch, at once
constexpr Ticks kMostStrokes = 4096;  // of two chords that alternate

class PartJoiner {
 public:
  PartJoiner(const XmlMusic& music, const std::vector<WrittenBar>& bars, int part,
             int64_t max_notes)
      : music_(music), bars_(bars), part_(part), max_notes_(max_notes) {}

  absl::StatusOr<std::vector<WrittenNote>> Join() {
    RETURN_IF_ERROR(Collect());
    SetVelocities();
    JoinTies();
    OrderArpeggios();
    std::vector<WrittenNote> notes;
    notes.reserve(notes_.size());
    for (const Note& note : notes_) {
      if (!note.gone) notes.push_back(note.written);
    }
    return notes;
  }

 private:
  struct Note {
    WrittenNote written;
    int chord = 0;
    int staff = 1;
    int measure = 0;  // of its last part
    bool tied = false, ties_on = false;
    int arpeggio = -1;
    bool arpeggio_down = false;
    bool gone = false;  // has become part of another
  };

  Ticks TimeOf(const XmlPlace& place) const {
    const WrittenBar& bar = bars_[static_cast<size_t>(place.measure)];
    return bar.start + place.at;
  }
  // Bounded by its bar: rounding may lead beyond it.
  Ticks OnsetOf(const XmlPlace& place) const {
    const WrittenBar& bar = bars_[static_cast<size_t>(place.measure)];
    return bar.start + std::clamp<Ticks>(place.at, 0, bar.length - 1);
  }

  absl::Status Collect();
  absl::Status Add(const XmlNote& from, Ticks onset, Ticks duration, bool tied, bool ties_on);
  absl::Status Alternate(const XmlAlternation& alternation);
  std::pair<size_t, size_t> NotesOf(int chord) const;
  void SetVelocities();
  static Ticks EndOf(const Note& note) { return note.written.onset + note.written.duration; }
  std::optional<size_t> TieTo(size_t index, const std::vector<size_t>& open) const;
  bool Follows(int measure, int next) const;
  size_t JoinTo(size_t from, size_t index);
  void JoinTies();
  void OrderArpeggios();

  const XmlMusic& music_;
  const std::vector<WrittenBar>& bars_;
  const int part_;
  const int64_t max_notes_;
  std::vector<Note> notes_;
  std::map<std::pair<int, int>, size_t> latest_;  // the last note of a pitch in a voice
};

absl::Status PartJoiner::Add(const XmlNote& from, Ticks onset, Ticks duration, bool tied,
                             bool ties_on) {
  if (static_cast<int64_t>(notes_.size()) >= max_notes_)
    return absl::ResourceExhaustedError("the MusicXML file has more notes than the limit");
  Note note;
  WrittenNote& written = note.written;
  written.onset = onset;
  written.duration = duration;
  written.pitch = from.pitch;
  written.velocity = from.velocity;
  written.part = part_;
  written.voice = from.voice;
  written.grace = from.grace;
  written.ornament = from.ornament;
  written.ornament_upper = from.ornament_upper;
  written.ornament_lower = from.ornament_lower;
  if (from.tremolo == Tremolo::kSingle && from.stroke < duration)
    written.tremolo_stroke = from.stroke;
  note.chord = from.chord;
  note.staff = from.staff;
  note.measure = from.place.measure;
  note.tied = tied;
  note.ties_on = ties_on;
  note.arpeggio = from.arpeggio;
  note.arpeggio_down = from.arpeggio_down;
  notes_.push_back(note);
  return absl::OkStatus();
}

absl::Status PartJoiner::Collect() {
  std::vector<int> alternating;
  for (const XmlAlternation& alternation : music_.alternations) {
    alternating.push_back(alternation.first);
    alternating.push_back(alternation.second);
  }
  std::sort(alternating.begin(), alternating.end());
  for (const XmlNote& note : music_.notes) {
    if (note.grace == 0 && std::binary_search(alternating.begin(), alternating.end(), note.chord))
      continue;
    RETURN_IF_ERROR(Add(note, OnsetOf(note.place), note.grace > 0 ? 0 : note.duration, note.tied,
                        note.ties_on));
  }
  for (const XmlAlternation& alternation : music_.alternations)
    RETURN_IF_ERROR(Alternate(alternation));
  return absl::OkStatus();
}

std::pair<size_t, size_t> PartJoiner::NotesOf(int chord) const {
  XmlNote key;
  key.chord = chord;
  const auto [begin, end] =
      std::equal_range(music_.notes.begin(), music_.notes.end(), key,
                       [](const XmlNote& a, const XmlNote& b) { return a.chord < b.chord; });
  return {begin - music_.notes.begin(), end - music_.notes.begin()};
}

absl::Status PartJoiner::Alternate(const XmlAlternation& alternation) {
  const auto [first, first_end] = NotesOf(alternation.first);
  const auto [second, second_end] = NotesOf(alternation.second);
  if (first == first_end || second == second_end) return absl::OkStatus();
  const XmlNote& one = music_.notes[first];
  const XmlNote& other = music_.notes[second];
  const Ticks begin = OnsetOf(one.place);
  const Ticks length = std::max<Ticks>(2, OnsetOf(other.place) + other.duration - begin);
  Ticks strokes = std::clamp<Ticks>((length + one.stroke / 2) / one.stroke, 2, kMostStrokes);
  strokes -= strokes % 2;
  for (Ticks stroke = 0; stroke < strokes; ++stroke) {
    const Ticks onset = begin + length * stroke / strokes;
    const Ticks duration = begin + length * (stroke + 1) / strokes - onset;
    const size_t from = stroke % 2 == 0 ? first : second;
    const size_t to = stroke % 2 == 0 ? first_end : second_end;
    for (size_t i = from; i < to; ++i) {
      const XmlNote& note = music_.notes[i];
      RETURN_IF_ERROR(Add(note, onset, std::max<Ticks>(1, duration), stroke == 0 && note.tied,
                          stroke + 1 == strokes && note.ties_on));
    }
  }
  return absl::OkStatus();
}

// By the dynamics of the part; accents are those of the notes at their very place.
void PartJoiner::SetVelocities() {
  std::vector<LoudnessMark> marks;
  std::map<Ticks, int> accents;
  for (const XmlDynamics& change : music_.dynamics) {
    const Ticks at = TimeOf(change.place);
    if (change.velocity > 0) marks.push_back({at, change.velocity});
    if (change.accent > 0) accents[at] = change.accent;
  }
  std::vector<Hairpin> hairpins;
  for (const XmlHairpin& hairpin : music_.hairpins) {
    if (hairpin.ends) hairpins.push_back({TimeOf(hairpin.from), TimeOf(hairpin.to), hairpin.grows});
  }
  const Loudness loudness(std::move(marks), std::move(hairpins));
  for (Note& note : notes_) {
    if (note.written.velocity > 0) continue;
    const auto accent = accents.find(note.written.onset);
    note.written.velocity =
        accent != accents.end() ? accent->second : loudness.VelocityAt(note.written.onset);
  }
}

// The note that a tie leads here from: an open tie that ends here, then a note just before in the
// same voice and bar, then an open tie that ended before, as those of a broken chord whose notes
// are held. `open` are the notes of this pitch that are tied to something later.
std::optional<size_t> PartJoiner::TieTo(size_t index, const std::vector<size_t>& open) const {
  const Note& note = notes_[index];
  std::optional<size_t> best, distant;
  const auto differs = [&](size_t other) {
    return std::make_tuple(notes_[other].written.voice != note.written.voice,
                           notes_[other].staff != note.staff);
  };
  for (const size_t other : open) {
    const Ticks gap = note.written.onset - EndOf(notes_[other]);
    if (std::abs(gap) <= kTolerance) {
      if (!best || differs(other) < differs(*best)) best = other;
    } else if (gap > 0 && Follows(notes_[other].measure, note.measure)) {
      if (!distant || differs(other) <= differs(*distant)) distant = other;
    }
  }
  if (best) return best;
  const auto before = latest_.find({note.written.pitch, note.written.voice});
  if (before != latest_.end() && notes_[before->second].measure == note.measure &&
      notes_[before->second].written.grace == 0 &&
      std::abs(note.written.onset - EndOf(notes_[before->second])) <= kTolerance)
    return before->second;
  return distant;
}

// Whether music of the one bar leads into the other by the print and by playing.
bool PartJoiner::Follows(int measure, int next) const {
  if (measure == next) return true;
  const WrittenBar& bar = bars_[static_cast<size_t>(next)];
  const WrittenBar& before = bars_[static_cast<size_t>(measure)];
  return measure + 1 == next && before.plays <= 1 && bar.endings == before.endings;
}

// Makes the note part of the one that it is tied to; returns the note that is left.
size_t PartJoiner::JoinTo(size_t from, size_t index) {
  Note& note = notes_[index];
  Note& first = notes_[from];
  if (first.written.grace > 0) {
    // A grace note tied to its note is that note a little early.
    first.gone = true;
    return index;
  }
  // Strokes are struck anew.
  if (first.written.tremolo_stroke != note.written.tremolo_stroke) return index;
  first.written.duration = std::max(first.written.duration, EndOf(note) - first.written.onset);
  first.measure = note.measure;
  note.gone = true;
  return from;
}

void PartJoiner::JoinTies() {
  // Grace notes come first where they stand.
  std::stable_sort(notes_.begin(), notes_.end(), [](const Note& a, const Note& b) {
    return std::make_tuple(a.written.onset, -a.written.grace) <
           std::make_tuple(b.written.onset, -b.written.grace);
  });
  std::map<int, std::vector<size_t>> open_ties;  // by pitch
  for (size_t i = 0; i < notes_.size(); ++i) {
    Note& note = notes_[i];
    std::vector<size_t>& open = open_ties[note.written.pitch];
    open.erase(std::remove_if(open.begin(), open.end(),
                              [&](size_t other) {
                                return EndOf(notes_[other]) < note.written.onset - kTolerance &&
                                       !Follows(notes_[other].measure, note.measure);
                              }),
               open.end());
    size_t last = i;
    if (note.tied) {
      if (const std::optional<size_t> from = TieTo(i, open)) {
        open.erase(std::remove(open.begin(), open.end(), *from), open.end());
        last = JoinTo(*from, i);
      } else {
        note.written.continues = true;
      }
    }
    latest_[{note.written.pitch, note.written.voice}] = last;
    if (!note.ties_on) continue;
    if (open.size() == kMostOpen) open.erase(open.begin());
    open.push_back(last);
  }
}

void PartJoiner::OrderArpeggios() {
  // By onset, number, or the staff where there is no number.
  std::map<std::tuple<Ticks, int, int>, std::vector<size_t>> chords;
  for (size_t i = 0; i < notes_.size(); ++i) {
    const Note& note = notes_[i];
    if (note.gone || note.arpeggio < 0 || note.written.grace > 0) continue;
    chords[{note.written.onset, note.arpeggio, note.arpeggio > 0 ? 0 : note.staff}].push_back(i);
  }
  for (auto& [key, indices] : chords) {
    const bool down = notes_[indices.front()].arpeggio_down;
    std::sort(indices.begin(), indices.end(), [&](size_t a, size_t b) {
      const int one = notes_[a].written.pitch, other = notes_[b].written.pitch;
      return down ? one > other : one < other;
    });
    int place = 0;
    for (const size_t index : indices) notes_[index].written.arpeggio = ++place;
  }
}

}  // namespace

absl::StatusOr<std::vector<WrittenNote>> JoinNotes(const XmlMusic& music,
                                                   const std::vector<WrittenBar>& bars, int part,
                                                   int64_t max_notes) {
  return PartJoiner(music, bars, part, max_notes).Join();
}

}  // namespace antiphon::notation
