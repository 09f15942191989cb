// The subcommands. Each asks the server, writes the answer to Context::out (for a person, or as
// JSON) and what went wrong to Context::err, and returns the exit code. Used by one thread.
#ifndef ANTIPHON_CLIENT_COMMANDS_COMMANDS_H_
#define ANTIPHON_CLIENT_COMMANDS_COMMANDS_H_

#include "client/cli/arguments.h"
#include "client/commands/context.h"
#include "client/output/exit_code.h"

namespace antiphon::client {

ExitCode RunSearch(const SearchArguments& arguments,
                   Context& context);  // kNothing without hits; of several files, the worst
ExitCode RunIdentify(const IdentifyArguments& arguments,
                     Context& context);  // of several files, the worst
ExitCode RunIdentifyLong(const IdentifyLongArguments& arguments,
                         Context& context);  // kNothing without segments
ExitCode RunIdentifyLive(const IdentifyLiveArguments& arguments,
                         Context& context);  // kNothing if none is recognised
ExitCode RunAlign(const AlignArguments& arguments,
                  Context& context);  // kNothing where they don't belong together
ExitCode RunFollow(const FollowArguments& arguments,
                   Context& context);  // kNothing if the music never began
ExitCode RunTranscribe(const TranscribeArguments& arguments,
                       Context& context);                              // kNothing without notes
ExitCode RunEmbed(const EmbedArguments& arguments, Context& context);  // kNothing without windows

ExitCode RunList(const ListArguments& arguments,
                 Context& context);  // kNothing when none passes the filter
ExitCode RunSameMusic(const SameMusicArguments& arguments,
                      Context& context);  // kNothing when there is none
ExitCode RunShow(const ShowArguments& arguments, Context& context);
ExitCode RunSnippet(const SnippetArguments& arguments, Context& context);
// Of several files or ids, the worst.
ExitCode RunAddPiece(const AddPieceArguments& arguments, Context& context);
ExitCode RunAddPieces(const AddPiecesArguments& arguments,
                      Context& context);  // of several failures, the worst
ExitCode RunAddRecordings(const AddRecordingsArguments& arguments,
                          Context& context);  // of several failures, the worst
ExitCode RunUpdatePiece(const UpdatePieceArguments& arguments, Context& context);
ExitCode RunAddRecording(const AddRecordingArguments& arguments, Context& context);
ExitCode RunUpdateRecording(const UpdateRecordingArguments& arguments, Context& context);
ExitCode RunDelete(const DeleteArguments& arguments, Context& context);

ExitCode RunStatus(const StatusArguments& arguments,
                   Context& context);  // kUnreachable unless it is serving
ExitCode RunAdmin(const AdminArguments& arguments,
                  Context& context);  // kNothing when there are no snapshots to list

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_COMMANDS_COMMANDS_H_
