// Which piece is being played, from looks at the last stretch of a stream: when it begins, changes
// and ends. Pure logic: it asks for identifications, and never sees the sound.
//
// A piece is recognised when two looks in a row match it, at places that carry on from one another,
// and it is heard to the end of both. It stays so while windows go on voting for it along its line.
// Once there are none for some seconds, only what came after is asked about, so that what the
// stretch still holds of the old piece does not hide the new one; and when nothing is found there
// for long enough, the piece has ended.
//
// Editions of the same music are one piece: the one that was recognised stays.
//
// Belongs to one thread. Times are seconds of the stream. Internal to core/streaming.
#ifndef ANTIPHON_CORE_STREAMING_PIECE_TRACKER_H_
#define ANTIPHON_CORE_STREAMING_PIECE_TRACKER_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/matching/answer.h"
#include "core/streaming/played_span.h"
#include "core/streaming/stream_identifier.h"

namespace antiphon::streaming {

// An identification, with evidence, and what its sources are called.
struct Sighting {
  matching::Identification identification;
  std::vector<std::string> ids;     // by candidate
  std::vector<double> durations_s;  // of the scores, by candidate
};

class PieceTracker {
 public:
  // Identifies the windows of the stretch whose middle lies at `from_s` or later.
  using Ask = std::function<absl::StatusOr<Sighting>(double from_s)>;

  struct Look {
    double at_s = 0;     // the sound received ends here
    double from_s = 0;   // the first window of the stretch starts here …
    double until_s = 0;  // … and the last ends here, by at_s
    bool last = false;   // no look will follow: a piece is recognised at once
  };
  struct Finding {
    StreamEvent event = StreamEvent::kUpdate;
    // Candidates' places are at_s and where the music is then; their matches are the stretches
    // where they were heard.
    Sighting sighting;
    std::optional<double> forget_before_s = {};  // windows from before do not matter any more
  };
  // Requires windows, and looks in the order of time. Fails as `ask` does.
  [[nodiscard]] absl::StatusOr<Finding> Find(const Look& look, const Ask& ask);

  // Sound has begun again at `s`, after a pause.
  void Resume(double s);

  // Forgets the piece, as at its end; false if there was none.
  bool End();

 private:
  struct Piece {
    std::string id;
    PlayedSpan heard;
    bool resumed = false;  // since it was last heard there has been a pause
  };
  struct Pending {
    std::string id;
    PlayedSpan heard;
    double since_s = 0;  // to where it was heard when it first matched
  };
  absl::StatusOr<Finding> FindFirst(const Look& look, Sighting whole, const Ask& ask);
  absl::StatusOr<Finding> FindNext(const Look& look, Sighting whole, const Ask& ask);
  void Follow(const Look& look, const Sighting& whole);
  bool GoesOn(const PlayedSpan& heard) const;
  bool BeginsAnew(const Sighting& sighting, const PlayedSpan& heard) const;
  bool Confirm(const Sighting& sighting, const Look& look, double wait_s, PlayedSpan& heard);
  Finding Take(const Look& look, Sighting sighting, PlayedSpan heard);
  Finding Report(StreamEvent event, const Look& look, Sighting sighting) const;

  std::optional<Piece> piece_;      // recognised
  std::optional<Pending> pending_;  // matched, not yet recognised
  double since_s_ = 0;  // what came before does not matter: a pause, a piece that has ended
};

}  // namespace antiphon::streaming

#endif  // ANTIPHON_CORE_STREAMING_PIECE_TRACKER_H_
