// Calls a method of a server with bytes as they might come from the network, and holds the answer
// to what proto/ promises.
#ifndef ANTIPHON_TESTS_FUZZ_CALL_SERVICE_H_
#define ANTIPHON_TESTS_FUZZ_CALL_SERVICE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "grpcpp/channel.h"
#include "grpcpp/support/status.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/request_input.h"

namespace antiphon::fuzz {

// What servers and libraries print of every bad request is left out of the fuzzer's own output.
void SilenceLogs();

struct Answer {
  grpc::Status status;
  std::vector<std::string> responses;  // serialised
};

// Sends every message, takes every response.
Answer Call(const std::shared_ptr<grpc::Channel>& channel, const RequestInput& input);

// An error is the caller's to mend and says how, without paths; a response is a message whose
// numbers are finite, and whose confidences are in [0, 1].
void RequirePromises(const RequestInput& input, const Answer& answer);

// Sends one input to a service that is replaced after so many of them. `Service` has a server, and
// a channel() to it.
template <typename Service>
void RunInput(const uint8_t* data, size_t size, int calls_per_service) {
  static std::unique_ptr<Service> service;
  static int calls = 0;
  if (calls++ % calls_per_service == 0) {
    service.reset();
    service = std::make_unique<Service>();
  }
  const RequestInput input = ParseInput(AsText(data, size));
  RequirePromises(input, Call(service->channel(), input));
}

}  // namespace antiphon::fuzz

#endif  // ANTIPHON_TESTS_FUZZ_CALL_SERVICE_H_
