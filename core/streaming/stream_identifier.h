// Identifies music while it comes in: which piece is it now, and where; when does it begin, change,
// pause and end.
//
// Features and embeddings are computed once per window and kept for the last stretch only, so that
// memory does not grow with the length of the stream. Belongs to one thread at a time; borrows
// nothing beyond a call: every Push names the collection to ask, which may be another than the last
// time (of another model: what was heard before is forgotten).
#ifndef ANTIPHON_CORE_STREAMING_STREAM_IDENTIFIER_H_
#define ANTIPHON_CORE_STREAMING_STREAM_IDENTIFIER_H_

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/matching/answer.h"
#include "core/matching/request.h"
#include "core/retrieval/collection.h"

namespace antiphon::streaming {

struct StreamOptions {
  double update_s = 1.0;    // of sound between answers, 0.25 to stretch_s
  double stretch_s = 12.0;  // of sound that an answer looks back on, 2 to 60
  double pause_s = 1.5;     // of silence (below -70 dBFS) that count as a pause, > 0
  matching::IdentifyOptions identify = {};  // of each answer; max_windows and excerpt do not matter
};

enum class StreamEvent {
  kUpdate,        // nothing has changed but positions and confidence
  kPieceStarted,  // the first candidate is now recognised, after nothing, another piece, or its own
                  // end
  kPieceEnded,    // what was recognised no longer is, and no other
  kPaused,
  kResumed
};

struct StreamAnswer {
  StreamEvent event = StreamEvent::kUpdate;
  double at_s = 0;  // of the stream: the sound that the answer is about ends here
  // Of the last stretch, or of its end where that is another piece than the rest. All times are the
  // stream's. A candidate's place is at_s and where the music is then; its match is where it was
  // heard, and what of it. A pause has no candidates, and kInsufficientInput.
  matching::Identification identification = {};
  std::vector<std::string> ids =
      {};  // of the sources, by candidate: positions hold for the collection of the Push only
};

class StreamIdentifier {
 public:
  explicit StreamIdentifier(const StreamOptions& options);  // requires options in their ranges
  ~StreamIdentifier();

  // Mono samples at the encoder's rate, any number of them; answers do not depend on how they are
  // cut. Returns the answers that became due. Fails as Collection::IdentifyAudio does; the stream
  // cannot be carried on then.
  [[nodiscard]] absl::StatusOr<std::vector<StreamAnswer>> Push(
      const retrieval::Collection& collection, std::span<const float> samples,
      const matching::RequestContext& context = {});

  // The end of the sound: the last answer, about what has come since the last one. Push must not
  // follow.
  [[nodiscard]] absl::StatusOr<std::vector<StreamAnswer>> Finish(
      const retrieval::Collection& collection, const matching::RequestContext& context = {});

  double received_s() const;
  size_t bytes() const;  // of memory that grows and shrinks with what is kept

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace antiphon::streaming

#endif  // ANTIPHON_CORE_STREAMING_STREAM_IDENTIFIER_H_
