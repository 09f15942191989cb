// An ObjectStore in memory for tests, with faults to order. Header only.
//
// Belongs to one thread.
#ifndef ANTIPHON_SERVER_SNAPSHOTS_FAKE_OBJECT_STORE_H_
#define ANTIPHON_SERVER_SNAPSHOTS_FAKE_OBJECT_STORE_H_

#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/status_macros.h"
#include "core/hash/sha256.h"
#include "server/snapshots/object_store.h"

namespace antiphon::server {

class FakeObjectStore final : public ObjectStore {
 public:
  struct Object {
    std::string contents;
    absl::Time modified;
  };

  absl::StatusOr<std::vector<StoredObject>> List(const std::string& prefix,
                                                 const KeepGoing& keep_going) override {
    RETURN_IF_ERROR(Ask("LIST", prefix, keep_going));
    std::vector<StoredObject> listed;
    for (const auto& [key, object] : objects) {
      if (!absl::StartsWith(key, prefix)) continue;
      listed.push_back({key, static_cast<int64_t>(object.contents.size()),
                        hash::HexSha256(object.contents), object.modified});
    }
    return listed;
  }

  absl::Status Put(const std::string& key, const std::string& contents,
                   const KeepGoing& keep_going) override {
    RETURN_IF_ERROR(Ask("PUT", key, keep_going));
    objects[key] = {contents, absl::Now()};
    return absl::OkStatus();
  }

  absl::Status PutFile(const std::string& key, const std::string& path, int64_t size,
                       const std::string& sha256, const KeepGoing& keep_going) override {
    const std::string contents = Read(path);
    if (static_cast<int64_t>(contents.size()) != size || hash::HexSha256(contents) != sha256)
      return absl::DataLossError("not what was announced");
    return Put(key, contents, keep_going);
  }

  absl::StatusOr<std::string> Get(const std::string& key, size_t max_bytes,
                                  const KeepGoing& keep_going) override {
    RETURN_IF_ERROR(Ask("GET", key, keep_going));
    const auto found = objects.find(key);
    if (found == objects.end()) return absl::NotFoundError("no such object");
    if (found->second.contents.size() > max_bytes) return absl::DataLossError("too large");
    return found->second.contents;
  }

  absl::Status GetFile(const std::string& key, const std::string& path, int64_t size,
                       const std::string& sha256, const KeepGoing& keep_going) override {
    ASSIGN_OR_RETURN(const std::string contents, Get(key, 1 << 20, keep_going));
    if (static_cast<int64_t>(contents.size()) != size) return absl::DataLossError("size");
    if (hash::HexSha256(contents) != sha256) return absl::DataLossError("hash");
    std::ofstream(path) << contents;
    return absl::OkStatus();
  }

  absl::Status Delete(const std::string& key, const KeepGoing& keep_going) override {
    RETURN_IF_ERROR(Ask("DELETE", key, keep_going));
    objects.erase(key);
    return absl::OkStatus();
  }

  std::map<std::string, Object> objects;
  std::vector<std::string> asked;  // "GET KEY"
  // What a request fails with, unless it is OK; may be empty.
  std::function<absl::Status(const std::string& asked)> fault;

 private:
  static std::string Read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

  absl::Status Ask(const char* method, const std::string& key, const KeepGoing& keep_going) {
    RETURN_IF_ERROR(keep_going());
    asked.push_back(absl::StrCat(method, " ", key));
    return fault ? fault(asked.back()) : absl::OkStatus();
  }
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SNAPSHOTS_FAKE_OBJECT_STORE_H_
