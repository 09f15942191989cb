// antiphon: the command line client of antiphon-server.

#include <iostream>
#include <string>
#include <vector>

#include "client/client.h"
#include "core/base/standard_output.h"

using antiphon::client::ExitCode;

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  // Sound is read by one thread while another writes answers: reading must not flush what is being
  // written.
  std::cin.tie(nullptr);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  ExitCode code = antiphon::client::RunClient(arguments, std::cin, std::cout, std::cerr);
  if (const absl::Status printed = antiphon::FlushStandardOutput(); !printed.ok()) {
    std::cerr << "antiphon: " << printed.message() << "\n";
    code = antiphon::client::Worse(code, ExitCode::kBadInput);
  }
  return static_cast<int>(code);
}
