// Whether the files and directories that a configuration names are there and good: what a start
// would find out, without serving. Stateless; safe from any thread.
#ifndef ANTIPHON_SERVER_CONFIG_CHECK_H_
#define ANTIPHON_SERVER_CONFIG_CHECK_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/config.h"

namespace antiphon::server {

// Everything that is wrong with them. Nothing is written, but for a file that is made in the
// directory of snapshots and removed again.
std::vector<ConfigProblem> FindFileProblems(const Config& config);

// FailedPrecondition, naming the option and the directory, unless snapshots can be written there;
// OK where no directory is given. Makes a file in it and removes it.
[[nodiscard]] absl::Status TrySnapshotDirectory(const std::string& directory);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_CONFIG_CHECK_H_
