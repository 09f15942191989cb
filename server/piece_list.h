// Pages of the list of pieces: filter and page token. Stateless; safe from any thread.
#ifndef ANTIPHON_SERVER_PIECE_LIST_H_
#define ANTIPHON_SERVER_PIECE_LIST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/catalog/catalog.h"

namespace antiphon::server {

// A page to come: of which collection, with which filter, from which piece on.
struct PageToken {
  int64_t generation = 0;
  std::string filter;
  int64_t first = 0;  // position in the list of all pieces
};

// Printable ASCII that says nothing to a client.
std::string EncodePageToken(const PageToken& token);

// The position to go on from; InvalidArgument "page_token" when `text` is not a token that EncodePageToken made for the
// same generation and filter. Empty text is position 0.
[[nodiscard]] absl::StatusOr<int64_t> DecodePageToken(absl::string_view text, int64_t generation,
                                                      absl::string_view filter);

struct PiecePage {
  std::vector<int> pieces;  // positions
  int64_t next = -1;        // where the page after this one starts; -1 when there is none
  int64_t total = 0;        // pieces that pass the filter, over all pages
};

// Pieces in order, from `first` on, at most `page_size`, in whose id, title or composer every word of `filter` occurs;
// ASCII letters of either case are alike.
PiecePage SelectPieces(const std::vector<catalog::Piece>& pieces, absl::string_view filter, int64_t first,
                       int page_size);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_PIECE_LIST_H_
