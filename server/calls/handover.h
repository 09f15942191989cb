// Orders what one thread has done with a call before what another does, for those who cannot see
// how gRPC orders Finish() before OnDone(): it does so inside its library, where ThreadSanitizer
// does not look. Safe from any thread.
#ifndef ANTIPHON_SERVER_CALLS_HANDOVER_H_
#define ANTIPHON_SERVER_CALLS_HANDOVER_H_

#include <atomic>

namespace antiphon::server {

class Handover {
 public:
  void Give() { given_.store(true, std::memory_order_release); }  // the last thing before Finish()
  void Take() { (void)given_.load(std::memory_order_acquire); }   // the first in OnDone()

 private:
  std::atomic<bool> given_ = false;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_CALLS_HANDOVER_H_
