// One hypothesis of where the music is: a cloud of places in the score and tempi, weighted by how
// well they explain the sound (a particle filter). Deterministic. Belongs to one thread. Internal
// to core/following.
#ifndef ANTIPHON_CORE_FOLLOWING_PARTICLE_CLOUD_H_
#define ANTIPHON_CORE_FOLLOWING_PARTICLE_CLOUD_H_

#include <cstdint>
#include <vector>

#include "core/following/score_model.h"

namespace antiphon::following {

// The evidence of one frame for each slice and each event of a score, computed when first asked.
class FrameEvidence {
 public:
  // Borrows the model.
  explicit FrameEvidence(const ScoreModel& model);

  // Borrows the frame until the next call.
  void SetFrame(const SoundFrame& frame);

  const SoundFrame& frame() const { return *frame_; }
  float Fit(int slice);
  float Attack(int event);
  float novelty() const { return novelty_; }

 private:
  struct Kept {
    uint32_t stamp = 0;
    float value = 0;
  };
  const ScoreModel& model_;
  const SoundFrame* frame_ = nullptr;
  float novelty_ = 0;
  uint32_t stamp_ = 0;
  std::vector<Kept> fits_, attacks_;
};

// What the model believes about players. Deviations are of the logarithm of the tempo or seconds of
// the sound.
struct PlayerModel {
  double first_tempo_deviation = 0.45;  // from the tempo written
  double tempo_deviation = 0.25;        // that grows in a second
  double tempo_pull = 0.3;              // a second: back to what it has been for some time
  double usual_s = 15;                  // for so long
  double place_deviation_s = 0.03;      // that grows in a second
  double stray_rate = 0.3;              // a second: of being elsewhere near by than was thought
  double stray_s = 0.4;                 // by so much
  double new_tempo_share = 0.02;        // of onsets after which the tempo is another
  double new_tempo_deviation = 0.4;
  double late_tempo_share = 0.5;  // of onsets waited for: it was not a pause, but slower
  double late_tempo_deviation = 0.1;
  double wait_share = 0.03;       // of onsets that are waited for
  double wait_s = 0.7;            // for so long, in the mean
  double fit_weight = 1;          // of a frame's fit in its likelihood
  double novelty_weight = 0.425;  // of a frame's novelty just after an onset
  double attack_weight = 0.05;    // ... of the pitches that rise
  double attack_from_s = 0.005, attack_full_s = 0.025, attack_fades_s = 0.05, attack_to_s = 0.08;
  double fill_from_s = 0.02, fill_to_s = 0.1;  // after an onset: its notes fill the window
};

class ParticleCloud {
 public:
  struct Place {
    double score_s = 0;
    double tempo_ratio = 1;
    double share = 0;    // of the cloud that is within kRight_s of it
    double waiting = 0;  // share of the cloud that waits
    int event = -1;      // the last one begun
  };
  static constexpr double kRight_s = 0.25;  // of the sound

  // Where it begins: somewhere in a stretch of the score.
  struct Start {
    double from_s = 0, to_s = 0;  // of the score
    double tempo_ratio = 1;
    double tempo_deviation = 0.2;  // of its logarithm
    bool waiting = false;          // for the first event that is not before `to_s`
  };

  // Borrows the model.
  ParticleCloud(const ScoreModel& model, const PlayerModel& player, int particles,
                const Start& start, uint64_t seed);

  // A frame has been heard. Returns the logarithm of how likely it was.
  double Step(FrameEvidence& evidence);

  Place Where() const;

  // The share of the cloud for which an event of the score has begun just now.
  double attacked() const { return attacked_; }

 private:
  struct Particle {
    double score_s = 0;
    float tempo = 1;
    float usual = 1;  // tempo, for some time
    float weight = 1;
    int event = -1;        // the last one begun; -1: none
    int slice = -1;        // of score_s
    float attacked = 0;    // 0 to 1: an event has begun just now
    float since_s = 0;     // of the sound, since `event` began
    bool waiting = false;  // for the event after `event`
  };

  uint64_t Random();
  double Uniform();
  float Normal();
  static void SetTempo(Particle& particle, double tempo);
  void Move(Particle& particle);
  // Of what it would hear.
  float LogLikelihood(Particle& particle, FrameEvidence& evidence) const;
  float Wait(Particle& particle, FrameEvidence& evidence);
  void Advance(Particle& particle) const;
  void Locate(Particle& particle) const;
  void Resample();
  double NextOnset(int event) const;
  float AttackProfile(double elapsed_s) const;

  const ScoreModel* model_;
  PlayerModel player_;
  std::vector<Particle> particles_, spare_;
  double attacked_ = 0;
  bool begun_;  // most of it has heard something
  uint64_t state_;
};

}  // namespace antiphon::following

#endif  // ANTIPHON_CORE_FOLLOWING_PARTICLE_CLOUD_H_
