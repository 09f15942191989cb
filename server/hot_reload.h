// What a serving server takes over from disk while it runs: another generation of the collection,
// API keys, the certificate; when it is told to (SIGHUP) and when the files change. What cannot be
// taken over is logged, and what served before goes on.
//
// Safe from any thread. Owns its threads.
#ifndef ANTIPHON_SERVER_HOT_RELOAD_H_
#define ANTIPHON_SERVER_HOT_RELOAD_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/access/authenticator.h"
#include "server/access/tls.h"
#include "server/runtime/file_watcher.h"
#include "server/serving/reloader.h"
#include "server/serving/store.h"
#include "server/telemetry/metrics.h"

namespace antiphon::server {

struct HotReloadOptions {
  bool watch_current = true;                 // reload when the bundle's CURRENT changes
  absl::Duration period = absl::Seconds(1);  // between looks at CURRENT, keys and certificates
};

class HotReload {
 public:
  // Starts watching; `bundle` is the store's directory. All references are borrowed, and outlive
  // this object; `keys` and `tls` may be null.
  HotReload(const HotReloadOptions& options, std::string bundle, Store& store, Authenticator* keys,
            TlsIdentity* tls, Metrics& metrics);
  ~HotReload();  // waits for a reload under way

  // Takes over everything, soon and on a thread of its own, though nothing may have changed.
  void ReloadAll(const std::string& why);

  // Begins nothing more, and waits for nothing.
  void Stop();

 private:
  void ReloadCollection(const std::string& why);
  void ReloadCollectionIfNew();
  void ReloadKeys();
  void ReloadCertificate();

  const std::string bundle_;
  Store& store_;
  Authenticator* const keys_;
  TlsIdentity* const tls_;
  Metrics& metrics_;
  Reloader reloader_;
  FileWatcher watcher_;  // last: it uses the members above
};

// Whether the bundle's CURRENT can be read and names a generation that the collection neither
// serves nor has refused.
bool NamesNewGeneration(const std::string& bundle, const retrieval::Collection& collection);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_HOT_RELOAD_H_
