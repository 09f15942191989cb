// What must hold for every written score, whatever it was read from.
#ifndef ANTIPHON_TESTS_SUPPORT_WRITTEN_SCORES_H_
#define ANTIPHON_TESTS_SUPPORT_WRITTEN_SCORES_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <tuple>

#include "core/music/midi_text.h"
#include "core/music/score.h"
#include "core/notation/written_score.h"

namespace antiphon::testing {

inline ::testing::AssertionResult IsSaneNote(const notation::WrittenNote& note, int parts,
                                             notation::Ticks end) {
  const auto failure = [] { return ::testing::AssertionFailure(); };
  if (note.onset < 0 || note.onset >= end) return failure() << "onset " << note.onset;
  if (note.duration < 0 || (note.duration == 0) != (note.grace > 0) || note.grace < 0)
    return failure() << "duration " << note.duration << ", grace " << note.grace;
  if (note.pitch < 0 || note.pitch > 127 || note.velocity < 0 || note.velocity > 127)
    return failure() << "pitch " << note.pitch << ", velocity " << note.velocity;
  if (note.part < 0 || note.part >= parts) return failure() << "part " << note.part;
  if (note.tremolo_stroke < 0 || note.tremolo_stroke > note.duration || note.arpeggio < 0)
    return failure() << "stroke " << note.tremolo_stroke << ", arpeggio " << note.arpeggio;
  if (note.ornament_upper < 1 || note.ornament_lower < 1) return failure() << "an ornament";
  return ::testing::AssertionSuccess();
}

// The invariants that written_score.h names, and values within their ranges.
inline ::testing::AssertionResult IsSane(const notation::WrittenScore& score) {
  const auto failure = [] { return ::testing::AssertionFailure(); };
  notation::Ticks end = 0;
  for (const notation::WrittenBar& bar : score.bars) {
    if (bar.start != end || bar.length <= 0 || bar.plays < 1)
      return failure() << "bar at " << bar.start << ", not " << end;
    if (!std::is_sorted(bar.endings.begin(), bar.endings.end()))
      return failure() << "endings that don't rise";
    if (music::CleanMidiText(bar.number) != bar.number) return failure() << "a number isn't clean";
    end += bar.length;
  }
  const auto key = [](const notation::WrittenNote& note) {
    return std::make_tuple(note.onset, -note.grace, note.pitch);
  };
  if (!std::is_sorted(score.notes.begin(), score.notes.end(),
                      [&key](const auto& a, const auto& b) { return key(a) < key(b); }))
    return failure() << "notes are not sorted";
  for (const notation::WrittenNote& note : score.notes) {
    if (auto sane = IsSaneNote(note, static_cast<int>(score.parts.size()), end); !sane) return sane;
  }
  const auto in_order = [end](const auto& changes) {
    return std::is_sorted(changes.begin(), changes.end(),
                          [](const auto& a, const auto& b) { return a.at < b.at; }) &&
           (changes.empty() || (changes.front().at >= 0 && changes.back().at <= end));
  };
  if (!in_order(score.tempi) || !in_order(score.metres) || !in_order(score.keys))
    return failure() << "changes are not sorted";
  for (const auto& tempo : score.tempi) {
    if (!std::isfinite(tempo.value) || tempo.value <= 0) return failure() << tempo.value;
  }
  for (const auto& [at, metre] : score.metres) {
    if (metre.numerator < 1 || metre.numerator > 255 || metre.denominator < 1 ||
        metre.denominator > 64 || (metre.denominator & (metre.denominator - 1)) != 0)
      return failure() << metre.numerator << "/" << metre.denominator;
  }
  for (const auto& change : score.keys) {
    if (std::abs(change.value.fifths) > 7) return failure() << change.value.fifths << " fifths";
  }
  for (const std::string* text : {&score.title, &score.composer, &score.opus}) {
    if (music::CleanMidiText(*text) != *text) return failure() << "a text isn't clean";
  }
  if (score.warnings.size() > music::kMaxScoreWarnings) return failure() << "too many warnings";
  return ::testing::AssertionSuccess();
}

}  // namespace antiphon::testing

#endif  // ANTIPHON_TESTS_SUPPORT_WRITTEN_SCORES_H_
