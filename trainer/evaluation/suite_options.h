// What each suite is told: a struct of its own for every suite, which holds what acts on it and
// nothing else. Plain values.
//
// A suite checks its options once, when it begins: Check() says which field is out of the range
// beside it (InvalidArgument).
#ifndef ANTIPHON_TRAINER_EVALUATION_SUITE_OPTIONS_H_
#define ANTIPHON_TRAINER_EVALUATION_SUITE_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/encoder/window_encoder.h"
#include "trainer/data/soundfonts.h"
#include "trainer/data/split.h"
#include "trainer/datasets/rendition_cache.h"
#include "trainer/datasets/test_set.h"

namespace antiphon::trainer::evaluation {

// The models that a suite compares.
struct ModelOptions {
  std::string model;      // folder of the model measured
  std::string untrained;  // folder of the untrained model; empty leaves its rows out
  encoder::EncoderOptions encoder;
  bool with_parts = false;  // reference collections hold each part of a score by itself, too
};

// One of them.
struct NamedModel {
  std::string name;    // of its rows
  std::string folder;  // never empty
  bool measured = false;
};

// The model measured, then the untrained one if there is one.
std::vector<NamedModel> ModelsOf(const ModelOptions& options);

// The performances of ASAP that a suite asks about.
struct AsapOptions {
  std::string folder;    // of the dataset, with its metadata.csv
  int performances = 0;  // a sample of that size, 0 to 1,000,000; 0 is all
  datasets::RenditionOptions renditions;
  int threads = 0;  // that render, 0 to 1024; 0 is the number of cores
};

struct SnippetsOptions {
  ModelOptions models;
  datasets::TestSetOptions test_set;
  int snippets = 2000;         // pairs drawn, 1 to 10,000,000
  bool centre_scores = false;  // the score's window exactly around the onset, not on the frames of
                               // the recording
  bool all_onsets = true;      // also with all distinct onsets as candidates
  uint64_t seed = 1;

  [[nodiscard]] absl::Status Check() const;
};

struct PiecesOptions {
  ModelOptions models;
  datasets::TestSetOptions test_set;
  std::string work;  // folder for a bundle, which the suite removes
};

struct PerformancesOptions {
  ModelOptions models;
  AsapOptions asap;
  std::string reference_collections;  // folder for bundles, which are kept
  std::string errors;                 // folder for a page of the worst errors; empty: none
  uint64_t seed = 1;

  [[nodiscard]] absl::Status Check() const;
};

struct RecordingsOptions {
  ModelOptions models;
  std::string midi_dir;    // scores, searched recursively, all of them
  std::string recordings;  // folder of the MAPS recordings; a file is named piece_room
  int excerpts = 10;       // of each recording and length, 1 to 1000
  std::vector<std::string> degradations;  // names (degradation.h), each for another table's row
  int max_transposition = 0;              // semitones, 0 to matching::kMaxTransposition
  std::string reference_collections;      // folder for bundles, which are kept
  std::string errors;                     // folder for a page of the worst errors; empty: none
  std::string soundfont = data::kEvaluationSoundfont;  // for that page, to render queries plainly
  uint64_t seed = 1;

  [[nodiscard]] absl::Status Check() const;
};

struct SameRecordingOptions {
  ModelOptions models;
  std::string recordings;  // folder of recordings, which are filed and asked about; may be empty
  // With a folder: of so many works (0: all) one performance is filed, and another asked about.
  AsapOptions asap;
  int excerpts = 10;                      // of each recording, 1 to 1000
  std::vector<std::string> degradations;  // names (degradation.h), each for another row
  int max_transposition = 0;              // semitones, 0 to matching::kMaxTransposition
  std::string work;                       // folder for a bundle, which the suite removes
  uint64_t seed = 1;

  [[nodiscard]] absl::Status Check() const;
};

struct UnknownOptions {
  ModelOptions models;
  AsapOptions asap;
  int max_transposition = 0;  // semitones, 0 to matching::kMaxTransposition
  // Folders of further scores that fill collections up; those that share music with a score of ASAP
  // are left out.
  std::vector<std::string> distractors;
  // Pieces of the collections that known and unknown music is asked in, 1 to 1,000,000 each; those
  // that there are too few scores for are all.
  std::vector<int> sizes = {1, 10, 60, 300, 1'000'000};
  std::string recordings;  // folder of the MAPS recordings; empty: their labels are not looked at
  std::string midi_dir;    // the scores that those are named after; needed with `recordings`
  std::string reference_collections;  // folder for bundles, which are kept
  uint64_t seed = 1;

  [[nodiscard]] absl::Status Check() const;
};

struct EditionsOptions {
  ModelOptions models;
  std::string corpora;                          // folder with msmd, piano-midi.de and asap
  std::string list = "data/editions/real.tsv";  // of real second editions
  int made_editions = 60;                       // pieces with a made one, 0 to 10,000
  int unknown_pieces = 100;                     // in no collection, 1 to 10,000
  std::string soundfont = data::kEvaluationSoundfont;
  std::string reference_collections;  // folder for bundles, which are kept
  uint64_t seed = 1;

  [[nodiscard]] absl::Status Check() const;
};

struct TracksOptions {
  ModelOptions models;
  std::string songbook;    // folder of scores that are played at 0.7 and 1.3 of their tempo; may be
                           // empty, as those of the next two
  std::string recordings;  // folder of the MAPS recordings
  std::string midi_dir;    // the scores that those are named after; needed with `recordings`
  AsapOptions asap;        // with an empty folder none are asked about
  std::string soundfont = data::kEvaluationSoundfont;
  std::string reference_collections;  // folder for bundles, which are kept
  uint64_t seed = 1;

  [[nodiscard]] absl::Status Check() const;
};

struct EnsembleOptions {
  ModelOptions models;
  std::string midi_dir;               // scores, searched recursively, all of them; or else …
  std::string bundle;                 // … a bundle made by the index command with the model
  std::string recordings;             // folder of the Bach10 recordings
  int excerpts = 10;                  // of each recording and length at most, 1 to 1000
  std::string reference_collections;  // folder for bundles, which are kept
  uint64_t seed = 1;                  // of the untrained model

  [[nodiscard]] absl::Status Check() const;
};

struct ViolinOptions {
  ModelOptions models;
  std::string midi_dir;  // scores for violin, searched recursively, all of them
  // A bundle made by the index command with the model, in the place of `midi_dir` and the others.
  std::string bundle;
  std::string recordings;                // folder of recordings; one is named player_work_movement
  std::vector<std::string> distractors;  // folders of further scores
  std::string asap;   // folder of ASAP, whose scores are in the catalogue too; empty: they are not
  int excerpts = 10;  // of each recording and length at most, 1 to 1000
  std::string reference_collections;  // folder for bundles, which are kept
  uint64_t seed = 1;                  // of the untrained model

  [[nodiscard]] absl::Status Check() const;
};

struct RenderedOptions {
  ModelOptions models;
  std::vector<std::string> scores;  // folders; works of the test part of each are played
  int works = 0;                    // of each folder that are played, 0 to 1,000,000; 0 is all
  int listed = 0;  // scores of each folder in the catalogue, 0 to 1,000,000; 0 is all
  // A bundle made by the index command with the model, which holds what is played: the catalogue in
  // the place of the folders.
  std::string bundle;
  int excerpts = 3;  // passages of each work at most, 1 to 1000
  std::string soundfont = data::kEvaluationSoundfont;
  std::string reference_collections;  // folder for bundles, which are kept
  uint64_t seed = 1;

  [[nodiscard]] absl::Status Check() const;
};

struct CatalogSizeOptions {
  ModelOptions models;
  AsapOptions asap;  // 0 performances are a sample of 60; without a folder there are none
  std::string midi_dir;
  std::string recordings;                // folder of the MAPS recordings
  std::vector<std::string> distractors;  // folders of further scores that fill collections up
  // A bundle made by the index command with the model, which holds the pieces asked about and fills
  // the collections up: in the place of `distractors`, and without made pieces.
  std::string bundle;
  std::vector<int> sizes = {100, 300, 1000, 3000, 10000};  // pieces, 1 to 1,000,000 each
  std::string reference_collections;                       // folder for bundles, which are kept
  uint64_t seed = 1;

  [[nodiscard]] absl::Status Check() const;
};

struct TranscriptionOptions {
  ModelOptions models;
  datasets::TestSetOptions test_set;
  int snippets = 2000;     // drawn, 2 to 10,000,000
  int pieces = 0;          // of the test set, transcribed as a whole, 0 to 1,000,000; 0 is all
  std::string recordings;  // folder of the MAPS recordings; empty: none …
  std::string scores;      // … and of the scores that those are named after
  std::string reference_collections;  // folder for bundles, which are kept
  uint64_t seed = 1;

  [[nodiscard]] absl::Status Check() const;
};

// At least one of `asap`, `recordings` and `bach10` must be given.
struct AlignmentOptions {
  AsapOptions asap;        // its folder may be empty; its threads also align
  std::string recordings;  // folder of the MAPS recordings with their lists of notes; may be empty
  std::string midi_dir;    // the scores that those are named after; needed with `recordings`
  std::string bach10;      // folder of the Bach10 recordings; may be empty
  // Of each of the three: so many recordings are also played otherwise than written, cut to
  // excerpts, and compared with scores of other music; 0 to 1000.
  int varied = 20;
  uint64_t seed = 1;

  [[nodiscard]] absl::Status Check() const;
};

// At least one of `asap`, `recordings` and `bach10` must be given.
struct FollowingOptions {
  AsapOptions asap;        // its folder may be empty; its threads also follow
  std::string recordings;  // folder of the MAPS recordings with their lists of notes; may be empty
  std::string midi_dir;    // the scores that those are named after; needed with `recordings`
  std::string bach10;      // folder of the Bach10 recordings; may be empty
  data::Part part = data::Part::kTest;  // kValid: what the follower was tuned on; not kTrain
  uint64_t seed = 1;

  [[nodiscard]] absl::Status Check() const;
};

}  // namespace antiphon::trainer::evaluation

#endif  // ANTIPHON_TRAINER_EVALUATION_SUITE_OPTIONS_H_
