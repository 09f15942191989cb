#include "core/transcription/recognised_stretches.h"

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "core/base/status_macros.h"
#include "core/features/transposition.h"
#include "core/streaming/segments.h"
#include "core/streaming/stream_identifier.h"

namespace antiphon::transcription {
namespace {

// Looser than a stream that answers while it is played: the alignment finds the ends.
constexpr double kUpdate_s = 4;       // between looks at the sound
constexpr double kHop_s = 0.5;        // between its windows
constexpr double kLeastAsked_s = 10;  // of sound that is asked about at other pitches …
constexpr double kProbe_s = 12;       // … by so much from its middle: each pitch costs as much as
constexpr size_t kMostProbes = 3;     // all of an identification
constexpr int kMaxTransposition = 6;

// The mean similarity of each piece in the answers that name it first.
class Similarities {
 public:
  void Add(const streaming::StreamAnswer& answer) {
    if (answer.ids.empty()) return;
    Sum& sum = sums_[answer.ids[0]];
    sum.total += answer.identification.candidates[0].similarity;
    ++sum.count;
  }
  double Of(const std::string& id) const {
    const auto it = sums_.find(id);
    return it == sums_.end() ? 0 : it->second.total / it->second.count;
  }

 private:
  struct Sum {
    double total = 0;
    int count = 0;
  };
  std::map<std::string, Sum> sums_;
};

absl::StatusOr<std::vector<RecognisedStretch>> AtWrittenPitch(
    const retrieval::Collection& collection, const audio::Waveform& sound,
    const matching::SearchFilter& filter, const matching::RequestContext& context) {
  streaming::StreamOptions options;
  options.update_s = kUpdate_s;
  options.identify.filter = filter;
  options.identify.hop_s = kHop_s;
  streaming::StreamIdentifier identifier(options);
  streaming::SegmentBuilder segments;
  Similarities similarities;
  const auto take = [&](const std::vector<streaming::StreamAnswer>& answers) -> absl::Status {
    for (const streaming::StreamAnswer& answer : answers) {
      RETURN_IF_ERROR(segments.Add(answer));
      similarities.Add(answer);
    }
    return absl::OkStatus();
  };
  const std::span<const float> samples = sound.samples;
  const auto second = static_cast<size_t>(sound.sample_rate);
  for (size_t i = 0; i < samples.size(); i += second) {
    ASSIGN_OR_RETURN(
        const auto answers,
        identifier.Push(collection, samples.subspan(i, std::min(second, samples.size() - i)),
                        context));
    RETURN_IF_ERROR(take(answers));
  }
  ASSIGN_OR_RETURN(const auto answers, identifier.Finish(collection, context));
  RETURN_IF_ERROR(take(answers));
  std::vector<RecognisedStretch> recognised;
  for (const streaming::StreamSegment& segment : segments.Finish()) {
    const std::optional<int> piece = collection.FindPiece(segment.source_id);
    if (!piece) continue;
    RecognisedStretch stretch{.piece = *piece,
                              .match = segment.match,
                              .confidence = segment.confidence,
                              .similarity = similarities.Of(segment.source_id)};
    // Passages may go back to places before the first and behind the last.
    for (const matching::Match& passage : segment.passages) {
      stretch.match.reference.start_s =
          std::min(stretch.match.reference.start_s, passage.reference.start_s);
      stretch.match.reference.end_s =
          std::max(stretch.match.reference.end_s, passage.reference.end_s);
    }
    recognised.push_back(stretch);
  }
  return recognised;
}

// What is left over, at other pitches. A piece that is recognised in its middle is taken to be the
// whole of it: the alignment says how far it goes.
absl::StatusOr<std::optional<RecognisedStretch>> AtAnyPitch(
    const retrieval::Collection& collection, const audio::Waveform& sound,
    const matching::Span& left, const matching::SearchFilter& filter,
    const matching::RequestContext& context) {
  matching::IdentifyOptions options;
  options.top_k = 1;
  options.filter = filter;
  options.max_transposition = kMaxTransposition;
  options.hop_s = kHop_s;
  options.excerpt = {std::max(left.start_s, left.middle_s() - kProbe_s / 2),
                     std::min(left.end_s, left.middle_s() + kProbe_s / 2)};
  ASSIGN_OR_RETURN(const auto answer, collection.IdentifyAudio(sound, options, context));
  if (answer.verdict != matching::Verdict::kMatch) return std::nullopt;
  const matching::Candidate& first = answer.candidates[0];
  RecognisedStretch stretch{.piece = first.source,
                            .match = first.match,
                            .transposition = first.transposition,
                            .confidence = first.confidence,
                            .similarity = first.similarity};
  const matching::Span& heard = first.match.query;
  stretch.match.reference.start_s -= (heard.start_s - left.start_s) * first.match.slope;
  stretch.match.reference.end_s += (left.end_s - heard.end_s) * first.match.slope;
  stretch.match.query = left;
  return stretch;
}

// The stretches in which nothing is recognised, as far as they are worth a question at other
// pitches; the longest first.
std::vector<matching::Span> WorthAsking(const std::vector<RecognisedStretch>& recognised,
                                        double duration_s) {
  std::vector<matching::Span> heard;
  heard.reserve(recognised.size());
  for (const RecognisedStretch& stretch : recognised) heard.push_back(stretch.match.query);
  std::vector<matching::Span> left = Uncovered({0, duration_s}, heard);
  std::erase_if(left, [](const matching::Span& span) { return span.length_s() < kLeastAsked_s; });
  std::sort(left.begin(), left.end(), [](const matching::Span& a, const matching::Span& b) {
    return a.length_s() > b.length_s();
  });
  if (left.size() > kMostProbes) left.resize(kMostProbes);
  return left;
}

}  // namespace

std::vector<matching::Span> Uncovered(const matching::Span& whole,
                                      const std::vector<matching::Span>& spans) {
  std::vector<matching::Span> left;
  double from_s = whole.start_s;
  for (const matching::Span& span : spans) {
    if (span.start_s > from_s) left.push_back({from_s, std::min(span.start_s, whole.end_s)});
    from_s = std::max(from_s, span.end_s);
    if (from_s >= whole.end_s) break;
  }
  if (whole.end_s > from_s) left.push_back({from_s, whole.end_s});
  return left;
}

absl::StatusOr<std::vector<RecognisedStretch>> RecognisePieces(
    const retrieval::Collection& collection, const audio::Waveform& sound,
    const matching::SearchFilter& filter, const matching::RequestContext& context) {
  ASSIGN_OR_RETURN(std::vector<RecognisedStretch> recognised,
                   AtWrittenPitch(collection, sound, filter, context));
  if (features::BandsPerSemitone(collection.feature_settings()) == 0) return recognised;
  for (const matching::Span& left : WorthAsking(recognised, sound.duration_s())) {
    ASSIGN_OR_RETURN(const std::optional<RecognisedStretch> stretch,
                     AtAnyPitch(collection, sound, left, filter, context));
    if (stretch) recognised.push_back(*stretch);
  }
  std::sort(recognised.begin(), recognised.end(),
            [](const RecognisedStretch& a, const RecognisedStretch& b) {
              return a.match.query.start_s < b.match.query.start_s;
            });
  return recognised;
}

}  // namespace antiphon::transcription
