// Takes the place of core/encoder/torch_encoder.cc: fuzz targets embed with core/retrieval/fake_encoder.h, or not at
// all.
#include "core/encoder/window_encoder.h"

namespace antiphon::encoder {

void SetComputeThreads(int /*threads*/) {}

absl::StatusOr<std::unique_ptr<WindowEncoder>> LoadEncoder(const std::string& /*path*/, Modality /*modality*/,
                                                           const EncoderOptions& /*options*/) {
  return absl::UnimplementedError("fuzz targets are built without LibTorch");
}

}  // namespace antiphon::encoder
