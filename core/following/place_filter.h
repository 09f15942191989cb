// Where in the whole score the music is and how fast: the forward algorithm of a hidden Markov
// model whose states are a place and a tempo, exact but for states too unlikely to matter.
//
// Each onset of the score has, for each of kTempi tempi, one state for each frame until the next
// onset is due, and one that waits for an onset that is late. Places advance by a frame's worth of
// their tempo, and the tempo changes from onset to onset: the bar pointer model (Whiteley, Cemgil
// & Godsill 2006) in the state space of Krebs, Böck & Widmer 2015, over the onsets of a score as in
// Cont 2010. Jumps lead to the beginnings of bars, from the ends of bars above all (Nakamura,
// Nakamura & Sagayama 2016 has them from anywhere to anywhere). States that are too unlikely are
// let go, so that time and memory follow how many places are likely.
//
// Deterministic. Belongs to one thread. Internal to core/following.
#ifndef ANTIPHON_CORE_FOLLOWING_PLACE_FILTER_H_
#define ANTIPHON_CORE_FOLLOWING_PLACE_FILTER_H_

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/following/score_model.h"

namespace antiphon::following {

// What is believed about players. Seconds are of the sound, deviations of the logarithm of the
// tempo.
struct PlayerModel {
  double first_tempo_deviation = 0.5;  // from the tempo written
  double tempo_deviation = 0.25;       // that grows in a second
  double least_deviation = 0.04;       // from onset to onset
  double new_tempo_share = 0.02;       // of onsets after which the tempo is another
  double new_tempo_deviation = 0.4;
  double stray_share = 0.05;  // of frames in which a place stays, and of those in which it hurries
  double wait_share = 0.03;   // of onsets that are waited for
  double wait_s = 0.7;        // for so long, in the mean
  double late_tempo_share = 0.5;       // of onsets waited for: it was not a pause, but slower
  double bar_jump_share = 0.0002;      // of beginnings of bars before which the music jumps
  double onset_jump_share = 0.000002;  // of other onsets
  double wait_jump_share = 0.001;      // of onsets waited for
  double jump_tempo_deviation = 0.15;
  double fit_weight = 1.3;        // of a frame's fit in its likelihood
  double novelty_weight = 0.425;  // of a frame's novelty just after an onset
  double attack_weight = 0.05;    // ... of the pitches that rise
  double attack_from_s = 0.005, attack_full_s = 0.025, attack_fades_s = 0.05, attack_to_s = 0.08;
  double fill_from_s = 0.02, fill_to_s = 0.1;  // after an onset: its notes fill the window
};

class PlaceFilter {
 public:
  static constexpr int kTempi = 32;

  // Waits for `event`. Borrows the model.
  PlaceFilter(const ScoreModel& model, const PlayerModel& player, int event);
  ~PlaceFilter();

  void Step(const SoundFrame& frame);

  static constexpr double kRight_s = 0.25;  // of the sound

  struct Place {
    double score_s = 0;
    double tempo_ratio = 1;
    double probability = 0;  // that the music is within kRight_s of it
    double waiting = 0;      // ... that it waits for an onset
    int event = -1;          // the last one begun
  };
  Place Where() const;

  // Of all places: those at which an onset of the score is due just now whose pitches rise.
  double attacked() const { return attacked_ / total_; }

 private:
  using Tempi = std::array<float, kTempi>;

  // The cells of a tempo: one for each frame from an onset to the next.
  struct Row {
    int begin = 0, length = 0;
    int from = 0, to = 0;  // of its cells, those that are not 0
    float early = 0;  // that enters at the second cell, so that the length is right in the mean
    float sum = 0;    // of its cells
  };
  // The states after an onset.
  struct EventState {
    std::array<Row, kTempi> rows;
    std::vector<float> cells;
    Tempi waiting{};
  };
  struct FrameEvidence {
    uint32_t stamp = 0;
    float value = 0;
  };
  // Of onsets just before a place.
  struct Attacks {
    float pitches = 0;  // that their pitches rise: a logarithm
    float heard = 0;    // 0 to 1: one must be heard now
  };
  struct Point {
    double score_s = 0;
    float share = 0;
    int event = 0;
    int tempo = 0;
  };

  EventState& StateOf(int event);
  double Duration(int event) const;
  int LastSlice(int event) const;
  float Fit(int slice);
  float Attack(int event);
  float AttackProfile(double elapsed_s) const;

  void Advance(int event);
  void Enter(int event, const Tempi& mass);
  void Jump();
  void Weigh(int event, EventState& state);
  void WeighRow(int event, float ratio, Row& row, float* cells);
  Attacks AttacksAt(int event, double elapsed_s, float ratio);
  void LetGo();
  std::vector<Point> LikelyPoints() const;  // by score_s
  double MeanTempo(std::span<const Point> points) const;

  const ScoreModel& model_;
  const PlayerModel player_;
  Tempi ratios_{};
  std::vector<std::array<Tempi, kTempi>> kernels_;  // from tempo to tempo, by deviation
  std::array<Tempi, kTempi> late_kernel_{};
  std::vector<std::unique_ptr<EventState>> states_;  // of event - 1; null: unlikely
  std::vector<int> active_;                          // events with states, rising
  std::vector<int> entered_;                         // ... that have just become so
  std::vector<int> bars_;                            // events that begin bars
  Tempi jumping_{};
  float attacked_ = 0;
  float least_ = 0;  // of all, after an onset: less is let go
  float total_ = 1;  // of all states
  float best_ = 0;   // of those after one onset, the most
  float scale_ = 1;  // by which they are multiplied, so that this stays near 1

  const SoundFrame* frame_ = nullptr;
  float novelty_ = 0;
  uint32_t stamp_ = 0;
  std::vector<FrameEvidence> fits_, attacks_;
};

}  // namespace antiphon::following

#endif  // ANTIPHON_CORE_FOLLOWING_PLACE_FILTER_H_
