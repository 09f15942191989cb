// A store whose changes and reloads are counted, whoever asks for them. Safe from any thread, as
// the store it wraps.
#ifndef ANTIPHON_SERVER_SERVING_METERED_STORE_H_
#define ANTIPHON_SERVER_SERVING_METERED_STORE_H_

#include <memory>
#include <string>

#include "server/serving/store.h"
#include "server/telemetry/metrics.h"

namespace antiphon::server {

class MeteredStore final : public Store {
 public:
  // Both are borrowed, and outlive this object.
  MeteredStore(Store& store, Metrics& metrics) : store_(store), metrics_(metrics) {}

  std::shared_ptr<const retrieval::Collection> Current() const override { return store_.Current(); }
  absl::StatusOr<editing::EditResult> Apply(const editing::EditRequest& request,
                                            const matching::RequestContext& context) override;
  absl::StatusOr<editing::CollectionStore::Reloaded> Reload() override;
  absl::StatusOr<editing::CollectionStore::Merged> Merge() override;
  editing::CollectionStore::EditStatus edit_status() const override { return store_.edit_status(); }
  absl::StatusOr<bundle::Manifest> WriteSnapshot(const std::string& directory) override {
    return store_.WriteSnapshot(directory);
  }
  absl::StatusOr<bundle::Manifest> Restore(const std::string& directory) override;

 private:
  template <typename Result>
  Result Counted(Metrics::EditKind kind, Result result) {
    metrics_.RecordEdit(kind, result.status());
    return result;
  }

  Store& store_;
  Metrics& metrics_;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVING_METERED_STORE_H_
