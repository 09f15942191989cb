#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
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
  const std::string name = input.path.empty() ? "" : BaseName(input.path);
  piece.set_title(score.ok() ? notation::TitleOf(*score, name) : music::TitleOfPath(name));
  if (score.ok()) piece.set_composer(score->composer);
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

struct NamedRequest {
  std::string name;  // of the file, and the tune in it
  v1::AddPieceRequest request;
};

// One for the piece in a file, or for each tune of a book.
absl::StatusOr<std::vector<NamedRequest>> ToAdd(const AddPieceArguments& arguments,
                                                const std::string& file, Context& context) {
  ASSIGN_OR_RETURN(const Input input, OpenInput(file, context.in));
  ASSIGN_OR_RETURN(std::string score, ReadScoreFile(input, context));
  ASSIGN_OR_RETURN(const std::string id, IdFor(arguments.id, input));
  std::vector<notation::FiledScore> pieces = notation::PiecesOf(id, std::move(score));
  if (pieces.size() > 1 && arguments.label.title) {
    return absl::InvalidArgumentError(absl::StrCat(input.name, " has ", pieces.size(),
                                                   " tunes, and --title is that of one piece"));
  }
  std::vector<NamedRequest> requests;
  for (notation::FiledScore& piece : pieces) {
    NamedRequest& made = requests.emplace_back();
    made.name = piece.tune.empty() ? file : absl::StrCat(file, ", tune ", piece.tune);
    v1::NewPiece& added = *made.request.mutable_piece();
    added.set_id(piece.id);
    SetNames(input, piece.bytes, added);
    SetLabel(arguments.label, added);
    added.set_work_id(arguments.work_id);
    if (arguments.with_parts) added.set_with_parts(*arguments.with_parts);
    *made.request.mutable_score() = ToScore(std::move(piece.bytes));
  }
  return requests;
}

absl::StatusOr<v1::UpdatePieceResponse> Update(const UpdatePieceArguments& arguments,
                                               Context& context) {
  v1::UpdatePieceRequest request;
  request.set_piece_id(arguments.id);
  SetLabel(arguments.label, request);
  if (arguments.work_id) request.set_work_id(*arguments.work_id);
  if (arguments.with_parts) request.set_with_parts(*arguments.with_parts);
  if (arguments.expected_version) request.set_expected_version(*arguments.expected_version);
  if (!arguments.score_file.empty()) {
    ASSIGN_OR_RETURN(const Input input, OpenInput(arguments.score_file, context.in));
    ASSIGN_OR_RETURN(std::string score, ReadScoreFile(input, context));
    RETURN_IF_ERROR(CheckOneTune(input, score));
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

// What became of several things.
struct Outcome {
  ExitCode worst = ExitCode::kOk;
  int64_t succeeded = 0, failed = 0, not_tried = 0;
  bool unreachable = false;  // the server was for one; nor will it be reached for the others

  void Count(ExitCode code) {
    worst = Worse(worst, code);
    unreachable = unreachable || code == ExitCode::kUnreachable;
    ++(code == ExitCode::kOk ? succeeded : failed);
  }
};

// Sums up where there are several: "added 2 of 3 pieces".
void Summarise(Context& context, const Outcome& outcome, const std::string& done,
               const std::string& noun) {
  const int64_t all = outcome.succeeded + outcome.failed + outcome.not_tried;
  if (all < 2 || context.json) return;
  context.out << done << " " << outcome.succeeded << " of " << Plural(all, noun);
  if (outcome.failed > 0) context.out << "; " << outcome.failed << " failed";
  if (outcome.not_tried > 0) context.out << "; " << outcome.not_tried << " not tried";
  context.out << "\n";
}

// Does it to one after the other; `act` counts what becomes of a thing.
template <typename Thing, typename Do>
void Each(const std::vector<Thing>& things, Outcome& outcome, Do act) {
  for (const Thing& thing : things) {
    if (outcome.unreachable) {
      ++outcome.not_tried;
    } else {
      act(thing);
    }
  }
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
  Outcome outcome;
  Each(arguments.files, outcome, [&](const std::string& file) {
    const auto requests = ToAdd(arguments, file, context);
    if (!requests.ok()) return outcome.Count(Fail(context, requests.status(), file));
    Each(*requests, outcome, [&](const NamedRequest& made) {
      outcome.Count(
          Report(context, context.connection.Call(kAddPiece, made.request), "added", made.name));
    });
  });
  Summarise(context, outcome, "added", "piece");
  return outcome.worst;
}

ExitCode RunUpdatePiece(const UpdatePieceArguments& arguments, Context& context) {
  return Report(context, Update(arguments, context), "changed", arguments.score_file);
}

ExitCode RunAddRecording(const AddRecordingArguments& arguments, Context& context) {
  Outcome outcome;
  Each(arguments.files, outcome, [&](const std::string& file) {
    outcome.Count(Report(context, Add(arguments, file, context), "added", file));
  });
  Summarise(context, outcome, "added", "recording");
  return outcome.worst;
}

ExitCode RunUpdateRecording(const UpdateRecordingArguments& arguments, Context& context) {
  return Report(context, Update(arguments, context), "changed", arguments.audio_file);
}

ExitCode RunDelete(const DeleteArguments& arguments, Context& context) {
  Outcome outcome;
  Each(arguments.ids, outcome, [&](const std::string& id) {
    outcome.Count(arguments.recording ? DeleteRecording(arguments, id, context)
                                      : DeletePiece(arguments, id, context));
  });
  Summarise(context, outcome, "deleted", arguments.recording ? "recording" : "piece");
  return outcome.worst;
}

}  // namespace antiphon::client
