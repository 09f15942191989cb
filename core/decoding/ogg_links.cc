#include "core/decoding/ogg_links.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

namespace antiphon::audio {
namespace {

constexpr size_t kMaxLinks = 10'000;
constexpr size_t kHeaderBytes = 27;
constexpr int64_t kMaxPageHeader = kHeaderBytes + 255;

struct Page {
  bool begins_stream = false;
  int64_t granule = 0;  // 0 on pages of headers
  int64_t bytes = 0;    // with its header
};

// Looks at a source through a window that moves forward, so that a search costs no more than
// reading the source once.
class Window {
 public:
  explicit Window(ByteSource& source) : source_(source) {}

  // `count` bytes from `at` on, fewer at the end; at most kWindowBytes.
  std::string_view Bytes(int64_t at, int64_t count) {
    if (at < begin_ || at + count > begin_ + static_cast<int64_t>(bytes_.size())) {
      bytes_ = source_.Bytes(at, kWindowBytes);
      begin_ = at;
    }
    return std::string_view(bytes_).substr(static_cast<size_t>(at - begin_),
                                           static_cast<size_t>(count));
  }

  // The next mark of a page from `at` on; the end where there is none.
  int64_t FindPage(int64_t at) {
    while (at < source_.size()) {
      const std::string_view four = Bytes(at, 4);
      const std::string_view bytes =
          std::string_view(bytes_).substr(static_cast<size_t>(at - begin_));
      const size_t found = bytes.find("OggS");
      if (found != std::string_view::npos) return at + static_cast<int64_t>(found);
      if (four.size() < 4) break;
      at += static_cast<int64_t>(bytes.size()) - 3;
    }
    return source_.size();
  }

  std::optional<Page> PageAt(int64_t at) {
    const std::string_view header = Bytes(at, kMaxPageHeader);
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(header[i]); };
    if (header.size() < kHeaderBytes || !header.starts_with("OggS") || byte(4) != 0) return {};
    const size_t segments = byte(26);
    if (header.size() < kHeaderBytes + segments) return {};
    Page page{.begins_stream = (byte(5) & 2) != 0,
              .bytes = static_cast<int64_t>(kHeaderBytes + segments)};
    uint64_t granule = 0;
    for (size_t i = 13; i >= 6; --i) granule = granule << 8 | byte(i);
    page.granule = static_cast<int64_t>(granule);
    for (size_t i = 0; i < segments; ++i) page.bytes += byte(kHeaderBytes + i);
    return page;
  }

 private:
  static constexpr int64_t kWindowBytes = 64 << 10;
  ByteSource& source_;
  std::string bytes_;
  int64_t begin_ = 0;
};

}  // namespace

std::vector<OggLink> FindOggLinks(ByteSource& source) {
  std::vector<OggLink> links = {{}};
  Window window(source);
  bool after_data = false;
  int sounding_pages = 0;
  for (int64_t at = 0; at < source.size() && links.size() < kMaxLinks;) {
    const std::optional<Page> page = window.PageAt(at);
    if (!page) {
      const int64_t next = window.FindPage(at + 1);
      links.back().stray_bytes += next - at;
      at = next;
      continue;
    }
    if (page->begins_stream && after_data) {
      links.push_back({.begin = at});
      sounding_pages = 0;
    }
    after_data = !page->begins_stream;
    if (page->granule != 0)
      links.back().only_granule = ++sounding_pages == 1 ? std::max<int64_t>(0, page->granule) : 0;
    at += page->bytes;
  }
  return links;
}

}  // namespace antiphon::audio
