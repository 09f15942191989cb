#include "server/config.h"

#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/index/device_pool.h"
#include "server/options.h"
#include "server/runtime/listen_address.h"

namespace antiphon::server {
namespace {

using Problems = std::vector<ConfigProblem>;

void Add(Problems& problems, std::vector<std::string> options, absl::string_view what) {
  problems.push_back({absl::StrCat(options.front(), ": ", what), std::move(options)});
}

// Checks each value by itself. A visitor of the options.
class RangeChecker {
 public:
  explicit RangeChecker(Problems& problems) : problems_(problems) {}

  template <typename T>
  void Number(absl::string_view name, T value, const Range<T>& range, absl::string_view) {
    const absl::Status in_range = CheckRange(name, value, range);
    if (!in_range.ok()) problems_.push_back({std::string(in_range.message()), {std::string(name)}});
  }
  void Text(absl::string_view name, const std::string& value, absl::string_view,
            absl::string_view) {
    // The system would take such a path to end there.
    if (value.find('\0') != std::string::npos)
      Add(problems_, {std::string(name)}, "has a character with the number 0 in it");
  }
  template <typename Value, typename Names>
  void Choice(absl::string_view, Value, const Names&, absl::string_view) {}
  void Switch(absl::string_view, bool, absl::string_view) {}

 private:
  Problems& problems_;
};

bool IsIndexDevice(const std::string& device) {
  return device.empty() || index::CheckDeviceName(device).ok();
}

bool IsDevice(absl::string_view device) {
  int number = 0;
  return device == "cpu" || device == "auto" ||
         (absl::ConsumePrefix(&device, "cuda:") && !device.empty() &&
          absl::ascii_isdigit(device.front()) && absl::SimpleAtoi(device, &number));
}

void CheckAddresses(const Config& config, Problems& problems) {
  if (const absl::Status listen = CheckListenAddress(config.listen); !listen.ok())
    Add(problems, {"listen"}, listen.message());
  const std::string& metrics = config.metrics.listen;
  if (metrics.empty()) {
    Add(problems, {"metrics-listen"}, "is empty; write HOST:PORT, or 0 for no metrics");
  } else if (config.metrics.enabled()) {
    const absl::Status listen = CheckTcpListenAddress(metrics);
    if (!listen.ok()) Add(problems, {"metrics-listen"}, listen.message());
  }
  if (config.tracing.enabled()) {
    const absl::Status collector = CheckListenAddress(config.tracing.endpoint);
    if (!collector.ok()) Add(problems, {"otlp-endpoint"}, collector.message());
  }
}

void CheckTls(const Config& config, Problems& problems) {
  if (config.tls.certificate.empty() && !config.tls.key.empty())
    Add(problems, {"tls-key"}, "needs tls-cert as well");
  if (config.tls.key.empty() && !config.tls.certificate.empty())
    Add(problems, {"tls-cert"}, "needs tls-key as well");
  if (!config.tls.client_ca.empty() && config.tls.certificate.empty())
    Add(problems, {"tls-client-ca"}, "needs tls-cert and tls-key as well");
}

void CheckExposure(const Config& config, Problems& problems) {
  const bool authenticates = config.api_keys.enabled() || !config.tls.client_ca.empty();
  if (authenticates || config.allow_unauthenticated || IsLocalAddress(config.listen)) return;
  if (!CheckListenAddress(config.listen).ok()) return;  // that is said already
  Add(problems, {"listen"},
      absl::StrCat(config.listen,
                   " can be reached from other machines without authentication; set "
                   "api-keys-file or tls-client-ca, or allow-unauthenticated to let everybody in"));
}

void CheckSnapshots(const Config& config, Problems& problems) {
  if (const absl::Status status = config.snapshots.Validate(); !status.ok()) {
    const std::pair<std::string, std::string> option_and_what =
        absl::StrSplit(status.message(), absl::MaxSplits(": ", 1));
    Add(problems, {option_and_what.first}, option_and_what.second);
  }
  if (config.store.read_only && config.snapshots.every_h > 0)
    Add(problems, {"snapshot-every"}, "a server that only reads its bundle takes no snapshots");
}

}  // namespace

std::vector<ConfigProblem> Config::FindProblems() const {
  Problems problems;
  if (store.bundle.empty()) {
    Add(problems, {"bundle"}, "missing; name the directory of a bundle, as in --bundle DIR");
  }
  RangeChecker checker(problems);
  VisitOptions(*this, checker);
  CheckAddresses(*this, problems);
  const std::string& device = store.collection.encoder.device;
  if (!IsDevice(device))
    Add(problems, {"device"}, absl::StrCat("'", device, "' is none of cpu, cuda:N, auto"));
  if (!IsIndexDevice(store.index_device))
    Add(problems, {"index-device"},
        absl::StrCat("'", store.index_device, "' is none of cpu, cuda:N, cuda:N,cuda:M, auto"));
  CheckTls(*this, problems);
  CheckExposure(*this, problems);
  CheckSnapshots(*this, problems);
  return problems;
}

}  // namespace antiphon::server
