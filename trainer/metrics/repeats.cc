#include "trainer/metrics/repeats.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <vector>

#include "trainer/metrics/note_match.h"

namespace antiphon::trainer::metrics {
namespace {

using PlacesByNotes =
    std::unordered_map<uint64_t, std::vector<double>>;  // in their windows, seconds

PlacesByNotes ByNotes(std::span<const RepeatablePlace> places) {
  PlacesByNotes alike;
  for (const RepeatablePlace& place : places) alike[place.notes].push_back(place.into_window_s);
  return alike;
}

}  // namespace

double RepeatedShare(std::span<const uint64_t> numbers) {
  std::unordered_map<uint64_t, int64_t> seen;
  for (const uint64_t number : numbers) ++seen[number];
  const auto repeated = std::count_if(numbers.begin(), numbers.end(),
                                      [&](uint64_t number) { return seen[number] > 1; });
  return numbers.empty() ? 0 : static_cast<double>(repeated) / static_cast<double>(numbers.size());
}

Ceiling AllowedByRepeats(std::span<const RepeatablePlace> places, double heard_s) {
  const PlacesByNotes alike = ByNotes(places);
  std::unordered_map<uint64_t, int64_t> equal_scores, equal_audio;
  for (const RepeatablePlace& place : places) {
    ++equal_scores[place.score_window];
    ++equal_audio[place.audio_window];
  }
  Ceiling ceiling;
  for (const RepeatablePlace& place : places) {
    const std::vector<double>& others = alike.at(place.notes);  // and the place itself
    const auto candidates = std::count_if(others.begin(), others.end(), [&](double other_s) {
      return std::abs(other_s - place.into_window_s) < heard_s;
    });
    const double right = 1.0 / static_cast<double>(candidates) / static_cast<double>(places.size());
    if (equal_audio[place.audio_window] == 1) ceiling.to_audio += right;
    if (equal_scores[place.score_window] == 1) ceiling.to_score += right;
  }
  return ceiling;
}

std::vector<double> NearestRepeats(std::span<const RepeatablePlace> places) {
  PlacesByNotes alike = ByNotes(places);
  for (auto& [notes, times_s] : alike) std::sort(times_s.begin(), times_s.end());
  std::vector<double> nearest;
  for (const RepeatablePlace& place : places) {
    const std::vector<double>& times_s = alike.at(place.notes);  // and the place's own
    const auto own = std::lower_bound(times_s.begin(), times_s.end(), place.into_window_s);
    double distance_s = std::numeric_limits<double>::infinity();
    if (own != times_s.begin()) distance_s = *own - *(own - 1);
    if (own + 1 != times_s.end()) distance_s = std::min(distance_s, *(own + 1) - *own);
    nearest.push_back(distance_s);
  }
  return nearest;
}

std::vector<double> RepeatsOf(std::span<const music::Note> notes, double start_s, double length_s,
                              double apart_s) {
  constexpr double kSame = 0.9, kTolerance_s = 0.05;
  constexpr size_t kAnchors = 8;  // onsets of which a repeat has one at least, at its place
  const std::vector<Onset> wanted = OnsetsWithin(notes, start_s, length_s);
  std::vector<double> starts;
  for (size_t i = 0; i < std::min(kAnchors, wanted.size()); ++i) {
    for (const music::Note& note : notes) {
      const double at_s = note.onset_s - wanted[i].time_s;
      if (note.pitch == wanted[i].pitch && std::abs(at_s - start_s) >= apart_s)
        starts.push_back(at_s);
    }
  }
  std::sort(starts.begin(), starts.end());
  std::vector<double> repeats;
  for (const double at_s : starts) {
    if (!repeats.empty() && at_s - repeats.back() < apart_s) continue;
    const MatchCounts match =
        MatchOnsets(wanted, OnsetsWithin(notes, at_s, length_s), kTolerance_s);
    if (match.f1() >= kSame) repeats.push_back(at_s);
  }
  return repeats;
}

}  // namespace antiphon::trainer::metrics
