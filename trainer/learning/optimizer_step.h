// AdamW for a GPU. Internal to trainer/learning.
#ifndef ANTIPHON_TRAINER_LEARNING_OPTIMIZER_STEP_H_
#define ANTIPHON_TRAINER_LEARNING_OPTIMIZER_STEP_H_

#include <torch/torch.h>

namespace antiphon::trainer::learning {

// As optimizer.step(), with LibTorch 2 in one kernel for each group of parameters: LibTorch's own
// step runs ten for each parameter, and starting them takes longer than the rest of a training
// step. The state stays the optimizer's and is saved with it. Not for AMSGrad.
void StepAtOnce(torch::optim::AdamW& optimizer);

}  // namespace antiphon::trainer::learning

#endif  // ANTIPHON_TRAINER_LEARNING_OPTIMIZER_STEP_H_
