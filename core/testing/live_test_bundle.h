// A bundle for tests of what is served and changed at once: small pieces, a model that nobody
// trained.
#ifndef ANTIPHON_CORE_TESTING_LIVE_TEST_BUNDLE_H_
#define ANTIPHON_CORE_TESTING_LIVE_TEST_BUNDLE_H_

#include <string>
#include <string_view>
#include <vector>

#include "core/bundle/manifest.h"
#include "core/collection/bundle_builder.h"
#include "core/collection/collection_view.h"
#include "core/editing/collection_store.h"

namespace antiphon::testing {

// Twelve seconds of RandomPiece(seed), and the same as played.
std::string MidiOf(int seed);
std::string AudioOf(int seed);

// FOLDER/model and FOLDER/bundle.
class LiveTestBundle {
 public:
  // Writes the model.
  explicit LiveTestBundle(std::string folder);

  std::string root() const { return folder_ + "/bundle"; }
  std::string Path(std::string_view name) const { return folder_ + "/" + std::string(name); }

  // Publishes a generation from scratch with the pieces "p0", …, "p(pieces - 1)", p(i) being
  // MidiOf(first_seed + i) of the work "work-(i / 2)", and recordings "r0", … of the first of them.
  bundle::Manifest Index(int pieces, int recordings, int first_seed = 0,
                         index::IndexKind kind = index::IndexKind::kFlat) const;

  // As an indexing from scratch of the contents in their order would be, published below
  // Path(name).
  void IndexAfresh(const collection::CollectionView& view, const bundle::Manifest& manifest,
                   std::string_view name) const;

  collection::BuilderOptions builder_options() const;

 private:
  const std::string folder_;
};

// What is there, one line for each source: id, title, composer, collection, work of a piece or
// piece of a recording, version, hash of the bytes. Sorted.
std::vector<std::string> Listing(const collection::CollectionView& view, bool with_versions = true);

// Where the collections differ in the order of their sources, in what is kept of these, or in their
// answers to queries made from pieces of `seeds`; empty when they do not.
std::string Difference(const retrieval::BundleCollection& one,
                       const retrieval::BundleCollection& other, const std::vector<int>& seeds);

// `live` compared with a fresh index of the same contents.
std::string DifferenceFromFresh(const LiveTestBundle& bundle,
                                const retrieval::BundleCollection& live,
                                const std::vector<int>& seeds);

}  // namespace antiphon::testing

#endif  // ANTIPHON_CORE_TESTING_LIVE_TEST_BUNDLE_H_
