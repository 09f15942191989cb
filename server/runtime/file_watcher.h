// Notices that files have changed, by looking at them every so often: that works on every file
// system, and a second's delay does not matter for what is watched here.
//
// Watch before Start; owns its thread. Belongs to one thread otherwise.
#ifndef ANTIPHON_SERVER_RUNTIME_FILE_WATCHER_H_
#define ANTIPHON_SERVER_RUNTIME_FILE_WATCHER_H_

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "core/base/steady_mutex.h"
#include "server/runtime/small_file.h"

namespace antiphon::server {

class FileWatcher {
 public:
  explicit FileWatcher(absl::Duration period) : period_(period) {}
  ~FileWatcher();  // as Stop

  // Calls `changed`, on the watcher's thread, at the first look (the files may have changed since
  // they were read), and at every look at which one of them is not as it was at the one before,
  // coming and going included.
  void Watch(std::vector<std::string> files, std::function<void()> changed);

  void Start();

  // Returns once nothing is being told any more, nor will be.
  void Stop();

 private:
  struct Group {
    std::vector<std::string> files;
    std::vector<FileStamp> stamps;
    std::function<void()> changed;
  };

  void Run();

  const absl::Duration period_;
  std::vector<Group> groups_;
  SteadyNotification stopped_;
  std::thread thread_;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_RUNTIME_FILE_WATCHER_H_
