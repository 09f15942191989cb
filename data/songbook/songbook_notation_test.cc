// Holds the reader of ABC to what abc2midi makes of the songbook.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "core/abc/abc.h"
#include "core/music/midi_file.h"

namespace antiphon::notation {
namespace {

namespace fs = std::filesystem;

constexpr double kTolerance = 0.02;  // quarter notes; abc2midi begins notes a tick late

std::string Contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Onsets in quarter notes by pitch, rising.
using Onsets = std::map<int, std::vector<double>>;

Onsets Sorted(Onsets onsets) {
  for (auto& [pitch, list] : onsets) std::sort(list.begin(), list.end());
  return onsets;
}

// The score with its repeats and endings played.
Onsets Played(const WrittenScore& score) {
  Onsets onsets;
  Ticks played = 0;
  int start = 0;
  int pass = 1;
  for (int i = 0; i < static_cast<int>(score.bars.size()); ++i) {
    const WrittenBar& bar = score.bars[i];
    if (bar.starts_repeat && i != start) {
      start = i;
      pass = 1;
    }
    if (!bar.endings.empty() && !std::binary_search(bar.endings.begin(), bar.endings.end(), pass))
      continue;
    for (const WrittenNote& note : score.notes) {
      if (note.grace > 0 || note.onset < bar.start || note.onset >= bar.start + bar.length)
        continue;
      onsets[note.pitch].push_back(static_cast<double>(played + note.onset - bar.start) /
                                   kTicksPerQuarter);
    }
    played += bar.length;
    if (pass < bar.plays) {
      ++pass;
      i = start - 1;
    }
  }
  return Sorted(std::move(onsets));
}

// To the pieces with one voice, which have chord symbols, abc2midi adds an accompaniment on
// channels of its own.
Onsets InMidi(const music::Score& score, bool first_channel_only) {
  Onsets onsets;
  for (const music::Note& note : score.notes) {
    if (first_channel_only && note.channel != 0) continue;
    onsets[note.pitch].push_back(score.tempo_map.BeatsAt(note.onset_s));
  }
  return Sorted(std::move(onsets));
}

TEST(SongbookNotationTest, AllPiecesHaveTheNotesThatAbc2midiPlays) {
  int pieces = 0;
  for (const auto& entry : fs::directory_iterator(ANTIPHON_SONGBOOK_SOURCE_DIR)) {
    if (entry.path().extension() != ".abc") continue;
    SCOPED_TRACE(entry.path().filename());
    ++pieces;
    const std::string text = Contents(entry.path());
    EXPECT_TRUE(LooksLikeAbc(text));
    const auto scores = ReadAbc(text);
    ASSERT_TRUE(scores.ok()) << scores.status();
    ASSERT_EQ(scores->size(), 1u);
    const WrittenScore& score = scores->front();
    EXPECT_TRUE(score.warnings.empty()) << score.warnings.front();
    EXPECT_FALSE(score.title.empty());
    EXPECT_FALSE(score.composer.empty());
    const auto midi = music::ReadMidi(Contents(fs::path(ANTIPHON_SONGBOOK_DIR) /
                                               entry.path().filename().replace_extension(".mid")));
    ASSERT_TRUE(midi.ok()) << midi.status();

    const Onsets ours = Played(score);
    const Onsets theirs = InMidi(*midi, score.parts.size() == 1);
    ASSERT_EQ(ours.size(), theirs.size());
    for (const auto& [pitch, onsets] : ours) {
      const auto found = theirs.find(pitch);
      ASSERT_NE(found, theirs.end()) << pitch;
      ASSERT_EQ(onsets.size(), found->second.size()) << pitch;
      for (size_t i = 0; i < onsets.size(); ++i)
        ASSERT_NEAR(onsets[i], found->second[i], kTolerance) << pitch;
    }
    ASSERT_FALSE(score.tempi.empty());
    EXPECT_NEAR(score.tempi[0].value * midi->tempo_map.tempi()[0].seconds_per_beat, 60, 0.01);
    ASSERT_FALSE(score.keys.empty());
    ASSERT_FALSE(midi->tempo_map.key_signatures().empty());
    EXPECT_EQ(score.keys[0].value.fifths, midi->tempo_map.key_signatures()[0].fifths);
  }
  EXPECT_GE(pieces, 60);
}

}  // namespace
}  // namespace antiphon::notation
