#include "core/following/particle_cloud.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace antiphon::following {
namespace {

constexpr double kBefore_s = 1e-4;  // of the score: who waits for an onset is so long before it
constexpr double kLeastTempo = 0.2, kMostTempo = 5;
constexpr float kNever = -std::numeric_limits<float>::infinity();

// A table of the normal distribution, at equal steps of probability.
constexpr int kNormals = 4096;
std::array<float, kNormals> MakeNormals() {
  std::array<float, kNormals> values{};
  // The distribution function is inverted by walking along it.
  double x = -5;
  constexpr double kStep = 1e-4;
  const auto below = [](double at) { return 0.5 * std::erfc(-at / std::sqrt(2.0)); };
  for (int i = 0; i < kNormals; ++i) {
    while (below(x) < (i + 0.5) / kNormals) x += kStep;
    values[i] = static_cast<float>(x);
  }
  return values;
}

}  // namespace

FrameEvidence::FrameEvidence(const ScoreModel& model)
    : model_(model), fits_(model.slices().size()), attacks_(model.events().size()) {}

void FrameEvidence::SetFrame(const SoundFrame& frame) {
  frame_ = &frame;
  novelty_ = Novelty(frame);
  if (++stamp_ == 0) {
    std::fill(fits_.begin(), fits_.end(), Kept());
    std::fill(attacks_.begin(), attacks_.end(), Kept());
    stamp_ = 1;
  }
}

float FrameEvidence::Fit(int slice) {
  Kept& kept = fits_[slice];
  if (kept.stamp != stamp_) kept = {stamp_, model_.Fit(slice, *frame_)};
  return kept.value;
}

float FrameEvidence::Attack(int event) {
  Kept& kept = attacks_[event];
  if (kept.stamp != stamp_) kept = {stamp_, model_.Attack(event, *frame_)};
  return kept.value;
}

ParticleCloud::ParticleCloud(const ScoreModel& model, const PlayerModel& player, int particles,
                             const Start& start, uint64_t seed)
    : model_(&model),
      player_(player),
      begun_(!start.waiting),
      state_(seed * 0x9E3779B97F4A7C15ull + 1) {
  const auto weight = static_cast<float>(1.0 / particles);
  for (int i = 0; i < particles; ++i) {
    Particle particle;
    particle.score_s = start.from_s + (start.to_s - start.from_s) * (i + Uniform()) / particles;
    Locate(particle);
    if (start.waiting) {
      const double next_s = NextOnset(particle.event);
      if (std::isfinite(next_s)) particle.score_s = next_s - kBefore_s;
      particle.waiting = std::isfinite(next_s);
    }
    particle.tempo = static_cast<float>(std::clamp(
        start.tempo_ratio * std::exp(start.tempo_deviation * Normal()), kLeastTempo, kMostTempo));
    particle.usual = particle.tempo;
    particle.weight = weight;
    particles_.push_back(particle);
  }
}

// Xorshift* (Marsaglia 2003; Vigna 2016).
uint64_t ParticleCloud::Random() {
  state_ ^= state_ >> 12;
  state_ ^= state_ << 25;
  state_ ^= state_ >> 27;
  return state_ * 0x2545F4914F6CDD1Dull;
}

double ParticleCloud::Uniform() { return static_cast<double>(Random() >> 11) * 0x1.0p-53; }

float ParticleCloud::Normal() {
  static const std::array<float, kNormals> normals = MakeNormals();
  return normals[Random() >> 52];
}

double ParticleCloud::NextOnset(int event) const {
  const size_t next = event + 1;
  return next < model_->events().size() ? model_->events()[next].onset_s
                                        : std::numeric_limits<double>::infinity();
}

float ParticleCloud::AttackProfile(double elapsed_s) const {
  if (elapsed_s <= player_.attack_from_s || elapsed_s >= player_.attack_to_s) return 0;
  if (elapsed_s < player_.attack_full_s)
    return static_cast<float>((elapsed_s - player_.attack_from_s) /
                              (player_.attack_full_s - player_.attack_from_s));
  if (elapsed_s <= player_.attack_fades_s) return 1;
  return static_cast<float>((player_.attack_to_s - elapsed_s) /
                            (player_.attack_to_s - player_.attack_fades_s));
}

void ParticleCloud::Advance(Particle& particle) const {
  const auto& events = model_->events();
  const auto& slices = model_->slices();
  while (particle.event + 1 < static_cast<int>(events.size()) &&
         events[particle.event + 1].onset_s <= particle.score_s) {
    ++particle.event;
    particle.since_s = 0;
  }
  while (particle.slice + 1 < static_cast<int>(slices.size()) &&
         slices[particle.slice + 1].start_s <= particle.score_s)
    ++particle.slice;
}

void ParticleCloud::Locate(Particle& particle) const {
  const auto& events = model_->events();
  const auto& slices = model_->slices();
  const auto event =
      std::upper_bound(events.begin(), events.end(), particle.score_s,
                       [](double at_s, const ScoreEvent& one) { return at_s < one.onset_s; });
  const auto slice =
      std::upper_bound(slices.begin(), slices.end(), particle.score_s,
                       [](double at_s, const ScoreSlice& one) { return at_s < one.start_s; });
  particle.event = static_cast<int>(event - events.begin()) - 1;
  particle.slice = std::max(0, static_cast<int>(slice - slices.begin()) - 1);
  particle.waiting = false;
}

void ParticleCloud::SetTempo(Particle& particle, double tempo) {
  particle.tempo = static_cast<float>(std::clamp(tempo, kLeastTempo, kMostTempo));
}

void ParticleCloud::Move(Particle& particle) {
  static const double root = std::sqrt(kFrame_s);
  const float away = std::log(particle.tempo / particle.usual);
  SetTempo(particle,
           particle.tempo * std::exp(static_cast<float>(player_.tempo_deviation * root) * Normal() -
                                     static_cast<float>(player_.tempo_pull * kFrame_s) * away));
  particle.usual *= std::exp(away * static_cast<float>(kFrame_s / player_.usual_s));
  if (begun_ && Uniform() < player_.stray_rate * kFrame_s) {
    particle.score_s = std::clamp(particle.score_s + particle.tempo * player_.stray_s * Normal(),
                                  model_->events().front().onset_s, model_->end_s());
    Locate(particle);
    return;
  }
  const double step_s = kFrame_s + player_.place_deviation_s * root * Normal();
  const double next_s = NextOnset(particle.event);
  particle.score_s = std::max(
      particle.event >= 0 ? model_->events()[particle.event].onset_s : model_->events()[0].onset_s,
      particle.score_s + particle.tempo * step_s);
  if (particle.score_s >= next_s) {
    if (Uniform() < player_.wait_share) {
      particle.score_s = next_s - kBefore_s;
      particle.waiting = true;
      particle.attacked = 0;
    } else {
      Advance(particle);
      if (Uniform() < player_.new_tempo_share)
        SetTempo(particle, particle.usual * std::exp(player_.new_tempo_deviation * Normal()));
    }
  } else {
    Advance(particle);
  }
}

float ParticleCloud::LogLikelihood(Particle& particle, FrameEvidence& evidence) const {
  float attack = 0, heard = 0;
  for (int event = particle.event; event >= 0 && event > particle.event - 4; --event) {
    const double since_s = (particle.score_s - model_->events()[event].onset_s) / particle.tempo;
    if (since_s >= player_.attack_to_s) break;
    const float profile = AttackProfile(since_s);
    if (profile > 0) {
      attack += profile * static_cast<float>(player_.attack_weight) * evidence.Attack(event);
      heard = std::max(heard, profile);
    }
  }
  particle.attacked = heard;
  float fit = evidence.Fit(particle.slice);
  const double slice_s =
      (particle.score_s - model_->slices()[particle.slice].start_s) / particle.tempo;
  if (particle.slice > 0 && slice_s < player_.fill_to_s) {
    const auto filled = static_cast<float>(std::clamp(
        (slice_s - player_.fill_from_s) / (player_.fill_to_s - player_.fill_from_s), 0.0, 1.0));
    fit = filled * fit + (1 - filled) * evidence.Fit(particle.slice - 1);
  }
  return static_cast<float>(player_.fit_weight) * fit + attack +
         heard * static_cast<float>(player_.novelty_weight) * evidence.novelty();
}

// Goes on waiting, or has heard what it waits for a moment ago: drawn with the evidence of this
// frame, so that few particles are enough. Returns the logarithm of the weight.
float ParticleCloud::Wait(Particle& particle, FrameEvidence& evidence) {
  if (evidence.frame().loudness == 0) return 0;  // nothing can have begun
  Particle gone = particle;
  gone.waiting = false;
  if (particle.event >= 0 && Uniform() < player_.late_tempo_share) {
    const double written_s = particle.score_s - model_->events()[particle.event].onset_s;
    SetTempo(gone, written_s / std::max(0.02f, particle.since_s) *
                       std::exp(player_.late_tempo_deviation * Normal()));
  }
  gone.score_s += kBefore_s + gone.tempo * (player_.attack_full_s + kFrame_s);
  Advance(gone);
  const float stay = static_cast<float>(player_.fit_weight) * evidence.Fit(particle.slice);
  const float go = LogLikelihood(gone, evidence);
  const auto hazard = static_cast<float>(kFrame_s / player_.wait_s);
  const float ratio = hazard / (1 - hazard) * std::exp(std::min(50.0f, go - stay));
  if (Uniform() < ratio / (1 + ratio)) particle = gone;
  return stay + std::log((1 - hazard) * (1 + ratio));
}

double ParticleCloud::Step(FrameEvidence& evidence) {
  std::vector<float> logs(particles_.size());
  float best = kNever;
  for (size_t i = 0; i < particles_.size(); ++i) {
    Particle& particle = particles_[i];
    particle.since_s += static_cast<float>(kFrame_s);
    if (particle.waiting && !(begun_ && Uniform() < player_.stray_rate * kFrame_s)) {
      logs[i] = Wait(particle, evidence);
    } else {
      Move(particle);
      logs[i] = particle.waiting
                    ? static_cast<float>(player_.fit_weight) * evidence.Fit(particle.slice)
                    : LogLikelihood(particle, evidence);
    }
    best = std::max(best, logs[i]);
  }
  float sum = 0;
  for (size_t i = 0; i < particles_.size(); ++i) {
    particles_[i].weight *= std::exp(logs[i] - best);
    sum += particles_[i].weight;
  }
  float squares = 0, attacked = 0, moving = 0;
  for (Particle& particle : particles_) {
    particle.weight /= sum;
    squares += particle.weight * particle.weight;
    attacked += particle.weight * particle.attacked;
    if (!particle.waiting) moving += particle.weight;
  }
  attacked_ = attacked;
  begun_ = begun_ || moving > 0.5f;
  if (squares * static_cast<float>(particles_.size()) > 2) Resample();
  return best + std::log(sum);
}

// Systematically (Kitagawa 1996).
void ParticleCloud::Resample() {
  const auto count = static_cast<double>(particles_.size());
  spare_.clear();
  double position = Uniform() / count, sum = 0;
  for (const Particle& particle : particles_) {
    sum += particle.weight;
    for (; position < sum && spare_.size() < particles_.size(); position += 1 / count) {
      spare_.push_back(particle);
      spare_.back().weight = static_cast<float>(1 / count);
    }
  }
  while (spare_.size() < particles_.size()) {
    spare_.push_back(particles_.back());
    spare_.back().weight = static_cast<float>(1 / count);
  }
  std::swap(particles_, spare_);
}

ParticleCloud::Place ParticleCloud::Where() const {
  std::vector<const Particle*> sorted;
  sorted.reserve(particles_.size());
  double tempo = 0;
  Place place;
  for (const Particle& particle : particles_) {
    sorted.push_back(&particle);
    tempo += particle.weight * std::log(particle.tempo);
    if (particle.waiting) place.waiting += particle.weight;
  }
  tempo = std::exp(tempo);
  std::sort(sorted.begin(), sorted.end(),
            [](const Particle* a, const Particle* b) { return a->score_s < b->score_s; });
  // The window that holds most of the weight.
  const double width_s = 0.2 * tempo;
  double sum = 0, best = -1;
  size_t first = 0, best_first = 0, best_last = 0;
  for (size_t last = 0; last < sorted.size(); ++last) {
    sum += sorted[last]->weight;
    while (sorted[last]->score_s - sorted[first]->score_s > width_s) sum -= sorted[first++]->weight;
    if (sum > best) {
      best = sum;
      best_first = first;
      best_last = last;
    }
  }
  double weight = 0, mean_s = 0, logarithm = 0;
  for (size_t i = best_first; i <= best_last; ++i) {
    weight += sorted[i]->weight;
    mean_s += sorted[i]->weight * sorted[i]->score_s;
    logarithm += sorted[i]->weight * std::log(sorted[i]->tempo);
  }
  place.score_s = mean_s / weight;
  place.tempo_ratio = std::exp(logarithm / weight);
  for (const Particle& particle : particles_) {
    if (std::abs(particle.score_s - place.score_s) <= kRight_s * place.tempo_ratio)
      place.share += particle.weight;
  }
  // The middle one of them.
  double below = 0;
  for (size_t i = best_first; i <= best_last && below < weight / 2; ++i) {
    below += sorted[i]->weight;
    place.event = sorted[i]->event;
  }
  return place;
}

}  // namespace antiphon::following
