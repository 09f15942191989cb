// Pages of lists, of pieces and recordings above all: filter and page token. Stateless; safe from
// any thread.
#ifndef ANTIPHON_SERVER_SERVICES_PAGES_H_
#define ANTIPHON_SERVER_SERVICES_PAGES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/catalog/catalog.h"

namespace antiphon::server {

struct SourcePage {
  std::vector<int> positions;
  std::string next_page_token;  // empty on the last page
  int64_t total = 0;            // sources that pass the filter, over all pages
};

// Sources in order, at most `page_size`, in whose id, title or composer every word of `filter`
// occurs; ASCII letters of either case are alike. `page_token` is empty for the first page and
// next_page_token of the page before for the others: InvalidArgument "page_token" when it is not
// one, belongs to another filter, or the list has changed since.
[[nodiscard]] absl::StatusOr<SourcePage> SelectPage(const std::vector<catalog::Piece>& pieces,
                                                    absl::string_view filter,
                                                    absl::string_view page_token, int page_size);
[[nodiscard]] absl::StatusOr<SourcePage> SelectPage(
    const std::vector<catalog::Recording>& recordings, absl::string_view filter,
    absl::string_view page_token, int page_size);

// Likewise of anything else, unfiltered: `entries` tell one from the other.
[[nodiscard]] absl::StatusOr<SourcePage> SelectPage(const std::vector<std::string>& entries,
                                                    absl::string_view page_token, int page_size);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVICES_PAGES_H_
