// The subcommands. Each asks the server, writes the answer to Context::out (for a person, or as JSON) and what went
// wrong to Context::err, and returns the exit code. Used by one thread.
#ifndef ANTIPHON_CLIENT_COMMANDS_COMMANDS_H_
#define ANTIPHON_CLIENT_COMMANDS_COMMANDS_H_

#include "client/command_line.h"
#include "client/commands/context.h"
#include "client/exit_code.h"

namespace antiphon::client {

ExitCode RunSearch(const SearchArguments& arguments, Context& context);      // kNothing without hits
ExitCode RunIdentify(const IdentifyArguments& arguments, Context& context);  // of several files, the worst
ExitCode RunEmbed(const EmbedArguments& arguments, Context& context);        // kNothing without windows
ExitCode RunPieces(const PiecesArguments& arguments, Context& context);      // kNothing when none passes the filter
ExitCode RunPiece(const PieceArguments& arguments, Context& context);
ExitCode RunSnippet(const SnippetArguments& arguments, Context& context);
ExitCode RunStatus(const StatusArguments& arguments, Context& context);  // kUnreachable unless it is serving

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_COMMANDS_COMMANDS_H_
