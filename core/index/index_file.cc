#include "core/index/index_file.h"

#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVFFlat.h>
#include <faiss/impl/FaissException.h>
#include <faiss/impl/io.h>
#include <faiss/index_io.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <new>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/index/mapped_flat.h"
#include "core/index/row_ranges.h"

namespace antiphon::index {
namespace {

// Far above anything that is built: hnsw_links is at most 128, and levels grow with the logarithm
// of the number of vectors.
constexpr int kMaxDimension = 4096;
constexpr int64_t kMaxLinksPerNode = 1 << 20;  // over all levels
constexpr size_t kMaxLevels = 64;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

// Remembers why it failed: FAISS's exception has it only as text.
struct Writer : faiss::IOWriter {
  explicit Writer(std::FILE* to) : file(to) { name = "index file"; }

  size_t operator()(const void* data, size_t size, size_t count) override {
    if (count == 0) return 0;  // of an empty vector, without any data
    const size_t written = std::fwrite(data, size, count, file);
    if (written != count) failure = errno;
    return written;
  }

  std::FILE* file;
  int failure = 0;
};

absl::Status Damaged(absl::string_view why) {
  return absl::DataLossError(absl::StrCat("index file: ", why));
}

// Walks a file's fields in order. After the first failure everything reads as zero, and status()
// tells the failure.
class Walker {
 public:
  Walker(std::FILE* file, uint64_t size) : file_(file), left_(size) {}

  template <typename T>
  T Take() {
    T value{};
    if (left_ < sizeof(T) || std::fread(&value, sizeof(T), 1, file_) != 1) {
      Fail("ends too early");
      return T{};
    }
    left_ -= sizeof(T);
    return value;
  }

  void Skip(uint64_t bytes) {
    if (left_ < bytes || fseeko(file_, static_cast<off_t>(bytes), SEEK_CUR) != 0)
      return Fail("ends too early");
    left_ -= bytes;
  }

  // A count and then so many elements; the count is checked to fit into the file.
  uint64_t TakeCount(uint64_t element_bytes) {
    const uint64_t count = Take<uint64_t>();
    if (count > left_ / element_bytes) Fail("a declared size exceeds the file");
    return failure_.empty() ? count : 0;
  }
  uint64_t SkipVector(uint64_t element_bytes) {
    const uint64_t count = TakeCount(element_bytes);
    Skip(count * element_bytes);
    return count;
  }

  void Require(bool holds, absl::string_view otherwise) {
    if (!holds) Fail(otherwise);
  }

  bool ok() const { return failure_.empty(); }
  uint64_t left() const { return left_; }
  absl::Status status() const { return ok() ? absl::OkStatus() : Damaged(failure_); }

 private:
  void Fail(absl::string_view why) {
    if (!ok()) return;
    failure_ = std::string(why);
    left_ = 0;
  }

  std::FILE* file_;
  uint64_t left_;
  std::string failure_;
};

struct Header {
  uint64_t dimension = 0;
  uint64_t count = 0;
};

// The walks below follow faiss/impl/index_write.cpp, field by field. A field that is replaced when
// the index is adopted (VectorIndex) is skipped; one that FAISS would use as it is must be checked.

Header WalkHeader(Walker& walker) {
  const auto dimension = walker.Take<int32_t>();
  const auto count = walker.Take<int64_t>();
  walker.Skip(2 * sizeof(int64_t));  // unused
  const auto trained = walker.Take<uint8_t>();
  const auto metric = walker.Take<int32_t>();
  walker.Require(dimension >= 1 && dimension <= kMaxDimension, "the dimension is out of range");
  walker.Require(count >= 0, "the number of vectors is negative");
  walker.Require(trained == 1, "the index is not trained");
  walker.Require(metric == faiss::METRIC_INNER_PRODUCT, "the metric is not the inner product");
  if (!walker.ok()) return {};
  return {static_cast<uint64_t>(dimension), static_cast<uint64_t>(count)};
}

Header WalkFlat(Walker& walker) {
  const Header header = WalkHeader(walker);
  const uint64_t floats = walker.SkipVector(sizeof(float));
  // By division, since the product of hostile numbers may wrap.
  walker.Require(
      walker.ok() && floats % header.dimension == 0 && floats / header.dimension == header.count,
      "the vectors are not as many as declared");
  return header;
}

// A flat index inside another: the vectors of HNSW, the list centres of IVF.
void WalkInnerFlat(Walker& walker, uint64_t dimension, uint64_t count) {
  walker.Require(walker.Take<uint32_t>() == faiss::fourcc("IxFI"), "the inner index is not flat");
  const Header inner = WalkFlat(walker);
  walker.Require(inner.dimension == dimension && inner.count == count,
                 "the inner index does not fit the outer");
}

void WalkHnsw(Walker& walker) {
  const Header header = WalkHeader(walker);
  const uint64_t probabilities = walker.SkipVector(sizeof(double));
  const uint64_t level_sizes = walker.SkipVector(sizeof(int32_t));
  const uint64_t levels = walker.SkipVector(sizeof(int32_t));
  const uint64_t offsets = walker.SkipVector(sizeof(uint64_t));
  walker.SkipVector(sizeof(int32_t));  // neighbours
  walker.Skip(2 * sizeof(int32_t));    // entry point, highest level
  walker.Skip(2 * sizeof(int32_t));    // search settings, replaced by the reader's own
  // Entry points per level. Any other number takes a path through FAISS that we never use.
  const auto beam = walker.Take<int32_t>();
  walker.Require(beam == 1 && probabilities >= 1 && probabilities <= kMaxLevels &&
                     level_sizes == probabilities + 1 && levels == header.count &&
                     offsets == header.count + 1,
                 "the graph's tables do not fit together");
  WalkInnerFlat(walker, header.dimension, header.count);
}

void WalkIvf(Walker& walker) {
  const Header header = WalkHeader(walker);
  const auto lists = walker.Take<uint64_t>();
  walker.Take<uint64_t>();  // lists to probe, replaced by the reader's own
  WalkInnerFlat(walker, header.dimension, lists);
  const auto map_type = walker.Take<uint8_t>();
  const uint64_t map_size = walker.SkipVector(sizeof(int64_t));
  walker.Require(
      lists >= 1 && (map_type == 0 || map_type == 1) && (map_size == 0 || map_size == header.count),
      "the lists' table does not fit");

  walker.Require(walker.Take<uint32_t>() == faiss::fourcc("ilar"),
                 "the lists are of an unknown kind");
  const uint64_t entry_bytes = header.dimension * sizeof(float) + sizeof(int64_t);
  const auto stored_lists = walker.Take<uint64_t>();
  const auto code_size = walker.Take<uint64_t>();
  walker.Require(stored_lists == lists && code_size == header.dimension * sizeof(float),
                 "the lists do not fit");
  const auto form = walker.Take<uint32_t>();
  const bool sparse = form == faiss::fourcc("sprs");
  walker.Require(sparse || form == faiss::fourcc("full"),
                 "the lists' sizes are in an unknown form");
  const uint64_t numbers = walker.TakeCount(sizeof(uint64_t));
  walker.Require(sparse ? numbers % 2 == 0 && numbers / 2 <= lists : numbers == lists,
                 "the lists' sizes are not as many as the lists");
  uint64_t total = 0;
  uint64_t next_list = 0;  // sparse sizes name their lists in rising order
  for (uint64_t i = 0; walker.ok() && i < numbers; i += sparse ? 2 : 1) {
    if (sparse) {
      const auto list = walker.Take<uint64_t>();
      walker.Require(list >= next_list && list < lists, "a list's number is out of range");
      next_list = list + 1;
    }
    // A subtraction that can't wrap, since `total` never exceeds the count.
    const auto size = walker.Take<uint64_t>();
    walker.Require(size <= header.count - total, "the lists hold more than declared");
    if (walker.ok()) total += size;
  }
  walker.Require(total == header.count, "the lists hold less than declared");
  walker.Require(walker.ok() && walker.left() / entry_bytes >= total, "ends too early");
  if (walker.ok()) walker.Skip(total * entry_bytes);
}

absl::Status CheckLayout(std::FILE* file, uint64_t size) {
  Walker walker(file, size);
  const auto type = walker.Take<uint32_t>();
  if (type == faiss::fourcc("IxFI")) {
    WalkFlat(walker);
  } else if (type == faiss::fourcc("IHNf")) {
    WalkHnsw(walker);
  } else if (type == faiss::fourcc("IwFl")) {
    WalkIvf(walker);
  } else {
    walker.Require(false, "not a flat, HNSW or IVF index");
  }
  walker.Require(!walker.ok() || walker.left() == 0, "has bytes after its end");
  return walker.status();
}

// Of a flat index that has the right layout: where its vectors begin.
struct FlatLayout {
  Header header;
  int64_t offset = 0;
};

// Requires a sound layout. None where the index is not flat.
std::optional<FlatLayout> FindVectors(std::FILE* file, uint64_t size) {
  std::rewind(file);
  Walker walker(file, size);
  if (walker.Take<uint32_t>() != faiss::fourcc("IxFI")) return std::nullopt;
  const Header header = WalkFlat(walker);
  return FlatLayout{header,
                    static_cast<int64_t>(size - header.count * header.dimension * sizeof(float))};
}

bool AllFinite(const UnalignedFloat* values, size_t count) {
  constexpr uint32_t kExponent = 0x7f800000;  // all of it: infinity, or no number
  uint32_t bad = 0;
  for (size_t i = 0; i < count; ++i) {  // without a branch, so that it is vectorised
    const float value = values[i];
    bad |= static_cast<uint32_t>((std::bit_cast<uint32_t>(value) & kExponent) == kExponent);
  }
  return bad == 0;
}

// NaN compares false with everything, which breaks the order that FAISS's heaps rely on.
absl::Status CheckVectors(const faiss::IndexFlat& flat) {
  if (AllFinite(flat.get_xb(), static_cast<size_t>(flat.ntotal) * flat.d)) return absl::OkStatus();
  return Damaged("a vector is not finite");
}

absl::Status CheckVectors(const VectorBlock& block, int dimension) {
  bool finite = true;
#pragma omp parallel for schedule(static) reduction(&& : finite)
  for (int64_t row = 0; row < block.count; ++row)
    finite = finite && AllFinite(RowAt(block, dimension, row), dimension);
  return finite ? absl::OkStatus() : Damaged("a vector is not finite");
}

// FAISS follows links without checking them. What must hold for a search to stay inside its arrays:
//   - node i's links lie from offsets[i] to offsets[i + 1], as many as its levels say;
//   - a link leads to a node of the index, or is -1 (none);
//   - a link on a level leads to a node on that level, whose links of the level are followed next;
//   - the search begins at a node of the highest level.
absl::Status CheckLinks(const faiss::HNSW& hnsw, int64_t n) {
  const auto& level_ends = hnsw.cum_nneighbor_per_level;  // [l + 1] links on levels 0 to l
  if (level_ends[0] != 0 || level_ends.back() > kMaxLinksPerNode)
    return Damaged("the number of links is out of range");
  for (size_t level = 1; level < level_ends.size(); ++level) {
    if (level_ends[level] <= level_ends[level - 1])
      return Damaged("the numbers of links do not rise");
  }
  if (hnsw.offsets[0] != 0 || hnsw.offsets[n] != hnsw.neighbors.size())
    return Damaged("links are missing");
  for (int64_t node = 0; node < n; ++node) {
    const int levels = hnsw.levels[node];
    if (levels < 1 || levels >= static_cast<int>(level_ends.size()))
      return Damaged("a level is out of range");
    const size_t begin = hnsw.offsets[node];
    if (hnsw.offsets[node + 1] != begin + level_ends[levels])
      return Damaged("a node's links are out of place");
  }
  // In a second pass, because it looks up the levels of other nodes.
  for (int64_t node = 0; node < n; ++node) {
    for (int level = 0; level < hnsw.levels[node]; ++level) {
      const size_t begin = hnsw.offsets[node];
      for (size_t i = begin + level_ends[level]; i < begin + level_ends[level + 1]; ++i) {
        const int64_t to = hnsw.neighbors[i];
        if (to < -1 || to >= n) return Damaged("a link leads out of the index");
        if (level > 0 && to >= 0 && hnsw.levels[to] <= level)
          return Damaged("a link leads to a node not on its level");
      }
    }
  }
  const bool entry_fits = n == 0 ? hnsw.entry_point == -1 && hnsw.max_level == -1
                                 : hnsw.entry_point >= 0 && hnsw.entry_point < n &&
                                       hnsw.max_level == hnsw.levels[hnsw.entry_point] - 1;
  return entry_fits ? absl::OkStatus() : Damaged("the entry point is out of range");
}

// Add draws the levels of new nodes by these.
absl::Status CheckProbabilities(const std::vector<double>& probabilities) {
  for (const double p : probabilities) {
    if (!(p >= 0 && p <= 1)) return Damaged("a level's probability is out of range");
  }
  return absl::OkStatus();
}

// WalkIvf has made sure that the lists hold as many vectors as declared; with every number in range
// and none twice, each number is there once.
absl::Status CheckLists(faiss::IndexIVFFlat& ivf) {
  std::vector<bool> seen(ivf.ntotal, false);
  for (size_t list = 0; list < ivf.nlist; ++list) {
    const size_t size = ivf.invlists->list_size(list);
    faiss::InvertedLists::ScopedIds ids(ivf.invlists, list);
    for (size_t i = 0; i < size; ++i) {
      const int64_t id = ids[i];
      if (id < 0 || id >= ivf.ntotal) return Damaged("a vector's number is out of range");
      if (seen[id]) return Damaged("a vector's number is there twice");
      seen[id] = true;
    }
    faiss::InvertedLists::ScopedCodes codes(ivf.invlists, list);
    if (!AllFinite(reinterpret_cast<const float*>(codes.get()), size * ivf.d))
      return Damaged("a vector is not finite");
  }
  return absl::OkStatus();
}

absl::Status CheckContents(faiss::Index* index) {
  if (auto* flat = dynamic_cast<faiss::IndexFlat*>(index)) return CheckVectors(*flat);
  if (auto* hnsw = dynamic_cast<faiss::IndexHNSWFlat*>(index)) {
    auto* storage = dynamic_cast<faiss::IndexFlat*>(hnsw->storage);
    if (storage == nullptr) return Damaged("the inner index is not flat");
    RETURN_IF_ERROR(CheckVectors(*storage));
    RETURN_IF_ERROR(CheckProbabilities(hnsw->hnsw.assign_probas));
    return CheckLinks(hnsw->hnsw, hnsw->ntotal);
  }
  auto* ivf = dynamic_cast<faiss::IndexIVFFlat*>(index);
  auto* centres = ivf == nullptr ? nullptr : dynamic_cast<faiss::IndexFlat*>(ivf->quantizer);
  if (centres == nullptr || ivf->invlists == nullptr)
    return Damaged("not a flat, HNSW or IVF index");
  RETURN_IF_ERROR(CheckVectors(*centres));
  RETURN_IF_ERROR(CheckLists(*ivf));
  // The stored map from numbers to places is not believed but made anew. FAISS makes a map only
  // where there is none, hence `false` first.
  ivf->make_direct_map(false);
  ivf->make_direct_map(true);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<faiss::Index>> ReadIndexFile(const std::string& path,
                                                            int64_t mapped_from) {
  const File file(std::fopen(path.c_str(), "rbe"));
  if (file == nullptr) {
    if (errno == ENOENT) return absl::NotFoundError("index file: there is none");
    return absl::ErrnoToStatus(errno, "index file: cannot be opened");
  }
  struct stat info = {};
  if (fstat(fileno(file.get()), &info) != 0 || !S_ISREG(info.st_mode))
    return Damaged("not a plain file");
  // Both passes read through one descriptor, so a file that is replaced meanwhile changes nothing.
  RETURN_IF_ERROR(CheckLayout(file.get(), static_cast<uint64_t>(info.st_size)));
  const auto flat = FindVectors(file.get(), static_cast<uint64_t>(info.st_size));
  if (flat.has_value() && static_cast<int64_t>(flat->header.count) >= mapped_from) {
    const auto dimension = static_cast<int>(flat->header.dimension);
    ASSIGN_OR_RETURN(auto mapped, MappedFlat::Map(fileno(file.get()), flat->offset, dimension,
                                                  static_cast<int64_t>(flat->header.count)));
    RETURN_IF_ERROR(mapped->ReadIn());
    RETURN_IF_ERROR(CheckVectors(mapped->block(), dimension));
    return mapped;
  }
  std::rewind(file.get());
  try {
    faiss::FileIOReader reader(file.get());
    reader.name = "index file";
    std::unique_ptr<faiss::Index> index(faiss::read_index(&reader));
    RETURN_IF_ERROR(CheckContents(index.get()));
    return index;
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("index file: too large for the memory there is");
  } catch (const std::exception& e) {
    return Damaged(e.what());
  }
}

std::unique_ptr<faiss::Index> Unmapped(const MappedFlat& mapped) {
  auto flat = std::make_unique<faiss::IndexFlatIP>(mapped.d);
  const VectorBlock block = mapped.block();
  flat->codes.resize(block.count * flat->code_size);
  std::memcpy(flat->codes.data(), block.vectors, flat->codes.size());
  flat->ntotal = block.count;
  return flat;
}

absl::Status WriteIndexFile(const faiss::Index& index, const std::string& path) {
  // A new file takes the name, so that a map of the former one keeps what it shows.
  struct stat info = {};
  if (lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode)) unlink(path.c_str());
  const File file(std::fopen(path.c_str(), "wbe"));
  if (file == nullptr) return absl::ErrnoToStatus(errno, "index file: cannot be created");
  Writer writer(file.get());
  try {
    if (const auto* mapped = dynamic_cast<const MappedFlat*>(&index)) {
      faiss::write_index(Unmapped(*mapped).get(), &writer);
    } else {
      faiss::write_index(&index, &writer);
    }
  } catch (const std::exception& e) {
    if (writer.failure != 0)
      return absl::ErrnoToStatus(writer.failure, "index file: cannot be written");
    return absl::InternalError(absl::StrCat("index file: ", e.what()));
  }
  // A full disk may show only when the buffer goes out.
  if (std::fflush(file.get()) != 0 || fsync(fileno(file.get())) != 0) {
    return absl::ErrnoToStatus(errno, "index file: cannot be written");
  }
  return absl::OkStatus();
}

}  // namespace antiphon::index
