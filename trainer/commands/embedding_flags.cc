#include "trainer/commands/embedding_flags.h"

#include <CLI/CLI.hpp>

#include "core/base/status_macros.h"
#include "trainer/commands/given_options.h"

namespace antiphon::trainer::commands {

void EmbeddingFlags::AddTo(CLI::App& command) {
  command.add_option("--tempo-ratios", tempo_ratios,
                     "Tempi over the one written at which scores are indexed; as before if not "
                     "given, and so are the next three");
  command.add_option("--score-hop", score_hop_s, "Seconds between a score's windows, as played");
  command.add_option("--recording-hop", recording_hop_s, "Seconds between a recording's windows");
  command.add_option("--index", kind, "flat, hnsw or ivf");
  command.add_option("--device", device, "cpu, cuda:N or auto")->capture_default_str();
  command.add_option("--threads", threads, "0 is the number of cores")->capture_default_str();
  command.add_flag("--skip-failed", skip_failed,
                   "Leave out and list what the model can't embed, instead of failing");
}

bool EmbeddingFlags::IsGiven(const CLI::App& command, const std::string& option) {
  return command.count(option) > 0;
}

absl::Status EmbeddingFlags::RefuseAll(const CLI::App& command, const std::string& reason) {
  for (const char* option : {"--tempo-ratios", "--score-hop", "--recording-hop", "--index"})
    RETURN_IF_ERROR(RefuseIdle(command, option, /*can_act=*/false, reason));
  return absl::OkStatus();
}

}  // namespace antiphon::trainer::commands
