#include "core/encoder/fallback_encoder.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/status_macros.h"
#include "core/encoder/encoder_file.h"

namespace antiphon::encoder {

FallbackEncoder::FallbackEncoder(std::unique_ptr<WindowEncoder> gpu, Load load_cpu,
                                 std::function<void(const std::string&)> on_fall_back,
                                 absl::Duration pause)
    : gpu_(std::move(gpu)),
      info_(gpu_->info()),
      batch_size_(gpu_->batch_size()),
      load_cpu_(std::move(load_cpu)),
      on_fall_back_(std::move(on_fall_back)),
      pause_(pause) {}

absl::StatusOr<std::vector<float>> FallbackEncoder::Encode(std::span<const uint8_t> windows) const {
  bool ask_gpu = false;
  {
    absl::MutexLock lock(&mutex_);
    ask_gpu = absl::Now() >= paused_until_;
  }
  absl::Status failure;
  if (ask_gpu) {
    absl::StatusOr<std::vector<float>> embeddings = gpu_->Encode(windows);
    if (embeddings.ok()) Return();
    if (embeddings.ok() || absl::IsInvalidArgument(embeddings.status())) return embeddings;
    failure = embeddings.status();
  }
  ASSIGN_OR_RETURN(const WindowEncoder* cpu, Cpu());
  absl::StatusOr<std::vector<float>> embeddings = cpu->Encode(windows);
  if (embeddings.ok() && !failure.ok()) Pause(failure);
  return embeddings;
}

absl::StatusOr<const WindowEncoder*> FallbackEncoder::Cpu() const {
  absl::MutexLock lock(&mutex_);
  if (cpu_ == nullptr) {
    ASSIGN_OR_RETURN(cpu_, load_cpu_());
  }
  return cpu_.get();
}

void FallbackEncoder::Pause(const absl::Status& failure) const {
  const bool full = absl::IsResourceExhausted(failure);
  {
    absl::MutexLock lock(&mutex_);
    if (paused_until_ == absl::InfiniteFuture()) return;
    const bool known = full && paused_until_ != absl::InfinitePast();
    paused_until_ = full ? absl::Now() + pause_ : absl::InfiniteFuture();
    if (known) return;
  }
  on_fall_back_(absl::StrCat(std::string(ModalityName(info().modality)),
                             " windows are encoded on the CPU ", full ? "for now" : "from now on",
                             ": ", std::string(failure.message())));
}

void FallbackEncoder::Return() const {
  {
    absl::MutexLock lock(&mutex_);
    if (paused_until_ == absl::InfinitePast() || paused_until_ == absl::InfiniteFuture()) return;
    paused_until_ = absl::InfinitePast();
  }
  on_fall_back_(absl::StrCat(std::string(ModalityName(info().modality)),
                             " windows are encoded on the GPU again"));
}

}  // namespace antiphon::encoder
