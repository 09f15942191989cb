// What an operator can say about snapshots. Plain values.
#ifndef ANTIPHON_SERVER_SNAPSHOTS_SNAPSHOT_OPTIONS_H_
#define ANTIPHON_SERVER_SNAPSHOTS_SNAPSHOT_OPTIONS_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/check_range.h"
#include "server/snapshots/s3_options.h"
#include "server/snapshots/snapshot_storage.h"

namespace antiphon::server {

struct SnapshotOptions {
  std::string directory;  // where they lie, or are on their way to object storage; empty: none
  static constexpr Range<double> kEveryRange = {0, 8760};
  double every_h = 0;  // hours between scheduled ones; 0: there is no schedule
  static constexpr Range<int> kKeepRange = {1, 10'000};
  int keep = 7;  // scheduled ones
  S3Options s3;

  // InvalidArgument naming the option. Ranges are checked with all others.
  [[nodiscard]] absl::Status Validate() const;
};

// Null where the options name no place. As S3Store::Open.
[[nodiscard]] absl::StatusOr<std::unique_ptr<SnapshotStorage>> OpenSnapshotStorage(
    const SnapshotOptions& options);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SNAPSHOTS_SNAPSHOT_OPTIONS_H_
