// How many threads FAISS and the BLAS below it may use during one call.
#ifndef ANTIPHON_CORE_INDEX_THREADS_H_
#define ANTIPHON_CORE_INDEX_THREADS_H_

namespace antiphon::index {

// While it lives: OpenMP regions started by the calling thread use `threads` threads (0 leaves its choice), and
// OpenBLAS computes in the thread that calls it.
//
// The latter is process-wide while any scope lives, and restored after the last. FAISS already divides the work among
// OpenMP threads; OpenBLAS dividing it again among its own makes the two sets of spinning threads fight for the cores:
// on 2 cores a search of 64 queries among 1M x 64 floats was seen to take 5.7 s in place of 0.12 s.
class ThreadScope {
 public:
  explicit ThreadScope(int threads);
  ~ThreadScope();
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  int openmp_before_;
};

}  // namespace antiphon::index

#endif  // ANTIPHON_CORE_INDEX_THREADS_H_
