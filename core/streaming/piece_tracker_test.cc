// The tracker against a script: which piece is heard from when to when, and where in it.
#include "core/streaming/piece_tracker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace antiphon::streaming {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr double kWindow_s = 2.0, kHop_s = 0.25, kStretch_s = 12.0;
constexpr double kDuration_s = 100.0;  // of every score

struct Played {
  std::string id;
  double start_s = 0;  // of the stream
  double end_s = 0;
  double reference_s = 0;  // of the score, at start_s
};

// Windows vote for what is played in their middle; the piece with the most votes is a match when it
// has 6 of them and more than half.
class Script {
 public:
  explicit Script(std::vector<Played> played) : played_(std::move(played)) {}

  Sighting Identify(double from_s, double until_s) const {
    Sighting sighting;
    std::vector<std::pair<std::string, matching::Candidate>> candidates;
    for (double start_s = std::ceil(from_s / kHop_s) * kHop_s; start_s + kWindow_s <= until_s;
         start_s += kHop_s) {
      ++sighting.identification.windows;
      const double middle_s = start_s + kWindow_s / 2;
      for (const Played& p : played_) {
        if (middle_s < p.start_s || middle_s >= p.end_s) continue;
        auto it = std::find_if(candidates.begin(), candidates.end(),
                               [&](const auto& c) { return c.first == p.id; });
        if (it == candidates.end()) it = candidates.insert(it, {p.id, matching::Candidate{}});
        const double there_s = p.reference_s + start_s - p.start_s;
        it->second.evidence.push_back(
            {{{start_s, start_s + kWindow_s}, {there_s, there_s + kWindow_s}, 1.0}, 0.9f});
      }
    }
    std::stable_sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) {
      return a.second.evidence.size() > b.second.evidence.size();
    });
    for (auto& [id, candidate] : candidates) {
      candidate.votes = static_cast<int>(candidate.evidence.size());
      candidate.confidence = 1.0 * candidate.votes / sighting.identification.windows;
      const matching::Evidence& some = candidate.evidence[candidate.evidence.size() / 2];
      candidate.place = {some.match.query.start_s, some.match.reference.start_s};
      sighting.identification.candidates.push_back(candidate);
      sighting.ids.push_back(id);
      sighting.durations_s.push_back(kDuration_s);
    }
    const bool match = !candidates.empty() && candidates[0].second.votes >= 6 &&
                       candidates[0].second.confidence > 0.5;
    sighting.identification.verdict =
        match ? matching::Verdict::kMatch : matching::Verdict::kNoMatch;
    return sighting;
  }

 private:
  const std::vector<Played> played_;
};

struct Event {
  double at_s = 0;
  std::string what;
  matching::Candidate first;
};

struct Pause {
  double from_s = 0, to_s = 0;
};

class PieceTrackerTest : public ::testing::Test {
 protected:
  // A look each second outside the pause; events other than updates.
  std::vector<Event> Track(const std::vector<Played>& played, double end_s,
                           const Pause& pause = {}) {
    const Script script(played);
    PieceTracker tracker;
    std::vector<Event> events;
    double forgotten_s = 0;
    for (double at_s = 1; at_s <= end_s; ++at_s) {
      if (pause.from_s < at_s && at_s <= pause.to_s) {
        tracker.Resume(pause.to_s);
        forgotten_s = pause.to_s - kWindow_s / 2;
        continue;
      }
      const double from_s = std::max({0.0, forgotten_s, at_s - kStretch_s});
      if (at_s - from_s < kWindow_s + 1) continue;
      const PieceTracker::Look look{
          .at_s = at_s, .from_s = from_s, .until_s = at_s, .last = at_s == end_s};
      const auto finding = tracker.Find(look, [&](double s) -> absl::StatusOr<Sighting> {
        asked_.push_back(s);
        return script.Identify(std::max(from_s, s - kWindow_s / 2), at_s);
      });
      EXPECT_TRUE(finding.ok());
      if (finding->forget_before_s)
        forgotten_s = std::max(forgotten_s, *finding->forget_before_s - kWindow_s / 2);
      const Sighting& sighting = finding->sighting;
      if (finding->event == StreamEvent::kPieceStarted) {
        events.push_back(
            {at_s, "started " + sighting.ids[0], sighting.identification.candidates[0]});
      } else if (finding->event == StreamEvent::kPieceEnded) {
        events.push_back({at_s, "ended", {}});
      }
      last_ = *finding;
    }
    return events;
  }
  static std::vector<std::string> What(const std::vector<Event>& events) {
    std::vector<std::string> what;
    for (const Event& event : events) what.push_back(event.what);
    return what;
  }

  std::vector<double> asked_;
  PieceTracker::Finding last_;
};

TEST_F(PieceTrackerTest, APieceIsRecognisedFromWhereItWasFirstHeard) {
  const auto events = Track({{"a", 20, 60, 10}}, 50);
  ASSERT_THAT(What(events), ElementsAre("started a"));
  EXPECT_LE(events[0].at_s, 26);
  EXPECT_NEAR(events[0].first.match.query.start_s, 20, 0.6);
  EXPECT_NEAR(events[0].first.match.reference.start_s, 10, 0.6);
  const matching::Candidate& now = last_.sighting.identification.candidates[0];
  EXPECT_EQ(now.place.query_s, 50);
  EXPECT_NEAR(now.place.reference_s, 40, 1e-6);
}

TEST_F(PieceTrackerTest, NothingIsRecognisedByOneLookUnlessItIsTheLast) {
  EXPECT_THAT(What(Track({{"a", 10, 12.2, 0}}, 30)), IsEmpty());
  EXPECT_THAT(What(Track({{"a", 0, 10, 0}}, 4)), ElementsAre("started a"));
}

TEST_F(PieceTrackerTest, MatchesAtPlacesThatDoNotCarryOnAreNotBelieved) {
  std::vector<Played> jumps;
  for (int i = 0; i < 20; ++i) jumps.push_back({"a", 1.0 * i, i + 1.0, 7.0 * (i * 5 % 13)});
  EXPECT_THAT(What(Track(jumps, 40)), IsEmpty());
}

TEST_F(PieceTrackerTest, TheNextPieceIsRecognisedBeforeTheStretchHasForgottenTheOld) {
  const auto events = Track({{"a", 0, 40, 0}, {"b", 40, 80, 30}}, 70);
  ASSERT_THAT(What(events), ElementsAre("started a", "started b"));
  EXPECT_LE(events[1].at_s, 46);
  EXPECT_NEAR(events[1].first.match.query.start_s, 40, 0.6);
  EXPECT_NEAR(events[1].first.match.reference.start_s, 30, 0.6);
}

TEST_F(PieceTrackerTest, APieceEndsWhenNothingIsHeardOfItForSomeSeconds) {
  const auto events = Track({{"a", 0, 40, 0}}, 60);
  ASSERT_THAT(What(events), ElementsAre("started a", "ended"));
  EXPECT_GE(events[1].at_s, 45);
  EXPECT_LE(events[1].at_s, 48);
  EXPECT_EQ(last_.sighting.identification.verdict, matching::Verdict::kNoMatch);
}

TEST_F(PieceTrackerTest, AShortGapIsNoEnd) {
  EXPECT_THAT(What(Track({{"a", 0, 40, 0}, {"a", 43, 80, 43}}, 70)), ElementsAre("started a"));
}

TEST_F(PieceTrackerTest, ARepeatIsTheSamePlaying) {
  const auto events = Track({{"a", 0, 40, 0}, {"a", 40, 80, 0}}, 70);
  EXPECT_THAT(What(events), ElementsAre("started a"));
  EXPECT_NEAR(last_.sighting.identification.candidates[0].place.reference_s, 30, 1e-6);
}

TEST_F(PieceTrackerTest, APlaceThatOnlySoundedAlikeIsGivenUpForTheOneThatGoesOn) {
  // The first 8 s sound alike at two places; the wrong one has more votes.
  const auto events = Track({{"a", 0, 8, 50}, {"a", 0, 4, 50.05}, {"a", 0, 60, 10}}, 30);
  EXPECT_THAT(What(events), ElementsAre("started a"));
  const matching::Candidate& now = last_.sighting.identification.candidates[0];
  EXPECT_NEAR(now.place.reference_s, 40, 0.5);
}

TEST_F(PieceTrackerTest, APieceGoesOnElsewhereThoughItIsNoMatchForTheMoment) {
  // After a jump, every second window only.
  std::vector<Played> played = {{"a", 0, 30, 0}};
  for (int i = 0; i < 100; i += 2)
    played.push_back({"a", 30 + 0.25 * i, 30 + 0.25 * (i + 1), 5 + 0.25 * i});
  EXPECT_THAT(What(Track(played, 50)), ElementsAre("started a"));
  EXPECT_NEAR(last_.sighting.identification.candidates[0].place.reference_s, 25, 0.5);
}

TEST_F(PieceTrackerTest, FromTheEndToTheBeginningIsAnotherPlaying) {
  const auto events = Track({{"a", 0, 98, 0}, {"a", 98, 130, 0}}, 120);
  ASSERT_THAT(What(events), ElementsAre("started a", "started a"));
  EXPECT_LE(events[1].at_s, 104);
  EXPECT_NEAR(events[1].first.match.query.start_s, 98, 0.6);
}

TEST_F(PieceTrackerTest, AfterAPauseAPieceGoesOnOrBeginsAnew) {
  EXPECT_THAT(What(Track({{"a", 0, 30, 0}, {"a", 40, 80, 29}}, 60, {31, 40})),
              ElementsAre("started a"));
  const auto events = Track({{"a", 0, 30, 0}, {"a", 40, 80, 0}}, 60, {31, 40});
  EXPECT_THAT(What(events), ElementsAre("started a", "started a"));
  EXPECT_GE(events[1].first.match.query.start_s, 40);
}

TEST_F(PieceTrackerTest, ABetterMatchTakesOverOnlyWhenItLasts) {
  // "a" is heard all the time; "b" has the same windows and more.
  std::vector<Played> played = {{"a", 0, 80, 0}};
  for (int i = 20; i < 80; ++i) played.push_back({"b", i + 0.0, i + 1.0, 1.0 * i});
  for (int i = 20; i < 80; ++i) played.push_back({"b", i + 0.0, i + 0.5, 1.0 * i});
  const auto events = Track(played, 70);
  ASSERT_THAT(What(events), ElementsAre("started a", "started b"));
  EXPECT_GE(events[1].at_s, 23);
}

TEST_F(PieceTrackerTest, AsksAboutTheWholeStretchOnlyWhileAllIsWell) {
  Track({{"a", 0, 60, 0}}, 10);
  const size_t before = asked_.size();
  asked_.clear();
  Track({{"a", 0, 60, 0}}, 40);
  EXPECT_EQ(asked_.size(), before + 30);
}

TEST_F(PieceTrackerTest, FailsAsItsIdentificationsDo) {
  PieceTracker tracker;
  const auto finding =
      tracker.Find({.at_s = 5, .until_s = 5},
                   [](double) -> absl::StatusOr<Sighting> { return absl::CancelledError("gone"); });
  EXPECT_TRUE(absl::IsCancelled(finding.status()));
}

TEST_F(PieceTrackerTest, EndForgetsThePiece) {
  PieceTracker tracker;
  EXPECT_FALSE(tracker.End());
  const Script script({{"a", 0, 60, 0}});
  const auto finding =
      tracker.Find({.at_s = 8, .until_s = 8, .last = true},
                   [&](double) -> absl::StatusOr<Sighting> { return script.Identify(0, 8); });
  ASSERT_TRUE(finding.ok());
  EXPECT_EQ(finding->event, StreamEvent::kPieceStarted);
  EXPECT_TRUE(tracker.End());
  EXPECT_FALSE(tracker.End());
}

}  // namespace
}  // namespace antiphon::streaming
