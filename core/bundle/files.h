// The file system as bundles use it: names that stay inside a folder, durable writes, hashes. Free
// of state.
//
// Messages name a file by its last component only.
#ifndef ANTIPHON_CORE_BUNDLE_FILES_H_
#define ANTIPHON_CORE_BUNDLE_FILES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "core/base/descriptor.h"
#include "core/bundle/manifest.h"

namespace antiphon::bundle {

inline constexpr char kManifestFile[] = "MANIFEST";
inline constexpr char kCurrentFile[] = "CURRENT";
inline constexpr char kLockFile[] = "LOCK";
inline constexpr char kTemporaryPrefix[] = "tmp-";
inline constexpr size_t kOriginDigits = 32;
inline constexpr int64_t kMaxGeneration = 999'999'999'999;
// Well below the largest int64, so that there are numbers left for the changes to come.
inline constexpr int64_t kMaxLastChange = 999'999'999'999'999;

// 1 to 200 letters, digits, '.', '-' and '_', not beginning with '.' or '-': stays inside its
// folder on any system.
bool IsPlainName(std::string_view name);

// "gen-000001" and back.
std::string GenerationName(int64_t generation);
std::optional<int64_t> ParseGenerationName(std::string_view name);

// kOriginDigits random hexadecimal digits.
[[nodiscard]] absl::StatusOr<std::string> NewOrigin();

// Opens folder/name for reading if it is a plain file, not a link or a pipe. NotFound, or DataLoss.
[[nodiscard]] absl::StatusOr<Descriptor> OpenPlainFile(const std::string& folder,
                                                       const std::string& name);

[[nodiscard]] absl::StatusOr<int64_t> SizeOf(const Descriptor& file);

// Everything from the beginning; DataLoss when it is more than `max_bytes`.
[[nodiscard]] absl::StatusOr<std::string> ReadAll(const Descriptor& file, size_t max_bytes);

// Lower-case hexadecimal SHA-256 of everything from the beginning.
[[nodiscard]] absl::StatusOr<std::string> Sha256(const Descriptor& file);

// Creates folder/name, which must not exist, and makes its contents durable (its name is so after
// SyncFolder).
[[nodiscard]] absl::Status WriteNewFile(const std::string& folder, const std::string& name,
                                        std::string_view contents);

// Creates folder/name, which must not exist, with the contents of the file `from`. NotFound without
// that file; ResourceExhausted where the disk is full.
[[nodiscard]] absl::Status CopyToNewFile(const std::string& from, const std::string& folder,
                                         const std::string& name);

// Renames unless something has the new name already (AlreadyExists). One system call decides: of
// two who give one name, one is refused.
[[nodiscard]] absl::Status RenameToNew(const std::string& from, const std::string& to);

// A folder that is removed again with all that is in it, unless it is kept.
class TemporaryFolder {
 public:
  // Makes PARENT/PREFIXxxxxxx, which other users may read.
  [[nodiscard]] static absl::StatusOr<TemporaryFolder> Create(const std::string& parent,
                                                              std::string_view prefix);
  ~TemporaryFolder();
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, "")) {}
  TemporaryFolder& operator=(TemporaryFolder&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  const std::string& path() const { return path_; }
  void Keep() { path_.clear(); }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

[[nodiscard]] absl::Status Sync(const Descriptor& file);
[[nodiscard]] absl::Status SyncFolder(const std::string& folder);

}  // namespace antiphon::bundle

#endif  // ANTIPHON_CORE_BUNDLE_FILES_H_
