// Whether what a program prints has arrived. A full disk or a closed pipe is noticed only when the
// last bytes are written, after everything else has gone well: every program asks here before it
// ends.
//
// For the thread that prints, once no other thread does.
#ifndef ANTIPHON_CORE_BASE_STANDARD_OUTPUT_H_
#define ANTIPHON_CORE_BASE_STANDARD_OUTPUT_H_

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace antiphon {

// Writes out what std::cout and stdout still hold. Unavailable "cannot write standard output: ..."
// when this or anything printed before has failed.
[[nodiscard]] inline absl::Status FlushStandardOutput() {
  const bool failed_before = !std::cout || std::ferror(stdout) != 0;
  std::cout.clear();  // a stream that has failed does not try again, and so cannot say why
  errno = 0;
  std::cout.flush();
  int reason = errno;
  const bool flushed = std::fflush(stdout) == 0;
  if (reason == 0) reason = errno;
  if (std::cout && flushed && !failed_before) return absl::OkStatus();
  // The reason of a failure before has been overwritten, unless it is still one.
  return absl::UnavailableError(absl::StrCat(
      "cannot write standard output: ", reason != 0 ? std::strerror(reason) : "is the disk full?"));
}

}  // namespace antiphon

#endif  // ANTIPHON_CORE_BASE_STANDARD_OUTPUT_H_
