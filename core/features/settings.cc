#include "core/features/settings.h"

#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/base/check_range.h"
#include "core/base/status_macros.h"

namespace antiphon::features {
namespace {

using nlohmann::json;

constexpr char kConstantQName[] = "constant_q";
constexpr char kLogFilterbankName[] = "log_filterbank";

template <typename T>
absl::Status CheckField(absl::string_view field, T value, const Range<T>& range) {
  return CheckRange(absl::StrCat("feature settings: ", field), value, range);
}

absl::Status ReadField(const json& object, const char* name, int& out) {
  const auto it = object.find(name);
  if (it == object.end() || !it->is_number_integer()) {
    return absl::InvalidArgumentError(
        absl::StrCat("feature settings: ", name, " is missing or no integer"));
  }
  const int64_t value = it->get<int64_t>();
  RETURN_IF_ERROR(CheckField(name, value, Range<int64_t>{0, 1 << 30}));
  out = static_cast<int>(value);
  return absl::OkStatus();
}

}  // namespace

absl::Status FeatureSettings::Validate() const {
  RETURN_IF_ERROR(CheckField("sample_rate", sample_rate, kSampleRateRange));
  RETURN_IF_ERROR(CheckField("hop_length", hop_length, kHopLengthRange));
  RETURN_IF_ERROR(CheckField("window_frames", window_frames, kWindowFramesRange));
  RETURN_IF_ERROR(CheckField("min_frequency", min_frequency, kMinFrequencyRange));
  RETURN_IF_ERROR(CheckField("bands_per_octave", bands_per_octave, kBandsPerOctaveRange));
  RETURN_IF_ERROR(CheckField("bands", bands, kBandsRange));
  RETURN_IF_ERROR(CheckField("fft_length", fft_length, kFftLengthRange));
  RETURN_IF_ERROR(CheckField("lowest_pitch", lowest_pitch, kPitchRange));
  RETURN_IF_ERROR(
      CheckField("pitches", pitches, Range<int>{1, kPitchRange.high + 1 - lowest_pitch}));
  if (fft_length != 0 &&
      (fft_length < 256 || !std::has_single_bit(static_cast<unsigned>(fft_length)))) {
    return absl::InvalidArgumentError(
        "feature settings: fft_length must be 0 or a power of two from 256 on");
  }
  const double highest = min_frequency * std::exp2(static_cast<double>(bands) / bands_per_octave);
  if (highest >= sample_rate / 2.0) {
    return absl::InvalidArgumentError(absl::StrCat("feature settings: bands reach ", highest,
                                                   " Hz, beyond half the sample rate"));
  }
  return absl::OkStatus();
}

FeatureSettings DorferSettings() {
  FeatureSettings settings;
  settings.front_end = FrontEndKind::kLogFilterbank;
  settings.min_frequency = 30.0;
  settings.bands_per_octave = 16;
  settings.bands = 92;
  settings.fft_length = 2048;
  return settings;
}

std::string SettingsToJson(const FeatureSettings& settings) {
  return json{
      {"sample_rate", settings.sample_rate},
      {"hop_length", settings.hop_length},
      {"window_frames", settings.window_frames},
      {"front_end",
       settings.front_end == FrontEndKind::kConstantQ ? kConstantQName : kLogFilterbankName},
      {"min_frequency", settings.min_frequency},
      {"bands_per_octave", settings.bands_per_octave},
      {"bands", settings.bands},
      {"fft_length", settings.fft_length},
      {"lowest_pitch", settings.lowest_pitch},
      {"pitches", settings.pitches},
  }
      .dump();
}

absl::StatusOr<FeatureSettings> ParseSettings(std::string_view text) {
  const json object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return absl::InvalidArgumentError("feature settings: not a JSON object");
  FeatureSettings settings;
  const struct {
    const char* name;
    int* value;
  } integers[] = {
      {"sample_rate", &settings.sample_rate},
      {"hop_length", &settings.hop_length},
      {"window_frames", &settings.window_frames},
      {"bands_per_octave", &settings.bands_per_octave},
      {"bands", &settings.bands},
      {"fft_length", &settings.fft_length},
      {"lowest_pitch", &settings.lowest_pitch},
      {"pitches", &settings.pitches},
  };
  for (const auto& field : integers) {
    RETURN_IF_ERROR(ReadField(object, field.name, *field.value));
  }
  const auto frequency = object.find("min_frequency");
  if (frequency == object.end() || !frequency->is_number()) {
    return absl::InvalidArgumentError("feature settings: min_frequency is missing or no number");
  }
  settings.min_frequency = frequency->get<double>();
  const auto kind = object.find("front_end");
  if (kind == object.end() || !kind->is_string()) {
    return absl::InvalidArgumentError("feature settings: front_end is missing or no string");
  }
  if (*kind == kConstantQName) {
    settings.front_end = FrontEndKind::kConstantQ;
  } else if (*kind == kLogFilterbankName) {
    settings.front_end = FrontEndKind::kLogFilterbank;
  } else {
    return absl::InvalidArgumentError(
        "feature settings: front_end is neither constant_q nor log_filterbank");
  }
  RETURN_IF_ERROR(settings.Validate());
  return settings;
}

}  // namespace antiphon::features
