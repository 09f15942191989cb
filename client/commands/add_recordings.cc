#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client/commands/commands.h"
#include "client/commands/folder.h"
#include "client/output/json.h"
#include "core/base/status_macros.h"
#include "core/music/file_naming.h"
#include "nlohmann/json.hpp"

namespace antiphon::client {
namespace {

// Calls under way at once: while one is answered, the next file is read and sent.
constexpr size_t kInFlight = 3;

// Adds the files, a few at once, in their order as far as that goes.
class Adding {
 public:
  Adding(const AddRecordingsArguments& arguments, const FolderPlan& plan, Context& context,
         int64_t max_bytes)
      : arguments_(arguments),
        plan_(plan),
        context_(context),
        max_bytes_(max_bytes),
        tally_(arguments.folder, plan, context) {}

  ExitCode Run() {
    std::vector<std::thread> workers;
    for (size_t i = 0; i < std::min(kInFlight, plan_.files.size()); ++i)
      workers.emplace_back([this] { Work(); });
    for (std::thread& worker : workers) worker.join();
    absl::MutexLock lock(&mutex_);
    return tally_.Finish(absl::OkStatus());
  }

 private:
  void Work() {
    while (const std::optional<size_t> next = Next()) {
      const files::FolderFile& file = plan_.files[*next];
      Take(file.name, Add(file));
    }
  }

  std::optional<size_t> Next() {
    absl::MutexLock lock(&mutex_);
    if (stopped_ || next_ == plan_.files.size()) return std::nullopt;
    return next_++;
  }

  absl::StatusOr<v1::AddRecordingResponse> Add(const files::FolderFile& file) {
    ASSIGN_OR_RETURN(const Input input, OpenInput(file.path.string(), context_.in));
    std::vector<std::string> warnings;
    ASSIGN_OR_RETURN(std::string audio, MakeAudioFile(input, max_bytes_, &warnings));
    const music::FileMetadata known = music::MetadataOf(plan_.metadata, file.name);
    v1::AddRecordingRequest request;
    v1::NewRecording& recording = *request.mutable_recording();
    recording.set_id(music::IdOf(plan_.metadata, file.name));
    recording.set_title(known.title.empty() ? music::TitleOfPath(file.name) : known.title);
    recording.set_composer(known.composer);
    recording.set_collection(known.collection.empty() ? arguments_.folder.collection
                                                      : known.collection);
    recording.set_piece_id(known.piece_id.empty() ? arguments_.piece_id : known.piece_id);
    request.set_audio_file(std::move(audio));
    request.set_accept_damaged(arguments_.accept_damaged);
    auto response = context_.connection.Call(kAddRecordingAgain, request);
    if (!response.ok()) return response;
    for (const std::string& warning : warnings) response->add_warnings()->set_message(warning);
    return response;
  }

  void Take(const std::string& file, const absl::StatusOr<v1::AddRecordingResponse>& response) {
    absl::MutexLock lock(&mutex_);
    if (response.ok()) {
      nlohmann::ordered_json answer = MessageToJson(response->recording());
      answer["warnings"] = MessageToJson(*response)["warnings"];
      tally_.Added({file, ""}, answer, response->warnings(), {});
      return;
    }
    tally_.Failed({file, ""}, response.status());
    // Nor will it be reached for the others.
    stopped_ = stopped_ || ExitCodeOf(response.status()) == ExitCode::kUnreachable;
  }

  const AddRecordingsArguments& arguments_;
  const FolderPlan& plan_;
  Context& context_;
  const int64_t max_bytes_;
  absl::Mutex mutex_;
  FolderTally tally_ ABSL_GUARDED_BY(mutex_);
  size_t next_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace

ExitCode RunAddRecordings(const AddRecordingsArguments& arguments, Context& context) {
  const absl::StatusOr<FolderPlan> plan =
      PlanFolder(arguments.folder.folder, files::Wanted::kAudio, context);
  if (!plan.ok()) return Fail(context, plan.status());
  const absl::StatusOr<v1::Limits> limits = context.connection.Limits();
  if (!limits.ok()) return Fail(context, limits.status());
  return Adding(arguments, *plan, context, MaxBytes(*limits)).Run();
}

}  // namespace antiphon::client
