// One half of a model: windows of features in, embeddings out.
//
// Implementations are safe from any thread.
#ifndef ANTIPHON_CORE_ENCODER_WINDOW_ENCODER_H_
#define ANTIPHON_CORE_ENCODER_WINDOW_ENCODER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/check_range.h"
#include "core/base/status_macros.h"
#include "core/features/settings.h"

namespace antiphon::encoder {

enum class Modality { kAudio, kScore };

// What an encoder file says of itself.
struct EncoderInfo {
  std::string model_id;  // equal in the two encoders of one model
  Modality modality = Modality::kAudio;
  int dimension = 0;  // floats per embedding
  int channels = 0;   // of a window
  int bands = 0;      // of a window
  features::FeatureSettings settings;
};

class WindowEncoder {
 public:
  virtual ~WindowEncoder() = default;

  virtual const EncoderInfo& info() const = 0;

  // `windows` is [n, settings.window_frames, channels, bands]; the result is [n, dimension], rows
  // L2-normalised. InvalidArgument when the size is no multiple of a window's; Internal when the
  // network fails or gives what is not finite, ResourceExhausted when a GPU has no memory for it.
  [[nodiscard]] virtual absl::StatusOr<std::vector<float>> Encode(
      std::span<const uint8_t> windows) const = 0;

  // Windows that it runs through its network at once, if it is given as many; 0: it does not say.
  virtual int batch_size() const { return 0; }

  // As Encode, for somebody who may give up meanwhile: `keep_going`, unless empty, is asked before
  // windows are run through the network, from any thread until this returns, and its failure is
  // returned instead.
  [[nodiscard]] virtual absl::StatusOr<std::vector<float>> EncodeWhile(
      const std::function<absl::Status()>& keep_going, std::span<const uint8_t> windows) const {
    if (keep_going) {
      RETURN_IF_ERROR(keep_going());
    }
    return Encode(windows);
  }
};

enum class Precision {
  kAuto,  // bfloat16 where the CPU multiplies it (AVX512-BF16, AMX) or on a GPU
  kFloat32,
  kBFloat16,
};
// As options name them.
inline constexpr std::pair<std::string_view, Precision> kPrecisionNames[] = {
    {"auto", Precision::kAuto},
    {"float32", Precision::kFloat32},
    {"bfloat16", Precision::kBFloat16},
};

struct EncoderOptions {
  std::string device = "cpu";  // "cpu", "cuda:N" or "auto" (cuda:0 when LibTorch has one)
  Precision precision = Precision::kAuto;
  static constexpr Range<int> kBatchSizeRange = {1, 4096};
  // Windows run through the network at once: at most 10 in float32 on CPUs; 16 times this on GPUs.
  int batch_size = 64;
  // Where a GPU is not there, is lost or has no memory left, the CPU takes over, and this is told
  // so in a sentence, from any thread; without it that is a failure.
  std::function<void(const std::string&)> on_fall_back = {};
};

// How many batches an encoder runs at once, each on one thread; for the whole process, from the
// next call of Encode on. 0, as at the start, is the number of cores. LibTorch could split every
// operator over threads instead, but those wait for each other dozens of times in a batch: on a
// machine that has anything else to do, that was ten times slower.
inline constexpr Range<int> kComputeThreadsRange = {0, 1024};
void SetComputeThreads(int threads);

// Reads a TorchScript file that the trainer wrote. Fails with NotFound, InvalidArgument (not an
// encoder of this modality, a network that does not map its stated window to its stated dimension:
// it is tried once), FailedPrecondition (a device that is not there) or ResourceExhausted (one
// without memory). TorchScript is code: load only files you trust.
[[nodiscard]] absl::StatusOr<std::unique_ptr<WindowEncoder>> LoadEncoder(
    const std::string& path, Modality modality, const EncoderOptions& options = {});

}  // namespace antiphon::encoder

#endif  // ANTIPHON_CORE_ENCODER_WINDOW_ENCODER_H_
