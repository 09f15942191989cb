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

absl::Status Invalid(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("encoder description: ", what));
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
  const auto integer = [&](const char* name, int64_t high) -> absl::StatusOr<int> {
    const auto it = object.find(name);
    if (it == object.end() || !it->is_number_integer())
      return Invalid(absl::StrCat(name, " is missing or no integer"));
    const int64_t value = it->get<int64_t>();
    if (value < 1 || value > high)
      return Invalid(absl::StrCat(name, " is ", value, ", allowed is 1 to ", high));
    return static_cast<int>(value);
  };
  const auto text_field = [&](const char* name) -> absl::StatusOr<std::string> {
    const auto it = object.find(name);
    if (it == object.end() || !it->is_string())
      return Invalid(absl::StrCat(name, " is missing or no string"));
    return it->get<std::string>();
  };

  ASSIGN_OR_RETURN(const int version, integer("version", 1 << 20));
  if (version != kFileVersion)
    return Invalid(absl::StrCat("version ", version, " is not ", kFileVersion));

  EncoderInfo info;
  const absl::StatusOr<std::string> model_id = text_field("model_id"),
                                    modality = text_field("modality");
  if (!model_id.ok()) return model_id.status();
  if (!modality.ok()) return modality.status();
  info.model_id = *model_id;
  if (*modality == ModalityName(Modality::kAudio)) {
    info.modality = Modality::kAudio;
  } else if (*modality == ModalityName(Modality::kScore)) {
    info.modality = Modality::kScore;
  } else {
    return Invalid("modality is neither audio nor score");
  }
  const struct {
    const char* name;
    int64_t high;
    int* value;
  } integers[] = {{"dimension", kMaxDimension, &info.dimension},
                  {"channels", 16, &info.channels},
                  {"bands", 4096, &info.bands}};
  for (const auto& field : integers) {
    const absl::StatusOr<int> value = integer(field.name, field.high);
    if (!value.ok()) return value.status();
    *field.value = *value;
  }
  const auto settings = object.find("settings");
  if (settings == object.end()) return Invalid("settings are missing");
  ASSIGN_OR_RETURN(features::FeatureSettings parsed, features::ParseSettings(settings->dump()));
  info.settings = parsed;
  const bool audio = info.modality == Modality::kAudio;
  if (info.bands != (audio ? info.settings.bands : info.settings.pitches) ||
      info.channels != (audio ? 1 : 2)) {
    return Invalid("the window does not have the shape that the settings give");
  }
  return info;
}

}  // namespace antiphon::encoder
