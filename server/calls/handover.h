// Orders what one thread has done with a call before what another does, for those who cannot see
// how gRPC orders StartRead() before OnReadDone() and Finish() before OnDone(): it does so inside
// its library, where ThreadSanitizer does not look. Safe from any thread.
#ifndef ANTIPHON_SERVER_CALLS_HANDOVER_H_
#define ANTIPHON_SERVER_CALLS_HANDOVER_H_

#include <atomic>

namespace antiphon::server {

class Handover {
 public:
  void Give() { times_.fetch_add(1, std::memory_order_release); }  // the last thing before
  void Take() { (void)times_.load(std::memory_order_acquire); }    // the first thing after

 private:
  std::atomic<int> times_ = 0;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_CALLS_HANDOVER_H_
