#include "server/services/response_builder.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "core/base/status_macros.h"
#include "core/matching/tempo.h"
#include "server/services/snippets.h"
#include "server/wire/conversions.h"

namespace antiphon::server {
namespace {

// Where an answer lies.
struct Reference {
  v1::Source source;
  double duration_s = 0;
  std::shared_ptr<const music::Score> score;  // null for a recording

  // A place of the source: windows reach beyond its start and its end.
  v1::Position At(double seconds) const {
    return ToPosition(std::clamp(seconds, 0.0, duration_s),
                      score == nullptr ? nullptr : &score->tempo_map);
  }
};

absl::StatusOr<Reference> ReferenceTo(const retrieval::Collection& collection, catalog::Side side,
                                      int source) {
  Reference reference;
  if (side == catalog::Side::kRecordings) {
    reference.source = SourceOfRecording(collection, source);
    reference.duration_s = collection.recordings().at(source).duration_s;
    return reference;
  }
  ASSIGN_OR_RETURN(reference.score, collection.ReadScore(source));
  reference.source = SourceOf(collection.pieces().at(source));
  reference.duration_s = reference.score->duration_s;
  return reference;
}

// What hits, candidates and their evidence say alike of where they lie.
template <typename Message>
void FillMatch(catalog::Side side, const Reference& reference, const matching::Match& match,
               Message* out) {
  out->set_query_start_seconds(match.query.start_s);
  out->set_query_end_seconds(match.query.end_s);
  *out->mutable_reference_start() = reference.At(match.reference.start_s);
  *out->mutable_reference_end() = reference.At(match.reference.end_s);
  out->set_tempo_ratio(matching::TempoRatio(side, match.slope));
}

void FillEvidence(catalog::Side side, const Reference& reference,
                  const std::vector<matching::Evidence>& evidence,
                  google::protobuf::RepeatedPtrField<v1::Evidence>* out) {
  for (const matching::Evidence& window : evidence) {
    v1::Evidence* added = out->Add();
    FillMatch(side, reference, window.match, added);
    added->set_similarity(window.similarity);
  }
}

// Cuts stretches out of sources; keeps the sound of each recording, because several hits may lie in
// one.
class SnippetCutter {
 public:
  explicit SnippetCutter(const retrieval::Collection& collection) : collection_(collection) {}

  absl::StatusOr<std::string> Cut(const Reference& reference, int source, double start_s,
                                  double end_s) {
    if (start_s >= end_s) return std::string();
    if (reference.score != nullptr) return CutMidi(*reference.score, start_s, end_s);
    auto found = sound_.find(source);
    if (found == sound_.end()) {
      ASSIGN_OR_RETURN(std::string audio, collection_.ReadAudio(source));
      found = sound_.emplace(source, std::move(audio)).first;
    }
    return CutWav(found->second, start_s, end_s, collection_.feature_settings().sample_rate);
  }

 private:
  const retrieval::Collection& collection_;
  std::map<int, std::string> sound_;  // encoded, by recording
};

}  // namespace

v1::Source SourceOfRecording(const retrieval::Collection& collection, int recording) {
  const catalog::Recording& found = collection.recordings().at(recording);
  const std::optional<int> piece = collection.FindPiece(found.piece_id);
  return SourceOf(found, piece.has_value() ? &collection.pieces().at(*piece) : nullptr);
}

absl::Status FillHits(const retrieval::Collection& collection, catalog::Side side,
                      const std::vector<matching::Hit>& hits, bool include_snippets,
                      google::protobuf::RepeatedPtrField<v1::Hit>* out) {
  SnippetCutter cutter(collection);
  for (const matching::Hit& hit : hits) {
    ASSIGN_OR_RETURN(const Reference reference, ReferenceTo(collection, side, hit.source));
    v1::Hit* added = out->Add();
    *added->mutable_source() = reference.source;
    FillMatch(side, reference, hit.match, added);
    added->set_similarity(hit.similarity);
    FillEvidence(side, reference, hit.evidence, added->mutable_evidence());
    if (!include_snippets) continue;
    ASSIGN_OR_RETURN(std::string snippet,
                     cutter.Cut(reference, hit.source, added->reference_start().seconds(),
                                added->reference_end().seconds()));
    added->set_snippet(std::move(snippet));
  }
  return absl::OkStatus();
}

absl::Status FillCandidates(const retrieval::Collection& collection, catalog::Side side,
                            const std::vector<matching::Candidate>& candidates,
                            google::protobuf::RepeatedPtrField<v1::Candidate>* out) {
  for (const matching::Candidate& candidate : candidates) {
    ASSIGN_OR_RETURN(const Reference reference, ReferenceTo(collection, side, candidate.source));
    v1::Candidate* added = out->Add();
    *added->mutable_source() = reference.source;
    added->set_confidence(candidate.confidence);
    added->set_score(candidate.score);
    added->set_votes(candidate.votes);
    added->set_query_seconds(candidate.place.query_s);
    *added->mutable_reference() = reference.At(candidate.place.reference_s);
    FillMatch(side, reference, candidate.match, added);
    added->set_transposition_semitones(candidate.transposition);
    added->set_similarity(candidate.similarity);
    FillEvidence(side, reference, candidate.evidence, added->mutable_evidence());
  }
  return absl::OkStatus();
}

absl::Status FillSegments(const retrieval::Collection& collection,
                          const std::vector<streaming::StreamSegment>& segments,
                          google::protobuf::RepeatedPtrField<v1::Segment>* out) {
  for (const streaming::StreamSegment& segment : segments) {
    Reference reference;
    if (const std::optional<int> piece = collection.FindPiece(segment.piece_id)) {
      ASSIGN_OR_RETURN(reference, ReferenceTo(collection, catalog::Side::kScores, *piece));
    } else {
      reference.source.set_id(segment.piece_id);
      reference.source.set_piece_id(segment.piece_id);
      reference.duration_s = segment.match.reference.end_s;
    }
    v1::Segment* added = out->Add();
    const matching::Match& match = segment.match;
    added->set_start_seconds(match.query.start_s);
    added->set_end_seconds(match.query.end_s);
    *added->mutable_source() = reference.source;
    added->set_confidence(segment.confidence);
    *added->mutable_reference_start() = reference.At(match.reference.start_s);
    *added->mutable_reference_end() = reference.At(match.reference.end_s);
    added->set_tempo_ratio(matching::TempoRatio(catalog::Side::kScores, match.slope));
  }
  return absl::OkStatus();
}

}  // namespace antiphon::server
