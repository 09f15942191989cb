// What travels with a model besides its networks: feature settings, confidence, background.
#include <cmath>

#include "core/collection/background.h"
#include "core/features/settings.h"
#include "core/matching/confidence.h"
#include "tests/fuzz/fuzz.h"

using antiphon::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = antiphon::fuzz::AsText(data, size);
  const auto settings = antiphon::features::ParseSettings(text);
  if (settings.ok()) {
    Require(settings->Validate().ok(), "settings that are read are valid");
    const auto again =
        antiphon::features::ParseSettings(antiphon::features::SettingsToJson(*settings));
    Require(again.ok() && *again == *settings, "settings are read as they were written");
    Require(std::isfinite(settings->window_s()) && settings->window_s() > 0,
            "a window has a length");
  } else {
    antiphon::fuzz::RequireRefusal(
        settings.status(), {absl::StatusCode::kInvalidArgument, absl::StatusCode::kDataLoss});
  }

  const auto background = antiphon::collection::Background::Parse(text);
  if (background.ok()) {
    Require(antiphon::collection::Background::Parse((*background)->ToBytes()).ok(),
            "a background is read as it was written");
  } else {
    antiphon::fuzz::RequireRefusal(background.status(), {absl::StatusCode::kDataLoss});
  }

  namespace matching = antiphon::matching;
  const auto model = matching::ParseConfidence(text);
  if (!model.ok()) {
    antiphon::fuzz::RequireRefusal(model.status(), {absl::StatusCode::kDataLoss});
    return 0;
  }
  for (const double score : {0.0, 0.3, 1.0}) {
    for (const int windows : {0, 1, 100'000}) {
      const double confidence = matching::Confidence(*model, score, 0.2, windows);
      Require(confidence >= 0 && confidence <= 1, "confidence is in [0, 1]");
    }
  }
  const std::string json = matching::ConfidenceToJson(*model);
  const auto again = matching::ParseConfidence(json);
  Require(again.ok() && matching::ConfidenceToJson(*again) == json,
          "a confidence is read as it was written");
  return 0;
}
