// How many threads FAISS, LibTorch and the BLAS below both may use during one call.
#ifndef ANTIPHON_CORE_THREADS_THREAD_SCOPE_H_
#define ANTIPHON_CORE_THREADS_THREAD_SCOPE_H_

#include <optional>

namespace antiphon::threads {

// While it lives: OpenMP regions started by the calling thread use `threads` threads (0 leaves that
// alone), and OpenBLAS computes in the thread that calls it.
//
// The latter is process-wide while any scope lives, and restored after the last. FAISS divides the
// work among OpenMP threads, the encoders among threads of their own; OpenBLAS dividing it again
// makes spinning threads fight for the cores: on 2 cores a search of 64 queries among 1M x 64
// floats was seen to take 5.7 s in place of 0.12 s, and indexing beside other work a fifth longer.
//
// Made and destroyed on one thread; safe beside others.
class ThreadScope {
 public:
  explicit ThreadScope(int threads);
  ~ThreadScope();
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  std::optional<int> openmp_before_;  // where it was changed
};

// Threads that an OpenMP region started by the calling thread may use, at least 1.
int OpenMpThreads();

}  // namespace antiphon::threads

#endif  // ANTIPHON_CORE_THREADS_THREAD_SCOPE_H_
