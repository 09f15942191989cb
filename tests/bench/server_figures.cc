#include "tests/bench/server_figures.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "core/base/descriptor.h"
#include "core/base/network_address.h"
#include "core/base/status_macros.h"

namespace antiphon::bench {
namespace {

absl::StatusOr<Descriptor> Connect(const std::string& address, double timeout_s) {
  ASSIGN_OR_RETURN(const HostPort place, ParseHostPort(address));
  const addrinfo hints = {.ai_socktype = SOCK_STREAM};
  addrinfo* list = nullptr;
  if (getaddrinfo(place.host.c_str(), absl::StrCat(place.port).c_str(), &hints, &list) != 0)
    return absl::UnavailableError(absl::StrCat(address, " is not known"));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, freeaddrinfo);
  const timeval limit = absl::ToTimeval(absl::Seconds(timeout_s));
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    Descriptor socket(::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (connect(socket.get(), one->ai_addr, one->ai_addrlen) == 0) return socket;
  }
  return absl::UnavailableError(absl::StrCat(address, " does not answer"));
}

absl::StatusOr<std::string> GetMetrics(const std::string& address, double timeout_s) {
  ASSIGN_OR_RETURN(const Descriptor socket, Connect(address, timeout_s));
  const std::string request =
      absl::StrCat("GET /metrics HTTP/1.1\r\nHost: ", address, "\r\nConnection: close\r\n\r\n");
  if (send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0)
    return absl::UnavailableError(absl::StrCat(address, " does not listen"));
  std::string answer;
  char buffer[1 << 16];
  ssize_t got = 0;
  while ((got = recv(socket.get(), buffer, sizeof(buffer), 0)) > 0) answer.append(buffer, got);
  if (got < 0) return absl::UnavailableError(absl::StrCat(address, " does not answer in time"));
  if (!absl::StartsWith(answer, "HTTP/1.1 200 ")) {
    return absl::UnavailableError(
        absl::StrCat(address, "/metrics: ", answer.substr(0, answer.find("\r\n"))));
  }
  return answer;
}

absl::StatusOr<double> RequiredMetric(absl::string_view text, absl::string_view name) {
  const std::optional<double> value = MetricOf(text, name);
  if (!value) return absl::NotFoundError(absl::StrCat("/metrics has no ", name));
  return *value;
}

absl::StatusOr<std::string> ReadProc(int pid, const char* name) {
  const std::string path = absl::StrCat("/proc/", pid, "/", name);
  std::ifstream file(path);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  if (text.empty()) return absl::NotFoundError(absl::StrCat(path, " cannot be read"));
  return text;
}

// User and system time, fields 14 and 15 of proc(5)'s stat; what comes before the ")" may hold
// spaces.
std::optional<double> CpuSeconds(absl::string_view stat) {
  const std::vector<absl::string_view> fields =
      absl::StrSplit(stat.substr(stat.rfind(')') + 1), ' ', absl::SkipEmpty());
  int64_t user = 0, system = 0;
  if (fields.size() < 13 || !absl::SimpleAtoi(fields[11], &user) ||
      !absl::SimpleAtoi(fields[12], &system)) {
    return std::nullopt;
  }
  return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

// Of a line such as "RssAnon:     1234 kB".
std::optional<int64_t> BytesOf(absl::string_view status, absl::string_view name) {
  for (absl::string_view line : absl::StrSplit(status, '\n')) {
    int64_t kilobytes = 0;
    if (absl::ConsumePrefix(&line, name) && absl::ConsumePrefix(&line, ":") &&
        absl::ConsumeSuffix(&line, " kB") && absl::SimpleAtoi(line, &kilobytes)) {
      return kilobytes * 1024;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<double> MetricOf(absl::string_view text, absl::string_view name) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    double value = 0;
    if (absl::ConsumePrefix(&line, name) && absl::ConsumePrefix(&line, " ") &&
        absl::SimpleAtod(line, &value)) {
      return value;
    }
  }
  return std::nullopt;
}

absl::StatusOr<ServerFigures> LookAt(const ServerPlace& place) {
  ServerFigures figures;
  if (place.pid != 0) {
    ASSIGN_OR_RETURN(const std::string stat, ReadProc(place.pid, "stat"));
    ASSIGN_OR_RETURN(const std::string status, ReadProc(place.pid, "status"));
    figures.cpu_s = CpuSeconds(stat);
    figures.resident_bytes = BytesOf(status, "VmRSS");
    figures.anonymous_bytes = BytesOf(status, "RssAnon");
  } else if (!place.metrics.empty()) {
    ASSIGN_OR_RETURN(const std::string text, GetMetrics(place.metrics, place.timeout_s));
    ASSIGN_OR_RETURN(figures.cpu_s, RequiredMetric(text, "process_cpu_seconds_total"));
    ASSIGN_OR_RETURN(const double resident, RequiredMetric(text, "process_resident_memory_bytes"));
    figures.resident_bytes = static_cast<int64_t>(resident);
  }
  return figures;
}

}  // namespace antiphon::bench
