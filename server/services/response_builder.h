// Hits and candidates of a collection as the wire's messages: with what is known of their sources,
// places in bars and beats, evidence and snippets. Stateless; safe from any thread.
//
// Failures are the collection's: it cannot read what it found.
#ifndef ANTIPHON_SERVER_SERVICES_RESPONSE_BUILDER_H_
#define ANTIPHON_SERVER_SERVICES_RESPONSE_BUILDER_H_

#include <vector>

#include "absl/status/status.h"
#include "antiphon/v1/catalog.pb.h"
#include "antiphon/v1/retrieval.pb.h"
#include "core/catalog/catalog.h"
#include "core/retrieval/collection.h"
#include "core/streaming/segments.h"

namespace antiphon::server {

// What is known of a recording at a position of the collection.
v1::Source SourceOfRecording(const retrieval::Collection& collection, int recording);

// Hits among the sources of `side`, which `collection` gave.
[[nodiscard]] absl::Status FillHits(const retrieval::Collection& collection, catalog::Side side,
                                    const std::vector<matching::Hit>& hits, bool include_snippets,
                                    google::protobuf::RepeatedPtrField<v1::Hit>* out);

// Candidates among the sources of `side`, which `collection` gave.
[[nodiscard]] absl::Status FillCandidates(const retrieval::Collection& collection,
                                          catalog::Side side,
                                          const std::vector<matching::Candidate>& candidates,
                                          google::protobuf::RepeatedPtrField<v1::Candidate>* out);

// Pairs of pieces with the same music, which `collection` gave.
[[nodiscard]] absl::Status FillSharedMusic(
    const retrieval::Collection& collection, const std::vector<matching::SharedMusic>& shared,
    google::protobuf::RepeatedPtrField<v1::SameMusicPair>* out);

// Segments of a long recording, as heard over the life of several collections: a source that is not
// there any more keeps its id, and places in seconds.
[[nodiscard]] absl::Status FillSegments(const retrieval::Collection& collection, catalog::Side side,
                                        const std::vector<streaming::StreamSegment>& segments,
                                        google::protobuf::RepeatedPtrField<v1::Segment>* out);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVICES_RESPONSE_BUILDER_H_
