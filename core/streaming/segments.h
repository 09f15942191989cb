// From the answers about a stream to the list of what was played in it.
#ifndef ANTIPHON_CORE_STREAMING_SEGMENTS_H_
#define ANTIPHON_CORE_STREAMING_SEGMENTS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/catalog/catalog.h"
#include "core/matching/match.h"
#include "core/streaming/stream_identifier.h"

namespace antiphon::streaming {

// A stretch of the stream in which one piece, or one recording, is played.
struct StreamSegment {
  std::string source_id;
  double confidence = 0;  // the best within
  // Of the stream and of the source, from the start of the first passage to the end of the last;
  // the slope is that within passages.
  matching::Match match = {};
  // Between jumps, such as repeats, by time in the stream; at least one.
  std::vector<matching::Match> passages = {};
  // Of the piece, where one of its parts alone was heard most of the time: as
  // matching::Candidate::part.
  int part = catalog::kWhole;
};

// Puts the answers of one StreamIdentifier together into segments: one piece, carried on from
// answer to answer; borders lie where the piece was first and last heard, not where it was first
// named. A piece that was lost and comes back where it would be by then makes one segment, one that
// begins anew makes two. Belongs to one thread. Keeps at most `max_segments`.
class SegmentBuilder {
 public:
  explicit SegmentBuilder(int max_segments = 10'000) : max_segments_(max_segments) {}

  // ResourceExhausted when there are too many segments.
  [[nodiscard]] absl::Status Add(const StreamAnswer& answer);

  // In order of time, without overlap. Add must not follow.
  std::vector<StreamSegment> Finish();

 private:
  absl::Status Start(const StreamAnswer& answer);
  void Extend(const matching::Candidate& candidate);
  void CountPart(int part);

  const int max_segments_;
  std::vector<StreamSegment> segments_;
  // How many answers about the last segment name a part (or the whole) of the piece.
  std::map<int, int> parts_;
  bool open_ = false;  // the last segment goes on
};

}  // namespace antiphon::streaming

#endif  // ANTIPHON_CORE_STREAMING_SEGMENTS_H_
