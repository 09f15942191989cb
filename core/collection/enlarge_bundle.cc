// Makes a collection of many snippets out of a small one, to measure what size costs: copies of its
// scores, with vectors turned at random, stand for other music. Recognition measured on it means
// nothing.
//
//   enlarge_bundle BUNDLE NEW SNIPPETS
//
// Publishes the bundle NEW, with the model and the recordings of BUNDLE, and at least so many
// snippets of scores. Takes a kilobyte of memory per snippet.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/bundle/bundle.h"
#include "core/collection/collection_files.h"
#include "core/collection/generation_writer.h"
#include "core/collection/loaded_collection.h"

namespace antiphon::collection {
namespace {

using catalog::Side;

// Of each value of a vector of length 1: with 64 values, cosines to the original are about 0.5.
constexpr float kDeviation = 0.22F;

void Turn(std::vector<float>& vectors, int dimension, std::mt19937& random) {
  std::normal_distribution<float> noise(0, kDeviation);
  for (size_t first = 0; first < vectors.size(); first += dimension) {
    float square = 0;
    for (int i = 0; i < dimension; ++i) {
      float& value = vectors[first + i];
      value += noise(random);
      square += value * value;
    }
    for (int i = 0; i < dimension; ++i) vectors[first + i] /= std::sqrt(square);
  }
}

absl::StatusOr<std::vector<Edit>> Copies(const LoadedCollection& loaded, int64_t snippets) {
  std::mt19937 random;
  std::vector<Edit> edits;
  int64_t count = loaded.view->vector_count(Side::kScores);
  if (count == 0) return absl::InvalidArgumentError("the bundle has no score");
  const auto pieces = static_cast<int>(loaded.view->source_count(Side::kScores));
  for (int number = 0; count < snippets; ++number) {
    ASSIGN_OR_RETURN(catalog::SourceRecord copy,
                     ReadSource(*loaded.view, Side::kScores, number % pieces));
    absl::StrAppend(&copy.piece.id, " copy ", number + 1);
    if (loaded.view->FindPiece(copy.piece.id).has_value())
      return absl::InvalidArgumentError("the bundle is itself one that was enlarged");
    Turn(copy.vectors, loaded.manifest.dimension, random);
    count += static_cast<int64_t>(copy.vectors.size()) / loaded.manifest.dimension;
    edits.push_back({Side::kScores, copy.piece.id,
                     std::make_shared<const catalog::SourceRecord>(std::move(copy))});
  }
  return edits;
}

absl::Status Enlarge(const std::string& from, const std::string& to, int64_t snippets) {
  ASSIGN_OR_RETURN(const bundle::OpenedBundle opened, bundle::OpenBundle(from));
  ASSIGN_OR_RETURN(const auto loaded, OpenGeneration(opened, {}));
  LoadedCollection large = *loaded;
  {
    ASSIGN_OR_RETURN(const std::vector<Edit> copies, Copies(*loaded, snippets));
    large.view = loaded->view->With(copies);
  }
  ASSIGN_OR_RETURN(const auto writer, bundle::BundleWriter::Create(to));
  ASSIGN_OR_RETURN(bundle::Manifest manifest,
                   WriteGeneration(large, opened.directory, writer->directory(), {},
                                   [] { return absl::OkStatus(); }));
  ASSIGN_OR_RETURN(manifest, writer->Publish(std::move(manifest)));
  std::printf("%lld snippets of %lld scores\n",
              static_cast<long long>(large.view->vector_count(Side::kScores)),
              static_cast<long long>(large.view->source_count(Side::kScores)));
  return absl::OkStatus();
}

}  // namespace
}  // namespace antiphon::collection

int main(int argc, char** argv) {
  int64_t snippets = 0;
  if (argc != 4 || !absl::SimpleAtoi(argv[3], &snippets) || snippets < 1) {
    std::fprintf(stderr, "enlarge_bundle BUNDLE NEW SNIPPETS\n");
    return EXIT_FAILURE;
  }
  const absl::Status done = antiphon::collection::Enlarge(argv[1], argv[2], snippets);
  if (!done.ok()) std::fprintf(stderr, "%s\n", done.ToString().c_str());
  return done.ok() ? EXIT_SUCCESS : EXIT_FAILURE;
}
