// What the readers make of scores, for comparison with other programs: one line of JSON for each
// score of the files named, or of those whose names the standard input has, one in a line.
//
//   score_notes [--summary] FILE...
//   score_notes [--summary] - <LIST
//
// All times are quarter notes. Of a score there is what is written and what is played, both without
// graces, which every program plays in its own way: they are in `graces`. Ornaments and arpeggios
// are left as written, tremolos are not counted out. --summary has counts in place of notes, as
// played by default. A file that isn't read, or a score that isn't played, has an `error`; the exit
// code is 0 all the same.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/abc/abc.h"
#include "core/base/status_macros.h"
#include "core/humdrum/humdrum.h"
#include "core/music/midi_file.h"
#include "core/musicxml/musicxml.h"
#include "core/notation/play.h"
#include "core/scores/read_score.h"
#include "nlohmann/json.hpp"

namespace antiphon::notation {
namespace {

using Json = nlohmann::ordered_json;

double Quarters(Ticks ticks) { return static_cast<double>(ticks) / kTicksPerQuarter; }

absl::StatusOr<std::vector<WrittenScore>> ReadNotation(ScoreFormat format, std::string_view bytes) {
  std::vector<WrittenScore> scores;
  switch (format) {
    case ScoreFormat::kAbc:
      return ReadAbc(bytes);
    case ScoreFormat::kMusicXml: {
      ASSIGN_OR_RETURN(WrittenScore score, ReadMusicXml(bytes));
      scores.push_back(std::move(score));
      return scores;
    }
    case ScoreFormat::kHumdrum: {
      ASSIGN_OR_RETURN(WrittenScore score, ReadHumdrum(bytes));
      scores.push_back(std::move(score));
      return scores;
    }
    case ScoreFormat::kMidi:
      break;
  }
  return absl::InvalidArgumentError("neither MusicXML nor Humdrum nor ABC");
}

// [onset, duration, pitch, part, voice, marks]: `marks` names what players add to the note.
Json ToJson(const WrittenNote& note) {
  Json marks = Json::array();
  if (note.ornament != Ornament::kNone) marks.push_back("ornament");
  if (note.arpeggio > 0) marks.push_back("arpeggio");
  if (note.tremolo_stroke > 0) marks.push_back("tremolo");
  return {Quarters(note.onset), Quarters(note.duration), note.pitch, note.part, note.voice, marks};
}

Json ToJson(const WrittenBar& bar) {
  Json json = {{"start", Quarters(bar.start)}, {"length", Quarters(bar.length)}};
  json["label"] = bar.number;
  json["endings"] = bar.endings;
  Json signs = Json::array();
  for (const auto& [there, sign] :
       {std::pair(bar.starts_repeat, "start-repeat"), std::pair(bar.plays > 1, "repeat"),
        std::pair(bar.segno, "segno"), std::pair(bar.coda, "coda"),
        std::pair(bar.to_coda, "to-coda"), std::pair(bar.fine, "fine"),
        std::pair(bar.da_capo, "da-capo"), std::pair(bar.dal_segno, "dal-segno"),
        std::pair(bar.starts_movement, "movement")}) {
    if (there) signs.push_back(sign);
  }
  json["signs"] = std::move(signs);
  return json;
}

// "notes" as [onset, duration, pitch, part] and "bars" as [onset, length, label, number, pass,
// onset in print].
void AddPlayed(const music::Score& score, Json& json) {
  Json notes = Json::array(), bars = Json::array();
  for (const music::Note& note : score.notes) {
    const double onset = score.tempo_map.BeatsAt(note.onset_s);
    notes.push_back(
        {onset, score.tempo_map.BeatsAt(note.offset_s) - onset, note.pitch, note.track});
  }
  for (const music::PlayedBar& bar : score.bars)
    bars.push_back({bar.beat, bar.length, bar.label, bar.number, bar.pass, bar.written_beat});
  json["bars"] = std::move(bars);
  json["notes"] = std::move(notes);
  json["warnings"] = score.warnings;
}

Json ToJson(WrittenScore score) {
  Json json = {{"title", score.title}, {"composer", score.composer}, {"opus", score.opus}};
  json["cue_notes"] = score.cue_notes;
  json["unpitched_notes"] = score.unpitched_notes;
  Json parts = Json::array();
  for (const WrittenPart& part : score.parts) parts.push_back(part.name);
  json["parts"] = std::move(parts);
  const auto first_grace =
      std::stable_partition(score.notes.begin(), score.notes.end(),
                            [](const WrittenNote& note) { return note.grace == 0; });
  Json graces = Json::array(), notes = Json::array(), bars = Json::array();
  for (auto note = first_grace; note != score.notes.end(); ++note)
    graces.push_back({Quarters(note->onset), note->pitch, note->part});
  score.notes.erase(first_grace, score.notes.end());
  for (const WrittenNote& note : score.notes) notes.push_back(ToJson(note));
  for (const WrittenBar& bar : score.bars) bars.push_back(ToJson(bar));
  json["graces"] = std::move(graces);
  json["written_notes"] = std::move(notes);
  json["written_bars"] = std::move(bars);
  PlayOptions options;
  options.tremolo = false;
  const auto played = Play(score, options);
  if (played.ok()) {
    AddPlayed(*played, json);
  } else {
    json["error"] = played.status().message();
  }
  return json;
}

// How much there is, in place of the notes.
Json Summary(const WrittenScore& score) {
  Json json = {{"parts", score.parts.size()},
               {"written_bars", score.bars.size()},
               {"written_notes", score.notes.size()}};
  const auto played = Play(score);
  if (!played.ok()) {
    json["error"] = played.status().message();
    return json;
  }
  json["bars"] = played->bars.size();
  json["notes"] = played->notes.size();
  json["duration_seconds"] = played->duration_s;
  json["warnings"] = played->warnings;
  return json;
}

// Whoever reads the list can wait for each answer.
void Print(const Json& json) {
  std::cout << json.dump(-1, ' ', false, Json::error_handler_t::replace) << std::endl;
}

void PrintScores(const std::string& path, bool summary) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const ScoreFormat format = FormatOf(bytes).value_or(
      bytes.starts_with("PK") ? ScoreFormat::kMusicXml : ScoreFormat::kMidi);
  const auto begin = std::chrono::steady_clock::now();
  auto scores = ReadNotation(format, bytes);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  Json json = {{"file", path}, {"format", NameOf(format)}, {"seconds_to_read", took.count()}};
  json["tunes"] = scores.ok() ? scores->size() : 1;
  json["tune"] = 1;
  if (!scores.ok()) {
    json["error"] = scores.status().message();
    Print(json);
    return;
  }
  for (size_t i = 0; i < scores->size(); ++i) {
    json["tune"] = i + 1;
    Json of_tune = json;
    of_tune.update(summary ? Summary((*scores)[i]) : ToJson(std::move((*scores)[i])));
    Print(of_tune);
  }
}

int Main(int argc, char** argv) {
  std::vector<std::string> paths(argv + 1, argv + argc);
  const bool summary = !paths.empty() && paths.front() == "--summary";
  if (summary) paths.erase(paths.begin());
  if (paths.empty()) {
    std::cerr << "Usage: score_notes [--summary] FILE... | score_notes [--summary] - <LIST\n";
    return 2;
  }
  if (paths.size() > 1 || paths.front() != "-") {
    for (const std::string& path : paths) PrintScores(path, summary);
    return 0;
  }
  for (std::string path; std::getline(std::cin, path);) PrintScores(path, summary);
  return 0;
}

}  // namespace
}  // namespace antiphon::notation

int main(int argc, char** argv) { return antiphon::notation::Main(argc, argv); }
