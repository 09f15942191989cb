#include "client/commands/alignment_text.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "client/commands/rendering.h"
#include "client/output/format.h"
#include "client/output/table.h"

namespace antiphon::client {
namespace {

// Something with a beginning and an end in the recording.
struct Label {
  double start_s = 0, end_s = 0;
  std::string text;
};

bool SameBar(const v1::AlignedBeat& a, const v1::AlignedBeat& b) {
  return a.passage() == b.passage() && a.position().bar() == b.position().bar() &&
         a.position().pass() == b.position().pass();
}

// The first beats of bars, or of what is played of them; all of them where beats are wanted.
std::vector<int> BeatsToShow(const v1::AlignResponse& response, AlignUnit each) {
  std::vector<int> shown;
  for (int i = 0; i < response.beats_size(); ++i) {
    if (each == AlignUnit::kBeat || i == 0 || !SameBar(response.beats(i - 1), response.beats(i)))
      shown.push_back(i);
  }
  return shown;
}

// As it is printed.
std::string BarName(const v1::Position& place) {
  return place.bar_label().empty() ? absl::StrCat(place.bar()) : Printable(place.bar_label());
}

// "12", and "12 (2)" where it is played for the second time.
std::string BarAndPass(const v1::Position& place) {
  return absl::StrCat(BarName(place),
                      place.pass() > 1 ? absl::StrCat(" (", place.pass(), ")") : "");
}

// "C#4", middle C being C4.
std::string PitchName(int pitch) {
  constexpr const char* kNames[] = {"C",  "C#", "D",  "D#", "E",  "F",
                                    "F#", "G",  "G#", "A",  "A#", "B"};
  return absl::StrCat(kNames[std::clamp(pitch, 0, 127) % 12], std::clamp(pitch, 0, 127) / 12 - 1);
}

// Where a beat ends: at the next one that is shown, or with its passage.
double EndOf(const v1::AlignResponse& response, const std::vector<int>& shown, size_t i) {
  const v1::AlignedBeat& beat = response.beats(shown[i]);
  double end_s = beat.seconds();
  if (beat.passage() >= 0 && beat.passage() < response.passages_size())
    end_s = std::max(end_s, response.passages(beat.passage()).end_seconds());
  if (i + 1 < shown.size()) end_s = std::min(end_s, response.beats(shown[i + 1]).seconds());
  return end_s;
}

std::vector<Label> LabelsOf(const v1::AlignResponse& response, double offset_s, AlignUnit each) {
  std::vector<Label> labels;
  if (each == AlignUnit::kNote) {
    for (const v1::AlignedNote& note : response.notes()) {
      labels.push_back({offset_s + note.onset_seconds(), offset_s + note.offset_seconds(),
                        PitchName(note.pitch())});
    }
    return labels;
  }
  const std::vector<int> shown = BeatsToShow(response, each);
  for (size_t i = 0; i < shown.size(); ++i) {
    const v1::AlignedBeat& beat = response.beats(shown[i]);
    labels.push_back(
        {offset_s + beat.seconds(), offset_s + EndOf(response, shown, i),
         each == AlignUnit::kBeat ? FormatBar(beat.position()) : BarAndPass(beat.position())});
  }
  return labels;
}

const char* NameOf(v1::PassageEntry entry) {
  switch (entry) {
    case v1::PASSAGE_ENTRY_BEGINS:
      return "begins";
    case v1::PASSAGE_ENTRY_REPEAT_LEFT_OUT:
      return "repeat left out";
    case v1::PASSAGE_ENTRY_REPEAT_ADDED:
      return "repeat added";
    case v1::PASSAGE_ENTRY_CUT:
      return "cut";
    default:
      return "";
  }
}

Table PassageTable(const v1::AlignResponse& response, double offset_s) {
  Table table({{"passage", Align::kRight},
               {"from–to", Align::kRight},
               {"bars", Align::kRight},
               {"tempo", Align::kRight},
               {"doubt", Align::kRight},
               {"how"}});
  for (int i = 0; i < response.passages_size(); ++i) {
    const v1::AlignedPassage& passage = response.passages(i);
    table.AddRow({absl::StrCat(i + 1),
                  FormatSpan(offset_s + passage.start_seconds(), offset_s + passage.end_seconds()),
                  FormatBars(passage.reference_start(), passage.reference_end()),
                  FormatTempo(passage.tempo_ratio()), FormatScore(passage.doubt()),
                  NameOf(passage.entry())});
  }
  return table;
}

Table BeatTable(const v1::AlignResponse& response, double offset_s, AlignUnit each) {
  Table table({{each == AlignUnit::kBeat ? "bar:beat" : "bar", Align::kRight},
               {"time", Align::kRight},
               {"bpm", Align::kRight},
               {"doubt", Align::kRight}});
  for (const int i : BeatsToShow(response, each)) {
    const v1::AlignedBeat& beat = response.beats(i);
    table.AddRow(
        {each == AlignUnit::kBeat ? FormatBar(beat.position()) : BarAndPass(beat.position()),
         FormatTime(offset_s + beat.seconds()), absl::StrFormat("%.0f", beat.beats_per_minute()),
         FormatScore(beat.doubt())});
  }
  return table;
}

Table NoteTable(const v1::AlignResponse& response, double offset_s) {
  Table table(
      {{"from–to", Align::kRight}, {"note"}, {"part", Align::kRight}, {"doubt", Align::kRight}});
  for (const v1::AlignedNote& note : response.notes()) {
    table.AddRow({FormatSpan(offset_s + note.onset_seconds(), offset_s + note.offset_seconds()),
                  PitchName(note.pitch()), note.part() < 0 ? "" : absl::StrCat(note.part() + 1),
                  FormatScore(note.doubt())});
  }
  return table;
}

}  // namespace

std::string AlignmentTable(const v1::AlignResponse& response, double offset_s, AlignUnit each) {
  return absl::StrCat(PassageTable(response, offset_s).Render(), "\n",
                      each == AlignUnit::kNote ? NoteTable(response, offset_s).Render()
                                               : BeatTable(response, offset_s, each).Render());
}

std::string AlignmentTsv(const v1::AlignResponse& response, double offset_s, AlignUnit each) {
  std::string text;
  if (each == AlignUnit::kNote) {
    text = "onset\toffset\tpitch\tname\tpart\tquarters\tdoubt\tpassage\n";
    for (const v1::AlignedNote& note : response.notes()) {
      absl::StrAppendFormat(&text, "%.4f\t%.4f\t%d\t%s\t%d\t%.6g\t%.3f\t%d\n",
                            offset_s + note.onset_seconds(), offset_s + note.offset_seconds(),
                            note.pitch(), PitchName(note.pitch()), note.part() + 1,
                            note.score_beats(), note.doubt(), note.passage() + 1);
    }
    return text;
  }
  text = "seconds\tbar\tbeat\tpass\tquarters\tbpm\tdoubt\tpassage\n";
  for (const int i : BeatsToShow(response, each)) {
    const v1::AlignedBeat& beat = response.beats(i);
    const v1::Position& place = beat.position();
    absl::StrAppendFormat(&text, "%.4f\t%s\t%.6g\t%d\t%.6g\t%.2f\t%.3f\t%d\n",
                          offset_s + beat.seconds(), BarName(place), place.beat_in_bar(),
                          place.pass(), place.beats(), beat.beats_per_minute(), beat.doubt(),
                          beat.passage() + 1);
  }
  return text;
}

std::string AlignmentLabels(const v1::AlignResponse& response, double offset_s, AlignUnit each) {
  std::string text;
  for (const Label& label : LabelsOf(response, offset_s, each))
    absl::StrAppendFormat(&text, "%.6f\t%.6f\t%s\n", label.start_s, label.end_s, label.text);
  return text;
}

std::string AlignmentInstants(const v1::AlignResponse& response, double offset_s, AlignUnit each) {
  std::string text;
  for (const Label& label : LabelsOf(response, offset_s, each)) {
    absl::StrAppendFormat(&text, "%.9f,%s\n", label.start_s,
                          absl::StrReplaceAll(label.text, {{",", " "}, {"\"", "'"}}));
  }
  return text;
}

}  // namespace antiphon::client
