// Calls of Identify that do not wait for their answers, over connections of their own.
//
// Thread-safe. The destructor must not be reached before every call has ended.
#ifndef ANTIPHON_TESTS_BENCH_CALLER_H_
#define ANTIPHON_TESTS_BENCH_CALLER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "antiphon/v1/admin.pb.h"
#include "antiphon/v1/retrieval.pb.h"

namespace antiphon::bench {

enum class Outcome {
  kAnswered,
  kRefused,  // RESOURCE_EXHAUSTED without a field to blame: the server had too much to do
  kFailed,   // anything else, as a request over a limit of size
};

struct Answer {
  Outcome outcome = Outcome::kFailed;
  std::string error;                    // code and message, unless it was answered
  std::optional<double> retry_delay_s;  // that the server asks for, if it does
  v1::IdentifyResponse response;
};

struct CallerOptions {
  std::string target;   // HOST:PORT
  int connections = 1;  // >= 1
  double timeout_s = 120;
};

class Caller {
 public:
  // Waits until every connection stands, for at most the timeout: Unavailable.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Caller>> Connect(
      const CallerOptions& options);
  ~Caller();

  // Sends a request (v1::IdentifyRequest, serialized), which must outlive the call, over one of the
  // connections. `done` gets the answer, once, on a thread of gRPC; what it does delays other
  // answers.
  void Identify(int connection, const std::string& request, std::function<void(Answer)> done);

  // Waits for the answer.
  [[nodiscard]] absl::StatusOr<v1::StatusResponse> Status();

  int connections() const { return static_cast<int>(lines_.size()); }

 private:
  struct Line;
  explicit Caller(double timeout_s);

  const double timeout_s_;
  std::vector<std::unique_ptr<Line>> lines_;
};

}  // namespace antiphon::bench

#endif  // ANTIPHON_TESTS_BENCH_CALLER_H_
