#include "core/bundle/generations.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <optional>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "core/bundle/files.h"

namespace antiphon::bundle {
namespace {

absl::Status CheckFile(const std::string& folder, const FileEntry& entry) {
  const absl::StatusOr<Descriptor> file = OpenPlainFile(folder, entry.name);
  if (!file.ok()) return file.status();
  // The size first: it is there at once, and it bounds what is hashed.
  const absl::StatusOr<int64_t> size = SizeOf(*file);
  if (!size.ok()) return size.status();
  if (*size != entry.size) {
    return absl::DataLossError(
        absl::StrCat(entry.name, ": has ", *size, " bytes where MANIFEST says ", entry.size));
  }
  const absl::StatusOr<std::string> hash = Sha256(*file);
  if (!hash.ok()) return hash.status();
  if (*hash == entry.sha256) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(entry.name, ": its SHA-256 is not what MANIFEST says"));
}

}  // namespace

absl::StatusOr<Manifest> CheckGeneration(const std::string& folder, int64_t generation) {
  std::error_code error;
  if (!std::filesystem::is_directory(std::filesystem::symlink_status(folder, error))) {
    return absl::NotFoundError("there is no such folder");
  }
  const absl::StatusOr<Descriptor> file = OpenPlainFile(folder, kManifestFile);
  if (!file.ok()) return file.status();
  const absl::StatusOr<std::string> text = ReadAll(*file, kMaxManifestBytes);
  if (!text.ok()) return text.status();
  absl::StatusOr<Manifest> manifest = ParseManifest(*text);
  if (!manifest.ok()) return manifest;
  if (manifest->generation != generation) {
    return absl::DataLossError(absl::StrCat("MANIFEST: is of generation ", manifest->generation));
  }
  for (const FileEntry& entry : manifest->files) {
    if (absl::Status status = CheckFile(folder, entry); !status.ok()) return status;
  }
  return manifest;
}

std::vector<int64_t> ListGenerations(const std::string& root) {
  std::vector<int64_t> generations;
  std::error_code error;
  for (std::filesystem::directory_iterator it(root, error), end; !error && it != end;
       it.increment(error)) {
    const std::optional<int64_t> generation = ParseGenerationName(it->path().filename().string());
    if (generation.has_value()) generations.push_back(*generation);
  }
  std::sort(generations.begin(), generations.end(), std::greater<>());
  return generations;
}

}  // namespace antiphon::bundle
