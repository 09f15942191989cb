// What is in a collection: pieces (scores), recordings, and which vector of which index is which
// stretch of which of them (SQLite).
//
// A Catalog is read-only and safe from any thread; metadata and snippet runs are held in memory,
// scores and sound are read from the file when asked for. A CatalogWriter belongs to one thread.
#ifndef ANTIPHON_CORE_CATALOG_CATALOG_H_
#define ANTIPHON_CORE_CATALOG_CATALOG_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace antiphon::catalog {

struct Piece {
  std::string id;             // unique among pieces; 1 to 200 bytes of UTF-8
  std::string title = {};     // UTF-8
  std::string composer = {};  // UTF-8, may be empty
  double duration_s = 0;      // seconds at nominal tempo
  double beats = 0;           // quarter notes
  int bars = 0;
  int notes = 0;
  // What its owner files it under; at most 200 bytes of UTF-8, may be empty.
  std::string collection = {};
  int64_t version = 0;  // number of the change that made it as it is; 0: as it was indexed
  // The work that it is an edition of, by its owner's own id; at most 200 bytes of UTF-8, may be
  // empty.
  std::string work_id = {};
  bool with_parts = false;  // its parts are also indexed one by one
};

struct Recording {
  std::string id;  // unique among recordings
  std::string title = {};
  std::string composer = {};
  std::string piece_id = {};    // the piece it is a recording of, or empty
  double duration_s = 0;        // seconds
  std::string collection = {};  // as Piece::collection
  int64_t version = 0;          // as Piece::version
};

// Which of the two collections an index or a snippet belongs to.
enum class Side { kScores, kRecordings };

// What was read of a source, where it was no single part of a score.
inline constexpr int kWhole = -1;
inline constexpr int kMostParts = 64;  // of one piece that are indexed

// Consecutive vectors of one index that come from one source at one tempo hypothesis: vector
// first_vector + i is the window from start_s + i·hop_s to that + window_s, in seconds of the
// source as written (nominal tempo for scores).
struct SnippetRun {
  int64_t first_vector = 0;
  int64_t count = 0;
  int source = 0;  // position in pieces() or recordings()
  // The source was read at this multiple of its nominal tempo; 1 for recordings.
  double tempo_ratio = 1.0;
  double start_s = 0;
  double hop_s = 0;
  double window_s = 0;
  int part = kWhole;  // that alone was read: its position in music::Score::parts
};

// Where one vector comes from.
struct SnippetPosition {
  int source = 0;
  double tempo_ratio = 1.0;
  double start_s = 0;
  double end_s = 0;
  int part = kWhole;  // as SnippetRun::part
};

class CatalogWriter {
 public:
  // Creates the file; AlreadyExists when there is one.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<CatalogWriter>> Create(
      const std::string& path);
  ~CatalogWriter();

  // Return the position that SnippetRun::source refers to. AlreadyExists on a repeated id,
  // InvalidArgument on an empty or over-long one.
  [[nodiscard]] absl::StatusOr<int> AddPiece(const Piece& piece, std::string_view midi);
  [[nodiscard]] absl::StatusOr<int> AddRecording(const Recording& recording,
                                                 std::string_view audio);

  // Runs of one side must follow one another: first_vector is the sum of the counts before.
  [[nodiscard]] absl::Status AddRun(Side side, const SnippetRun& run);

  // Commits, makes the file durable and closes it. Nothing is there for a reader before. No other
  // call may follow.
  [[nodiscard]] absl::Status Finish();

 private:
  struct Impl;
  explicit CatalogWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class Catalog {
 public:
  // Opens read-only and checks the contents (schema version, ids, runs that follow one another and
  // name existing sources, finite times): DataLoss says what is wrong. In a file of a former
  // schema version no piece is indexed by parts, and in one of version 2 every work_id is empty.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Catalog>> Open(const std::string& path);
  ~Catalog();

  const std::vector<Piece>& pieces() const;          // in the order they were added
  const std::vector<Recording>& recordings() const;  // likewise
  const std::vector<SnippetRun>& runs(Side side) const;
  int64_t vector_count(Side side) const;  // the sum of the runs' counts

  static constexpr int kVersion = 4;  // of the schema that is written
  int version() const;                // of the file's schema

  // Position in pieces() or recordings(), by id.
  std::optional<int> FindPiece(std::string_view id) const;
  std::optional<int> FindRecording(std::string_view id) const;

  // Standard MIDI File bytes; encoded audio bytes as they were added. Requires a valid position.
  [[nodiscard]] absl::StatusOr<std::string> ReadMidi(int piece) const;
  [[nodiscard]] absl::StatusOr<std::string> ReadAudio(int recording) const;

  // OutOfRange unless 0 <= vector < vector_count(side). Logarithmic in the number of runs.
  [[nodiscard]] absl::StatusOr<SnippetPosition> Locate(Side side, int64_t vector) const;

 private:
  struct Impl;
  explicit Catalog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace antiphon::catalog

#endif  // ANTIPHON_CORE_CATALOG_CATALOG_H_
