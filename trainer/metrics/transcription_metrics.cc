#include "trainer/metrics/transcription_metrics.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>

namespace antiphon::trainer::metrics {
namespace {

constexpr double kFrame_s = 0.01;
constexpr double kDigits = 1e4;  // to which times are compared

bool Within(double a_s, double b_s, double tolerance_s) {
  return std::nearbyint(std::abs(a_s - b_s) * kDigits) / kDigits <= tolerance_s;
}

bool Matches(const HeardNote& truth, const HeardNote& found, bool offsets) {
  if (!Within(truth.onset_s, found.onset_s, kOnsetTolerance_s)) return false;
  if (!offsets) return true;
  const double ratio_s = kOffsetRatio * (truth.end_s - truth.onset_s);
  return Within(truth.end_s, found.end_s, std::max(kOffsetTolerance_s, ratio_s));
}

std::map<int, std::vector<HeardNote>> ByPitch(std::span<const HeardNote> notes) {
  std::map<int, std::vector<HeardNote>> by_pitch;
  for (const HeardNote& note : notes) by_pitch[note.pitch].push_back(note);
  for (auto& [pitch, list] : by_pitch) {
    std::sort(list.begin(), list.end(),
              [](const HeardNote& a, const HeardNote& b) { return a.onset_s < b.onset_s; });
  }
  return by_pitch;
}

// The largest matching of the notes of one pitch, by augmenting paths (Kuhn 1955). Those that a
// note may be matched with lie side by side, and are few.
class PitchMatching {
 public:
  PitchMatching(std::span<const HeardNote> truth, std::span<const HeardNote> found, bool offsets)
      : owner_(found.size(), -1), near_(truth.size()) {
    for (size_t i = 0; i < truth.size(); ++i) {
      auto it =
          std::lower_bound(found.begin(), found.end(), truth[i].onset_s - 2 * kOnsetTolerance_s,
                           [](const HeardNote& note, double s) { return note.onset_s < s; });
      for (; it != found.end() && it->onset_s < truth[i].onset_s + 2 * kOnsetTolerance_s; ++it) {
        if (Matches(truth[i], *it, offsets)) near_[i].push_back(it - found.begin());
      }
    }
  }

  int64_t Size() {
    int64_t size = 0;
    for (int note = 0; note < static_cast<int>(near_.size()); ++note) {
      tried_.assign(owner_.size(), false);
      size += Augment(note);
    }
    return size;
  }

 private:
  // As deep as notes are tied together by being near to one another.
  bool Augment(int note) {
    for (const int64_t partner : near_[note]) {
      if (tried_[partner]) continue;
      tried_[partner] = true;
      if (owner_[partner] < 0 || Augment(owner_[partner])) {
        owner_[partner] = note;
        return true;
      }
    }
    return false;
  }

  std::vector<int> owner_;  // of each note found: the true one it is matched with
  std::vector<std::vector<int64_t>> near_;
  std::vector<bool> tried_;
};

// The frames in which each pitch sounds.
std::map<int, std::vector<bool>> SoundingFrames(std::span<const HeardNote> notes) {
  // A note at the very moment of a frame has begun in it, whatever its last digit says.
  const auto frame_at = [](double s) {
    return static_cast<int64_t>(std::ceil(std::max(0.0, s) / kFrame_s - 1e-6));
  };
  std::map<int, std::vector<bool>> frames;
  for (const HeardNote& note : notes) {
    std::vector<bool>& of_pitch = frames[note.pitch];
    const int64_t end = frame_at(note.end_s);
    if (static_cast<int64_t>(of_pitch.size()) < end) of_pitch.resize(end);
    for (int64_t frame = frame_at(note.onset_s); frame < end; ++frame) of_pitch[frame] = true;
  }
  return frames;
}

}  // namespace

std::vector<HeardNote> HeardNotes(std::span<const music::Note> notes, bool sustained) {
  std::vector<HeardNote> heard;
  for (const music::Note& note : notes) {
    const double end_s = sustained ? note.sounding_offset_s : note.offset_s;
    heard.push_back(
        {note.onset_s, std::max(end_s, note.onset_s + 1e-3), note.pitch, note.velocity});
  }
  return heard;
}

MatchCounts MatchNotes(std::span<const HeardNote> truth, std::span<const HeardNote> found,
                       bool offsets) {
  const auto true_notes = ByPitch(truth), found_notes = ByPitch(found);
  MatchCounts counts;
  for (const auto& [pitch, list] : true_notes) {
    const auto it = found_notes.find(pitch);
    if (it != found_notes.end()) counts.hits += PitchMatching(list, it->second, offsets).Size();
  }
  counts.extra = static_cast<int64_t>(found.size()) - counts.hits;
  counts.missed = static_cast<int64_t>(truth.size()) - counts.hits;
  return counts;
}

MatchCounts MatchFrames(std::span<const HeardNote> truth, std::span<const HeardNote> found) {
  const auto true_frames = SoundingFrames(truth), found_frames = SoundingFrames(found);
  MatchCounts counts;
  for (const auto& [pitch, sounding] : true_frames)
    counts.missed += std::count(sounding.begin(), sounding.end(), true);
  for (const auto& [pitch, sounding] : found_frames) {
    const auto it = true_frames.find(pitch);
    for (size_t frame = 0; frame < sounding.size(); ++frame) {
      if (!sounding[frame]) continue;
      const bool hit = it != true_frames.end() && frame < it->second.size() && it->second[frame];
      counts.hits += hit;
      counts.missed -= hit;
      counts.extra += !hit;
    }
  }
  return counts;
}

}  // namespace antiphon::trainer::metrics
