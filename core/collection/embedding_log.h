// What an indexing has embedded so far, so that one that was interrupted goes on where it was: a
// journal of changes (catalog::ChangeJournal) in the bundle's folder, which the publication
// removes.
//
// Belongs to one thread; one log per bundle in all processes. Internal to core/collection.
#ifndef ANTIPHON_CORE_COLLECTION_EMBEDDING_LOG_H_
#define ANTIPHON_CORE_COLLECTION_EMBEDDING_LOG_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/catalog/change_journal.h"
#include "core/catalog/source_record.h"

namespace antiphon::collection {

inline constexpr char kEmbeddingLogFile[] = "indexing.sqlite";

class EmbeddingLog {
 public:
  // Opens the log in the folder `bundle_root`, or makes it. `settings` says all that embeddings
  // depend on besides their source, in at most 200 bytes: what was embedded with others is
  // forgotten, and so is a log that is damaged. Aborted when another process is indexing.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<EmbeddingLog>> Open(
      const std::string& bundle_root, const std::string& settings);
  // Writes what is not durable yet.
  ~EmbeddingLog();

  // What was embedded of the same content, by parts or not as asked, with the names that `source`
  // has now; once. `source` needs its side, its piece or recording, and its content.
  std::optional<catalog::SourceRecord> Take(const catalog::SourceRecord& source);

  // Keeps it: durably within ten seconds or 16 MiB of others, for each wait for the disk takes as
  // long as embedding a short piece. Fails as ChangeJournal::Append.
  [[nodiscard]] absl::Status Keep(const catalog::SourceRecord& record);

  // Removes the file. No other call may follow.
  [[nodiscard]] absl::Status Remove();

 private:
  EmbeddingLog(std::string path, std::string settings,
               std::unique_ptr<catalog::ChangeJournal> journal);

  const std::string path_;
  const std::string settings_;
  std::unique_ptr<catalog::ChangeJournal> journal_;
  std::vector<catalog::Change> pending_;  // not in the journal yet
  int64_t pending_bytes_ = 0;
  std::chrono::steady_clock::time_point last_write_;
  std::map<std::pair<catalog::Side, std::string>, catalog::SourceRecord> kept_;  // by side and id
};

}  // namespace antiphon::collection

#endif  // ANTIPHON_CORE_COLLECTION_EMBEDDING_LOG_H_
