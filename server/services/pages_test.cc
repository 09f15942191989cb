#include "server/services/pages.h"

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

std::vector<catalog::Piece> Pieces() {
  return {Piece("bwv114", "Menuet in G", "Petzold"),
          Piece("k331", "Sonata in A, Alla Turca", "Mozart"),
          Piece("woo59", "Für Elise", "Beethoven"), Piece("k545", "Sonata in C", "Mozart")};
}

std::vector<int> Passing(const std::string& filter) {
  return SelectPage(Pieces(), filter, "", 10)->positions;
}

TEST(Pages, PagesPutTogetherAreTheList) {
  std::vector<catalog::Piece> pieces;
  for (int i = 0; i < 101; ++i)
    pieces.push_back(Piece(absl::StrCat("p", i), i % 3 ? "Waltz" : "March", ""));
  for (const char* filter : {"", "waltz", "march", "nothing"}) {
    const auto all = SelectPage(pieces, filter, "", 1000);
    ASSERT_TRUE(all.ok());
    EXPECT_TRUE(all->next_page_token.empty());
    EXPECT_EQ(all->total, static_cast<int64_t>(all->positions.size()));
    for (const int size : {1, 7, 50, 100}) {
      std::vector<int> seen;
      std::string token;
      do {
        const auto page = SelectPage(pieces, filter, token, size);
        ASSERT_TRUE(page.ok()) << page.status();
        EXPECT_EQ(page->total, all->total);
        EXPECT_LE(page->positions.size(), static_cast<size_t>(size));
        seen.insert(seen.end(), page->positions.begin(), page->positions.end());
        token = page->next_page_token;
      } while (!token.empty());
      EXPECT_EQ(seen, all->positions) << filter << ", pages of " << size;
    }
  }
}

TEST(Pages, EveryWordOfTheFilterMustOccurSomewhere) {
  EXPECT_EQ(Passing("mozart"), std::vector<int>({1, 3}));
  EXPECT_EQ(Passing("  TURCA   mozart "), std::vector<int>({1}));
  EXPECT_EQ(Passing("Für"), std::vector<int>({2}));
  EXPECT_EQ(Passing("bwv"), std::vector<int>({0}));
  EXPECT_TRUE(Passing("mozart beethoven").empty());
}

TEST(Pages, RecordingsAreListedAlike) {
  std::vector<catalog::Recording> recordings(3);
  for (int i = 0; i < 3; ++i) recordings[i].id = absl::StrCat("take", i);
  recordings[2].composer = "Mozart";
  const auto page = SelectPage(recordings, "", "", 2);
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->positions, std::vector<int>({0, 1}));
  EXPECT_EQ(SelectPage(recordings, "", page->next_page_token, 2)->positions, std::vector<int>({2}));
  EXPECT_EQ(SelectPage(recordings, "mozart take", "", 2)->positions, std::vector<int>({2}));
}

TEST(Pages, ATokenHoldsForItsListAndFilterOnly) {
  std::vector<catalog::Piece> pieces = Pieces();
  const std::string token = SelectPage(pieces, "sonata", "", 1)->next_page_token;
  ASSERT_FALSE(token.empty());
  EXPECT_TRUE(SelectPage(pieces, "sonata", token, 1).ok());
  EXPECT_TRUE(SelectPage(Pieces(), "sonata", token, 5).ok()) << "it is the contents that count";
  EXPECT_FALSE(SelectPage(pieces, "menuet", token, 1).ok());
  EXPECT_FALSE(SelectPage(pieces, "", token, 1).ok());

  pieces[0].version = 1;
  EXPECT_FALSE(SelectPage(pieces, "sonata", token, 1).ok()) << "a piece was updated";
  pieces = Pieces();
  std::swap(pieces[1], pieces[3]);
  EXPECT_FALSE(SelectPage(pieces, "sonata", token, 1).ok()) << "the order has changed";
  pieces = Pieces();
  pieces.pop_back();
  EXPECT_FALSE(SelectPage(pieces, "sonata", token, 1).ok()) << "a piece was deleted";
}

TEST(Pages, AForgedTokenIsRefused) {
  const std::vector<catalog::Piece> pieces = Pieces();
  const std::string token = SelectPage(pieces, "", "", 2)->next_page_token;
  for (const std::string& forged :
       {std::string("2"), absl::StrCat("3", token.substr(1)), absl::StrCat(token, "0"),
        std::string("-1-ff"), std::string("99999999999999999999-0"), std::string("\0x", 2),
        std::string(" "), token.substr(0, token.size() - 1)}) {
    EXPECT_EQ(SelectPage(pieces, "", forged, 2).status().code(), absl::StatusCode::kInvalidArgument)
        << forged;
  }
}

}  // namespace
}  // namespace antiphon::server
