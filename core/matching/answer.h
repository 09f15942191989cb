// The answers of a search and of an identification, and the evidence behind them. Plain values;
// safe from any thread.
#ifndef ANTIPHON_CORE_MATCHING_ANSWER_H_
#define ANTIPHON_CORE_MATCHING_ANSWER_H_

#include <vector>

#include "core/catalog/catalog.h"
#include "core/matching/match.h"

namespace antiphon::matching {

// A window of the query and the stretch of a source that it was found to match.
struct Evidence {
  Match match = {};
  float similarity = 0;  // cosine
};

// A stretch of the query and the stretch of the collection that it matches.
struct Hit {
  int source = 0;  // position in the contents' pieces() or recordings()
  Match match = {};
  float similarity = 0;  // cosine, of the most similar window
  // With SearchOptions::evidence, by time in the query, the 1,000 most similar.
  std::vector<Evidence> evidence = {};
  // Of the source, where one of its parts alone matches: its position in music::Score::parts.
  int part = catalog::kWhole;
};

enum class Verdict {
  kMatch,
  kNoMatch,
  kInsufficientInput  // silence or no notes, or shorter than half a window
};

// A source with the same music as a candidate.
struct SameMusic {
  int source = 0;
  Match match = {};            // the query, and where it lies in this source
  bool tied = false;           // it explains the query as well as the candidate does
  int part = catalog::kWhole;  // as Hit::part
};

// What a sound is to a recording of the same music.
enum class Performance {
  kUnknown,  // not asked, or too little to tell
  kSame,     // the sound is from the recording, or both are from one
  kOther     // another performance of the music
};

struct Candidate {
  int source = 0;
  double confidence = 0;  // in [0, 1]
  double score = 0;       // of the vote
  int votes = 0;
  // Semitones by which the sound is higher than written, the query higher than a score.
  int transposition = 0;
  Place place = {};      // the surest one
  Match match = {};      // the stretch of the query that goes along with the source best
  float similarity = 0;  // mean cosine of the windows along that stretch
  // Votes for it, by time in the query, the 1,000 most similar.
  std::vector<Evidence> evidence = {};
  // The stretch, passage by passage: within each the query follows the source without a jump, such
  // as a repeat. By time in the query; empty where only votes were counted.
  std::vector<Match> passages = {};
  // Other sources with the same music along the stretch, those that explain most of the query
  // first.
  std::vector<SameMusic> same_music = {};
  int part = catalog::kWhole;                       // as Hit::part
  Performance performance = Performance::kUnknown;  // of sound, asked about recordings
};

// Stretches of two pieces in which the music is the same.
struct SharedMusic {
  int piece = 0, other = 0;
  Span in_piece = {}, in_other = {};  // seconds of either, at the tempo written
};

struct Identification {
  Verdict verdict = Verdict::kNoMatch;
  int windows = 0;                         // of the query
  std::vector<Candidate> candidates = {};  // best first
  // What the confidence of the best is made of besides: the best score of other music in the
  // collection, and that of music that is always there (Background, core/collection); 0 without
  // any.
  double rival = 0;
  double background = 0;
};

}  // namespace antiphon::matching

#endif  // ANTIPHON_CORE_MATCHING_ANSWER_H_
