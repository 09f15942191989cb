// How many threads FAISS, LibTorch and the BLAS below both may use during one call: the cores are
// divided among the calls that compute.
#ifndef ANTIPHON_CORE_THREADS_THREAD_SCOPE_H_
#define ANTIPHON_CORE_THREADS_THREAD_SCOPE_H_

namespace antiphon::threads {

// While it lives, the calling thread counts as one that computes. OpenMP regions that it starts use
// its share of `threads` threads (0: of as many as they would use otherwise, at most Cores()), and
// OpenBLAS computes in the thread that calls it.
//
// The last is process-wide while any scope lives, and restored after the last. FAISS divides the
// work among OpenMP threads, the encoders among threads of their own; OpenBLAS dividing it again
// makes spinning threads fight for the cores: on 2 cores a search of 64 queries among 1M x 64
// floats was seen to take 5.7 s in place of 0.12 s, and indexing beside other work a fifth longer.
//
// Made and destroyed on one thread; safe beside others. Of scopes within one another on a thread
// the outermost counts.
class ThreadScope {
 public:
  explicit ThreadScope(int threads);
  ~ThreadScope();
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  const int openmp_before_;
};

// Threads that an OpenMP region started by the calling thread may use, at least 1.
int OpenMpThreads();

}  // namespace antiphon::threads

#endif  // ANTIPHON_CORE_THREADS_THREAD_SCOPE_H_
