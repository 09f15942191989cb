#include "server/snapshots/snapshot_storage.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "core/bundle/files.h"

namespace antiphon::server {

bool IsSnapshotName(std::string_view name) {
  constexpr size_t kMaxBytes = 100;
  return name.size() <= kMaxBytes && bundle::IsPlainName(name);
}

absl::Time DateOf(const bundle::Manifest& manifest) {
  absl::Time date = absl::InfinitePast();
  std::string unread;
  if (!absl::ParseTime(absl::RFC3339_full, manifest.created, &date, &unread))
    return absl::InfinitePast();
  return date;
}

void SortNewestFirst(std::vector<StoredSnapshot>& snapshots) {
  // RFC 3339 in UTC sorts as text, and an empty date comes last.
  std::sort(snapshots.begin(), snapshots.end(),
            [](const StoredSnapshot& one, const StoredSnapshot& other) {
              return std::tie(one.manifest.created, one.name) >
                     std::tie(other.manifest.created, other.name);
            });
}

int64_t TotalBytes(const bundle::Manifest& manifest) {
  int64_t bytes = 0;
  for (const bundle::FileEntry& file : manifest.files)
    bytes += std::min(file.size, std::numeric_limits<int64_t>::max() - bytes);
  return bytes;
}

}  // namespace antiphon::server
