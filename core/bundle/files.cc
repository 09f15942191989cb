#include "core/bundle/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/bundle/bundle.h"
#include "core/hash/sha256.h"

namespace antiphon::bundle {
namespace {

constexpr char kGenerationPrefix[] = "gen-";
constexpr size_t kReadBytes = 64 << 10;

// Calls use(data, size) with the file's contents, piece by piece, until it returns false.
template <typename Function>
absl::Status ForEachChunk(const Descriptor& file, Function&& use) {
  std::vector<char> buffer(kReadBytes);
  for (off_t offset = 0;;) {
    const ssize_t read = pread(file.get(), buffer.data(), buffer.size(), offset);
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) return absl::ErrnoToStatus(errno, "reading failed");
    if (read == 0 || !use(buffer.data(), static_cast<size_t>(read))) return absl::OkStatus();
    offset += read;
  }
}

absl::Status WriteAll(const Descriptor& file, std::string_view contents) {
  while (!contents.empty()) {
    const ssize_t written = write(file.get(), contents.data(), contents.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return absl::ErrnoToStatus(errno, "cannot be written");
    contents.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::StatusOr<Descriptor> CreateFile(const std::string& folder, const std::string& name) {
  Descriptor file(open(absl::StrCat(folder, "/", name).c_str(),
                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (file.get() < 0) return absl::ErrnoToStatus(errno, absl::StrCat(name, ": cannot be created"));
  return file;
}

absl::Status About(const std::string& name, const absl::Status& failure) {
  return absl::Status(failure.code(), absl::StrCat(name, ": ", failure.message()));
}

}  // namespace

bool IsPlainName(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  };
  return !name.empty() && name.size() <= 200 && name[0] != '.' && name[0] != '-' &&
         std::all_of(name.begin(), name.end(), allowed);
}

std::string GenerationName(int64_t generation) {
  return absl::StrFormat("%s%06d", kGenerationPrefix, generation);
}

std::optional<int64_t> ParseGenerationName(std::string_view name) {
  int64_t generation = 0;
  const std::string_view prefix = kGenerationPrefix;
  if (name.substr(0, prefix.size()) != prefix ||
      !absl::SimpleAtoi(std::string(name.substr(prefix.size())), &generation) || generation < 1 ||
      generation > kMaxGeneration || GenerationName(generation) != name) {
    return std::nullopt;
  }
  return generation;
}

absl::StatusOr<std::string> NewOrigin() {
  char bytes[kOriginDigits / 2];
  if (getentropy(bytes, sizeof(bytes)) != 0)
    return absl::ErrnoToStatus(errno, "no random numbers to be had");
  return absl::BytesToHexString(absl::string_view(bytes, sizeof(bytes)));
}

absl::StatusOr<Descriptor> OpenPlainFile(const std::string& folder, const std::string& name) {
  // Not blocking: opening a pipe would wait for its other end.
  Descriptor file(open(absl::StrCat(folder, "/", name).c_str(),
                       O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0 && (errno == ENOENT || errno == ENOTDIR))
    return absl::NotFoundError(absl::StrCat(name, ": is missing"));
  if (file.get() < 0 && errno == ELOOP)
    return absl::DataLossError(absl::StrCat(name, ": is a link"));
  if (file.get() < 0) return absl::ErrnoToStatus(errno, absl::StrCat(name, ": cannot be opened"));
  struct stat info = {};
  if (fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return absl::DataLossError(absl::StrCat(name, ": is not a plain file"));
  }
  return file;
}

absl::StatusOr<int64_t> SizeOf(const Descriptor& file) {
  struct stat info = {};
  if (fstat(file.get(), &info) != 0) return absl::ErrnoToStatus(errno, "size cannot be read");
  return info.st_size;
}

absl::StatusOr<std::string> ReadAll(const Descriptor& file, size_t max_bytes) {
  std::string contents;
  RETURN_IF_ERROR(ForEachChunk(file, [&](const char* data, size_t size) {
    contents.append(data, size);
    return contents.size() <= max_bytes;
  }));
  if (contents.size() > max_bytes)
    return absl::DataLossError(absl::StrCat("is larger than ", max_bytes, " bytes"));
  return contents;
}

absl::StatusOr<std::string> Sha256(const Descriptor& file) {
  hash::Sha256Stream stream;
  RETURN_IF_ERROR(ForEachChunk(file, [&](const char* data, size_t size) {
    stream.Update({data, size});
    return true;
  }));
  ASSIGN_OR_RETURN(const std::string digest, stream.Finish());
  return absl::BytesToHexString(digest);
}

absl::StatusOr<std::string> Sha256File(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return absl::ErrnoToStatus(errno, "file to hash: cannot be opened");
  return Sha256(file);
}

absl::Status WriteNewFile(const std::string& folder, const std::string& name,
                          std::string_view contents) {
  ASSIGN_OR_RETURN(const Descriptor file, CreateFile(folder, name));
  const absl::Status written = WriteAll(file, contents);
  return written.ok() ? Sync(file) : About(name, written);
}

// Not by std::filesystem::copy_file, which calls a full disk an input/output error.
absl::Status CopyToNewFile(const std::string& from, const std::string& folder,
                           const std::string& name) {
  const Descriptor source(open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (source.get() < 0)
    return absl::ErrnoToStatus(errno, absl::StrCat(name, ": cannot be opened to be copied"));
  ASSIGN_OR_RETURN(const Descriptor file, CreateFile(folder, name));
  absl::Status written;
  const absl::Status read = ForEachChunk(source, [&](const char* data, size_t size) {
    written = WriteAll(file, {data, size});
    return written.ok();
  });
  for (const absl::Status& failure : {read, written}) {
    if (!failure.ok()) return About(name, failure);
  }
  return absl::OkStatus();
}

absl::Status RenameToNew(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0)
    return absl::OkStatus();
  const std::string name = std::filesystem::path(to).filename().string();
  if (errno == EEXIST) return absl::AlreadyExistsError(absl::StrCat(name, ": is there already"));
  return absl::ErrnoToStatus(errno, absl::StrCat(name, ": cannot be given its name"));
}

absl::StatusOr<TemporaryFolder> TemporaryFolder::Create(const std::string& parent,
                                                        std::string_view prefix) {
  std::string path = absl::StrCat(parent, "/", std::string(prefix), "XXXXXX");
  if (mkdtemp(path.data()) == nullptr) return absl::ErrnoToStatus(errno, "no folder can be made");
  TemporaryFolder folder(std::move(path));
  // mkdtemp makes the folder private, but a server may run as another user.
  if (chmod(folder.path().c_str(), 0755) != 0)
    return absl::ErrnoToStatus(errno, "a folder cannot be opened to readers");
  return folder;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

absl::Status Sync(const Descriptor& file) {
  return fsync(file.get()) == 0 ? absl::OkStatus()
                                : absl::ErrnoToStatus(errno, "cannot be made durable");
}

absl::Status SyncFolder(const std::string& folder) {
  const Descriptor descriptor(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.get() < 0) return absl::ErrnoToStatus(errno, "folder cannot be opened");
  return Sync(descriptor);
}

}  // namespace antiphon::bundle
