#include "core/streaming/segments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace antiphon::streaming {
namespace {

using ::testing::SizeIs;

// The piece is heard over [start_s, end_s] of the stream, from `reference_s` of the score on.
StreamAnswer Answer(StreamEvent event, const std::string& id, double start_s, double end_s,
                    double reference_s, double confidence = 0.9) {
  StreamAnswer answer{.event = event, .at_s = end_s + 1, .ids = {id}};
  answer.identification.verdict = matching::Verdict::kMatch;
  answer.identification.candidates.push_back(
      {.confidence = confidence,
       .match = {{start_s, end_s}, {reference_s, reference_s + end_s - start_s}}});
  return answer;
}
StreamAnswer Started(const std::string& id, double start_s, double end_s, double reference_s) {
  return Answer(StreamEvent::kPieceStarted, id, start_s, end_s, reference_s);
}
StreamAnswer Update(const std::string& id, double start_s, double end_s, double reference_s,
                    double confidence = 0.9) {
  return Answer(StreamEvent::kUpdate, id, start_s, end_s, reference_s, confidence);
}
StreamAnswer Event(StreamEvent event) { return {.event = event}; }

std::vector<StreamSegment> Build(const std::vector<StreamAnswer>& answers) {
  SegmentBuilder builder;
  for (const StreamAnswer& answer : answers) EXPECT_TRUE(builder.Add(answer).ok());
  return builder.Finish();
}

TEST(SegmentBuilderTest, ASegmentGoesFromWhereAPieceWasFirstHeardToWhereItWasLast) {
  const auto segments =
      Build({Update("a", 1, 3, 10), Started("a", 1, 5, 10), Update("a", 1, 6, 10, 0.95),
             Update("a", 8, 20, 17), Update("b", 20, 22, 0, 0.1), Event(StreamEvent::kPieceEnded),
             Update("a", 27, 29, 36, 1.0)});
  ASSERT_THAT(segments, SizeIs(1));
  EXPECT_EQ(segments[0].source_id, "a");
  EXPECT_EQ(segments[0].match.query.start_s, 1);
  EXPECT_EQ(segments[0].match.query.end_s, 20);
  EXPECT_EQ(segments[0].match.reference.start_s, 10);
  EXPECT_EQ(segments[0].match.reference.end_s, 29);
  EXPECT_EQ(segments[0].confidence, 0.95);
  EXPECT_NEAR(segments[0].match.slope, 1.0, 1e-9);
}

TEST(SegmentBuilderTest, APieceThatWasLostForAWhileIsOneSegment) {
  const auto segments = Build({Started("a", 0, 10, 0), Event(StreamEvent::kPieceEnded),
                               Started("a", 30, 35, 31), Update("a", 30, 40, 31)});
  ASSERT_THAT(segments, SizeIs(1));
  EXPECT_EQ(segments[0].match.query.end_s, 40);
  EXPECT_EQ(segments[0].match.reference.end_s, 41);
}

TEST(SegmentBuilderTest, APieceThatBeginsAnewIsAnotherSegment) {
  const auto segments =
      Build({Started("a", 0, 60, 0), Started("a", 61, 65, 0.5), Update("a", 61, 80, 0.5)});
  ASSERT_THAT(segments, SizeIs(2));
  EXPECT_EQ(segments[0].match.query.end_s, 60);
  EXPECT_EQ(segments[1].match.query.start_s, 61);
  EXPECT_EQ(segments[1].match.query.end_s, 80);
}

TEST(SegmentBuilderTest, AJumpWithinAPieceIsNoBorder) {
  const auto segments =
      Build({Started("a", 0, 60, 0), Update("a", 60, 70, 0), Update("a", 60, 100, 0)});
  ASSERT_THAT(segments, SizeIs(1));
  EXPECT_EQ(segments[0].match.query.end_s, 100);
  EXPECT_EQ(segments[0].match.reference.end_s, 40);
  EXPECT_EQ(segments[0].match.slope, 1.0) << "40 s of score in 100 s is no tempo";
  ASSERT_THAT(segments[0].passages, SizeIs(2));
  EXPECT_EQ(segments[0].passages[0].query.end_s, 60);
  EXPECT_EQ(segments[0].passages[0].reference.end_s, 60);
  EXPECT_EQ(segments[0].passages[1].query.start_s, 60);
  EXPECT_EQ(segments[0].passages[1].reference.start_s, 0);
}

TEST(SegmentBuilderTest, APlaceThatOnlySoundedAlikeIsCorrected) {
  const auto segments =
      Build({Started("a", 0, 5, 150), Update("a", 0, 6, 150), Update("a", 2, 8, 32)});
  ASSERT_THAT(segments, SizeIs(1));
  EXPECT_EQ(segments[0].match.reference.start_s, 30);
  EXPECT_EQ(segments[0].match.reference.end_s, 38);
  EXPECT_NEAR(segments[0].match.slope, 1.0, 0.05);
}

TEST(SegmentBuilderTest, SegmentsDoNotOverlap) {
  const auto segments =
      Build({Started("a", 0, 32, 0), Started("b", 30, 34, 100), Update("b", 30, 40, 100)});
  ASSERT_THAT(segments, SizeIs(2));
  EXPECT_EQ(segments[0].match.query.end_s, 31);
  EXPECT_EQ(segments[0].match.reference.end_s, 31);
  EXPECT_EQ(segments[1].match.query.start_s, 31);
  EXPECT_EQ(segments[1].match.reference.start_s, 101);
}

TEST(SegmentBuilderTest, PausesAndWhatIsNotRecognisedMakeNoSegments) {
  EXPECT_THAT(Build({}), SizeIs(0));
  EXPECT_THAT(
      Build({Event(StreamEvent::kPaused), Event(StreamEvent::kResumed), Update("a", 0, 9, 0)}),
      SizeIs(0));
  EXPECT_THAT(Build({Started("a", 0, 9, 0), Event(StreamEvent::kPaused),
                     Event(StreamEvent::kResumed), Update("a", 12, 20, 9)}),
              SizeIs(1));
}

TEST(SegmentBuilderTest, ASegmentIsOfThePartThatMostAnswersName) {
  const auto with_part = [](StreamAnswer answer, int part) {
    answer.identification.candidates[0].part = part;
    return answer;
  };
  EXPECT_EQ(Build({Started("a", 0, 9, 0), Update("a", 0, 10, 0)})[0].part, catalog::kWhole);
  // At first it sounds like the whole, once like another part.
  const auto segments =
      Build({Started("a", 0, 9, 0), with_part(Update("a", 0, 10, 0), 2),
             with_part(Update("a", 0, 11, 0), 1), with_part(Update("a", 0, 12, 0), 2),
             with_part(Started("b", 20, 29, 0), 1), with_part(Update("b", 20, 30, 0), 1),
             with_part(Started("c", 40, 49, 0), 1), Update("c", 40, 50, 0)});
  ASSERT_THAT(segments, SizeIs(3));
  EXPECT_EQ(segments[0].part, 2);
  EXPECT_EQ(segments[1].part, 1);
  EXPECT_EQ(segments[2].part, catalog::kWhole) << "as many say so";
}

TEST(SegmentBuilderTest, KeepsSoManyAndNoMore) {
  SegmentBuilder builder(2);
  EXPECT_TRUE(builder.Add(Started("a", 0, 9, 0)).ok());
  EXPECT_TRUE(builder.Add(Started("b", 10, 19, 0)).ok());
  EXPECT_TRUE(builder.Add(Update("b", 10, 25, 0)).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(builder.Add(Started("a", 30, 39, 0))));
}

}  // namespace
}  // namespace antiphon::streaming
