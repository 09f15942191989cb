// Gives time to what the parser makes of the bytes: pedals, drums and seconds.
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/music/drum_parts.h"
#include "core/music/midi_file.h"
#include "core/music/midi_parser.h"
#include "core/music/midi_text.h"
#include "core/music/tick_score.h"

namespace antiphon::music {
namespace {

// A channel for the notes of channel 10 where a file makes it a melodic part: a Score has no notes
// on the drum channel. One that nothing else uses, if there is one.
uint8_t ChannelForMelodicDrums(const std::array<bool, kMidiChannels>& used) {
  for (uint8_t channel = kMidiChannels - 1; channel > 0; --channel) {
    if (channel != kMidiDrumChannel && !used[channel]) return channel;
  }
  return 0;
}

// Leaves the notes that have a pitch. Returns how many were drums.
int LeaveOutDrums(TickScore& score, Warnings& warnings) {
  std::array<bool, kMidiChannels> used = {};
  for (const TickNote& note : score.notes) used[note.channel] = true;
  const DrumParts parts(std::move(score.parts), used);
  const size_t all = score.notes.size();
  bool elsewhere = false;
  std::erase_if(score.notes, [&](const TickNote& note) {
    const bool drums = parts.IsDrums(note.channel, note.onset.tick);
    elsewhere = elsewhere || (drums && note.channel != kMidiDrumChannel);
    return drums;
  });
  const size_t drums = all - score.notes.size();
  if (all > 0 && drums == all) {
    warnings.Add(absl::StrCat(
        all == 1 ? "the only note is" : absl::StrCat("all ", all, " notes are"),
        elsewhere ? " on drum parts" : " on the drum channel (10)", "; drums are left out"));
  }
  const auto on_drum_channel = [](const TickNote& note) {
    return note.channel == kMidiDrumChannel;
  };
  if (std::any_of(score.notes.begin(), score.notes.end(), on_drum_channel)) {
    const uint8_t channel = ChannelForMelodicDrums(used);
    for (TickNote& note : score.notes) {
      if (on_drum_channel(note)) note.channel = channel;
    }
    std::swap(score.pedals[channel], score.pedals[kMidiDrumChannel]);
    std::swap(score.programs[channel], score.programs[kMidiDrumChannel]);
  }
  return static_cast<int>(drums);
}

// What plays each track and channel that has notes. Requires that drums are left out.
std::vector<Part> FindParts(TickScore& score) {
  std::map<std::pair<int, int>, Moment> first_notes;  // by track and channel
  for (const TickNote& note : score.notes) {
    const auto [found, added] = first_notes.try_emplace({note.track, note.channel}, note.onset);
    if (!added) found->second = std::min(found->second, note.onset);
  }
  for (auto& changes : score.programs) {
    std::stable_sort(changes.begin(), changes.end(),
                     [](const auto& a, const auto& b) { return a.at < b.at; });
  }
  std::vector<Part> parts;
  for (const auto& [place, first_note] : first_notes) {
    Part part{"", place.first, place.second, 0};
    const auto& changes = score.programs[static_cast<size_t>(part.channel)];
    const auto after = std::upper_bound(
        changes.begin(), changes.end(), first_note,
        [](const Moment& at, const ProgramChange& change) { return at < change.at; });
    // Where none holds yet, the first one that comes is meant.
    if (!changes.empty()) part.program = (after == changes.begin() ? after : after - 1)->program;
    if (const auto track = static_cast<size_t>(part.track); track < score.track_names.size())
      part.name = CleanMidiText(score.track_names[track]);
    if (part.name == score.title) part.name.clear();  // it is that of the whole
    parts.push_back(std::move(part));
  }
  return parts;
}

// Lets each note that ends under a held pedal sound until the pedal's release or the next strike of
// its pitch. A pedal holds a whole channel, and the tracks of format 1 share the channels, so this
// waits until all tracks are read.
void ApplyPedals(TickScore& score) {
  for (TickNote& note : score.notes) note.sounding_offset = note.offset.tick;
  const auto unused = [](const auto& pedal) { return pedal.empty(); };
  if (std::all_of(score.pedals.begin(), score.pedals.end(), unused)) return;
  for (auto& pedal : score.pedals) {
    std::stable_sort(pedal.begin(), pedal.end(),
                     [](const auto& a, const auto& b) { return a.at < b.at; });
    // Leave only the real changes, so that the next one after a press is the release.
    bool down = false;
    std::erase_if(pedal, [&](const PedalChange& change) {
      return std::exchange(down, change.down) == change.down;
    });
  }
  std::sort(score.notes.begin(), score.notes.end(), [](const TickNote& a, const TickNote& b) {
    return std::tie(a.channel, a.pitch, a.onset) < std::tie(b.channel, b.pitch, b.onset);
  });
  for (auto note = score.notes.begin(); note != score.notes.end(); ++note) {
    const auto& pedal = score.pedals[note->channel];
    const auto after = std::upper_bound(
        pedal.begin(), pedal.end(), note->offset,
        [](const Moment& at, const PedalChange& change) { return at < change.at; });
    if (after == pedal.begin() || !std::prev(after)->down) continue;
    const int64_t release = after == pedal.end() ? score.end : after->at.tick;
    const auto strike = std::lower_bound(
        note + 1, score.notes.end(), *note, [](const TickNote& other, const TickNote& ended) {
          return std::tie(other.channel, other.pitch, other.onset.tick) <
                 std::tie(ended.channel, ended.pitch, ended.offset.tick);
        });
    const bool struck_again = strike != score.notes.end() && strike->channel == note->channel &&
                              strike->pitch == note->pitch;
    note->sounding_offset = struck_again ? std::min(release, strike->onset.tick) : release;
  }
}

// The changes in the order in which they take effect: by tick, then as they stand in the file.
template <typename Change>
void SortByTick(std::vector<Ticked<Change>>& changes) {
  std::stable_sort(changes.begin(), changes.end(),
                   [](const auto& a, const auto& b) { return a.tick < b.tick; });
}

template <typename Change, typename BeatsAtTick>
std::vector<Change> WithBeats(const std::vector<Ticked<Change>>& ticked,
                              const BeatsAtTick& beats_at_tick) {
  std::vector<Change> changes;
  changes.reserve(ticked.size());
  for (const auto& [tick, change] : ticked) {
    changes.push_back(change);
    changes.back().beat = beats_at_tick(tick);
  }
  return changes;
}

absl::StatusOr<TempoMap> MakeTempoMap(TickScore& score) {
  SortByTick(score.tempi);
  SortByTick(score.signatures);
  SortByTick(score.keys);
  if (!score.smpte) {
    const auto beats = [&](int64_t tick) {
      return static_cast<double>(tick) / score.ticks_per_unit;
    };
    return TempoMap::Create(WithBeats(score.tempi, beats), WithBeats(score.signatures, beats),
                            WithBeats(score.keys, beats));
  }
  // Ticks are seconds here; the tempo only says how many beats pass in them.
  std::vector<TempoChange> tempi;
  TempoChange last;
  double last_s = 0;
  for (const auto& [tick, change] : score.tempi) {
    const double now_s = static_cast<double>(tick) / score.ticks_per_unit;
    last = {last.beat + (now_s - last_s) / last.seconds_per_beat, change.seconds_per_beat};
    last_s = now_s;
    tempi.push_back(last);
  }
  ASSIGN_OR_RETURN(const TempoMap map, TempoMap::Create(tempi, {}));
  const auto beats = [&](int64_t tick) {
    return map.BeatsAt(static_cast<double>(tick) / score.ticks_per_unit);
  };
  return TempoMap::Create(std::move(tempi), WithBeats(score.signatures, beats),
                          WithBeats(score.keys, beats));
}

absl::StatusOr<Score> MakeScore(TickScore ticks, const MidiLimits& limits, Warnings warnings) {
  Score score;
  score.drum_notes = LeaveOutDrums(ticks, warnings);
  score.warnings = std::move(warnings).Take();
  score.parts = FindParts(ticks);
  ApplyPedals(ticks);
  ASSIGN_OR_RETURN(TempoMap map, MakeTempoMap(ticks));
  score.title = std::move(ticks.title);
  score.tempo_map = std::move(map);
  const auto seconds = [&](int64_t tick) {
    const double units = static_cast<double>(tick) / ticks.ticks_per_unit;
    return ticks.smpte ? units : score.tempo_map.SecondsAt(units);
  };
  score.duration_s = seconds(ticks.end);
  score.notes.reserve(ticks.notes.size());
  for (const TickNote& note : ticks.notes) {
    const double onset = seconds(note.onset.tick);
    // The extremes of tempo and tick leave no two doubles between neighbouring ticks; the order
    // must hold all the same.
    const double offset = std::max(seconds(std::max(note.offset.tick, note.onset.tick + 1)),
                                   std::nextafter(onset, std::numeric_limits<double>::infinity()));
    const double sounding_offset = std::max(offset, seconds(note.sounding_offset));
    score.duration_s = std::max(score.duration_s, sounding_offset);
    score.notes.push_back(
        {onset, offset, sounding_offset, note.pitch, note.velocity, note.channel, note.track});
  }
  if (!(score.duration_s <= limits.max_duration_s)) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "MIDI file lasts ", score.duration_s, " s, the limit is ", limits.max_duration_s, " s"));
  }
  std::stable_sort(score.notes.begin(), score.notes.end(), [](const Note& a, const Note& b) {
    return std::tie(a.onset_s, a.pitch) < std::tie(b.onset_s, b.pitch);
  });
  return score;
}

}  // namespace

absl::StatusOr<Score> ReadMidi(std::string_view bytes, const MidiLimits& limits) {
  Warnings warnings;
  ASSIGN_OR_RETURN(TickScore ticks, ParseMidi(bytes, limits, warnings));
  return MakeScore(std::move(ticks), limits, std::move(warnings));
}

absl::StatusOr<Score> ReadMidiFile(const std::string& path, const MidiLimits& limits) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    return absl::NotFoundError(absl::StrCat(path, ": no such file"));
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (!error && size > static_cast<std::uintmax_t>(limits.max_bytes)) {
    return absl::ResourceExhaustedError(
        absl::StrCat(path, ": MIDI file has more than ", limits.max_bytes, " bytes"));
  }
  std::ifstream file(path, std::ios::binary);
  std::string bytes(error ? 0 : static_cast<size_t>(size), '\0');
  if (error || !file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
    return absl::UnavailableError(absl::StrCat(path, ": cannot be read"));
  }
  return MapError(ReadMidi(bytes, limits), [&path](const absl::Status& failure) {
    return absl::Status(failure.code(), absl::StrCat(path, ": ", failure.message()));
  });
}

}  // namespace antiphon::music
