// A small collection for tests, made of random melodies with FakeEncoder: no model, no soundfont.
#ifndef ANTIPHON_CORE_TESTING_TEST_COLLECTION_H_
#define ANTIPHON_CORE_TESTING_TEST_COLLECTION_H_

#include <memory>
#include <string>
#include <vector>

#include "core/audio/waveform.h"
#include "core/collection/collection_assembly.h"
#include "core/collection/loaded_collection.h"
#include "core/music/score.h"
#include "core/testing/fake_encoder.h"

namespace antiphon::testing {

// Two random voices over `length_s` seconds, the same for the same seed.
music::Score RandomPiece(int seed, double length_s = 40);

// The notes as sines at 22,050 Hz, at `tempo_ratio` times the tempo written.
audio::Waveform Play(const music::Score& score, double tempo_ratio = 1.0);

// Pieces "piece-0", … = RandomPiece(0), …; recordings "recording-0", … of the first of them,
// recording i being of piece i % pieces at tempo 1 + 0.1·i. Pieces with even numbers, and their
// recordings, are by "Chance", the others by "Accident"; they lie on "shelf-0" to "shelf-2" in
// turn. Behind them pieces "more-0", … of the scores in `more`. Options' model folder is not used.
struct TestCollectionOptions {
  int pieces = 6;
  int recordings = 0;
  std::vector<music::Score> more = {};
  collection::BuilderOptions builder = {};
};
std::unique_ptr<collection::LoadedCollection> MakeTestCollection(
    const std::string& folder, const TestCollectionOptions& options);

}  // namespace antiphon::testing

#endif  // ANTIPHON_CORE_TESTING_TEST_COLLECTION_H_
