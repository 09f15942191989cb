#include "core/editing/journal_mark.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"
#include "core/bundle/files.h"
#include "core/hash/sha256.h"

namespace antiphon::editing {
namespace {

constexpr char kFirstLine[] = "antiphon journal mark 1\n";
constexpr char kSumPrefix[] = "sha256 ";
// Before it is renamed. Not of a publication's temporary files ("tmp-"), which a writer removes
// while edits go on.
constexpr char kNextMarkFile[] = "JOURNAL.next";
constexpr size_t kMaxBytes = 1 << 20;  // thousands of origins; a merge keeps a handful
constexpr size_t kHashBytes = 32;

absl::Status Damaged() {
  return absl::DataLossError(absl::StrCat(kJournalMarkFile, ": is damaged"));
}

bool IsHex(std::string_view text, size_t digits) {
  return text.size() == digits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

absl::StatusOr<JournalMark> JournalMark::Read(const std::string& bundle_root) {
  const absl::StatusOr<Descriptor> file = bundle::OpenPlainFile(bundle_root, kJournalMarkFile);
  if (absl::IsNotFound(file.status())) return JournalMark();
  RETURN_IF_ERROR(file.status());
  ASSIGN_OR_RETURN(const std::string text, bundle::ReadAll(*file, kMaxBytes));
  // The last line is a hash of all lines before it.
  const size_t sum = text.rfind(kSumPrefix);
  if (sum == std::string::npos || !text.starts_with(kFirstLine)) return Damaged();
  const std::string body = text.substr(0, sum);
  if (text != absl::StrCat(body, kSumPrefix, hash::HexSha256(body), "\n")) return Damaged();
  JournalMark mark;
  const std::string lines = body.substr(std::string_view(kFirstLine).size());
  for (const absl::string_view line : absl::StrSplit(lines, '\n', absl::SkipEmpty())) {
    const std::vector<std::string> fields = absl::StrSplit(line, ' ');
    int64_t sequence = 0;
    if (fields.size() != 3 || !IsHex(fields[0], bundle::kOriginDigits) ||
        !absl::SimpleAtoi(fields[1], &sequence) || sequence < 1 ||
        sequence > bundle::kMaxLastChange || !IsHex(fields[2], 2 * kHashBytes)) {
      return Damaged();
    }
    mark.last_[fields[0]] = {sequence, absl::HexStringToBytes(fields[2])};
  }
  return mark;
}

absl::Status JournalMark::Write(const std::string& bundle_root) const {
  std::string text = kFirstLine;
  for (const auto& [origin, change] : last_) {
    absl::StrAppend(&text, origin, " ", change.sequence, " ", absl::BytesToHexString(change.sha256),
                    "\n");
  }
  absl::StrAppend(&text, kSumPrefix, hash::HexSha256(text), "\n");
  const std::string next = absl::StrCat(bundle_root, "/", kNextMarkFile);
  const std::string mark = absl::StrCat(bundle_root, "/", kJournalMarkFile);
  unlink(next.c_str());  // of a process that died; what cannot be removed fails the next line
  RETURN_IF_ERROR(bundle::WriteNewFile(bundle_root, kNextMarkFile, text));
  const bool is_new = access(mark.c_str(), F_OK) != 0;
  if (rename(next.c_str(), mark.c_str()) != 0)
    return absl::ErrnoToStatus(errno, absl::StrCat(kJournalMarkFile, ": cannot be replaced"));
  // Without it a power cut may bring the mark before back, which only says less.
  return is_new ? bundle::SyncFolder(bundle_root) : absl::OkStatus();
}

bool JournalMark::Note(const std::string& origin, int64_t sequence, std::string_view sha256) {
  Change& change = last_[origin];
  if (sequence <= change.sequence) return false;
  change = {sequence, std::string(sha256)};
  return true;
}

bool JournalMark::KeepOnly(const std::vector<std::string>& origins) {
  return std::erase_if(last_, [&](const auto& entry) {
           return std::find(origins.begin(), origins.end(), entry.first) == origins.end();
         }) > 0;
}

int64_t JournalMark::last_sequence() const {
  int64_t last = 0;
  for (const auto& [origin, change] : last_) last = std::max(last, change.sequence);
  return last;
}

int64_t JournalMark::last_sequence_of(const std::string& origin) const {
  const auto found = last_.find(origin);
  return found == last_.end() ? 0 : found->second.sequence;
}

absl::Status JournalMark::Check(const bundle::Manifest& generation,
                                catalog::ChangeJournal* journal) const {
  const auto found = last_.find(generation.origin);
  if (found == last_.end() || found->second.sequence <= generation.last_change)
    return absl::OkStatus();
  const Change& last = found->second;
  std::string how = absl::StrCat(kJournalFile, " is missing");
  if (journal != nullptr) {
    ASSIGN_OR_RETURN(const bool there, journal->Holds(last.sequence, last.sha256));
    if (there) return absl::OkStatus();
    const int64_t holds = journal->last_sequence();
    how = journal->changes() == 0 ? absl::StrCat(kJournalFile, " is empty")
          : holds < last.sequence ? absl::StrCat(kJournalFile, " ends at change ", holds)
                                  : absl::StrCat(kJournalFile, " is another's");
  }
  return absl::DataLossError(
      absl::StrCat("journal: changes are lost: they were acknowledged up to ", last.sequence,
                   ", generation ", generation.generation, " contains them up to ",
                   generation.last_change, ", and ", how, ": ", kLostJournalHelp));
}

}  // namespace antiphon::editing
