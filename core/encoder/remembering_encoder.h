// What keeps a window from being encoded twice in one request.
#ifndef ANTIPHON_CORE_ENCODER_REMEMBERING_ENCODER_H_
#define ANTIPHON_CORE_ENCODER_REMEMBERING_ENCODER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "core/encoder/window_encoder.h"

namespace antiphon::encoder {

// Gives the embeddings of another encoder, and keeps them as long as it lives with the cells of
// their windows: for a request, which has few. Borrows that encoder. Safe from any thread; two that
// ask for the same window at the same time may both have it encoded.
class RememberingEncoder : public WindowEncoder {
 public:
  explicit RememberingEncoder(const WindowEncoder& encoder)
      : encoder_(encoder), info_(encoder.info()), batch_size_(encoder.batch_size()) {}

  const EncoderInfo& info() const override { return info_; }
  int batch_size() const override { return batch_size_; }
  absl::StatusOr<std::vector<float>> Encode(std::span<const uint8_t> windows) const override {
    return EncodeWhile({}, windows);
  }
  absl::StatusOr<std::vector<float>> EncodeWhile(const std::function<absl::Status()>& keep_going,
                                                 std::span<const uint8_t> windows) const override
      ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  const WindowEncoder& encoder_;
  const EncoderInfo info_;
  const int batch_size_;
  mutable absl::Mutex mutex_;
  // By the cells of a window.
  mutable std::map<std::string, std::vector<float>, std::less<>> embeddings_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace antiphon::encoder

#endif  // ANTIPHON_CORE_ENCODER_REMEMBERING_ENCODER_H_
