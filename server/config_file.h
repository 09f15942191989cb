// The configuration as a TOML file: options named as the flags without the dashes, each given a
// value at the top of the file.
//
//   bundle = "/var/lib/antiphon/bundle"
//   workers = 8
//
// An adapter of toml++. Stateless; safe from any thread.
#ifndef ANTIPHON_SERVER_CONFIG_FILE_H_
#define ANTIPHON_SERVER_CONFIG_FILE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/config.h"
#include "server/settings.h"

namespace antiphon::server {

inline constexpr size_t kMaxConfigFileBytes = 1 << 20;

// What a file says, in its order; the origins are "PATH:LINE:COLUMN". That the names are options
// and the values theirs is the caller's to check. InvalidArgument with the place of the first fault
// when the text is no TOML, or the file cannot be read or has more than kMaxConfigFileBytes.
[[nodiscard]] absl::StatusOr<std::vector<Setting>> ReadConfigFile(const std::string& path);

// The same of a text; `path` is only named.
[[nodiscard]] absl::StatusOr<std::vector<Setting>> ParseConfigFile(absl::string_view text,
                                                                   const std::string& path);

// All options as a file that reads back the same: each with its meaning and, where it has one, its
// origin as comments. InvalidArgument, naming the option, for text that is no UTF-8, which TOML
// cannot hold.
[[nodiscard]] absl::StatusOr<std::string> WriteConfigFile(
    const Config& config, const std::map<std::string, std::string>& origins);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_CONFIG_FILE_H_
