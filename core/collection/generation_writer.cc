#include "core/collection/generation_writer.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/bundle/files.h"
#include "core/collection/collection_files.h"

namespace antiphon::collection {
namespace {

using catalog::Side;

// What a generation takes over unchanged from the one before. Catalogue and indexes are written
// anew.
constexpr const char* kKeptFiles[] = {bundle::kAudioEncoderFile, bundle::kScoreEncoderFile,
                                      bundle::kConfidenceFile, bundle::kBackgroundFile};

absl::Status Changed(absl::string_view name) {
  return absl::DataLossError(absl::StrCat(name, ": has changed on disk since it was opened"));
}

// Hashes were checked when the generation was opened, which may be weeks ago. Metadata and vectors
// have been in memory since, but scores and sound are read from the catalogue's file only now, and
// what is read gets a new hash in the new generation: damage would go unnoticed from then on.
absl::Status CheckCatalog(const bundle::Manifest& manifest, const std::string& directory) {
  const bundle::FileEntry* entry = bundle::FindFile(manifest, bundle::kCatalogFile);
  if (entry == nullptr) return Changed(bundle::kCatalogFile);
  ASSIGN_OR_RETURN(const std::string hash,
                   bundle::Sha256File(absl::StrCat(directory, "/", bundle::kCatalogFile)));
  return hash == entry->sha256 ? absl::OkStatus() : Changed(bundle::kCatalogFile);
}

absl::Status AddSources(const CollectionView& view, Side side,
                        const std::function<absl::Status()>& keep_going, CollectionFiles& files) {
  // In the order of the view, so that the new generation answers as the view does: equally similar
  // vectors come in the order they were indexed.
  for (int source = 0; source < view.source_count(side); ++source) {
    RETURN_IF_ERROR(keep_going());
    ASSIGN_OR_RETURN(const catalog::SourceRecord record, ReadSource(view, side, source));
    RETURN_IF_ERROR(files.Add(record));
  }
  return absl::OkStatus();
}

// The first whole number of a file, or the one that follows `name` at the beginning of a line.
std::optional<int64_t> ReadNumber(const std::string& path, const std::string& name = "") {
  std::ifstream file(path);
  std::string word;
  while (!name.empty() && word != name) {
    if (!(file >> word)) return std::nullopt;
  }
  int64_t number = 0;
  if (!(file >> number)) return std::nullopt;
  return number;
}

}  // namespace

absl::StatusOr<bundle::Manifest> WriteGeneration(const LoadedCollection& loaded,
                                                 const std::string& base_directory,
                                                 const std::string& directory,
                                                 index::IndexOptions options,
                                                 const std::function<absl::Status()>& keep_going) {
  RETURN_IF_ERROR(CheckCatalog(loaded.manifest, base_directory));
  // Copies, whose hashes the caller compares (CheckCopies) when they have been written.
  for (const char* name : kKeptFiles) {
    if (bundle::FindFile(loaded.manifest, name) == nullptr) continue;  // a model without confidence
    RETURN_IF_ERROR(
        bundle::CopyToNewFile(absl::StrCat(base_directory, "/", name), directory, name));
  }
  const CollectionView& view = *loaded.view;
  options.kind = view.index_kind(Side::kScores);
  options.dimension = loaded.manifest.dimension;
  options.device = "cpu";  // what is only written needs no copy on a device
  options.devices = nullptr;
  ASSIGN_OR_RETURN(const std::unique_ptr<CollectionFiles> files,
                   CollectionFiles::Create(directory, options));
  for (const Side side : {Side::kScores, Side::kRecordings}) {
    RETURN_IF_ERROR(AddSources(view, side, keep_going, *files));
  }
  // The manifest passes on model, settings, hops and origin; Finish corrects the counts.
  bundle::Manifest manifest = loaded.manifest;
  RETURN_IF_ERROR(files->Finish(manifest));
  return manifest;
}

absl::Status CopyFiles(const bundle::Manifest& manifest, const std::string& from,
                       const std::string& to) {
  for (const bundle::FileEntry& file : manifest.files) {
    RETURN_IF_ERROR(bundle::CopyToNewFile(absl::StrCat(from, "/", file.name), to, file.name));
  }
  return absl::OkStatus();
}

absl::Status CheckCopies(const bundle::Manifest& original, const bundle::Manifest& copy, bool all) {
  for (const bundle::FileEntry& file : original.files) {
    if (!all &&
        std::find(std::begin(kKeptFiles), std::end(kKeptFiles), file.name) == std::end(kKeptFiles))
      continue;
    const bundle::FileEntry* other = bundle::FindFile(copy, file.name);
    if (other == nullptr || other->size != file.size || other->sha256 != file.sha256)
      return Changed(file.name);
  }
  return absl::OkStatus();
}

int64_t LoadedBytes(const bundle::Manifest& manifest) {
  int64_t bytes = 0;
  for (const bundle::FileEntry& file : manifest.files) {
    // The sizes are a file's claims: their sum must not wrap.
    if (file.name != bundle::kCatalogFile)
      bytes += std::min(file.size, std::numeric_limits<int64_t>::max() - bytes);
  }
  return bytes;
}

std::optional<int64_t> AvailableMemory(const std::string& proc, const std::string& cgroup) {
  std::optional<int64_t> available = ReadNumber(proc + "/meminfo", "MemAvailable:");
  if (available.has_value()) *available *= 1024;  // it is in kilobytes
  // A container sees the whole machine's meminfo, so the limit of its control group counts as well.
  // memory.max is the word "max" where there is no limit.
  const std::optional<int64_t> limit = ReadNumber(cgroup + "/memory.max");
  const std::optional<int64_t> used = ReadNumber(cgroup + "/memory.current");
  if (!limit.has_value() || !used.has_value()) return available;
  // Cached files count as used and are given up when there is need.
  const int64_t cached = ReadNumber(cgroup + "/memory.stat", "inactive_file").value_or(0);
  const int64_t left = std::max<int64_t>(0, *limit - *used + cached);
  return std::min(left, available.value_or(left));
}

}  // namespace antiphon::collection
