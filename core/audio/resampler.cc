#include "core/audio/resampler.h"

#include <soxr.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace antiphon::audio {
namespace {

// Input frames handed to libsoxr at once, whatever the caller's pieces.
constexpr size_t kPiece = 16384;

struct SoxrDeleter {
  void operator()(soxr* handle) const { soxr_delete(handle); }
};

}  // namespace

struct Resampler::Impl {
  int input_rate = 0;
  int output_rate = 0;
  std::unique_ptr<soxr, SoxrDeleter> handle;  // null when the rates are equal
  std::vector<float> buffer;                  // what one call of libsoxr puts out
  int64_t consumed = 0;
  int64_t produced = 0;

  absl::StatusOr<size_t> Process(const float* input, size_t count, size_t* used,
                                 std::vector<float>& output);
};

Resampler::Resampler(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Resampler::~Resampler() = default;

absl::StatusOr<std::unique_ptr<Resampler>> Resampler::Create(int input_rate, int output_rate) {
  if (input_rate <= 0 || output_rate <= 0) {
    return absl::InvalidArgumentError(absl::StrCat("cannot resample from ", input_rate, " Hz to ",
                                                   output_rate, " Hz: rates must be positive"));
  }
  auto impl = std::make_unique<Impl>();
  impl->input_rate = input_rate;
  impl->output_rate = output_rate;
  if (input_rate != output_rate) {
    soxr_error_t error = nullptr;
    const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
    const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
    const soxr_runtime_spec_t runtime = soxr_runtime_spec(1);
    impl->handle.reset(soxr_create(input_rate, output_rate, 1, &error, &io, &quality, &runtime));
    if (error != nullptr || impl->handle == nullptr) {
      return absl::InternalError(
          absl::StrCat("cannot resample from ", input_rate, " Hz to ", output_rate,
                       " Hz: ", error != nullptr ? error : "libsoxr failed"));
    }
    const double ratio = static_cast<double>(output_rate) / input_rate;
    impl->buffer.resize(static_cast<size_t>(std::ceil(kPiece * ratio)) + 1024);
  }
  return std::unique_ptr<Resampler>(new Resampler(std::move(impl)));
}

// Null input asks for the rest. Returns how many samples came out.
absl::StatusOr<size_t> Resampler::Impl::Process(const float* input, size_t count, size_t* used,
                                                std::vector<float>& output) {
  size_t done = 0;
  const soxr_error_t error =
      soxr_process(handle.get(), input, count, used, buffer.data(), buffer.size(), &done);
  if (error != nullptr) return absl::InternalError(absl::StrCat("resampling failed: ", error));
  output.insert(output.end(), buffer.begin(), buffer.begin() + done);
  produced += done;
  return done;
}

absl::Status Resampler::Push(std::span<const float> input, std::vector<float>& output) {
  impl_->consumed += input.size();
  if (impl_->handle == nullptr) {
    output.insert(output.end(), input.begin(), input.end());
    return absl::OkStatus();
  }
  while (!input.empty()) {
    size_t used = 0;
    ASSIGN_OR_RETURN(auto done,
                     impl_->Process(input.data(), std::min(input.size(), kPiece), &used, output));
    if (used == 0 && done == 0)
      return absl::InternalError("resampling failed: libsoxr takes no more input");
    input = input.subspan(used);
  }
  return absl::OkStatus();
}

absl::Status Resampler::Finish(std::vector<float>& output) {
  if (impl_->handle == nullptr || impl_->consumed == 0) return absl::OkStatus();
  for (;;) {
    ASSIGN_OR_RETURN(auto done, impl_->Process(nullptr, 0, nullptr, output));
    if (done == 0) return absl::OkStatus();
  }
}

}  // namespace antiphon::audio
