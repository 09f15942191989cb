// Identifies music while it comes in: which piece is it now, and where; when does it begin, change, pause and end.
//
// Features and embeddings are computed once per window and kept for the last stretch only, so that memory does not
// grow with the length of the stream. Belongs to one thread at a time; borrows nothing beyond a call: every Push names
// the collection to ask, which may be another than the last time (of another model: what was heard before is
// forgotten).
#ifndef ANTIPHON_CORE_RETRIEVAL_STREAM_IDENTIFIER_H_
#define ANTIPHON_CORE_RETRIEVAL_STREAM_IDENTIFIER_H_

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/retrieval/collection.h"

namespace antiphon::retrieval {

struct StreamOptions {
  double update_s = 1.0;     // of sound between answers, 0.25 to 60
  double stretch_s = 12.0;   // of sound that an answer looks back on, 2 to 60
  double pause_s = 1.5;      // of silence that count as a pause
  IdentifyOptions identify;  // hop_s, top_k, min_confidence, scope of each answer
};

enum class StreamEvent { kUpdate, kPieceStarted, kPieceEnded, kPaused, kResumed };

struct StreamAnswer {
  StreamEvent event = StreamEvent::kUpdate;
  double at_s = 0;  // of the stream: the sound that the answer is about ends here
  // As an identification of the last stretch; `query_s` of a candidate is at_s, `reference_s` where the music is then.
  Identification identification;
  std::vector<std::string> ids;  // of the pieces, by candidate: positions hold for the collection of the Push only
};

// A stretch of the stream in which one piece is played.
struct StreamSegment {
  double start_s = 0;
  double end_s = 0;
  std::string piece_id;
  double confidence = 0;  // the best within
  double reference_start_s = 0;
  double reference_end_s = 0;
  double tempo_ratio = 1.0;
};

class StreamIdentifier {
 public:
  explicit StreamIdentifier(const StreamOptions& options);
  ~StreamIdentifier();

  // Mono samples at the collection's rate, any number of them. Returns the answers that became due. Fails as
  // Collection::IdentifyAudio does.
  [[nodiscard]] absl::StatusOr<std::vector<StreamAnswer>> Push(const Collection& collection,
                                                               std::span<const float> samples,
                                                               const RequestContext& context = {});

  // The end of the sound: the last answer, about what has come since the last one. Push must not follow.
  [[nodiscard]] absl::StatusOr<std::vector<StreamAnswer>> Finish(const Collection& collection,
                                                                 const RequestContext& context = {});

  double received_s() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Puts answers together into segments: one piece, carried on from answer to answer; borders lie where the piece was
// first and last heard, not where it was first named. Belongs to one thread. Keeps at most `max_segments`: the
// next one is ResourceExhausted.
class SegmentBuilder {
 public:
  explicit SegmentBuilder(int max_segments = 10'000);
  ~SegmentBuilder();

  [[nodiscard]] absl::Status Add(const StreamAnswer& answer);

  // In order of time, without overlap. Add must not follow.
  std::vector<StreamSegment> Finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_STREAM_IDENTIFIER_H_
