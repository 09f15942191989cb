// What keeps an encoder answering when its GPU gives out. Internal to core/encoder.
#ifndef ANTIPHON_CORE_ENCODER_FALLBACK_ENCODER_H_
#define ANTIPHON_CORE_ENCODER_FALLBACK_ENCODER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/encoder/window_encoder.h"

namespace antiphon::encoder {

// Encodes on the GPU while it can. Windows that it fails on go to the CPU's encoder, loaded when it
// is first needed: after ResourceExhausted the GPU is asked again once `pause` is over, after any
// other failure never again, unless the CPU fails on the same windows too, for then it is they.
// Safe from any thread.
class FallbackEncoder : public WindowEncoder {
 public:
  using Load = std::function<absl::StatusOr<std::unique_ptr<WindowEncoder>>()>;

  // `on_fall_back` is told in a sentence whenever the CPU takes over and when the GPU is back.
  FallbackEncoder(std::unique_ptr<WindowEncoder> gpu, Load load_cpu,
                  std::function<void(const std::string&)> on_fall_back,
                  absl::Duration pause = absl::Seconds(10));

  const EncoderInfo& info() const override { return info_; }
  int batch_size() const override { return batch_size_; }
  absl::StatusOr<std::vector<float>> Encode(std::span<const uint8_t> windows) const override;

 private:
  absl::StatusOr<const WindowEncoder*> Cpu() const ABSL_LOCKS_EXCLUDED(mutex_);
  void Pause(const absl::Status& failure) const ABSL_LOCKS_EXCLUDED(mutex_);
  void Return() const ABSL_LOCKS_EXCLUDED(mutex_);

  const std::unique_ptr<WindowEncoder> gpu_;
  const EncoderInfo info_;  // the GPU's, as is the next
  const int batch_size_;
  const Load load_cpu_;
  const std::function<void(const std::string&)> on_fall_back_;
  const absl::Duration pause_;
  mutable absl::Mutex mutex_;
  // When the GPU is asked again; InfinitePast while it is in use.
  mutable absl::Time paused_until_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  mutable std::unique_ptr<WindowEncoder> cpu_ ABSL_GUARDED_BY(mutex_);  // never goes once there
};

}  // namespace antiphon::encoder

#endif  // ANTIPHON_CORE_ENCODER_FALLBACK_ENCODER_H_
