#include "trainer/commands/folder_record.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "core/base/status_macros.h"
#include "core/bundle/files.h"
#include "core/hash/sha256.h"

namespace antiphon::trainer::commands {
namespace {

constexpr absl::string_view kFirstLine = "antiphon folder 1\n";
constexpr absl::string_view kSumPrefix = "sha256 ";
constexpr char kNextFile[] = "FOLDER.next";
constexpr size_t kMostBytes = size_t{512} << 20;

absl::Status Damaged() {
  return absl::DataLossError(absl::StrCat(
      kFolderRecordFile,
      ": is damaged; once it is removed, all files of the folder are looked at again"));
}

// VERSION, FINGERPRINT, ID and FILE, with tabs between; neither of the last two has a control
// character.
bool ParseLine(absl::string_view line, FolderRecord& record) {
  const std::vector<absl::string_view> fields = absl::StrSplit(line, '\t');
  FolderRecord::Entry entry;
  if (fields.size() != 4 || !absl::SimpleAtoi(fields[0], &entry.version)) return false;
  entry.fingerprint = std::string(fields[1]);
  entry.file = std::string(fields[3]);
  return record.pieces.emplace(std::string(fields[2]), std::move(entry)).second;
}

}  // namespace

absl::StatusOr<FolderRecord> FolderRecord::Read(const std::string& bundle_root) {
  const auto file = bundle::OpenPlainFile(bundle_root, kFolderRecordFile);
  if (absl::IsNotFound(file.status())) return FolderRecord();
  RETURN_IF_ERROR(file.status());
  ASSIGN_OR_RETURN(const std::string text, bundle::ReadAll(*file, kMostBytes));
  const size_t sum = text.rfind(std::string(kSumPrefix));
  if (!absl::StartsWith(text, kFirstLine) || sum == std::string::npos ||
      text.substr(sum) != absl::StrCat(kSumPrefix, hash::HexSha256(text.substr(0, sum)), "\n")) {
    return Damaged();
  }
  const absl::string_view lines =
      absl::string_view(text).substr(kFirstLine.size(), sum - kFirstLine.size());
  FolderRecord record;
  bool is_first = true;
  for (const absl::string_view line : absl::StrSplit(lines, '\n', absl::SkipEmpty())) {
    if (std::exchange(is_first, false)) {
      record.origin = std::string(line);
    } else if (!ParseLine(line, record)) {
      return Damaged();
    }
  }
  return record;
}

absl::Status FolderRecord::Write(const std::string& bundle_root) const {
  std::string text = absl::StrCat(kFirstLine, origin, "\n");
  for (const auto& [id, entry] : pieces) {
    absl::StrAppend(&text, entry.version, "\t", entry.fingerprint, "\t", id, "\t", entry.file,
                    "\n");
  }
  absl::StrAppend(&text, kSumPrefix, hash::HexSha256(text), "\n");
  const std::string next = absl::StrCat(bundle_root, "/", kNextFile);
  unlink(next.c_str());  // of a process that died; what cannot be removed fails the next line
  RETURN_IF_ERROR(bundle::WriteNewFile(bundle_root, kNextFile, text));
  if (rename(next.c_str(), absl::StrCat(bundle_root, "/", kFolderRecordFile).c_str()) != 0)
    return absl::ErrnoToStatus(errno, absl::StrCat(kFolderRecordFile, ": cannot be replaced"));
  return bundle::SyncFolder(bundle_root);
}

std::map<std::string, std::string> FolderRecord::Fingerprints() const {
  std::map<std::string, std::string> found;
  for (const auto& [id, entry] : pieces) {
    const auto [known, is_new] = found.emplace(entry.file, entry.fingerprint);
    if (!is_new && known->second != entry.fingerprint) known->second.clear();
  }
  return found;
}

}  // namespace antiphon::trainer::commands
