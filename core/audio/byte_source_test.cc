#include "core/audio/byte_source.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "core/testing/temporary_folder.h"

namespace antiphon::audio {
namespace {

TEST(ByteSourceTest, MemoryFilesAndPartsAreReadAlike) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() + "/bytes";
  std::ofstream(path) << "0123456789";
  auto file = FileBytes::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  MemoryBytes memory("0123456789");
  SplicedBytes whole("", memory, 0, 10), spliced("012", memory, 3, 10);
  for (ByteSource* source :
       std::initializer_list<ByteSource*>{&memory, file->get(), &whole, &spliced}) {
    EXPECT_EQ(source->size(), 10);
    EXPECT_EQ(source->Bytes(0, 10), "0123456789");
    EXPECT_EQ(source->Bytes(2, 3), "234");
    EXPECT_EQ(source->Bytes(8, 100), "89");
    EXPECT_EQ(source->Bytes(10, 1), "");
    EXPECT_EQ(source->Bytes(1'000'000, 1), "");
  }
  SplicedBytes part("<", memory, 4, 6);
  EXPECT_EQ(part.Bytes(0, 10), "<45");
  EXPECT_EQ(part.Bytes(2, 10), "5");
}

TEST(ByteSourceTest, FilesThatAreNotThereAreNamed) {
  const testing::TemporaryFolder folder;
  EXPECT_TRUE(absl::IsNotFound(FileBytes::Open(folder.path() + "/none").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(FileBytes::Open(folder.path()).status()));
}

TEST(ByteCursorTest, SeeksAnywhereButBeforeTheBeginning) {
  MemoryBytes bytes("0123456789");
  ByteCursor cursor(bytes);
  char buffer[4];
  EXPECT_EQ(cursor.Read(buffer), 4u);
  EXPECT_EQ(cursor.position(), 4);
  EXPECT_FALSE(cursor.Seek(-1));
  EXPECT_EQ(cursor.position(), 4);
  EXPECT_TRUE(cursor.Seek(8));
  EXPECT_EQ(cursor.Read(buffer), 2u);
  EXPECT_EQ(cursor.Read(buffer), 0u);
  EXPECT_TRUE(cursor.Seek(int64_t{1} << 40));
  EXPECT_EQ(cursor.Read(buffer), 0u);
}

TEST(ByteCursorTest, WhoReadsInCirclesFindsNothingAnyMore) {
  const std::string megabyte(1 << 20, 'x');
  MemoryBytes bytes(megabyte);
  ByteCursor cursor(bytes);
  std::string buffer(4096, '\0');
  int64_t read = 0, rounds = 0;
  while (rounds < 1'000'000) {
    ++rounds;
    if (!cursor.Seek(0)) break;
    const size_t got = cursor.Read(buffer);
    if (got == 0) break;
    read += static_cast<int64_t>(got);
  }
  EXPECT_TRUE(cursor.exhausted());
  EXPECT_GT(read, 10 << 20) << "who reads a file several times is no such reader";
  EXPECT_LT(read, 20 << 20);
}

}  // namespace
}  // namespace antiphon::audio
