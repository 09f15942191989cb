#include "trainer/learning/training.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/testing/temporary_folder.h"
#include "trainer/data/test_items.h"

namespace antiphon::trainer::learning {
namespace {

namespace fs = std::filesystem;

// Two pieces to learn from and the same two to validate on: with few onsets, so that a run must
// learn them by heart.
class TrainingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(root_ + "/store/items");
    for (int i = 0; i < 4; ++i) {
      data::StoreItem item = data::RandomItem("piece" + std::to_string(i), i % 2, 24);
      item.part = i < 2 ? data::Part::kTrain : data::Part::kValid;
      ASSERT_TRUE(data::WriteItem(data::ItemPath(root_ + "/store", item.piece, 0), item).ok());
    }
    options_.stores = {root_ + "/store"};
    options_.out = root_ + "/run";
    options_.dimension = 16;
    options_.batch_pairs = 16;
    options_.steps = 40;
    options_.warmup_steps = 5;
    options_.learning_rate = 2e-3;
    options_.validation_pairs = 32;
    options_.validation_interval = 20;
    options_.bfloat16 = false;
    options_.threads =
        1;  // other tests run beside this one; and several threads add up in different orders
    options_.sampler.max_transposition = 0;
    options_.sampler.equalise_deviation_db = options_.sampler.noise_share =
        options_.sampler.mask_share = 0;
  }

  std::vector<TrainReport> reports_;
  std::function<bool(const TrainReport&)> collect_ = [this](const TrainReport& report) {
    reports_.push_back(report);
    return true;
  };
  const testing::TemporaryFolder folder_;
  const std::string root_ = folder_.path();
  TrainOptions options_;
};

TEST_F(TrainingTest, LearnsThirtyTwoPairsByHeartAndShuffledLabelsDoNot) {
  const auto summary = Train(options_, collect_);
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_GT(reports_.back().recall_at_1, 0.9);
  EXPECT_TRUE(fs::exists(options_.out + "/audio_encoder.pt"));
  EXPECT_TRUE(fs::exists(options_.out + "/score_encoder.pt"));
  EXPECT_TRUE(fs::exists(options_.out + "/training.json"));

  options_.shuffle_labels = true;
  options_.out = root_ + "/shuffled";
  ASSERT_TRUE(Train(options_, collect_).ok());
  EXPECT_LT(reports_.back().recall_at_1, 0.3);
}

TEST_F(TrainingTest, AStoppedRunGoesOnAsIfItHadNotStopped) {
  ASSERT_TRUE(Train(options_, collect_).ok());
  const TrainReport whole = reports_.back();

  options_.out = root_ + "/stopped";
  const auto stopped = Train(options_, [](const TrainReport& report) { return report.step < 20; });
  EXPECT_EQ(stopped.status().code(), absl::StatusCode::kCancelled);
  const auto resumed = Train(options_, collect_);
  ASSERT_TRUE(resumed.ok()) << resumed.status();
  EXPECT_EQ(resumed->steps, 40);
  EXPECT_NEAR(reports_.back().loss, whole.loss, 1e-3 + 0.02 * whole.loss);
  EXPECT_NEAR(reports_.back().mean_reciprocal_rank, whole.mean_reciprocal_rank, 0.02);
}

TEST_F(TrainingTest, LeavesOutExcludedPiecesAndSaysWhatIsWrong) {
  options_.excluded_pieces = {"piece0", "piece1"};
  EXPECT_EQ(Train(options_, collect_).status().code(), absl::StatusCode::kInvalidArgument);
  options_.excluded_pieces.clear();
  options_.batch_pairs = 1;
  EXPECT_EQ(Train(options_, collect_).status().message(), "batch_pairs is 1, allowed is 2 to 8192");
  options_.batch_pairs = 16;
  options_.stores = {"/nonexistent"};
  EXPECT_EQ(Train(options_, collect_).status().code(), absl::StatusCode::kNotFound);
}

// Features of whose bands no semitone is a whole number: the run ends before it begins, unless it
// is left open how far to transpose.
TEST_F(TrainingTest, ATranspositionThatTheFeaturesDoNotAllowIsRefused) {
  for (int i = 0; i < 4; ++i) {
    data::StoreItem item = data::RandomItem("piece" + std::to_string(i), i % 2, 24);
    item.part = i < 2 ? data::Part::kTrain : data::Part::kValid;
    item.settings.bands_per_octave = 16;
    ASSERT_TRUE(data::WriteItem(data::ItemPath(options_.stores[0], item.piece, 0), item).ok());
  }
  options_.sampler.max_transposition = 3;
  const absl::Status refused = Train(options_, collect_).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(refused.message(), ::testing::HasSubstr("16 bands per octave"));
  EXPECT_FALSE(fs::exists(options_.out));

  options_.sampler.max_transposition.reset();
  options_.steps = options_.validation_interval = 1;
  EXPECT_TRUE(Train(options_, collect_).ok());
  std::ifstream description(options_.out + "/training.json");
  EXPECT_EQ(nlohmann::json::parse(description).at("options").at("max_transposition"), 0);
}

TEST_F(TrainingTest, AnotherRunsCheckpointIsNotTrainedOver) {
  options_.steps = 20;
  ASSERT_TRUE(Train(options_, collect_).ok());
  options_.seed += 1;
  EXPECT_EQ(Train(options_, collect_).status().code(), absl::StatusCode::kFailedPrecondition);
  options_.resume = false;
  EXPECT_TRUE(Train(options_, collect_).ok());
}

TEST_F(TrainingTest, BeginsWithAnotherRunsWeightsAndItsOwnSchedule) {
  ASSERT_TRUE(Train(options_, collect_).ok());
  const double learnt = reports_.back().recall_at_1;
  reports_.clear();
  options_.from = options_.out;
  options_.out = root_ + "/second";
  options_.steps = options_.validation_interval = 1;
  options_.learning_rate = 1e-6;
  options_.seed += 1;
  options_.sampler.near_miss_share = 1;
  ASSERT_TRUE(Train(options_, collect_).ok());
  EXPECT_EQ(reports_.back().step, 1);
  std::ifstream description(options_.out + "/training.json");
  EXPECT_EQ(nlohmann::json::parse(description).at("began_with").at("options").at("steps"), 40);
  EXPECT_GE(reports_.back().recall_at_1, learnt - 0.1);

  options_.out = root_ + "/grown";
  options_.architecture = Architecture::kResidualFine;
  ASSERT_TRUE(Train(options_, collect_).ok());
  EXPECT_GE(reports_.back().recall_at_1, learnt - 0.1);

  options_.out = root_ + "/third";
  options_.architecture = Architecture::kDorfer2018;
  EXPECT_EQ(Train(options_, collect_).status().code(), absl::StatusCode::kInvalidArgument);
  options_.architecture = Architecture::kResidual;
  options_.dimension = 8;
  EXPECT_EQ(Train(options_, collect_).status().code(), absl::StatusCode::kInvalidArgument);
  options_.from = root_ + "/nonexistent";
  EXPECT_EQ(Train(options_, collect_).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(TrainingTest, MixesTwoRunsWeights) {
  // A rate of 1e-7 leaves the weights as they are, so that the share alone decides what the mixture
  // knows.
  const auto begin_with = [this](const std::string& out, double share) {
    reports_.clear();
    options_.out = out;
    options_.from = root_ + "/untaught";
    options_.mix = root_ + "/taught";
    options_.mix_share = share;
    options_.steps = options_.validation_interval = 20;
    options_.learning_rate = 1e-7;
    EXPECT_TRUE(Train(options_, collect_).ok());
    return reports_.back().mean_reciprocal_rank;
  };
  options_.out = root_ + "/taught";
  ASSERT_TRUE(Train(options_, collect_).ok());
  const double taught = reports_.back().mean_reciprocal_rank;
  options_.out = root_ + "/untaught";
  options_.steps = options_.validation_interval = 1;
  options_.learning_rate = 1e-7;
  ASSERT_TRUE(Train(options_, collect_).ok());
  const double untaught = reports_.back().mean_reciprocal_rank;
  ASSERT_GT(taught, untaught + 0.2);

  EXPECT_LT(begin_with(root_ + "/none", 0), taught - 0.2);
  EXPECT_GT(begin_with(root_ + "/all", 1), untaught + 0.2);
  EXPECT_GT(begin_with(root_ + "/most", 0.9), untaught + 0.2);
  std::ifstream file(root_ + "/most/training.json");
  const nlohmann::json description = nlohmann::json::parse(file);
  EXPECT_EQ(description.at("options").at("mix_share"), 0.9);
  EXPECT_EQ(description.at("began_with").at("options").at("steps"), 1);
  EXPECT_EQ(description.at("mixed_with").at("options").at("steps"), 40);

  options_.mix = root_ + "/nonexistent";
  options_.out = root_ + "/other";
  EXPECT_EQ(Train(options_, collect_).status().code(), absl::StatusCode::kNotFound);
  options_.mix = root_ + "/taught";
  options_.from.clear();
  EXPECT_EQ(Train(options_, collect_).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(TrainingTest, ADamagedCheckpointIsRefusedAndNotTrainedOver) {
  options_.steps = 20;
  ASSERT_TRUE(Train(options_, collect_).ok());
  std::ofstream(options_.out + "/checkpoint/audio.pt") << "garbage";
  options_.steps = 40;
  EXPECT_EQ(Train(options_, collect_).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace antiphon::trainer::learning
