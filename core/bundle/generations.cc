#include "core/bundle/generations.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <optional>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/bundle/files.h"

namespace antiphon::bundle {
namespace {

// Names are checked by ParseManifest and opened without following links, so a manifest can't make
// this read outside its folder.
absl::StatusOr<Descriptor> OpenOfSize(const std::string& folder, const FileEntry& entry) {
  ASSIGN_OR_RETURN(Descriptor file, OpenPlainFile(folder, entry.name));
  ASSIGN_OR_RETURN(const int64_t size, SizeOf(file));
  if (size == entry.size) return file;
  return absl::DataLossError(
      absl::StrCat(entry.name, ": has ", size, " bytes where MANIFEST says ", entry.size));
}

}  // namespace

absl::Status CheckSize(const std::string& folder, const FileEntry& entry) {
  return OpenOfSize(folder, entry).status();
}

absl::Status CheckFile(const std::string& folder, const FileEntry& entry) {
  // The size first: it costs nothing, tells a file cut short at once, and bounds what is hashed.
  ASSIGN_OR_RETURN(const Descriptor file, OpenOfSize(folder, entry));
  ASSIGN_OR_RETURN(const std::string hash, Sha256(file));
  if (hash == entry.sha256) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(entry.name, ": its SHA-256 is not what MANIFEST says"));
}

absl::StatusOr<Manifest> ReadManifest(const std::string& folder, int64_t generation) {
  // symlink_status: a link in the place of a generation may lead anywhere, and can be changed after
  // the check.
  std::error_code error;
  if (!std::filesystem::is_directory(std::filesystem::symlink_status(folder, error))) {
    return absl::NotFoundError("there is no such folder");
  }
  ASSIGN_OR_RETURN(const Descriptor file, OpenPlainFile(folder, kManifestFile));
  ASSIGN_OR_RETURN(const std::string text, ReadAll(file, kMaxManifestBytes));
  ASSIGN_OR_RETURN(Manifest manifest, ParseManifest(text));
  // A folder that was renamed by hand is refused: its number is in the manifest, under its
  // checksum.
  if (manifest.generation != generation) {
    return absl::DataLossError(absl::StrCat("MANIFEST: is of generation ", manifest.generation));
  }
  return manifest;
}

absl::StatusOr<Manifest> CheckGeneration(const std::string& folder, int64_t generation) {
  ASSIGN_OR_RETURN(Manifest manifest, ReadManifest(folder, generation));
  for (const FileEntry& entry : manifest.files) {
    RETURN_IF_ERROR(CheckFile(folder, entry));
  }
  return manifest;
}

std::vector<int64_t> ListGenerations(const std::string& root) {
  // A root that can't be listed has no generations; opening CURRENT tells why.
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
