// A piece or a recording with all that is kept of it: what is indexed, journalled and edited. A
// plain value.
#ifndef ANTIPHON_CORE_CATALOG_SOURCE_RECORD_H_
#define ANTIPHON_CORE_CATALOG_SOURCE_RECORD_H_

#include <string>
#include <vector>

#include "core/catalog/catalog.h"

namespace antiphon::catalog {

struct SourceRecord {
  Side side = Side::kScores;
  Piece piece;                   // side kScores
  Recording recording;           // side kRecordings
  std::string content;           // Standard MIDI File bytes; encoded audio bytes
  std::vector<SnippetRun> runs;  // first_vector counts from 0 within `vectors`; source is ignored
  std::vector<float> vectors;    // [sum of the runs' counts, dimension]

  const std::string& id() const { return side == Side::kScores ? piece.id : recording.id; }
};

}  // namespace antiphon::catalog

#endif  // ANTIPHON_CORE_CATALOG_SOURCE_RECORD_H_
