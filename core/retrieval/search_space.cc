#include "core/retrieval/search_space.h"

#include <map>
#include <memory>

#include "core/base/status_macros.h"

namespace antiphon::retrieval {

SearchSpace Remembering(SearchSpace space, int dimension) {
  using Vector = std::vector<float>;
  using Found = SearchSpace::Found;
  const auto known = std::make_shared<std::map<Vector, std::vector<Found>>>();
  const auto look_for = space.search;
  space.search = [known, look_for, dimension](std::span<const float> queries,
                                              int k) -> absl::StatusOr<std::vector<Found>> {
    std::vector<Vector> vectors;
    for (; !queries.empty(); queries = queries.subspan(dimension))
      vectors.emplace_back(queries.begin(), queries.begin() + dimension);
    std::map<Vector, std::vector<Found>> unknown;
    Vector rows;
    std::vector<std::vector<Found>*> found_for;
    for (const Vector& vector : vectors) {
      if (known->contains(vector)) continue;
      const auto [entry, is_new] = unknown.try_emplace(vector);
      if (!is_new) continue;
      rows.insert(rows.end(), vector.begin(), vector.end());
      found_for.push_back(&entry->second);
    }
    if (!unknown.empty()) {
      ASSIGN_OR_RETURN(const std::vector<Found> found, look_for(rows, k));
      for (const Found& one : found) found_for[one.query]->push_back(one);
      known->merge(std::move(unknown));
    }
    std::vector<Found> result;
    for (size_t query = 0; query < vectors.size(); ++query) {
      for (Found found : known->at(vectors[query])) {
        found.query = static_cast<int>(query);
        result.push_back(found);
      }
    }
    return result;
  };
  return space;
}

}  // namespace antiphon::retrieval
