// A journal with a few changes, to start from. Header only.
#ifndef ANTIPHON_TESTS_FUZZ_SAMPLE_JOURNAL_H_
#define ANTIPHON_TESTS_FUZZ_SAMPLE_JOURNAL_H_

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "core/catalog/change_journal.h"
#include "tests/fuzz/fuzz.h"

namespace antiphon::fuzz {

inline constexpr char kSampleOrigin[] = "0123456789abcdef0123456789abcdef";
// For InFormerVersion, of a journal without works: the hashes hold on.
inline constexpr char kToFormerJournal[] =
    "ALTER TABLE changes DROP COLUMN with_parts; ALTER TABLE changes DROP COLUMN work_id; "
    "PRAGMA user_version = 1";

// A piece and a recording of it are put, another recording is deleted.
inline std::vector<catalog::Change> SampleChanges(const std::string& work_id = "Work") {
  catalog::Change piece;
  piece.id = piece.source.piece.id = "piece-9";
  piece.source.piece.title = "Title";
  piece.source.piece.composer = "Composer";
  piece.source.piece.duration_s = 10;
  piece.source.piece.beats = 20;
  piece.source.piece.bars = 5;
  piece.source.piece.notes = 40;
  piece.source.piece.work_id = work_id;
  piece.source.content = "MThd";
  piece.source.runs = {{.first_vector = 0,
                        .count = 2,
                        .source = 0,
                        .tempo_ratio = 1,
                        .start_s = 0,
                        .hop_s = 0.5,
                        .window_s = 2}};
  piece.source.vectors = {1, 0, 0, 0, 0, 1, 0, 0};
  catalog::Change recording = piece;
  recording.side = recording.source.side = catalog::Side::kRecordings;
  recording.source.piece = {};
  recording.id = recording.source.recording.id = "recording-9";
  recording.source.recording.piece_id = "piece-9";
  recording.source.recording.duration_s = 10;
  recording.source.content = "RIFF";
  catalog::Change gone;
  gone.kind = catalog::Change::Kind::kDelete;
  gone.side = catalog::Side::kRecordings;
  gone.id = "recording-0";
  return {piece, recording, gone};
}

// The file's bytes; `path` is where it is made.
inline std::string SampleJournal(const std::string& path, const std::string& work_id = "Work") {
  auto journal = catalog::ChangeJournal::Open(path);
  Require(journal.ok(), "a journal can be made");
  for (int i = 0; i < 2; ++i) {
    auto changes = SampleChanges(work_id);
    Require((*journal)->Append(kSampleOrigin, changes).ok(), "changes can be appended");
  }
  journal->reset();
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace antiphon::fuzz

#endif  // ANTIPHON_TESTS_FUZZ_SAMPLE_JOURNAL_H_
