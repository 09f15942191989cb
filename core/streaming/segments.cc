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
constexpr double kTempoChange = 0.25;

// Whether the piece comes back where it was left, where it would be by now, or in between: a player
// may have stopped or played on unheard.
bool CarriesOn(const matching::Match& earlier, const matching::Match& later) {
  const double expected_s =
      earlier.reference.end_s + earlier.slope * (later.query.start_s - earlier.query.end_s);
  return later.reference.start_s >= earlier.reference.end_s - kOff_s &&
         later.reference.start_s <= expected_s + kOff_s;
}

// Where the passage's line is at a moment of the stream.
double At(const matching::Match& passage, double query_s) {
  return passage.reference.end_s + passage.slope * (query_s - passage.query.end_s);
}

// What is heard goes on along the passage's line, give or take what a tempo moves in the time.
bool GoesAlong(const matching::Match& passage, const matching::Match& heard) {
  const double apart_s = std::abs(heard.query.end_s - passage.query.end_s);
  return std::abs(heard.reference.end_s - At(passage, heard.query.end_s)) <=
         kOff_s + kTempoChange * apart_s;
}

double SlopeOf(const matching::Match& passage, double otherwise) {
  const double length_s = passage.query.length_s();
  const double slope = passage.reference.length_s() / length_s;
  const bool fits = length_s >= kMinFit_s && matching::IsPlausibleTempo(slope, otherwise);
  return fits ? slope : otherwise;
}

// Ends the passage at a moment, or begins it there.
void EndAt(double query_s, matching::Match& passage) {
  passage.reference.end_s =
      std::max(passage.reference.start_s,
               passage.reference.end_s - (passage.query.end_s - query_s) * passage.slope);
  passage.query.end_s = query_s;
}
void BeginAt(double query_s, matching::Match& passage) {
  passage.reference.start_s =
      std::min(passage.reference.end_s,
               passage.reference.start_s + (query_s - passage.query.start_s) * passage.slope);
  passage.query.start_s = query_s;
}

// Cuts both where they overlap, in the middle.
void Part(matching::Match& earlier, matching::Match& later) {
  const double overlap_s = earlier.query.end_s - later.query.start_s;
  if (overlap_s <= 0) return;
  const double border_s =
      std::clamp(later.query.start_s + overlap_s / 2, earlier.query.start_s, later.query.end_s);
  EndAt(border_s, earlier);
  BeginAt(border_s, later);
}

// Takes in what is heard of the piece now.
void Follow(const matching::Match& heard, std::vector<matching::Match>& passages) {
  matching::Match& last = passages.back();
  if (GoesAlong(last, heard)) {
    if (heard.query.end_s <= last.query.end_s) return;
    last.query.end_s = heard.query.end_s;
    last.reference.end_s = heard.reference.end_s;
    last.slope = SlopeOf(last, heard.slope);
    return;
  }
  // The place taken at first may have been another that sounds alike: where most of the passage
  // until now turns out to be elsewhere, so is its start.
  const double known_s = std::min(last.query.end_s, heard.query.end_s) - heard.query.start_s;
  if (known_s >= last.query.length_s() / 2) {
    matching::Match anew = heard;
    BeginAt(last.query.start_s, anew);
    anew.reference.start_s = std::max(0.0, anew.reference.start_s);
    last = anew;
    return;
  }
  if (heard.query.end_s <= last.query.end_s) return;
  passages.push_back(heard);
  Part(passages[passages.size() - 2], passages.back());
}

// The whole of the passages.
matching::Match WholeOf(const std::vector<matching::Match>& passages) {
  double query_s = 0, reference_s = 0;
  for (const matching::Match& passage : passages) {
    query_s += passage.query.length_s();
    reference_s += passage.reference.length_s();
  }
  const matching::Match &first = passages.front(), &last = passages.back();
  const double slope = query_s >= kMinFit_s ? reference_s / query_s : last.slope;
  return {{first.query.start_s, last.query.end_s},
          {first.reference.start_s, last.reference.end_s},
          matching::IsPlausibleTempo(slope, last.slope) ? slope : last.slope};
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
      const auto it = std::find(answer.ids.begin(), answer.ids.end(), segments_.back().source_id);
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
  if (!segments_.empty() && segments_.back().source_id == answer.ids[0] &&
      CarriesOn(segments_.back().match, first.match)) {
    Extend(first);
    return absl::OkStatus();
  }
  if (static_cast<int>(segments_.size()) >= max_segments_) {
    return absl::ResourceExhaustedError(absl::StrCat("more than ", max_segments_, " segments"));
  }
  segments_.push_back({answer.ids[0], first.confidence, first.match, {first.match}});
  parts_.clear();
  CountPart(first.part);
  return absl::OkStatus();
}

void SegmentBuilder::Extend(const matching::Candidate& candidate) {
  StreamSegment& segment = segments_.back();
  segment.confidence = std::max(segment.confidence, candidate.confidence);
  Follow(candidate.match, segment.passages);
  segment.match = WholeOf(segment.passages);
  CountPart(candidate.part);
}

// A part sounds like the whole for some seconds, and like another part: most answers decide, and
// the whole where they are equal.
void SegmentBuilder::CountPart(int part) {
  ++parts_[part];
  const auto fewer = [](const auto& a, const auto& b) { return a.second < b.second; };
  segments_.back().part = std::max_element(parts_.begin(), parts_.end(), fewer)->first;
}

std::vector<StreamSegment> SegmentBuilder::Finish() {
  for (size_t i = 0; i + 1 < segments_.size(); ++i)
    Part(segments_[i].passages.back(), segments_[i + 1].passages.front());
  for (StreamSegment& segment : segments_) segment.match = WholeOf(segment.passages);
  std::erase_if(segments_, [](const StreamSegment& segment) {
    return segment.match.query.end_s <= segment.match.query.start_s;
  });
  return std::exchange(segments_, {});
}

}  // namespace antiphon::streaming
