#include "server/services/response_builder.h"

#include <algorithm>
#include <iterator>
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
    return ToPosition(std::clamp(seconds, 0.0, duration_s), score.get());
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

// Which part of the reference matches by itself. A score that was read anew has the parts it had.
template <typename Message>
void FillPart(const Reference& reference, int part, Message* out) {
  if (part == catalog::kWhole || reference.score == nullptr ||
      part >= std::ssize(reference.score->parts))
    return;
  *out->mutable_part() = PartOf(*reference.score, part);
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

void FillPassages(const Reference& reference, const std::vector<matching::Match>& passages,
                  google::protobuf::RepeatedPtrField<v1::Passage>* out) {
  for (const matching::Match& passage : passages) {
    v1::Passage* added = out->Add();
    added->set_query_start_seconds(passage.query.start_s);
    added->set_query_end_seconds(passage.query.end_s);
    *added->mutable_reference_start() = reference.At(passage.reference.start_s);
    *added->mutable_reference_end() = reference.At(passage.reference.end_s);
  }
}

v1::Performance ToWire(matching::Performance performance) {
  switch (performance) {
    case matching::Performance::kUnknown:
      return v1::PERFORMANCE_UNSPECIFIED;
    case matching::Performance::kSame:
      return v1::PERFORMANCE_SAME;
    case matching::Performance::kOther:
      return v1::PERFORMANCE_OTHER;
  }
  return v1::PERFORMANCE_UNSPECIFIED;
}

v1::SameMusic ToSameMusic(const Reference& reference, const matching::Span& stretch) {
  v1::SameMusic same;
  *same.mutable_source() = reference.source;
  *same.mutable_start() = reference.At(stretch.start_s);
  *same.mutable_end() = reference.At(stretch.end_s);
  return same;
}

absl::Status FillSameMusic(const retrieval::Collection& collection, catalog::Side side,
                           const std::vector<matching::SameMusic>& others,
                           google::protobuf::RepeatedPtrField<v1::SameMusic>* out) {
  for (const matching::SameMusic& other : others) {
    ASSIGN_OR_RETURN(const Reference reference, ReferenceTo(collection, side, other.source));
    *out->Add() = ToSameMusic(reference, other.match.reference);
    out->rbegin()->set_tied(other.tied);
    FillPart(reference, other.part, &*out->rbegin());
  }
  return absl::OkStatus();
}

// The part of what two pieces share that lies in the passages of one of them; nothing where that is
// nothing.
std::optional<matching::SharedMusic> Within(const matching::SharedMusic& shared,
                                            const std::vector<matching::Match>& passages) {
  const matching::Span &here = shared.in_piece, &there = shared.in_other;
  double start_s = here.end_s, end_s = here.start_s;
  for (const matching::Match& passage : passages) {
    const double from_s = std::max(here.start_s, passage.reference.start_s);
    const double to_s = std::min(here.end_s, passage.reference.end_s);
    if (from_s >= to_s) continue;
    start_s = std::min(start_s, from_s);
    end_s = std::max(end_s, to_s);
  }
  if (start_s >= end_s || here.length_s() <= 0) return std::nullopt;
  const double slope = there.length_s() / here.length_s();
  matching::SharedMusic part = shared;
  part.in_piece = {start_s, end_s};
  part.in_other = {there.start_s + (start_s - here.start_s) * slope,
                   there.start_s + (end_s - here.start_s) * slope};
  return part;
}

// Looks for what shares a piece's music once, however many segments are of it.
class SharedMusicFinder {
 public:
  explicit SharedMusicFinder(const retrieval::Collection& collection) : collection_(collection) {}

  absl::Status Fill(int piece, const std::vector<matching::Match>& passages,
                    google::protobuf::RepeatedPtrField<v1::SameMusic>* out) {
    auto found = by_piece_.find(piece);
    if (found == by_piece_.end()) {
      if (by_piece_.size() == kMostPieces) return absl::OkStatus();
      ASSIGN_OR_RETURN(auto shared, collection_.FindSameMusic(piece));
      found = by_piece_.emplace(piece, std::move(shared)).first;
    }
    for (const matching::SharedMusic& shared : found->second) {
      const std::optional<matching::SharedMusic> part = Within(shared, passages);
      if (!part) continue;
      ASSIGN_OR_RETURN(const Reference other,
                       ReferenceTo(collection_, catalog::Side::kScores, shared.other));
      *out->Add() = ToSameMusic(other, part->in_other);
    }
    return absl::OkStatus();
  }

 private:
  static constexpr size_t kMostPieces = 100;  // a recording of hours has no more

  const retrieval::Collection& collection_;
  std::map<int, std::vector<matching::SharedMusic>> by_piece_;
};

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
    FillPart(reference, hit.part, added);
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
    FillPart(reference, candidate.part, added);
    added->set_performance(ToWire(candidate.performance));
    added->set_transposition_semitones(candidate.transposition);
    added->set_similarity(candidate.similarity);
    FillEvidence(side, reference, candidate.evidence, added->mutable_evidence());
    FillPassages(reference, candidate.passages, added->mutable_passages());
    RETURN_IF_ERROR(
        FillSameMusic(collection, side, candidate.same_music, added->mutable_same_music()));
  }
  return absl::OkStatus();
}

absl::Status FillSharedMusic(const retrieval::Collection& collection,
                             const std::vector<matching::SharedMusic>& shared,
                             google::protobuf::RepeatedPtrField<v1::SameMusicPair>* out) {
  for (const matching::SharedMusic& pair : shared) {
    ASSIGN_OR_RETURN(const Reference piece,
                     ReferenceTo(collection, catalog::Side::kScores, pair.piece));
    ASSIGN_OR_RETURN(const Reference other,
                     ReferenceTo(collection, catalog::Side::kScores, pair.other));
    v1::SameMusicPair* added = out->Add();
    *added->mutable_piece() = ToSameMusic(piece, pair.in_piece);
    *added->mutable_other() = ToSameMusic(other, pair.in_other);
  }
  return absl::OkStatus();
}

absl::Status FillSegments(const retrieval::Collection& collection, catalog::Side side,
                          const std::vector<streaming::StreamSegment>& segments,
                          google::protobuf::RepeatedPtrField<v1::Segment>* out) {
  SharedMusicFinder finder(collection);
  for (const streaming::StreamSegment& segment : segments) {
    Reference reference;
    const bool score = side == catalog::Side::kScores;
    const std::optional<int> source = score ? collection.FindPiece(segment.source_id)
                                            : collection.FindRecording(segment.source_id);
    if (source) {
      ASSIGN_OR_RETURN(reference, ReferenceTo(collection, side, *source));
    } else {
      reference.source.set_id(segment.source_id);
      if (score) reference.source.set_piece_id(segment.source_id);
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
    added->set_tempo_ratio(matching::TempoRatio(side, match.slope));
    FillPassages(reference, segment.passages, added->mutable_passages());
    FillPart(reference, segment.part, added);
    if (!source || !score) continue;
    RETURN_IF_ERROR(finder.Fill(*source, segment.passages, added->mutable_same_music()));
  }
  return absl::OkStatus();
}

}  // namespace antiphon::server
