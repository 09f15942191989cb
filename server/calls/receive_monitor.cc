// A receipt is in the list of its connection until it ends or is given up. Whatever is done with
// the monitor's lock held is short; what is given up is told so without it, under the receipt's own
// lock, which orders it against the end of the message on gRPC's thread.
#include "server/calls/receive_monitor.h"

#include <malloc.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/wire/status_map.h"

namespace antiphon::server {
namespace {

constexpr absl::Duration kPeriod = absl::Milliseconds(100);
constexpr absl::Duration kTrimDelay = absl::Seconds(1);

// What a connection carries beside messages: frames, TLS records, headers, pings.
constexpr double kOverhead = 1.05;
constexpr int64_t kOverheadBytes = 1 << 20;

int64_t Mib(int64_t mib) { return mib << 20; }

}  // namespace

bool ReceiveMonitor::Receipt::End(int64_t bytes) {
  {
    absl::MutexLock lock(&mutex_);
    if (ended_) return false;
    ended_ = true;
  }
  monitor_->Forget(*this, bytes);
  return true;
}

ReceiveMonitor::ReceiveMonitor(const ReceiveOptions& options, BytesReceived bytes_received,
                               std::function<void(Limit)> on_limit)
    : options_(options),
      bytes_received_(std::move(bytes_received)),
      on_limit_(std::move(on_limit)),
      thread_([this] { Run(); }) {}

ReceiveMonitor::~ReceiveMonitor() {
  {
    SteadyMutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

absl::StatusOr<std::shared_ptr<ReceiveMonitor::Receipt>> ReceiveMonitor::Begin(
    const std::string& peer, const Caller& caller, int64_t max_bytes, GiveUp give_up) {
  auto receipt = std::make_shared<Receipt>();
  receipt->give_up_ = std::move(give_up);
  receipt->monitor_ = this;
  receipt->peer_ = peer;
  receipt->identity_ = caller.identity();
  receipt->quota_bytes_ = Mib(caller.quota.mib);
  receipt->max_bytes_ = max_bytes;
  receipt->begun_ = SteadyNow();
  receipt->received_before_ = bytes_received_(peer).value_or(0);

  SteadyMutexLock lock(&mutex_);
  if (UnderWay("") >= Mib(options_.server_mib)) {
    on_limit_(Limit::kServer);
    return absl::ResourceExhaustedError(absl::StrCat(
        "the server is busy: requests of ", options_.server_mib, " MiB are on their way already"));
  }
  if (!receipt->identity_.empty() && UnderWay(receipt->identity_) >= receipt->quota_bytes_) {
    on_limit_(Limit::kCaller);
    return absl::ResourceExhaustedError(absl::StrCat(
        receipt->identity_, " has requests of ", caller.quota.mib, " MiB on their way already"));
  }
  Connection& connection = connections_[peer];
  receipt->handed_over_before_ = connection.handed_over;
  receipt->place_ = connection.receipts.insert(connection.receipts.end(), receipt);
  ++messages_;
  return receipt;
}

void ReceiveMonitor::Forget(Receipt& receipt, int64_t bytes) {
  SteadyMutexLock lock(&mutex_);
  const auto found = connections_.find(receipt.peer_);
  if (found == connections_.end() || receipt.max_bytes_ == 0) return;
  receipt.max_bytes_ = 0;  // it is in no list any more
  found->second.receipts.erase(receipt.place_);
  found->second.handed_over += bytes;
  --messages_;
  if (found->second.receipts.empty()) connections_.erase(found);
}

int64_t ReceiveMonitor::UnderWay(std::string_view identity) const {
  int64_t bytes = 0;
  for (const auto& [peer, connection] : connections_) {
    const bool counts = identity.empty() || connection.receipts.front()->identity_ == identity;
    if (counts) bytes += connection.under_way;
  }
  return bytes;
}

void ReceiveMonitor::Run() {
  SteadyTime next = SteadyNow();
  SteadyTime trim_at = kNever;
  while (true) {
    std::vector<Victim> victims;
    {
      SteadyMutexLock lock(&mutex_);
      const auto is_stopping = [this] {
        mutex_.AssertHeld();
        return stopping_;
      };
      if (mutex_.AwaitUntil(next, is_stopping)) return;
      // At rest nobody is woken up ten times a second.
      mutex_.AwaitUntil(trim_at, [this] {
        mutex_.AssertHeld();
        return stopping_ || messages_ > 0;
      });
      if (stopping_) return;
      victims = Measure();
    }
    for (const Victim& victim : victims) {
      absl::MutexLock lock(&victim.receipt->mutex_);
      if (victim.receipt->ended_) continue;
      victim.receipt->ended_ = true;
      on_limit_(victim.limit);
      victim.receipt->give_up_(victim.why);
    }
    // What is given up is freed, and the C library would keep it.
    if (!victims.empty() && trim_at == kNever) trim_at = After(kTrimDelay);
    if (SteadyNow() >= trim_at) {
      malloc_trim(0);
      trim_at = kNever;
    }
    next = After(kPeriod);
  }
}

std::vector<ReceiveMonitor::Victim> ReceiveMonitor::Measure() {
  std::vector<Victim> victims;
  const SteadyTime now = SteadyNow();
  const absl::Status too_slow = absl::DeadlineExceededError(
      absl::StrCat("the request had not arrived after ", options_.timeout_s, " s"));
  for (auto& [peer, connection] : connections_) {
    const int64_t received = bytes_received_(peer).value_or(0);
    int64_t allowed = 0;
    connection.under_way = 0;
    for (const std::shared_ptr<Receipt>& receipt : connection.receipts) {
      const int64_t since = received - receipt->received_before_ -
                            (connection.handed_over - receipt->handed_over_before_);
      connection.under_way = std::max(connection.under_way, since);
      allowed += receipt->max_bytes_;
      if (Between(receipt->begun_, now) > absl::Seconds(options_.timeout_s))
        victims.push_back({receipt, Limit::kTime, too_slow});
    }
    const int64_t bound = std::min(allowed, Mib(options_.connection_mib));
    if (static_cast<double>(connection.under_way - kOverheadBytes) <=
        kOverhead * static_cast<double>(bound)) {
      continue;
    }
    if (allowed <= Mib(options_.connection_mib)) {
      AddAll(connection, Limit::kMessage,
             FieldError(absl::StatusCode::kResourceExhausted, "request", "is too large",
                        absl::StrCat("up to ", connection.receipts.front()->max_bytes_, " bytes")),
             victims);
    } else {
      AddAll(connection, Limit::kConnection,
             absl::ResourceExhaustedError(absl::StrCat(
                 "this connection has requests of ", options_.connection_mib, " MiB on their way")),
             victims);
    }
  }
  std::map<std::string, int64_t> callers;  // and their quotas
  for (const auto& [peer, connection] : connections_)
    callers[connection.receipts.front()->identity_] = connection.receipts.front()->quota_bytes_;
  callers.erase("");
  for (const auto& [identity, quota] : callers) {
    Shed(identity, quota, Limit::kCaller,
         absl::ResourceExhaustedError(
             absl::StrCat(identity, " has requests of ", quota >> 20, " MiB on their way")),
         victims);
  }
  Shed("", Mib(options_.server_mib), Limit::kServer,
       absl::ResourceExhaustedError(absl::StrCat("the server is busy: requests of ",
                                                 options_.server_mib, " MiB are on their way")),
       victims);
  for (const Victim& victim : victims) {
    Receipt& receipt = *victim.receipt;
    if (receipt.max_bytes_ == 0) continue;  // a victim twice over
    receipt.max_bytes_ = 0;
    const auto found = connections_.find(receipt.peer_);
    found->second.receipts.erase(receipt.place_);
    --messages_;
    if (found->second.receipts.empty()) connections_.erase(found);
  }
  return victims;
}

// Gives up the largest connections, of the caller or of all, until the rest is within the bound.
void ReceiveMonitor::Shed(std::string_view identity, int64_t bound, Limit limit,
                          const absl::Status& why, std::vector<Victim>& victims) {
  while (UnderWay(identity) > bound) {
    Connection* largest = nullptr;
    for (auto& [peer, connection] : connections_) {
      if (!identity.empty() && connection.receipts.front()->identity_ != identity) continue;
      if (largest == nullptr || connection.under_way > largest->under_way) largest = &connection;
    }
    AddAll(*largest, limit, why, victims);
  }
}

void ReceiveMonitor::AddAll(Connection& connection, Limit limit, const absl::Status& why,
                            std::vector<Victim>& victims) {
  for (const std::shared_ptr<Receipt>& receipt : connection.receipts)
    victims.push_back({receipt, limit, why});
  connection.under_way = 0;
}

int64_t ReceiveMonitor::bytes_under_way() const {
  SteadyMutexLock lock(&mutex_);
  return UnderWay("");
}

int ReceiveMonitor::messages_under_way() const {
  SteadyMutexLock lock(&mutex_);
  return messages_;
}

}  // namespace antiphon::server
