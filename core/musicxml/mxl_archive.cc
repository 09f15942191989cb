#include "core/musicxml/mxl_archive.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "pugixml.hpp"
#include "unzip.h"

namespace antiphon::notation {
namespace {

constexpr int kMaxEntries = 1000;
constexpr int64_t kMaxContainerBytes = 64 << 10;
constexpr char kContainer[] = "META-INF/container.xml";
constexpr char kScoreType[] = "application/vnd.recordare.musicxml";
constexpr size_t kLocalHeaderBytes = 30;  // of an entry, before its name

// The archive as minizip wants it: a file in memory.
struct Memory {
  std::string_view bytes;
  uint64_t position = 0;
};

void* OpenMemory(void* memory, const void* /*name*/, int /*mode*/) { return memory; }

uLong ReadMemory(void* /*opaque*/, void* stream, void* into, uLong size) {
  auto& memory = *static_cast<Memory*>(stream);
  const uint64_t left = memory.bytes.size() - memory.position;
  const uint64_t count = std::min<uint64_t>(size, left);
  std::memcpy(into, memory.bytes.data() + memory.position, count);
  memory.position += count;
  return static_cast<uLong>(count);
}

uLong WriteMemory(void* /*opaque*/, void* /*stream*/, const void* /*from*/, uLong /*size*/) {
  return 0;
}

ZPOS64_T TellMemory(void* /*opaque*/, void* stream) {
  return static_cast<Memory*>(stream)->position;
}

long SeekMemory(void* /*opaque*/, void* stream, ZPOS64_T offset, int origin) {
  auto& memory = *static_cast<Memory*>(stream);
  const uint64_t size = memory.bytes.size();
  const uint64_t base = origin == ZLIB_FILEFUNC_SEEK_CUR   ? memory.position
                        : origin == ZLIB_FILEFUNC_SEEK_END ? size
                                                           : 0;
  if (offset > size - base) return -1;
  memory.position = base + offset;
  return 0;
}

int CloseMemory(void* /*opaque*/, void* /*stream*/) { return 0; }
int ErrorOfMemory(void* /*opaque*/, void* /*stream*/) { return 0; }

struct Close {
  void operator()(void* file) const { unzClose(file); }
};
using Archive = std::unique_ptr<void, Close>;

Archive Open(Memory& memory) {
  zlib_filefunc64_def functions = {OpenMemory, ReadMemory,  WriteMemory,   TellMemory,
                                   SeekMemory, CloseMemory, ErrorOfMemory, &memory};
  return Archive(unzOpen2_64(nullptr, &functions));
}

absl::Status Damaged(const std::string& why) {
  return absl::InvalidArgumentError(
      absl::StrCat("the MusicXML container (.mxl) cannot be read: ", why));
}

// The current entry, unpacked.
absl::StatusOr<std::string> Unpack(unzFile archive, const std::string& name, int64_t max_bytes) {
  unz_file_info64 info;
  if (unzGetCurrentFileInfo64(archive, &info, nullptr, 0, nullptr, 0, nullptr, 0) != UNZ_OK)
    return Damaged(absl::StrCat(name, " is damaged"));
  if ((info.flag & 1) != 0) return Damaged(absl::StrCat(name, " is encrypted"));
  if (unzOpenCurrentFile(archive) != UNZ_OK)
    return Damaged(absl::StrCat(name, " is damaged or packed in a way that isn't read"));
  std::string contents;
  std::vector<char> buffer(64 << 10);
  int count = 0;
  while ((count = unzReadCurrentFile(archive, buffer.data(),
                                     static_cast<unsigned>(buffer.size()))) > 0) {
    if (static_cast<int64_t>(contents.size()) + count > max_bytes) {
      unzCloseCurrentFile(archive);
      return absl::ResourceExhaustedError(
          absl::StrCat(name, " in the MusicXML container (.mxl) has more than ", max_bytes,
                       " bytes unpacked, the limit"));
    }
    contents.append(buffer.data(), static_cast<size_t>(count));
  }
  const int closed = unzCloseCurrentFile(archive);
  if (count < 0 || closed != UNZ_OK) return Damaged(absl::StrCat(name, " is damaged"));
  return contents;
}

absl::StatusOr<std::vector<std::string>> Names(unzFile archive) {
  std::vector<std::string> names;
  int status = unzGoToFirstFile(archive);
  for (; status == UNZ_OK; status = unzGoToNextFile(archive)) {
    if (names.size() == kMaxEntries) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "the MusicXML container (.mxl) has more than ", kMaxEntries, " entries, the limit"));
    }
    char name[1024] = {};
    unz_file_info64 info;
    if (unzGetCurrentFileInfo64(archive, &info, name, sizeof(name) - 1, nullptr, 0, nullptr, 0) !=
        UNZ_OK)
      return Damaged("its list of entries is damaged");
    names.emplace_back(name);
  }
  if (status != UNZ_END_OF_LIST_OF_FILE) return Damaged("its list of entries is damaged");
  return names;
}

bool NamesScore(std::string_view name) {
  const std::string lower = absl::AsciiStrToLower(std::string(name));
  return !name.starts_with("META-INF/") &&
         (lower.ends_with(".xml") || lower.ends_with(".musicxml"));
}

// The path of the score that the container's list names; empty where it names none.
std::string RootFile(const std::string& container) {
  pugi::xml_document document;
  if (!document.load_buffer(container.data(), container.size(),
                            pugi::parse_cdata | pugi::parse_escapes))
    return "";
  for (const pugi::xml_node file :
       document.child("container").child("rootfiles").children("rootfile")) {
    const std::string_view type = file.attribute("media-type").value();
    if (type.empty() || type.starts_with(kScoreType)) return file.attribute("full-path").value();
  }
  return "";
}

}  // namespace

bool IsZip(std::string_view bytes) { return bytes.starts_with("PK\x03\x04"); }

bool LooksLikeMxl(std::string_view head) {
  if (!IsZip(head) || head.size() < kLocalHeaderBytes) return false;
  const size_t length =
      static_cast<uint8_t>(head[26]) + 256 * static_cast<size_t>(static_cast<uint8_t>(head[27]));
  const std::string_view name = head.substr(kLocalHeaderBytes, length);
  // The type, where it is stated, is the first entry, and not packed.
  if (name == "mimetype") return head.substr(0, 256).find(kScoreType) != std::string_view::npos;
  return name.starts_with("META-INF/") ||
         (NamesScore(name) && !name.starts_with("[Content_Types]"));
}

absl::StatusOr<std::string> UnpackMxl(std::string_view bytes, int64_t max_bytes) {
  Memory memory = {bytes};
  const Archive archive = Open(memory);
  if (archive == nullptr) return Damaged("the archive is damaged or cut off");
  ASSIGN_OR_RETURN(const std::vector<std::string> names, Names(archive.get()));
  std::string score;
  if (unzLocateFile(archive.get(), kContainer, 1) == UNZ_OK) {
    ASSIGN_OR_RETURN(const std::string container,
                     Unpack(archive.get(), kContainer, kMaxContainerBytes));
    score = RootFile(container);
  }
  if (std::find(names.begin(), names.end(), score) == names.end()) {
    const auto found = std::find_if(names.begin(), names.end(), NamesScore);
    if (found == names.end()) return Damaged("there is no score in it");
    score = *found;
  }
  if (unzLocateFile(archive.get(), score.c_str(), 1) != UNZ_OK)
    return Damaged("its list of entries is damaged");
  return Unpack(archive.get(), "the score", max_bytes);
}

}  // namespace antiphon::notation
