// The whole program, apart from main(): so that tests can run it against a server of their own.
// Used by one thread.
#ifndef ANTIPHON_CLIENT_CLIENT_H_
#define ANTIPHON_CLIENT_CLIENT_H_

#include <iosfwd>
#include <string>
#include <vector>

#include "client/output/exit_code.h"

namespace antiphon::client {

// Parses, asks, reports. `arguments` are without the program's name; answers go to `out`,
// complaints to `err`.
ExitCode RunClient(const std::vector<std::string>& arguments, std::istream& in, std::ostream& out,
                   std::ostream& err);

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_CLIENT_H_
