// A folder that ExportCollection wrote, as a bundle of its own or as part of one. Stateless; safe
// from any thread.
#ifndef ANTIPHON_CORE_EXCHANGE_COLLECTION_IMPORT_H_
#define ANTIPHON_CORE_EXCHANGE_COLLECTION_IMPORT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/bundle/manifest.h"
#include "core/encoder/window_encoder.h"
#include "core/index/vector_index.h"

namespace antiphon::exchange {

struct ImportOptions {
  // Of a new bundle: required for one, and refused for one that exists, which has a model and
  // settings. What else is not given is as it was in the bundle that was exported.
  std::string model_directory;
  std::optional<index::IndexKind> kind;
  std::optional<std::vector<double>> tempo_ratios;
  std::optional<double> score_hop_s, recording_hop_s;

  encoder::EncoderOptions encoder;
  bool replace = false;      // what a bundle has of the same ids
  bool skip_failed = false;  // leave out what can't be embedded, in the place of failing
  std::function<absl::Status()> keep_going;  // asked before each source; may be empty
  std::function<void(int64_t done, int64_t all)> progress;  // after each source; may be empty
};

struct Imported {
  bundle::Manifest manifest;  // of the generation that has it all
  bool is_new_bundle = false;
  int64_t added = 0, replaced = 0, unchanged = 0;
  std::vector<std::string> left_out;  // "piece ID: reason"
  std::vector<std::string> warnings;
  std::vector<std::string> damaged;  // generations and changes of the bundle, one a line
};

// Whether there is a bundle, to which sources would be added.
bool IsBundle(const std::string& bundle_root);

// Each file must be as export.json says (DataLoss, naming it).
//
// Where there is no bundle, one is made, with the order, the metadata and the versions of the one
// that was exported, so that with the same model it gives the same answers; all of it or nothing.
//
// Otherwise sources are added to the bundle as the API would, one by one and durable at once, with
// new versions, and then merged. Ids that it has already are refused with a list (AlreadyExists)
// before anything is changed, unless they are to be replaced; what is the same stays as it is, so
// that an import that was interrupted can be repeated. FailedPrecondition, listing them, where
// sources can't be embedded; the others are in the bundle then.
[[nodiscard]] absl::StatusOr<Imported> ImportCollection(const std::string& bundle_root,
                                                        const std::string& folder,
                                                        const ImportOptions& options);

}  // namespace antiphon::exchange

#endif  // ANTIPHON_CORE_EXCHANGE_COLLECTION_IMPORT_H_
