// Owns a file descriptor. Belongs to one thread.
#ifndef ANTIPHON_CORE_BASE_DESCRIPTOR_H_
#define ANTIPHON_CORE_BASE_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace antiphon {

class Descriptor {
 public:
  explicit Descriptor(int descriptor = -1) : descriptor_(descriptor) {}
  ~Descriptor() { Close(); }
  Descriptor(Descriptor&& other) noexcept : descriptor_(other.Release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }

  bool open() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }
  int Release() { return std::exchange(descriptor_, -1); }
  void Close() {
    if (open()) close(Release());
  }

 private:
  int descriptor_;
};

}  // namespace antiphon

#endif  // ANTIPHON_CORE_BASE_DESCRIPTOR_H_
