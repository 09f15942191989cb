// What the operating system knows about this process. Stateless; safe from any thread.
#ifndef ANTIPHON_SERVER_TELEMETRY_PROCESS_STATS_H_
#define ANTIPHON_SERVER_TELEMETRY_PROCESS_STATS_H_

#include <cstdint>

namespace antiphon::server {

// A number that cannot be told is 0.
struct ProcessStats {
  int64_t resident_bytes = 0;  // memory that is in RAM
  int64_t virtual_bytes = 0;   // memory that is mapped
  double cpu_s = 0;            // seconds of all threads, in user and in system mode
  double start_time_s = 0;     // seconds since 1970
  int open_descriptors = 0;
  int64_t max_descriptors = 0;  // the soft limit
  int threads = 0;
};

ProcessStats ReadProcessStats();

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_TELEMETRY_PROCESS_STATS_H_
