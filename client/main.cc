// antiphon: the command line client of antiphon-server.

#include <iostream>
#include <string>
#include <vector>

#include "client/client.h"

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  // Sound is read by one thread while another writes answers: reading must not flush what is being
  // written.
  std::cin.tie(nullptr);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return static_cast<int>(antiphon::client::RunClient(arguments, std::cin, std::cout, std::cerr));
}
