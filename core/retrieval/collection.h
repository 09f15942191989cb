// A loaded bundle that answers: what in the collection matches this sound, this score; which piece
// is it, and where in it.
//
// Immutable once open; every method is safe from any thread. Shares encoders and contents with the
// collections made from it.
#ifndef ANTIPHON_CORE_RETRIEVAL_COLLECTION_H_
#define ANTIPHON_CORE_RETRIEVAL_COLLECTION_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/audio/waveform.h"
#include "core/bundle/bundle.h"
#include "core/catalog/catalog.h"
#include "core/encoder/window_encoder.h"
#include "core/features/audio_front_end.h"
#include "core/index/vector_index.h"
#include "core/music/score.h"
#include "core/retrieval/confidence.h"
#include "core/retrieval/embedder.h"
#include "core/retrieval/voting.h"

namespace antiphon::retrieval {

enum class Stage {
  kFeatures,
  kEncode,
  kSearch,
  kVote
};  // kFeatures and kEncode are reported for a whole query each

// What a caller may hook into a request. Both may be empty.
struct RequestContext {
  std::function<absl::Status()>
      keep_going;  // asked before every expensive stage; a failure is returned at once
  std::function<void(Stage, double)> on_stage;  // seconds that a stage took, on failure too
};

struct CollectionOptions {
  encoder::EncoderOptions encoder;
  index::IndexOptions
      index;  // search settings, device, threads; kind and dimension come from the bundle
  // Wraps each encoder once loaded, for instance to batch across requests; empty leaves it as it
  // is.
  std::function<std::unique_ptr<encoder::WindowEncoder>(std::unique_ptr<encoder::WindowEncoder>)>
      wrap_encoder;
};

// A window of the query and the stretch of a source that it was found to match.
struct Evidence {
  double query_start_s = 0;
  double query_end_s = 0;
  double reference_start_s = 0;  // seconds of the source, nominal tempo for scores
  double reference_end_s = 0;
  double tempo_ratio = 1.0;  // tempo of the sound over the tempo written
  float similarity = 0;      // cosine
};

// Which sources may be an answer: those that pass every list that is not empty, by equalling one of
// its entries.
struct SourceFilter {
  std::vector<std::string> composers = {};    // ASCII letters of either case are alike
  std::vector<std::string> collections = {};  // exactly
  std::vector<std::string> piece_ids =
      {};  // exactly; a recording passes by the piece that it is of

  bool empty() const { return composers.empty() && collections.empty() && piece_ids.empty(); }
};

// What of the collection is searched, and how.
struct SearchBounds {
  SourceFilter filter = {};
  bool exact = false;           // compare every vector, whatever the index
  float min_similarity = -1.0;  // neighbours less similar do not count
};

// The part of the query that is looked at, seconds; windows begin at its start. Times in answers
// are the whole query's.
struct QueryExcerpt {
  double start_s = 0;
  std::optional<double> end_s = {};  // none: the end of the query
};

// A stretch of the query and the stretch of the collection that it matches.
struct Hit {
  int source = 0;  // position in the contents' pieces() or recordings()
  double query_start_s = 0;
  double query_end_s = 0;
  double reference_start_s = 0;  // seconds of the source, nominal tempo for scores
  double reference_end_s = 0;
  double tempo_ratio = 1.0;  // tempo of the sound over the tempo written
  float similarity = 0;      // cosine
  std::vector<Evidence> evidence =
      {};  // with SearchOptions::evidence, by time in the query, the 1,000 most similar
};

struct SearchOptions {
  int top_k = 10;      // hits over the whole query, 1 to 1,000, best first, overlapping ones of one
                       // source merged into the best
  double hop_s = 0.5;  // > 0; between query windows, seconds of the query
  int max_windows =
      240;  // of the query, at each tempo that it is read at; 1 to 100,000; see WindowPlan
  SearchBounds bounds = {};
  QueryExcerpt excerpt = {};
  bool evidence = false;  // fill Hit::evidence
};

enum class VoteMethod { kInTime, kPlain };

inline constexpr int kMaxTransposition = 6;  // semitones: with them every key is tried

struct IdentifyOptions {
  int top_k = 5;  // candidates, 1 to 100
  VoteMethod method = VoteMethod::kInTime;
  bool follow_paths = true;  // of the best sources by vote in time: rank them by path_match.h
  double hop_s = 0.25;       // as in SearchOptions
  int max_windows = 240;     // as in SearchOptions
  int neighbours = 25;       // per query window, 1 to 1,000
  std::optional<double> min_confidence =
      {};  // 0 to 1; below it the answer is kNoMatch; the model's threshold without one
  // Semitones, 0 to kMaxTransposition. A query that would have no match is asked again a semitone
  // higher and lower, and so on up to so many, until there is one. An instrument that is out of
  // tune or a recording played too fast or too slow needs 1; music in another key all.
  int max_transposition = 0;
  SearchBounds bounds = {};
  QueryExcerpt excerpt = {};
  bool evidence = false;  // fill Candidate::evidence
};

enum class Verdict {
  kMatch,
  kNoMatch,
  kInsufficientInput
};  // the last: silence or no notes, or shorter than half a window

struct Candidate {
  int source = 0;
  double confidence = 0;  // in [0, 1]
  double score = 0;       // of the vote
  int votes = 0;
  double query_s = 0;        // a place in the query …
  double reference_s = 0;    // … and its place in the source
  double tempo_ratio = 1.0;  // tempo of the sound over the tempo written
  int transposition =
      0;  // semitones by which the sound is higher than written, the query higher than a score
  // The stretch of the query that goes along with the source best, and the source's.
  double query_start_s = 0;
  double query_end_s = 0;
  double reference_start_s = 0;
  double reference_end_s = 0;
  float similarity = 0;  // mean cosine of the windows along that stretch
  std::vector<Evidence> evidence =
      {};  // votes for it, by time in the query, the 1,000 most similar
};

struct Identification {
  Verdict verdict = Verdict::kNoMatch;
  int windows = 0;                    // of the query
  std::vector<Candidate> candidates;  // best first
};

class Contents;
struct CollectionParts;

class Collection {
 public:
  // Opens the bundle's current generation (see OpenBundle) and warms the encoders up. Fails as its
  // parts do, or with DataLoss when they do not fit together.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<const Collection>> Open(
      const std::string& bundle_root, const CollectionOptions& options = {});
  // Of parts that have been checked (collection_parts.h), for retrieval itself.
  static std::shared_ptr<const Collection> Make(std::shared_ptr<const CollectionParts> parts);
  ~Collection();

  const CollectionParts& parts() const;

  const bundle::Manifest& manifest() const;
  const std::vector<std::string>& rejected_generations() const;
  const Contents& contents() const;
  const ConfidenceModel& confidence() const;
  const encoder::EncoderInfo& encoder_info()
      const;  // of the audio encoder; the score encoder agrees with it
  const encoder::WindowEncoder& audio_encoder() const;
  const features::AudioFrontEnd& front_end() const;

  // All of the following: sound must have encoder_info().settings.sample_rate. InvalidArgument
  // names the option or input that is out of range; ResourceExhausted is a score too large to read;
  // Internal an encoder's or index's failure.

  // The scores that sound like the query; the recordings that sound like the score, which is tried
  // at all DefaultTempoRatios(). Silence (nothing above -70 dBFS), no notes, or less than half a
  // window has no hits.
  [[nodiscard]] absl::StatusOr<std::vector<Hit>> SearchScores(
      const audio::Waveform& query, const SearchOptions& options,
      const RequestContext& context = {}) const;
  [[nodiscard]] absl::StatusOr<std::vector<Hit>> SearchRecordings(
      const music::Score& query, const SearchOptions& options,
      const RequestContext& context = {}) const;

  // Against the scores (audio query, score query) or, for a score query, the recordings, as `side`
  // says; an audio query against recordings is Unimplemented.
  [[nodiscard]] absl::StatusOr<Identification> IdentifyAudio(
      const audio::Waveform& query, const IdentifyOptions& options,
      const RequestContext& context = {}) const;
  [[nodiscard]] absl::StatusOr<Identification> IdentifyScore(
      const music::Score& query, catalog::Side side, const IdentifyOptions& options,
      const RequestContext& context = {}) const;

  // The score that goes with sound whose windows have been embedded by audio_encoder(), for callers
  // that keep embeddings from one question to the next. Times in the answer are those of `windows`;
  // `duration_s` is where the sound ends by them. The options' hop, number of windows, excerpt and
  // transposition do not matter. No windows are kInsufficientInput; whether they are silent the
  // caller must know (core/features/audible.h). InvalidArgument unless `windows` is finite and of
  // the encoder's dimension.
  [[nodiscard]] absl::StatusOr<Identification> IdentifyEmbedded(
      EmbeddingSequence windows, double duration_s, const IdentifyOptions& options,
      const RequestContext& context = {}) const;

  [[nodiscard]] absl::StatusOr<EmbeddingSequence> EmbedAudio(
      const audio::Waveform& query, const WindowPlan& plan,
      const RequestContext& context = {}) const;
  [[nodiscard]] absl::StatusOr<EmbeddingSequence> EmbedScore(
      const music::Score& query, double tempo_ratio, const WindowPlan& plan,
      const RequestContext& context = {}) const;

 private:
  explicit Collection(std::shared_ptr<const CollectionParts> parts);
  const std::shared_ptr<const CollectionParts> parts_;
};

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_COLLECTION_H_
