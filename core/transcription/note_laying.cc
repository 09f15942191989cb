#include "core/transcription/note_laying.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

namespace antiphon::transcription {
namespace {

constexpr int kAveraged = 3;  // windows to either side
constexpr double kShortest_s = 0.03;
constexpr double kLoud = 0.9;      // quantile of the levels …
constexpr int kLoudVelocity = 90;  // … and the velocity of it
constexpr int kQuietestVelocity = 15;
// Half decibels for a factor of 10 in velocity. By the amplitudes of synthesisers, which go with
// the square of the velocity, it would be 80; bands hold other notes too, whose levels spread more.
constexpr double kLevelsPerDecade = 130;
constexpr double kHeardRise = 20;  // half decibels

}  // namespace

music::TimeMap MapOf(const PathRun& run) {
  std::vector<double> slopes;
  for (const NearWindow& window : run) slopes.push_back(window.slope);
  std::nth_element(slopes.begin(), slopes.begin() + static_cast<int64_t>(slopes.size() / 2),
                   slopes.end());
  const double slope = slopes[slopes.size() / 2];
  std::vector<music::TimePoint> points;
  const int count = static_cast<int>(run.size());
  for (int i = 0; i < count; ++i) {
    const int reach = std::min({kAveraged, i, count - 1 - i});
    double off_s = 0;
    for (int j = i - reach; j <= i + reach; ++j)
      off_s += run[j].middle.reference_s - slope * run[j].middle.query_s;
    const double at_s = run[i].middle.query_s;
    const music::TimePoint point = {at_s, slope * at_s + off_s / (2 * reach + 1)};
    if (points.empty() || point.to_s > points.back().to_s + 1e-3) points.push_back(point);
  }
  const music::TimePoint& last = points.back();
  if (points.size() == 1) points.push_back({last.from_s + 1, last.to_s + slope});
  absl::StatusOr<music::TimeMap> map = music::TimeMap::Create(points);
  return map.ok() ? *std::move(map) : music::TimeMap(slope);
}

std::vector<music::Note> LaidNotes(std::span<const music::Note> notes, const music::TimeMap& map,
                                   const matching::Span& stretch) {
  const double from_s = map.To(stretch.start_s), to_s = map.To(stretch.end_s);
  std::vector<music::Note> laid;
  for (music::Note note : notes) {
    if (note.onset_s < from_s || note.onset_s >= to_s) continue;
    note.onset_s = std::max(0.0, map.From(note.onset_s));
    note.offset_s = std::max(map.From(note.offset_s), note.onset_s + kShortest_s);
    note.sounding_offset_s = std::max(map.From(note.sounding_offset_s), note.offset_s);
    laid.push_back(note);
  }
  return laid;
}

bool IsHeard(const SoundLevels& levels, const music::Note& note) {
  return levels.AttackOf(note.pitch, note.onset_s).rise >= kHeardRise;
}

void SetVelocities(const SoundLevels& levels, std::span<music::Note> notes) {
  if (notes.empty()) return;
  std::vector<double> at;
  for (const music::Note& note : notes)
    at.push_back(levels.AttackOf(note.pitch, note.onset_s).level);
  std::vector<double> sorted = at;
  const auto loud =
      sorted.begin() + static_cast<int64_t>(kLoud * static_cast<double>(at.size() - 1));
  std::nth_element(sorted.begin(), loud, sorted.end());
  for (size_t i = 0; i < notes.size(); ++i) {
    const double velocity = kLoudVelocity * std::pow(10, (at[i] - *loud) / kLevelsPerDecade);
    notes[i].velocity = std::clamp(static_cast<int>(std::lround(velocity)), kQuietestVelocity, 127);
  }
}

}  // namespace antiphon::transcription
