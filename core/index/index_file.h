// Files of FAISS indexes, in FAISS's own format, read as if an enemy had written them.
//
// FAISS's reader allocates what a file declares and does not check that links and ids stay inside
// the index. So the layout is walked first (every declared size against the bytes that are there),
// FAISS reads only a file whose layout is sound, and what it read is checked before it is searched.
// Internal to core/index.
#ifndef ANTIPHON_CORE_INDEX_INDEX_FILE_H_
#define ANTIPHON_CORE_INDEX_INDEX_FILE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace faiss {
struct Index;
}

namespace antiphon::index {

class MappedFlat;

// An IndexFlatIP, an IndexHNSWFlat or an IndexIVFFlat over an IndexFlatIP, by inner product, safe
// to search and add to; IVF with its direct map. A flat index of at least `mapped_from` vectors
// comes as a MappedFlat; it must be one at least. NotFound when there is no such file, DataLoss
// with the reason when it is anything else.
[[nodiscard]] absl::StatusOr<std::unique_ptr<faiss::Index>> ReadIndexFile(const std::string& path,
                                                                          int64_t mapped_from);

// A copy in memory, that can grow.
std::unique_ptr<faiss::Index> Unmapped(const MappedFlat& mapped);

// Replaces the file, of which a map stays as it was, and makes it durable. ResourceExhausted when
// the disk is full.
[[nodiscard]] absl::Status WriteIndexFile(const faiss::Index& index, const std::string& path);

}  // namespace antiphon::index

#endif  // ANTIPHON_CORE_INDEX_INDEX_FILE_H_
