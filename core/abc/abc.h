// Reads ABC notation 2.1 (abcnotation.com/wiki/abc:standard:v2.1), and what older files have: one
// score for each tune (X:) of a file.
//
// Read: the fields T C M L Q K V P I R U m and the file header; modes, explicit accidentals, clefs
// that transpose; voices, overlays, chords, ties, tuplets, broken rhythm, grace notes; repeats,
// endings, parts, segno, coda, fine, D.C. and D.S.; ornaments, arpeggios, dynamics; of abc2midi's
// directives the program, the transposition and the drum channel. Without a tempo in figures (Q:)
// the score has none. Passed over: lyrics, chord symbols, annotations, slurs, beams, the layout.
//
// Stateless; safe from any thread. Time and memory are proportional to the length of the text and
// of what its macros make of it.
#ifndef ANTIPHON_CORE_ABC_ABC_H_
#define ANTIPHON_CORE_ABC_ABC_H_

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/notation/written_score.h"

namespace antiphon::notation {

// Whether these first bytes of a file (8192 are enough) are ABC: it says so (%abc), or has fields
// X: and K:.
bool LooksLikeAbc(std::string_view head);

// The tunes in the order of the file; at least one. The bytes may be in UTF-8, in UTF-16 with a
// byte order mark, or in what %%abc-charset names; other bytes of titles are taken for the most
// plausible of the old encodings.
//
// Scores are printed without bar numbers in ABC: they are counted from 1, an upbeat is "0", and the
// halves of a bar that a repeat cuts have the same number.
//
// A tune that cannot be read (it has no notes, no K:, or one that is no key) is left out, and the
// first score has a warning that says so; where that leaves none, it is InvalidArgument with the
// reason of the first. Exceeding a limit is ResourceExhausted. Both name the line, and within music
// the bar. What is passed over or repaired in a tune is in its warnings.
[[nodiscard]] absl::StatusOr<std::vector<WrittenScore>> ReadAbc(std::string_view text,
                                                                const NotationLimits& limits = {});

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_ABC_ABC_H_
