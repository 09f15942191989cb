#include "trainer/data/pair_sampler.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

#include "core/features/pianoroll.h"
#include "trainer/data/augmentation.h"
#include "trainer/fingerprint.h"

namespace antiphon::trainer {
namespace {

// Nearer places of one rendition show nearly the same music.
constexpr double kMinDistance_s = 0.1;

std::string_view AsText(const std::vector<uint8_t>& cells) {
  return {reinterpret_cast<const char*>(cells.data()), cells.size()};
}

// What must not occur twice in a batch.
class UsedPlaces {
 public:
  // False, and nothing is noted, when the place or the music was there.
  bool Add(int item, double time_s, const std::vector<uint8_t>& score_window) {
    std::set<double>& times = times_[item];
    const auto next = times.lower_bound(time_s - kMinDistance_s);
    if (next != times.end() && *next < time_s + kMinDistance_s) return false;
    if (!windows_.insert(std::hash<std::string_view>()(AsText(score_window))).second) return false;
    times.insert(time_s);
    return true;
  }

 private:
  std::map<int, std::set<double>> times_;
  std::set<uint64_t> windows_;  // hashes
};

// The notes that can reach into a window around `centre_s`; notes are sorted by onset.
std::vector<music::Note> NotesAround(const std::vector<music::Note>& notes, double centre_s, double reach_s,
                                     int transposition) {
  std::vector<music::Note> near;
  for (const music::Note& note : notes) {
    if (note.onset_s > centre_s + reach_s) break;
    if (note.offset_s < centre_s - reach_s) continue;
    near.push_back(note);
    near.back().pitch += transposition;
  }
  return near;
}

}  // namespace

PairSampler::PairSampler(std::vector<StoreItem> items) : items_(std::move(items)) {
  if (!items_.empty()) settings_ = items_.front().settings;
  for (size_t item = 0; item < items_.size(); ++item) {
    for (double time_s : music::DistinctOnsets(items_[item].notes)) {
      onsets_.push_back({static_cast<int>(item), static_cast<float>(time_s)});
    }
  }
}

PairSampler::Onset PairSampler::Draw(std::mt19937_64& random) const { return onsets_[random() % onsets_.size()]; }

PairSampler::Onset PairSampler::DrawNear(const Onset& anchor, double reach_s, std::mt19937_64& random) const {
  const auto before = [](const Onset& a, const Onset& b) {
    return a.item != b.item ? a.item < b.item : a.time_s < b.time_s;
  };
  const auto reach = static_cast<float>(reach_s);
  const auto first =
      std::lower_bound(onsets_.begin(), onsets_.end(), Onset{anchor.item, anchor.time_s - reach}, before);
  const auto last = std::upper_bound(first, onsets_.end(), Onset{anchor.item, anchor.time_s + reach}, before);
  return first[static_cast<int64_t>(random() % (last - first))];
}

PairBatch PairSampler::SamplePlain(int pairs, uint64_t seed) const {
  SamplerOptions plain;
  plain.tempo_error = plain.jitter_frames = plain.equalise_deviation_db = plain.noise_share = plain.mask_share = 0;
  plain.max_transposition = 0;
  plain.group = 1;
  return Sample(pairs, seed, plain);
}

PairBatch PairSampler::Sample(int pairs, uint64_t seed, const SamplerOptions& options) const {
  std::mt19937_64 random(seed);
  const auto uniform = [&random](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random);
  };
  const int frames = settings_.window_frames;
  const double half_window_s = 0.5 * frames / settings_.frame_rate();  // seconds as played
  const int bands_per_semitone = settings_.bands_per_octave % 12 == 0 ? settings_.bands_per_octave / 12 : 0;
  const size_t audio_cells = static_cast<size_t>(frames) * settings_.bands;

  PairBatch batch;
  UsedPlaces used;
  Onset anchor;             // of the group,
  double tempo_factor = 1;  // and what its pairs share
  int shift = 0;            // semitones
  const int64_t attempts = onsets_.empty() ? 0 : int64_t{20} * pairs;
  for (int64_t attempt = 0; attempt < attempts && batch.pairs < pairs; ++attempt) {
    if (attempt % options.group == 0) {
      anchor = Draw(random);
      const bool exact = uniform(0, 1) < options.exact_tempo_share;
      tempo_factor = exact ? 1.0 : std::exp(uniform(-1, 1) * std::log1p(options.tempo_error));
      if (bands_per_semitone > 0) {
        shift = std::uniform_int_distribution<int>(-options.max_transposition, options.max_transposition)(random);
      }
    }
    const auto [item_number, time_s] =
        attempt % options.group == 0 ? anchor : DrawNear(anchor, options.group_reach_s, random);
    const StoreItem& item = items_[item_number];
    const double tempo_ratio = item.tempo_ratio * tempo_factor;
    // The frame of the sound nearest the onset, and the second of the score that sounds there.
    const auto centre_frame = std::lround(time_s / item.tempo_ratio * settings_.frame_rate());
    const double centre_s = static_cast<double>(centre_frame) / settings_.frame_rate() * item.tempo_ratio;
    const double start_s = centre_s - half_window_s * tempo_ratio;
    const std::vector<music::Note> notes =
        NotesAround(item.notes, time_s, 2 * half_window_s * std::max(tempo_ratio, 1.0), shift);
    const std::vector<uint8_t> score = features::ComputePianorollWindow(notes, settings_, tempo_ratio, start_s);
    if (!used.Add(item_number, time_s, score)) continue;

    const double jitter =
        options.jitter_frames > 0 ? std::normal_distribution<double>(0, options.jitter_frames)(random) : 0;
    const int64_t first_frame = centre_frame + std::lround(jitter) - frames / 2;
    batch.audio.resize(batch.audio.size() + audio_cells);
    const std::span<uint8_t> audio(batch.audio.end() - audio_cells, batch.audio.end());
    item.spectrogram.CopyWindow(first_frame, frames, audio.data());
    ShiftBands(audio, settings_.bands, shift * bands_per_semitone);
    if (options.equalise_deviation_db > 0) Equalise(audio, settings_.bands, options.equalise_deviation_db, random);
    if (uniform(0, 1) < options.noise_share) AddNoiseFloor(audio, settings_.bands, random);
    if (uniform(0, 1) < options.mask_share) Mask(audio, settings_.bands, random);
    batch.score.insert(batch.score.end(), score.begin(), score.end());
    ++batch.pairs;
  }
  return batch;
}

}  // namespace antiphon::trainer
