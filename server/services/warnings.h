// What a caller is told beside the answer, into the response (Call::FillInfo, FillWarnings) and the
// log. Stateless; each function belongs to the thread of its call.
#ifndef ANTIPHON_SERVER_SERVICES_WARNINGS_H_
#define ANTIPHON_SERVER_SERVICES_WARNINGS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "core/audio/decode_report.h"
#include "core/audio/waveform.h"
#include "core/features/settings.h"
#include "core/matching/request.h"
#include "core/music/score.h"
#include "server/calls/call.h"

namespace antiphon::server {

// Sound that could not be decoded; `field` held it.
void WarnOfDecoding(Call& call, absl::string_view field, const audio::DecodeReport& report);

// What the reader of a score passed over or repaired; `field` held it.
void WarnOfScore(Call& call, absl::string_view field, const music::Score& score);

// Why there is too little in a part of a query to compare, for an answer that says so: each cause
// has its own words.
std::string WhyTooLittle(const audio::Waveform& query, const matching::QueryExcerpt& excerpt,
                         const features::FeatureSettings& settings);
std::string WhyTooLittle(const music::Score& query, const matching::QueryExcerpt& excerpt,
                         const features::FeatureSettings& settings);
void WarnOfTooLittle(Call& call, absl::string_view field, const std::string& why);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVICES_WARNINGS_H_
