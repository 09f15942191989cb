// Lets ThreadSanitizer see where a parallel region of OpenMP begins and ends.
//
// GNU's library is not instrumented: what threads of a region wrote would look unordered to whoever
// reads it after the region. This source, linked into each program of the preset `tsan`, takes the
// place of the function that runs a region, calls it and says that all threads begin after the
// caller and end before it.
#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>

namespace {

struct Region {
  void (*function)(void*);
  void* data;
};

void RunPart(void* argument) {
  __tsan_acquire(argument);
  const Region& region = *static_cast<const Region*>(argument);
  region.function(region.data);
  __tsan_release(argument);
}

}  // namespace

extern "C" void GOMP_parallel(void (*function)(void*), void* data, unsigned threads,
                              unsigned flags) {
  using Parallel = void (*)(void (*)(void*), void*, unsigned, unsigned);
  static const auto library = reinterpret_cast<Parallel>(dlsym(RTLD_NEXT, "GOMP_parallel"));
  Region region = {function, data};
  __tsan_release(&region);
  library(RunPart, &region, threads, flags);
  __tsan_acquire(&region);
}
