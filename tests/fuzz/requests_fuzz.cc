// Every method of the API, with messages of any kind, through the real services; the collection
// behind them is made up.
#include <memory>

#include "server/server.h"
#include "server/serving/fake_store.h"
#include "tests/fuzz/call_service.h"
#include "tests/fuzz/fuzz.h"

namespace {

namespace server = antiphon::server;

constexpr int kCallsPerServer = 2000;  // what is added to a store makes it slower

class FakeService {
 public:
  FakeService() {
    antiphon::fuzz::SilenceLogs();
    server::Config config;
    config.store.bundle = "unused";
    config.listen = "127.0.0.1:0";
    config.queue.workers = 1;
    config.limits.max_message_mib = 1;
    config.limits.max_audio_s = config.limits.max_align_s = 5;
    auto started = server::Server::Start(config, store_, metrics_);
    antiphon::fuzz::Require(started.ok(), "a server starts");
    server_ = *std::move(started);
    channel_ = server_->InProcessChannel();
  }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  server::Metrics metrics_;
  server::FakeStore store_{std::make_shared<server::FakeCollection>()};
  std::unique_ptr<server::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  antiphon::fuzz::RunInput<FakeService>(data, size, kCallsPerServer);
  return 0;
}
