// Takes connections and hands them on, whatever happens.
//
// gRPC's own listener (1.51) stops for good at the first connection for which there is no
// descriptor, and nobody notices. This one leaves room for everything else that needs descriptors,
// closes at once what is beyond that, and goes on. It also knows the sockets of the connections:
// how much each has received, which gRPC does not tell.
//
// Safe from any thread. Owns its thread and its listening sockets; connections belong to whom they
// are handed to.
#ifndef ANTIPHON_SERVER_TRANSPORT_LISTENER_H_
#define ANTIPHON_SERVER_TRANSPORT_LISTENER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "core/base/descriptor.h"
#include "core/base/steady_time.h"
#include "server/runtime/listen_address.h"
#include "server/runtime/listening_sockets.h"

namespace antiphon::server {

class Listener {
 public:
  // Listens (listening_sockets.h), and takes no connection yet. A Unix socket is claimed first
  // (listen_address.h), and one that a dead server left behind is replaced. Connections get
  // descriptors below `max_descriptor` only.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Listener>> Open(const std::string& address,
                                                                      int64_t max_descriptor);
  ~Listener();  // as Stop

  // From now on `accepted` is given every connection, non-blocking, and the socket that it came by.
  // Called on the listener's thread. Once.
  void Start(std::function<void(int connection, int listener)> accepted);

  // Returns when no more connections are taken. The sockets are closed, and gone.
  void Stop();

  // From now on nothing more is read from the connections that there are: what comes stays in the
  // kernel. What is written to them goes out as before. (Unix sockets go on being read, and are not
  // counted.) Returns how many there are.
  int StopReading();

  // Bytes that the connection of a peer has received so far. `peer` is as gRPC names it, such as
  // "ipv4:127.0.0.1:50123". Nothing for a connection that is not there any more, or not TCP.
  std::optional<int64_t> BytesReceived(const std::string& peer) const;

  int port() const { return port_; }  // 0 for a Unix socket
  int64_t accepted() const;
  int64_t refused() const;  // for lack of descriptors

 private:
  Listener(ListeningSockets listening, std::unique_ptr<SocketClaim> claim, std::string path,
           Descriptor wake_read, Descriptor wake_write, int64_t max_descriptor);

  void Run();
  void Accept(int listener);
  void Refuse(const char* why);
  // That the descriptor is still the connection of this peer; gRPC closes it when it likes.
  static bool IsStill(int descriptor, const std::string& peer);

  const std::unique_ptr<SocketClaim> claim_;
  const std::string path_;  // of a Unix socket; empty for any other
  ListeningSockets listening_;
  const int port_;
  const Descriptor wake_read_;
  Descriptor wake_write_;
  const int64_t max_descriptor_;
  std::function<void(int connection, int listener)> accepted_;
  SteadyTime said_ = SteadyTime::min();  // of the thread: when a refusal was last logged

  mutable absl::Mutex mutex_;
  std::map<std::string, int> descriptors_ ABSL_GUARDED_BY(mutex_);  // by peer
  std::map<int, std::string> peers_ ABSL_GUARDED_BY(mutex_);        // by descriptor
  int64_t taken_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t refused_ ABSL_GUARDED_BY(mutex_) = 0;
  std::thread thread_;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_TRANSPORT_LISTENER_H_
