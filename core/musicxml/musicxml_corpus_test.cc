// MusicXML against MIDI of the same pieces, and all of the corpora, where they are there.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_replace.h"
#include "core/music/midi_file.h"
#include "core/musicxml/musicxml.h"
#include "core/notation/unfold.h"
#include "gtest/gtest.h"
#include "tests/support/corpora.h"
#include "tests/support/written_scores.h"

namespace antiphon::notation {
namespace {

using ::antiphon::testing::CorporaDir;
using ::antiphon::testing::FilesBelow;
using ::antiphon::testing::IsSane;

constexpr double kSameOnset = 0.04;  // quarter notes: the MIDI files round

std::string Contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Onsets in quarter notes, by pitch, rising.
using Onsets = std::map<int, std::vector<double>>;

// As played: repeats and jumps followed. Without grace notes.
Onsets PlayedOnsets(const WrittenScore& score, const std::vector<int>& order) {
  std::vector<std::vector<const WrittenNote*>> notes(score.bars.size());
  size_t bar = 0;
  for (const WrittenNote& note : score.notes) {
    while (note.onset >= score.bars[bar].start + score.bars[bar].length) ++bar;
    if (note.grace == 0) notes[bar].push_back(&note);
  }
  Onsets onsets;
  Ticks now = 0;
  for (const int index : order) {
    for (const WrittenNote* note : notes[static_cast<size_t>(index)]) {
      const Ticks at = now + note->onset - score.bars[static_cast<size_t>(index)].start;
      onsets[note->pitch].push_back(static_cast<double>(at) / kTicksPerQuarter);
    }
    now += score.bars[static_cast<size_t>(index)].length;
  }
  for (auto& [pitch, list] : onsets) std::sort(list.begin(), list.end());
  return onsets;
}

Onsets OnsetsOf(const music::Score& score) {
  Onsets onsets;
  for (const music::Note& note : score.notes)
    onsets[note.pitch].push_back(score.tempo_map.BeatsAt(note.onset_s));
  for (auto& [pitch, list] : onsets) std::sort(list.begin(), list.end());
  return onsets;
}

size_t CountOf(const Onsets& onsets) {
  size_t count = 0;
  for (const auto& [pitch, list] : onsets) count += list.size();
  return count;
}

size_t InCommon(const Onsets& one, const Onsets& other) {
  size_t count = 0;
  for (const auto& [pitch, list] : one) {
    const auto found = other.find(pitch);
    if (found == other.end()) continue;
    auto next = found->second.begin();
    for (const double onset : list) {
      while (next != found->second.end() && *next < onset - kSameOnset) ++next;
      if (next == found->second.end() || *next > onset + kSameOnset) continue;
      ++next;
      ++count;
    }
  }
  return count;
}

// The MIDI plays ornaments, grace notes and small notes out.
bool IsPlain(const WrittenScore& score) {
  return score.cue_notes == 0 &&
         std::all_of(score.notes.begin(), score.notes.end(), [](const WrittenNote& note) {
           return note.grace == 0 && note.ornament == Ornament::kNone && note.arpeggio == 0;
         });
}

TEST(MusicXmlCorpus, HasTheNotesOfTheMidiOfTheSamePieces) {
  const auto corpora = CorporaDir();
  if (!corpora) GTEST_SKIP() << "the corpora are not beside this checkout";
  const auto files = FilesBelow(*corpora / "corpus" / "asap-xml", ".musicxml");
  if (files.empty()) GTEST_SKIP() << "the corpora are without asap-xml";
  int compared = 0, recalled = 0;
  for (const std::filesystem::path& file : files) {
    const auto midi_path = *corpora / "corpus" / "asap" /
                           absl::StrReplaceAll(file.stem().string(), {{"__", "/"}}) /
                           "midi_score.mid";
    if (!std::filesystem::exists(midi_path)) continue;
    SCOPED_TRACE(file.filename().string());
    const auto score = ReadMusicXml(Contents(file));
    ASSERT_TRUE(score.ok()) << score.status();
    const auto midi = music::ReadMidi(Contents(midi_path));
    ASSERT_TRUE(midi.ok()) << midi.status();
    std::vector<std::string> warnings;
    const auto order = Unfold(*score, {}, &warnings);
    ASSERT_TRUE(order.ok()) << order.status();
    const Onsets ours = PlayedOnsets(*score, *order), theirs = OnsetsOf(*midi);
    const auto common = static_cast<double>(InCommon(ours, theirs));
    const auto count = static_cast<double>(CountOf(ours));
    const auto played = static_cast<double>(CountOf(theirs));
    ++compared;
    if (common / count >= 0.99) ++recalled;
    if (IsPlain(*score)) EXPECT_GE(2 * common / (count + played), 0.995);
  }
  EXPECT_EQ(compared, 25);
  // In the others many notes wait for a grace note that the MIDI plays on the beat.
  EXPECT_GE(recalled, 22);
}

TEST(MusicXmlCorpus, IsReadWhole) {
  const auto corpora = CorporaDir();
  if (!corpora) GTEST_SKIP() << "the corpora are not beside this checkout";
  int read = 0;
  for (const char* folder : {"chorales", "lieder", "orchestra", "quartets", "violin"}) {
    for (const auto& file : FilesBelow(*corpora / "corpus" / folder, ".mxl")) {
      const std::string bytes = Contents(file);
      EXPECT_TRUE(LooksLikeMusicXml(std::string_view(bytes).substr(0, 4096))) << file;
      const auto score = ReadMusicXml(bytes);
      ASSERT_TRUE(score.ok()) << file << ": " << score.status();
      EXPECT_TRUE(IsSane(*score)) << file;
      EXPECT_FALSE(score->notes.empty()) << file;
      ++read;
    }
  }
  if (read == 0) GTEST_SKIP() << "the corpora are without MusicXML";
}

}  // namespace
}  // namespace antiphon::notation
