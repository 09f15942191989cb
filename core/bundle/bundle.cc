#include "core/bundle/bundle.h"

#include <functional>
#include <future>
#include <optional>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/bundle/files.h"
#include "core/bundle/generations.h"

namespace antiphon::bundle {
namespace {

constexpr size_t kMaxCurrentBytes = 256;

// They take most of the room, and their readers expect damage: who opens the bundle need not wait
// for their hashes.
bool IsIndex(const FileEntry& entry) {
  return entry.name == kScoreIndexFile || entry.name == kRecordingIndexFile;
}

absl::Status CheckIndexes(const OpenedBundle& bundle) {
  for (const FileEntry& entry : bundle.manifest.files) {
    if (IsIndex(entry)) RETURN_IF_ERROR(CheckFile(bundle.directory, entry));
  }
  return absl::OkStatus();
}

absl::Status CheckAll(const OpenedBundle& bundle, const WhileChecked& meanwhile) {
  for (const FileEntry& entry : bundle.manifest.files) {
    RETURN_IF_ERROR(IsIndex(entry) ? CheckSize(bundle.directory, entry)
                                   : CheckFile(bundle.directory, entry));
  }
  if (!meanwhile) return CheckIndexes(bundle);
  std::future<absl::Status> checked;
  try {
    checked = std::async(std::launch::async, CheckIndexes, std::cref(bundle));
  } catch (const std::system_error&) {  // no thread to be had: one after the other
    checked = std::async(std::launch::deferred, CheckIndexes, std::cref(bundle));
  }
  meanwhile(bundle);
  return checked.get();
}

}  // namespace

absl::StatusOr<int64_t> CurrentGeneration(const std::string& root) {
  ASSIGN_OR_RETURN(const Descriptor file, OpenPlainFile(root, kCurrentFile));
  const absl::StatusOr<std::string> text = ReadAll(file, kMaxCurrentBytes);
  const std::optional<int64_t> generation =
      text.ok() ? ParseGenerationName(std::string(absl::StripTrailingAsciiWhitespace(*text)))
                : std::nullopt;
  if (!generation.has_value()) return absl::DataLossError("CURRENT: does not name a generation");
  return *generation;
}

absl::StatusOr<OpenedBundle> OpenBundle(const std::string& root, const WhileChecked& meanwhile) {
  const absl::StatusOr<int64_t> current = CurrentGeneration(root);
  if (absl::IsNotFound(current.status()))
    return absl::NotFoundError("bundle: nothing is published there");
  std::vector<int64_t> candidates = ListGenerations(root);
  OpenedBundle bundle;
  if (current.ok()) {
    // What is newer was never put in force. The one named comes first even if its folder is gone,
    // to be told.
    std::erase_if(candidates, [&](int64_t generation) { return generation >= *current; });
    candidates.insert(candidates.begin(), *current);
  } else {
    bundle.rejected.push_back(std::string(current.status().message()));
  }
  for (const int64_t generation : candidates) {
    const std::string name = GenerationName(generation);
    bundle.directory = absl::StrCat(root, "/", name);
    absl::StatusOr<Manifest> manifest = ReadManifest(bundle.directory, generation);
    absl::Status status = manifest.status();
    if (status.ok()) {
      bundle.manifest = *std::move(manifest);
      status = CheckAll(bundle, meanwhile);
    }
    if (status.ok()) return bundle;
    bundle.rejected.push_back(absl::StrCat(name, ": ", status.message()));
  }
  return absl::DataLossError(
      absl::StrCat("bundle: no generation can be used: ", absl::StrJoin(bundle.rejected, "; ")));
}

}  // namespace antiphon::bundle
