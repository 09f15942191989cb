// The adapter to LibTorch: the only source in core that includes its headers.
#include <ATen/Parallel.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/cuda.h>
#include <torch/script.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <filesystem>
#include <optional>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "core/base/status_macros.h"
#include "core/encoder/encoder_file.h"
#include "core/encoder/fallback_encoder.h"
#include "core/encoder/window_encoder.h"
#include "core/threads/cores.h"
#include "core/threads/thread_scope.h"

namespace antiphon::encoder {
namespace {

// A thread more for every so many windows of a call.
constexpr int64_t kWindowsPerThread = 4;

// How many windows are run through a network at once. oneDNN compiles code for every size that it
// meets, which takes longer than running it, and keeps the code of a few dozen sizes.
struct BatchSizes {
  int64_t largest;
  int64_t step;  // batches are filled up to multiples of it
};
// In float32 larger batches take no less time a window, and their layers are so large that glibc
// fetches their memory from the kernel again and again. Ten sizes are few enough to fill up none.
constexpr BatchSizes kFloat32Batches = {10, 1};
constexpr int64_t kBFloat16Step = 8;
// On a GPU a batch is larger, and one of few sizes: cuDNN chooses its kernels anew for each.
constexpr int kGpuBatchFactor = 16;
constexpr int64_t kSmallestGpuBatch = 8;
constexpr int64_t kGpuBatchStep = 256;
// Calls that a GPU works on at once: while one is computed, the next ones' windows are copied.
constexpr int kGpuStreams = 4;

std::atomic<int> g_compute_threads = 0;

int ComputeThreads() {
  const int threads = g_compute_threads;
  return threads > 0 ? threads : antiphon::threads::Cores();
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
  if (number >= static_cast<int>(torch::cuda::device_count())) {
    return absl::FailedPreconditionError(
        absl::StrCat("device ", name, " is not there: LibTorch sees ",
                     static_cast<int>(torch::cuda::device_count()), " GPUs"));
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

std::string FirstLine(const char* message) {
  const std::string text = message;
  return text.substr(0, text.find('\n'));
}

// ResourceExhausted where a device's memory is full, Internal otherwise.
absl::Status FailureOf(const std::exception& error, const std::string& what) {
  const std::string text = absl::StrCat(what, " failed: ", FirstLine(error.what()));
  const bool full = dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
                    absl::StrContains(error.what(), "out of memory") ||
                    absl::StrContains(error.what(), "ALLOC_FAILED");  // cuDNN's and cuBLAS's
  return full ? absl::ResourceExhaustedError(text) : absl::InternalError(text);
}

int64_t DivideUp(int64_t number, int64_t by) { return (number + by - 1) / by; }
int64_t RoundUp(int64_t number, int64_t step) { return DivideUp(number, step) * step; }

BatchSizes ChooseBatches(const torch::Device& device, torch::Dtype type, int batch_size) {
  if (!device.is_cpu()) {
    return {std::min(batch_size * kGpuBatchFactor, EncoderOptions::kBatchSizeRange.high),
            kGpuBatchStep};
  }
  if (type != torch::kFloat32) return {batch_size, kBFloat16Step};
  return {std::min<int64_t>(batch_size, kFloat32Batches.largest), kFloat32Batches.step};
}

// A network on the CPU or on one GPU.
class TorchEncoder : public WindowEncoder {
 public:
  TorchEncoder(EncoderInfo info, torch::jit::Module module, torch::Device device,
               BatchSizes batches)
      : info_(std::move(info)), module_(std::move(module)), device_(device), batches_(batches) {
    if (device_.is_cpu()) return;
    const c10::impl::VirtualGuardImpl gpu(device_.type());
    for (int i = 0; i < kGpuStreams; ++i)
      free_streams_.push_back(gpu.getStreamFromGlobalPool(device_));
  }

  const EncoderInfo& info() const override { return info_; }
  int batch_size() const override { return static_cast<int>(batches_.largest); }

  absl::StatusOr<std::vector<float>> Encode(std::span<const uint8_t> windows) const override {
    const int64_t cells = int64_t{info_.settings.window_frames} * info_.channels * info_.bands;
    if (windows.size() % cells != 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "windows: ", windows.size(), " cells are no multiple of a window's ", cells));
    }
    const int64_t count = static_cast<int64_t>(windows.size()) / cells;
    if (count == 0) return std::vector<float>();
    return device_.is_cpu() ? EncodeOnCpu(windows, count, cells) : EncodeOnGpu(windows, count);
  }

 private:
  absl::StatusOr<std::vector<float>> EncodeOnCpu(std::span<const uint8_t> windows, int64_t count,
                                                 int64_t cells) const {
    const threads::ThreadScope no_more_threads(0);
    std::vector<float> embeddings(count * info_.dimension);
    const int64_t workers = std::clamp<int64_t>(count / kWindowsPerThread, 1, ComputeThreads());
    const int64_t part = PartOf(count, workers);
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

  // Windows go evenly to the workers, in batches.
  int64_t PartOf(int64_t count, int64_t workers) const {
    const int64_t batches = workers * DivideUp(count, workers * batches_.largest);
    return std::min(RoundUp(DivideUp(count, batches), batches_.step), batches_.largest);
  }

  absl::Status EncodePart(const uint8_t* windows, int64_t count, float* out) const {
    try {
      at::set_num_threads(1);  // of this thread's operators
      const torch::NoGradGuard no_gradients;
      // The optimising executor would re-specialise the graph at every new batch size, for seconds.
      const torch::jit::GraphOptimizerEnabledGuard no_specialisation(false);
      const torch::Tensor batch = Padded(Borrow(windows, count), RoundUp(count, batches_.step));
      return TakeOut(Forward(batch, count), count, out);
    } catch (const std::exception& error) {  // c10::Error and what TorchScript throws
      return FailureOf(error, Name());
    }
  }

  // Everything is put into a stream of its own, and waited for once.
  absl::StatusOr<std::vector<float>> EncodeOnGpu(std::span<const uint8_t> windows,
                                                 int64_t count) const {
    std::vector<float> embeddings(count * info_.dimension);
    const c10::Stream stream = TakeStream();
    absl::Status status;
    try {
      const torch::NoGradGuard no_gradients;
      const torch::jit::GraphOptimizerEnabledGuard no_specialisation(false);
      const c10::StreamGuard in_stream(stream);
      const auto pinned = torch::TensorOptions().pinned_memory(true);
      torch::Tensor input = torch::empty(Shape(count), pinned.dtype(torch::kUInt8));
      std::copy(windows.begin(), windows.end(), input.data_ptr<uint8_t>());
      torch::Tensor output = torch::empty({count, info_.dimension}, pinned.dtype(torch::kFloat32));
      for (int64_t first = 0; first < count; first += batches_.largest) {
        const int64_t part = std::min(batches_.largest, count - first);
        const torch::Tensor cells =
            input.slice(0, first, first + part).to(device_, /*non_blocking=*/true);
        const torch::Tensor rows = Forward(Padded(cells, GpuBatch(part)), part);
        if (!HasShape(rows, part)) throw std::runtime_error("its output has another shape");
        output.slice(0, first, first + part).copy_(rows, /*non_blocking=*/true);
      }
      stream.synchronize();
      status = TakeOut(output, count, embeddings.data());
    } catch (const std::exception& error) {
      status = FailureOf(error, absl::StrCat(Name(), " on ", device_.str()));
    }
    GiveBack(stream);
    RETURN_IF_ERROR(status);
    return embeddings;
  }

  std::string Name() const {
    return absl::StrCat("the ", std::string(ModalityName(info_.modality)), " encoder");
  }

  std::vector<int64_t> Shape(int64_t count) const {
    return {count, info_.settings.window_frames, info_.channels, info_.bands};
  }

  torch::Tensor Borrow(const uint8_t* windows, int64_t count) const {
    return torch::from_blob(const_cast<uint8_t*>(windows), Shape(count), torch::kUInt8);
  }

  static int64_t GpuBatch(int64_t count) {
    if (count > kGpuBatchStep) return RoundUp(count, kGpuBatchStep);
    return std::max(kSmallestGpuBatch,
                    static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(count))));
  }

  static torch::Tensor Padded(const torch::Tensor& input, int64_t batch) {
    const int64_t more = batch - input.size(0);
    return more > 0 ? torch::constant_pad_nd(input, {0, 0, 0, 0, 0, 0, 0, more}) : input;
  }

  // The first `count` rows of what the network gives.
  torch::Tensor Forward(const torch::Tensor& input, int64_t count) const {
    // Module::forward is not const, yet scripted modules in evaluation mode do not change.
    return const_cast<torch::jit::Module&>(module_)
        .forward({input})
        .toTensor()
        .slice(0, 0, count)
        .to(torch::kFloat32);
  }

  bool HasShape(const torch::Tensor& rows, int64_t count) const {
    return rows.dim() == 2 && rows.size(0) == count && rows.size(1) == info_.dimension;
  }

  absl::Status Misshapen(int64_t count) const {
    return absl::InternalError(absl::StrCat("the encoder gave a tensor of another shape than [",
                                            count, ", ", info_.dimension, "]"));
  }

  absl::Status TakeOut(const torch::Tensor& rows, int64_t count, float* out) const {
    if (!HasShape(rows, count)) return Misshapen(count);
    const torch::Tensor output = rows.contiguous();
    const float* values = output.data_ptr<float>();
    if (!std::all_of(values, values + output.numel(),
                     [](float value) { return std::isfinite(value); })) {
      return absl::InternalError("the encoder gave values that are not finite");
    }
    std::copy(values, values + output.numel(), out);
    return absl::OkStatus();
  }

  c10::Stream TakeStream() const {
    const auto one_is_free = [this] { return !free_streams_.empty(); };
    absl::MutexLock lock(&mutex_, absl::Condition(&one_is_free));
    const c10::Stream stream = free_streams_.back();
    free_streams_.pop_back();
    return stream;
  }
  void GiveBack(const c10::Stream& stream) const {
    absl::MutexLock lock(&mutex_);
    free_streams_.push_back(stream);
  }

  const EncoderInfo info_;
  torch::jit::Module module_;
  const torch::Device device_;
  const BatchSizes batches_;
  mutable absl::Mutex mutex_;
  mutable std::vector<c10::Stream> free_streams_;  // guarded by mutex_
};

// Encodes a window with some cells set; a network that does not fit its description shows itself
// here and not in a request.
absl::StatusOr<std::vector<float>> SelfCheck(const TorchEncoder& encoder) {
  const EncoderInfo& info = encoder.info();
  std::vector<uint8_t> window(static_cast<size_t>(info.settings.window_frames) * info.channels *
                              info.bands);
  for (size_t i = 0; i < window.size(); i += 7) window[i] = 1;
  ASSIGN_OR_RETURN(std::vector<float> embedding, encoder.Encode(window));
  double square = 0;
  for (float value : embedding) square += static_cast<double>(value) * value;
  if (std::abs(square - 1.0) > 1e-2) {
    return absl::InvalidArgumentError(
        absl::StrCat("the encoder's embeddings have length ", std::sqrt(square), ", not 1"));
  }
  return embedding;
}

// The network with its weights laid out as oneDNN wants them, on the CPU in float32; none where
// LibTorch can't do that to its script.
std::optional<torch::jit::Module> Optimised(const torch::jit::Module& module) {
  try {
    torch::jit::Module frozen = torch::jit::freeze(module);
    return torch::jit::optimize_for_inference(frozen);
  } catch (const std::exception&) {  // c10::Error and what TorchScript throws
    return std::nullopt;
  }
}

// Checks the encoder of the network as it is in the file, and prefers that of the optimised one
// where it gives the same.
absl::StatusOr<std::unique_ptr<WindowEncoder>> MakeEncoder(const EncoderInfo& info,
                                                           const torch::jit::Module& module,
                                                           const torch::Device& device,
                                                           torch::Dtype type, int batch_size) {
  const BatchSizes batches = ChooseBatches(device, type, batch_size);
  auto encoder = std::make_unique<TorchEncoder>(info, module, device, batches);
  ASSIGN_OR_RETURN(const std::vector<float> embedding, SelfCheck(*encoder));
  if (!device.is_cpu() || type != torch::kFloat32) return encoder;
  std::optional<torch::jit::Module> optimised = Optimised(module);
  if (!optimised) return encoder;
  auto faster = std::make_unique<TorchEncoder>(info, *std::move(optimised), device, batches);
  const absl::StatusOr<std::vector<float>> again = SelfCheck(*faster);
  const auto near = [](float a, float b) { return std::abs(a - b) < 1e-3F; };
  if (!again.ok() || !std::ranges::equal(*again, embedding, near)) return encoder;
  return faster;
}

absl::StatusOr<std::unique_ptr<WindowEncoder>> LoadOnto(const torch::Device& device,
                                                        const std::string& path, Modality modality,
                                                        const EncoderOptions& options) {
  // LibTorch sets the number of OpenMP threads of each thread that uses it first, and that would
  // outlast this call.
  const threads::ThreadScope restores_threads(0);
  if (device.is_cpu()) at::set_num_threads(1);  // weights are too few to be divided
  torch::jit::ExtraFilesMap extra{{kEncoderInfoName, ""}};
  torch::jit::Module module;
  try {
    module = torch::jit::load(path, torch::kCPU, extra);
    module.eval();
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is no TorchScript file: ", FirstLine(error.what())));
  }
  const torch::Dtype type = ChooseType(options.precision, device);
  try {
    module.to(device, type);
  } catch (const std::exception& error) {
    return absl::ResourceExhaustedError(
        absl::StrCat(path, " cannot be put onto ", device.str(), ": ", FirstLine(error.what())));
  }
  const auto unfit = [&path](const absl::Status& failure) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", failure.message()));
  };
  ASSIGN_OR_RETURN(const EncoderInfo info,
                   MapError(ParseEncoderInfo(extra[kEncoderInfoName]), unfit));
  if (info.modality != modality) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is no ", std::string(ModalityName(modality)), " encoder"));
  }
  // A GPU that fails is no fault of the file.
  const auto blame = [&](const absl::Status& failure) {
    return device.is_cpu() || absl::IsInvalidArgument(failure) ? unfit(failure) : failure;
  };
  return MapError(MakeEncoder(info, module, device, type, options.batch_size), blame);
}

}  // namespace

void SetComputeThreads(int threads) { g_compute_threads = threads; }

absl::StatusOr<std::unique_ptr<WindowEncoder>> LoadEncoder(const std::string& path,
                                                           Modality modality,
                                                           const EncoderOptions& options) {
  RETURN_IF_ERROR(CheckRange("batch_size", options.batch_size, EncoderOptions::kBatchSizeRange));
  if (!std::filesystem::is_regular_file(path))
    return absl::NotFoundError(absl::StrCat("no encoder file at ", path));
  const FallbackEncoder::Load load_cpu = [path, modality, options] {
    return LoadOnto(torch::kCPU, path, modality, options);
  };
  const absl::StatusOr<torch::Device> device = ParseDevice(options.device);
  if (device.ok() && device->is_cpu()) return load_cpu();
  absl::Status failure = device.status();
  if (device.ok()) {
    absl::StatusOr<std::unique_ptr<WindowEncoder>> gpu = LoadOnto(*device, path, modality, options);
    if (gpu.ok() && options.on_fall_back)
      return std::make_unique<FallbackEncoder>(*std::move(gpu), load_cpu, options.on_fall_back);
    if (gpu.ok()) return gpu;
    failure = gpu.status();
  }
  if (!options.on_fall_back || absl::IsInvalidArgument(failure)) return failure;
  options.on_fall_back(
      absl::StrCat(std::string(ModalityName(modality)),
                   " windows are encoded on the CPU: ", std::string(failure.message())));
  return load_cpu();
}

}  // namespace antiphon::encoder
