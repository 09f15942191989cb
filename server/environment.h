// What the environment says of the options, and what in it looks as if it were meant to.
//
// A misspelt variable must not pass for none: without ANTIPHON_API_KEYS_FILE a server asks nobody
// for a key. Stateless; safe from any thread.
#ifndef ANTIPHON_SERVER_ENVIRONMENT_H_
#define ANTIPHON_SERVER_ENVIRONMENT_H_

#include <optional>
#include <string>
#include <vector>

#include "server/settings.h"

namespace antiphon::server {

struct Environment {
  std::vector<Setting> settings;
  std::optional<std::string> config_file;  // that ANTIPHON_CONFIG names
  std::vector<std::string> problems;       // variables that nearly have the name of an option's
  std::vector<std::string> warnings;       // other ANTIPHON_ variables that nothing reads
};

// Of "NAME=value" entries; of two with one name the first counts, as everywhere else. An empty
// variable is one that is not set. Passed over without a word are variables of the client, the
// scripts, the build and the tests, and those that Kubernetes gives every container for services
// whose names begin with "antiphon".
Environment ReadEnvironment(const std::vector<std::string>& entries);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_ENVIRONMENT_H_
