// MusicXML written by hand, for tests.
#ifndef ANTIPHON_CORE_MUSICXML_MUSICXML_TEST_UTIL_H_
#define ANTIPHON_CORE_MUSICXML_MUSICXML_TEST_UTIL_H_

#include <string>
#include <string_view>
#include <vector>

#include "core/musicxml/musicxml.h"
#include "gtest/gtest.h"

namespace antiphon::notation::testing {

inline std::string Text(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

// A note of `duration` divisions; `more` is what comes after the duration.
inline std::string Note(std::string_view pitch, int duration, std::string_view more = "") {
  const std::string_view alter = pitch.size() < 3            ? ""
                                 : pitch.substr(1, 1) == "#" ? "<alter>1</alter>"
                                                             : "<alter>-1</alter>";
  return Text({"<note><pitch><step>", pitch.substr(0, 1), "</step>", alter, "<octave>",
               pitch.substr(pitch.size() - 1), "</octave></pitch><duration>",
               std::to_string(duration), "</duration>", more, "</note>\n"});
}

inline std::string Grace(std::string_view pitch, std::string_view more = "") {
  return Text({"<note><grace/><pitch><step>", pitch.substr(0, 1), "</step><octave>",
               pitch.substr(1), "</octave></pitch>", more, "</note>\n"});
}

// Of the chord of the note before.
inline std::string Chord(std::string_view pitch, int duration, std::string_view more = "") {
  return Text({"<note><chord/>", Note(pitch, duration, more).substr(6)});
}

inline std::string Rest(int duration, std::string_view rest = "<rest/>") {
  return Text({"<note>", rest, "<duration>", std::to_string(duration), "</duration></note>\n"});
}

inline std::string Backup(int duration) {
  return Text({"<backup><duration>", std::to_string(duration), "</duration></backup>\n"});
}

inline std::string Words(std::string_view words) {
  return Text(
      {"<direction><direction-type><words>", words, "</words></direction-type></direction>\n"});
}

inline std::string Measure(std::string_view number, std::string_view music,
                           std::string_view more = "") {
  return Text({"<measure number=\"", number, "\" ", more, ">\n", music, "</measure>\n"});
}

// 4/4 and four divisions to the quarter note.
inline constexpr char kCommon[] =
    "<attributes><divisions>4</divisions><key><fifths>0</fifths></key><time><beats>4</beats>"
    "<beat-type>4</beat-type></time></attributes>\n";

inline std::string Attributes(std::string_view content) {
  return Text({"<attributes>", content, "</attributes>\n"});
}

inline std::string Parts(const std::vector<std::string>& parts) {
  std::string list, music;
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::string id = "P" + std::to_string(i + 1);
    list += Text({"<score-part id=\"", id, "\"><part-name>Part ", std::to_string(i + 1),
                  "</part-name></score-part>\n"});
    music += Text({"<part id=\"", id, "\">\n", parts[i], "</part>\n"});
  }
  return Text({"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<score-partwise version=\"4.0\">\n",
               "<part-list>\n", list, "</part-list>\n", music, "</score-partwise>\n"});
}

inline std::string Part(std::string_view measures) { return Parts({std::string(measures)}); }

inline WrittenScore Read(std::string_view bytes) {
  const auto score = ReadMusicXml(bytes);
  if (!score.ok()) {
    ADD_FAILURE() << score.status();
    return {};
  }
  return *score;
}

// "onset:duration:pitch" of each note, in sixteenths.
inline std::string Shown(const WrittenScore& score) {
  std::string shown;
  for (const WrittenNote& note : score.notes) {
    const auto sixteenths = [](Ticks ticks) {
      return std::to_string(ticks * 4 / kTicksPerQuarter);
    };
    if (!shown.empty()) shown += ' ';
    shown += Text(
        {sixteenths(note.onset), ":", sixteenths(note.duration), ":", std::to_string(note.pitch)});
  }
  return shown;
}

}  // namespace antiphon::notation::testing

#endif  // ANTIPHON_CORE_MUSICXML_MUSICXML_TEST_UTIL_H_
