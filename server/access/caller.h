// Who calls: by the API key that he shows, or else by his client's certificate. Plain values.
#ifndef ANTIPHON_SERVER_ACCESS_CALLER_H_
#define ANTIPHON_SERVER_ACCESS_CALLER_H_

#include <memory>
#include <string>

#include "core/base/check_range.h"
#include "server/access/token_bucket.h"

namespace antiphon::server {

enum class Role { kRead, kAdmin };  // an administrator may do all that a reader may

// How much of the server one caller may have at a time.
struct Quota {
  static constexpr Range<int> kStreamsRange = {1, 1024};
  int streams = 8;  // streaming calls
  static constexpr Range<int> kMibRange = {1, 1 << 20};
  int mib = 256;  // MiB of requests that are being received, wait, or are worked on
  static constexpr Range<int> kBatchRange = {1, 1000};
  int batch = 64;  // queries of one Batch call, within the server's own limit
};

struct Caller {
  std::string key;          // the name of his API key; empty where none is asked for
  std::string certificate;  // whom his certificate names; empty without one
  Role role = Role::kAdmin;
  Quota quota;
  std::shared_ptr<TokenBucket> rate;  // null: no limit

  // Whose quota it is: "key NAME" or "certificate NAME"; empty for those that nothing tells apart,
  // who have none.
  std::string identity() const {
    if (!key.empty()) return "key " + key;
    return certificate.empty() ? "" : "certificate " + certificate;
  }
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_ACCESS_CALLER_H_
