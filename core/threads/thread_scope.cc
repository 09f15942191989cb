#include "core/threads/thread_scope.h"

#include <dlfcn.h>
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "core/threads/cores.h"

namespace antiphon::threads {
namespace {

// Found at run time, since any BLAS may stand behind the library's name; others are left as they
// are.
struct OpenBlas {
  int (*get)() = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "openblas_get_num_threads"));
  void (*set)(int) = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT,
                                                           "openblas_set_num_threads"));
  std::mutex mutex;
  int scopes = 0;   // alive; guarded by mutex
  int threads = 0;  // to restore after the last; guarded by mutex

  bool present() const { return get != nullptr && set != nullptr; }
};

std::atomic<int> g_computing = 0;  // threads with a scope
thread_local int t_scopes = 0;     // of this thread

OpenBlas& Blas() {
  static OpenBlas& blas = *new OpenBlas;
  return blas;
}

// Requires a thread that computes.
int ShareOf(int threads) { return std::max(1, threads / g_computing.load()); }

}  // namespace

ThreadScope::ThreadScope(int threads) : openmp_before_(OpenMpThreads()) {
  if (t_scopes++ == 0) ++g_computing;
  const bool inner = t_scopes > 1;
  if (threads > 0 || !inner)
    omp_set_num_threads(ShareOf(threads > 0 ? threads : std::min(openmp_before_, Cores())));
  OpenBlas& blas = Blas();
  if (!blas.present()) return;
  std::lock_guard lock(blas.mutex);
  if (blas.scopes++ == 0) {
    blas.threads = blas.get();
    blas.set(1);
  }
}

ThreadScope::~ThreadScope() {
  omp_set_num_threads(openmp_before_);
  if (--t_scopes == 0) --g_computing;
  OpenBlas& blas = Blas();
  if (!blas.present()) return;
  std::lock_guard lock(blas.mutex);
  if (--blas.scopes == 0) blas.set(blas.threads);
}

int OpenMpThreads() { return omp_get_max_threads(); }

}  // namespace antiphon::threads
