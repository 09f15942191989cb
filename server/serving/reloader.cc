#include "server/serving/reloader.h"

#include <utility>

namespace antiphon::server {

Reloader::Reloader(std::function<void(const std::string& why)> reload)
    : reload_(std::move(reload)), thread_([this] { Run(); }) {}

Reloader::~Reloader() {
  Stop();
  thread_.join();
}

void Reloader::Stop() {
  absl::MutexLock lock(&mutex_);
  stopping_ = true;
}

void Reloader::Request(std::string why) {
  absl::MutexLock lock(&mutex_);
  requested_ = true;
  why_ = std::move(why);
}

void Reloader::Run() {
  while (true) {
    std::string why;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(
          +[](Reloader* self) ABSL_EXCLUSIVE_LOCKS_REQUIRED(self->mutex_) {
            return self->requested_ || self->stopping_;
          },
          this));
      if (stopping_) return;
      requested_ = false;
      why = std::exchange(why_, "");
    }
    reload_(why);
  }
}

}  // namespace antiphon::server
