// Reads in two steps: MidiParser turns bytes into notes and changes counted in ticks; MakeScore
// gives them time.
#include <algorithm>
#include <array>
#include <cmath>
#include <compare>
#include <filesystem>
#include <fstream>
#include <limits>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/music/midi_file.h"
#include "core/music/midi_text.h"

namespace antiphon::music {
namespace {

constexpr int kChannels = 16;
constexpr int kPitches = 128;
constexpr int kDrumChannel = 9;
constexpr int kSustainController = 64;
constexpr int kPedalDown = 64;  // values from here on, half pedal included, hold
constexpr int kNone = -1;

// A place in the order in which a player would meet the events: by tick, then as they stand in the
// file.
struct Moment {
  int64_t tick = 0;
  int64_t order = 0;
  auto operator<=>(const Moment&) const = default;
};

struct TickNote {
  Moment onset;
  Moment offset;
  int64_t sounding_offset = 0;  // tick
  uint8_t pitch = 0;
  uint8_t velocity = 0;
  uint8_t channel = 0;
  int track = 0;
};

struct PedalChange {
  Moment at;
  bool down = false;
};

// A tempo change or a signature: the tick in place of the beat, which is not known yet.
template <typename Change>
struct Ticked {
  int64_t tick = 0;
  Change change;
};

struct TickScore {
  std::string title;
  bool smpte = false;
  double ticks_per_unit = 1;  // per quarter note, or per second where smpte
  std::vector<TickNote> notes;
  std::array<std::vector<PedalChange>, kChannels> pedals;
  std::vector<Ticked<TempoChange>> tempi;
  std::vector<Ticked<TimeSignature>> signatures;
  std::vector<Ticked<KeySignature>> keys;
  int64_t end = 0;  // tick of the last event
};

class MidiParser {
 public:
  MidiParser(std::string_view bytes, const MidiLimits& limits) : bytes_(bytes), limits_(limits) {
    held_.fill(kNone);
  }

  absl::StatusOr<TickScore> Parse() {
    if (!ReadHeader()) return status_;
    int track = 0;
    while (track < declared_tracks_) {
      std::string_view type;
      uint32_t length = 0;
      if (position_ == bytes_.size()) {
        Malformed(absl::StrCat("the file ends after ", track, " of ", declared_tracks_, " tracks"));
        return status_;
      }
      if (!ReadChunkHeader(&type, &length)) return status_;
      end_ = position_ + length;
      if (type == "MTrk" && !ReadTrack(track++)) return status_;
      position_ = end_;
      end_ = bytes_.size();
    }
    return std::move(score_);
  }

 private:
  bool Malformed(const std::string& what) {
    status_ = absl::InvalidArgumentError(
        absl::StrCat("malformed MIDI: ", what, " (byte ", position_, ")"));
    return false;
  }

  bool Exceeded(const char* what, int64_t limit) {
    status_ =
        absl::ResourceExhaustedError(absl::StrCat("MIDI file has more than ", limit, " ", what));
    return false;
  }

  bool ReadByte(uint8_t* value) {
    if (position_ >= end_) return Malformed("an event is cut off by the end of its track");
    *value = static_cast<uint8_t>(bytes_[position_++]);
    return true;
  }

  bool ReadDataByte(uint8_t* value) {
    if (!ReadByte(value)) return false;
    if (*value < 0x80) return true;
    --position_;
    return Malformed("a data byte above 127");
  }

  bool ReadVariableLength(uint32_t* value) {
    *value = 0;
    for (int i = 0; i < 4; ++i) {
      uint8_t byte = 0;
      if (!ReadByte(&byte)) return false;
      *value = *value << 7 | (byte & 0x7f);
      if (byte < 0x80) return true;
    }
    return Malformed("a variable-length number of more than 4 bytes");
  }

  // The caller has seen to it that `count` bytes are there.
  uint32_t BigEndian(size_t position, int count) const {
    uint32_t value = 0;
    for (int i = 0; i < count; ++i) value = value << 8 | static_cast<uint8_t>(bytes_[position + i]);
    return value;
  }

  bool ReadChunkHeader(std::string_view* type, uint32_t* length) {
    if (bytes_.size() - position_ < 8) return Malformed("a chunk header is cut off");
    *type = bytes_.substr(position_, 4);
    *length = BigEndian(position_ + 4, 4);
    if (*length > bytes_.size() - position_ - 8) {
      return Malformed(
          absl::StrCat("a chunk declares ", *length, " bytes, but the file ends before"));
    }
    position_ += 8;
    return true;
  }

  bool ReadHeader() {
    if (static_cast<int64_t>(bytes_.size()) > limits_.max_bytes)
      return Exceeded("bytes", limits_.max_bytes);
    if (bytes_.substr(0, 4) != "MThd") {
      status_ = absl::InvalidArgumentError("not a Standard MIDI File: it does not begin with MThd");
      return false;
    }
    std::string_view type;
    uint32_t length = 0;
    if (!ReadChunkHeader(&type, &length)) return false;
    if (length < 6) return Malformed("the header is shorter than 6 bytes");
    format_ = static_cast<int>(BigEndian(position_, 2));
    declared_tracks_ = static_cast<int>(BigEndian(position_ + 2, 2));
    const uint32_t division = BigEndian(position_ + 4, 2);
    if (format_ > 2) return Malformed(absl::StrCat("format ", format_, ", known are 0, 1 and 2"));
    if (declared_tracks_ > limits_.max_tracks) return Exceeded("tracks", limits_.max_tracks);
    if (!SetDivision(division)) return false;
    position_ += length;
    end_ = bytes_.size();
    return true;
  }

  bool SetDivision(uint32_t division) {
    score_.smpte = division >= 0x8000;
    if (!score_.smpte) {
      if (division == 0) return Malformed("a division of 0 ticks per quarter note");
      score_.ticks_per_unit = division;
      return true;
    }
    const int frames = 256 - static_cast<int>(division >> 8);
    const int ticks = static_cast<int>(division & 0xff);
    if (frames != 24 && frames != 25 && frames != 29 && frames != 30) {
      return Malformed(absl::StrCat("SMPTE division of ", frames, " frames per second"));
    }
    if (ticks == 0) return Malformed("SMPTE division of 0 ticks per frame");
    // 29 stands for drop-frame timecode, which runs at 30 / 1.001 frames per second.
    score_.ticks_per_unit = (frames == 29 ? 30.0 / 1.001 : frames) * ticks;
    return true;
  }

  bool ReadTrack(int track) {
    track_ = track;
    now_.tick = 0;
    if (format_ == 2) StartPattern();
    const size_t first_note = score_.notes.size();
    uint8_t running_status = 0;
    bool ended = false;  // a missing End of Track is forgiven: the chunk's length says as much
    while (!ended && position_ < end_) {
      uint32_t delta = 0;
      if (!ReadVariableLength(&delta)) return false;
      now_.tick += delta;
      if (++now_.order > limits_.max_events) return Exceeded("events", limits_.max_events);
      if (!ReadEvent(&running_status, &ended)) return false;
    }
    for (size_t i = first_note; i < score_.notes.size(); ++i) {
      int& held = Held(score_.notes[i].channel, score_.notes[i].pitch);
      if (held == static_cast<int>(i)) EndNote(&held);
    }
    score_.end = std::max(score_.end, now_.tick);
    return true;
  }

  // A pattern follows the one before, with the pedals up and MIDI's default tempo and metre until
  // it says otherwise.
  void StartPattern() {
    now_.tick = score_.end;
    if (track_ == 0) return;
    for (auto& pedal : score_.pedals) {
      if (!pedal.empty()) pedal.push_back({now_, false});
    }
    score_.tempi.push_back({now_.tick, {}});
    score_.signatures.push_back({now_.tick, {}});
  }

  bool ReadEvent(uint8_t* running_status, bool* ended) {
    uint8_t status = 0;
    if (!ReadByte(&status)) return false;
    if (status >= 0xf0) return ReadSystemEvent(status, ended);
    if (status < 0x80) {
      if (*running_status == 0) return Malformed("a data byte where an event should begin");
      --position_;
      status = *running_status;
    }
    *running_status = status;
    const int kind = status >> 4;
    const int channel = status & 0x0f;
    uint8_t first = 0;
    uint8_t second = 0;
    if (!ReadDataByte(&first)) return false;
    const bool has_one_byte = kind == 0xc || kind == 0xd;
    if (!has_one_byte && !ReadDataByte(&second)) return false;
    if (channel == kDrumChannel) return true;
    if (kind == 0x9 && second > 0) return StartNote(channel, first, second);
    if (kind == 0x8 || kind == 0x9) EndNote(&Held(channel, first));
    if (kind == 0xb && first == kSustainController)
      score_.pedals[channel].push_back({now_, second >= kPedalDown});
    return true;
  }

  bool ReadSystemEvent(uint8_t status, bool* ended) {
    const bool meta = status == 0xff;
    if (!meta && status != 0xf0 && status != 0xf7)
      return Malformed("a system event that files cannot hold");
    uint8_t type = 0;
    uint32_t length = 0;
    if (meta && !ReadByte(&type)) return false;
    if (!ReadVariableLength(&length)) return false;
    if (length > end_ - position_) return Malformed("an event is longer than its track");
    if (meta) ReadMeta(type, bytes_.substr(position_, length));
    *ended = meta && type == 0x2f;
    position_ += length;
    return true;
  }

  // A tempo, metre or key that has no meaning (0 seconds per beat, a metre of 0/4, 9 sharps) is
  // passed over: some programs write them, and the notes stand without.
  void ReadMeta(uint8_t type, std::string_view data) {
    if (type == 0x03 && track_ == 0 && score_.title.empty()) {
      score_.title = CleanMidiText(data);
    } else if (type == 0x51 && data.size() >= 3) {
      const uint32_t microseconds = BigEndian(position_, 3);
      if (microseconds > 0) score_.tempi.push_back({now_.tick, {0, microseconds * 1e-6}});
    } else if (type == 0x58 && data.size() >= 2) {
      const int numerator = static_cast<uint8_t>(data[0]);
      const int log_denominator = static_cast<uint8_t>(data[1]);
      if (numerator > 0 && log_denominator <= 6) {
        score_.signatures.push_back({now_.tick, {0, numerator, 1 << log_denominator}});
      }
    } else if (type == 0x59 && data.size() >= 2) {
      const int fifths = static_cast<int8_t>(data[0]);
      if (fifths >= -7 && fifths <= 7)
        score_.keys.push_back({now_.tick, {0, fifths, data[1] == 1}});
    }
  }

  int& Held(int channel, int pitch) {
    return held_[static_cast<size_t>(channel * kPitches + pitch)];
  }

  bool StartNote(int channel, uint8_t pitch, uint8_t velocity) {
    int& held = Held(channel, pitch);
    EndNote(&held);
    if (static_cast<int64_t>(score_.notes.size()) >= limits_.max_notes)
      return Exceeded("notes", limits_.max_notes);
    held = static_cast<int>(score_.notes.size());
    score_.notes.push_back({now_, {}, 0, pitch, velocity, static_cast<uint8_t>(channel), track_});
    return true;
  }

  void EndNote(int* held) {
    if (*held == kNone) return;
    score_.notes[static_cast<size_t>(*held)].offset = now_;
    *held = kNone;
  }

  const std::string_view bytes_;
  const MidiLimits& limits_;
  absl::Status status_;
  size_t position_ = 0;  // of the next byte
  size_t end_ = 0;       // of the chunk being read
  int format_ = 0;
  int declared_tracks_ = 0;
  int track_ = 0;
  Moment now_;
  // Note that sounds in the track being read, by channel and pitch.
  std::array<int, kChannels * kPitches> held_;
  TickScore score_;
};

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

absl::StatusOr<Score> MakeScore(TickScore ticks, const MidiLimits& limits) {
  ApplyPedals(ticks);
  ASSIGN_OR_RETURN(TempoMap map, MakeTempoMap(ticks));
  Score score;
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
  ASSIGN_OR_RETURN(TickScore ticks, MidiParser(bytes, limits).Parse());
  return MakeScore(std::move(ticks), limits);
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
