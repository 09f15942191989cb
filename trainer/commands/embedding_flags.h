// The options of `reindex` and `import` that `index` has too: how a collection is embedded, where
// what is not given stays as it was. Used by one thread.
#ifndef ANTIPHON_TRAINER_COMMANDS_EMBEDDING_FLAGS_H_
#define ANTIPHON_TRAINER_COMMANDS_EMBEDDING_FLAGS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/encoder/window_encoder.h"
#include "core/index/vector_index.h"

namespace CLI {
class App;
}

namespace antiphon::trainer::commands {

struct EmbeddingFlags {
  std::string kind;
  std::vector<double> tempo_ratios;
  double score_hop_s = 0;
  double recording_hop_s = 0;
  std::string device = "cpu";
  int threads = 0;
  bool skip_failed = false;

  void AddTo(CLI::App& command);

  // Sets the number of threads, and in `options` (ReindexOptions or ImportOptions) what was given.
  template <typename Options>
  absl::Status ApplyTo(const CLI::App& command, Options& options) const {
    encoder::SetComputeThreads(threads);
    options.encoder.device = device;
    options.skip_failed = skip_failed;
    if (IsGiven(command, "--tempo-ratios")) options.tempo_ratios = tempo_ratios;
    if (IsGiven(command, "--score-hop")) options.score_hop_s = score_hop_s;
    if (IsGiven(command, "--recording-hop")) options.recording_hop_s = recording_hop_s;
    if (!IsGiven(command, "--index")) return absl::OkStatus();
    const absl::StatusOr<index::IndexKind> parsed = index::ParseIndexKind(kind);
    if (parsed.ok()) options.kind = *parsed;
    return parsed.status();
  }

  // InvalidArgument when an option was given that says how to embed: none can act here.
  static absl::Status RefuseAll(const CLI::App& command, const std::string& reason);

 private:
  static bool IsGiven(const CLI::App& command, const std::string& option);
};

}  // namespace antiphon::trainer::commands

#endif  // ANTIPHON_TRAINER_COMMANDS_EMBEDDING_FLAGS_H_
