#include "server/hot_reload.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/bundle/files.h"
#include "server/runtime/small_file.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
namespace {

constexpr size_t kMaxCurrentBytes = 4096;

std::string CurrentFile(const std::string& bundle) {
  return absl::StrCat(bundle, "/", bundle::kCurrentFile);
}

}  // namespace

bool NamesNewGeneration(const std::string& bundle, const retrieval::Collection& collection) {
  const absl::StatusOr<std::string> text = ReadSmallFile(CurrentFile(bundle), kMaxCurrentBytes);
  if (!text.ok()) return false;
  const std::string name(absl::StripTrailingAsciiWhitespace(*text));
  const std::optional<int64_t> generation = bundle::ParseGenerationName(name);
  if (!generation.has_value() || *generation == collection.manifest().generation) return false;
  const std::vector<std::string>& refused = collection.rejected_generations();
  return std::none_of(refused.begin(), refused.end(),
                      [&](const std::string& reason) { return reason.starts_with(name + ":"); });
}

HotReload::HotReload(const HotReloadOptions& options, std::string bundle, Store& store,
                     Authenticator* keys, TlsIdentity* tls, Metrics& metrics)
    : bundle_(std::move(bundle)),
      store_(store),
      keys_(keys),
      tls_(tls),
      metrics_(metrics),
      reloader_([this](const std::string& why) { ReloadCollection(why); }),
      watcher_(options.period) {
  if (options.watch_current) {
    watcher_.Watch({CurrentFile(bundle_)}, [this] { ReloadCollectionIfNew(); });
  }
  if (keys_ != nullptr) watcher_.Watch({keys_->file()}, [this] { ReloadKeys(); });
  if (tls_ != nullptr) {
    const TlsFiles& tls_files = tls_->files();
    std::vector<std::string> files = {tls_files.certificate, tls_files.key};
    if (!tls_files.client_ca.empty()) files.push_back(tls_files.client_ca);
    watcher_.Watch(std::move(files), [this] { ReloadCertificate(); });
  }
  watcher_.Start();
}

HotReload::~HotReload() { Stop(); }

void HotReload::Stop() {
  watcher_.Stop();
  reloader_.Stop();
}

void HotReload::ReloadAll(const std::string& why) {
  spdlog::info("{}: reloading", why);
  if (keys_ != nullptr) ReloadKeys();
  if (tls_ != nullptr) ReloadCertificate();
  reloader_.Request(why);
}

void HotReload::ReloadCollectionIfNew() {
  // A merge, a reload or a restore asked for by a caller changes CURRENT, too.
  if (NamesNewGeneration(bundle_, *store_.Current())) reloader_.Request("CURRENT has changed");
}

void HotReload::ReloadCollection(const std::string& why) {
  const auto reloaded = store_.Reload();
  if (!reloaded.ok()) {
    spdlog::error("{}: the collection was not reloaded, and generation {} serves on: {}", why,
                  store_.Current()->manifest().generation,
                  std::string(reloaded.status().message()));
    return;
  }
  for (const std::string& reason : reloaded->rejected_generations)
    spdlog::error("generation refused: {}", reason);
  spdlog::info("{}: generation {} serves, after {}", why, reloaded->generation,
               reloaded->previous_generation);
}

void HotReload::ReloadKeys() {
  const absl::Status status = keys_->Reload();
  metrics_.RecordReload(Metrics::Reloaded::kKeys, status);
  if (status.ok()) {
    spdlog::info("{} API keys are in force", keys_->keys());
  } else {
    spdlog::error("api-keys-file: {}; the {} keys before stay in force",
                  std::string(status.message()), keys_->keys());
  }
}

void HotReload::ReloadCertificate() {
  const absl::Status status = tls_->Reload();
  metrics_.RecordReload(Metrics::Reloaded::kCertificate, status);
  const std::string expires =
      absl::FormatTime(absl::RFC3339_sec, tls_->expires(), absl::UTCTimeZone());
  if (status.ok()) {
    spdlog::info("the certificate in force expires on {}", expires);
  } else {
    spdlog::error("{}; the certificate before, which expires on {}, stays in force",
                  std::string(status.message()), expires);
  }
}

}  // namespace antiphon::server
