#include "core/streaming/piece_tracker.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/base/status_macros.h"

// Three states, of which the members tell:
//
//   nothing    no piece_, perhaps a pending_ match          FindFirst
//   heard      piece_, with windows along its line until    FindNext, up to kDoubt_s
//              a moment ago
//   in doubt   piece_, silent for a while: only what came   FindNext, after kDoubt_s
//              after it is asked about
//
// Invariants: neither since_s_ nor, while the piece lasts, piece_->heard.match.query.end_s ever
// falls. A look asks twice at most.
//
// Times count in windows of 2 s every quarter of a second, and looks every second, as the default
// options have them.

namespace antiphon::streaming {
namespace {

// Since a piece was last heard, in which it is heard now. A PlayedSpan leaves out the last half
// second of its last window: that window may have ended one length before the newest.
constexpr double kNow_s = 2.5;
constexpr double kDoubt_s = 2.0;   // without a window along its line: is it still the same piece?
constexpr double kLost_s = 6.0;    // … it is not
constexpr double kRecent_s = 6.0;  // asked about alone where the whole stretch tells nothing
// That a match must be heard on for until it is believed. Less than the second between two looks:
// the next look confirms it, even where the newest window has not voted.
constexpr double kConfirm_s = 0.7;
// … while the piece before is still heard: another one may match better for a moment.
constexpr double kOutdone_s = 3.0;
constexpr int kLeastWindows = 4;     // along a line: a second
constexpr double kStartAgain_s = 5;  // of the score, that a player goes back or on by after a pause
// A piece begins anew when its first part follows its last, or a pause.
constexpr double kFirstPart = 0.15, kLastPart = 0.8;
constexpr double kOverlap_s = 1.5;  // of both, by which windows reach over the border

// Times that are sums of the same hops in another order are the same.
constexpr double kSame_s = 1e-6;

constexpr double kAll = -std::numeric_limits<double>::infinity();

const matching::Candidate* Find(const Sighting& sighting, const std::string& id) {
  const auto found = std::find(sighting.ids.begin(), sighting.ids.end(), id);
  return found == sighting.ids.end()
             ? nullptr
             : &sighting.identification.candidates[found - sighting.ids.begin()];
}

bool IsNow(const std::optional<PlayedSpan>& heard, double until_s) {
  return heard && heard->windows >= kLeastWindows && until_s - heard->match.query.end_s <= kNow_s;
}

// The best candidate's place, if it is heard at the end, and is a match or the piece that is
// `expected`.
std::optional<PlayedSpan> HeardNow(const Sighting& sighting, double until_s,
                                   const std::string& expected = "") {
  if (sighting.ids.empty()) return std::nullopt;
  if (sighting.identification.verdict != matching::Verdict::kMatch && sighting.ids[0] != expected)
    return std::nullopt;
  const std::optional<PlayedSpan> heard = PlayedSpanOf(sighting.identification.candidates[0]);
  return IsNow(heard, until_s) ? heard : std::nullopt;
}

// The same place, from where it was first heard in the whole stretch.
PlayedSpan FromItsStart(const Sighting& whole, const std::string& id, const PlayedSpan& heard) {
  const matching::Candidate* candidate = Find(whole, id);
  if (candidate == nullptr) return heard;
  const std::optional<PlayedSpan> longer = PlayedAlong(candidate->evidence, heard.line());
  if (!longer) return heard;
  const matching::Span &all = longer->match.query, &known = heard.match.query;
  return all.start_s < known.start_s && all.end_s >= known.end_s ? *longer : heard;
}

// At the end of the stream nothing tells that the piece does not go on to it.
void ReachEnd(const PieceTracker::Look& look, PlayedSpan& heard) {
  if (!look.last || heard.reach.end_s < look.until_s - kSame_s) return;
  matching::Match& match = heard.match;
  match.reference.end_s += match.slope * (look.at_s - match.query.end_s);
  match.query.end_s = look.at_s;
}

// Editions of one piece take turns in being best; where the first candidate is of the same music as
// the piece with this id, that one goes before it.
void PutFirst(const std::string& id, Sighting& sighting) {
  const auto found = std::find(sighting.ids.begin(), sighting.ids.end(), id);
  if (found == sighting.ids.end() || found == sighting.ids.begin()) return;
  const auto place = found - sighting.ids.begin();
  std::vector<matching::Candidate>& candidates = sighting.identification.candidates;
  const std::vector<matching::SameMusic>& same = candidates[0].same_music;
  const bool is_same = std::any_of(same.begin(), same.end(), [&](const auto& other) {
    return other.source == candidates[place].source;
  });
  if (!is_same) return;
  std::rotate(sighting.ids.begin(), found, found + 1);
  std::rotate(candidates.begin(), candidates.begin() + place, candidates.begin() + place + 1);
  const auto durations = sighting.durations_s.begin();
  std::rotate(durations, durations + place, durations + place + 1);
}

void Place(const PlayedSpan& heard, double at_s, double duration_s,
           matching::Candidate& candidate) {
  const auto within = [&](double s) { return std::clamp(s, 0.0, duration_s); };
  candidate.match = heard.match;
  matching::Span& reference = candidate.match.reference;
  reference = {within(reference.start_s), within(reference.end_s)};
  candidate.place = {at_s, within(heard.line().At(at_s))};
  candidate.passages.clear();  // what is heard goes along one line
}

}  // namespace

absl::StatusOr<PieceTracker::Finding> PieceTracker::Find(const Look& look, const Ask& ask) {
  const Ask prefer = [&](double from_s) -> absl::StatusOr<Sighting> {
    ASSIGN_OR_RETURN(Sighting sighting, ask(from_s));
    if (piece_) {
      PutFirst(piece_->id, sighting);
    } else if (pending_) {
      PutFirst(pending_->id, sighting);
    }
    return sighting;
  };
  ASSIGN_OR_RETURN(Sighting whole, prefer(kAll));
  return piece_ ? FindNext(look, std::move(whole), prefer)
                : FindFirst(look, std::move(whole), prefer);
}

absl::StatusOr<PieceTracker::Finding> PieceTracker::FindFirst(const Look& look, Sighting whole,
                                                              const Ask& ask) {
  std::optional<PlayedSpan> heard = HeardNow(whole, look.until_s);
  if (!heard) {
    ASSIGN_OR_RETURN(Sighting recent, ask(look.until_s - kRecent_s));
    heard = HeardNow(recent, look.until_s);
    if (heard) {
      heard = FromItsStart(whole, recent.ids[0], *heard);
      whole = std::move(recent);
    }
  }
  if (heard && Confirm(whole, look, kConfirm_s, *heard))
    return Take(look, std::move(whole), *heard);
  if (!heard) pending_.reset();
  return Report(StreamEvent::kUpdate, look, std::move(whole));
}

absl::StatusOr<PieceTracker::Finding> PieceTracker::FindNext(const Look& look, Sighting whole,
                                                             const Ask& ask) {
  Follow(look, whole);
  const double from_s = std::max(piece_->heard.match.query.end_s, since_s_);
  const double unheard_s = look.until_s - from_s;
  if (unheard_s <= kDoubt_s) {
    std::optional<PlayedSpan> better = HeardNow(whole, look.until_s);
    if (!better || whole.ids[0] == piece_->id) {
      pending_.reset();
    } else if (Confirm(whole, look, kOutdone_s, *better)) {
      return Take(look, std::move(whole), *better);
    }
    return Report(StreamEvent::kUpdate, look, std::move(whole));
  }
  ASSIGN_OR_RETURN(Sighting rest, ask(from_s));
  std::optional<PlayedSpan> heard = HeardNow(rest, look.until_s, piece_->id);
  if (!heard) {
    pending_.reset();
    if (unheard_s < kLost_s) return Report(StreamEvent::kUpdate, look, std::move(rest));
    End();
    since_s_ = from_s;
    Finding finding = Report(StreamEvent::kPieceEnded, look, std::move(rest));
    finding.forget_before_s = from_s;
    return finding;
  }
  if (rest.ids[0] == piece_->id) {
    if (GoesOn(*heard)) {
      piece_->heard = *heard;
      piece_->resumed = false;
      return Report(StreamEvent::kUpdate, look, std::move(rest));
    }
    // The place until now may have been another that sounds alike: then this one was heard all the
    // time.
    heard = FromItsStart(whole, piece_->id, *heard);
    if (!BeginsAnew(rest, *heard)) return Take(look, std::move(rest), *heard);
  }
  if (Confirm(rest, look, kConfirm_s, *heard)) return Take(look, std::move(rest), *heard);
  return Report(StreamEvent::kUpdate, look, std::move(rest));
}

// Takes note of how far the piece is heard along its line.
void PieceTracker::Follow(const Look& look, const Sighting& whole) {
  const matching::Candidate* candidate = streaming::Find(whole, piece_->id);
  if (candidate == nullptr) return;
  std::optional<PlayedSpan> heard = PlayedAlong(candidate->evidence, piece_->heard.line());
  if (!heard || heard->windows < kLeastWindows) heard = PlayedSpanOf(*candidate);
  if (!heard || heard->windows < kLeastWindows ||
      heard->match.query.end_s < piece_->heard.match.query.end_s || !GoesOn(*heard))
    return;
  ReachEnd(look, *heard);
  piece_->heard = *heard;
  if (heard->match.query.end_s > since_s_) piece_->resumed = false;
}

// Whether what is heard now is the piece carried on, and not another place in it.
bool PieceTracker::GoesOn(const PlayedSpan& heard) const {
  if (!piece_->resumed) return CarriesOn(piece_->heard, heard);
  const double left_s = piece_->heard.match.reference.end_s;
  const double latest_s = piece_->heard.line().At(heard.match.query.start_s);
  const double start_s = heard.match.reference.start_s;
  return start_s >= left_s - kStartAgain_s && start_s <= latest_s + kStartAgain_s;
}

// Whether the piece, the sighting's best candidate, is played again from its start, and not only
// goes on elsewhere.
bool PieceTracker::BeginsAnew(const Sighting& sighting, const PlayedSpan& heard) const {
  const double duration_s = sighting.durations_s[0];
  const matching::Match& before = piece_->heard.match;
  return heard.match.query.start_s >= before.query.end_s - kOverlap_s &&
         heard.match.reference.start_s <= kFirstPart * duration_s &&
         (piece_->resumed || before.reference.end_s >= kLastPart * duration_s);
}

// True when the best candidate has been a match before, and was heard on for so long since;
// otherwise remembers it. A piece that repeats itself lies at several places: `heard` becomes the
// one that carries on from before, if there is one.
bool PieceTracker::Confirm(const Sighting& sighting, const Look& look, double wait_s,
                           PlayedSpan& heard) {
  if (pending_ && pending_->id == sighting.ids[0] && !CarriesOn(pending_->heard, heard)) {
    const auto along =
        PlayedAlong(sighting.identification.candidates[0].evidence, pending_->heard.line());
    if (IsNow(along, look.until_s)) heard = *along;
  }
  if (!pending_ || pending_->id != sighting.ids[0] || !CarriesOn(pending_->heard, heard)) {
    pending_ = {sighting.ids[0], heard, heard.match.query.end_s};
  }
  pending_->heard = heard;
  return look.last || heard.match.query.end_s - pending_->since_s >= wait_s;
}

// The sighting's best candidate is the piece from now on.
PieceTracker::Finding PieceTracker::Take(const Look& look, Sighting sighting, PlayedSpan heard) {
  const bool anew = !piece_ || piece_->id != sighting.ids[0] || BeginsAnew(sighting, heard);
  if (heard.reach.start_s <= look.from_s + kSame_s) {
    // Nothing tells that it did not begin with the sound.
    const double start_s = std::max(heard.reach.start_s, since_s_);
    matching::Match& match = heard.match;
    match.reference.start_s -= match.slope * (match.query.start_s - start_s);
    match.query.start_s = start_s;
  }
  ReachEnd(look, heard);
  piece_ = {sighting.ids[0], heard};
  pending_.reset();
  Finding finding =
      Report(anew ? StreamEvent::kPieceStarted : StreamEvent::kUpdate, look, std::move(sighting));
  finding.forget_before_s = finding.sighting.identification.candidates[0].match.query.start_s;
  return finding;
}

PieceTracker::Finding PieceTracker::Report(StreamEvent event, const Look& look,
                                           Sighting sighting) const {
  for (size_t i = 0; i < sighting.ids.size(); ++i) {
    matching::Candidate& candidate = sighting.identification.candidates[i];
    std::optional<PlayedSpan> heard =
        piece_ && sighting.ids[i] == piece_->id ? piece_->heard : PlayedSpanOf(candidate);
    if (!heard) {  // nowhere but at its place
      const matching::Place& place = candidate.place;
      heard = {.match = {.query = {place.query_s, place.query_s},
                         .reference = {place.reference_s, place.reference_s},
                         .slope = candidate.match.slope}};
    }
    Place(*heard, look.at_s, sighting.durations_s[i], candidate);
  }
  return {event, std::move(sighting)};
}

void PieceTracker::Resume(double s) {
  pending_.reset();
  since_s_ = s;
  if (piece_) piece_->resumed = true;
}

bool PieceTracker::End() {
  pending_.reset();
  return std::exchange(piece_, std::nullopt).has_value();
}

}  // namespace antiphon::streaming
