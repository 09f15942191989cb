#include "core/streaming/segments.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/matching/tempo.h"

namespace antiphon::streaming {
namespace {

constexpr double kOff_s = 5.0;     // of the score, by which a piece may come back off its line
constexpr double kMinFit_s = 4.0;  // for a tempo of its own

bool CarriesOn(const StreamSegment& segment, const matching::Candidate& candidate) {
  const double expected_s =
      segment.reference_end_s + segment.tempo_ratio * (candidate.query_start_s - segment.end_s);
  return candidate.reference_start_s >= segment.reference_end_s - kOff_s &&
         candidate.reference_start_s <= expected_s + kOff_s;
}

// The place taken at first may have been another that sounds alike: where most of the segment until
// now turns out to be elsewhere, so is its start.
void Correct(const matching::Candidate& candidate, StreamSegment& segment) {
  const double heard_s = std::min(segment.end_s, candidate.query_end_s) - candidate.query_start_s;
  if (heard_s < (segment.end_s - segment.start_s) / 2) return;
  const double start_s = candidate.reference_start_s -
                         candidate.tempo_ratio * (candidate.query_start_s - segment.start_s);
  if (std::abs(start_s - segment.reference_start_s) > kOff_s)
    segment.reference_start_s = std::max(0.0, start_s);
}

// Cuts both where they overlap, in the middle.
void Part(StreamSegment& earlier, StreamSegment& later) {
  const double overlap_s = earlier.end_s - later.start_s;
  if (overlap_s <= 0) return;
  const double border_s = std::clamp(later.start_s + overlap_s / 2, earlier.start_s, later.end_s);
  earlier.reference_end_s =
      std::max(earlier.reference_start_s,
               earlier.reference_end_s - (earlier.end_s - border_s) * earlier.tempo_ratio);
  later.reference_start_s =
      std::min(later.reference_end_s,
               later.reference_start_s + (border_s - later.start_s) * later.tempo_ratio);
  earlier.end_s = later.start_s = border_s;
}

}  // namespace

absl::Status SegmentBuilder::Add(const StreamAnswer& answer) {
  switch (answer.event) {
    case StreamEvent::kPieceStarted:
      return Start(answer);
    case StreamEvent::kPieceEnded:
      open_ = false;
      return absl::OkStatus();
    case StreamEvent::kUpdate: {
      if (!open_) return absl::OkStatus();
      const auto it = std::find(answer.ids.begin(), answer.ids.end(), segments_.back().piece_id);
      if (it != answer.ids.end()) Extend(answer.identification.candidates[it - answer.ids.begin()]);
      return absl::OkStatus();
    }
    case StreamEvent::kPaused:
    case StreamEvent::kResumed:
      return absl::OkStatus();
  }
  return absl::InternalError("unknown event in a stream");
}

absl::Status SegmentBuilder::Start(const StreamAnswer& answer) {
  const matching::Candidate& first = answer.identification.candidates[0];
  open_ = true;
  if (!segments_.empty() && segments_.back().piece_id == answer.ids[0] &&
      CarriesOn(segments_.back(), first)) {
    Extend(first);
    return absl::OkStatus();
  }
  if (static_cast<int>(segments_.size()) >= max_segments_) {
    return absl::ResourceExhaustedError(absl::StrCat("more than ", max_segments_, " segments"));
  }
  segments_.push_back({first.query_start_s, first.query_end_s, answer.ids[0], first.confidence,
                       first.reference_start_s, first.reference_end_s, first.tempo_ratio});
  return absl::OkStatus();
}

void SegmentBuilder::Extend(const matching::Candidate& candidate) {
  StreamSegment& segment = segments_.back();
  segment.confidence = std::max(segment.confidence, candidate.confidence);
  Correct(candidate, segment);
  if (candidate.query_end_s <= segment.end_s) return;
  segment.end_s = candidate.query_end_s;
  segment.reference_end_s = candidate.reference_end_s;
  const double length_s = segment.end_s - segment.start_s;
  const double ratio = (segment.reference_end_s - segment.reference_start_s) / length_s;
  const bool fits =
      length_s >= kMinFit_s && matching::IsPlausibleTempo(ratio, candidate.tempo_ratio);
  segment.tempo_ratio = fits ? ratio : candidate.tempo_ratio;
}

std::vector<StreamSegment> SegmentBuilder::Finish() {
  for (size_t i = 0; i + 1 < segments_.size(); ++i) Part(segments_[i], segments_[i + 1]);
  std::erase_if(segments_,
                [](const StreamSegment& segment) { return segment.end_s <= segment.start_s; });
  return std::exchange(segments_, {});
}

}  // namespace antiphon::streaming
