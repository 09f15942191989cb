#include "trainer/data/pair_sampler.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <unordered_map>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/features/pianoroll.h"
#include "core/features/transposition.h"
#include "trainer/base/check_range.h"
#include "trainer/base/fingerprint.h"
#include "trainer/data/augmentation.h"
#include "trainer/data/passage.h"

namespace antiphon::trainer::data {
namespace {

// Nearer places of one rendition show nearly the same music.
constexpr double kMinDistance_s = 0.1;

// A near miss lies this far off, frames: further than a renderer's rounding, nearer than the next
// place.
constexpr double kMinNearMiss = 0.12, kMaxNearMiss = 0.6;

// Windows that lie anywhere are at most this far from an onset, seconds as played.
constexpr double kMaxOnsetDistance_s = 0.5;

std::string_view AsText(const std::vector<uint8_t>& cells) {
  return {reinterpret_cast<const char*>(cells.data()), cells.size()};
}

// What must not occur twice in a batch.
class UsedPlaces {
 public:
  // False, and nothing is noted, when there was a place of the item within `distance_s`, or the
  // same music.
  bool Add(int item, double time_s, double distance_s, const std::vector<uint8_t>& score_window) {
    std::set<double>& times = times_[item];
    const auto next = times.lower_bound(time_s - distance_s);
    if (next != times.end() && *next < time_s + distance_s) return false;
    if (!AddWindow(score_window)) return false;
    times.insert(time_s);
    return true;
  }

  // For a window of no place. False, and nothing is noted, when there was the same music.
  bool AddWindow(const std::vector<uint8_t>& score_window) {
    return windows_.insert(std::hash<std::string_view>()(AsText(score_window))).second;
  }

 private:
  std::map<int, std::set<double>> times_;
  std::set<uint64_t> windows_;  // hashes
};

// The notes that can reach into a window around `centre_s`; notes are sorted by onset.
std::vector<music::Note> NotesReaching(const std::vector<music::Note>& notes, double centre_s,
                                       double reach_s, int transposition) {
  std::vector<music::Note> near;
  for (const music::Note& note : notes) {
    if (note.onset_s > centre_s + reach_s) break;
    if (note.offset_s < centre_s - reach_s) continue;
    near.push_back(note);
    near.back().pitch += transposition;
  }
  return near;
}

// What the pairs of a group share.
struct Group {
  int64_t anchor = 0;  // onset
  bool exact = true;
  bool on_onset = true;
  double tempo_factor = 1;
  int shift = 0;  // semitones
};

// Where a pair lies: the middle of the sound's window, on its frames, and that of the score's.
struct Place {
  int64_t centre_frame = 0;
  double score_s = 0;
  double tempo_ratio = 1;  // at which the score is read
};

double Uniform(std::mt19937_64& random, double low, double high) {
  return std::uniform_real_distribution<double>(low, high)(random);
}

Group DrawGroup(int64_t anchor, const features::FeatureSettings& settings,
                const SamplerOptions& options, int max_transposition, std::mt19937_64& random) {
  Group group;
  group.anchor = anchor;
  group.exact = Uniform(random, 0, 1) < options.exact_share;
  group.on_onset = Uniform(random, 0, 1) < options.onset_share;
  group.tempo_factor =
      group.exact ? 1 : std::exp(Uniform(random, -1, 1) * std::log1p(options.tempo_error));
  if (features::BandsPerSemitone(settings) > 0) {
    group.shift = std::uniform_int_distribution<int>(-max_transposition, max_transposition)(random);
  }
  return group;
}

// Around an onset at `onset_s` of the score, as the group has it.
Place PlaceAround(const StoreItem& item, double onset_s, const Group& group,
                  const SamplerOptions& options, std::mt19937_64& random) {
  const double frame_rate = item.settings.frame_rate();
  const double half_window_s = 0.5 * item.settings.window_frames / frame_rate;  // as played
  const double off_onset_s =
      group.on_onset ? 0 : Uniform(random, -kMaxOnsetDistance_s, kMaxOnsetDistance_s);
  Place place;
  place.centre_frame = std::lround((item.time.To(onset_s) + off_onset_s) * frame_rate);
  const double played_s = static_cast<double>(place.centre_frame) / frame_rate;
  const double error_s =
      group.exact ? 0 : Uniform(random, -options.misplacement_s, options.misplacement_s);
  place.score_s = item.time.From(played_s + error_s);
  const double span_s =
      item.time.From(played_s + half_window_s) - item.time.From(played_s - half_window_s);
  place.tempo_ratio = span_s / (2 * half_window_s) * group.tempo_factor;
  return place;
}

void Distort(std::span<uint8_t> audio, const features::FeatureSettings& settings, int shift_bands,
             const SamplerOptions& options, std::mt19937_64& random) {
  features::ShiftBands(audio, settings.bands, shift_bands);
  if (options.equalise_deviation_db > 0)
    Equalise(audio, settings.bands, options.equalise_deviation_db, random);
  if (Uniform(random, 0, 1) < options.noise_share) AddNoiseFloor(audio, settings.bands, random);
  if (Uniform(random, 0, 1) < options.mask_share) Mask(audio, settings.bands, random);
  if (Uniform(random, 0, 1) < options.cut_share) Cut(audio, settings.bands, random);
}

// Where the score's window begins, seconds of the score.
double StartOf(const Place& place, double window_s) {
  return place.score_s - 0.5 * window_s * place.tempo_ratio;
}

// The window a part of a frame before or after the place's own, which shows the same notes.
std::vector<uint8_t> NearMiss(const std::vector<music::Note>& notes, const Place& place,
                              const features::FeatureSettings& settings, std::mt19937_64& random) {
  const double frames_off =
      Uniform(random, kMinNearMiss, kMaxNearMiss) * (Uniform(random, -1, 1) < 0 ? -1 : 1);
  const double start_s = StartOf(place, settings.window_s());
  return features::ComputePianorollWindow(
      notes, settings, place.tempo_ratio,
      start_s + frames_off / settings.frame_rate() * place.tempo_ratio);
}

}  // namespace

absl::Status SamplerOptions::Check() const {
  RETURN_IF_ERROR(CheckRange("tempo_error", tempo_error, 0, 0.5));
  RETURN_IF_ERROR(CheckRange("misplacement_s", misplacement_s, 0, 0.5));
  RETURN_IF_ERROR(CheckRange("exact_share", exact_share, 0, 1));
  RETURN_IF_ERROR(CheckRange("onset_share", onset_share, 0, 1));
  RETURN_IF_ERROR(CheckRange("repeat_share", repeat_share, 0, 1));
  RETURN_IF_ERROR(CheckRange("near_miss_share", near_miss_share, 0, 1));
  RETURN_IF_ERROR(CheckRange("max_transposition", max_transposition.value_or(0), 0, 12));
  RETURN_IF_ERROR(CheckRange("equalise_deviation_db", equalise_deviation_db, 0, 40));
  RETURN_IF_ERROR(CheckRange("noise_share", noise_share, 0, 1));
  RETURN_IF_ERROR(CheckRange("mask_share", mask_share, 0, 1));
  RETURN_IF_ERROR(CheckRange("cut_share", cut_share, 0, 1));
  RETURN_IF_ERROR(CheckRange("group", group, 1, 64));
  return CheckRange("group_reach_s", group_reach_s, 0.001, 1e6);
}

absl::StatusOr<int> TranspositionFor(const SamplerOptions& options,
                                     const features::FeatureSettings& settings) {
  constexpr int kDefault = 3;
  const bool possible = features::BandsPerSemitone(settings) > 0;
  const int semitones = options.max_transposition.value_or(possible ? kDefault : 0);
  if (possible || semitones == 0) return semitones;
  return absl::InvalidArgumentError(
      absl::StrCat("max_transposition (--transpose) is ", semitones, ", but the features have ",
                   settings.bands_per_octave,
                   " bands per octave, which is no whole number per semitone: only 0 is possible"));
}

PairSampler::PairSampler(std::vector<StoreItem> items) : items_(std::move(items)) {
  if (!items_.empty()) settings_ = items_.front().settings;
  for (size_t item = 0; item < items_.size(); ++item) {
    const auto first = static_cast<int64_t>(onsets_.size());
    for (double time_s : music::DistinctOnsets(items_[item].notes)) {
      onsets_.push_back({static_cast<int>(item), static_cast<float>(time_s),
                         static_cast<int64_t>(onsets_.size())});
    }
    LinkRepeats(first, static_cast<int64_t>(onsets_.size()));
  }
}

// Only where the performance keeps strictly to its tempo: elsewhere what tells repeats apart is
// chance.
void PairSampler::LinkRepeats(int64_t first, int64_t last) {
  if (first == last) return;
  const StoreItem& item = items_[onsets_[first].item];
  if (!item.keeps_strict_tempo()) return;
  const double reach_s =
      item.time.From(0.5 * settings_.window_frames / settings_.frame_rate()) - item.time.From(0);
  constexpr double kGrid_s = 0.02;
  std::unordered_map<uint64_t, int64_t> latest;
  for (int64_t i = first; i < last; ++i) {
    const auto [known, is_new] =
        latest.try_emplace(HashPassage(item.notes, onsets_[i].time_s, reach_s, kGrid_s), i);
    if (!is_new) std::swap(onsets_[i].next_repeat, onsets_[known->second].next_repeat);
    known->second = i;
  }
}

int64_t PairSampler::Draw(std::mt19937_64& random) const {
  return static_cast<int64_t>(random() % onsets_.size());
}

int64_t PairSampler::DrawNear(int64_t anchor, double reach_s, std::mt19937_64& random) const {
  const auto before = [](const Onset& a, const Onset& b) {
    return a.item != b.item ? a.item < b.item : a.time_s < b.time_s;
  };
  const auto reach = static_cast<float>(reach_s);
  Onset low = onsets_[anchor], high = low;
  low.time_s -= reach;
  high.time_s += reach;
  const auto first = std::lower_bound(onsets_.begin(), onsets_.end(), low, before);
  const auto last = std::upper_bound(first, onsets_.end(), high, before);
  return first - onsets_.begin() + static_cast<int64_t>(random() % (last - first));
}

int64_t PairSampler::DrawRepeat(int64_t anchor, std::mt19937_64& random) const {
  int64_t repeat = anchor;
  for (uint64_t steps = 1 + random() % 8; steps > 0; --steps) repeat = onsets_[repeat].next_repeat;
  return repeat != anchor ? repeat : onsets_[anchor].next_repeat;
}

// Another onset for a group that has its first.
int64_t PairSampler::DrawBeside(int64_t anchor, bool exact, const SamplerOptions& options,
                                std::mt19937_64& random) const {
  const bool repeat = exact && Uniform(random, 0, 1) < options.repeat_share;
  const int64_t onset = repeat ? DrawRepeat(anchor, random) : anchor;
  return onset != anchor ? onset : DrawNear(anchor, options.group_reach_s, random);
}

PairBatch PairSampler::SamplePlain(int pairs, uint64_t seed) const {
  SamplerOptions plain;
  plain.exact_share = plain.onset_share = 1;
  plain.repeat_share = plain.equalise_deviation_db = plain.noise_share = plain.mask_share =
      plain.cut_share = 0;
  plain.max_transposition = 0;
  plain.group = 1;
  return Sample(pairs, seed, plain).value();  // fails on a transposition alone
}

absl::StatusOr<PairBatch> PairSampler::Sample(int pairs, uint64_t seed,
                                              const SamplerOptions& options) const {
  ASSIGN_OR_RETURN(const int max_transposition, TranspositionFor(options, settings_));
  std::mt19937_64 random(seed);
  const int frames = settings_.window_frames;
  const double window_s = settings_.window_s();  // as played
  const size_t audio_cells = static_cast<size_t>(frames) * settings_.bands;

  PairBatch batch;
  std::vector<uint8_t> near_misses;
  UsedPlaces used;
  Group group;
  const int64_t attempts = onsets_.empty() ? 0 : int64_t{20} * pairs;
  for (int64_t attempt = 0; attempt < attempts && batch.pairs < pairs; ++attempt) {
    const bool first_of_group = attempt % options.group == 0;
    if (first_of_group)
      group = DrawGroup(Draw(random), settings_, options, max_transposition, random);
    const int64_t onset =
        first_of_group ? group.anchor : DrawBeside(group.anchor, group.exact, options, random);
    const StoreItem& item = items_[onsets_[onset].item];
    const Place place = PlaceAround(item, onsets_[onset].time_s, group, options, random);
    const std::vector<music::Note> notes = NotesReaching(
        item.notes, place.score_s, window_s * std::max(place.tempo_ratio, 1.0), group.shift);
    const std::vector<uint8_t> score = features::ComputePianorollWindow(
        notes, settings_, place.tempo_ratio, StartOf(place, window_s));
    const double distance_s = kMinDistance_s + (group.exact ? 0 : 2 * options.misplacement_s);
    const double played_s = static_cast<double>(place.centre_frame) / settings_.frame_rate();
    if (!used.Add(onsets_[onset].item, played_s, distance_s, score)) continue;

    batch.audio.resize(batch.audio.size() + audio_cells);
    const std::span<uint8_t> audio(batch.audio.end() - audio_cells, batch.audio.end());
    item.spectrogram.CopyWindow(place.centre_frame - frames / 2, frames, audio.data());
    Distort(audio, settings_, group.shift * features::BandsPerSemitone(settings_), options, random);
    batch.score.insert(batch.score.end(), score.begin(), score.end());
    ++batch.pairs;
    if (options.near_miss_share > 0 && group.exact && item.keeps_strict_tempo() &&
        Uniform(random, 0, 1) < options.near_miss_share) {
      const std::vector<uint8_t> near_miss = NearMiss(notes, place, settings_, random);
      if (!used.AddWindow(near_miss)) continue;
      near_misses.insert(near_misses.end(), near_miss.begin(), near_miss.end());
      ++batch.near_misses;
    }
  }
  batch.score.insert(batch.score.end(), near_misses.begin(), near_misses.end());
  return batch;
}

}  // namespace antiphon::trainer::data
