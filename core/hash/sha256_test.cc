#include "core/hash/sha256.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"

namespace antiphon::hash {
namespace {

TEST(Sha256Test, HashesAreTheStandardsOwnExamples) {  // FIPS 180-4
  EXPECT_EQ(HexSha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(HexSha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(absl::BytesToHexString(Sha256("abc")), HexSha256("abc"));
}

TEST(Sha256Test, PiecesHashLikeTheWhole) {
  const std::string text(1000, 'a');
  for (const size_t piece : {size_t{1}, size_t{63}, size_t{64}, size_t{999}, size_t{1000}}) {
    Sha256Stream stream;
    stream.Update("");
    for (size_t i = 0; i < text.size(); i += piece)
      stream.Update(std::string_view(text).substr(i, piece));
    EXPECT_EQ(stream.Finish().value(), Sha256(text)) << piece;
  }
}

}  // namespace
}  // namespace antiphon::hash
