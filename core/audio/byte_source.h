// The bytes of a sound file, wherever they lie, and a bounded way through them. Internal to
// core/audio and core/decoding.
//
// A ByteSource and a ByteCursor serve one thread. Nothing here fails: what cannot be read is not
// there, as beyond the end of a file that was cut off.
#ifndef ANTIPHON_CORE_AUDIO_BYTE_SOURCE_H_
#define ANTIPHON_CORE_AUDIO_BYTE_SOURCE_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

namespace antiphon::audio {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual int64_t size() const = 0;
  // Up to buffer.size() bytes from `offset` on, >= 0; how many there were.
  virtual size_t ReadAt(int64_t offset, std::span<char> buffer) = 0;

  // `count` bytes from `offset` on, fewer at the end.
  std::string Bytes(int64_t offset, int64_t count);
};

// Borrows the bytes.
class MemoryBytes : public ByteSource {
 public:
  explicit MemoryBytes(std::string_view bytes) : bytes_(bytes) {}
  int64_t size() const override { return static_cast<int64_t>(bytes_.size()); }
  size_t ReadAt(int64_t offset, std::span<char> buffer) override;

 private:
  std::string_view bytes_;
};

// A regular file, open as long as this lives.
class FileBytes : public ByteSource {
 public:
  // NotFound or InvalidArgument (not a file, not readable).
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<FileBytes>> Open(const std::string& path);
  ~FileBytes() override;
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;

  int64_t size() const override { return size_; }
  size_t ReadAt(int64_t offset, std::span<char> buffer) override;

 private:
  FileBytes(int descriptor, int64_t size) : descriptor_(descriptor), size_(size) {}
  const int descriptor_;
  const int64_t size_;
};

// A part of another source, behind a header of its own. Borrows the source.
class SplicedBytes : public ByteSource {
 public:
  // Requires 0 <= begin <= end <= source.size().
  SplicedBytes(std::string header, ByteSource& source, int64_t begin, int64_t end)
      : header_(std::move(header)), source_(source), begin_(begin), end_(end) {}
  int64_t size() const override { return static_cast<int64_t>(header_.size()) + end_ - begin_; }
  size_t ReadAt(int64_t offset, std::span<char> buffer) override;

 private:
  const std::string header_;
  ByteSource& source_;
  const int64_t begin_, end_;
};

// Where a library reads in a source. It may seek as it likes, but what it reads in all is bounded
// by a multiple of the source's size: afterwards there is nothing any more, so that no structure
// that leads in circles keeps a reader busy. Borrows the source.
class ByteCursor {
 public:
  explicit ByteCursor(ByteSource& source);

  const ByteSource& source() const { return source_; }
  int64_t position() const { return position_; }
  // False, and the position unchanged, for one below 0. One beyond the end is fine, as in a file.
  bool Seek(int64_t position);
  // How many bytes were read: 0 at the end, and when the budget is used up.
  size_t Read(std::span<char> buffer);
  bool exhausted() const { return budget_ <= 0; }

 private:
  ByteSource& source_;
  int64_t position_ = 0;
  int64_t budget_;  // bytes, each call counting some more
};

}  // namespace antiphon::audio

#endif  // ANTIPHON_CORE_AUDIO_BYTE_SOURCE_H_
