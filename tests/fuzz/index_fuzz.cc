// Files of FAISS indexes: any bytes give an index that can be used in every way, or a reason.
#include <vector>

#include "core/index/vector_index.h"
#include "tests/fuzz/fuzz.h"

using antiphon::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace index = antiphon::index;
  static antiphon::fuzz::Scratch scratch;
  const std::string path = scratch.File("index.faiss");
  antiphon::fuzz::WriteBytes(path, antiphon::fuzz::AsText(data, size));
  index::IndexOptions options;
  options.dimension = 4;
  options.threads = 1;
  auto loaded = index::VectorIndex::Load(path, options);
  if (!loaded.ok()) {
    antiphon::fuzz::RequireRefusal(loaded.status(), {absl::StatusCode::kDataLoss});
    return 0;
  }
  index::VectorIndex& opened = **loaded;
  std::vector<float> queries = {1, 0, 0, 0, 0.5f, 0.5f, 0.5f, -0.5f};
  for (const int k : {1, 50}) {
    const auto result = opened.Search(queries, k);
    Require(result.ok(), "what is loaded can be searched");
    for (const int64_t id : result->ids)
      Require(id >= -1 && id < opened.size(), "neighbours are vectors of the index");
  }
  Require(opened.Reconstruct(0, opened.size()).ok(), "every vector can be had back");
  Require(!opened.Reconstruct(opened.size(), 1).ok(), "there are no vectors beyond the last");
  Require(opened.Add(queries).ok(), "what is loaded can be added to");
  Require(opened.Search(queries, 5).ok(), "and searched again");
  return 0;
}
