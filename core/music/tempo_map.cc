#include "core/music/tempo_map.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace antiphon::music {
namespace {

// A position this close before a bar line, in beats, is on it: positions often come from seconds,
// with rounding.
constexpr double kBarLineTolerance = 1e-6;

double BeatsPerUnit(const TimeSignature& signature) { return 4.0 / signature.denominator; }
double BeatsPerBar(const TimeSignature& signature) {
  return signature.numerator * BeatsPerUnit(signature);
}

// Sorts by beat and keeps the last given of several at one beat.
template <typename Change>
void SortByBeat(std::vector<Change>& changes) {
  std::stable_sort(changes.begin(), changes.end(),
                   [](const Change& a, const Change& b) { return a.beat < b.beat; });
  size_t kept = 0;
  for (const Change& change : changes) {
    if (kept > 0 && changes[kept - 1].beat == change.beat) --kept;
    changes[kept++] = change;
  }
  changes.resize(kept);
}

// Index of the last element whose key is not above `value`; the first one when all are.
template <typename Element, typename Value, typename Key>
size_t SegmentAt(const std::vector<Element>& elements, Value value, Key key) {
  const auto after =
      std::upper_bound(elements.begin(), elements.end(), value,
                       [&](Value v, const Element& element) { return v < key(element); });
  return after == elements.begin() ? 0 : static_cast<size_t>(after - elements.begin()) - 1;
}

// Leaves room below the largest int for those who count on from it.
int ClampedBar(double bar) { return static_cast<int>(std::min(bar, 1e9)); }

template <typename Change>
absl::Status CheckBeats(const std::vector<Change>& changes, const char* what) {
  for (const Change& change : changes) {
    if (!std::isfinite(change.beat) || change.beat < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(what, " at beat ", change.beat, ": must be finite and not negative"));
    }
  }
  return absl::OkStatus();
}

absl::Status Check(const std::vector<TempoChange>& tempi,
                   const std::vector<TimeSignature>& signatures,
                   const std::vector<KeySignature>& keys) {
  RETURN_IF_ERROR(CheckBeats(tempi, "tempo change"));
  RETURN_IF_ERROR(CheckBeats(signatures, "time signature"));
  RETURN_IF_ERROR(CheckBeats(keys, "key signature"));
  for (const TempoChange& tempo : tempi) {
    if (!std::isfinite(tempo.seconds_per_beat) || tempo.seconds_per_beat <= 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "tempo of ", tempo.seconds_per_beat, " seconds per beat: must be finite and positive"));
    }
  }
  for (const TimeSignature& signature : signatures) {
    const int denominator = signature.denominator;
    if (signature.numerator < 1 || signature.numerator > 255 || denominator < 1 ||
        denominator > 64 || !std::has_single_bit(static_cast<unsigned>(denominator))) {
      return absl::InvalidArgumentError(absl::StrCat(
          "time signature ", signature.numerator, "/", denominator,
          ": must have a numerator from 1 to 255 and a power of two up to 64 as denominator"));
    }
  }
  for (const KeySignature& key : keys) {
    if (key.fifths < -7 || key.fifths > 7) {
      return absl::InvalidArgumentError(
          absl::StrCat("key signature of ", key.fifths, " fifths: must be -7 to 7"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

TempoMap::TempoMap()
    : tempi_(1), tempo_start_seconds_(1, 0.0), signatures_(1), signature_start_bar_(1, 1) {}

absl::StatusOr<TempoMap> TempoMap::Create(std::vector<TempoChange> tempi,
                                          std::vector<TimeSignature> signatures,
                                          std::vector<KeySignature> keys) {
  RETURN_IF_ERROR(Check(tempi, signatures, keys));
  // MIDI's defaults hold until the first entry; one at beat 0 replaces them.
  tempi.insert(tempi.begin(), TempoChange{});
  signatures.insert(signatures.begin(), TimeSignature{});
  SortByBeat(tempi);
  SortByBeat(signatures);
  SortByBeat(keys);

  TempoMap map;
  for (size_t i = 1; i < tempi.size(); ++i) {
    const TempoChange& before = tempi[i - 1];
    const double start =
        map.tempo_start_seconds_.back() + (tempi[i].beat - before.beat) * before.seconds_per_beat;
    if (!std::isfinite(start)) {
      return absl::InvalidArgumentError(
          absl::StrCat("tempo change at beat ", tempi[i].beat, ": too late"));
    }
    map.tempo_start_seconds_.push_back(start);
  }
  map.FindUpbeat(signatures);
  for (size_t i = map.signature_start_bar_.size(); i < signatures.size(); ++i) {
    const TimeSignature& before = signatures[i - 1];
    const double length = signatures[i].beat - before.beat;
    const double bars = std::ceil((length - kBarLineTolerance) / BeatsPerBar(before));
    map.signature_start_bar_.push_back(ClampedBar(map.signature_start_bar_.back() + bars));
  }
  map.tempi_ = std::move(tempi);
  map.signatures_ = std::move(signatures);
  map.keys_ = std::move(keys);
  return map;
}

void TempoMap::FindUpbeat(const std::vector<TimeSignature>& signatures) {
  if (signatures.size() < 2) return;
  const double length = signatures[1].beat;
  const double own_bar = BeatsPerBar(signatures[0]);
  const double next_bar = BeatsPerBar(signatures[1]);
  const bool one_bar = length < own_bar + kBarLineTolerance;
  const bool completes_next = length < next_bar - kBarLineTolerance;
  const bool cut_short = length < own_bar - kBarLineTolerance;
  if (!one_bar || !(completes_next || cut_short)) return;
  // Music that goes to and fro between metres (5/4, 6/4, 5/4, ...) begins with a bar like any
  // other.
  const auto same_metre = [&](const TimeSignature& other) {
    return other.numerator == signatures[0].numerator &&
           other.denominator == signatures[0].denominator;
  };
  if (!cut_short && length > next_bar / 2 + kBarLineTolerance &&
      std::any_of(signatures.begin() + 1, signatures.end(), same_metre)) {
    return;
  }
  upbeat_ = length;
  upbeat_bar_ = signatures[completes_next ? 1 : 0];
  signature_start_bar_ = {0, 1};
}

double TempoMap::BeatsAt(double seconds) const {
  const size_t i = SegmentAt(tempo_start_seconds_, seconds, [](double start) { return start; });
  return tempi_[i].beat + (seconds - tempo_start_seconds_[i]) / tempi_[i].seconds_per_beat;
}

double TempoMap::SecondsAt(double beats) const {
  const size_t i = SegmentAt(tempi_, beats, [](const TempoChange& tempo) { return tempo.beat; });
  return tempo_start_seconds_[i] + (beats - tempi_[i].beat) * tempi_[i].seconds_per_beat;
}

BarPosition TempoMap::BarAt(double beats) const {
  beats = std::max(beats, 0.0);
  if (beats + kBarLineTolerance < upbeat_) {
    const double into_bar = BeatsPerBar(upbeat_bar_) - (upbeat_ - beats);
    return {0, 1.0 + into_bar / BeatsPerUnit(upbeat_bar_)};
  }
  const size_t i = SegmentAt(signatures_, beats + kBarLineTolerance,
                             [](const TimeSignature& signature) { return signature.beat; });
  const TimeSignature& signature = signatures_[i];
  const double into = std::max(beats - signature.beat, 0.0);
  const double bars = std::floor((into + kBarLineTolerance) / BeatsPerBar(signature));
  const double into_bar = std::max(into - bars * BeatsPerBar(signature), 0.0);
  return {ClampedBar(signature_start_bar_[i] + bars), 1.0 + into_bar / BeatsPerUnit(signature)};
}

double TempoMap::BeatsAtBar(const BarPosition& position) const {
  if (upbeat_ > 0 && position.bar < 1) {
    const double bar_start =
        upbeat_ + (static_cast<double>(position.bar) - 1.0) * BeatsPerBar(upbeat_bar_);
    return std::max(bar_start + (position.beat - 1.0) * BeatsPerUnit(upbeat_bar_), 0.0);
  }
  const size_t i = SegmentAt(signature_start_bar_, position.bar, [](int bar) { return bar; });
  const TimeSignature& signature = signatures_[i];
  const double bars = static_cast<double>(position.bar) - signature_start_bar_[i];
  return std::max(signature.beat + bars * BeatsPerBar(signature) +
                      (position.beat - 1.0) * BeatsPerUnit(signature),
                  0.0);
}

}  // namespace antiphon::music
