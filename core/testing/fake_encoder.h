// An encoder for tests that needs no model: which pitches sound in each of six parts of the
// window, so that sound and score that agree lie close together. Deterministic; safe from any
// thread.
#ifndef ANTIPHON_CORE_TESTING_FAKE_ENCODER_H_
#define ANTIPHON_CORE_TESTING_FAKE_ENCODER_H_

#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "core/encoder/window_encoder.h"

namespace antiphon::testing {

// Small windows of a small front end, quick to compute.
features::FeatureSettings FakeSettings();

class FakeEncoder : public encoder::WindowEncoder {
 public:
  explicit FakeEncoder(encoder::Modality modality);

  const encoder::EncoderInfo& info() const override { return info_; }
  absl::StatusOr<std::vector<float>> Encode(std::span<const uint8_t> windows) const override;

  // How often Encode was called, and with how many windows in all.
  int calls() const { return calls_; }
  int64_t windows() const { return windows_; }

  encoder::EncoderInfo info_;
  absl::Status failure;  // returned by Encode unless OK

 private:
  mutable std::atomic<int> calls_ = 0;
  mutable std::atomic<int64_t> windows_ = 0;
};

}  // namespace antiphon::testing

#endif  // ANTIPHON_CORE_TESTING_FAKE_ENCODER_H_
