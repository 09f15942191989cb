// Edits that the base of a collection does not contain, by the numbers of their changes. Of several
// to one source only the last is kept: the contents after it are the same. Internal to
// core/editing; guarded by whoever has one.
#ifndef ANTIPHON_CORE_EDITING_PENDING_EDITS_H_
#define ANTIPHON_CORE_EDITING_PENDING_EDITS_H_

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/collection/collection_view.h"

namespace antiphon::editing {

class PendingEdits {
 public:
  // Requires a number greater than all before.
  void Add(int64_t number, collection::Edit edit);

  // Those after `number`, in order.
  std::vector<collection::Edit> After(int64_t number) const;

  // Those up to and with `number` are part of the base now.
  void Forget(int64_t number);

  // Of changes, replaced ones included.
  int64_t count() const { return static_cast<int64_t>(numbers_.size()); }
  int64_t last() const { return numbers_.empty() ? 0 : numbers_.back(); }
  int64_t bytes() const { return bytes_; }  // of scores and sound kept in memory

 private:
  using Key = std::pair<catalog::Side, std::string>;

  std::deque<int64_t> numbers_;
  std::map<int64_t, collection::Edit> edits_;
  std::map<Key, int64_t> last_of_;  // number of the edit that is kept
  int64_t bytes_ = 0;
};

}  // namespace antiphon::editing

#endif  // ANTIPHON_CORE_EDITING_PENDING_EDITS_H_
