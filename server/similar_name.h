// Which name somebody meant who wrote another one. Pure functions; safe from any thread.
#ifndef ANTIPHON_SERVER_SIMILAR_NAME_H_
#define ANTIPHON_SERVER_SIMILAR_NAME_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace antiphon::server {

// The one of `names` that `name`, which is none of them, nearly equals: but for a letter or two
// (wrokers), or word by word (words stand between dashes), in whatever order, where a word may be
// in the plural, written out (directory for dir), or where there are several, one of them left out
// or added. The nearest when there are more; nullopt when there is none.
std::optional<std::string> SimilarName(absl::string_view name,
                                       const std::vector<std::string>& names);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SIMILAR_NAME_H_
