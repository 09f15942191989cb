// The table of contents of a bundle: what it holds, made by what, and a hash of every file. Plain
// values.
#ifndef ANTIPHON_CORE_BUNDLE_MANIFEST_H_
#define ANTIPHON_CORE_BUNDLE_MANIFEST_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/check_range.h"

namespace antiphon::bundle {

inline constexpr int kBundleFormatVersion = 4;        // that is written
inline constexpr int kOldestBundleFormatVersion = 2;  // that is read

inline constexpr char kAudioEncoderFile[] = "audio_encoder.pt";
inline constexpr char kScoreEncoderFile[] = "score_encoder.pt";
inline constexpr char kConfidenceFile[] = "confidence.json";  // may be missing
inline constexpr char kBackgroundFile[] = "background.bin";   // may be missing
inline constexpr char kScoreIndexFile[] = "scores.faiss";
inline constexpr char kRecordingIndexFile[] = "recordings.faiss";
inline constexpr char kCatalogFile[] = "catalog.sqlite";

inline constexpr size_t kMaxManifestBytes = 4u << 20;

struct FileEntry {
  std::string name;    // a plain file name inside the bundle, no separators
  int64_t size = 0;    // bytes
  std::string sha256;  // 64 lower-case hexadecimal digits
};

struct Manifest {
  int format_version = kBundleFormatVersion;
  int64_t generation = 0;  // counts up from 1 with every publication
  std::string created;     // UTC, RFC 3339
  // Of the collection as it was indexed from scratch, random, 32 lower-case hexadecimal digits;
  // what has been merged from it keeps it.
  std::string origin;
  // Number of the last journalled change of that origin that is part of it; 0 to 10^15 - 1.
  int64_t last_change = 0;
  std::string model_id;          // as the encoders say
  std::string feature_settings;  // JSON, as inside the encoders
  int dimension = 0;             // floats per embedding
  int64_t pieces = 0;
  int64_t recordings = 0;
  int64_t score_vectors = 0;
  int64_t recording_vectors = 0;
  double query_hop_s = 0;  // seconds between windows of a query that suits the index
  // How sources were embedded, so that what is added later is embedded alike.
  static constexpr double kMaxHopS = 3600;        // of the two hops, seconds; they are above 0
  double score_hop_s = 0;                         // seconds between windows of a score, as played
  double recording_hop_s = 0;                     // seconds between windows of a recording
  static constexpr size_t kMaxTempoRatios = 100;  // and at least one
  static constexpr Range<double> kTempoRatioRange = {0.25, 4};
  std::vector<double> tempo_ratios;  // of played to written tempo
  bool with_parts = false;           // the parts of a score are indexed one by one, too
  std::vector<FileEntry> files;
};

// The entry of a file; nothing when there is none of that name.
const FileEntry* FindFile(const Manifest& manifest, std::string_view name);

// With a field `checksum` (SHA-256) over all others: no hash elsewhere covers a manifest, and a bit
// in `origin` or `last_change` decides which journalled changes count.
std::string ManifestToJson(const Manifest& manifest);

// Untrusted input: DataLoss says which field is missing, of the wrong type, or out of range, or
// that the checksum is another's; a format_version that is not read is FailedPrecondition.
[[nodiscard]] absl::StatusOr<Manifest> ParseManifest(std::string_view json);

}  // namespace antiphon::bundle

#endif  // ANTIPHON_CORE_BUNDLE_MANIFEST_H_
