#include "core/retrieval/search_space.h"

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/status_macros.h"

namespace antiphon::retrieval {

SearchSpace Remembering(SearchSpace space, int dimension) {
  using Found = SearchSpace::Found;
  using Asked = std::pair<std::vector<float>, int>;  // the vector, for so many neighbours
  using Memory = std::map<Asked, std::vector<Found>>;
  space.search = [known = std::make_shared<Memory>(), look_for = std::move(space.search),
                  dimension](std::span<const float> queries,
                             int k) -> absl::StatusOr<std::vector<Found>> {
    std::vector<Asked> asked;
    for (; !queries.empty(); queries = queries.subspan(dimension))
      asked.emplace_back(std::vector<float>(queries.begin(), queries.begin() + dimension), k);
    Memory unknown;
    std::vector<float> rows;
    std::vector<std::vector<Found>*> found_for;  // by row
    for (const Asked& one : asked) {
      if (known->contains(one)) continue;
      const auto [entry, is_new] = unknown.try_emplace(one);
      if (!is_new) continue;
      rows.insert(rows.end(), one.first.begin(), one.first.end());
      found_for.push_back(&entry->second);
    }
    if (!unknown.empty()) {
      ASSIGN_OR_RETURN(const std::vector<Found> found, look_for(rows, k));
      for (const Found& one : found) found_for[one.query]->push_back(one);
      known->merge(std::move(unknown));
    }
    std::vector<Found> result;
    for (size_t query = 0; query < asked.size(); ++query) {
      for (Found found : known->at(asked[query])) {
        found.query = static_cast<int>(query);
        result.push_back(found);
      }
    }
    return result;
  };
  return space;
}

}  // namespace antiphon::retrieval
