// Catalogues of real scores: what counts is music, not files. Reading blocks, and is for one
// thread; the rest are pure functions and plain values.
#ifndef ANTIPHON_TRAINER_DATASETS_DISTINCT_MUSIC_H_
#define ANTIPHON_TRAINER_DATASETS_DISTINCT_MUSIC_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/music/score.h"
#include "trainer/base/progress.h"
#include "trainer/datasets/reference_collection.h"

namespace antiphon::trainer::datasets {

// A number that two scores share when they strike the same pitches at the same quarter notes from
// the first note on, and hardly otherwise: copies of a piece, in whatever format, at whatever tempo
// and with whatever dynamics and instruments.
uint64_t NotesFingerprint(const music::Score& score);

// Scores and how many there were.
struct CatalogueCount {
  int files = 0;
  int unreadable = 0;  // or without notes
  int copies = 0;      // of the notes of one before
};

// Counts a score, by its fingerprint; whether it is the first with these notes.
bool CountIfNew(uint64_t fingerprint, std::set<uint64_t>& seen, CatalogueCount& count);

// What a folder is called, whether or not its path ends in a slash.
std::string NameOfFolder(const std::string& folder);

struct Catalogue {
  std::vector<CollectionEntry> entries;  // "folder/path" by id: unlike across folders
  std::vector<uint64_t> fingerprints;    // of the entries
  std::vector<int> folders;              // of the entries, in the order given
  CatalogueCount count;
};

// The scores below the folders, in the order of folders and paths, each music once: of copies, the
// first. NotFound for a folder without any score. What can't be read is counted and left out.
[[nodiscard]] absl::StatusOr<Catalogue> ReadDistinct(const std::vector<std::string>& folders,
                                                     Progress& progress);

// The pieces of a collection in their order, copies of one another and all: `entries` and
// `fingerprints` are by source, `folders` empty.
[[nodiscard]] absl::StatusOr<Catalogue> ReadPieces(const retrieval::Collection& collection,
                                                   Progress& progress);

// "96 files, 95 distinct, 1 unreadable"
std::string ToText(const CatalogueCount& count);

}  // namespace antiphon::trainer::datasets

#endif  // ANTIPHON_TRAINER_DATASETS_DISTINCT_MUSIC_H_
