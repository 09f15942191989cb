#include "core/encoder/fallback_encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "absl/status/status.h"
#include "absl/time/clock.h"

namespace antiphon::encoder {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Gives its own number for every window, or fails as it is told.
class FakeEncoder : public WindowEncoder {
 public:
  FakeEncoder(float number, const absl::Status* failure) : number_(number), failure_(failure) {
    info_.dimension = 1;
  }
  const EncoderInfo& info() const override { return info_; }
  absl::StatusOr<std::vector<float>> Encode(std::span<const uint8_t> windows) const override {
    ++calls;
    if (!failure_->ok()) return *failure_;
    return std::vector<float>(windows.size(), number_);
  }
  mutable std::atomic<int> calls = 0;

 private:
  EncoderInfo info_;
  const float number_;
  const absl::Status* failure_;
};

constexpr float kGpu = 1, kCpu = 2;
const std::vector<uint8_t> kWindow = {7};

class FallbackEncoderTest : public ::testing::Test {
 protected:
  std::unique_ptr<FallbackEncoder> Make(absl::Duration pause) {
    auto gpu = std::make_unique<FakeEncoder>(kGpu, &gpu_failure_);
    gpu_ = gpu.get();
    return std::make_unique<FallbackEncoder>(
        std::move(gpu),
        [this]() -> absl::StatusOr<std::unique_ptr<WindowEncoder>> {
          ++loads_;
          if (!load_failure_.ok()) return load_failure_;
          return std::make_unique<FakeEncoder>(kCpu, &cpu_failure_);
        },
        [this](const std::string& what) { said_.push_back(what); }, pause);
  }

  absl::Status gpu_failure_, cpu_failure_, load_failure_;
  int loads_ = 0;
  std::vector<std::string> said_;
  FakeEncoder* gpu_ = nullptr;
};

TEST_F(FallbackEncoderTest, UsesTheGpuAndLoadsNothingElse) {
  const auto encoder = Make(absl::InfiniteDuration());
  EXPECT_THAT(encoder->Encode(kWindow).value(), ElementsAre(kGpu));
  EXPECT_EQ(loads_, 0);
  EXPECT_THAT(said_, ElementsAre());
}

TEST_F(FallbackEncoderTest, AFullGpuIsLeftAloneForAWhileAndComesBack) {
  const auto encoder = Make(absl::Milliseconds(50));
  gpu_failure_ = absl::ResourceExhaustedError("CUDA out of memory");
  EXPECT_THAT(encoder->Encode(kWindow).value(), ElementsAre(kCpu));
  EXPECT_THAT(encoder->Encode(kWindow).value(), ElementsAre(kCpu));
  EXPECT_EQ(gpu_->calls, 1);
  EXPECT_THAT(said_, ElementsAre(HasSubstr("CUDA out of memory")));
  absl::SleepFor(absl::Milliseconds(60));
  // Still full: asked, and not said again.
  EXPECT_THAT(encoder->Encode(kWindow).value(), ElementsAre(kCpu));
  EXPECT_EQ(gpu_->calls, 2);
  EXPECT_EQ(said_.size(), 1u);
  gpu_failure_ = absl::OkStatus();
  absl::SleepFor(absl::Milliseconds(60));
  EXPECT_THAT(encoder->Encode(kWindow).value(), ElementsAre(kGpu));
  EXPECT_THAT(said_, ElementsAre(HasSubstr("for now"), HasSubstr("on the GPU again")));
  EXPECT_EQ(loads_, 1);
}

TEST_F(FallbackEncoderTest, ALostGpuIsNeverAskedAgain) {
  const auto encoder = Make(absl::ZeroDuration());
  gpu_failure_ = absl::InternalError("CUDA error: unspecified launch failure");
  EXPECT_THAT(encoder->Encode(kWindow).value(), ElementsAre(kCpu));
  gpu_failure_ = absl::OkStatus();
  EXPECT_THAT(encoder->Encode(kWindow).value(), ElementsAre(kCpu));
  EXPECT_EQ(gpu_->calls, 1);
  EXPECT_THAT(said_, ElementsAre(HasSubstr("from now on: CUDA error")));
}

TEST_F(FallbackEncoderTest, WindowsThatTheCpuFailsOnTooAreNoFaultOfTheGpu) {
  const auto encoder = Make(absl::InfiniteDuration());
  gpu_failure_ = absl::InternalError("values that are not finite");
  cpu_failure_ = absl::InternalError("the CPU says so too");
  EXPECT_EQ(encoder->Encode(kWindow).status(), cpu_failure_);
  gpu_failure_ = absl::OkStatus();
  EXPECT_THAT(encoder->Encode(kWindow).value(), ElementsAre(kGpu));
  EXPECT_THAT(said_, ElementsAre());
}

TEST_F(FallbackEncoderTest, WindowsOfTheWrongSizeAreRefusedAsTheyAre) {
  const auto encoder = Make(absl::InfiniteDuration());
  gpu_failure_ = absl::InvalidArgumentError("no multiple of a window");
  EXPECT_EQ(encoder->Encode(kWindow).status(), gpu_failure_);
  EXPECT_EQ(loads_, 0);
}

TEST_F(FallbackEncoderTest, WithoutEitherTheFailureOfTheCpuIsToldAndTheNextCallTriesAgain) {
  const auto encoder = Make(absl::ZeroDuration());
  gpu_failure_ = absl::ResourceExhaustedError("CUDA out of memory");
  load_failure_ = absl::InvalidArgumentError("no TorchScript file");
  EXPECT_EQ(encoder->Encode(kWindow).status(), load_failure_);
  load_failure_ = absl::OkStatus();
  EXPECT_THAT(encoder->Encode(kWindow).value(), ElementsAre(kCpu));
  EXPECT_EQ(loads_, 2);
}

TEST_F(FallbackEncoderTest, ManyThreadsGetAnswersWhileTheGpuIsLost) {
  const auto encoder = Make(absl::ZeroDuration());
  gpu_failure_ = absl::UnavailableError("gone");
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 100; ++n) right += encoder->Encode(kWindow).value() == std::vector{kCpu};
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 800);
  EXPECT_EQ(loads_, 1);
}

}  // namespace
}  // namespace antiphon::encoder
