// What the user asks for, command by command. Plain values; safe from any thread.
//
// An option that is left out is left out of the request too, so that the server's default holds;
// its ranges are the server's to check.
#ifndef ANTIPHON_CLIENT_CLI_ARGUMENTS_H_
#define ANTIPHON_CLIENT_CLI_ARGUMENTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "antiphon/v1/retrieval.pb.h"
#include "client/input/input.h"

namespace antiphon::client {

// The part of the collection that answers come from.
struct ScopeArguments {
  std::vector<std::string> composers, collections, piece_ids, work_ids;
  bool exact = false;  // compare every vector
};

struct QueryArguments {
  Kind as = Kind::kUnknown;        // as the contents say
  std::optional<double> start_s;   // seconds of the input
  std::optional<double> length_s;  // seconds, > 0
  std::optional<double> hop_s;     // between query windows, seconds
};

struct MatchArguments {
  ScopeArguments scope;
  std::optional<double> min_similarity;
  bool evidence = false;
};

struct SearchArguments {
  std::vector<std::string> files;
  QueryArguments query;
  MatchArguments match;
  std::optional<int> top_k;
  std::string snippets_dir;  // where to write the passages that match; empty: nowhere
};

struct IdentifyArguments {
  std::vector<std::string> files;
  QueryArguments query;
  MatchArguments match;
  std::optional<int> top_k;
  std::optional<double> min_confidence;
  std::optional<int> max_transposition;
  v1::Side against = v1::SIDE_UNSPECIFIED;
  v1::VoteMethod method = v1::VOTE_METHOD_UNSPECIFIED;
};

// identify --long and --live.
struct StreamArguments {
  ScopeArguments scope;
  std::optional<int> top_k;
  std::optional<double> min_confidence;
  v1::Side against = v1::SIDE_UNSPECIFIED;
};

struct IdentifyLongArguments {
  std::vector<std::string> files;
  std::optional<double> start_s, length_s;  // seconds of each file
  StreamArguments stream;
};

struct IdentifyLiveArguments {
  std::string file = "-";  // an audio file, or "-": raw samples from the standard input, as follows
  v1::Pcm::Encoding encoding = v1::Pcm::ENCODING_INT16;
  int sample_rate = 44100;  // Hz
  int channels = 1;

  bool pace = false;                        // send the file as fast as it plays
  std::optional<double> start_s, length_s;  // seconds of the file
  StreamArguments stream;
};

// What an alignment is written as. kJson is also what --json makes of it.
enum class AlignFormat { kTable, kJson, kTsv, kAudacity, kSonicVisualiser, kMidi };

// What has a line of its own in an alignment.
enum class AlignUnit { kBar, kBeat, kNote };

struct AlignArguments {
  std::string file;                         // of the recording
  std::string score_file;                   // empty: the piece, or else the one that is identified
  std::string piece_id;                     // likewise
  ScopeArguments scope;                     // of what it is identified among
  std::optional<double> start_s, length_s;  // seconds of the recording
  bool as_written = false;                  // neither repeats that are left out or added nor cuts
  AlignFormat format = AlignFormat::kTable;
  std::optional<AlignUnit> each;  // left out: as the format usually has it
  std::string output;             // a file or "-"; empty: the standard output
};

struct FollowArguments {
  std::string score_file;  // one of the two
  std::string piece_id;
  std::string file = "-";  // an audio file, or "-": raw samples from the standard input, as follows
  v1::Pcm::Encoding encoding = v1::Pcm::ENCODING_INT16;
  int sample_rate = 22050;  // Hz
  int channels = 1;

  bool pace = false;                        // send the file as fast as it plays
  std::optional<double> start_s, length_s;  // seconds of the file
  std::optional<double> from_s;             // of the score: where playing begins
  std::optional<double> update_s;           // between answers
  std::string midi_clock;                   // a device or a file; empty: none
};

struct TranscribeArguments {
  std::string file;
  ScopeArguments scope;
  std::optional<double> start_s, length_s;  // seconds of the recording
  std::optional<double> min_similarity;
  bool velocity = true;
  std::string output;  // .mid or "-"; empty: none
};

struct EmbedArguments {
  std::string file;
  QueryArguments query;
  std::optional<double> tempo_ratio;
  std::string output;  // .npy; empty: none
};

// `pieces`, `recording list`
struct ListArguments {
  bool recordings = false;
  std::string filter;
  std::optional<int> limit;  // shown; left out: all
};

// `pieces --same-music`
struct SameMusicArguments {
  std::string piece_id;      // only what this piece shares with others; empty: all
  std::optional<int> limit;  // pairs shown; left out: all
};

// `piece ID`, `recording ID`
struct ShowArguments {
  bool recording = false;
  std::string id;
  std::string output;  // a file for the score as it was given; empty: none
};

// What a piece or a recording is called, as far as the user says.
struct LabelArguments {
  std::optional<std::string> title, composer, collection;
};

struct AddPieceArguments {
  std::vector<std::string> files;
  std::string id;  // empty: from the file's name; of one file only, as the label's title
  LabelArguments label;
  std::string work_id;
  std::optional<bool> with_parts;  // left out: as the collection was indexed
};

// `piece add-all`, `recording add-all`
struct AddFolderArguments {
  std::string folder;
  std::string collection;      // where metadata.tsv has none
  bool skip_existing = false;  // an id that is taken is no failure
};

struct AddPiecesArguments {
  AddFolderArguments folder;
  std::optional<bool> with_parts;  // as above
};

struct AddRecordingsArguments {
  AddFolderArguments folder;
  std::string piece_id;  // where metadata.tsv has none
  bool accept_damaged = false;
};

struct UpdatePieceArguments {
  std::string id;
  LabelArguments label;
  std::optional<std::string> work_id;
  std::optional<bool> with_parts;
  std::string score_file;  // empty: the score stays
  std::optional<int64_t> expected_version;
};

struct AddRecordingArguments {
  std::vector<std::string> files;
  std::string id;  // empty: from the file's name; of one file only, as the label's title
  LabelArguments label;
  std::string piece_id;
  bool accept_damaged = false;  // though less than half can be decoded
};

struct UpdateRecordingArguments {
  std::string id;
  LabelArguments label;
  std::optional<std::string> piece_id;
  std::string audio_file;  // empty: the audio stays
  bool accept_damaged = false;
  std::optional<int64_t> expected_version;
};

struct DeleteArguments {
  bool recording = false;
  std::vector<std::string> ids;
  std::optional<int64_t> expected_version;  // of one only
  bool with_recordings = false;             // of a piece
};

struct SnippetArguments {
  std::string id;
  bool of_recording = false;
  std::optional<double> start_s;
  std::optional<double> end_s;
  std::string output;  // file or "-"; empty only with --json
};

struct StatusArguments {};

struct AdminArguments {
  enum class Action { kReload, kMerge, kSnapshot, kRestore, kSnapshots, kDeleteSnapshot };
  Action action = Action::kReload;
  std::string name;          // of a snapshot
  std::optional<int> limit;  // of kSnapshots
};

using Command =
    std::variant<StatusArguments, AdminArguments, SearchArguments, IdentifyArguments,
                 IdentifyLongArguments, IdentifyLiveArguments, AlignArguments, FollowArguments,
                 TranscribeArguments, EmbedArguments, ListArguments, SameMusicArguments,
                 ShowArguments, AddPieceArguments, AddPiecesArguments, UpdatePieceArguments,
                 AddRecordingArguments, AddRecordingsArguments, UpdateRecordingArguments,
                 DeleteArguments, SnippetArguments>;

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_CLI_ARGUMENTS_H_
