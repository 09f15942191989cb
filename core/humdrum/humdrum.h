// Humdrum files with **kern spines, as the large collections of the scholars have them.
//
// What is read: **kern (hidden **kernyy too), and **dynam for loudness. Other spines (**text,
// **mxhm, **fing and so on) are passed over. Pitches of **kern sound as they are written; *ITr
// says only how a part would be printed, and *Tr is undone. Unpitched notes (**drum, *clefX, notes
// marked R) are counted and left out. Hidden notes (yy) and small notes (*cue) are read as others:
// the one are parts written out, the other cadenzas. Filters (!!!filter) are not applied.
//
// The order of playing is the expansion list *>[A,A,B], where there is one. Variants (*>norep[A,B])
// are not used. Without a list it is the repeat signs, and sections named A1, A2 are the endings
// of A. A file that was expanded already (*thru) has neither.
//
// Stateless; safe from any thread. Time and memory are proportional to the length of the text.
#ifndef ANTIPHON_CORE_HUMDRUM_HUMDRUM_H_
#define ANTIPHON_CORE_HUMDRUM_HUMDRUM_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "core/notation/written_score.h"

namespace antiphon::notation {

// Whether this is the beginning of a Humdrum file: of its lines that are neither blank nor
// comments, the first names the kinds of its spines, and **kern or **drum is among them. `head` may
// end anywhere; where it ends within the comments, they must be reference records (!!!COM: Bach).
bool LooksLikeHumdrum(std::string_view head);

// The score of a file; of a file with several, the first (a warning says so). Text is UTF-8 or
// Latin-1, lines end in any way.
//
// Fails with InvalidArgument on what isn't Humdrum, has no **kern spine or no pitched note, or
// whose spines don't fit: the message names line and bar. Fails with ResourceExhausted on more than
// `limits` allow. What is passed over without harm is a warning: notes without a duration, voices
// of unequal lengths, tokens without meaning.
absl::StatusOr<WrittenScore> ReadHumdrum(std::string_view text, const NotationLimits& limits = {});

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_HUMDRUM_HUMDRUM_H_
