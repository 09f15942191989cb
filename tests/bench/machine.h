// The machine that a figure is from. Stateless; safe from any thread.
#ifndef ANTIPHON_TESTS_BENCH_MACHINE_H_
#define ANTIPHON_TESTS_BENCH_MACHINE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace antiphon::bench {

struct Machine {
  std::string cpu;                  // the model's name
  int cores = 0;                    // that this process may use
  std::vector<std::string> vector;  // its vector instructions: avx2, avx512f, amx_int8, ...
  int64_t memory_bytes = 0;
};

// This one.
Machine ThisMachine();

// Of the text of /proc/cpuinfo: `cpu` and `vector`; empty where it does not say.
Machine MachineOf(absl::string_view cpuinfo);

}  // namespace antiphon::bench

#endif  // ANTIPHON_TESTS_BENCH_MACHINE_H_
