#include "server/piece_list.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace antiphon::server {
namespace {

catalog::Piece Piece(const std::string& id, const std::string& title, const std::string& composer) {
  catalog::Piece piece;
  piece.id = id;
  piece.title = title;
  piece.composer = composer;
  return piece;
}

const std::vector<catalog::Piece>& Pieces() {
  static const auto& pieces = *new std::vector<catalog::Piece>{
      Piece("bwv114", "Menuet in G", "Petzold"), Piece("k331", "Sonata in A, Alla Turca", "Mozart"),
      Piece("woo59", "Für Elise", "Beethoven"), Piece("k545", "Sonata in C", "Mozart")};
  return pieces;
}

TEST(PieceList, PagesPutTogetherAreTheList) {
  std::vector<catalog::Piece> pieces;
  for (int i = 0; i < 101; ++i) pieces.push_back(Piece(absl::StrCat("p", i), i % 3 ? "Waltz" : "March", ""));
  for (const char* filter : {"", "waltz", "march", "nothing"}) {
    const PiecePage all = SelectPieces(pieces, filter, 0, 1000);
    EXPECT_EQ(all.next, -1);
    for (const int size : {1, 7, 50, 100}) {
      std::vector<int> seen;
      int64_t first = 0;
      while (first >= 0) {
        const PiecePage page = SelectPieces(pieces, filter, first, size);
        EXPECT_EQ(page.total, all.total);
        seen.insert(seen.end(), page.pieces.begin(), page.pieces.end());
        first = page.next;
      }
      EXPECT_EQ(seen, all.pieces) << filter << ", pages of " << size;
    }
  }
}

TEST(PieceList, EveryWordOfTheFilterMustOccurSomewhere) {
  EXPECT_EQ(SelectPieces(Pieces(), "mozart", 0, 10).total, 2);
  EXPECT_EQ(SelectPieces(Pieces(), "  TURCA   mozart ", 0, 10).pieces, std::vector<int>({1}));
  EXPECT_EQ(SelectPieces(Pieces(), "Für", 0, 10).pieces, std::vector<int>({2}));
  EXPECT_EQ(SelectPieces(Pieces(), "bwv", 0, 10).pieces, std::vector<int>({0}));
  EXPECT_EQ(SelectPieces(Pieces(), "mozart beethoven", 0, 10).total, 0);
}

TEST(PieceList, ATokenLeadsBackToItsPlace) {
  const std::string token = EncodePageToken({.generation = 3, .filter = "bach", .first = 250});
  EXPECT_EQ(*DecodePageToken(token, 3, "bach"), 250);
  EXPECT_EQ(*DecodePageToken("", 3, "bach"), 0);
}

TEST(PieceList, ATokenOfAnotherListIsRefused) {
  const std::string token = EncodePageToken({.generation = 3, .filter = "bach", .first = 250});
  EXPECT_FALSE(DecodePageToken(token, 4, "bach").ok());
  EXPECT_FALSE(DecodePageToken(token, 3, "mozart").ok());
  for (const std::string& forged : {std::string("250"), "251" + token.substr(3), token + "0", std::string("-1-ff"),
                                    std::string("99999999999999999999-0"), std::string("\0x", 2)}) {
    EXPECT_EQ(DecodePageToken(forged, 3, "bach").status().code(), absl::StatusCode::kInvalidArgument) << forged;
  }
}

}  // namespace
}  // namespace antiphon::server
