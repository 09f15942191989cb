// A catalogue with two pieces and two recordings, to start from. Header only.
#ifndef ANTIPHON_TESTS_FUZZ_SAMPLE_CATALOG_H_
#define ANTIPHON_TESTS_FUZZ_SAMPLE_CATALOG_H_

#include <fstream>
#include <iterator>
#include <string>

#include "core/catalog/catalog.h"
#include "tests/fuzz/fuzz.h"

namespace antiphon::fuzz {

// For InFormerVersion.
inline constexpr char kToFormerCatalog[] =
    "ALTER TABLE pieces DROP COLUMN with_parts; ALTER TABLE runs DROP COLUMN part; "
    "ALTER TABLE pieces DROP COLUMN work_id; PRAGMA user_version = 2";

// The file's bytes; `path` is where it is made.
inline std::string SampleCatalog(const std::string& path) {
  auto writer = catalog::CatalogWriter::Create(path);
  Require(writer.ok(), "a catalogue can be made");
  int64_t vector = 0;
  for (int i = 0; i < 2; ++i) {
    const std::string number = std::to_string(i);
    catalog::Piece piece;
    piece.id = "piece-" + number;
    piece.title = "Title";
    piece.composer = "Composer";
    piece.duration_s = 10;
    piece.beats = 20;
    piece.bars = 5;
    piece.notes = 40;
    piece.work_id = "Work";
    catalog::Recording recording;
    recording.id = "recording-" + number;
    recording.piece_id = piece.id;
    recording.duration_s = 10;
    Require((*writer)->AddPiece(piece, "MThd").ok(), "a piece can be added");
    Require((*writer)->AddRecording(recording, "RIFF").ok(), "a recording can be added");
    const catalog::SnippetRun run = {.first_vector = vector,
                                     .count = 3,
                                     .source = i,
                                     .tempo_ratio = 1,
                                     .start_s = 0,
                                     .hop_s = 0.5,
                                     .window_s = 2};
    for (const catalog::Side side : {catalog::Side::kScores, catalog::Side::kRecordings}) {
      Require((*writer)->AddRun(side, run).ok(), "a run can be added");
    }
    vector += run.count;
  }
  Require((*writer)->Finish().ok(), "a catalogue can be finished");
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace antiphon::fuzz

#endif  // ANTIPHON_TESTS_FUZZ_SAMPLE_CATALOG_H_
