#include "core/threads/thread_scope.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <thread>

#include "core/threads/cores.h"

namespace antiphon::threads {
namespace {

// Loaded for all tests and never unloaded: ThreadScope looks for OpenBLAS once.
void* OpenBlas() {
  static void* const library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_GLOBAL);
  return library;
}

TEST(ThreadScopeTest, OpenBlasComputesInTheCallingThreadWhileAnyScopeLives) {
  if (OpenBlas() == nullptr) GTEST_SKIP() << "no OpenBLAS here: " << dlerror();
  const auto get = reinterpret_cast<int (*)()>(dlsym(OpenBlas(), "openblas_get_num_threads"));
  const auto set = reinterpret_cast<void (*)(int)>(dlsym(OpenBlas(), "openblas_set_num_threads"));
  set(2);
  {
    const ThreadScope outer(0);
    EXPECT_EQ(get(), 1);
    std::thread([] { const ThreadScope inner(0); }).join();
    EXPECT_EQ(get(), 1);
  }
  EXPECT_EQ(get(), 2);
}

TEST(ThreadScopeTest, OpenMpThreadsAreOfTheCallingThreadAndRestored) {
  OpenBlas();
  omp_set_num_threads(5);
  {
    const ThreadScope scope(3);
    EXPECT_EQ(OpenMpThreads(), 3);
  }
  EXPECT_EQ(OpenMpThreads(), 5);
  {
    const ThreadScope scope(0);
    EXPECT_EQ(OpenMpThreads(), std::min(5, Cores()));
    omp_set_num_threads(4);
  }
  EXPECT_EQ(OpenMpThreads(), 5);
}

TEST(ThreadScopeTest, ThreadsAreDividedAmongThoseThatCompute) {
  OpenBlas();
  omp_set_num_threads(4);
  {
    const ThreadScope outer(0);
    EXPECT_EQ(OpenMpThreads(), std::min(4, Cores()));
    const ThreadScope inner(6);  // of the same thread, which counts once
    EXPECT_EQ(OpenMpThreads(), 6);
    std::thread([] {
      omp_set_num_threads(4);
      const ThreadScope second(4);
      EXPECT_EQ(OpenMpThreads(), 2);
      std::thread([] {
        const ThreadScope third(2);
        EXPECT_EQ(OpenMpThreads(), 1);
      }).join();
    }).join();
  }
  EXPECT_EQ(OpenMpThreads(), 4);
  const ThreadScope alone(0);
  EXPECT_EQ(OpenMpThreads(), std::min(4, Cores()));
}

}  // namespace
}  // namespace antiphon::threads
