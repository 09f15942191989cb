#include "core/editing/pending_edits.h"

namespace antiphon::editing {
namespace {

int64_t BytesOf(const collection::Edit& edit) {
  return edit.put == nullptr ? 0 : static_cast<int64_t>(edit.put->content.size());
}

}  // namespace

void PendingEdits::Add(int64_t number, collection::Edit edit) {
  const auto [last, is_first] = last_of_.try_emplace(Key(edit.side, edit.id), number);
  if (!is_first) {
    const auto before = edits_.find(last->second);
    bytes_ -= BytesOf(before->second);
    edits_.erase(before);
    last->second = number;
  }
  numbers_.push_back(number);
  bytes_ += BytesOf(edit);
  edits_.emplace(number, std::move(edit));
}

std::vector<collection::Edit> PendingEdits::After(int64_t number) const {
  std::vector<collection::Edit> edits;
  for (auto it = edits_.upper_bound(number); it != edits_.end(); ++it) edits.push_back(it->second);
  return edits;
}

void PendingEdits::Forget(int64_t number) {
  while (!numbers_.empty() && numbers_.front() <= number) numbers_.pop_front();
  while (!edits_.empty() && edits_.begin()->first <= number) {
    const collection::Edit& edit = edits_.begin()->second;
    bytes_ -= BytesOf(edit);
    last_of_.erase(Key(edit.side, edit.id));
    edits_.erase(edits_.begin());
  }
}

}  // namespace antiphon::editing
