#include <ostream>
#include <string>

#include "client/commands/commands.h"
#include "client/output/format.h"
#include "client/output/json.h"
#include "client/output/table.h"
#include "core/base/status_macros.h"
#include "core/music/file_naming.h"
#include "core/music/midi_file.h"
#include "nlohmann/json.hpp"

namespace antiphon::client {
namespace {

template <typename Message>
void SetLabel(const LabelArguments& label, Message& message) {
  if (label.title) message.set_title(*label.title);
  if (label.composer) message.set_composer(*label.composer);
  if (label.collection) message.set_collection(*label.collection);
}

absl::StatusOr<std::string> ReadMidi(Context& context, const Input& input) {
  ASSIGN_OR_RETURN(const int64_t max_bytes, MaxBytesFor(context, input.size));
  return MakeMidiFile(input, max_bytes);
}

absl::StatusOr<std::string> ReadAudio(Context& context, const Input& input) {
  ASSIGN_OR_RETURN(const int64_t max_bytes, MaxBytesFor(context, input.size));
  return MakeAudioFile(input, max_bytes);
}

// The id that the user gives, else that of the file.
absl::StatusOr<std::string> IdFor(const std::string& id, const Input& input) {
  if (!id.empty()) return id;
  if (input.path.empty())
    return absl::InvalidArgumentError(input.name + " has no name: give it an --id");
  return music::IdOfPath(BaseName(input.path));
}

// What the file calls itself, else what it is called.
std::string TitleFor(const Input& input, const std::string& midi) {
  const auto score = music::ReadMidi(midi);
  if (score.ok() && !score->title.empty()) return score->title;
  return input.path.empty() ? "" : music::TitleOfPath(BaseName(input.path));
}

// "added ID, version 12".
ExitCode Report(Context& context, const google::protobuf::Message& response,
                const std::string& done, const std::string& id, int64_t version) {
  if (context.json) {
    Emit(context, MessageToJson(response));
  } else {
    context.out << done << " " << Printable(id) << ", version " << version << "\n";
  }
  return ExitCode::kOk;
}

}  // namespace

ExitCode RunAddPiece(const AddPieceArguments& arguments, Context& context) {
  const absl::StatusOr<Input> input = OpenInput(arguments.file, context.in);
  if (!input.ok()) return Fail(context, input.status(), arguments.file);
  absl::StatusOr<std::string> midi = ReadMidi(context, *input);
  if (!midi.ok()) return Fail(context, midi.status(), arguments.file);
  const absl::StatusOr<std::string> id = IdFor(arguments.id, *input);
  if (!id.ok()) return Fail(context, id.status(), arguments.file);
  v1::AddPieceRequest request;
  request.mutable_piece()->set_id(*id);
  request.mutable_piece()->set_title(TitleFor(*input, *midi));
  SetLabel(arguments.label, *request.mutable_piece());
  request.mutable_score()->set_midi(*std::move(midi));
  const auto response = context.connection.AddPiece(request);
  if (!response.ok()) return Fail(context, response.status(), arguments.file);
  return Report(context, *response, "added", response->piece().id(), response->piece().version());
}

ExitCode RunUpdatePiece(const UpdatePieceArguments& arguments, Context& context) {
  v1::UpdatePieceRequest request;
  request.set_piece_id(arguments.id);
  SetLabel(arguments.label, request);
  if (arguments.expected_version) request.set_expected_version(*arguments.expected_version);
  if (!arguments.score_file.empty()) {
    const absl::StatusOr<Input> input = OpenInput(arguments.score_file, context.in);
    if (!input.ok()) return Fail(context, input.status(), arguments.score_file);
    absl::StatusOr<std::string> midi = ReadMidi(context, *input);
    if (!midi.ok()) return Fail(context, midi.status(), arguments.score_file);
    request.mutable_score()->set_midi(*std::move(midi));
  }
  const auto response = context.connection.UpdatePiece(request);
  if (!response.ok()) return Fail(context, response.status(), arguments.score_file);
  return Report(context, *response, "changed", response->piece().id(), response->piece().version());
}

ExitCode RunAddRecording(const AddRecordingArguments& arguments, Context& context) {
  const absl::StatusOr<Input> input = OpenInput(arguments.file, context.in);
  if (!input.ok()) return Fail(context, input.status(), arguments.file);
  absl::StatusOr<std::string> audio = ReadAudio(context, *input);
  if (!audio.ok()) return Fail(context, audio.status(), arguments.file);
  const absl::StatusOr<std::string> id = IdFor(arguments.id, *input);
  if (!id.ok()) return Fail(context, id.status(), arguments.file);
  v1::AddRecordingRequest request;
  request.mutable_recording()->set_id(*id);
  if (!input->path.empty())
    request.mutable_recording()->set_title(music::TitleOfPath(BaseName(input->path)));
  SetLabel(arguments.label, *request.mutable_recording());
  request.mutable_recording()->set_piece_id(arguments.piece_id);
  request.set_audio_file(*std::move(audio));
  const auto response = context.connection.AddRecording(request);
  if (!response.ok()) return Fail(context, response.status(), arguments.file);
  return Report(context, *response, "added", response->recording().id(),
                response->recording().version());
}

ExitCode RunUpdateRecording(const UpdateRecordingArguments& arguments, Context& context) {
  v1::UpdateRecordingRequest request;
  request.set_recording_id(arguments.id);
  SetLabel(arguments.label, request);
  if (arguments.piece_id) request.set_piece_id(*arguments.piece_id);
  if (arguments.expected_version) request.set_expected_version(*arguments.expected_version);
  if (!arguments.audio_file.empty()) {
    const absl::StatusOr<Input> input = OpenInput(arguments.audio_file, context.in);
    if (!input.ok()) return Fail(context, input.status(), arguments.audio_file);
    absl::StatusOr<std::string> audio = ReadAudio(context, *input);
    if (!audio.ok()) return Fail(context, audio.status(), arguments.audio_file);
    request.set_audio_file(*std::move(audio));
  }
  const auto response = context.connection.UpdateRecording(request);
  if (!response.ok()) return Fail(context, response.status(), arguments.audio_file);
  return Report(context, *response, "changed", response->recording().id(),
                response->recording().version());
}

ExitCode RunDelete(const DeleteArguments& arguments, Context& context) {
  if (arguments.recording) {
    v1::DeleteRecordingRequest request;
    request.set_recording_id(arguments.id);
    if (arguments.expected_version) request.set_expected_version(*arguments.expected_version);
    const auto response = context.connection.DeleteRecording(request);
    if (!response.ok()) return Fail(context, response.status());
    return Report(context, *response, "deleted", arguments.id, response->version());
  }
  v1::DeletePieceRequest request;
  request.set_piece_id(arguments.id);
  request.set_with_recordings(arguments.with_recordings);
  if (arguments.expected_version) request.set_expected_version(*arguments.expected_version);
  const auto response = context.connection.DeletePiece(request);
  if (absl::IsFailedPrecondition(response.status())) {
    return Fail(context, WithHint(response.status(), "--with-recordings deletes those too"));
  }
  if (!response.ok()) return Fail(context, response.status());
  const std::string done =
      response->recordings_deleted() == 0
          ? "deleted"
          : "deleted with " + Plural(response->recordings_deleted(), "recording") + " of it:";
  return Report(context, *response, done, arguments.id, response->version());
}

}  // namespace antiphon::client
