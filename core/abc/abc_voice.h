// One voice of an ABC tune: what its symbols make of time and pitch.
//
// Internal to core/abc. Belongs to one thread.
#ifndef ANTIPHON_CORE_ABC_ABC_VOICE_H_
#define ANTIPHON_CORE_ABC_ABC_VOICE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/abc/abc_dynamics.h"
#include "core/abc/abc_fields.h"
#include "core/notation/written_score.h"

namespace antiphon::notation {

// What is to be said of a tune, and no more of it than music::kMaxScoreWarnings.
class AbcWarnings {
 public:
  void Add(std::string warning);
  // The last one says how many more there were, if there were.
  std::vector<std::string> Take() &&;

 private:
  std::vector<std::string> kept_;
  int more_ = 0;
};

// What all tunes of a file share while it is read: a few bytes of text can make many bars.
struct AbcBudget {
  explicit AbcBudget(const NotationLimits& limits)
      : macro_bytes(limits.max_bytes), bars(int64_t{10} * limits.max_bars) {}

  int64_t macro_bytes;  // that macros may still make
  int64_t bars;         // that voices and orders of parts may still have
};
absl::Status AbcBudgetExceeded();  // of bars

enum class AbcPropagation : uint8_t { kNot, kOctave, kPitch };

// As fractions of the unit, or factors.
struct AbcLength {
  int64_t numerator = 1;
  int64_t denominator = 1;
};

struct AbcNote {
  int letter = 0;                 // 0 to 6, from C on
  int octave = 0;                 // 0 is that of middle C
  std::optional<int> accidental;  // semitones, as written
  AbcLength length;
  bool tied = false;  // to the next one
};

enum class AbcSign : uint8_t { kSegno, kCoda, kDaCoda, kFine, kDaCapo, kDalSegno };

// Decorations before a note.
struct AbcMarks {
  Ornament ornament = Ornament::kNone;
  bool arpeggio = false;
  int strokes = 0;   // of a tremolo
  int velocity = 0;  // of this note alone; 0: by the dynamics of the voice
  std::vector<AbcSign> signs;
  std::vector<AbcDynamic> dynamics;
};

struct AbcBarLine {
  bool thick = false;       // double or thick: ends an ending
  int ends_repeat = 0;      // :| and ::| say how often the music is played again
  int starts_repeat = 0;    // |: and |::
  std::vector<int> ending;  // numbers behind it
  char label = 0;           // P: at this place
};

// A bar line, or a place that cuts a bar for its label.
struct AbcBoundary {
  Ticks at = 0;
  AbcBarLine line;
};

struct AbcSignAt {
  AbcSign sign = AbcSign::kSegno;
  Ticks at = 0;
  bool behind = false;  // no note follows it in its bar
};

// A voice as read: times are its own, from 0.
struct AbcVoiceResult {
  std::vector<WrittenNote> notes;  // `part` is 0; sorted as in a WrittenScore
  std::vector<AbcBoundary> boundaries;
  std::vector<AbcSignAt> signs;
  std::vector<Written<AbcMetre>> metres;
  std::vector<Written<Key>> keys;
  std::vector<Written<double>> tempi;
  Ticks end = 0;
  int unpitched = 0;
};

class AbcVoice {
 public:
  // All three must outlive the voice.
  AbcVoice(const NotationLimits& limits, AbcBudget& budget, AbcWarnings& warnings);

  // What follows holds from here on.
  void SetUnit(Ticks unit) { unit_ = unit; }
  void SetMetre(const AbcMetre& metre);
  void SetKey(const AbcKey& key);
  void SetStaff(const AbcStaff& staff) { staff_.Update(staff); }
  void SetMidiTranspose(int semitones) { midi_transpose_ = semitones; }
  void SetPropagation(AbcPropagation propagation) { propagation_ = propagation; }
  // Quarter notes per minute.
  void SetTempo(double tempo) { result_.tempi.push_back({time_, tempo}); }

  AbcMarks& marks() { return marks_; }
  Ticks unit() const { return unit_; }
  bool percussion() const { return staff_.percussion.value_or(false); }

  // Fail with ResourceExhausted where a limit is exceeded.
  [[nodiscard]] absl::Status AddChord(std::span<const AbcNote> notes, AbcLength factor);
  [[nodiscard]] absl::Status AddRest(AbcLength length);
  [[nodiscard]] absl::Status AddBarsOfRest(int bars);
  [[nodiscard]] absl::Status AddBarLine(const AbcBarLine& line);
  void AddLabel(char label);

  // `length.numerator` is the place of a note in its group, counted backwards to 1; notes of a
  // chord share it.
  void AddGrace(std::span<const AbcNote> notes);
  void Tie();  // the last note or chord to the next
  // a>b (1), a>>b (2), a<b (-1) and so on. Between notes of unequal length, where the standard
  // leaves it open, the longer one is dotted if the other is half of it and has the shorter side;
  // else nothing changes.
  void Break(int strokes);
  // `count` notes in the time that `time` of `notes` have: (notes:time:count.
  void Tuplet(int notes, std::optional<int> time, std::optional<int> count);
  void Overlay();      // &: back to the beginning of the bar
  void OpenOverlay();  // (&: overlays go back to here
  [[nodiscard]] absl::Status CloseOverlay();

  // Where the voice is, for people: "line 7, bar 3".
  void SetLine(int line) { line_ = line; }
  std::string Place() const;

  AbcVoiceResult Take() &&;

 private:
  struct VoiceNote {
    WrittenNote note;
    bool tied = false;
    bool left_out = false;
  };
  struct LastNote {
    int letter = 0;
    int octave = 0;
    int accidental = 0;
    size_t index = 0;  // into notes_
  };
  // The last note, chord or rest, which a tie or broken rhythm changes afterwards.
  struct Event {
    Ticks onset = 0;
    Ticks duration = 0;
    size_t first_note = 0;
    bool breakable = false;
    std::vector<LastNote> notes;
  };

  int SignatureAt(int letter, int octave) const;
  int AccidentalOf(const AbcNote& note);
  void ApplyOrnament(const AbcNote& note, int accidental, WrittenNote* written) const;
  // `broken` is the factor of broken rhythm.
  Ticks DurationOf(AbcLength length, AbcLength factor, AbcLength broken) const;
  absl::Status Advance(Event event);
  void ScaleLast(AbcLength factor);
  // Applies broken rhythm before a note or rest that would have `duration`; the factor for it.
  AbcLength TakeBroken(Ticks duration);
  // ... before a bar line.
  void SettleBroken();
  absl::Status CheckTime(Ticks time) const;
  void PlaceSigns(bool behind);
  void EmitGraces(Ticks onset);
  void ClearAccidentals();
  absl::Status EndOverlay();
  void JoinTies();
  Ticks BarLength() const;

  const NotationLimits& limits_;
  AbcBudget& budget_;
  AbcWarnings& warnings_;
  int line_ = 0;
  Ticks unit_ = kTicksPerQuarter / 2;
  AbcMetre metre_;
  AbcAccidentals key_ = {};
  AbcStaff staff_;
  int midi_transpose_ = 0;
  AbcPropagation propagation_ = AbcPropagation::kPitch;
  // Accidentals of the bar by letter and octave; kNoAccidental: none.
  static constexpr int kOctaves = 16;
  std::array<std::array<int8_t, kOctaves>, 7> bar_accidentals_;

  Ticks time_ = 0;
  Ticks bar_start_ = 0;
  int tuplet_left_ = 0;
  AbcLength tuplet_;
  int broken_ = 0;         // as of Break, until the next note comes
  AbcLength next_factor_;  // of the second note of broken rhythm across a bar line
  Event last_;
  AbcMarks marks_;
  std::vector<AbcNote> graces_;
  std::vector<int> grace_accidentals_;  // parallel to graces_

  int layer_ = 0;            // 0, or the overlay
  Ticks overlay_start_ = 0;  // where overlays go back to
  bool overlay_open_ = false;
  Ticks main_end_ = 0;  // where the voice is without its overlays
  Event main_last_;

  AbcDynamics dynamics_;

  std::vector<VoiceNote> notes_;
  AbcVoiceResult result_;
};

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_ABC_ABC_VOICE_H_
