#include "tests/support/mxl.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "zip.h"

namespace antiphon::testing {
namespace {

// The archive as minizip wants it: a file in memory.
struct Memory {
  std::string bytes;
  size_t position = 0;
};

void* Open(void* memory, const void* /*name*/, int /*mode*/) { return memory; }
uLong Read(void* /*opaque*/, void* stream, void* into, uLong size) {
  auto& memory = *static_cast<Memory*>(stream);
  const size_t count = std::min<size_t>(size, memory.bytes.size() - memory.position);
  std::memcpy(into, memory.bytes.data() + memory.position, count);
  memory.position += count;
  return count;
}
uLong Write(void* /*opaque*/, void* stream, const void* from, uLong size) {
  auto& memory = *static_cast<Memory*>(stream);
  if (memory.bytes.size() < memory.position + size) memory.bytes.resize(memory.position + size);
  std::memcpy(memory.bytes.data() + memory.position, from, size);
  memory.position += size;
  return size;
}
ZPOS64_T Tell(void* /*opaque*/, void* stream) { return static_cast<Memory*>(stream)->position; }
long Seek(void* /*opaque*/, void* stream, ZPOS64_T offset, int origin) {
  auto& memory = *static_cast<Memory*>(stream);
  const size_t base = origin == ZLIB_FILEFUNC_SEEK_CUR   ? memory.position
                      : origin == ZLIB_FILEFUNC_SEEK_END ? memory.bytes.size()
                                                         : 0;
  memory.position = base + offset;
  return 0;
}
int Nothing(void* /*opaque*/, void* /*stream*/) { return 0; }

}  // namespace

std::string MakeMxl(const std::vector<MxlEntry>& entries) {
  Memory memory;
  zlib_filefunc64_def functions = {Open, Read, Write, Tell, Seek, Nothing, Nothing, &memory};
  zipFile file = zipOpen2_64(nullptr, APPEND_STATUS_CREATE, nullptr, &functions);
  for (const MxlEntry& entry : entries) {
    const zip_fileinfo info = {};
    const bool stored = entry.name == "mimetype";
    zipOpenNewFileInZip(file, entry.name.c_str(), &info, nullptr, 0, nullptr, 0, nullptr,
                        stored ? 0 : Z_DEFLATED, stored ? 0 : 9);
    zipWriteInFileInZip(file, entry.contents.data(), static_cast<unsigned>(entry.contents.size()));
    zipCloseFileInZip(file);
  }
  zipClose(file, nullptr);
  return memory.bytes;
}

}  // namespace antiphon::testing
