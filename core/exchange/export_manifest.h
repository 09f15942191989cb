// The table of contents of an exported collection, FOLDER/export.json: all that the files do not
// say themselves, and their hashes. Plain values and functions free of state; docs/formats.md has
// the fields.
#ifndef ANTIPHON_CORE_EXCHANGE_EXPORT_MANIFEST_H_
#define ANTIPHON_CORE_EXCHANGE_EXPORT_MANIFEST_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/catalog/source_record.h"
#include "core/index/vector_index.h"

namespace antiphon::exchange {

inline constexpr char kExportFile[] = "export.json";
inline constexpr char kScoresFolder[] = "scores";
inline constexpr char kRecordingsFolder[] = "recordings";
inline constexpr int kExportVersion = 1;
inline constexpr size_t kMaxExportBytes = size_t{1} << 30;

struct ExportedFile {
  std::string name;    // in the folder of its side; a plain file name
  int64_t size = 0;    // bytes
  std::string sha256;  // 64 lower-case hexadecimal digits
};

// A piece or a recording: its metadata, and the file that has its content.
struct ExportedSource {
  ExportedFile file;
  catalog::SourceRecord
      source;  // side, and of piece or recording what a caller can give, and version
};

struct ExportManifest {
  std::string created;  // UTC, RFC 3339
  // Of the bundle, for people and for an import that makes one.
  std::string origin;
  int64_t generation = 0;
  int64_t last_change = 0;  // no source's version is above it
  std::string model_id;
  index::IndexKind index = index::IndexKind::kFlat;
  double score_hop_s = 0, recording_hop_s = 0;
  std::vector<double> tempo_ratios;
  bool with_parts = false;  // of pieces that are added, unless they say more
  // metadata.tsv of the two folders; without a name where there is none.
  ExportedFile score_metadata, recording_metadata;
  std::vector<ExportedSource> pieces, recordings;  // in the order of the collection
};

std::string ExportToJson(const ExportManifest& manifest);

// Untrusted input: DataLoss says which field is missing, of the wrong type or out of range, which
// id or file is there twice, or that the checksum is another's; FailedPrecondition where the
// version is not read.
[[nodiscard]] absl::StatusOr<ExportManifest> ParseExport(std::string_view json);

// The rows of metadata.tsv for the sources of a side, as `antiphon-trainer index` reads it. Tabs
// and line ends in a title become spaces.
std::string MetadataTable(const std::vector<ExportedSource>& sources, catalog::Side side);

}  // namespace antiphon::exchange

#endif  // ANTIPHON_CORE_EXCHANGE_EXPORT_MANIFEST_H_
