#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/music/midi_file.h"

namespace antiphon::music {
namespace {

constexpr int kTicksPerBeat = 480;
constexpr int64_t kMaxVariableLength = 0x0fffffff;
constexpr int64_t kMaxMicrosecondsPerBeat = 0xffffff;
constexpr int kDrumChannel = 9;

struct Event {
  int64_t tick = 0;
  std::string bytes;
};

std::string BigEndian(uint64_t value, int count) {
  std::string bytes;
  for (int shift = 8 * (count - 1); shift >= 0; shift -= 8)
    bytes += static_cast<char>(value >> shift & 0xff);
  return bytes;
}

void AppendVariableLength(int64_t value, std::string* bytes) {
  for (int shift = 21; shift > 0; shift -= 7) {
    if (value >> shift != 0) *bytes += static_cast<char>(0x80 | (value >> shift & 0x7f));
  }
  *bytes += static_cast<char>(value & 0x7f);
}

std::string Meta(uint8_t type, std::string_view data) {
  std::string bytes = {static_cast<char>(0xff), static_cast<char>(type)};
  AppendVariableLength(static_cast<int64_t>(data.size()), &bytes);
  return bytes.append(data);
}

std::string Bytes(int first, int second, int third) {
  return {static_cast<char>(first), static_cast<char>(second), static_cast<char>(third)};
}

// Fails with InvalidArgument where two neighbouring events are further apart than MIDI can say.
absl::StatusOr<std::string> TrackChunk(std::vector<Event> events, int64_t end_tick) {
  std::stable_sort(events.begin(), events.end(),
                   [](const Event& a, const Event& b) { return a.tick < b.tick; });
  const int64_t last_tick = events.empty() ? 0 : events.back().tick;
  events.push_back({std::max(last_tick, end_tick), Meta(0x2f, "")});
  std::string body;
  int64_t now = 0;
  for (const Event& event : events) {
    if (event.tick - now > kMaxVariableLength) {
      return absl::InvalidArgumentError(
          absl::StrCat("score has a gap of more than ", kMaxVariableLength, " ticks"));
    }
    AppendVariableLength(event.tick - now, &body);
    body += event.bytes;
    now = event.tick;
  }
  return absl::StrCat("MTrk", BigEndian(body.size(), 4), body);
}

// Ticks beyond this have no use and would not leave room to calculate.
int64_t TickAtBeat(double beat) {
  return std::llround(std::clamp(beat * kTicksPerBeat, 0.0, 1e15));
}

absl::StatusOr<std::string> ConductorTrack(const Score& score) {
  const TempoMap& map = score.tempo_map;
  std::vector<Event> events;
  if (!score.title.empty()) events.push_back({0, Meta(0x03, score.title)});
  for (const TimeSignature& signature : map.time_signatures()) {
    const int log_denominator = std::countr_zero(static_cast<unsigned>(signature.denominator));
    // The metronome clicks once a quarter note (24 MIDI clocks), which has 8 thirty-second notes.
    events.push_back({TickAtBeat(signature.beat),
                      Meta(0x58, Bytes(signature.numerator, log_denominator, 24) + '\x08')});
  }
  for (const KeySignature& key : map.key_signatures()) {
    const char data[] = {static_cast<char>(key.fifths), static_cast<char>(key.minor)};
    events.push_back({TickAtBeat(key.beat), Meta(0x59, {data, 2})});
  }
  for (const TempoChange& tempo : map.tempi()) {
    const double microseconds = std::round(tempo.seconds_per_beat * 1e6);
    if (!(microseconds >= 1 && microseconds <= kMaxMicrosecondsPerBeat)) {
      return absl::InvalidArgumentError(
          absl::StrCat("tempo of ", tempo.seconds_per_beat,
                       " seconds per beat: MIDI has 0.000001 to 16.777215"));
    }
    events.push_back(
        {TickAtBeat(tempo.beat), Meta(0x51, BigEndian(static_cast<uint64_t>(microseconds), 3))});
  }
  return TrackChunk(std::move(events), TickAtBeat(map.BeatsAt(score.duration_s)));
}

absl::Status CheckPart(const Part& part) {
  if (part.channel < 0 || part.channel > 15 || part.program < 0 || part.program > 127) {
    return absl::InvalidArgumentError(absl::StrCat("part with channel ", part.channel,
                                                   " and program ", part.program,
                                                   ": must be 0 to 15, and 0 to 127"));
  }
  return absl::OkStatus();
}

absl::Status CheckNote(const Note& note) {
  const auto invalid = [](const char* name, double value, const char* allowed) {
    return absl::InvalidArgumentError(
        absl::StrCat("note with ", name, " ", value, ": must be ", allowed));
  };
  if (note.pitch < 0 || note.pitch > 127) return invalid("pitch", note.pitch, "0 to 127");
  if (note.velocity < 1 || note.velocity > 127)
    return invalid("velocity", note.velocity, "1 to 127");
  if (note.channel < 0 || note.channel > 15 || note.channel == kDrumChannel) {
    return invalid("channel", note.channel, "0 to 15 and not 9, the drums");
  }
  if (note.track < 0) return invalid("track", note.track, "0 or more");
  if (!std::isfinite(note.onset_s) || note.onset_s < 0)
    return invalid("onset", note.onset_s, "0 s or later");
  if (!std::isfinite(note.sounding_offset_s) || note.sounding_offset_s <= note.onset_s) {
    return invalid("end", note.sounding_offset_s, "after its onset");
  }
  return absl::OkStatus();
}

// The names of a track's parts, as one, and their programs.
std::vector<Event> PartEvents(const std::vector<const Part*>& parts) {
  std::vector<Event> events;
  std::string name;
  for (const Part* part : parts) {
    if (!part->name.empty() && name.find(part->name) == std::string::npos)
      absl::StrAppend(&name, name.empty() ? "" : ", ", part->name);
    events.push_back(
        {0, {static_cast<char>(0xc0 | part->channel), static_cast<char>(part->program)}});
  }
  if (!name.empty()) events.insert(events.begin(), {0, Meta(0x03, name)});
  return events;
}

// Requires notes of one track, sorted by channel, pitch and onset.
absl::StatusOr<std::string> NoteTrack(const TempoMap& map, const std::vector<const Note*>& notes,
                                      const std::vector<const Part*>& parts) {
  std::vector<Event> events = PartEvents(parts);
  events.reserve(events.size() + 2 * notes.size() + 1);
  for (size_t i = 0; i < notes.size(); ++i) {
    const Note& note = *notes[i];
    const int64_t start = TickAtBeat(map.BeatsAt(note.onset_s));
    int64_t end = std::max(start + 1, TickAtBeat(map.BeatsAt(note.sounding_offset_s)));
    // One key sounds once: struck again, the earlier note ends, lest its end be taken for that of
    // the later one.
    if (i + 1 < notes.size() && notes[i + 1]->channel == note.channel &&
        notes[i + 1]->pitch == note.pitch) {
      end = std::min(end, TickAtBeat(map.BeatsAt(notes[i + 1]->onset_s)));
    }
    events.push_back({start, Bytes(0x90 | note.channel, note.pitch, note.velocity)});
    events.push_back({end, Bytes(0x80 | note.channel, note.pitch, 64)});
  }
  return TrackChunk(std::move(events), 0);
}

}  // namespace

absl::StatusOr<std::string> WriteMidi(const Score& score) {
  std::map<int, std::vector<const Part*>> parts;  // by track
  for (const Part& part : score.parts) {
    RETURN_IF_ERROR(CheckPart(part));
    parts[part.track].push_back(&part);
  }
  std::map<int, std::vector<const Note*>> tracks;
  for (const Note& note : score.notes) {
    RETURN_IF_ERROR(CheckNote(note));
    tracks[note.track].push_back(&note);
  }
  const size_t chunks = tracks.size() + 1;
  if (chunks > 0xffff) return absl::InvalidArgumentError("score has more than 65534 tracks");
  ASSIGN_OR_RETURN(std::string conductor, ConductorTrack(score));
  std::string file = absl::StrCat("MThd", BigEndian(6, 4), BigEndian(1, 2), BigEndian(chunks, 2),
                                  BigEndian(kTicksPerBeat, 2), conductor);
  for (auto& [track, notes] : tracks) {
    std::stable_sort(notes.begin(), notes.end(), [](const Note* a, const Note* b) {
      return std::tie(a->channel, a->pitch, a->onset_s) <
             std::tie(b->channel, b->pitch, b->onset_s);
    });
    ASSIGN_OR_RETURN(std::string chunk, NoteTrack(score.tempo_map, notes, parts[track]));
    file += chunk;
  }
  return file;
}

}  // namespace antiphon::music
