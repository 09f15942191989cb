// Numbers as a person reads them, and times as a person writes them. Free of state.
#ifndef ANTIPHON_CLIENT_OUTPUT_FORMAT_H_
#define ANTIPHON_CLIENT_OUTPUT_FORMAT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace antiphon::client {

// "0:04.2", "12:00.0", "1:02:03.4": seconds, rounded to a tenth. Negative times have a "-"; what is
// not finite is "?".
std::string FormatTime(double seconds);

// "0:04.2–0:06.0".
std::string FormatSpan(double start_s, double end_s);

// "12:3", "12:2.5": bar and beat, the beat to a tenth. "0:4" is in an upbeat.
std::string FormatBarBeat(const std::string& bar, double beat_in_bar);

// "97 %": tempo of the sound over the tempo written.
std::string FormatTempo(double ratio);

// "0.98": a confidence or a similarity.
std::string FormatScore(double value);

// "12,345".
std::string FormatCount(int64_t count);

// "64 MiB", "1.5 MiB", "12 bytes".
std::string FormatBytes(int64_t bytes);

// Seconds from "83.5", "1:23.5" or "1:02:03"; nothing if it is none of these, or negative.
std::optional<double> ParseTime(std::string_view text);

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_OUTPUT_FORMAT_H_
