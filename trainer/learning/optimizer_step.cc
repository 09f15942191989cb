#include "trainer/learning/optimizer_step.h"

#include <torch/version.h>

#include <vector>

namespace antiphon::trainer::learning {

#if TORCH_VERSION_MAJOR >= 2

namespace {

// The kernel wants all of a parameter's tensors laid out alike.
torch::Tensor LaidOutAs(const torch::Tensor& parameter, const torch::Tensor& tensor) {
  if (tensor.strides() == parameter.strides()) return tensor;
  return torch::empty_strided(parameter.sizes(), parameter.strides(), tensor.options())
      .copy_(tensor);
}

}  // namespace

void StepAtOnce(torch::optim::AdamW& optimizer) {
  const torch::NoGradGuard no_gradients;
  for (torch::optim::OptimizerParamGroup& group : optimizer.param_groups()) {
    const auto& options = static_cast<const torch::optim::AdamWOptions&>(group.options());
    std::vector<torch::Tensor> parameters, gradients, means, squares, steps;
    torch::Tensor step;  // all parameters have made equally many
    for (torch::Tensor& parameter : group.params()) {
      if (!parameter.grad().defined()) continue;
      std::unique_ptr<torch::optim::OptimizerParamState>& entry =
          optimizer.state()[parameter.unsafeGetTensorImpl()];
      if (entry == nullptr) {
        auto fresh = std::make_unique<torch::optim::AdamWParamState>();
        fresh->step(0);
        fresh->exp_avg(torch::zeros_like(parameter, torch::MemoryFormat::Preserve));
        fresh->exp_avg_sq(torch::zeros_like(parameter, torch::MemoryFormat::Preserve));
        entry = std::move(fresh);
      }
      auto& state = static_cast<torch::optim::AdamWParamState&>(*entry);
      state.step(state.step() + 1);
      state.exp_avg(LaidOutAs(parameter, state.exp_avg()));
      state.exp_avg_sq(LaidOutAs(parameter, state.exp_avg_sq()));
      if (!step.defined()) {
        step = torch::full({}, static_cast<double>(state.step()),
                           parameter.options().dtype(torch::kFloat32));
      }
      parameters.push_back(parameter);
      gradients.push_back(LaidOutAs(parameter, parameter.grad()));
      means.push_back(state.exp_avg());
      squares.push_back(state.exp_avg_sq());
      steps.push_back(step);
    }
    if (parameters.empty()) continue;
    at::_fused_adamw_(parameters, gradients, means, squares, /*max_exp_avg_sqs=*/{}, steps,
                      options.lr(), std::get<0>(options.betas()), std::get<1>(options.betas()),
                      options.weight_decay(), options.eps(), /*amsgrad=*/false, /*maximize=*/false);
  }
}

#else

void StepAtOnce(torch::optim::AdamW& optimizer) { optimizer.step(); }

#endif

}  // namespace antiphon::trainer::learning
