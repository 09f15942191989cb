// Watches the messages that are on their way in, and gives up those that take too much or too long.
//
// gRPC hands a message over when all of it is there, and until then keeps what has come, whatever
// its sender announced. What a connection has under way is therefore measured from outside: the
// bytes that its socket has received since a message began, less those of the messages that have
// been handed over since. That is an upper bound, the same with TLS and without. A connection that
// cannot be measured (a Unix socket) is bound by time alone, and by gRPC's own quota.
//
// Safe from any thread. Owns its thread.
#ifndef ANTIPHON_SERVER_CALLS_RECEIVE_MONITOR_H_
#define ANTIPHON_SERVER_CALLS_RECEIVE_MONITOR_H_

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "core/base/check_range.h"
#include "core/base/steady_mutex.h"
#include "server/access/caller.h"

namespace antiphon::server {

struct ReceiveOptions {
  static constexpr Range<int> kMibRange = {1, 1 << 20};
  int server_mib = 512;      // under way on all connections together, MiB
  int connection_mib = 128;  // on one connection, MiB
  static constexpr Range<double> kTimeoutRange = {1, 86'400};
  double timeout_s = 120;  // for all of a message to come, once its call has begun, seconds
};

class ReceiveMonitor {
 public:
  // Bytes that the connection of this peer, as gRPC names it, has received so far; nothing where
  // that cannot be told.
  using BytesReceived = std::function<std::optional<int64_t>(const std::string& peer)>;

  // What is told of why a message is given up. Called once at most, from the monitor's thread.
  using GiveUp = std::function<void(const absl::Status& why)>;

  // A message on its way. Whoever holds it ends it before what `give_up` uses goes.
  class Receipt {
   public:
    // The message is there, of so many bytes, or will not come. False when it has been given up
    // before; waits for a give_up under way.
    bool End(int64_t bytes);

   private:
    friend class ReceiveMonitor;
    absl::Mutex mutex_;
    bool ended_ ABSL_GUARDED_BY(mutex_) = false;
    GiveUp give_up_;  // asked once, with the lock held

    // The monitor's, guarded by its mutex.
    ReceiveMonitor* monitor_ = nullptr;
    std::string peer_;
    std::string identity_;
    int64_t quota_bytes_ = 0;  // of the caller
    int64_t max_bytes_ = 0;
    SteadyTime begun_;
    int64_t received_before_ = 0;
    int64_t handed_over_before_ = 0;
    std::list<std::shared_ptr<Receipt>>::iterator place_;
  };

  enum class Limit { kMessage, kConnection, kCaller, kServer, kTime };

  // `on_limit` is told of every message given up or refused. Both functions are called from several
  // threads, with a lock held.
  ReceiveMonitor(const ReceiveOptions& options, BytesReceived bytes_received,
                 std::function<void(Limit)> on_limit);
  ~ReceiveMonitor();

  // A message of at most `max_bytes` begins. ResourceExhausted when the server, or the caller, has
  // as much under way as it may.
  [[nodiscard]] absl::StatusOr<std::shared_ptr<Receipt>> Begin(const std::string& peer,
                                                               const Caller& caller,
                                                               int64_t max_bytes, GiveUp give_up);

  int64_t bytes_under_way() const;  // when it was last measured
  int messages_under_way() const;

 private:
  struct Connection {
    std::list<std::shared_ptr<Receipt>> receipts;
    int64_t handed_over = 0;  // bytes of messages since the first receipt
    int64_t under_way = 0;    // when it was last measured
  };
  struct Victim {
    std::shared_ptr<Receipt> receipt;
    Limit limit;
    absl::Status why;
  };

  void Run();
  std::vector<Victim> Measure() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Shed(std::string_view identity, int64_t bound, Limit limit, const absl::Status& why,
            std::vector<Victim>& victims) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static void AddAll(Connection& connection, Limit limit, const absl::Status& why,
                     std::vector<Victim>& victims);
  int64_t UnderWay(std::string_view identity) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Forget(Receipt& receipt, int64_t bytes);

  const ReceiveOptions options_;
  const BytesReceived bytes_received_;
  const std::function<void(Limit)> on_limit_;
  mutable SteadyMutex mutex_;
  std::map<std::string, Connection> connections_ ABSL_GUARDED_BY(mutex_);  // with receipts
  int messages_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses the members above
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_CALLS_RECEIVE_MONITOR_H_
