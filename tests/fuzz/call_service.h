// Calls a method of a server with bytes as they might come from the network, and holds the answer to what proto/
// promises.
#ifndef ANTIPHON_TESTS_FUZZ_CALL_SERVICE_H_
#define ANTIPHON_TESTS_FUZZ_CALL_SERVICE_H_

#include <memory>
#include <string>
#include <vector>

#include "grpcpp/channel.h"
#include "grpcpp/support/status.h"
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

// An error is the caller's to mend and says how, without paths; a response is a message whose numbers are finite, and
// whose confidences are in [0, 1].
void RequirePromises(const RequestInput& input, const Answer& answer);

}  // namespace antiphon::fuzz

#endif  // ANTIPHON_TESTS_FUZZ_CALL_SERVICE_H_
