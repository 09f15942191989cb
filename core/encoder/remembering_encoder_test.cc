#include "core/encoder/remembering_encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/status/status.h"
#include "core/testing/fake_encoder.h"

namespace antiphon::encoder {
namespace {

using ::testing::ElementsAreArray;
using ::testing::SizeIs;

class RememberingEncoderTest : public ::testing::Test {
 protected:
  // Windows next to one another, of each a pitch that sounds.
  std::vector<uint8_t> Windows(std::initializer_list<int> pitches) const {
    const EncoderInfo& info = asked_.info();
    const size_t cells = size_t{1} * info.settings.window_frames * info.channels * info.bands;
    std::vector<uint8_t> windows(pitches.size() * cells);
    size_t begin = 0;
    for (const int pitch : pitches) {
      windows[begin + info.bands + pitch] = 100;  // of the second channel
      begin += cells;
    }
    return windows;
  }

  testing::FakeEncoder asked_{Modality::kScore};
  const RememberingEncoder encoder_{asked_};
};

TEST_F(RememberingEncoderTest, GivesWhatTheOtherGives) {
  EXPECT_EQ(encoder_.info().dimension, asked_.info().dimension);
  const std::vector<uint8_t> windows = Windows({0, 3, 5});
  const std::vector<float> expected = asked_.Encode(windows).value();
  EXPECT_THAT(encoder_.Encode(windows).value(), ElementsAreArray(expected));
  EXPECT_THAT(encoder_.Encode(windows).value(), ElementsAreArray(expected));
  EXPECT_THAT(encoder_.Encode({}).value(), SizeIs(0));
}

TEST_F(RememberingEncoderTest, AsksForEachWindowOnce) {
  ASSERT_TRUE(encoder_.Encode(Windows({0, 4, 0})).ok());
  EXPECT_EQ(asked_.windows(), 2);
  const std::vector<float> again = encoder_.Encode(Windows({2, 0, 4, 6})).value();
  EXPECT_EQ(asked_.windows(), 4);
  EXPECT_THAT(again, ElementsAreArray(asked_.Encode(Windows({2, 0, 4, 6})).value()));
}

TEST_F(RememberingEncoderTest, AsksForNothingThatItKnows) {
  ASSERT_TRUE(encoder_.Encode(Windows({0, 4})).ok());
  ASSERT_TRUE(encoder_.Encode(Windows({4, 0, 4})).ok());
  EXPECT_EQ(asked_.calls(), 1);
}

TEST_F(RememberingEncoderTest, FailsAsTheOtherDoesAndForgetsThat) {
  asked_.failure = absl::InternalError("it is broken");
  EXPECT_EQ(encoder_.Encode(Windows({1})).status(), asked_.failure);
  asked_.failure = absl::OkStatus();
  EXPECT_TRUE(encoder_.Encode(Windows({1})).ok());
  EXPECT_FALSE(encoder_.Encode(std::vector<uint8_t>(7)).ok());  // a part of a window
}

TEST_F(RememberingEncoderTest, GivesUpWhenTold) {
  const absl::Status gone = absl::CancelledError("the caller has gone");
  EXPECT_EQ(encoder_.EncodeWhile([&] { return gone; }, Windows({1})).status(), gone);
  EXPECT_EQ(asked_.calls(), 0);
}

}  // namespace
}  // namespace antiphon::encoder
