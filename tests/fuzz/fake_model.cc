// Takes the place of core/encoder/torch_encoder.cc: every encoder file is a FakeEncoder.
#include "core/encoder/window_encoder.h"
#include "core/testing/fake_encoder.h"

namespace antiphon::encoder {

void SetComputeThreads(int /*threads*/) {}

absl::StatusOr<std::unique_ptr<WindowEncoder>> LoadEncoder(const std::string& /*path*/,
                                                           Modality modality,
                                                           const EncoderOptions& /*options*/) {
  return std::make_unique<testing::FakeEncoder>(modality);
}

}  // namespace antiphon::encoder
