#include "core/notation/play.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/music/midi_text.h"
#include "core/notation/timeline.h"
#include "core/notation/unfold.h"

namespace antiphon::notation {
namespace {

constexpr int kChannels = 15;  // without that of the drums
constexpr int kDrumChannel = 9;
constexpr double kOrnamentNote_s = 0.08;
constexpr double kTurnNote_s = 0.12;
constexpr double kArpeggioStep_s = 0.04;

// --- What readers promise ---

absl::Status Broken(const char* what, size_t index) {
  return absl::InternalError(absl::StrCat("written score: ", what, " (", index, ")"));
}

absl::Status CheckBars(const WrittenScore& score) {
  constexpr Ticks kLongest = Ticks{1} << 52;
  Ticks end = 0;
  for (size_t i = 0; i < score.bars.size(); ++i) {
    const WrittenBar& bar = score.bars[i];
    if (bar.start != end || bar.length <= 0) return Broken("bars with a gap", i);
    if (bar.length > kLongest - end) return Broken("a bar too long", i);
    end += bar.length;
  }
  const auto in_range = [&score](int bar) {
    return bar >= 0 && static_cast<size_t>(bar) < score.bars.size();
  };
  for (size_t i = 0; i < score.order.size(); ++i) {
    if (!in_range(score.order[i])) return Broken("an order with bars that aren't there", i);
  }
  return absl::OkStatus();
}

absl::Status CheckNotes(const WrittenScore& score) {
  const Ticks end = score.bars.empty() ? 0 : score.bars.back().start + score.bars.back().length;
  Ticks last = 0;
  for (size_t i = 0; i < score.notes.size(); ++i) {
    const WrittenNote& note = score.notes[i];
    if (note.onset < last || note.onset >= end) return Broken("an onset out of order", i);
    if (note.grace < 0 || note.duration < 0 || note.duration > Ticks{1} << 52 ||
        (note.grace == 0) != (note.duration > 0)) {
      return Broken("a note of wrong duration", i);
    }
    if (note.pitch < 0 || note.pitch > 127 || note.velocity < 0 || note.velocity > 127)
      return Broken("a note without pitch or velocity", i);
    if (note.part < 0 || static_cast<size_t>(note.part) >= score.parts.size())
      return Broken("a note of no part", i);
    if (note.tremolo_stroke < 0 || note.arpeggio < 0) return Broken("a wrong mark at a note", i);
    last = note.onset;
  }
  return absl::OkStatus();
}

// Fails unless `changes` are in order and `valid`.
template <typename Value, typename Valid>
absl::Status CheckChanges(const std::vector<Written<Value>>& changes, const char* what,
                          const Valid& valid) {
  for (size_t i = 0; i < changes.size(); ++i) {
    if (changes[i].at < (i == 0 ? 0 : changes[i - 1].at) || !valid(changes[i].value))
      return Broken(what, i);
  }
  return absl::OkStatus();
}

absl::Status CheckPromises(const WrittenScore& score) {
  RETURN_IF_ERROR(CheckBars(score));
  RETURN_IF_ERROR(CheckNotes(score));
  for (size_t i = 0; i < score.parts.size(); ++i) {
    if (score.parts[i].program < 0 || score.parts[i].program > 127)
      return Broken("a part without a program", i);
  }
  RETURN_IF_ERROR(CheckChanges(score.tempi, "a wrong tempo", [](double tempo) {
    return std::isfinite(tempo) && tempo > 0 && std::isfinite(60 / tempo);
  }));
  RETURN_IF_ERROR(CheckChanges(score.metres, "a wrong metre", [](const Metre& metre) {
    return metre.numerator >= 1 && metre.numerator <= 255 && metre.denominator >= 1 &&
           metre.denominator <= 64 && std::has_single_bit(static_cast<unsigned>(metre.denominator));
  }));
  return CheckChanges(score.keys, "a wrong key",
                      [](const Key& key) { return key.fifths >= -7 && key.fifths <= 7; });
}

absl::Status CheckOptions(const PlayOptions& options) {
  RETURN_IF_ERROR(CheckRange("default_tempo", options.default_tempo, PlayOptions::kTempoRange));
  RETURN_IF_ERROR(
      CheckRange("default_velocity", options.default_velocity, PlayOptions::kVelocityRange));
  return CheckRange("grace_s", options.grace_s, PlayOptions::kGraceRange);
}

// --- Parts ---

int ChannelOf(int place) {
  const int channel = place % kChannels;
  return channel < kDrumChannel ? channel : channel + 1;
}

// The parts that have pitches, with their channels.
std::vector<music::Part> PlayedParts(const std::vector<WrittenPart>& written) {
  std::vector<music::Part> parts;
  for (size_t i = 0; i < written.size(); ++i) {
    if (written[i].percussion) continue;
    parts.push_back(
        {music::CleanMidiText(written[i].name), static_cast<int>(i), 0, written[i].program});
  }
  const bool share = parts.size() > kChannels;
  std::map<int, int> places;  // by program
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto next = static_cast<int>(places.size());
    const int place =
        share ? places.try_emplace(parts[i].program, next).first->second : static_cast<int>(i);
    parts[i].channel = ChannelOf(place);
  }
  return parts;
}

// --- When notes are played, in ticks ---

// Grace notes of one voice that stand before the same notes.
struct GraceGroup {
  int count = 0;       // one after the other
  Ticks shortest = 0;  // duration of the notes that they adorn; 0: there are none
};

struct Graces {
  std::vector<GraceGroup> groups;
  std::vector<int> group_of;  // by note; -1: none
};

Graces FindGraces(const std::vector<WrittenNote>& notes) {
  Graces graces;
  graces.group_of.assign(notes.size(), -1);
  for (size_t first = 0, end = 0; first < notes.size(); first = end) {
    bool any = false;
    for (end = first; end < notes.size() && notes[end].onset == notes[first].onset; ++end)
      any = any || notes[end].grace > 0;
    if (!any) continue;
    std::map<std::pair<int, int>, int> groups;  // by part and voice
    for (size_t i = first; i < end; ++i) {
      if (notes[i].grace == 0) continue;
      const auto next = static_cast<int>(graces.groups.size());
      const auto [group, added] = groups.try_emplace({notes[i].part, notes[i].voice}, next);
      if (added) graces.groups.emplace_back();
      int& count = graces.groups[group->second].count;
      count = std::max(count, notes[i].grace);
    }
    for (size_t i = first; i < end; ++i) {
      const auto group = groups.find({notes[i].part, notes[i].voice});
      if (group == groups.end()) continue;
      graces.group_of[i] = group->second;
      Ticks& shortest = graces.groups[group->second].shortest;
      if (notes[i].grace == 0 && (shortest == 0 || notes[i].duration < shortest))
        shortest = notes[i].duration;
    }
  }
  return graces;
}

struct ScheduledNote {
  Ticks onset = 0;
  Ticks end = 0;
  Ticks before = 0;  // onset of what its part played before; -1: nothing
  int written = 0;
};

// The written notes that sound at the beginning of each bar at which playing goes on after a jump.
using HeldNotes = std::map<int, std::vector<int>>;

class Scheduler {
 public:
  Scheduler(const WrittenScore& score, const Timeline& line, const NotationLimits& limits)
      : score_(score), line_(line), limits_(limits), lasts_(score.parts.size()) {}

  absl::StatusOr<std::vector<ScheduledNote>> Schedule() && {
    RETURN_IF_ERROR(FindHeld());
    for (size_t k = 0; k < line_.order.size(); ++k) {
      const bool jumped = k > 0 && line_.order[k] != line_.order[k - 1] + 1;
      before_jump_ = jumped ? std::exchange(reaching_, {}) : ByKey();
      if (jumped) StrikeHeld(k);
      const WrittenBar& bar = score_.bars[line_.order[k]];
      const auto first =
          std::lower_bound(score_.notes.begin(), score_.notes.end(), bar.start,
                           [](const WrittenNote& note, Ticks start) { return note.onset < start; });
      for (auto note = first; note != score_.notes.end() && note->onset < bar.start + bar.length;
           ++note) {
        if (static_cast<int64_t>(scheduled_.size()) >= limits_.max_notes) return TooMany(limits_);
        Add(k, *note, line_.starts[k] + (note->onset - bar.start));
      }
      if (static_cast<int64_t>(scheduled_.size()) > limits_.max_notes) return TooMany(limits_);
    }
    return std::move(scheduled_);
  }

  static absl::Status TooMany(const NotationLimits& limits) {
    return absl::ResourceExhaustedError(
        absl::StrCat("score has more than ", limits.max_notes, " notes as it is played"));
  }

 private:
  struct Last {
    Ticks onset = -1;
    Ticks before = -1;
  };

  absl::Status FindHeld() {
    for (size_t k = 1; k < line_.order.size(); ++k) {
      if (line_.order[k] != line_.order[k - 1] + 1) held_[line_.order[k]];
    }
    std::multimap<Ticks, int> sounding;  // by end
    size_t next = 0;
    int64_t count = 0;
    for (auto& [bar, held] : held_) {
      const Ticks start = score_.bars[bar].start;
      for (; next < score_.notes.size() && score_.notes[next].onset < start; ++next) {
        const Ticks end = score_.notes[next].onset + score_.notes[next].duration;
        if (end > start) sounding.emplace(end, static_cast<int>(next));
      }
      sounding.erase(sounding.begin(), sounding.upper_bound(start));
      for (const auto& [end, note] : sounding) held.push_back(note);
      count += static_cast<int64_t>(held.size());
      if (count > limits_.max_notes) return TooMany(limits_);
    }
    return absl::OkStatus();
  }

  // A note that sounds until playing jumps.
  struct Reaching {
    size_t place = 0;  // in scheduled_
    bool cut = false;  // it would go on in print
  };
  using ByKey = std::map<std::pair<int, int>, Reaching>;  // part and pitch

  void StrikeHeld(size_t k) {
    const Ticks bar_start = score_.bars[line_.order[k]].start;
    for (const int index : held_.at(line_.order[k])) {
      const WrittenNote& note = score_.notes[index];
      const Ticks end = std::min(note.onset + note.duration, line_.run_ends[k]);
      // A tie out of the bar before the jump goes on in what is tied into the bar after it.
      const auto before = before_jump_.find({note.part, note.pitch});
      const bool goes_on = before != before_jump_.end() && before->second.cut;
      const size_t place = goes_on ? before->second.place : scheduled_.size();
      if (!goes_on) scheduled_.push_back({line_.starts[k], 0, -1, index});
      scheduled_[place].end = line_.starts[k] + (end - bar_start);
      Remember(k, note, place);
    }
  }

  // What may go on after the next jump.
  void Remember(size_t k, const WrittenNote& note, size_t place) {
    const Ticks end = note.onset + note.duration;
    if (end >= line_.run_ends[k])
      reaching_[{note.part, note.pitch}] = {place, end > line_.run_ends[k]};
  }

  void Add(size_t k, const WrittenNote& note, Ticks onset) {
    Last& last = lasts_[note.part];
    if (onset > last.onset) last = {onset, last.onset};
    const Ticks end = onset + std::min(note.onset + note.duration, line_.run_ends[k]) - note.onset;
    size_t place = scheduled_.size();
    const auto before = before_jump_.find({note.part, note.pitch});
    if (note.continues && onset == line_.starts[k] && before != before_jump_.end()) {
      place = before->second.place;
      scheduled_[place].end = end;
    } else {
      scheduled_.push_back(
          {onset, end, last.before, static_cast<int>(&note - score_.notes.data())});
    }
    Remember(k, note, place);
  }

  const WrittenScore& score_;
  const Timeline& line_;
  const NotationLimits& limits_;
  HeldNotes held_;
  ByKey reaching_;           // the end of the run that is being played
  ByKey before_jump_;        // in the first bar after a jump: the end of the run before
  std::vector<Last> lasts_;  // by part
  std::vector<ScheduledNote> scheduled_;
};

// --- How they are played, in seconds ---

class Player {
 public:
  Player(const WrittenScore& score, const Timeline& line, const PlayOptions& options,
         const NotationLimits& limits, const std::vector<music::Part>& parts)
      : score_(score),
        line_(line),
        options_(options),
        limits_(limits),
        graces_(FindGraces(score.notes)),
        channels_(score.parts.size(), 0) {
    for (const music::Part& part : parts) channels_[part.track] = part.channel;
  }

  absl::StatusOr<std::vector<music::Note>> Play(const std::vector<ScheduledNote>& scheduled) && {
    notes_.reserve(scheduled.size());
    for (const ScheduledNote& note : scheduled) {
      const WrittenNote& written = score_.notes[note.written];
      if (written.grace > 0) {
        PlayGrace(note, written);
      } else if (options_.tremolo && written.tremolo_stroke > 0) {
        PlayTremolo(note, written);
      } else {
        PlayOne(note, written);
      }
      if (static_cast<int64_t>(notes_.size()) > limits_.max_notes)
        return Scheduler::TooMany(limits_);
    }
    std::stable_sort(notes_.begin(), notes_.end(), [](const music::Note& a, const music::Note& b) {
      return std::tie(a.onset_s, a.pitch) < std::tie(b.onset_s, b.pitch);
    });
    return std::move(notes_);
  }

 private:
  double SecondsAt(Ticks ticks) const { return line_.tempo_map.SecondsAt(QuartersOf(ticks)); }

  void Strike(const WrittenNote& written, int pitch, double onset_s, double end_s) {
    music::Note note;
    note.onset_s = onset_s;
    note.offset_s = std::max(end_s, std::nextafter(onset_s, std::numeric_limits<double>::max()));
    note.sounding_offset_s = note.offset_s;
    note.pitch = std::clamp(pitch, 0, 127);
    note.velocity = written.velocity > 0 ? written.velocity : options_.default_velocity;
    note.channel = channels_[written.part];
    note.track = written.part;
    notes_.push_back(note);
  }

  // Of grace notes at the very beginning: there is no time before the notes that they adorn.
  double FirstGraceStep(const GraceGroup& group) const {
    if (group.shortest == 0) return options_.grace_s;
    return std::min(options_.grace_s, SecondsAt(group.shortest) / 2 / group.count);
  }

  void PlayGrace(const ScheduledNote& note, const WrittenNote& written) {
    const GraceGroup& group = graces_.groups[graces_.group_of[note.written]];
    if (note.onset == 0) {
      const double step = FirstGraceStep(group);
      const double onset_s = (group.count - written.grace) * step;
      Strike(written, written.pitch, onset_s, onset_s + step);
      return;
    }
    const double main_s = SecondsAt(note.onset);
    const double room_s = note.before < 0 ? main_s : (main_s - SecondsAt(note.before)) / 2;
    const double step = std::min(options_.grace_s, room_s / group.count);
    Strike(written, written.pitch, std::max(main_s - written.grace * step, 0.0),
           main_s - (written.grace - 1) * step);
  }

  // The note's onset, later where grace notes or an arpeggio come first.
  double OnsetOf(const ScheduledNote& note, const WrittenNote& written, double end_s) const {
    const double onset_s = SecondsAt(note.onset);
    double delay_s = 0;
    if (const int group = graces_.group_of[note.written]; note.onset == 0 && group >= 0)
      delay_s = graces_.groups[group].count * FirstGraceStep(graces_.groups[group]);
    if (options_.arpeggios && written.arpeggio > 1)
      delay_s += std::min((written.arpeggio - 1) * kArpeggioStep_s, (end_s - onset_s) / 2);
    return onset_s + std::min(delay_s, (end_s - onset_s) * 0.75);
  }

  void PlayTremolo(const ScheduledNote& note, const WrittenNote& written) {
    const Ticks strokes = std::max<Ticks>((note.end - note.onset) / written.tremolo_stroke, 1);
    for (Ticks i = 0; i < strokes; ++i) {
      const Ticks onset = note.onset + i * written.tremolo_stroke;
      const Ticks end = i + 1 < strokes ? onset + written.tremolo_stroke : note.end;
      Strike(written, written.pitch, SecondsAt(onset), SecondsAt(end));
      if (static_cast<int64_t>(notes_.size()) > limits_.max_notes) return;
    }
  }

  void PlayOne(const ScheduledNote& note, const WrittenNote& written) {
    const double end_s = SecondsAt(note.end);
    const double onset_s = OnsetOf(note, written, end_s);
    if (!options_.ornaments || written.ornament == Ornament::kNone) {
      Strike(written, written.pitch, onset_s, end_s);
      return;
    }
    const int up = written.ornament_upper, down = -written.ornament_lower;
    switch (written.ornament) {
      case Ornament::kTrill:
        return PlayTrill(written, onset_s, end_s);
      case Ornament::kMordent:
        return PlayFigure(written, std::array{0, down, 0}, kOrnamentNote_s, onset_s, end_s);
      case Ornament::kInvertedMordent:
        return PlayFigure(written, std::array{0, up, 0}, kOrnamentNote_s, onset_s, end_s);
      case Ornament::kTurn:
        return PlayFigure(written, std::array{up, 0, down, 0}, kTurnNote_s, onset_s, end_s);
      case Ornament::kInvertedTurn:
        return PlayFigure(written, std::array{down, 0, up, 0}, kTurnNote_s, onset_s, end_s);
      case Ornament::kNone:
        return;
    }
  }

  // From the main note and back to it.
  void PlayTrill(const WrittenNote& written, double onset_s, double end_s) {
    const double fit = std::min((end_s - onset_s) / kOrnamentNote_s, 1e6);
    const int pairs = std::max(static_cast<int>(fit / 2), 1);
    const double step = (end_s - onset_s) / (2 * pairs + 1);
    for (int i = 0; i <= 2 * pairs; ++i) {
      Strike(written, written.pitch + (i % 2 == 1 ? written.ornament_upper : 0), onset_s + i * step,
             onset_s + (i + 1) * step);
    }
  }

  // Notes so far from the main one, the last of which is held.
  template <size_t kSize>
  void PlayFigure(const WrittenNote& written, const std::array<int, kSize>& figure, double note_s,
                  double onset_s, double end_s) {
    const double step = std::min(note_s, (end_s - onset_s) / static_cast<double>(kSize));
    for (size_t i = 0; i < kSize; ++i) {
      const double at_s = onset_s + static_cast<double>(i) * step;
      Strike(written, written.pitch + figure[i], at_s, i + 1 < kSize ? at_s + step : end_s);
    }
  }

  const WrittenScore& score_;
  const Timeline& line_;
  const PlayOptions& options_;
  const NotationLimits& limits_;
  const Graces graces_;
  std::vector<int> channels_;  // by part
  std::vector<music::Note> notes_;
};

std::vector<std::string> Warnings(const WrittenScore& score, std::vector<std::string> more) {
  std::vector<std::string> all = score.warnings;
  std::move(more.begin(), more.end(), std::back_inserter(all));
  if (const auto count = static_cast<int>(all.size()); count > music::kMaxScoreWarnings) {
    all.resize(music::kMaxScoreWarnings);
    all.back() = absl::StrCat("and ", count - music::kMaxScoreWarnings + 1, " more");
  }
  return all;
}

}  // namespace

absl::StatusOr<music::Score> Play(const WrittenScore& score, const PlayOptions& options,
                                  const NotationLimits& limits) {
  RETURN_IF_ERROR(CheckOptions(options));
  RETURN_IF_ERROR(CheckPromises(score));
  std::vector<std::string> warnings;
  ASSIGN_OR_RETURN(std::vector<int> order, Unfold(score, limits, &warnings));
  ASSIGN_OR_RETURN(Timeline line,
                   MakeTimeline(score, std::move(order), options.default_tempo, limits));
  music::Score played;
  played.title = music::CleanMidiText(score.title);
  played.composer = music::CleanMidiText(score.composer);
  played.opus = music::CleanMidiText(score.opus);
  played.parts = PlayedParts(score.parts);
  played.drum_notes = score.unpitched_notes;
  played.warnings = Warnings(score, std::move(warnings));
  ASSIGN_OR_RETURN(const std::vector<ScheduledNote> scheduled,
                   Scheduler(score, line, limits).Schedule());
  ASSIGN_OR_RETURN(played.notes,
                   Player(score, line, options, limits, played.parts).Play(scheduled));
  played.duration_s = line.tempo_map.SecondsAt(QuartersOf(line.end));
  for (const music::Note& note : played.notes)
    played.duration_s = std::max(played.duration_s, note.sounding_offset_s);
  played.tempo_map = std::move(line.tempo_map);
  played.bars = std::move(line.bars);
  return played;
}

}  // namespace antiphon::notation
