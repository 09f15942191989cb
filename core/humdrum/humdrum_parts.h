// Who plays the spines of a Humdrum file: names, instruments, transposition, loudness.
//
// Internal to core/humdrum. Not synchronised.
#ifndef ANTIPHON_CORE_HUMDRUM_HUMDRUM_PARTS_H_
#define ANTIPHON_CORE_HUMDRUM_HUMDRUM_PARTS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/humdrum/humdrum_spines.h"
#include "core/humdrum/humdrum_tokens.h"
#include "core/notation/loudness.h"
#include "core/notation/written_score.h"

namespace antiphon::notation {

// A staff: what one **kern has begun, all that it divided into included.
struct KernTrack {
  std::string name;
  std::string code;         // violn of *Ivioln
  std::string part_number;  // of *part1
  bool percussion = false;
  int transposed = 0;  // semitones by which its notes are written too high (*Tr)
  Alterations key{};
  int group = -1;             // tracks of one player have the same
  int velocity = 0;           // by the last mark; 0: nothing is said
  int accented_velocity = 0;  // of the notes that begin on this line; 0: none
  std::vector<LoudnessMark> marks;
  std::vector<Hairpin> hairpins;
  std::optional<Hairpin> open_hairpin;
};

class HumdrumParts {
 public:
  int AddTrack(bool percussion);
  int AddDynamics() { return dynamics_++; }
  int track_count() const { return static_cast<int>(tracks_.size()); }
  KernTrack& track(int index) { return tracks_[static_cast<size_t>(index)]; }
  const KernTrack& track(int index) const { return tracks_[static_cast<size_t>(index)]; }

  // What an interpretation says about the player of a track; others are ignored.
  void Interpret(absl::string_view token, int track);

  // Who plays together and whose loudness is where, from the spines as they are before the first
  // note. Staves of one player: the same *part, or neighbours of one name at a keyboard or harp.
  void Arrange(const std::vector<Spine>& spines);

  // Loudness of a line at `now`, before its notes.
  void BeginLine();
  void Apply(const Dynamics& dynamics, int dynamics_track, Ticks now);
  // ... of the notes of each track, but for those of lines on which the track has an accent.
  std::vector<Loudness> TakeLoudness();

  // The players, the one at the top of the page first (the last spine), and for each track its
  // player, and the first number of its voices within it.
  struct Players {
    std::vector<WrittenPart> parts;
    std::vector<int> part_of_track;
    std::vector<int> first_voice_of_track;
  };
  Players MakePlayers() const;

 private:
  bool SamePlayer(const KernTrack& a, const KernTrack& b) const;

  std::vector<KernTrack> tracks_;
  int groups_ = 0;
  int dynamics_ = 0;
  std::vector<std::vector<int>> dynamics_targets_;  // tracks, by dynamics spine
  std::vector<int> accented_;                       // tracks with an accent on this line
};

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_HUMDRUM_HUMDRUM_PARTS_H_
