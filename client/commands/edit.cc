#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "client/commands/commands.h"
#include "client/commands/rendering.h"
#include "client/output/format.h"
#include "client/output/json.h"
#include "client/output/table.h"
#include "client/rpc/rpc_status.h"
#include "core/base/status_macros.h"
#include "core/music/file_naming.h"
#include "core/scores/read_score.h"
#include "nlohmann/json.hpp"

namespace antiphon::client {
namespace {

template <typename Message>
void SetLabel(const LabelArguments& label, Message& message) {
  if (label.title) message.set_title(*label.title);
  if (label.composer) message.set_composer(*label.composer);
  if (label.collection) message.set_collection(*label.collection);
}

// The id that the user gives, else that of the file.
absl::StatusOr<std::string> IdFor(const std::string& id, const Input& input) {
  if (!id.empty()) return id;
  if (input.path.empty())
    return absl::InvalidArgumentError(input.name + " has no name: give it an --id");
  return music::IdOfPath(BaseName(input.path));
}

// What the file calls itself, else what it is called.
void SetNames(const Input& input, const std::string& file, v1::NewPiece& piece) {
  const auto score = notation::ReadScore(file);
  if (score.ok()) {
    piece.set_title(notation::TitleWithOpus(*score));
    piece.set_composer(score->composer);
  }
  if (piece.title().empty() && !input.path.empty())
    piece.set_title(music::TitleOfPath(BaseName(input.path)));
}

absl::StatusOr<std::string> ReadScoreFile(const Input& input, Context& context) {
  ASSIGN_OR_RETURN(const int64_t max_bytes, MaxBytesFor(context, input.size));
  return MakeScoreFile(input, max_bytes);
}

absl::StatusOr<std::string> ReadAudio(const Input& input, Context& context) {
  ASSIGN_OR_RETURN(const int64_t max_bytes, MaxBytesFor(context, input.size));
  std::vector<std::string> warnings;
  ASSIGN_OR_RETURN(std::string audio, MakeAudioFile(input, max_bytes, &warnings));
  WarnLocally(context, warnings, input.name);
  return audio;
}

// A failure that --accept-damaged would have helped against.
template <typename Response>
absl::StatusOr<Response> HintAtDamage(absl::StatusOr<Response> response) {
  if (response.ok() || !absl::IsFailedPrecondition(response.status())) return response;
  const std::optional<BlamedField> blamed = FieldOf(response.status());
  if (!blamed || blamed->field != "audio_file") return response;
  return WithHint(response.status(), "--accept-damaged files it all the same");
}

absl::StatusOr<v1::AddPieceResponse> Add(const AddPieceArguments& arguments,
                                         const std::string& file, Context& context) {
  ASSIGN_OR_RETURN(const Input input, OpenInput(file, context.in));
  ASSIGN_OR_RETURN(std::string score, ReadScoreFile(input, context));
  ASSIGN_OR_RETURN(const std::string id, IdFor(arguments.id, input));
  v1::AddPieceRequest request;
  request.mutable_piece()->set_id(id);
  SetNames(input, score, *request.mutable_piece());
  SetLabel(arguments.label, *request.mutable_piece());
  request.mutable_piece()->set_work_id(arguments.work_id);
  *request.mutable_score() = ToScore(std::move(score));
  return context.connection.Call(kAddPiece, request);
}

absl::StatusOr<v1::UpdatePieceResponse> Update(const UpdatePieceArguments& arguments,
                                               Context& context) {
  v1::UpdatePieceRequest request;
  request.set_piece_id(arguments.id);
  SetLabel(arguments.label, request);
  if (arguments.work_id) request.set_work_id(*arguments.work_id);
  if (arguments.expected_version) request.set_expected_version(*arguments.expected_version);
  if (!arguments.score_file.empty()) {
    ASSIGN_OR_RETURN(const Input input, OpenInput(arguments.score_file, context.in));
    ASSIGN_OR_RETURN(std::string score, ReadScoreFile(input, context));
    *request.mutable_score() = ToScore(std::move(score));
  }
  return context.connection.Call(kUpdatePiece, request);
}

absl::StatusOr<v1::AddRecordingResponse> Add(const AddRecordingArguments& arguments,
                                             const std::string& file, Context& context) {
  ASSIGN_OR_RETURN(const Input input, OpenInput(file, context.in));
  ASSIGN_OR_RETURN(std::string audio, ReadAudio(input, context));
  ASSIGN_OR_RETURN(const std::string id, IdFor(arguments.id, input));
  v1::AddRecordingRequest request;
  request.mutable_recording()->set_id(id);
  if (!input.path.empty())
    request.mutable_recording()->set_title(music::TitleOfPath(BaseName(input.path)));
  SetLabel(arguments.label, *request.mutable_recording());
  request.mutable_recording()->set_piece_id(arguments.piece_id);
  request.set_audio_file(std::move(audio));
  request.set_accept_damaged(arguments.accept_damaged);
  return HintAtDamage(context.connection.Call(kAddRecording, request));
}

absl::StatusOr<v1::UpdateRecordingResponse> Update(const UpdateRecordingArguments& arguments,
                                                   Context& context) {
  v1::UpdateRecordingRequest request;
  request.set_recording_id(arguments.id);
  SetLabel(arguments.label, request);
  if (arguments.piece_id) request.set_piece_id(*arguments.piece_id);
  if (arguments.expected_version) request.set_expected_version(*arguments.expected_version);
  if (!arguments.audio_file.empty()) {
    ASSIGN_OR_RETURN(const Input input, OpenInput(arguments.audio_file, context.in));
    ASSIGN_OR_RETURN(std::string audio, ReadAudio(input, context));
    request.set_audio_file(std::move(audio));
    request.set_accept_damaged(arguments.accept_damaged);
  }
  return HintAtDamage(context.connection.Call(kUpdateRecording, request));
}

const v1::Piece& Changed(const v1::AddPieceResponse& response) { return response.piece(); }
const v1::Piece& Changed(const v1::UpdatePieceResponse& response) { return response.piece(); }
const v1::Recording& Changed(const v1::AddRecordingResponse& response) {
  return response.recording();
}
const v1::Recording& Changed(const v1::UpdateRecordingResponse& response) {
  return response.recording();
}

const SameMusicPairs& SharedIn(const v1::AddPieceResponse& response) {
  return response.same_music();
}
const SameMusicPairs& SharedIn(const v1::UpdatePieceResponse& response) {
  return response.same_music();
}
SameMusicPairs SharedIn(const v1::AddRecordingResponse&) { return {}; }
SameMusicPairs SharedIn(const v1::UpdateRecordingResponse&) { return {}; }

// "added ID, version 12".
void Report(Context& context, const google::protobuf::Message& response, const std::string& done,
            const std::string& id, int64_t version) {
  if (context.json) {
    Emit(context, MessageToJson(response));
  } else {
    context.out << done << " " << Printable(id) << ", version " << version << "\n";
  }
}

// Of a piece or a recording that was added or changed; `file` is where it came from, if anywhere.
template <typename Response>
ExitCode Report(Context& context, const absl::StatusOr<Response>& response, const std::string& done,
                const std::string& file) {
  if (!response.ok()) return Fail(context, response.status(), file);
  Report(context, *response, done, Changed(*response).id(), Changed(*response).version());
  if (!context.json) context.out << DescribeShared(SharedIn(*response), "  ");
  ReportWarnings(context, response->warnings(), file);
  return ExitCode::kOk;
}

// Does it to one after the other, and sums up where there are several: "added 2 of 3 pieces".
template <typename Do>
ExitCode Each(Context& context, const std::vector<std::string>& things, const std::string& done,
              const std::string& noun, Do act) {
  ExitCode worst = ExitCode::kOk;
  size_t succeeded = 0, tried = 0;
  for (const std::string& thing : things) {
    const ExitCode code = act(thing);
    worst = Worse(worst, code);
    ++tried;
    succeeded += code == ExitCode::kOk ? 1 : 0;
    if (code == ExitCode::kUnreachable) break;  // nor will it be reached for the others
  }
  if (things.size() > 1 && !context.json) {
    context.out << done << " " << succeeded << " of "
                << Plural(static_cast<int64_t>(things.size()), noun);
    if (tried > succeeded) context.out << "; " << tried - succeeded << " failed";
    if (things.size() > tried) context.out << "; " << things.size() - tried << " not tried";
    context.out << "\n";
  }
  return worst;
}

ExitCode DeleteRecording(const DeleteArguments& arguments, const std::string& id,
                         Context& context) {
  v1::DeleteRecordingRequest request;
  request.set_recording_id(id);
  if (arguments.expected_version) request.set_expected_version(*arguments.expected_version);
  const auto response = context.connection.Call(kDeleteRecording, request);
  if (!response.ok()) return Fail(context, response.status());
  Report(context, *response, "deleted", id, response->version());
  return ExitCode::kOk;
}

ExitCode DeletePiece(const DeleteArguments& arguments, const std::string& id, Context& context) {
  v1::DeletePieceRequest request;
  request.set_piece_id(id);
  request.set_with_recordings(arguments.with_recordings);
  if (arguments.expected_version) request.set_expected_version(*arguments.expected_version);
  const auto response = context.connection.Call(kDeletePiece, request);
  if (absl::IsFailedPrecondition(response.status())) {
    return Fail(context, WithHint(response.status(), "--with-recordings deletes those too"));
  }
  if (!response.ok()) return Fail(context, response.status());
  const std::string done =
      response->recordings_deleted() == 0
          ? "deleted"
          : "deleted with " + Plural(response->recordings_deleted(), "recording") + " of it:";
  Report(context, *response, done, id, response->version());
  return ExitCode::kOk;
}

}  // namespace

ExitCode RunAddPiece(const AddPieceArguments& arguments, Context& context) {
  return Each(context, arguments.files, "added", "piece", [&](const std::string& file) {
    return Report(context, Add(arguments, file, context), "added", file);
  });
}

ExitCode RunUpdatePiece(const UpdatePieceArguments& arguments, Context& context) {
  return Report(context, Update(arguments, context), "changed", arguments.score_file);
}

ExitCode RunAddRecording(const AddRecordingArguments& arguments, Context& context) {
  return Each(context, arguments.files, "added", "recording", [&](const std::string& file) {
    return Report(context, Add(arguments, file, context), "added", file);
  });
}

ExitCode RunUpdateRecording(const UpdateRecordingArguments& arguments, Context& context) {
  return Report(context, Update(arguments, context), "changed", arguments.audio_file);
}

ExitCode RunDelete(const DeleteArguments& arguments, Context& context) {
  const std::string noun = arguments.recording ? "recording" : "piece";
  return Each(context, arguments.ids, "deleted", noun, [&](const std::string& id) {
    return arguments.recording ? DeleteRecording(arguments, id, context)
                               : DeletePiece(arguments, id, context);
  });
}

}  // namespace antiphon::client
