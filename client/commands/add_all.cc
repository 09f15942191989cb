#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <ostream>
#include <string>
#include <system_error>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "client/commands/commands.h"
#include "client/output/json.h"
#include "client/output/progress.h"
#include "client/rpc/rpc_status.h"
#include "core/base/status_macros.h"
#include "core/music/file_naming.h"
#include "core/music/midi_file.h"
#include "nlohmann/json.hpp"

namespace antiphon::client {
namespace {

namespace fs = std::filesystem;

using Metadata = std::map<std::string, music::FileMetadata>;

// Paths below the folder, in their order.
absl::StatusOr<std::vector<std::string>> MidiFilesBelow(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    const std::string extension = it->path().extension().string();
    if (!absl::EqualsIgnoreCase(extension, ".mid") && !absl::EqualsIgnoreCase(extension, ".midi"))
      continue;
    if (it->is_regular_file(error))
      files.push_back(fs::relative(it->path(), folder, error).generic_string());
  }
  if (error)
    return absl::InvalidArgumentError(absl::StrCat("cannot read ", folder, ": ", error.message()));
  if (files.empty())
    return absl::NotFoundError(absl::StrCat("no .mid or .midi file below ", folder));
  std::sort(files.begin(), files.end());
  return files;
}

absl::StatusOr<Metadata> ReadMetadata(const std::string& folder, std::istream& in) {
  const std::string path = (fs::path(folder) / music::kMetadataFile).string();
  std::error_code error;
  if (!fs::exists(path, error)) return Metadata();
  ASSIGN_OR_RETURN(const Input input, OpenInput(path, in));
  ASSIGN_OR_RETURN(const std::string text, ReadAll(input));
  return MapError(music::ParseMetadata(text), [&](const absl::Status& failure) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", failure.message()));
  });
}

// Sends the files one after the other, and takes what becomes of them. Files are read on the thread
// that sends.
class Adding {
 public:
  Adding(const AddPiecesArguments& arguments, Context& context, std::vector<std::string> files,
         Metadata metadata, int64_t max_bytes)
      : arguments_(arguments),
        context_(context),
        files_(std::move(files)),
        metadata_(std::move(metadata)),
        max_bytes_(max_bytes),
        progress_(context.err, context.progress) {}

  ExitCode Run() {
    const absl::Status status = context_.connection.AddPieces(
        [this](const auto& send) {
          for (const std::string& file : files_) {
            absl::StatusOr<v1::AddPieceRequest> request = Read(file);
            Remember(file, request.ok());
            if (request.ok()) {
              RETURN_IF_ERROR(send(*request));
            } else {
              TakeUnread(file, request.status());
            }
          }
          return absl::OkStatus();
        },
        [this](const v1::AddPiecesResponse& response) { return Take(response); });
    progress_.Clear();
    ReportUnread();
    if (!status.ok()) worst_ = Worse(worst_, Fail(context_, status));
    if (!context_.json) Summarise();
    return worst_;
  }

 private:
  absl::StatusOr<v1::AddPieceRequest> Read(const std::string& file) {
    ASSIGN_OR_RETURN(const Input input,
                     OpenInput((fs::path(arguments_.folder) / file).string(), context_.in));
    ASSIGN_OR_RETURN(std::string midi, MakeMidiFile(input, max_bytes_));
    const auto found = metadata_.find(file);
    const music::FileMetadata known =
        found == metadata_.end() ? music::FileMetadata() : found->second;
    v1::AddPieceRequest request;
    v1::NewPiece& piece = *request.mutable_piece();
    piece.set_id(music::IdOfPath(file));
    piece.set_title(known.title.empty() ? TitleOf(file, midi) : known.title);
    piece.set_composer(known.composer.empty() ? music::ComposerOfPath(file) : known.composer);
    piece.set_collection(known.collection.empty() ? arguments_.collection : known.collection);
    request.mutable_score()->set_midi(std::move(midi));
    return request;
  }

  static std::string TitleOf(const std::string& file, const std::string& midi) {
    const auto score = music::ReadMidi(midi);
    return score.ok() && !score->title.empty() ? score->title : music::TitleOfPath(file);
  }

  void Remember(const std::string& file, bool sent) {
    absl::MutexLock lock(&mutex_);
    if (sent) sent_.push_back(file);
  }

  // Reported at the end: the other thread may be writing now.
  void TakeUnread(const std::string& file, const absl::Status& why) {
    absl::MutexLock lock(&mutex_);
    unread_.emplace_back(file, why);
  }

  void ReportUnread() {
    absl::MutexLock lock(&mutex_);
    for (const auto& [file, why] : unread_) worst_ = Worse(worst_, Fail(context_, why, file));
    failed_ += static_cast<int64_t>(unread_.size());
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
    if (response.has_piece()) {
      ++added_;
      if (context_.json) EmitAnswer(file, response);
    } else {
      const absl::Status why = FromErrorStatus(response.error());
      const bool there = absl::IsAlreadyExists(why) && arguments_.skip_existing;
      ++(there ? existing_ : failed_);
      progress_.Clear();
      if (!there) worst_ = Worse(worst_, Fail(context_, why, file));
    }
    progress_.Show(added_ + existing_ + failed_, static_cast<int64_t>(files_.size()), file);
    return absl::OkStatus();
  }

  void EmitAnswer(const std::string& file, const v1::AddPiecesResponse& response) {
    nlohmann::ordered_json json = {{"file", file}};
    json.update(MessageToJson(response.piece()));
    Emit(context_, json);
  }

  void Summarise() {
    context_.out << "added " << added_ << " of "
                 << Plural(static_cast<int64_t>(files_.size()), "piece");
    if (existing_ > 0) context_.out << "; " << existing_ << " there already";
    if (failed_ > 0) context_.out << "; " << failed_ << " failed";
    context_.out << "\n";
  }

  const AddPiecesArguments& arguments_;
  Context& context_;
  const std::vector<std::string> files_;
  const Metadata metadata_;
  const int64_t max_bytes_;
  Progress progress_;
  int64_t added_ = 0, existing_ = 0, failed_ = 0;
  ExitCode worst_ = ExitCode::kOk;
  absl::Mutex mutex_;
  std::vector<std::string> sent_ ABSL_GUARDED_BY(mutex_);  // by index in the stream
  std::vector<std::pair<std::string, absl::Status>> unread_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

ExitCode RunAddPieces(const AddPiecesArguments& arguments, Context& context) {
  absl::StatusOr<std::vector<std::string>> files = MidiFilesBelow(arguments.folder);
  if (!files.ok()) return Fail(context, files.status());
  absl::StatusOr<Metadata> metadata = ReadMetadata(arguments.folder, context.in);
  if (!metadata.ok()) return Fail(context, metadata.status());
  const absl::StatusOr<v1::Limits> limits = context.connection.Limits();
  if (!limits.ok()) return Fail(context, limits.status());
  return Adding(arguments, context, *std::move(files), *std::move(metadata), MaxBytes(*limits))
      .Run();
}

}  // namespace antiphon::client
