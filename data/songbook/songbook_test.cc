// Holds the songbook to what songbook.tsv says of it: every piece is whole, and none is another one
// in disguise.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>
#include <ostream>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/music/midi_file.h"
#include "core/music/score.h"
#include "core/music/upbeat.h"

namespace antiphon::music {
namespace {

namespace fs = std::filesystem;

constexpr double kBeatTolerance = 0.05;  // quarter notes; abc2midi ends notes a tick early
constexpr double kLeastSeconds = 20;
constexpr int kShingleNotes = 5;
// The largest likeness of two pieces allowed; the test prints the largest found.
constexpr double kLargestLikeness = 0.15;

struct Row {
  std::string file, title, composer, key, metre;
  double quarter_bpm = 0;
  int bars = 0;
  double upbeat_beats = 0;
  double total_beats = 0;

  int Numerator() const { return std::stoi(metre.substr(0, metre.find('/'))); }
  int Denominator() const { return std::stoi(metre.substr(metre.find('/') + 1)); }
  double BarBeats() const { return 4.0 * Numerator() / Denominator(); }
};

void PrintTo(const Row& row, std::ostream* os) { *os << row.file; }

std::vector<std::string> Lines(const fs::path& path) {
  std::ifstream in(path);
  EXPECT_TRUE(in.good()) << path;
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::vector<Row> ReadRows() {
  std::vector<Row> rows;
  std::vector<std::string> lines = Lines(fs::path(ANTIPHON_SONGBOOK_SOURCE_DIR) / "songbook.tsv");
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string> cells = absl::StrSplit(lines[i], '\t');
    Row row;
    if (cells.size() != 9 || !absl::SimpleAtod(cells[5], &row.quarter_bpm) ||
        !absl::SimpleAtoi(cells[6], &row.bars) || !absl::SimpleAtod(cells[7], &row.upbeat_beats) ||
        !absl::SimpleAtod(cells[8], &row.total_beats)) {
      ADD_FAILURE() << "songbook.tsv, line " << i + 1 << ": " << lines[i];
      continue;
    }
    row.file = cells[0], row.title = cells[1], row.composer = cells[2], row.key = cells[3],
    row.metre = cells[4];
    rows.push_back(row);
  }
  return rows;
}

const std::vector<Row>& Rows() {
  static const auto* rows = new std::vector<Row>(ReadRows());
  return *rows;
}

std::vector<std::string> SourceLines(const Row& row) {
  return Lines(fs::path(ANTIPHON_SONGBOOK_SOURCE_DIR) / (row.file + ".abc"));
}

absl::StatusOr<Score> ReadPiece(const std::string& name) {
  return ReadMidiFile((fs::path(ANTIPHON_SONGBOOK_DIR) / (name + ".mid")).string());
}

std::string Field(const std::vector<std::string>& lines, const std::string& name) {
  for (const std::string& line : lines) {
    if (absl::StartsWith(line, name + ":")) return line.substr(name.size() + 1);
  }
  return "";
}

// Length of the first bar of the first voice of an ABC file, in quarter notes, if it is written in
// plain notes, rests, chords and triplets.
double FirstBar(const std::vector<std::string>& lines) {
  const std::regex left_out(R"("[^"]*"|\{[^}]*\}|![^!]*!|\|:|\[\|)");
  const std::regex element(R"(\(3|(\[[^\]]*\]|[_^=]*[A-Ga-gxz][,']*)([0-9]*)(/+)?([0-9]*))");
  const std::vector<std::string> unit = absl::StrSplit(Field(lines, "L"), '/');
  const double unit_beats = 4.0 * std::stoi(unit[0]) / std::stoi(unit[1]);
  bool music = false;
  for (const std::string& line : lines) {
    if (music && line.find('|') != std::string::npos) {
      std::string bar = std::regex_replace(line, left_out, "");
      bar = bar.substr(0, bar.find_first_of("|&"));
      double beats = 0;
      int of_triplet = 0;
      for (std::sregex_iterator it(bar.begin(), bar.end(), element), end; it != end; ++it) {
        if (it->str() == "(3") {
          of_triplet = 3;
          continue;
        }
        double length = (*it)[2].length() > 0 ? std::stod((*it)[2]) : 1;
        if ((*it)[4].length() > 0) {
          length /= std::stod((*it)[4]);
        } else {
          length /= 1 << (*it)[3].length();
        }
        if (of_triplet-- > 0) length *= 2.0 / 3;
        beats += length * unit_beats;
      }
      return beats;
    }
    music = music || absl::StartsWith(line, "K:");
  }
  return 0;
}

// The tune as it is heard: the highest note of each onset, in quarter-note beats.
struct TuneNote {
  double beat;
  int pitch;
};
std::vector<TuneNote> Tune(const Score& score) {
  std::vector<TuneNote> tune;
  for (const Note& note : score.notes) {
    const double beat = score.tempo_map.BeatsAt(note.onset_s);
    if (!tune.empty() && beat - tune.back().beat < kBeatTolerance) {
      tune.back().pitch = std::max(tune.back().pitch, note.pitch);
    } else {
      tune.push_back({beat, note.pitch});
    }
  }
  return tune;
}

// Every run of kShingleNotes notes as its intervals and its rhythm relative to the first step: the
// same for a piece that is transposed or played at another tempo.
std::set<std::string> Shingles(const Score& score) {
  const std::vector<TuneNote> tune = Tune(score);
  std::set<std::string> shingles;
  for (size_t i = 0; i + kShingleNotes <= tune.size(); ++i) {
    std::string shingle;
    // Whole 24ths of a beat, so that rounding to ticks or seconds cannot tip a ratio over.
    const auto step = [&](size_t j) { return std::lround(24 * (tune[j].beat - tune[j - 1].beat)); };
    for (size_t j = i + 1; j < i + kShingleNotes; ++j) {
      absl::StrAppend(&shingle, tune[j].pitch - tune[j - 1].pitch, "/", 100 * step(j) / step(i + 1),
                      " ");
    }
    shingles.insert(shingle);
  }
  return shingles;
}

// Jaccard index of the two sets of shingles, in [0, 1]; 1 means the same set.
double Likeness(const std::set<std::string>& a, const std::set<std::string>& b) {
  std::vector<std::string> common;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(common));
  const double all = static_cast<double>(a.size() + b.size() - common.size());
  return all == 0 ? 1.0 : static_cast<double>(common.size()) / all;
}

class SongbookPiece : public ::testing::TestWithParam<Row> {
 protected:
  void SetUp() override {
    absl::StatusOr<Score> score = ReadPiece(GetParam().file);
    ASSERT_TRUE(score.ok()) << score.status();
    score_ = *std::move(score);
    ASSERT_FALSE(score_.notes.empty());
  }

  // Where the last note of a track (or of all, with -1) is released, in quarter-note beats.
  double LastBeat(int track = -1) const {
    double end = 0;
    for (const Note& note : score_.notes) {
      if (track < 0 || note.track == track)
        end = std::max(end, score_.tempo_map.BeatsAt(note.offset_s));
    }
    return end;
  }

  Score score_;
};

TEST_P(SongbookPiece, HasTitleComposerAndMetreOfItsRow) {
  const Row& row = GetParam();
  const std::vector<std::string> lines = SourceLines(row);
  EXPECT_EQ(Field(lines, "T"), row.title);
  EXPECT_EQ(Field(lines, "C"), row.composer);
  EXPECT_EQ(Field(lines, "M"), row.metre);
  ASSERT_EQ(score_.tempo_map.time_signatures().size(), 1u);
  EXPECT_EQ(score_.tempo_map.time_signatures()[0].numerator, row.Numerator());
  EXPECT_EQ(score_.tempo_map.time_signatures()[0].denominator, row.Denominator());
}

TEST_P(SongbookPiece, KeepsTheTempoOfItsRowThroughout) {
  for (const TempoChange& tempo : score_.tempo_map.tempi()) {
    EXPECT_NEAR(60 / tempo.seconds_per_beat, GetParam().quarter_bpm, 0.01 * GetParam().quarter_bpm);
  }
}

TEST_P(SongbookPiece, HasTheKeyOfItsRow) {
  // Fifths of the major scale on each letter; the other modes lie a fixed number of fifths away.
  const std::map<std::string, int> fifths = {{"C", 0},   {"G", 1},   {"D", 2},  {"A", 3},
                                             {"E", 4},   {"B", 5},   {"F", -1}, {"Bb", -2},
                                             {"Eb", -3}, {"Ab", -4}, {"F#", 6}, {"C#", 7}};
  const std::map<std::string, int> modes = {{"major", 0}, {"minor", -3}, {"dorian", -2}};
  const std::vector<std::string> parts = absl::StrSplit(GetParam().key, ' ');
  ASSERT_EQ(parts.size(), 2u) << GetParam().key;
  ASSERT_TRUE(fifths.contains(parts[0]) && modes.contains(parts[1])) << GetParam().key;
  ASSERT_FALSE(score_.tempo_map.key_signatures().empty());
  EXPECT_EQ(score_.tempo_map.key_signatures()[0].fifths, fifths.at(parts[0]) + modes.at(parts[1]));
}

TEST_P(SongbookPiece, HasTheBarsAndBeatsOfItsRow) {
  const Row& row = GetParam();
  // The last bar may be short by the upbeat, which it then completes, and may end in rests.
  const double full = row.upbeat_beats + row.bars * row.BarBeats();
  EXPECT_TRUE(std::abs(row.total_beats - full) < kBeatTolerance ||
              std::abs(row.total_beats + row.upbeat_beats - full) < kBeatTolerance)
      << row.total_beats << " beats are not " << row.bars << " bars";
  EXPECT_LT(LastBeat(), row.total_beats + kBeatTolerance);
  EXPECT_GT(LastBeat(), row.total_beats - row.BarBeats() + kBeatTolerance);
  EXPECT_LT(score_.tempo_map.BeatsAt(score_.notes[0].onset_s),
            std::max(row.upbeat_beats, row.BarBeats()));
}

TEST_P(SongbookPiece, HasTheUpbeatOfItsRow) {
  const Row& row = GetParam();
  const double first_bar = FirstBar(SourceLines(row));
  EXPECT_NEAR(first_bar, row.upbeat_beats > 0 ? row.upbeat_beats : row.BarBeats(), 1e-9);
}

TEST_P(SongbookPiece, CountsItsBarsAsPrinted) {
  const Row& row = GetParam();
  std::ifstream in(fs::path(ANTIPHON_SONGBOOK_DIR) / (row.file + ".mid"), std::ios::binary);
  const std::string midi{std::istreambuf_iterator<char>(in), {}};
  const absl::StatusOr<std::string> stored = WithUpbeat(midi, row.upbeat_beats);
  ASSERT_TRUE(stored.ok()) << stored.status();
  const absl::StatusOr<Score> score = ReadMidi(*stored);
  ASSERT_TRUE(score.ok()) << score.status();
  EXPECT_EQ(score->notes.size(), score_.notes.size());
  EXPECT_EQ(score->duration_s, score_.duration_s);
  const TempoMap& map = score->tempo_map;
  EXPECT_EQ(map.BarAt(0).bar, row.upbeat_beats > 0 ? 0 : 1);
  EXPECT_EQ(map.BarAt(row.upbeat_beats).bar, 1);
  EXPECT_NEAR(map.BarAt(row.upbeat_beats).beat, 1, 1e-6);
  EXPECT_EQ(map.BarAt(row.total_beats - 0.1).bar, row.bars);
}

TEST_P(SongbookPiece, IsLongEnoughToBeFoundAndFitsThePiano) {
  EXPECT_GE(score_.duration_s, kLeastSeconds);
  for (const Note& note : score_.notes) {
    EXPECT_GE(note.pitch, kLowestPianoPitch);
    EXPECT_LE(note.pitch, kHighestPianoPitch);
    EXPECT_GT(note.offset_s, note.onset_s);
  }
}

TEST_P(SongbookPiece, StrikesTheNotesOfAChordTogether) {
  // Every onset lies on the grid of 24ths of a beat, two ticks of 480 aside: no chord is spread.
  for (const Note& note : score_.notes) {
    const double beat = score_.tempo_map.BeatsAt(note.onset_s);
    EXPECT_NEAR(beat, std::round(beat * 24) / 24, 2.5 / 480) << "at beat " << beat;
  }
}

TEST_P(SongbookPiece, SoundsEveryVoiceToTheEndWithTheUpperHandAbove) {
  std::set<std::string> voices;
  for (const std::string& line : SourceLines(GetParam())) {
    if (absl::StartsWith(line, "V:"))
      voices.insert(line.substr(2, line.find_first_of(" \t", 2) - 2));
  }
  std::map<int, std::vector<int>> pitches;  // by track
  for (const Note& note : score_.notes) pitches[note.track].push_back(note.pitch);
  // A piece in one voice has a second track where abc2midi plays the chord symbols; a passing
  // overlay (&) has a track of its own too, which need not last.
  size_t to_the_end = 0;
  for (const auto& [track, notes] : pitches) {
    if (LastBeat(track) > GetParam().total_beats - GetParam().BarBeats()) ++to_the_end;
  }
  ASSERT_GE(to_the_end, std::max<size_t>(voices.size(), 2));
  if (voices.size() < 2) return;
  const auto mean = [](const std::vector<int>& notes) {
    return std::accumulate(notes.begin(), notes.end(), 0.0) / static_cast<double>(notes.size());
  };
  EXPECT_GT(mean(pitches.begin()->second), mean(pitches.rbegin()->second) + 3);
}

INSTANTIATE_TEST_SUITE_P(Songbook, SongbookPiece, ::testing::ValuesIn(Rows()),
                         [](const ::testing::TestParamInfo<Row>& info) { return info.param.file; });

TEST(Songbook, HasARowForEverySourceAndASourceForEveryRow) {
  std::set<std::string> sources, rows;
  for (const fs::directory_entry& entry : fs::directory_iterator(ANTIPHON_SONGBOOK_SOURCE_DIR)) {
    if (entry.path().extension() == ".abc") sources.insert(entry.path().stem().string());
  }
  for (const Row& row : Rows())
    EXPECT_TRUE(rows.insert(row.file).second) << row.file << " is listed twice";
  EXPECT_EQ(sources, rows);
  EXPECT_GE(rows.size(), 40u);
}

TEST(Songbook, MetadataNamesEveryMidiFileWithTitleComposerAndUpbeat) {
  std::vector<std::string> expected = {"file\ttitle\tcomposer\tupbeat"};
  for (const Row& row : Rows())
    expected.push_back(
        absl::StrCat(row.file, ".mid\t", row.title, "\t", row.composer, "\t", row.upbeat_beats));
  EXPECT_THAT(Lines(fs::path(ANTIPHON_SONGBOOK_DIR) / "metadata.tsv"),
              ::testing::UnorderedElementsAreArray(expected));
}

TEST(Songbook, NoPieceIsLikeAnother) {
  std::vector<std::set<std::string>> shingles;
  for (const Row& row : Rows()) {
    absl::StatusOr<Score> score = ReadPiece(row.file);
    ASSERT_TRUE(score.ok()) << score.status();
    shingles.push_back(Shingles(*score));
    EXPECT_GE(shingles.back().size(), 5u) << row.file;
  }
  double largest = 0;
  std::string pair;
  for (size_t i = 0; i < shingles.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const double likeness = Likeness(shingles[i], shingles[j]);
      EXPECT_LT(likeness, kLargestLikeness) << Rows()[i].file << " and " << Rows()[j].file;
      if (likeness > largest)
        largest = likeness, pair = absl::StrCat(Rows()[i].file, ", ", Rows()[j].file);
    }
  }
  RecordProperty("largest_likeness", std::to_string(largest));
  std::printf("largest likeness %.3f (%s)\n", largest, pair.c_str());
}

TEST(Songbook, LikenessSeesThroughTransposingAndTempo) {
  for (const Row& row : Rows()) {
    absl::StatusOr<Score> score = ReadPiece(row.file);
    ASSERT_TRUE(score.ok()) << score.status();
    Score disguised = AtTempoRatio(*score, 0.8);
    for (Note& note : disguised.notes) note.pitch += 3;
    EXPECT_EQ(Likeness(Shingles(*score), Shingles(disguised)), 1.0) << row.file;
  }
}

}  // namespace
}  // namespace antiphon::music
