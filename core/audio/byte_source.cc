#include "core/audio/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace antiphon::audio {
namespace {

// Readers look at a header more than once and seek in an index; none needs a file's bytes sixteen
// times. A call costs more than its bytes, so that very many small ones end as well.
constexpr int64_t kTimesRead = 16;
constexpr int64_t kBytesPerCall = 64;
constexpr int64_t kLeastBudget = 1 << 20;

}  // namespace

std::string ByteSource::Bytes(int64_t offset, int64_t count) {
  std::string bytes(std::clamp<int64_t>(size() - offset, 0, count), '\0');
  bytes.resize(ReadAt(offset, bytes));
  return bytes;
}

size_t MemoryBytes::ReadAt(int64_t offset, std::span<char> buffer) {
  if (offset >= size()) return 0;
  const size_t count = std::min(buffer.size(), bytes_.size() - static_cast<size_t>(offset));
  std::memcpy(buffer.data(), bytes_.data() + offset, count);
  return count;
}

absl::StatusOr<std::unique_ptr<FileBytes>> FileBytes::Open(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    return absl::NotFoundError(absl::StrCat("no file '", path, "'"));
  if (!std::filesystem::is_regular_file(path, error))
    return absl::InvalidArgumentError(absl::StrCat("'", path, "' is not a file"));
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat about {};
  if (descriptor < 0 || fstat(descriptor, &about) != 0) {
    if (descriptor >= 0) close(descriptor);
    return absl::InvalidArgumentError(absl::StrCat("'", path, "' cannot be read"));
  }
  return std::unique_ptr<FileBytes>(new FileBytes(descriptor, about.st_size));
}

FileBytes::~FileBytes() { close(descriptor_); }

size_t FileBytes::ReadAt(int64_t offset, std::span<char> buffer) {
  size_t done = 0;
  while (done < buffer.size()) {
    const ssize_t got = pread(descriptor_, buffer.data() + done, buffer.size() - done,
                              offset + static_cast<int64_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

size_t SplicedBytes::ReadAt(int64_t offset, std::span<char> buffer) {
  const auto header_size = static_cast<int64_t>(header_.size());
  size_t done = 0;
  if (offset < header_size) {
    done = std::min(buffer.size(), static_cast<size_t>(header_size - offset));
    std::memcpy(buffer.data(), header_.data() + offset, done);
  }
  const int64_t from = begin_ + offset + static_cast<int64_t>(done) - header_size;
  if (from >= end_) return done;
  const std::span<char> rest = buffer.subspan(done);
  return done + source_.ReadAt(from, rest.first(std::min<size_t>(rest.size(), end_ - from)));
}

ByteCursor::ByteCursor(ByteSource& source)
    : source_(source), budget_(kLeastBudget + kTimesRead * source.size()) {}

bool ByteCursor::Seek(int64_t position) {
  budget_ -= kBytesPerCall;
  if (position < 0) return false;
  position_ = position;
  return true;
}

size_t ByteCursor::Read(std::span<char> buffer) {
  if (exhausted() || position_ >= source_.size()) return 0;
  const size_t got = source_.ReadAt(position_, buffer);
  position_ += static_cast<int64_t>(got);
  budget_ -= static_cast<int64_t>(got) + kBytesPerCall;
  return got;
}

}  // namespace antiphon::audio
