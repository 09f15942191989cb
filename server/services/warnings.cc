#include "server/services/warnings.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>

#include "absl/strings/str_format.h"
#include "core/features/audible.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
namespace {

void Warn(Call& call, absl::string_view field, const std::string& message) {
  call.AddWarning(field, message);
  spdlog::warn("method={} field={} warning={}", call.method(), std::string(field), message);
}

// The end of a part of a query that lasts `duration_s`.
double EndOf(const matching::QueryExcerpt& excerpt, double duration_s) {
  return std::min(excerpt.end_s.value_or(duration_s), duration_s);
}

std::string TooShort(double seconds, const features::FeatureSettings& settings) {
  return absl::StrFormat("too short to compare: %.2f s, where at least %.1f s are needed", seconds,
                         settings.window_s() / 2);
}

}  // namespace

void WarnOfDecoding(Call& call, absl::string_view field, const audio::DecodeReport& report) {
  for (const std::string& warning : report.Warnings()) Warn(call, field, warning);
}

void WarnOfScore(Call& call, absl::string_view field, const music::Score& score) {
  for (const std::string& warning : score.warnings) Warn(call, field, warning);
}

void WarnOfTooLittle(Call& call, absl::string_view field, const std::string& why) {
  Warn(call, field, why);
}

std::string WhyTooLittle(const audio::Waveform& query, const matching::QueryExcerpt& excerpt,
                         const features::FeatureSettings& settings) {
  const double end_s = EndOf(excerpt, query.duration_s());
  if (end_s - excerpt.start_s < settings.window_s() / 2)
    return TooShort(end_s - excerpt.start_s, settings);
  const auto sample_at = [&](double seconds) {
    return static_cast<size_t>(std::clamp<int64_t>(std::llround(seconds * query.sample_rate), 0,
                                                   static_cast<int64_t>(query.samples.size())));
  };
  const size_t begin = sample_at(excerpt.start_s), end = sample_at(end_s);
  const float peak = features::PeakOf(std::span(query.samples).subspan(begin, end - begin));
  if (peak == 0) return "silent: every sample is 0";
  if (peak < features::kSilentPeak) {
    return absl::StrFormat("silent: nothing above %.0f dB of full scale, which is noise",
                           20 * std::log10(features::kSilentPeak));
  }
  return "there are no notes in the sound: nothing begins or dies away, as in a hum";
}

std::string WhyTooLittle(const music::Score& query, const matching::QueryExcerpt& excerpt,
                         const features::FeatureSettings& settings) {
  const double end_s = EndOf(excerpt, query.duration_s);
  double sounds_to_s = excerpt.start_s;
  for (const music::Note& note : query.notes) {
    if (note.onset_s < end_s && note.sounding_offset_s > excerpt.start_s)
      sounds_to_s = std::max(sounds_to_s, std::min(end_s, note.sounding_offset_s));
  }
  if (sounds_to_s > excerpt.start_s) return TooShort(sounds_to_s - excerpt.start_s, settings);
  if (!query.notes.empty() || query.drum_notes == 0) return "there are no notes in it";
  return absl::StrFormat("there are no notes: all %d are on drum channels, which are left out",
                         query.drum_notes);
}

}  // namespace antiphon::server
