// The adapter to LibTorch: the only source in core that includes its headers.
#include <ATen/Parallel.h>
#include <torch/cuda.h>
#include <torch/script.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "core/base/status_macros.h"
#include "core/encoder/encoder_file.h"
#include "core/encoder/window_encoder.h"
#include "core/threads/thread_scope.h"

namespace antiphon::encoder {
namespace {

constexpr int64_t kBatchStep = 8;  // windows; batches are multiples of it

std::atomic<int> g_compute_threads = 0;

int64_t ComputeThreads() {
  const int threads = g_compute_threads;
  return threads > 0 ? threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

bool CpuMultipliesBFloat16() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

absl::StatusOr<torch::Device> ParseDevice(const std::string& name) {
  if (name == "cpu") return torch::Device(torch::kCPU);
  if (name == "auto")
    return torch::Device(torch::cuda::is_available() ? torch::kCUDA : torch::kCPU);
  absl::string_view rest = name;
  int number = 0;
  if (!absl::ConsumePrefix(&rest, "cuda:") || !absl::SimpleAtoi(rest, &number) || number < 0 ||
      number > 127) {
    return absl::InvalidArgumentError(
        absl::StrCat("device \"", name, "\" is none of cpu, cuda:N, auto"));
  }
  if (static_cast<size_t>(number) >= torch::cuda::device_count()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "device ", name, " is not there: LibTorch sees ", torch::cuda::device_count(), " GPUs"));
  }
  return torch::Device(torch::kCUDA, static_cast<c10::DeviceIndex>(number));
}

torch::Dtype ChooseType(Precision precision, const torch::Device& device) {
  switch (precision) {
    case Precision::kFloat32:
      return torch::kFloat32;
    case Precision::kBFloat16:
      return torch::kBFloat16;
    case Precision::kAuto:
      break;
  }
  return device.is_cuda() || CpuMultipliesBFloat16() ? torch::kBFloat16 : torch::kFloat32;
}

class TorchEncoder : public WindowEncoder {
 public:
  TorchEncoder(EncoderInfo info, torch::jit::Module module, torch::Device device, int batch_size)
      : info_(std::move(info)),
        module_(std::move(module)),
        device_(device),
        batch_size_(batch_size) {}

  const EncoderInfo& info() const override { return info_; }

  absl::StatusOr<std::vector<float>> Encode(std::span<const uint8_t> windows) const override {
    const int64_t cells = int64_t{info_.settings.window_frames} * info_.channels * info_.bands;
    if (windows.size() % cells != 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "windows: ", windows.size(), " cells are no multiple of a window's ", cells));
    }
    const int64_t count = static_cast<int64_t>(windows.size()) / cells;
    const threads::ThreadScope no_more_threads(0);
    std::vector<float> embeddings(count * info_.dimension);
    // Windows go evenly to the workers, in parts no larger than a batch.
    const int64_t workers =
        device_.is_cpu() ? std::min(ComputeThreads(), std::max<int64_t>(1, count / kBatchStep)) : 1;
    const int64_t part = std::clamp<int64_t>((count + workers - 1) / workers, 1, batch_size_);
    std::atomic<int64_t> next = 0;
    absl::Mutex mutex;
    absl::Status status;  // guarded by mutex
    const auto work = [&] {
      for (int64_t first; (first = next.fetch_add(part)) < count;) {
        const absl::Status done =
            EncodePart(windows.data() + first * cells, std::min(part, count - first),
                       embeddings.data() + first * info_.dimension);
        if (done.ok()) continue;
        absl::MutexLock lock(&mutex);
        status.Update(done);
        return;
      }
    };
    std::vector<std::thread> others;
    for (int64_t i = 1; i < workers; ++i) others.emplace_back(work);
    work();
    for (std::thread& other : others) other.join();
    RETURN_IF_ERROR(status);
    return embeddings;
  }

  static std::string FirstLine(const char* message) {
    const std::string text = message;
    return text.substr(0, text.find('\n'));
  }

 private:
  absl::Status EncodePart(const uint8_t* windows, int64_t count, float* out) const {
    try {
      if (device_.is_cpu()) at::set_num_threads(1);  // of this thread's operators
      const torch::NoGradGuard no_gradients;
      // The optimising executor would re-specialise the graph at every new batch size, for seconds.
      const torch::jit::GraphOptimizerEnabledGuard no_specialisation(false);
      return EncodeBatch(windows, count, out);
    } catch (const std::exception& error) {  // c10::Error and what TorchScript throws
      return absl::InternalError(absl::StrCat("the ", std::string(ModalityName(info_.modality)),
                                              " encoder failed: ", FirstLine(error.what())));
    }
  }

  absl::Status EncodeBatch(const uint8_t* windows, int64_t batch, float* out) const {
    // oneDNN compiles code for every batch size it meets, which takes longer than running it: few
    // sizes are used, the rest filled up.
    const int64_t padded = (batch + kBatchStep - 1) / kBatchStep * kBatchStep;
    torch::Tensor input = torch::from_blob(
        const_cast<uint8_t*>(windows),
        {batch, info_.settings.window_frames, info_.channels, info_.bands}, torch::kUInt8);
    if (padded > batch)
      input = torch::constant_pad_nd(input, {0, 0, 0, 0, 0, 0, 0, padded - batch});
    input = input.to(device_);
    // Module::forward is not const, yet scripted modules in evaluation mode do not change.
    const torch::Tensor output = const_cast<torch::jit::Module&>(module_)
                                     .forward({input})
                                     .toTensor()
                                     .slice(0, 0, batch)
                                     .to(torch::kCPU, torch::kFloat32)
                                     .contiguous();
    if (output.dim() != 2 || output.size(0) != batch || output.size(1) != info_.dimension) {
      return absl::InternalError(absl::StrCat("the encoder gave a tensor of another shape than [",
                                              batch, ", ", info_.dimension, "]"));
    }
    const float* values = output.data_ptr<float>();
    if (!std::all_of(values, values + output.numel(),
                     [](float value) { return std::isfinite(value); })) {
      return absl::InternalError("the encoder gave values that are not finite");
    }
    std::copy(values, values + output.numel(), out);
    return absl::OkStatus();
  }

  const EncoderInfo info_;
  torch::jit::Module module_;
  const torch::Device device_;
  const int64_t batch_size_;
};

// Encodes one window of each kind of content; a network that does not fit its description shows
// itself here and not in a request.
absl::Status SelfCheck(const TorchEncoder& encoder) {
  const EncoderInfo& info = encoder.info();
  std::vector<uint8_t> window(static_cast<size_t>(info.settings.window_frames) * info.channels *
                              info.bands);
  for (size_t i = 0; i < window.size(); i += 7) window[i] = 1;
  const auto unfit = [](const absl::Status& failure) {
    return absl::InvalidArgumentError(failure.message());
  };
  ASSIGN_OR_RETURN(const std::vector<float> embedding, MapError(encoder.Encode(window), unfit));
  double square = 0;
  for (float value : embedding) square += static_cast<double>(value) * value;
  if (std::abs(square - 1.0) > 1e-2) {
    return absl::InvalidArgumentError(
        absl::StrCat("the encoder's embeddings have length ", std::sqrt(square), ", not 1"));
  }
  return absl::OkStatus();
}

}  // namespace

void SetComputeThreads(int threads) { g_compute_threads = threads; }

absl::StatusOr<std::unique_ptr<WindowEncoder>> LoadEncoder(const std::string& path,
                                                           Modality modality,
                                                           const EncoderOptions& options) {
  RETURN_IF_ERROR(CheckRange("batch_size", options.batch_size, EncoderOptions::kBatchSizeRange));
  if (!std::filesystem::is_regular_file(path))
    return absl::NotFoundError(absl::StrCat("no encoder file at ", path));
  ASSIGN_OR_RETURN(const torch::Device device, ParseDevice(options.device));

  torch::jit::ExtraFilesMap extra{{kEncoderInfoName, ""}};
  torch::jit::Module module;
  try {
    module = torch::jit::load(path, torch::kCPU, extra);
    module.eval();
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is no TorchScript file: ", TorchEncoder::FirstLine(error.what())));
  }
  try {
    module.to(device, ChooseType(options.precision, device));
  } catch (const std::exception& error) {
    return absl::ResourceExhaustedError(absl::StrCat(path, " cannot be put onto ", device.str(),
                                                     ": ", TorchEncoder::FirstLine(error.what())));
  }
  const auto unfit = [&path](const absl::Status& failure) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", failure.message()));
  };
  ASSIGN_OR_RETURN(EncoderInfo info, MapError(ParseEncoderInfo(extra[kEncoderInfoName]), unfit));
  if (info.modality != modality) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is no ", std::string(ModalityName(modality)), " encoder"));
  }
  auto encoder = std::make_unique<TorchEncoder>(std::move(info), std::move(module), device,
                                                options.batch_size);
  RETURN_IF_ERROR(MapError(SelfCheck(*encoder), unfit));
  return encoder;
}

}  // namespace antiphon::encoder
