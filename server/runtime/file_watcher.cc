#include "server/runtime/file_watcher.h"

#include <utility>

namespace antiphon::server {
namespace {

std::vector<FileStamp> StampsOf(const std::vector<std::string>& files) {
  std::vector<FileStamp> stamps;
  stamps.reserve(files.size());
  for (const std::string& file : files) stamps.push_back(StampOf(file));
  return stamps;
}

}  // namespace

FileWatcher::~FileWatcher() { Stop(); }

void FileWatcher::Stop() {
  if (!stopped_.HasBeenNotified()) stopped_.Notify();
  if (thread_.joinable()) thread_.join();
}

void FileWatcher::Watch(std::vector<std::string> files, std::function<void()> changed) {
  groups_.push_back({std::move(files), {}, std::move(changed)});
}

void FileWatcher::Start() {
  thread_ = std::thread([this] { Run(); });
}

void FileWatcher::Run() {
  while (!stopped_.WaitUntil(After(period_))) {
    for (Group& group : groups_) {
      std::vector<FileStamp> stamps = StampsOf(group.files);
      if (stamps == group.stamps) continue;
      group.stamps = std::move(stamps);
      group.changed();
    }
  }
}

}  // namespace antiphon::server
