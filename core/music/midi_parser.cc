#include "core/music/midi_parser.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/music/drum_parts.h"
#include "core/music/midi_container.h"
#include "core/music/midi_events.h"
#include "core/music/midi_title.h"
#include "core/music/score.h"

namespace antiphon::music {
namespace {

constexpr int kBankController = 0;
constexpr int kSustainController = 64;
constexpr int kPedalDown = 64;  // values from here on, half pedal included, hold
constexpr int kNone = -1;
constexpr size_t kChunkHeader = 8;

// A key of a channel, within the track being read.
struct Key {
  int held = kNone;  // the note that sounds
  // Notes that were struck over at `struck_tick`: note-offs at that tick are theirs, for some
  // programs write the new note before the end of the old one.
  int struck_over = 0;
  int64_t struck_tick = 0;
};

class MidiParser {
 public:
  // `offset`: of the bytes in the file, for messages.
  MidiParser(std::string_view bytes, size_t offset, const MidiLimits& limits, Warnings& warnings)
      : bytes_(bytes), offset_(offset), limits_(limits), warnings_(warnings) {}

  absl::StatusOr<TickScore> Parse() {
    if (!ReadHeader()) return status_;
    while (NextTrack()) {
      if (!ReadTrack()) return status_;
      ++tracks_;
    }
    if (!status_.ok()) return status_;
    if (tracks_ == 0 && declared_tracks_ > 0) Malformed("the file ends before its first track");
    // What is left of a damaged file may be nothing at all: then the damage is the reason.
    if (status_.ok() && score_.notes.empty() && !damage_.empty())
      status_ = absl::InvalidArgumentError(absl::StrCat("malformed MIDI: ", damage_));
    if (!status_.ok()) return status_;
    WarnOfCounts();
    score_.title = title_.title();
    return std::move(score_);
  }

 private:
  bool Malformed(const std::string& what) {
    status_ = absl::InvalidArgumentError(
        absl::StrCat("malformed MIDI: ", what, " (byte ", offset_ + position_, ")"));
    return false;
  }

  bool Exceeded(const char* what, int64_t limit) {
    status_ =
        absl::ResourceExhaustedError(absl::StrCat("MIDI file has more than ", limit, " ", what));
    return false;
  }

  // Music is missing, so that a score without notes is none.
  void Damaged(std::string what) {
    if (damage_.empty()) damage_ = what;
    warnings_.Add(std::move(what));
  }

  // The caller has seen to it that `count` bytes are there.
  uint32_t BigEndian(size_t position, int count) const {
    uint32_t value = 0;
    for (int i = 0; i < count; ++i) value = value << 8 | static_cast<uint8_t>(bytes_[position + i]);
    return value;
  }

  bool ReadHeader() {
    if (bytes_.size() < kChunkHeader) return Malformed("the header is cut off");
    const uint32_t length = BigEndian(4, 4);
    if (length < 6) return Malformed("the header is shorter than 6 bytes");
    if (length > bytes_.size() - kChunkHeader) return Malformed("the header is cut off");
    position_ = kChunkHeader;
    format_ = static_cast<int>(BigEndian(position_, 2));
    declared_tracks_ = static_cast<int>(BigEndian(position_ + 2, 2));
    const uint32_t division = BigEndian(position_ + 4, 2);
    if (format_ > 2) return Malformed(absl::StrCat("format ", format_, ", known are 0, 1 and 2"));
    if (!SetDivision(division)) return false;
    position_ += length;
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

  bool IsTrackAt(size_t position) const { return bytes_.substr(position, 4) == "MTrk"; }

  // A chunk of another kind begins there, with a length that the file has room for.
  bool IsAlienChunkAt(size_t position) const {
    if (bytes_.size() - position < kChunkHeader || IsTrackAt(position)) return false;
    const std::string_view type = bytes_.substr(position, 4);
    const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
    return std::all_of(type.begin(), type.end(), printable) &&
           BigEndian(position + 4, 4) <= bytes_.size() - position - kChunkHeader;
  }

  // Goes to the body of the next track; false at the end of the music, or with a status. The number
  // of tracks in the header doesn't count: what is there is read.
  bool NextTrack() {
    while (bytes_.size() - position_ >= kChunkHeader) {
      if (IsTrackAt(position_)) {
        if (tracks_ >= limits_.max_tracks) return Exceeded("tracks", limits_.max_tracks);
        position_ += kChunkHeader;
        return true;
      }
      if (bytes_.substr(position_, 4) == "MThd") {
        warnings_.Add("a second MIDI file follows the first and was not read");
        return false;
      }
      if (IsAlienChunkAt(position_)) {
        position_ += kChunkHeader + BigEndian(position_ + 4, 4);
        continue;
      }
      const size_t track = bytes_.find("MTrk", position_);
      if (track == std::string_view::npos) return false;
      Damaged(absl::StrCat(track - position_, " bytes between tracks were passed over (byte ",
                           offset_ + position_, ")"));
      position_ = track;
    }
    return false;
  }

  // Where the track ends whose body begins at position_, by its length or, where no chunk begins
  // there, by its events.
  size_t EndOfTrack() {
    const uint64_t declared = position_ + uint64_t{BigEndian(position_ - 4, 4)};
    if (declared == bytes_.size() ||
        (declared < bytes_.size() && (IsTrackAt(declared) || IsAlienChunkAt(declared)))) {
      return declared;
    }
    MidiEventReader events(bytes_, position_, bytes_.size());
    MidiEvent event;
    bool fits = false;  // an event ends where the length says that the track does
    while (!events.AtEnd() && !IsTrackAt(events.position())) {
      fits = fits || events.position() == declared;
      if (scanned_ >= limits_.max_events) break;
      ++scanned_;
      if (!events.Next(&event)) break;
      if (event.IsEndOfTrack()) return events.position();
    }
    if (fits || events.position() == declared) return declared;
    return IsTrackAt(events.position()) ? events.position() : bytes_.size();
  }

  bool ReadTrack() {
    now_.tick = 0;
    if (format_ == 2) StartPattern();
    const uint32_t declared = BigEndian(position_ - 4, 4);
    const size_t body = position_;
    const size_t end = EndOfTrack();
    const size_t first_note = score_.notes.size();
    MidiEventReader events(bytes_, body, end);
    MidiEvent event;
    bool ended = false;  // a missing End of Track is forgiven: the chunk's length says as much
    bool cut_off = false;
    while (!ended && !events.AtEnd()) {
      if (!events.Next(&event)) {
        position_ = events.position();
        // Of a file that was cut off, the rest is read. Within a whole one, a length that goes
        // beyond its track would swallow music.
        const bool whole = body + uint64_t{declared} <= bytes_.size();
        if (!events.cut_off() || (events.too_long() && whole)) return Malformed(events.problem());
        Damaged(absl::StrCat("track ", tracks_ + 1, " ends in the middle of an event (byte ",
                             offset_ + position_, ")"));
        cut_off = true;
        break;
      }
      position_ = events.position();
      now_.tick += event.delta;
      if (++now_.order > limits_.max_events) return Exceeded("events", limits_.max_events);
      if (!TakeEvent(event)) return false;
      ended = event.IsEndOfTrack();
    }
    EndHeldNotes(first_note);
    score_.end = std::max(score_.end, now_.tick);
    if (!cut_off) WarnOfLength(body, declared, end, ended);
    // Behind End of Track, a chunk may hold what means nothing; but not another track.
    position_ = IsTrackAt(position_) ? position_ : end;
    return true;
  }

  void WarnOfLength(size_t body, uint32_t declared, size_t end, bool ended) {
    const bool swallows_next = position_ < end && IsTrackAt(position_);
    if (body + uint64_t{declared} == end && !swallows_next) return;
    const size_t real = (swallows_next ? position_ : end) - body;
    std::string what = absl::StrCat("track ", tracks_ + 1, " has ", real, " bytes, and not ",
                                    declared, " as it says");
    if (ended) {
      warnings_.Add(std::move(what));
    } else {
      Damaged(std::move(what));
    }
  }

  void WarnOfCounts() {
    if (tracks_ != declared_tracks_) {
      warnings_.Add(absl::StrCat("the header counts ", declared_tracks_,
                                 declared_tracks_ == 1 ? " track" : " tracks", ", the file has ",
                                 tracks_));
    }
    if (real_time_ > 0) {
      warnings_.Add(absl::StrCat(real_time_, real_time_ == 1 ? " clock byte" : " clock bytes",
                                 " (F8 to FE) inside the tracks ", real_time_ == 1 ? "was" : "were",
                                 " passed over"));
    }
  }

  // A pattern follows the one before, with the pedals up and MIDI's default tempo and metre until
  // it says otherwise.
  void StartPattern() {
    now_.tick = score_.end;
    if (tracks_ == 0) return;
    for (auto& pedal : score_.pedals) {
      if (!pedal.empty()) pedal.push_back({now_, false});
    }
    score_.tempi.push_back({now_.tick, {}});
    score_.signatures.push_back({now_.tick, {}});
  }

  bool TakeEvent(const MidiEvent& event) {
    if (event.IsRealTime()) {
      ++real_time_;
      return true;
    }
    if (event.IsMeta()) {
      TakeMeta(event.meta_type, event.body);
      return true;
    }
    if (event.status >= 0xf0) {
      if (event.status == 0xf0) TakePartChange(ParsePartMessage(event.body));
      return true;
    }
    const int kind = event.status >> 4;
    const int channel = event.status & 0x0f;
    if (kind == 0x9 && event.second > 0) return StartNote(channel, event.first, event.second);
    if (kind == 0x8 || kind == 0x9) StopNote(KeyOf(channel, event.first));
    if (kind == 0xb && event.first == kSustainController)
      score_.pedals[static_cast<size_t>(channel)].push_back({now_, event.second >= kPedalDown});
    if (kind == 0xb && event.first == kBankController)
      TakePartChange(
          PartChange{{}, PartChange::Kind::kBank, static_cast<uint8_t>(channel), event.second});
    if (kind == 0xc) {
      score_.programs[static_cast<size_t>(channel)].push_back({now_, event.first});
      TakePartChange(
          PartChange{{}, PartChange::Kind::kProgram, static_cast<uint8_t>(channel), event.first});
    }
    return true;
  }

  void TakePartChange(std::optional<PartChange> change) {
    if (!change) return;
    change->at = now_;
    score_.parts.push_back(*change);
  }

  // A tempo, metre or key that has no meaning (0 seconds per beat, a metre of 0/4, 9 sharps) is
  // passed over: some programs write them, and the notes stand without.
  void TakeMeta(uint8_t type, std::string_view data) {
    const auto byte = [&data](size_t i) { return static_cast<uint8_t>(data[i]); };
    if (type == 0x03) {
      title_.AddTrackName(tracks_, data);
      NameTrack(data);
    } else if (type == 0x01 || type == 0x05) {
      title_.AddText(data);
    } else if (type == 0x51 && data.size() >= 3) {
      const int microseconds = byte(0) << 16 | byte(1) << 8 | byte(2);
      if (microseconds > 0) score_.tempi.push_back({now_.tick, {0, microseconds * 1e-6}});
    } else if (type == 0x58 && data.size() >= 2) {
      if (byte(0) > 0 && byte(1) <= 6)
        score_.signatures.push_back({now_.tick, {0, byte(0), 1 << byte(1)}});
    } else if (type == 0x59 && data.size() >= 2) {
      const int fifths = static_cast<int8_t>(data[0]);
      if (fifths >= -7 && fifths <= 7)
        score_.keys.push_back({now_.tick, {0, fifths, data[1] == 1}});
    }
  }

  void NameTrack(std::string_view name) {
    constexpr size_t kLongestName = 200;  // bytes: longer texts are no names
    if (name.size() > kLongestName) return;
    score_.track_names.resize(
        std::max(score_.track_names.size(), static_cast<size_t>(tracks_) + 1));
    std::string& kept = score_.track_names.back();
    if (kept.empty()) kept = name;
  }

  Key& KeyOf(int channel, int pitch) {
    return keys_[static_cast<size_t>(channel * kMidiPitches + pitch)];
  }

  bool StartNote(int channel, uint8_t pitch, uint8_t velocity) {
    Key& key = KeyOf(channel, pitch);
    if (key.struck_tick != now_.tick) key.struck_over = 0;
    key.struck_tick = now_.tick;
    if (key.held != kNone) {
      EndNote(key);
      ++key.struck_over;
    }
    if (static_cast<int64_t>(score_.notes.size()) >= limits_.max_notes)
      return Exceeded("notes", limits_.max_notes);
    key.held = static_cast<int>(score_.notes.size());
    score_.notes.push_back({now_, {}, 0, pitch, velocity, static_cast<uint8_t>(channel), tracks_});
    return true;
  }

  void StopNote(Key& key) {
    if (key.struck_over > 0 && key.struck_tick == now_.tick) {
      --key.struck_over;  // the end of a note that the strike has ended already
    } else {
      EndNote(key);
    }
  }

  void EndNote(Key& key) {
    if (key.held == kNone) return;
    score_.notes[static_cast<size_t>(key.held)].offset = now_;
    key.held = kNone;
  }

  // The track is over: what still sounds ends with it.
  void EndHeldNotes(size_t first_note) {
    for (size_t i = first_note; i < score_.notes.size(); ++i) {
      Key& key = KeyOf(score_.notes[i].channel, score_.notes[i].pitch);
      if (key.held == static_cast<int>(i)) EndNote(key);
      key.struck_over = 0;
    }
  }

  const std::string_view bytes_;
  const size_t offset_;
  const MidiLimits& limits_;
  Warnings& warnings_;
  absl::Status status_;
  std::string damage_;   // the first of it, if any
  size_t position_ = 0;  // of the next byte
  int format_ = 0;
  int declared_tracks_ = 0;
  int tracks_ = 0;         // read so far
  int64_t scanned_ = 0;    // events looked at to find the ends of tracks
  int64_t real_time_ = 0;  // events passed over
  Moment now_;
  std::array<Key, kMidiChannels * kMidiPitches> keys_;
  MidiTitle title_;
  TickScore score_;
};

}  // namespace

void Warnings::Add(std::string warning) {
  if (static_cast<int>(kept_.size()) < kMaxScoreWarnings) {
    kept_.push_back(std::move(warning));
  } else {
    ++more_;
  }
}

std::vector<std::string> Warnings::Take() && {
  if (more_ > 0) kept_.back() = absl::StrCat("and ", more_ + 1, " more");
  return std::move(kept_);
}

absl::StatusOr<TickScore> ParseMidi(std::string_view bytes, const MidiLimits& limits,
                                    Warnings& warnings) {
  if (static_cast<int64_t>(bytes.size()) > limits.max_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("MIDI file has more than ", limits.max_bytes, " bytes"));
  }
  const std::optional<ContainedMidi> midi = FindMidi(bytes);
  if (!midi)
    return absl::InvalidArgumentError("not a Standard MIDI File: it does not begin with MThd");
  if (midi->passed_over > 0) {
    warnings.Add(absl::StrCat(midi->passed_over, midi->passed_over == 1 ? " byte" : " bytes",
                              " before the MIDI header ", midi->passed_over == 1 ? "was" : "were",
                              " passed over"));
  }
  return MidiParser(midi->bytes, midi->offset, limits, warnings).Parse();
}

}  // namespace antiphon::music
