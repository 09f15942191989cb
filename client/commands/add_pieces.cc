#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "client/commands/commands.h"
#include "client/commands/folder.h"
#include "client/output/json.h"
#include "client/rpc/rpc_status.h"
#include "core/base/status_macros.h"
#include "core/music/file_naming.h"
#include "core/music/upbeat.h"
#include "core/scores/read_score.h"
#include "nlohmann/json.hpp"

namespace antiphon::client {
namespace {

// Sends the files one after the other, and takes what becomes of them. Files are read on the thread
// that sends.
class Adding {
 public:
  Adding(const AddPiecesArguments& arguments, const FolderPlan& plan, Context& context,
         int64_t max_bytes)
      : arguments_(arguments),
        plan_(plan),
        context_(context),
        max_bytes_(max_bytes),
        tally_(arguments.folder, plan, context) {}

  ExitCode Run() {
    const absl::Status end = context_.connection.AddPieces(
        [this](const auto& send) {
          for (const files::FolderFile& file : plan_.files) {
            absl::StatusOr<v1::AddPieceRequest> request = Read(file);
            Remember(file.name, request.status());
            if (request.ok()) RETURN_IF_ERROR(send(*request));
          }
          return absl::OkStatus();
        },
        [this](const v1::AddPiecesResponse& response) { return Take(response); });
    ReportUnread();
    return tally_.Finish(end);
  }

 private:
  absl::StatusOr<v1::AddPieceRequest> Read(const files::FolderFile& file) {
    ASSIGN_OR_RETURN(const Input input, OpenInput(file.path.string(), context_.in));
    ASSIGN_OR_RETURN(std::string score, MakeScoreFile(input, max_bytes_));
    const music::FileMetadata known = music::MetadataOf(plan_.metadata, file.name);
    if (known.upbeat) {
      KeepWarnings(file.name, score);
      ASSIGN_OR_RETURN(
          score, MapError(music::WithUpbeat(score, *known.upbeat), [](const absl::Status& failure) {
            return absl::InvalidArgumentError(
                absl::StrCat("the upbeat in ", music::kMetadataFile, ": ", failure.message()));
          }));
    }
    const Names names = NamesIn(file.name, score);
    const music::ScoreName& name = plan_.names.at(file.name);
    v1::AddPieceRequest request;
    v1::NewPiece& piece = *request.mutable_piece();
    piece.set_id(name.id);
    piece.set_title(known.title.empty() ? names.title : known.title);
    piece.set_composer(known.composer.empty() ? names.composer : known.composer);
    piece.set_collection(known.collection.empty() ? arguments_.folder.collection
                                                  : known.collection);
    piece.set_work_id(name.work_id);
    *request.mutable_score() = ToScore(std::move(score));
    return request;
  }

  struct Names {
    std::string title, composer;
  };

  // Those of the score, else those of its path.
  static Names NamesIn(const std::string& file, const std::string& bytes) {
    Names names = {music::TitleOfPath(file), music::ComposerOfPath(file)};
    const auto score = notation::ReadScore(bytes);
    if (score.ok() && !score->title.empty()) names.title = notation::TitleWithOpus(*score);
    if (score.ok() && !score->composer.empty()) names.composer = score->composer;
    return names;
  }

  // What was not read is reported at the end: the other thread may be writing now.
  void Remember(const std::string& file, const absl::Status& read) {
    absl::MutexLock lock(&mutex_);
    if (read.ok()) {
      sent_.push_back(file);
    } else {
      unread_.emplace_back(file, read);
    }
  }

  // A damaged score is written anew for its upbeat, so that the server doesn't see the damage.
  void KeepWarnings(const std::string& file, const std::string& bytes) {
    const auto score = notation::ReadScore(bytes);
    if (!score.ok() || score->warnings.empty()) return;
    absl::MutexLock lock(&mutex_);
    warnings_.emplace_back(file, score->warnings);
  }

  void ReportUnread() {
    absl::MutexLock lock(&mutex_);
    for (const auto& [file, warnings] : warnings_) WarnLocally(context_, warnings, file);
    for (const auto& [file, why] : unread_) tally_.Failed(file, why);
  }

  absl::Status Take(const v1::AddPiecesResponse& response) {
    std::string file;
    {
      absl::MutexLock lock(&mutex_);
      if (response.index() < 0 || response.index() >= static_cast<int64_t>(sent_.size())) {
        return absl::InternalError("the server answers what it was not asked");
      }
      file = sent_[response.index()];
    }
    if (!response.has_piece()) {
      tally_.Failed(file, FromErrorStatus(response.error()));
      return absl::OkStatus();
    }
    nlohmann::ordered_json answer = MessageToJson(response.piece());
    const nlohmann::ordered_json all = MessageToJson(response);
    for (const char* field : {"warnings", "same_music"}) answer[field] = all[field];
    tally_.Added(file, answer, response.warnings(), response.same_music());
    return absl::OkStatus();
  }

  const AddPiecesArguments& arguments_;
  const FolderPlan& plan_;
  Context& context_;
  const int64_t max_bytes_;
  FolderTally tally_;
  absl::Mutex mutex_;
  std::vector<std::string> sent_ ABSL_GUARDED_BY(mutex_);  // by index in the stream
  std::vector<std::pair<std::string, absl::Status>> unread_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::pair<std::string, std::vector<std::string>>> warnings_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

ExitCode RunAddPieces(const AddPiecesArguments& arguments, Context& context) {
  const absl::StatusOr<FolderPlan> plan =
      PlanFolder(arguments.folder.folder, files::Wanted::kScores, context);
  if (!plan.ok()) return Fail(context, plan.status());
  const absl::StatusOr<v1::Limits> limits = context.connection.Limits();
  if (!limits.ok()) return Fail(context, limits.status());
  return Adding(arguments, *plan, context, MaxBytes(*limits)).Run();
}

}  // namespace antiphon::client
