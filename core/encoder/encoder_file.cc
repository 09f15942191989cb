#include "core/encoder/encoder_file.h"

#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace antiphon::encoder {
namespace {

using nlohmann::json;

constexpr int kFileVersion = 1;
constexpr int kMaxDimension = 4096;
constexpr int kMaxChannels = 16;
constexpr int kMaxBands = 4096;

absl::Status Invalid(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("encoder description: ", what));
}

// A field from 1 to `high`.
absl::StatusOr<int> IntegerOf(const json& object, const char* name, int high) {
  const auto field = object.find(name);
  if (field == object.end() || !field->is_number_integer())
    return Invalid(absl::StrCat(name, " is missing or no integer"));
  const int64_t value = field->get<int64_t>();
  if (value < 1 || value > high)
    return Invalid(absl::StrCat(name, " is ", value, ", allowed is 1 to ", high));
  return static_cast<int>(value);
}

absl::StatusOr<std::string> TextOf(const json& object, const char* name) {
  const auto field = object.find(name);
  if (field == object.end() || !field->is_string())
    return Invalid(absl::StrCat(name, " is missing or no string"));
  return field->get<std::string>();
}

absl::StatusOr<Modality> ModalityOf(const json& object) {
  ASSIGN_OR_RETURN(const std::string name, TextOf(object, "modality"));
  for (const Modality modality : {Modality::kAudio, Modality::kScore}) {
    if (name == ModalityName(modality)) return modality;
  }
  return Invalid("modality is neither audio nor score");
}

// Audio windows have one channel of the spectrogram's bands; score windows have two, onsets and
// sounding notes, of the pianoroll's pitches.
absl::Status CheckShape(const EncoderInfo& info) {
  const bool audio = info.modality == Modality::kAudio;
  if (info.bands != (audio ? info.settings.bands : info.settings.pitches) ||
      info.channels != (audio ? 1 : 2)) {
    return Invalid("the window does not have the shape that the settings give");
  }
  return absl::OkStatus();
}

}  // namespace

std::string_view ModalityName(Modality modality) {
  return modality == Modality::kAudio ? "audio" : "score";
}

std::string EncoderInfoToJson(const EncoderInfo& info) {
  return json{
      {"version", kFileVersion},
      {"model_id", info.model_id},
      {"modality", ModalityName(info.modality)},
      {"dimension", info.dimension},
      {"channels", info.channels},
      {"bands", info.bands},
      {"settings", json::parse(features::SettingsToJson(info.settings))},
  }
      .dump();
}

absl::StatusOr<EncoderInfo> ParseEncoderInfo(std::string_view text) {
  const json object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return Invalid("not a JSON object");
  ASSIGN_OR_RETURN(const int version, IntegerOf(object, "version", 1 << 20));
  if (version != kFileVersion)
    return Invalid(absl::StrCat("version ", version, " is not ", kFileVersion));
  EncoderInfo info;
  ASSIGN_OR_RETURN(info.model_id, TextOf(object, "model_id"));
  ASSIGN_OR_RETURN(info.modality, ModalityOf(object));
  ASSIGN_OR_RETURN(info.dimension, IntegerOf(object, "dimension", kMaxDimension));
  ASSIGN_OR_RETURN(info.channels, IntegerOf(object, "channels", kMaxChannels));
  ASSIGN_OR_RETURN(info.bands, IntegerOf(object, "bands", kMaxBands));
  const auto settings = object.find("settings");
  if (settings == object.end()) return Invalid("settings are missing");
  ASSIGN_OR_RETURN(info.settings, features::ParseSettings(settings->dump()));
  RETURN_IF_ERROR(CheckShape(info));
  return info;
}

}  // namespace antiphon::encoder
