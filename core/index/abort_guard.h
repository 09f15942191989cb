// Survives the abort() of a library.
//
// FAISS checks what CUDA's calls return with assertions that abort the process: a GPU that falls
// off the bus would take the server with it. POSIX lets a handler of SIGABRT leave abort() by
// siglongjmp, which is what happens here.
//
// What the function held stays as it is: its destructors do not run, its locks stay locked, its
// memory is lost. So call only what works on objects that are then never touched again, and take
// locks outside. Internal to core/index. Safe from any thread; a guard acts in its own thread only.
#ifndef ANTIPHON_CORE_INDEX_ABORT_GUARD_H_
#define ANTIPHON_CORE_INDEX_ABORT_GUARD_H_

#include <functional>

namespace antiphon::index {

// Calls a function that may abort(); true when it returned, false when it was left that way.
// Exceptions come through. The first call installs a handler of SIGABRT, which passes other aborts
// on to the one that was there before.
[[nodiscard]] bool RunsWithoutAbort(const std::function<void()>& function);

}  // namespace antiphon::index

#endif  // ANTIPHON_CORE_INDEX_ABORT_GUARD_H_
