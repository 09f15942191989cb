// How far the journal of a bundle has come, as a file beside it: for each origin the number and the
// hash of the last change that is known to be in it. By this a journal that was lost, or is
// another's or an older copy, is told from one that has nothing to say.
//
// Written after the change is durable in the journal, so that it may lag behind the journal (a
// crash, a full disk) and never runs ahead of it. Internal to core/editing; a plain value.
#ifndef ANTIPHON_CORE_EDITING_JOURNAL_MARK_H_
#define ANTIPHON_CORE_EDITING_JOURNAL_MARK_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/bundle/manifest.h"
#include "core/catalog/change_journal.h"

namespace antiphon::editing {

inline constexpr char kJournalFile[] = "journal.sqlite";
inline constexpr char kJournalMarkFile[] = "JOURNAL";

class JournalMark {
 public:
  // Empty where there is no file. DataLoss when its contents are not a mark's.
  [[nodiscard]] static absl::StatusOr<JournalMark> Read(const std::string& bundle_root);

  // Replaces the file as a whole: a crash leaves this or the one before.
  [[nodiscard]] absl::Status Write(const std::string& bundle_root) const;

  // Notes a change of the origin, unless a later one is known. True where that changed something.
  bool Note(const std::string& origin, int64_t sequence, std::string_view sha256);
  // Forgets all origins but these. True where that changed something.
  bool KeepOnly(const std::vector<std::string>& origins);

  bool empty() const { return last_.empty(); }
  int64_t last_sequence() const;                              // over all origins; 0: none
  int64_t last_sequence_of(const std::string& origin) const;  // 0: none

  // DataLoss, saying what is lost and what can be done, unless `journal`, null where there is none,
  // holds the last change of the generation's origin or the generation contains it.
  [[nodiscard]] absl::Status Check(const bundle::Manifest& generation,
                                   catalog::ChangeJournal* journal) const;

 private:
  struct Change {
    int64_t sequence = 0;
    std::string sha256;  // 32 bytes
  };
  std::map<std::string, Change> last_;  // by origin
};

// What can be done about a journal that is lost, for the end of a message.
inline constexpr char kLostJournalHelp[] =
    "put the journal back from a copy of the bundle, or give these changes up with "
    "`antiphon-trainer migrate --bundle DIR --accept-lost-journal`";

}  // namespace antiphon::editing

#endif  // ANTIPHON_CORE_EDITING_JOURNAL_MARK_H_
