#include "core/music/midi_title.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "core/music/file_naming.h"
#include "core/music/midi_text.h"

namespace antiphon::music {
namespace {

// What programs call tracks and files that nobody named; lower case, without numbers. Instruments
// and voices are among them, as far as they aren't titles too.
constexpr std::array kGeneric = std::to_array<std::string_view>({
    // Tracks and staves.
    "bass clef",
    "channel",
    "chords",
    "conductor",
    "conductor track",
    "control",
    "control track",
    "down",
    "drum track",
    "drums",
    "instrument",
    "left",
    "left hand",
    "lh",
    "lower",
    "lower staff",
    "lyric",
    "lyrics",
    "main droite",
    "main gauche",
    "manual",
    "master",
    "master track",
    "melody",
    "meta",
    "meta track",
    "midi channel",
    "midi track",
    "note track",
    "part",
    "pedal",
    "percussion",
    "primo",
    "rh",
    "right",
    "right hand",
    "secondo",
    "seq",
    "sequence",
    "sequencer",
    "signature",
    "staff",
    "stave",
    "system",
    "tempo",
    "tempo map",
    "tempo track",
    "time signature",
    "track",
    "treble clef",
    "up",
    "upper",
    "upper staff",
    "voice",
    "voices",
    "words",
    "linke hand",
    "rechte hand",
    "spur",
    "piste",
    "traccia",
    "pista",
    "дорожка",
    "Дорожка",
    // Files.
    "default",
    "demo",
    "export",
    "exported",
    "file",
    "master file",
    "midi",
    "midi file",
    "midi out",
    "midifile",
    "music",
    "musicxml part",
    "new",
    "new file",
    "new project",
    "none",
    "project",
    "score",
    "soft karaoke",
    "song",
    "test",
    // Programs.
    "abc2midi",
    "acid",
    "anvil studio",
    "band-in-a-box",
    "cakewalk",
    "capella",
    "cubase",
    "fl studio",
    "garageband",
    "lilypond",
    "logic",
    "logic pro",
    "midiutil",
    "musescore",
    "music21",
    "noteworthy composer",
    "pro tools",
    "reaper",
    "rosegarden",
    "sibelius",
    "sonar",
    "verovio",
    // Instruments.
    "accordion",
    "acoustic bass",
    "acoustic grand",
    "acoustic grand piano",
    "acoustic guitar",
    "acoustic piano",
    "alto",
    "alto sax",
    "alto saxophone",
    "bandoneon",
    "banjo",
    "bariton",
    "baritone",
    "baritone sax",
    "bass",
    "bass clarinet",
    "bass drum",
    "bass guitar",
    "basso",
    "basso continuo",
    "bassoon",
    "brass",
    "brass section",
    "bright acoustic piano",
    "bright piano",
    "celesta",
    "celeste",
    "cello",
    "cembalo",
    "choir",
    "choir aahs",
    "church organ",
    "clarinet",
    "clavecin",
    "clavichord",
    "clavinet",
    "clavier",
    "continuo",
    "contrabass",
    "contrabasso",
    "cor anglais",
    "cymbals",
    "double bass",
    "drum kit",
    "drumkit",
    "drumset",
    "electric bass",
    "electric grand",
    "electric grand piano",
    "electric guitar",
    "electric piano",
    "english horn",
    "ensemble",
    "fagott",
    "fingered bass",
    "flauto",
    "fluegel",
    "flute",
    "flöte",
    "flûte",
    "forte piano",
    "fortepiano",
    "french horn",
    "geige",
    "gitarre",
    "glockenspiel",
    "grand",
    "grand piano",
    "guitar",
    "guitare",
    "guitarra",
    "harmonica",
    "harmonium",
    "harp",
    "harpe",
    "harpsichord",
    "hautbois",
    "honky tonk piano",
    "honky-tonk",
    "honky-tonk piano",
    "horn",
    "horns",
    "keyboard",
    "keyboards",
    "keys",
    "klarinette",
    "klavier",
    "kontrabass",
    "lute",
    "mandolin",
    "marimba",
    "mezzosoprano",
    "mezzo-soprano",
    "nylon guitar",
    "oboe",
    "ocarina",
    "orchestra",
    "orgel",
    "organ",
    "organo",
    "orgue",
    "pan flute",
    "pianino",
    "piano",
    "piano left",
    "piano left hand",
    "piano lh",
    "piano rh",
    "piano right",
    "piano right hand",
    "piano solo",
    "pianoforte",
    "piano track",
    "piccolo",
    "pizzicato",
    "pizzicato strings",
    "posaune",
    "recorder",
    "reed organ",
    "sax",
    "saxophone",
    "singstimme",
    "sitar",
    "slow strings",
    "solo",
    "solo piano",
    "sopran",
    "soprano",
    "soprano sax",
    "steel guitar",
    "string ensemble",
    "strings",
    "studio grand",
    "synth",
    "synth bass",
    "synth strings",
    "tenor",
    "tenor sax",
    "timpani",
    "tremolo strings",
    "trombone",
    "trompete",
    "trumpet",
    "tuba",
    "tubular bells",
    "ukulele",
    "vibraphone",
    "vibes",
    "viola",
    "viole",
    "violin",
    "violine",
    "violini",
    "violino",
    "violins",
    "violon",
    "violoncelle",
    "violoncello",
    "vocal",
    "vocals",
    "woodwinds",
    "xylophone",
    "yamaha grand piano",
    "фортепиано",
    "Фортепиано",
    "рояль",
    "Рояль",
    "скрипка",
    "Скрипка",
    "ピアノ",
});

// Beginnings of notices that are about the file: who made it, with what, and whose it is.
constexpr std::array kNoticeBeginnings = std::to_array<std::string_view>({
    "(c)",
    "©",
    "copyright",
    "copr.",
    "(p)",
    "℗",
    "all rights reserved",
    "arranged by",
    "converted by",
    "converted with",
    "created by",
    "created with",
    "created using",
    "downloaded from",
    "edited by",
    "encoded by",
    "exported by",
    "exported from",
    "generated by",
    "http:",
    "https:",
    "made by",
    "made with",
    "midi by",
    "midi from",
    "produced by",
    "public domain",
    "sequenced by",
    "sequence by",
    "seq by",
    "seq. by",
    "transcribed by",
    "typeset by",
    "www.",
});

constexpr std::array kNoticeParts = std::to_array<std::string_view>(
    {"://", ":\\", "@hotmail", "@gmail", "all rights reserved", "creator: ", "music21"});

// Longer texts are no titles, and many of them would take long to look at.
constexpr size_t kLongestName = 1000;  // bytes
constexpr int kMostNames = 32;

bool IsDigitOrMark(unsigned char c) {
  return absl::ascii_isdigit(c) || absl::ascii_ispunct(c) || absl::ascii_isspace(c);
}

// "piano" of "piano 2:", "track" of "track #01", "violin" of "violin ii".
std::string_view WithoutNumber(std::string_view text) {
  const auto is_edge = [](char c) { return IsDigitOrMark(static_cast<unsigned char>(c)); };
  const auto trim = [&] {
    while (!text.empty() && is_edge(text.back())) text.remove_suffix(1);
    while (!text.empty() && is_edge(text.front())) text.remove_prefix(1);
  };
  trim();
  for (const std::string_view roman : {" i", " ii", " iii", " iv", " v", " vi"}) {
    if (text.ends_with(roman)) {
      text.remove_suffix(roman.size());
      trim();
      break;
    }
  }
  return text;
}

bool IsGeneric(std::string_view text) {
  return text.empty() || IsPlaceholder(text) ||
         std::find(kGeneric.begin(), kGeneric.end(), text) != kGeneric.end();
}

// "piano", "violin ii", "track 1 - piano (left hand)".
bool IsMadeOfGenericNames(std::string_view text) {
  if (IsGeneric(text) || IsGeneric(WithoutNumber(text))) return true;
  const std::vector<std::string> parts =
      absl::StrSplit(absl::string_view(text.data(), text.size()), absl::ByAnyChar(",:;-/|()[]_"));
  return std::all_of(parts.begin(), parts.end(),
                     [](std::string_view part) { return IsGeneric(WithoutNumber(part)); });
}

}  // namespace

bool NamesAPiece(std::string_view name) {
  const std::string lower = absl::AsciiStrToLower(absl::string_view(name.data(), name.size()));
  if (IsMadeOfGenericNames(lower)) return false;
  const auto begins = [&](std::string_view start) { return lower.starts_with(start); };
  const auto holds = [&](std::string_view part) { return lower.find(part) != std::string::npos; };
  return std::none_of(kNoticeBeginnings.begin(), kNoticeBeginnings.end(), begins) &&
         std::none_of(kNoticeParts.begin(), kNoticeParts.end(), holds) && !IsFileName(lower);
}

void MidiTitle::AddTrackName(int track, std::string_view bytes) {
  if (track != 0 || !name_.empty() || bytes.size() > kLongestName || ++names_ > kMostNames) return;
  std::string name = CleanMidiText(bytes);
  if (NamesAPiece(name)) name_ = std::move(name);
}

void MidiTitle::AddText(std::string_view bytes) {
  if (!karaoke_.empty() || !bytes.starts_with("@T") || bytes.size() > kLongestName ||
      ++texts_ > kMostNames) {
    return;
  }
  std::string title = CleanMidiText(bytes.substr(2));
  if (NamesAPiece(title)) karaoke_ = std::move(title);
}

}  // namespace antiphon::music
