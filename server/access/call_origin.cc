#include "server/access/call_origin.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "grpc/grpc_security_constants.h"

namespace antiphon::server {
namespace {

constexpr char kRequestIdHeader[] = "x-request-id";
constexpr size_t kMaxRequestIdBytes = 128;
constexpr std::string_view kBearer = "bearer ";

// A number that has not been given out before in this process, nor likely in another: a random
// start, counted on and mixed (SplitMix64; Steele, Lea and Flood, 2014).
uint64_t NextNumber() {
  static std::atomic<uint64_t> counter =
      (uint64_t{std::random_device()()} << 32) | std::random_device()();
  uint64_t z = counter.fetch_add(0x9e3779b97f4a7c15, std::memory_order_relaxed);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

std::string Find(const grpc::CallbackServerContext& context, const char* header) {
  const auto found = context.client_metadata().find(header);
  return found == context.client_metadata().end()
             ? ""
             : std::string(found->second.data(), found->second.size());
}

// The common name of the client's certificate, or else its first alternative one.
std::string NamedByCertificate(const grpc::CallbackServerContext& context) {
  const std::shared_ptr<const grpc::AuthContext> who = context.auth_context();
  if (who == nullptr || !who->IsPeerAuthenticated()) return "";
  std::vector<grpc::string_ref> names = who->FindPropertyValues(GRPC_X509_CN_PROPERTY_NAME);
  if (names.empty()) names = who->GetPeerIdentity();
  return names.empty() ? "" : std::string(names.front().data(), names.front().size());
}

}  // namespace

CallOrigin OriginOf(grpc::CallbackServerContext& context) {
  CallOrigin origin;
  // gRPC has made a time of day of the time that the caller gives; here it becomes a stretch again.
  if (context.deadline() != std::chrono::system_clock::time_point::max())
    origin.deadline = After(absl::FromChrono(context.deadline()) - absl::Now());
  origin.request_id = RequestIdFor(Find(context, kRequestIdHeader));
  const std::string authorization = Find(context, "authorization");
  origin.api_key =
      authorization.empty() ? Find(context, "x-api-key") : std::string(BearerKey(authorization));
  origin.certificate = NamedByCertificate(context);
  origin.peer = context.peer();
  origin.trace = ParseTraceparent(Find(context, "traceparent"));
  context.AddInitialMetadata(kRequestIdHeader, origin.request_id);
  return origin;
}

std::string RequestIdFor(std::string_view given) {
  const bool printable = std::all_of(given.begin(), given.end(), absl::ascii_isprint);
  if (!given.empty() && given.size() <= kMaxRequestIdBytes && printable) return std::string(given);
  return absl::StrFormat("%016x", NextNumber());
}

std::string_view BearerKey(std::string_view authorization) {
  if (!absl::StartsWithIgnoreCase(absl::string_view(authorization.data(), authorization.size()),
                                  absl::string_view(kBearer.data(), kBearer.size()))) {
    return {};
  }
  authorization.remove_prefix(kBearer.size());
  return authorization;
}

}  // namespace antiphon::server
