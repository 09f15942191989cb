// What an S3 service answers, as XML: untrusted input. Stateless; safe from any thread.
#ifndef ANTIPHON_SERVER_SNAPSHOTS_S3_ANSWERS_H_
#define ANTIPHON_SERVER_SNAPSHOTS_S3_ANSWERS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "server/snapshots/object_store.h"

namespace antiphon::server {

inline constexpr size_t kMaxS3ListBytes = 8 << 20;  // of one page, which has 1,000 objects

struct S3Page {
  std::vector<StoredObject> objects;  // without those whose keys are not plain
  std::string next;                   // token of the page that follows; empty: this is the last
};

// One page of ListObjectsV2. DataLoss when it is none.
[[nodiscard]] absl::StatusOr<S3Page> ParseS3Page(std::string_view xml);

// The code of an error, such as "NoSuchBucket": letters and digits; empty when there is none.
std::string ParseS3ErrorCode(std::string_view xml);

// For a path or a query: all but letters, digits, '-', '.', '_' and '~' as %XX, and '/' as well
// unless `keep_slashes`.
std::string UriEncode(std::string_view text, bool keep_slashes);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SNAPSHOTS_S3_ANSWERS_H_
