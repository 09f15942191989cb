// Does one thing on a thread of its own when asked to, never twice at once. Safe from any thread.
#ifndef ANTIPHON_SERVER_SERVING_RELOADER_H_
#define ANTIPHON_SERVER_SERVING_RELOADER_H_

#include <functional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace antiphon::server {

class Reloader {
 public:
  // `reload` is told why, and must not throw.
  explicit Reloader(std::function<void(const std::string& why)> reload);
  ~Reloader();  // waits for one under way

  // Begins nothing more, and waits for nothing.
  void Stop();

  // Has it done soon: after the one under way, if any. Several requests that wait are one, for the
  // reason of the last.
  void Request(std::string why);

 private:
  void Run();

  const std::function<void(const std::string&)> reload_;
  absl::Mutex mutex_;
  bool requested_ ABSL_GUARDED_BY(mutex_) = false;
  std::string why_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses the members above
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVING_RELOADER_H_
