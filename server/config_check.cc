#include "server/config_check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/bundle/bundle.h"
#include "server/access/api_keys.h"
#include "server/access/tls.h"
#include "server/runtime/small_file.h"

namespace antiphon::server {
namespace {

using Problems = std::vector<ConfigProblem>;

void Add(Problems& problems, const std::string& option, const std::string& path,
         absl::string_view what) {
  problems.push_back({absl::StrCat(option, ": ", path, ": ", what), {option}});
}

void CheckBundle(const std::string& path, Problems& problems) {
  if (path.empty()) return;
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0) return Add(problems, "bundle", path, std::strerror(errno));
  if (!S_ISDIR(facts.st_mode)) return Add(problems, "bundle", path, "is no directory");
  const auto current = bundle::CurrentGeneration(path);
  if (!current.ok()) Add(problems, "bundle", path, current.status().message());
}

void CheckApiKeys(const std::string& path, Problems& problems) {
  if (path.empty()) return;
  const absl::StatusOr<std::string> text = ReadSmallFile(path, kMaxKeyFileBytes);
  if (!text.ok()) return Add(problems, "api-keys-file", path, text.status().message());
  const auto keys = ParseApiKeys(*text);
  if (!keys.ok()) Add(problems, "api-keys-file", path, keys.status().message());
}

void CheckTls(const TlsFiles& tls, Problems& problems) {
  std::vector<std::string> given;
  bool readable = true;
  for (const auto& [option, path] :
       {std::pair<std::string, std::string>("tls-cert", tls.certificate),
        {"tls-key", tls.key},
        {"tls-client-ca", tls.client_ca}}) {
    if (path.empty()) continue;
    given.push_back(option);
    const absl::Status read = ReadSmallFile(path, kMaxPemBytes).status();
    readable &= read.ok();
    if (!read.ok()) Add(problems, option, path, read.message());
  }
  if (!readable || tls.certificate.empty() || tls.key.empty()) return;
  const absl::Status opened = TlsIdentity::Open(tls).status();
  if (!opened.ok()) problems.push_back({std::string(opened.message()), given});
}

}  // namespace

std::vector<ConfigProblem> FindFileProblems(const Config& config) {
  Problems problems;
  CheckBundle(config.store.bundle, problems);
  if (const absl::Status snapshots = TrySnapshotDirectory(config.snapshots.directory);
      !snapshots.ok()) {
    problems.push_back({std::string(snapshots.message()), {"snapshot-dir"}});
  }
  CheckTls(config.tls, problems);
  CheckApiKeys(config.api_keys.keys_file, problems);
  return problems;
}

absl::Status TrySnapshotDirectory(const std::string& directory) {
  if (directory.empty()) return absl::OkStatus();
  const auto refuse = [&directory](absl::string_view what) {
    return absl::FailedPreconditionError(absl::StrCat("snapshot-dir: ", directory, ": ", what));
  };
  struct stat facts {};
  if (stat(directory.c_str(), &facts) != 0) return refuse(std::strerror(errno));
  if (!S_ISDIR(facts.st_mode)) return refuse("is no directory");
  std::string name = directory + "/.check-XXXXXX";
  const int file = mkostemp(name.data(), O_CLOEXEC);
  if (file < 0) return refuse(absl::StrCat("cannot be written to: ", std::strerror(errno)));
  close(file);
  if (unlink(name.c_str()) != 0)
    return refuse(absl::StrCat("cannot be written to: ", std::strerror(errno)));
  return absl::OkStatus();
}

}  // namespace antiphon::server
