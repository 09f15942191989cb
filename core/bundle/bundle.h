// A bundle on disk: a directory of immutable generations and a pointer to the one that counts.
//
//   ROOT/CURRENT                 the name of the current generation's directory, one line
//   ROOT/gen-000001/MANIFEST     JSON (manifest.h)
//   ROOT/gen-000001/...          the files that MANIFEST lists
//   ROOT/LOCK                    held by who publishes
//
// Other files beside them are left alone.
//
// A generation is written under a temporary name, made durable, renamed, and only then named by
// CURRENT (itself replaced by rename), so that a crash at any moment leaves the previous generation
// in force. Stray temporary directories are ignored, and removed by the next publication. Functions
// are safe from any thread; publications into one root must not run at once (a lock file makes a
// second one fail with Aborted).
#ifndef ANTIPHON_CORE_BUNDLE_BUNDLE_H_
#define ANTIPHON_CORE_BUNDLE_BUNDLE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/bundle/manifest.h"

namespace antiphon::bundle {

struct OpenedBundle {
  std::string directory;  // of the generation
  Manifest manifest;
  // Generations that were named or newer but refused, each with the reason.
  std::vector<std::string> rejected;
};

class BundleWriter {
 public:
  // Makes ROOT when needed, and a temporary directory in it.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<BundleWriter>> Create(
      const std::string& root);

  // Removes what was not published.
  ~BundleWriter();

  // Where the caller puts the generation's files.
  const std::string& directory() const;

  // Fills in format_version, generation, created, files (every plain file in directory()) and, when
  // it is empty, origin; writes MANIFEST and publishes. Returns what was written. Must be called at
  // most once.
  //
  // `check`, unless empty, is shown the generation in its place, every file read back and found to
  // have the hash that MANIFEST says, before it is in force; a failure is returned, and nothing of
  // the generation remains.
  using Check = std::function<absl::Status(const OpenedBundle&)>;
  [[nodiscard]] absl::StatusOr<Manifest> Publish(Manifest manifest, const Check& check = {});

  // After a publication: removes what is older than the newest `keep` (at least 1) generations that
  // pass their checks, and what has never been in force. Returns the manifests of those, the newest
  // first. Generations that do not pass and are not older stay, to be looked at.
  [[nodiscard]] absl::StatusOr<std::vector<Manifest>> Prune(int keep);

 private:
  struct Impl;
  explicit BundleWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Which generation CURRENT names, whatever state it is in. NotFound when there is no CURRENT,
// DataLoss when it names none.
[[nodiscard]] absl::StatusOr<int64_t> CurrentGeneration(const std::string& root);

// Checks the generation that CURRENT names: every file there with its size and SHA-256. When it is
// refused, the newest older generation that passes is taken and the reason is put into `rejected`.
// NotFound when ROOT or CURRENT does not exist; DataLoss, with every reason, when no generation
// passes.
//
// `meanwhile`, unless empty, is called on the calling thread with each generation of which all but
// the contents of its two indexes has passed, while another thread reads those: they may be
// damaged, and what is made of a generation that is refused must be thrown away. It must not throw.
using WhileChecked = std::function<void(const OpenedBundle& unchecked)>;
[[nodiscard]] absl::StatusOr<OpenedBundle> OpenBundle(const std::string& root,
                                                      const WhileChecked& meanwhile = {});

// Lower-case hexadecimal SHA-256 of a file's contents.
[[nodiscard]] absl::StatusOr<std::string> Sha256File(const std::string& path);

}  // namespace antiphon::bundle

#endif  // ANTIPHON_CORE_BUNDLE_BUNDLE_H_
