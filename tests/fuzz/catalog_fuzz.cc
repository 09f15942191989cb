// The catalogue's file: damaged in any way, or a well-formed database that says something else, it
// gives a consistent catalogue or a reason.
//
// The last byte of the input chooses: a whole file, or values to put into the rows of a good one of
// the present or the former version.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>

#include "core/catalog/catalog.h"
#include "tests/fuzz/database_edits.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/sample_catalog.h"

using antiphon::fuzz::Require;

namespace {

namespace catalog = antiphon::catalog;

constexpr antiphon::fuzz::Column kColumns[] = {
    {"pieces", "position", "position"},      {"pieces", "id", "position"},
    {"pieces", "title", "position"},         {"pieces", "composer", "position"},
    {"pieces", "duration_s", "position"},    {"pieces", "beats", "position"},
    {"pieces", "bars", "position"},          {"pieces", "notes", "position"},
    {"pieces", "collection", "position"},    {"pieces", "version", "position"},
    {"recordings", "id", "position"},        {"recordings", "piece_id", "position"},
    {"recordings", "title", "position"},     {"recordings", "position", "position"},
    {"recordings", "version", "position"},   {"recordings", "duration_s", "position"},
    {"scores", "position", "position"},      {"scores", "midi", "position"},
    {"sounds", "position", "position"},      {"sounds", "audio", "position"},
    {"runs", "side", "first_vector"},        {"runs", "first_vector", "first_vector"},
    {"runs", "count", "first_vector"},       {"runs", "source", "first_vector"},
    {"runs", "tempo_ratio", "first_vector"}, {"runs", "start_s", "first_vector"},
    {"runs", "hop_s", "first_vector"},       {"runs", "window_s", "first_vector"},
    {"runs", "part", "first_vector"},        {"pieces", "work_id", "position"},
    {"pieces", "with_parts", "position"},
};

void RequireConsistent(const catalog::Catalog& opened) {
  for (size_t i = 0; i < std::min<size_t>(opened.pieces().size(), 100); ++i) {
    Require(opened.FindPiece(opened.pieces()[i].id) == static_cast<int>(i),
            "a piece is found by its id");
    const auto midi = opened.ReadMidi(static_cast<int>(i));
    if (!midi.ok()) antiphon::fuzz::RequireRefusal(midi.status(), {absl::StatusCode::kDataLoss});
  }
  for (size_t i = 0; i < std::min<size_t>(opened.recordings().size(), 100); ++i) {
    Require(opened.FindRecording(opened.recordings()[i].id) == static_cast<int>(i),
            "a recording is found by its id");
    const auto audio = opened.ReadAudio(static_cast<int>(i));
    if (!audio.ok()) antiphon::fuzz::RequireRefusal(audio.status(), {absl::StatusCode::kDataLoss});
  }
  for (const catalog::Side side : {catalog::Side::kScores, catalog::Side::kRecordings}) {
    const size_t sources =
        side == catalog::Side::kScores ? opened.pieces().size() : opened.recordings().size();
    const int64_t count = opened.vector_count(side);
    for (const int64_t vector : {int64_t{0}, count / 2, count - 1}) {
      if (vector < 0 || vector >= count) continue;
      const auto position = opened.Locate(side, vector);
      Require(
          position.ok() && position->source >= 0 && static_cast<size_t>(position->source) < sources,
          "a vector is a stretch of a source that is there");
    }
    Require(!opened.Locate(side, count).ok() && !opened.Locate(side, -1).ok(),
            "there are no vectors beyond the count");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static antiphon::fuzz::Scratch scratch;
  static const std::string good = antiphon::fuzz::SampleCatalog(scratch.File("good"));
  static const std::string former = antiphon::fuzz::InFormerVersion(
      good, scratch.File("former"), antiphon::fuzz::kToFormerCatalog);
  const std::string path = scratch.File("catalog.sqlite");
  FuzzedDataProvider input(data, size);
  const int form = input.ConsumeIntegralInRange(0, 2);
  if (form > 0) {
    antiphon::fuzz::WriteBytes(path, form == 1 ? good : former);
    antiphon::fuzz::EditRows(path, kColumns, input);
  } else {
    antiphon::fuzz::WriteBytes(path, input.ConsumeRemainingBytesAsString());
  }
  const auto opened = catalog::Catalog::Open(path);
  if (opened.ok()) {
    RequireConsistent(**opened);
  } else {
    antiphon::fuzz::RequireRefusal(
        opened.status(), {absl::StatusCode::kDataLoss, absl::StatusCode::kFailedPrecondition});
  }
  return 0;
}
