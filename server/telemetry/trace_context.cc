#include "server/telemetry/trace_context.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"

namespace antiphon::server {
namespace {

// "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01": version, trace, span, flags.
constexpr size_t kLength = 55;
constexpr size_t kTraceAt = 3, kTraceLength = 32;
constexpr size_t kSpanAt = 36, kSpanLength = 16;
constexpr size_t kFlagsAt = 53;

bool IsLowerHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

bool IsHex(std::string_view text) { return std::all_of(text.begin(), text.end(), IsLowerHex); }

std::string Bytes(std::string_view hex) {
  return absl::HexStringToBytes(absl::string_view(hex.data(), hex.size()));
}

bool IsZero(const std::string& bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == '\0'; });
}

}  // namespace

TraceContext ParseTraceparent(std::string_view header) {
  if (header.size() < kLength) return {};
  // Later versions may append fields.
  const std::string_view version = header.substr(0, 2);
  const bool is_later = version != "00";
  if (!IsHex(version) || version == "ff") return {};
  if (header.size() > kLength && (!is_later || header[kLength] != '-')) return {};
  const std::string_view trace = header.substr(kTraceAt, kTraceLength);
  const std::string_view span = header.substr(kSpanAt, kSpanLength);
  const std::string_view flags = header.substr(kFlagsAt, 2);
  for (const size_t dash : {kTraceAt - 1, kSpanAt - 1, kFlagsAt - 1}) {
    if (header[dash] != '-') return {};
  }
  if (!IsHex(trace) || !IsHex(span) || !IsHex(flags)) return {};
  TraceContext context{.trace_id = Bytes(trace), .span_id = Bytes(span)};
  if (IsZero(context.trace_id) || IsZero(context.span_id)) return {};
  context.sampled = (Bytes(flags).front() & 1) != 0;
  return context;
}

}  // namespace antiphon::server
