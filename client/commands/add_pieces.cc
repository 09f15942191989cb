#include <cstdint>
#include <iterator>
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
          for (const files::FolderFile& file : plan_.files) RETURN_IF_ERROR(SendAll(file, send));
          return absl::OkStatus();
        },
        [this](const v1::AddPiecesResponse& response) { return Take(response); });
    ReportUnread();
    return tally_.Finish(end);
  }

 private:
  // The piece in a file, or each tune of a book.
  template <typename Send>
  absl::Status SendAll(const files::FolderFile& file, const Send& send) {
    absl::StatusOr<std::vector<notation::FiledScore>> pieces = Read(file);
    if (!pieces.ok()) {
      Remember({file.name, ""}, pieces.status());
      return absl::OkStatus();
    }
    FoundTunes(std::ssize(*pieces) - 1);
    for (notation::FiledScore& piece : *pieces) {
      const FolderPiece name = {file.name, piece.tune};
      const absl::StatusOr<v1::AddPieceRequest> request = ToRequest(name, std::move(piece));
      Remember(name, request.status());
      if (request.ok()) RETURN_IF_ERROR(send(*request));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<notation::FiledScore>> Read(const files::FolderFile& file) {
    ASSIGN_OR_RETURN(const Input input, OpenInput(file.path.string(), context_.in));
    ASSIGN_OR_RETURN(std::string score, MakeScoreFile(input, max_bytes_));
    return notation::PiecesOf(plan_.names.at(file.name).id, std::move(score));
  }

  absl::StatusOr<v1::AddPieceRequest> ToRequest(const FolderPiece& name,
                                                notation::FiledScore filed) {
    music::FileMetadata known = music::MetadataOf(plan_.metadata, name.file);
    if (!name.tune.empty()) known.title.clear();  // that of the book
    std::string score = std::move(filed.bytes);
    if (known.upbeat) {
      KeepWarnings(name, score);
      ASSIGN_OR_RETURN(
          score, MapError(music::WithUpbeat(score, *known.upbeat), [](const absl::Status& failure) {
            return absl::InvalidArgumentError(
                absl::StrCat("the upbeat in ", music::kMetadataFile, ": ", failure.message()));
          }));
    }
    const Names names = NamesIn(name.file, score);
    v1::AddPieceRequest request;
    v1::NewPiece& piece = *request.mutable_piece();
    piece.set_id(std::move(filed.id));
    piece.set_title(known.title.empty() ? names.title : known.title);
    piece.set_composer(known.composer.empty() ? names.composer : known.composer);
    piece.set_collection(known.collection.empty() ? arguments_.folder.collection
                                                  : known.collection);
    piece.set_work_id(plan_.names.at(name.file).work_id);
    if (arguments_.with_parts) piece.set_with_parts(*arguments_.with_parts);
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
    if (score.ok()) names.title = notation::TitleOf(*score, file);
    if (score.ok() && !score->composer.empty()) names.composer = score->composer;
    return names;
  }

  // What was not read is reported at the end: the other thread may be writing now.
  void Remember(const FolderPiece& piece, const absl::Status& read) {
    absl::MutexLock lock(&mutex_);
    if (read.ok()) {
      sent_.push_back(piece);
    } else {
      unread_.emplace_back(piece, read);
    }
  }

  void FoundTunes(int64_t more) {
    absl::MutexLock lock(&mutex_);
    more_tunes_ += more;
  }

  // A damaged score is written anew for its upbeat, so that the server doesn't see the damage.
  void KeepWarnings(const FolderPiece& piece, const std::string& bytes) {
    const auto score = notation::ReadScore(bytes);
    if (!score.ok() || score->warnings.empty()) return;
    absl::MutexLock lock(&mutex_);
    warnings_.emplace_back(piece, score->warnings);
  }

  void ReportUnread() {
    absl::MutexLock lock(&mutex_);
    tally_.FoundTunes(std::exchange(more_tunes_, 0));
    for (const auto& [piece, warnings] : warnings_) WarnLocally(context_, warnings, NameOf(piece));
    for (const auto& [piece, why] : unread_) tally_.Failed(piece, why);
  }

  absl::Status Take(const v1::AddPiecesResponse& response) {
    FolderPiece piece;
    {
      absl::MutexLock lock(&mutex_);
      if (response.index() < 0 || response.index() >= static_cast<int64_t>(sent_.size())) {
        return absl::InternalError("the server answers what it was not asked");
      }
      piece = sent_[response.index()];
      tally_.FoundTunes(std::exchange(more_tunes_, 0));
    }
    if (!response.has_piece()) {
      tally_.Failed(piece, FromErrorStatus(response.error()));
      return absl::OkStatus();
    }
    nlohmann::ordered_json answer = MessageToJson(response.piece());
    const nlohmann::ordered_json all = MessageToJson(response);
    for (const char* field : {"warnings", "same_music"}) answer[field] = all[field];
    tally_.Added(piece, answer, response.warnings(), response.same_music());
    return absl::OkStatus();
  }

  const AddPiecesArguments& arguments_;
  const FolderPlan& plan_;
  Context& context_;
  const int64_t max_bytes_;
  FolderTally tally_;
  absl::Mutex mutex_;
  std::vector<FolderPiece> sent_ ABSL_GUARDED_BY(mutex_);  // by index in the stream
  std::vector<std::pair<FolderPiece, absl::Status>> unread_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::pair<FolderPiece, std::vector<std::string>>> warnings_ ABSL_GUARDED_BY(mutex_);
  int64_t more_tunes_ ABSL_GUARDED_BY(mutex_) = 0;  // that the tally doesn't know of yet
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
