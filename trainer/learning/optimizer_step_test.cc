#include "trainer/learning/optimizer_step.h"

#include <gtest/gtest.h>

#include <sstream>

namespace antiphon::trainer::learning {
namespace {

// A weight stored with its channels last, a 1×1 one, whose gradient may lie otherwise, and a bias.
std::vector<torch::Tensor> Parameters() {
  torch::manual_seed(5);
  std::vector<torch::Tensor> parameters = {
      torch::randn({6, 4, 3, 3}).contiguous(torch::MemoryFormat::ChannelsLast),
      torch::randn({5, 6, 1, 1}).contiguous(torch::MemoryFormat::ChannelsLast), torch::randn({5})};
  for (torch::Tensor& parameter : parameters) parameter.requires_grad_(true);
  return parameters;
}

torch::optim::AdamW Optimizer(const std::vector<torch::Tensor>& parameters) {
  const auto group = [](std::vector<torch::Tensor> some, double decay) {
    return torch::optim::OptimizerParamGroup(
        std::move(some), std::make_unique<torch::optim::AdamWOptions>(
                             torch::optim::AdamWOptions(0.01).weight_decay(decay)));
  };
  return torch::optim::AdamW(
      std::vector<torch::optim::OptimizerParamGroup>{group({parameters[0], parameters[1]}, 0.1),
                                                     group({parameters[2]}, 0)},
      torch::optim::AdamWOptions(0.01));
}

void SetGradients(const std::vector<torch::Tensor>& parameters, int step) {
  torch::manual_seed(100 + step);
  for (torch::Tensor parameter : parameters)
    parameter.mutable_grad() = torch::randn(parameter.sizes());  // not laid out as the parameter
}

TEST(OptimizerStepTest, IsTheStepOfTheOptimizer) {
  const auto one = Parameters(), other = Parameters();
  torch::optim::AdamW plain = Optimizer(one), at_once = Optimizer(other);
  for (int step = 0; step < 20; ++step) {
    SetGradients(one, step);
    SetGradients(other, step);
    plain.step();
    StepAtOnce(at_once);
  }
  for (size_t i = 0; i < one.size(); ++i) {
    EXPECT_TRUE(torch::allclose(one[i], other[i], 1e-5, 1e-6)) << i;
    EXPECT_FALSE(torch::allclose(one[i], Parameters()[i])) << i;
  }
}

TEST(OptimizerStepTest, KeepsItsStateWhereTheOptimizerSavesIt) {
  const auto one = Parameters(), other = Parameters();
  torch::optim::AdamW whole = Optimizer(one), first = Optimizer(other);
  for (int step = 0; step < 3; ++step) {
    SetGradients(other, step);
    StepAtOnce(first);
  }
  std::stringstream saved;
  torch::save(first, saved);
  torch::optim::AdamW second = Optimizer(other);
  torch::load(second, saved);
  for (int step = 3; step < 6; ++step) {
    SetGradients(other, step);
    second.step();  // either goes on where the other stopped
  }
  for (int step = 0; step < 6; ++step) {
    SetGradients(one, step);
    StepAtOnce(whole);
  }
  for (size_t i = 0; i < one.size(); ++i)
    EXPECT_TRUE(torch::allclose(one[i], other[i], 1e-5, 1e-6)) << i;
}

TEST(OptimizerStepTest, LeavesParametersWithoutAGradient) {
  const auto parameters = Parameters();
  torch::optim::AdamW optimizer = Optimizer(parameters);
  StepAtOnce(optimizer);
  for (size_t i = 0; i < parameters.size(); ++i)
    EXPECT_TRUE(torch::equal(parameters[i], Parameters()[i]));
}

}  // namespace
}  // namespace antiphon::trainer::learning
