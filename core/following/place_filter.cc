#include "core/following/place_filter.h"

#include <algorithm>
#include <cmath>

namespace antiphon::following {
namespace {

constexpr double kLeastTempo = 0.25, kMostTempo = 4;
constexpr double kLongest_s = 60;  // of the sound: no onset is due later
constexpr float kLeast = 1e-8f;    // of all, after an onset: less is let go
constexpr float kRowShare = 0.1f;  // of that, at one of its tempi
constexpr size_t kMostOnsets = 400;
constexpr float kLeastOfBest = 0.2f;  // less than this of the likeliest
constexpr int kAttacksHeard = 4;      // onsets so close together that all are still heard
constexpr float kNothing = 1e-12f;
constexpr float kLeastSeen = 1e-5f;  // of all, for a state to count in an answer
constexpr int kPadding = 2;          // cells of 0 before a row
constexpr int kLanes = 8;
constexpr double kWindow_s = 0.2;       // of the sound: places closer than this are one
constexpr float kJumpShare = 0.1f;      // of that, to one place
constexpr int kDeviations = 8;          // kernels for so many deviations
constexpr double kMostDeviation = 0.8;  // ... up to this, each 0.63 of the next
constexpr double kLateTempo = 0.35;     // of an onset waited for: how much slower it was

using Tempi = std::array<float, PlaceFilter::kTempi>;

double LogStep() { return std::log(kMostTempo / kLeastTempo) / (PlaceFilter::kTempi - 1); }

// How likely each tempo is where the logarithm is about `centre`, in steps.
void AddNormal(double centre, double deviation, double share, Tempi& tempi) {
  std::array<double, PlaceFilter::kTempi> values{};
  double sum = 0;
  for (int i = 0; i < PlaceFilter::kTempi; ++i) {
    const double away = (i - centre) * LogStep() / deviation;
    values[i] = std::exp(-0.5 * away * away);
    sum += values[i];
  }
  for (int i = 0; i < PlaceFilter::kTempi; ++i)
    tempi[i] += static_cast<float>(share * values[i] / sum);
}

double DeviationOf(int kernel) {
  return kMostDeviation * std::exp2((kernel + 1 - kDeviations) / 1.5);
}

int KernelOf(double deviation) {
  const double at = kDeviations - 1 + 1.5 * std::log2(std::max(1e-6, deviation) / kMostDeviation);
  return std::clamp(static_cast<int>(std::lround(at)), 0, kDeviations - 1);
}

// Returns their sum.
float Multiply(float factor, std::span<float> cells) {
  std::array<float, kLanes> sums{};
  size_t i = 0;
  for (; i + kLanes <= cells.size(); i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) {
      cells[i + lane] *= factor;
      sums[lane] += cells[i + lane];
    }
  }
  float sum = 0;
  for (; i < cells.size(); ++i) {
    cells[i] *= factor;
    sum += cells[i];
  }
  for (const float part : sums) sum += part;
  return sum;
}

}  // namespace

PlaceFilter::PlaceFilter(const ScoreModel& model, const PlayerModel& player, int event)
    : model_(model),
      player_(player),
      states_(model.events().size() + 1),
      least_(kLeast),
      fits_(model.slices().size()),
      attacks_(model.events().size()) {
  for (int i = 0; i < kTempi; ++i)
    ratios_[i] = static_cast<float>(kLeastTempo * std::exp(i * LogStep()));
  for (int kernel = 0; kernel < kDeviations; ++kernel) {
    auto& rows = kernels_.emplace_back();
    for (int i = 0; i < kTempi; ++i) {
      AddNormal(i, DeviationOf(kernel), 1 - player.new_tempo_share, rows[i]);
      AddNormal(i, player.new_tempo_deviation, player.new_tempo_share, rows[i]);
    }
  }
  for (int i = 0; i < kTempi; ++i) {
    AddNormal(i, 0.1, 1 - player.late_tempo_share, late_kernel_[i]);
    AddNormal(std::max(0.0, i - kLateTempo / LogStep()), kLateTempo / 2, player.late_tempo_share,
              late_kernel_[i]);
  }
  for (size_t i = 0; i < model.events().size(); ++i) {
    if (model.events()[i].begins_bar) bars_.push_back(static_cast<int>(i));
  }
  AddNormal(-std::log(kLeastTempo) / LogStep(), player.first_tempo_deviation, 1,
            StateOf(event - 1).waiting);
  active_.swap(entered_);
}

PlaceFilter::~PlaceFilter() = default;

double PlaceFilter::Duration(int event) const {
  const auto& events = model_.events();
  if (event < 0) return events.front().onset_s;
  const auto next = static_cast<size_t>(event) + 1;
  return std::max(
      1e-3, (next < events.size() ? events[next].onset_s : model_.end_s()) - events[event].onset_s);
}

int PlaceFilter::LastSlice(int event) const {
  const auto next = static_cast<size_t>(event) + 1;
  return next < model_.events().size() ? std::max(0, model_.events()[next].first_slice - 1)
                                       : static_cast<int>(model_.slices().size()) - 1;
}

PlaceFilter::EventState& PlaceFilter::StateOf(int event) {
  std::unique_ptr<EventState>& state = states_[event + 1];
  if (!state) {
    state = std::make_unique<EventState>();
    int length = 0;
    for (int i = 0; event >= 0 && i < kTempi; ++i) {
      const double frames =
          std::max(1.0, std::min(kLongest_s, Duration(event) / ratios_[i]) / kFrame_s);
      Row& row = state->rows[i];
      row.begin = length + kPadding;
      row.length = static_cast<int>(std::ceil(frames));
      row.early = row.length > 1 ? static_cast<float>(row.length - frames) : 0;
      length = row.begin + row.length;
    }
    state->cells.resize(length);
    entered_.push_back(event);
  }
  return *state;
}

float PlaceFilter::Fit(int slice) {
  FrameEvidence& kept = fits_[slice];
  if (kept.stamp != stamp_) kept = {stamp_, model_.Fit(slice, *frame_)};
  return kept.value;
}

float PlaceFilter::Attack(int event) {
  FrameEvidence& kept = attacks_[event];
  if (kept.stamp != stamp_) kept = {stamp_, model_.Attack(event, *frame_)};
  return kept.value;
}

float PlaceFilter::AttackProfile(double elapsed_s) const {
  if (elapsed_s <= player_.attack_from_s || elapsed_s >= player_.attack_to_s) return 0;
  if (elapsed_s < player_.attack_full_s)
    return static_cast<float>((elapsed_s - player_.attack_from_s) /
                              (player_.attack_full_s - player_.attack_from_s));
  if (elapsed_s <= player_.attack_fades_s) return 1;
  return static_cast<float>((player_.attack_to_s - elapsed_s) /
                            (player_.attack_to_s - player_.attack_fades_s));
}

void PlaceFilter::Step(const SoundFrame& frame) {
  frame_ = &frame;
  novelty_ = Novelty(frame);
  if (++stamp_ == 0) {
    std::fill(fits_.begin(), fits_.end(), FrameEvidence());
    std::fill(attacks_.begin(), attacks_.end(), FrameEvidence());
    stamp_ = 1;
  }
  jumping_ = {};
  // From the last one on, so that what enters an onset's states does not advance yet.
  for (auto event = active_.rbegin(); event != active_.rend(); ++event) Advance(*event);
  Jump();
  active_.insert(active_.end(), entered_.begin(), entered_.end());
  std::sort(active_.begin(), active_.end());
  entered_.clear();
  scale_ = 1 / total_;
  attacked_ = 0;
  total_ = best_ = 0;
  for (const int event : active_) Weigh(event, *states_[event + 1]);
  LetGo();
}

void PlaceFilter::Advance(int event) {
  EventState& state = *states_[event + 1];
  const auto stray = static_cast<float>(player_.stray_share);
  const auto hazard = frame_->loudness > 0 ? static_cast<float>(kFrame_s / player_.wait_s) : 0;
  const auto wait = static_cast<float>(player_.wait_share);
  const auto wait_jump = static_cast<float>(player_.wait_jump_share);
  const bool is_last = event + 1 == static_cast<int>(model_.events().size());
  const auto jump = static_cast<float>(!is_last && model_.events()[event + 1].begins_bar
                                           ? player_.bar_jump_share
                                           : player_.onset_jump_share);
  const double duration_s = Duration(event);
  Tempi next{};
  for (int tempo = 0; tempo < kTempi; ++tempo) {
    float ended = 0;
    Row& row = state.rows[tempo];
    if (row.sum > 0) {
      float* const cells = state.cells.data() + row.begin;
      ended = (1 - stray) * cells[row.length - 1] + stray * cells[row.length - 2];
      row.to = std::min(row.length, row.to + 2);
      for (int i = row.to - 1; i >= row.from; --i)
        cells[i] = (1 - 2 * stray) * cells[i - 1] + stray * (cells[i] + cells[i - 2]);
    }
    const float come = hazard * state.waiting[tempo];
    if (is_last) {
      jumping_[tempo] += come * wait_jump;
      state.waiting[tempo] += ended - come * wait_jump;
      continue;
    }
    state.waiting[tempo] += wait * ended - come;
    ended *= 1 - wait;
    jumping_[tempo] += jump * ended + wait_jump * come;
    if (ended > 0) {
      const double deviation =
          std::max(player_.least_deviation,
                   player_.tempo_deviation * std::sqrt(duration_s / ratios_[tempo]));
      const Tempi& kernel = kernels_[KernelOf(deviation)][tempo];
      for (int i = 0; i < kTempi; ++i) next[i] += (1 - jump) * ended * kernel[i];
    }
    if (come > 0) {
      for (int i = 0; i < kTempi; ++i) next[i] += (1 - wait_jump) * come * late_kernel_[tempo][i];
    }
  }
  if (std::any_of(next.begin(), next.end(), [](float mass) { return mass > kRowShare * kLeast; }))
    Enter(event + 1, next);
}

void PlaceFilter::Enter(int event, const Tempi& mass) {
  EventState& state = StateOf(event);
  for (int tempo = 0; tempo < kTempi; ++tempo) {
    Row& row = state.rows[tempo];
    if (mass[tempo] <= 0) continue;
    state.cells[row.begin] += (1 - row.early) * mass[tempo];
    if (row.length > 1) state.cells[row.begin + 1] += row.early * mass[tempo];
    row.sum += mass[tempo];
    row.from = 0;
    row.to = std::max(row.to, std::min(2, row.length));
  }
}

void PlaceFilter::Jump() {
  Tempi tempi{};
  float all = 0;
  for (int from = 0; from < kTempi; ++from) {
    const Tempi& kernel = kernels_[KernelOf(player_.jump_tempo_deviation)][from];
    for (int to = 0; to < kTempi; ++to) tempi[to] += jumping_[from] * kernel[to];
    all += jumping_[from];
  }
  const auto enter = [&](float share, int event) {
    if (share * all < kJumpShare * least_) return;
    Tempi mass = tempi;
    for (float& one : mass) one *= share;
    Enter(event, mass);
  };
  for (const int event : bars_) enter(1 / static_cast<float>(bars_.size()), event);
}

void PlaceFilter::Weigh(int event, EventState& state) {
  float all = 0;
  for (int tempo = 0; tempo < kTempi; ++tempo) {
    Row& row = state.rows[tempo];
    if (row.sum <= 0) continue;
    WeighRow(event, ratios_[tempo], row, state.cells.data() + row.begin);
    all += row.sum;
  }
  const float factor =
      scale_ * std::exp(static_cast<float>(player_.fit_weight) * Fit(LastSlice(event)));
  for (float& one : state.waiting) {
    one *= factor;
    all += one;
  }
  total_ += all;
  best_ = std::max(best_, all);
}

PlaceFilter::Attacks PlaceFilter::AttacksAt(int event, double elapsed_s, float ratio) {
  const auto& events = model_.events();
  Attacks attacks;
  for (int one = event; one >= 0 && one > event - kAttacksHeard; --one) {
    const double since_s = elapsed_s + (events[event].onset_s - events[one].onset_s) / ratio;
    if (since_s >= player_.attack_to_s) break;
    const float profile = AttackProfile(since_s);
    attacks.pitches += profile * static_cast<float>(player_.attack_weight) * Attack(one);
    attacks.heard = std::max(attacks.heard, profile);
  }
  return attacks;
}

void PlaceFilter::WeighRow(int event, float ratio, Row& row, float* cells) {
  const auto& slices = model_.slices();
  const double onset_s = model_.events()[event].onset_s;
  const auto fit_weight = static_cast<float>(player_.fit_weight);
  const auto novelty = static_cast<float>(player_.novelty_weight) * novelty_;
  int slice = model_.events()[event].first_slice;
  const int last_slice = LastSlice(event);
  float sum = 0;
  while (row.from < row.to && cells[row.from] < kNothing) cells[row.from++] = 0;
  for (int i = row.from; i < row.to;) {
    const double elapsed_s = (i + 0.5) * kFrame_s;
    while (slice < last_slice && slices[slice + 1].start_s <= onset_s + elapsed_s * ratio) ++slice;
    const double begun_s = elapsed_s - (slices[slice].start_s - onset_s) / ratio;
    if (begun_s < player_.fill_to_s) {
      const auto filled = static_cast<float>(std::clamp(
          (begun_s - player_.fill_from_s) / (player_.fill_to_s - player_.fill_from_s), 0.0, 1.0));
      const float fit = filled * Fit(slice) + (1 - filled) * Fit(std::max(0, slice - 1));
      const Attacks attacks = AttacksAt(event, elapsed_s, ratio);
      cells[i] *= scale_ * std::exp(fit_weight * fit + attacks.pitches + attacks.heard * novelty);
      sum += cells[i];
      if (attacks.pitches > 0) attacked_ += attacks.heard * cells[i];
      ++i;
      continue;
    }
    // The same until the next slice.
    int end = row.to;
    if (slice < last_slice) {
      const double next_s = (slices[slice + 1].start_s - onset_s) / ratio;
      end = std::min(end, std::max(i + 1, static_cast<int>(std::lround(next_s / kFrame_s))));
    }
    const std::span<float> same(cells + i, end - i);
    sum += Multiply(scale_ * std::exp(fit_weight * Fit(slice)), same);
    i = end;
  }
  while (row.to > row.from && cells[row.to - 1] < kNothing) cells[--row.to] = 0;
  row.sum = row.from < row.to ? sum : 0;
}

void PlaceFilter::LetGo() {
  // Where very many places are likely, fewer are kept, so that time is bounded; the likeliest
  // always is.
  least_ = std::max(kLeast, least_ * (active_.size() > kMostOnsets ? 1.5f : 0.9f));
  least_ = std::min(least_, kLeastOfBest * best_ / total_);
  std::erase_if(active_, [&](int event) {
    EventState& state = *states_[event + 1];
    float all = 0;
    for (Row& row : state.rows) {
      if (row.sum < kRowShare * least_ * total_ && row.sum > 0) {
        std::fill_n(state.cells.begin() + row.begin, row.length, 0.0f);
        row.sum = 0;
        row.from = row.to = 0;
      }
      all += row.sum;
    }
    for (float& one : state.waiting) {
      if (one < kRowShare * least_ * total_) one = 0;
      all += one;
    }
    if (all >= least_ * total_) return false;
    states_[event + 1].reset();
    return true;
  });
}

std::vector<PlaceFilter::Point> PlaceFilter::LikelyPoints() const {
  std::vector<Point> points;
  for (const int event : active_) {
    const EventState& state = *states_[event + 1];
    const double onset_s = event >= 0 ? model_.events()[event].onset_s : 0;
    const double next_s = onset_s + Duration(event);
    for (int tempo = 0; tempo < kTempi; ++tempo) {
      const auto add = [&](double score_s, float mass) {
        if (mass >= kLeastSeen * total_)
          points.push_back({std::min(score_s, next_s), mass / total_, event, tempo});
      };
      const Row& row = state.rows[tempo];
      for (int i = row.from; i < row.to; ++i)
        add(onset_s + (i + 0.5) * kFrame_s * ratios_[tempo], state.cells[row.begin + i]);
      add(next_s, state.waiting[tempo]);
    }
  }
  std::sort(points.begin(), points.end(),
            [](const Point& a, const Point& b) { return a.score_s < b.score_s; });
  return points;
}

PlaceFilter::Place PlaceFilter::Where() const {
  const std::vector<Point> points = LikelyPoints();
  const double width_s = kWindow_s * MeanTempo(points);
  std::span<const Point> window;
  double sum = 0, best = -1;
  for (size_t first = 0, last = 0; last < points.size(); ++last) {
    sum += points[last].share;
    while (points[last].score_s - points[first].score_s > width_s) sum -= points[first++].share;
    if (sum <= best) continue;
    best = sum;
    window = std::span(points).subspan(first, last + 1 - first);
  }
  Place place;
  double share = 0;
  for (const Point& one : window) {
    share += one.share;
    place.score_s += one.share * one.score_s;
  }
  place.score_s /= share;
  place.tempo_ratio = MeanTempo(window);
  for (const Point& one : points) {
    if (std::abs(one.score_s - place.score_s) <= kRight_s * place.tempo_ratio)
      place.probability = std::min(1.0, place.probability + one.share);
  }
  for (const int event : active_) {
    for (const float one : states_[event + 1]->waiting) place.waiting += one / total_;
  }
  // The middle one of them.
  double below = 0;
  for (const Point& one : window) {
    place.event = one.event;
    below += one.share;
    if (below >= share / 2) break;
  }
  return place;
}

double PlaceFilter::MeanTempo(std::span<const Point> points) const {
  double logarithm = 0, share = 0;
  for (const Point& one : points) {
    logarithm += one.share * std::log(ratios_[one.tempo]);
    share += one.share;
  }
  return std::exp(logarithm / share);
}

}  // namespace antiphon::following
