#include "server/services/pages.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"
#include "server/wire/status_map.h"

namespace antiphon::server {
namespace {

// FNV-1a (Fowler, Noll & Vo): the same in every process, so that a token outlives a restart.
class Fingerprint {
 public:
  void Add(absl::string_view text) {
    for (const unsigned char c : text) hash_ = (hash_ ^ c) * 1099511628211ull;
    hash_ *= 1099511628211ull;  // where one text ends and the next begins
  }
  void Add(int64_t number) { hash_ = (hash_ ^ static_cast<uint64_t>(number)) * 1099511628211ull; }
  uint64_t value() const { return hash_; }

 private:
  uint64_t hash_ = 14695981039346656037ull;
};

// Equal only for the same sources in the same versions and order, and the same filter.
uint64_t FingerprintOf(const std::vector<std::string>& entries, absl::string_view) {
  Fingerprint fingerprint;
  for (const std::string& entry : entries) fingerprint.Add(absl::string_view(entry));
  return fingerprint.value();
}

template <typename Source>
uint64_t FingerprintOf(const std::vector<Source>& sources, absl::string_view filter) {
  Fingerprint fingerprint;
  fingerprint.Add(filter);
  for (const Source& source : sources) {
    fingerprint.Add(absl::string_view(source.id));
    fingerprint.Add(source.version);
  }
  return fingerprint.value();
}

// Printable ASCII that says nothing to a client: the position to go on from, and a hash of it with
// the list's fingerprint.
std::string EncodeToken(int64_t first, uint64_t list) {
  Fingerprint seal;
  seal.Add(absl::StrCat(first, "\n", list));
  return absl::StrCat(first, "-", absl::Hex(seal.value()));
}

absl::StatusOr<int64_t> DecodeToken(absl::string_view text, uint64_t list) {
  int64_t first = 0;
  if (!absl::SimpleAtoi(text.substr(0, text.find('-')), &first) || first < 0 ||
      EncodeToken(first, list) != text) {
    return FieldError(
        absl::StatusCode::kInvalidArgument, "page_token",
        "not one of this filter and of the collection as it is now; start again without it");
  }
  return first;
}

bool Passes(const std::string&, const std::vector<absl::string_view>&) { return true; }

template <typename Source>
bool Passes(const Source& source, const std::vector<absl::string_view>& words) {
  if (words.empty()) return true;
  const std::string text =
      absl::AsciiStrToLower(absl::StrCat(source.id, "\n", source.title, "\n", source.composer));
  return std::all_of(words.begin(), words.end(),
                     [&](absl::string_view word) { return absl::StrContains(text, word); });
}

template <typename Source>
absl::StatusOr<SourcePage> Select(const std::vector<Source>& sources, absl::string_view filter,
                                  absl::string_view page_token, int page_size) {
  const uint64_t list = FingerprintOf(sources, filter);
  int64_t first = 0;
  if (!page_token.empty()) {
    ASSIGN_OR_RETURN(const int64_t decoded, DecodeToken(page_token, list));
    first = decoded;
  }
  const std::string lower = absl::AsciiStrToLower(filter);
  const std::vector<absl::string_view> words =
      absl::StrSplit(lower, absl::ByAnyChar(" \t\r\n"), absl::SkipEmpty());
  SourcePage page;
  for (size_t i = 0; i < sources.size(); ++i) {
    if (!Passes(sources[i], words)) continue;
    ++page.total;
    if (static_cast<int64_t>(i) < first) continue;
    if (static_cast<int>(page.positions.size()) < page_size) {
      page.positions.push_back(static_cast<int>(i));
    } else if (page.next_page_token.empty()) {
      page.next_page_token = EncodeToken(static_cast<int64_t>(i), list);
    }
  }
  return page;
}

}  // namespace

absl::StatusOr<SourcePage> SelectPage(const std::vector<catalog::Piece>& pieces,
                                      absl::string_view filter, absl::string_view page_token,
                                      int page_size) {
  return Select(pieces, filter, page_token, page_size);
}

absl::StatusOr<SourcePage> SelectPage(const std::vector<catalog::Recording>& recordings,
                                      absl::string_view filter, absl::string_view page_token,
                                      int page_size) {
  return Select(recordings, filter, page_token, page_size);
}

absl::StatusOr<SourcePage> SelectPage(const std::vector<std::string>& entries,
                                      absl::string_view page_token, int page_size) {
  return Select(entries, "", page_token, page_size);
}

}  // namespace antiphon::server
