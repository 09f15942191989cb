#include "server/piece_list.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/status_map.h"

namespace antiphon::server {
namespace {

// FNV-1a (Fowler, Noll & Vo): the same in every process, so that a token outlives a restart.
uint64_t Fingerprint(absl::string_view text) {
  uint64_t hash = 14695981039346656037ull;
  for (const unsigned char c : text) hash = (hash ^ c) * 1099511628211ull;
  return hash;
}

std::string Checked(const PageToken& token) {
  return absl::StrCat(token.first, "-",
                      absl::Hex(Fingerprint(absl::StrCat(token.generation, "\n", token.first, "\n", token.filter))));
}

}  // namespace

std::string EncodePageToken(const PageToken& token) { return Checked(token); }

absl::StatusOr<int64_t> DecodePageToken(absl::string_view text, int64_t generation, absl::string_view filter) {
  if (text.empty()) return 0;
  PageToken token{generation, std::string(filter), 0};
  const absl::string_view number = text.substr(0, text.find('-'));
  if (!absl::SimpleAtoi(number, &token.first) || token.first < 0 || Checked(token) != text) {
    return FieldError(absl::StatusCode::kInvalidArgument, "page_token",
                      "not one of this collection and filter; start again without it");
  }
  return token.first;
}

PiecePage SelectPieces(const std::vector<catalog::Piece>& pieces, absl::string_view filter, int64_t first,
                       int page_size) {
  const std::string lower = absl::AsciiStrToLower(filter);
  const std::vector<absl::string_view> words = absl::StrSplit(lower, absl::ByAnyChar(" \t\r\n"), absl::SkipEmpty());
  PiecePage page;
  for (size_t i = 0; i < pieces.size(); ++i) {
    const catalog::Piece& piece = pieces[i];
    if (!words.empty()) {
      const std::string text = absl::AsciiStrToLower(absl::StrCat(piece.id, "\n", piece.title, "\n", piece.composer));
      const bool passes = std::all_of(words.begin(), words.end(),
                                      [&](absl::string_view word) { return absl::StrContains(text, word); });
      if (!passes) continue;
    }
    ++page.total;
    if (static_cast<int64_t>(i) < first) continue;
    if (static_cast<int>(page.pieces.size()) < page_size) {
      page.pieces.push_back(static_cast<int>(i));
    } else if (page.next < 0) {
      page.next = static_cast<int64_t>(i);
    }
  }
  return page;
}

}  // namespace antiphon::server
