// What the server tells Prometheus about itself (served by metrics_endpoint.h). docs/operations.md
// lists every metric with its meaning.
//
// Safe from any thread. Label values come from closed sets (methods, codes, stages), so that no
// client can make more series.
#ifndef ANTIPHON_SERVER_TELEMETRY_METRICS_H_
#define ANTIPHON_SERVER_TELEMETRY_METRICS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "antiphon/v1/retrieval.pb.h"
#include "antiphon/v1/types.pb.h"
#include "grpcpp/support/status.h"
#include "server/runtime/lifecycle.h"

namespace antiphon::server {

// Of the GPU that indexes are to be searched on; see index::DeviceStatus.
struct IndexDeviceSample {
  bool usable = false;
  int indexes = 0;         // on it
  int indexes_on_cpu = 0;  // that should be on it
  int64_t bytes = 0;
  int64_t searches = 0;  // answered by it
  int64_t batches = 0;
  int64_t searches_on_cpu = 0;  // not answered by it
};

// What is read anew whenever /metrics is.
struct Sample {
  int queue_depth = 0;
  int in_flight = 0;
  int streams = 0;
  int edit_streams = 0;
  int64_t connections_accepted = 0;
  int64_t connections_refused = 0;
  int receiving = 0;            // messages on their way in
  int64_t receiving_bytes = 0;  // of them, as far as they have come

  int64_t generation = 0;
  std::string model_id;
  std::string device;
  int64_t pieces = 0;
  int64_t recordings = 0;
  int64_t score_vectors = 0;
  int64_t recording_vectors = 0;
  int64_t last_change = 0;
  int64_t unmerged_changes = 0;
  int rejected_generations = 0;
  int rejected_changes = 0;

  std::optional<absl::Time> certificate_expires;  // none without TLS
  std::optional<int64_t> gpu_bytes;               // none without a GPU
  std::optional<IndexDeviceSample> index_device;  // none where the CPU was asked for
};

class Metrics {
 public:
  Metrics();
  ~Metrics();

  // Makes the series of a method, of a key: a counter that is born with its first failure has not
  // risen, and alerts nobody.
  void DeclareMethod(absl::string_view method);
  void DeclareKey(absl::string_view key);

  // One call, refused ones included; `seconds` from arrival to answer.
  void RecordCall(absl::string_view method, grpc::StatusCode code, double seconds);

  // One call with a key, refused ones included. Keys are of the operator's file, few.
  void RecordKey(absl::string_view key, grpc::StatusCode code);

  // One message given up, or not begun, because it was too much or too slow: "message",
  // "connection", "caller", "server" or "time", by the limit it met.
  void RecordReceiveLimit(absl::string_view limit);

  // One stage of one call, on failure too.
  void RecordStage(v1::Stage stage, double seconds);

  // One run of an encoder; `modality` is "audio" or "score".
  void RecordBatch(absl::string_view modality, int windows);

  // One answer of a method that says whether something belongs together. Requires a verdict.
  void RecordVerdict(absl::string_view method, v1::Verdict verdict);

  // One caller who was turned away at the gate, and why.
  enum class Refusal { kMissingKey, kUnknownKey, kForbidden, kOverLimit };
  void RecordRefusal(Refusal refusal);

  // One change to the collection, or an attempt at one.
  enum class EditKind {
    kAddPiece,
    kUpdatePiece,
    kDeletePiece,
    kAddRecording,
    kUpdateRecording,
    kDeleteRecording,
    kMerge,
    kRestore
  };
  void RecordEdit(EditKind kind, const absl::Status& result);

  // One attempt to take over what has changed on disk.
  enum class Reloaded { kCollection, kKeys, kCertificate };
  void RecordReload(Reloaded what, const absl::Status& result);

  // One snapshot, asked for or by the schedule. Those that the schedule did not take because the
  // collection had not changed are counted apart.
  void RecordSnapshot(const absl::Status& result);
  void RecordUnchangedSnapshot();

  // Of the newest snapshot that there is: when it was taken, or found to be as the collection still
  // is, and what it takes. Before the first call there are no such series. None: there is no
  // snapshot.
  struct NewestSnapshot {
    absl::Time at;
    int64_t bytes = 0;
  };
  void SetNewestSnapshot(const std::optional<NewestSnapshot>& newest);

  // Something that nobody asked for went wrong: a merge, the removal of what is old.
  void RecordBackgroundFailure();

  void SetState(ServerState state);
  ServerState state() const;

  // Whether the server's own port answered it when it last asked.
  void SetPortAnswers(bool answers);
  bool port_answers() const;

  // Must be safe from any thread and outlive this object; empty ends it, and waits for one that is
  // being taken.
  void SetSource(std::function<Sample()> source);

  // The text that /metrics gives.
  std::string Text() const;

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_TELEMETRY_METRICS_H_
