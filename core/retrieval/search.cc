// The requests of a BundleCollection.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/collection/bundle_builder.h"
#include "core/decoding/decoder.h"
#include "core/encoder/remembering_encoder.h"
#include "core/features/transposition.h"
#include "core/matching/hits.h"
#include "core/matching/stage_timer.h"
#include "core/retrieval/bundle_collection.h"
#include "core/retrieval/identification.h"
#include "core/retrieval/query.h"
#include "core/retrieval/same_music_search.h"
#include "core/retrieval/same_performance.h"
#include "core/retrieval/search_filter.h"
#include "core/retrieval/window_hops.h"

namespace antiphon::retrieval {
namespace {

using catalog::Side;

absl::Status Check(const matching::SearchOptions& options) {
  RETURN_IF_ERROR(CheckRange("top_k", options.top_k, matching::SearchOptions::kTopKRange));
  RETURN_IF_ERROR(CheckRange("max_windows", options.max_windows, matching::kQueryWindowsRange));
  return CheckFilter(options.filter);
}

absl::Status Check(const collection::LoadedCollection& loaded,
                   const matching::IdentifyOptions& options) {
  using Options = matching::IdentifyOptions;
  RETURN_IF_ERROR(CheckRange("top_k", options.top_k, Options::kTopKRange));
  RETURN_IF_ERROR(CheckRange("neighbours", options.neighbours, Options::kNeighboursRange));
  RETURN_IF_ERROR(CheckRange("min_confidence", options.min_confidence.value_or(0),
                             Options::kMinConfidenceRange));
  RETURN_IF_ERROR(CheckRange("max_windows", options.max_windows, matching::kQueryWindowsRange));
  RETURN_IF_ERROR(
      CheckRange("max_transposition", options.max_transposition, Options::kMaxTranspositionRange));
  if (options.max_transposition > 0 && features::BandsPerSemitone(loaded.settings()) == 0) {
    return absl::InvalidArgumentError(
        "max_transposition must be 0 with this model, whose bands fit no semitone");
  }
  return CheckFilter(options.filter);
}

absl::Status CheckEmbedded(const collection::LoadedCollection& loaded,
                           const matching::EmbeddingSequence& windows, double duration_s) {
  const int dimension = loaded.audio_encoder->info().dimension;
  if (windows.dimension != dimension ||
      windows.embeddings.size() != windows.start_s.size() * dimension) {
    return absl::InvalidArgumentError(
        absl::StrCat("windows must be of ", dimension, " dimensions"));
  }
  const auto finite = [](double value) { return std::isfinite(value); };
  if (!std::all_of(windows.start_s.begin(), windows.start_s.end(), finite) || !finite(duration_s) ||
      !(windows.hop_s > 0) || !(windows.window_s > 0) || !(windows.tempo_ratio > 0)) {
    return absl::InvalidArgumentError(
        "windows must have finite times, and a positive hop, length and tempo ratio");
  }
  constexpr int kMostWindows = matching::kQueryWindowsRange.high;
  if (windows.start_s.size() > kMostWindows)
    return absl::InvalidArgumentError(absl::StrCat("windows must be at most ", kMostWindows));
  return absl::OkStatus();
}

// Neighbours asked for each window: one place is found several times, by neighbouring windows and
// tempi.
int NeighboursForHits(int top_k) { return std::clamp(8 * top_k, 64, 1000); }

absl::StatusOr<std::vector<matching::Hit>> Search(const collection::LoadedCollection& loaded,
                                                  Side side, const EmbeddedQuery& query,
                                                  const matching::SearchOptions& options,
                                                  matching::StageTimer& timer) {
  const SearchSpace space =
      SpaceOf(*loaded.view, side, Resolve(*loaded.view, side, options.filter));
  ASSIGN_OR_RETURN(
      const std::vector<matching::Neighbour> neighbours,
      NeighboursWithin(space, query, NeighboursForHits(options.top_k), options.filter, timer));
  std::vector<matching::Hit> hits =
      matching::MergeIntoHits(neighbours, options.top_k, options.evidence);
  for (matching::Hit& hit : hits)
    CutWithEvidence(query, loaded.view->duration_s(side, hit.source), hit);
  return hits;
}

// Answers about a query that is so many semitones higher than its source.
using Ask = std::function<absl::StatusOr<matching::Identification>(
    const matching::IdentifyOptions& options, int transposition)>;

// Asks at the pitch as it was played and, as long as there is no match, ever further off. Without a
// match, the answer is that as it was played.
absl::StatusOr<matching::Identification> AtAnyPitch(const matching::IdentifyOptions& options,
                                                    const Ask& ask) {
  ASSIGN_OR_RETURN(matching::Identification as_played, ask(options, 0));
  for (int distance = 1;
       distance <= options.max_transposition && as_played.verdict == matching::Verdict::kNoMatch;
       ++distance) {
    ASSIGN_OR_RETURN(matching::Identification higher, ask(options, distance));
    ASSIGN_OR_RETURN(matching::Identification lower, ask(options, -distance));
    const auto confidence = [](const matching::Identification& answer) {
      return answer.verdict == matching::Verdict::kMatch ? answer.candidates[0].confidence : -1;
    };
    matching::Identification& best = confidence(higher) >= confidence(lower) ? higher : lower;
    if (best.verdict == matching::Verdict::kMatch) return std::move(best);
  }
  return as_played;
}

// What the windows of a query are encoded by and looked for in. Where they are asked about at
// several hops, each is encoded and looked for once: that is at the pitch as it was played. Borrows
// what it is made of.
class QueryMeans {
 public:
  QueryMeans(const collection::LoadedCollection& loaded, const encoder::WindowEncoder& encoder,
             const matching::IdentifyOptions& options, bool several_hops)
      : encoder_(encoder), spaces_(SpacesOf(loaded, options)) {
    if (!several_hops) return;
    remembering_encoder_.emplace(encoder);
    remembering_spaces_ = Remembering(spaces_, encoder.info().dimension);
  }

  const encoder::WindowEncoder& encoder(int transposition) const {
    const bool remember = transposition == 0 && remembering_encoder_.has_value();
    return remember ? *remembering_encoder_ : encoder_;
  }
  const IdentificationSpaces& spaces(int transposition) const {
    const bool remember = transposition == 0 && remembering_spaces_.has_value();
    return remember ? *remembering_spaces_ : spaces_;
  }

 private:
  const encoder::WindowEncoder& encoder_;
  const IdentificationSpaces spaces_;
  std::optional<encoder::RememberingEncoder> remembering_encoder_;
  std::optional<IdentificationSpaces> remembering_spaces_;
};

// Asks with few windows first, and with more where they leave a doubt. Requires `hops_s` as from
// HopsFor.
absl::StatusOr<matching::Identification> AtEachHop(const matching::IdentifyOptions& options,
                                                   std::span<const double> hops_s, double length_s,
                                                   const Ask& ask) {
  matching::IdentifyOptions asked = options;
  for (const double hop_s : hops_s.first(hops_s.size() - 1)) {
    asked.hop_s = hop_s;
    ASSIGN_OR_RETURN(matching::Identification answer, ask(asked, 0));
    if (IsBeyondDoubt(answer, length_s)) return answer;
  }
  asked.hop_s = hops_s.back();
  return AtAnyPitch(asked, ask);
}

// Tempi at which a score is looked for in recordings, which are indexed at one.
std::vector<double> QueryTempoRatios() { return collection::DefaultTempoRatios(); }

matching::WindowPlan PlanOf(const matching::SearchOptions& options) {
  return {.hop_s = options.hop_s, .max_windows = options.max_windows};
}

// The plain vote takes its snippets one by one from all over the query (Dorfer et al. 2018); votes
// that are to agree in time need stretches.
matching::WindowPlan PlanOf(const matching::IdentifyOptions& options) {
  matching::WindowPlan plan{.hop_s = options.hop_s.value_or(matching::IdentifyOptions::kFineHop_s),
                            .max_windows = options.max_windows};
  if (options.method == matching::VoteMethod::kPlain) plan.stretch_windows = 1;
  return plan;
}

// The same number of windows, one by one from all over the query: no stretch of it goes unheard.
matching::WindowPlan EvenPlanOf(const matching::IdentifyOptions& options) {
  matching::WindowPlan plan = PlanOf(options);
  plan.stretch_windows = 1;
  return plan;
}

// Whether windows of the query may have been left out: whole stretches are taken, as many as there
// is room for.
bool IsSampled(const EmbeddedQuery& query, const matching::IdentifyOptions& options) {
  return query.windows + PlanOf(options).stretch_windows > options.max_windows;
}

// Candidates whose recordings are decoded to tell which performance the query is.
constexpr int kNamedPerformances = 5;

// Of those that are as sure as a match. One whose recording can't be read stays as it is.
absl::Status NamePerformances(const collection::LoadedCollection& loaded,
                              const audio::Waveform& query, double threshold,
                              const matching::StageTimer& timer,
                              std::vector<matching::Candidate>& candidates) {
  const auto count = std::min<int64_t>(kNamedPerformances, std::ssize(candidates));
  for (matching::Candidate& candidate : std::span(candidates).first(count)) {
    RETURN_IF_ERROR(timer.KeepGoing());
    if (candidate.confidence < threshold) continue;
    const auto longer = [](const matching::Match& a, const matching::Match& b) {
      return a.query.length_s() < b.query.length_s();
    };
    const auto longest =
        std::max_element(candidate.passages.begin(), candidate.passages.end(), longer);
    matching::Match match = longest == candidate.passages.end() ? candidate.match : *longest;
    audio::DecodeOptions decode;
    decode.sample_rate = query.sample_rate;
    decode.max_duration_s = std::numeric_limits<double>::max();  // it was taken in
    decode.start_s = std::max(0.0, match.reference.start_s - kPerformanceMargin_s);
    decode.length_s = match.reference.end_s + kPerformanceMargin_s - decode.start_s;
    const absl::StatusOr<std::string> encoded = loaded.view->ReadAudio(candidate.source);
    if (!encoded.ok()) continue;
    const absl::StatusOr<audio::Waveform> recording = audio::DecodeMemory(*encoded, decode);
    if (!recording.ok()) continue;
    match.reference.start_s -= decode.start_s;
    match.reference.end_s -= decode.start_s;
    ASSIGN_OR_RETURN(candidate.performance, ComparePerformances(query, *recording, match));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<matching::Hit>> BundleCollection::SearchScores(
    const audio::Waveform& query, const matching::SearchOptions& options,
    const matching::RequestContext& context) const {
  RETURN_IF_ERROR(Check(options));
  matching::StageTimer timer(context);
  ASSIGN_OR_RETURN(const auto embedded,
                   EmbedAudioQuery(*loaded_, query, options.excerpt, PlanOf(options), timer));
  return Search(*loaded_, Side::kScores, embedded, options, timer);
}

absl::StatusOr<std::vector<matching::Hit>> BundleCollection::SearchRecordings(
    const music::Score& query, const matching::SearchOptions& options,
    const matching::RequestContext& context) const {
  RETURN_IF_ERROR(Check(options));
  matching::StageTimer timer(context);
  ASSIGN_OR_RETURN(const auto embedded,
                   EmbedScoreQuery(*loaded_->score_encoder, query, options.excerpt,
                                   QueryTempoRatios(), PlanOf(options), timer));
  return Search(*loaded_, Side::kRecordings, embedded, options, timer);
}

absl::StatusOr<matching::Identification> BundleCollection::IdentifyAudio(
    const audio::Waveform& query, const matching::IdentifyOptions& options,
    const matching::RequestContext& context) const {
  RETURN_IF_ERROR(Check(*loaded_, options));
  matching::StageTimer timer(context);
  ASSIGN_OR_RETURN(const auto audio, ReadAudioQuery(*loaded_, query, options.excerpt, timer));
  const double length_s = audio.end_s - audio.begin_s;
  const std::vector<double> hops_s = HopsFor(options, length_s, /*tempi=*/1);
  const QueryMeans means(*loaded_, *loaded_->audio_encoder, options, hops_s.size() > 1);
  const auto ask = [&](const matching::IdentifyOptions& asked,
                       int transposition) -> absl::StatusOr<matching::Identification> {
    ASSIGN_OR_RETURN(const auto embedded, EmbedAudioQuery(means.encoder(transposition), audio,
                                                          -transposition, PlanOf(asked), timer));
    const auto even_windows = [&](double) -> absl::StatusOr<matching::EmbeddingSequence> {
      ASSIGN_OR_RETURN(EmbeddedQuery even,
                       EmbedAudioQuery(means.encoder(transposition), audio, -transposition,
                                       EvenPlanOf(asked), timer));
      return std::move(even.sequences.at(0));
    };
    return Identify(*loaded_, means.spaces(transposition), embedded, transposition, asked,
                    IsSampled(embedded, asked) ? even_windows : EvenWindows(), timer);
  };
  ASSIGN_OR_RETURN(matching::Identification answer, AtEachHop(options, hops_s, length_s, ask));
  if (options.against == Side::kRecordings) {
    RETURN_IF_ERROR(timer.Run(matching::Stage::kVote, [&] {
      return NamePerformances(*loaded_, query,
                              options.min_confidence.value_or(loaded_->confidence.threshold), timer,
                              answer.candidates);
    }));
  }
  return answer;
}

absl::StatusOr<matching::Identification> BundleCollection::IdentifyScore(
    const music::Score& query, const matching::IdentifyOptions& options,
    const matching::RequestContext& context) const {
  RETURN_IF_ERROR(Check(*loaded_, options));
  const Side side = options.against;
  matching::StageTimer timer(context);
  // Scores are indexed at every tempo, so that one of the query's is enough. The plain vote, which
  // would count the neighbours of wrong tempi as much as those of the right one, reads the score as
  // written (Dorfer et al. 2018).
  const bool as_written = side == Side::kScores || options.method == matching::VoteMethod::kPlain;
  const std::vector<double> ratios = as_written ? std::vector<double>{1.0} : QueryTempoRatios();
  // A recording that is higher than the score asked about is found by the score made higher.
  const int towards_source = side == Side::kScores ? -1 : 1;
  ASSIGN_OR_RETURN(const matching::Span part, PartOfScore(options.excerpt, query));
  const std::vector<double> hops_s =
      HopsFor(options, part.length_s(), static_cast<int>(ratios.size()));
  const QueryMeans means(*loaded_, *loaded_->score_encoder, options, hops_s.size() > 1);
  const auto ask = [&](const matching::IdentifyOptions& asked,
                       int transposition) -> absl::StatusOr<matching::Identification> {
    ASSIGN_OR_RETURN(const auto embedded,
                     EmbedScoreQuery(means.encoder(transposition), query, asked.excerpt, ratios,
                                     PlanOf(asked), timer, towards_source * transposition));
    const auto even_windows =
        [&](double tempo_ratio) -> absl::StatusOr<matching::EmbeddingSequence> {
      ASSIGN_OR_RETURN(
          EmbeddedQuery even,
          EmbedScoreQuery(means.encoder(transposition), query, asked.excerpt, {&tempo_ratio, 1},
                          EvenPlanOf(asked), timer, towards_source * transposition));
      return std::move(even.sequences.at(0));
    };
    return Identify(*loaded_, means.spaces(transposition), embedded, transposition, asked,
                    IsSampled(embedded, asked) ? even_windows : EvenWindows(), timer);
  };
  return AtEachHop(options, hops_s, part.length_s(), ask);
}

absl::StatusOr<matching::Identification> BundleCollection::IdentifyEmbedded(
    matching::EmbeddingSequence windows, double duration_s,
    const matching::IdentifyOptions& options, const matching::RequestContext& context) const {
  RETURN_IF_ERROR(Check(*loaded_, options));
  RETURN_IF_ERROR(CheckEmbedded(*loaded_, windows, duration_s));
  matching::StageTimer timer(context);
  return Identify(*loaded_, SpacesOf(*loaded_, options), QueryOf(std::move(windows), duration_s),
                  /*transposition=*/0, options, /*even_windows=*/{}, timer);
}

absl::StatusOr<std::vector<matching::SharedMusic>> BundleCollection::FindSameMusic(
    int piece, const matching::RequestContext& context) const {
  matching::StageTimer timer(context);
  return retrieval::FindSameMusic(*loaded_, piece, timer);
}

absl::StatusOr<matching::EmbeddingSequence> BundleCollection::EmbedAudio(
    const audio::Waveform& query, const matching::WindowPlan& plan,
    const matching::RequestContext& context) const {
  matching::StageTimer timer(context);
  ASSIGN_OR_RETURN(const auto sequence, timer.Run(matching::Stage::kFeatures, [&] {
    return collection::AudioFeatures(*loaded_->front_end, query);
  }));
  return timer.Run(matching::Stage::kEncode, [&] {
    return collection::EmbedFeatures(*loaded_->audio_encoder, sequence, 1.0, plan,
                                     [&timer] { return timer.KeepGoing(); });
  });
}

absl::StatusOr<matching::EmbeddingSequence> BundleCollection::EmbedScore(
    const music::Score& query, double tempo_ratio, const matching::WindowPlan& plan,
    const matching::RequestContext& context) const {
  matching::StageTimer timer(context);
  ASSIGN_OR_RETURN(const auto sequence, timer.Run(matching::Stage::kFeatures, [&] {
    return collection::ScoreFeatures(loaded_->score_encoder->info().settings, query, tempo_ratio);
  }));
  return timer.Run(matching::Stage::kEncode, [&] {
    return collection::EmbedFeatures(*loaded_->score_encoder, sequence, tempo_ratio, plan,
                                     [&timer] { return timer.KeepGoing(); });
  });
}

}  // namespace antiphon::retrieval
