// Changes to a collection since it was indexed, made durable one by one (SQLite with a write-ahead
// log).
//
// Lies beside the generations of a bundle, as one file; a second one, named like it with "-wal"
// behind, is there between a crash and the next opening. What Append has returned survives the
// death of the process and of the machine; what it has not returned is there wholly or not at all.
// Changes belong to an origin: the collection, as indexed from scratch, that they were made to.
// Every change carries a hash of its own.
//
// Safe from any thread; one journal per file in all processes (a second one is Aborted).
#ifndef ANTIPHON_CORE_CATALOG_CHANGE_JOURNAL_H_
#define ANTIPHON_CORE_CATALOG_CHANGE_JOURNAL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/catalog/catalog.h"
#include "core/catalog/source_record.h"

namespace antiphon::catalog {

struct Change {
  enum class Kind { kPut, kDelete };

  int64_t sequence = 0;  // 1, 2, … over all origins; Append gives it out
  Kind kind = Kind::kPut;
  Side side = Side::kScores;
  std::string id;           // of the piece or the recording
  SourceRecord source;      // kPut: of this side and id; runs are of source 0
  std::string sha256 = {};  // 32 bytes, of the row; Append and ReadAfter fill it in
};

class ChangeJournal {
 public:
  // Opens the file or makes it. DataLoss when it is no journal or damaged, Aborted when another
  // process has it open, PermissionDenied when it may not be written, ResourceExhausted when the
  // disk is full. What is opened can be appended to. A journal of the former
  // version stays as it is until something is appended or BringUpToDate is called, so that the
  // program that wrote it can go back to it.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<ChangeJournal>> Open(const std::string& path);
  ~ChangeJournal();

  // Makes all of the changes durable, or none: numbers them from last_sequence() + 1 on (also as
  // the version of the piece or recording that they put), and returns the last number.
  // ResourceExhausted when the disk is full or a change too large, InvalidArgument when a field is
  // wrong; the journal can be used as before after either.
  [[nodiscard]] absl::StatusOr<int64_t> Append(const std::string& origin,
                                               std::span<Change> changes);

  // Of the origin, the changes after `sequence`, in order; a failure of `change` ends it and is
  // returned. `damaged` is told of those whose hash does not hold, whatever their origin. Neither
  // may call the journal. DataLoss when the file cannot be read.
  [[nodiscard]] absl::Status ReadAfter(
      const std::string& origin, int64_t sequence,
      const std::function<absl::Status(Change)>& change,
      const std::function<void(int64_t sequence, const std::string& what)>& damaged);

  // Forgets the changes of the origin up to and with `sequence`, and those of origins other than
  // `keep_origins`.
  [[nodiscard]] absl::Status Prune(const std::string& origin, int64_t sequence,
                                   std::span<const std::string> keep_origins);

  // Whether the row of that number is there: the one with this hash, or one that is damaged, of
  // which ReadAfter tells.
  [[nodiscard]] absl::StatusOr<bool> Holds(int64_t sequence, std::string_view sha256);

  // Numbers given out from now on are greater than `sequence`.
  [[nodiscard]] absl::Status SkipTo(int64_t sequence);

  // Brings the file to the version that is written, kVersion; all of it or nothing.
  [[nodiscard]] absl::Status BringUpToDate();

  static constexpr int kVersion = 3;  // that is written
  int version() const;                // of the file

  int64_t last_sequence() const;  // ever given out, over all origins; 0 at the beginning
  int64_t changes() const;        // that are there, of all origins, damaged ones included

 private:
  struct Impl;
  explicit ChangeJournal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace antiphon::catalog

#endif  // ANTIPHON_CORE_CATALOG_CHANGE_JOURNAL_H_
