// Models for tests that nobody trained, as TorchScript files that any encoder loader reads.
#ifndef ANTIPHON_TESTS_SUPPORT_TEST_MODEL_H_
#define ANTIPHON_TESTS_SUPPORT_TEST_MODEL_H_

#include <string>

#include "core/encoder/window_encoder.h"

namespace antiphon::testing {

// Writes an encoder file whose network is `script`, TorchScript with a function `forward`.
void WriteEncoder(const std::string& path, const encoder::EncoderInfo& info,
                  const std::string& script);

// Two networks that hear what core/testing/fake_encoder.h hears.
//
// Writes FOLDER/audio_encoder.pt and FOLDER/score_encoder.pt. `info` gives model id and settings;
// dimension, channels and bands follow from them. Requires as many bands as pitches and a window
// that divides into six parts.
void WriteTestModel(const std::string& folder, const encoder::EncoderInfo& info);

}  // namespace antiphon::testing

#endif  // ANTIPHON_TESTS_SUPPORT_TEST_MODEL_H_
