// A model for tests that nobody trained: two TorchScript files that any encoder loader reads, which
// hear what core/testing/fake_encoder.h hears.
#ifndef ANTIPHON_TESTS_SUPPORT_TEST_MODEL_H_
#define ANTIPHON_TESTS_SUPPORT_TEST_MODEL_H_

#include <string>

#include "core/encoder/window_encoder.h"

namespace antiphon::testing {

// Writes FOLDER/audio_encoder.pt and FOLDER/score_encoder.pt. `info` gives model id and settings;
// dimension, channels and bands follow from them. Requires as many bands as pitches and a window
// that divides into six parts.
void WriteTestModel(const std::string& folder, const encoder::EncoderInfo& info);

}  // namespace antiphon::testing

#endif  // ANTIPHON_TESTS_SUPPORT_TEST_MODEL_H_
