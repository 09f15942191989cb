// Scores of any kind that is read, told apart by their contents: the one door through which every
// program takes a score.
//
// The readers take untrusted bytes: any input gives a score or a status, in time and memory
// proportional to its length and to what is played of it. Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_SCORES_READ_SCORE_H_
#define ANTIPHON_CORE_SCORES_READ_SCORE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/music/midi_file.h"
#include "core/music/score.h"
#include "core/notation/play.h"
#include "core/notation/written_score.h"

namespace antiphon::notation {

enum class ScoreFormat {
  kMidi,      // a Standard MIDI File, as music::ReadMidi takes it
  kMusicXml,  // plain or compressed
  kHumdrum,   // **kern
  kAbc,
};

// "MIDI", "MusicXML", "Humdrum", "ABC"; of static storage.
std::string_view NameOf(ScoreFormat format);

// What a file of these contents is called: ".mid" (".rmi" within RIFF), ".musicxml" (".mxl"
// compressed), ".krn", ".abc".
std::string_view EndingOf(ScoreFormat format, std::string_view bytes);

// The endings that files of scores have, in lower case, with the dot. That of ".xml" says nothing:
// it is not among them.
const std::vector<std::string>& ScoreEndings();

// By the beginning of the bytes; nullopt for what isn't read. 8,192 bytes are enough, but for what
// music::LooksLikeMidi and the others say.
std::optional<ScoreFormat> FormatOf(std::string_view head);

struct ScoreLimits {
  music::MidiLimits midi;
  NotationLimits notation;  // of all other formats
};

// The score as it is heard (see music::ReadMidi, and Play for the rest). An ABC file must have one
// tune; see TunesOf.
//
// Fails with InvalidArgument (none of the formats, malformed, several tunes: the message says what
// is wrong, and where) or ResourceExhausted (a limit).
[[nodiscard]] absl::StatusOr<music::Score> ReadScore(std::string_view bytes,
                                                     const ScoreLimits& limits = {},
                                                     const PlayOptions& options = {});

// As above, from a file. Adds NotFound and the path to the messages.
[[nodiscard]] absl::StatusOr<music::Score> ReadScoreFile(const std::string& path,
                                                         const ScoreLimits& limits = {},
                                                         const PlayOptions& options = {});

// A tune of a file, as a file of its own.
struct Tune {
  std::string number;  // as the file numbers it (X:), letters and digits; another for each tune
  std::string bytes;
};

// The tunes of an ABC file that has several, each with the file's header; empty for every other
// file, which is one score.
std::vector<Tune> TunesOf(std::string_view bytes);

// What a file is in a collection.
struct FiledScore {
  std::string id;    // the file's; of a tune with its number: "songs.7a"
  std::string tune;  // that number; empty: the file is one score
  std::string bytes;
};

// The pieces that a file holds, of which `id` is the id: itself, or each tune of a book.
std::vector<FiledScore> PiecesOf(const std::string& id, std::string bytes);

// What to call a piece: the score's title with its opus, where the title doesn't have that already.
// Where the score has none, or only the name of its own file, what music::TitleOfPath makes of the
// path; empty without a path.
std::string TitleOf(const music::Score& score, std::string_view path);

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_SCORES_READ_SCORE_H_
