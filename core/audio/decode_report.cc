#include "core/audio/decode_report.h"

#include "absl/strings/str_format.h"

namespace antiphon::audio {
namespace {

constexpr double kWorthAWord_s = 0.1;

}  // namespace

double DecodeReport::DecodedShare() const {
  return missing_s <= 0 ? 1 : decoded_s / (decoded_s + missing_s);
}

std::vector<std::string> DecodeReport::Warnings() const {
  std::vector<std::string> warnings;
  if (missing_s >= kWorthAWord_s) {
    std::string text = absl::StrFormat(
        "about %.1f s of the sound could not be decoded, %.1f s could", missing_s, decoded_s);
    if (damaged_places == 1) {
      text += absl::StrFormat(": the file is damaged at %.1f s", first_damage_s);
    } else if (damaged_places > 1) {
      text += absl::StrFormat(": the file is damaged in %d places, the first at %.1f s",
                              damaged_places, first_damage_s);
    } else {
      text += ": the file has less than it says";
    }
    warnings.push_back(text);
  }
  if (other_tracks > 0) {
    warnings.push_back(absl::StrFormat("the file has %d tracks of sound; the first one was used",
                                       other_tracks + 1));
  }
  return warnings;
}

}  // namespace antiphon::audio
