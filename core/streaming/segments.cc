#include "core/streaming/segments.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/matching/tempo.h"

namespace antiphon::streaming {
namespace {

// Of the score, by which a piece may come back off its line: as PieceTracker allows after a pause.
constexpr double kOff_s = 5.0;
constexpr double kMinFit_s = 4.0;  // for a slope of its own, as in voting

// Whether the piece comes back where it was left, where it would be by now, or in between: a player
// may have stopped or played on unheard.
bool CarriesOn(const matching::Match& earlier, const matching::Match& later) {
  const double expected_s =
      earlier.reference.end_s + earlier.slope * (later.query.start_s - earlier.query.end_s);
  return later.reference.start_s >= earlier.reference.end_s - kOff_s &&
         later.reference.start_s <= expected_s + kOff_s;
}

// The place taken at first may have been another that sounds alike: where most of the segment until
// now turns out to be elsewhere, so is its start.
void Correct(const matching::Match& heard, matching::Match& segment) {
  const double heard_s = std::min(segment.query.end_s, heard.query.end_s) - heard.query.start_s;
  if (heard_s < segment.query.length_s() / 2) return;
  const double start_s =
      heard.reference.start_s - heard.slope * (heard.query.start_s - segment.query.start_s);
  if (std::abs(start_s - segment.reference.start_s) > kOff_s)
    segment.reference.start_s = std::max(0.0, start_s);
}

// Cuts both where they overlap, in the middle.
void Part(matching::Match& earlier, matching::Match& later) {
  const double overlap_s = earlier.query.end_s - later.query.start_s;
  if (overlap_s <= 0) return;
  const double border_s =
      std::clamp(later.query.start_s + overlap_s / 2, earlier.query.start_s, later.query.end_s);
  earlier.reference.end_s =
      std::max(earlier.reference.start_s,
               earlier.reference.end_s - (earlier.query.end_s - border_s) * earlier.slope);
  later.reference.start_s =
      std::min(later.reference.end_s,
               later.reference.start_s + (border_s - later.query.start_s) * later.slope);
  earlier.query.end_s = later.query.start_s = border_s;
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
      CarriesOn(segments_.back().match, first.match)) {
    Extend(first);
    return absl::OkStatus();
  }
  if (static_cast<int>(segments_.size()) >= max_segments_) {
    return absl::ResourceExhaustedError(absl::StrCat("more than ", max_segments_, " segments"));
  }
  segments_.push_back({answer.ids[0], first.confidence, first.match});
  return absl::OkStatus();
}

void SegmentBuilder::Extend(const matching::Candidate& candidate) {
  StreamSegment& segment = segments_.back();
  segment.confidence = std::max(segment.confidence, candidate.confidence);
  matching::Match& match = segment.match;
  Correct(candidate.match, match);
  if (candidate.match.query.end_s <= match.query.end_s) return;
  match.query.end_s = candidate.match.query.end_s;
  match.reference.end_s = candidate.match.reference.end_s;
  const double length_s = match.query.length_s();
  const double slope = match.reference.length_s() / length_s;
  const bool fits =
      length_s >= kMinFit_s && matching::IsPlausibleTempo(slope, candidate.match.slope);
  match.slope = fits ? slope : candidate.match.slope;
}

std::vector<StreamSegment> SegmentBuilder::Finish() {
  for (size_t i = 0; i + 1 < segments_.size(); ++i)
    Part(segments_[i].match, segments_[i + 1].match);
  std::erase_if(segments_, [](const StreamSegment& segment) {
    return segment.match.query.end_s <= segment.match.query.start_s;
  });
  return std::exchange(segments_, {});
}

}  // namespace antiphon::streaming
