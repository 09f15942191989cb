#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <unordered_set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/catalog/catalog.h"
#include "core/catalog/checks.h"
#include "core/catalog/database.h"

namespace antiphon::catalog {
namespace {

absl::Status CheckBlob(absl::string_view what, std::string_view bytes) {
  if (bytes.size() <= kMaxBlobBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, ": is larger than ", kMaxBlobBytes, " bytes"));
}

absl::Status Run(Statement& statement) {
  absl::Status status = statement.Step().status();
  statement.Reset();
  return status;
}

}  // namespace

struct CatalogWriter::Impl {
  Impl(std::string final_path, std::string partial_path, Database opened)
      : path(std::move(final_path)),
        partial(std::move(partial_path)),
        database(std::move(opened)) {}

  ~Impl() {
    statements.reset();
    database.reset();
    if (!partial.empty()) unlink(partial.c_str());
  }

  struct Statements {
    explicit Statements(sqlite3* db)
        : piece(db, "INSERT INTO pieces VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
          midi(db, "INSERT INTO scores VALUES (?, ?)"),
          recording(db, "INSERT INTO recordings VALUES (?, ?, ?, ?, ?, ?, ?, ?)"),
          audio(db, "INSERT INTO sounds VALUES (?, ?)"),
          run(db, "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)") {}
    Statement piece, midi, recording, audio, run;
  };

  // Ids of one kind in use; a new one gets the next position.
  static absl::StatusOr<int> Reserve(std::unordered_set<std::string>& ids, const std::string& id) {
    if (static_cast<int64_t>(ids.size()) >= kMaxSources) {
      return absl::ResourceExhaustedError(
          absl::StrCat("catalogue: holds at most ", kMaxSources, " of a kind"));
    }
    const int position = static_cast<int>(ids.size());
    if (!ids.insert(id).second)
      return absl::AlreadyExistsError(absl::StrCat("id \"", id, "\": is there already"));
    return position;
  }

  absl::Status CheckOpen() const {
    if (failure.ok() && database == nullptr)
      return absl::FailedPreconditionError("catalogue: is finished");
    return failure;
  }

  std::string path;
  std::string partial;  // what is being written; empty once it has its final name
  Database database;
  std::unique_ptr<Statements> statements;
  std::unordered_set<std::string> piece_ids;
  std::unordered_set<std::string> recording_ids;
  int64_t vectors[2] = {0, 0};  // by side
  absl::Status failure;         // of SQLite; nothing can be added after it
};

CatalogWriter::CatalogWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CatalogWriter::~CatalogWriter() = default;

absl::StatusOr<std::unique_ptr<CatalogWriter>> CatalogWriter::Create(const std::string& path) {
  if (access(path.c_str(), F_OK) == 0)
    return absl::AlreadyExistsError("catalogue: the file is there already");
  const std::string partial = path + ".partial";
  unlink(partial.c_str());  // of a writer that crashed
  absl::StatusOr<Database> database = CreateDatabase(partial);
  if (!database.ok()) {
    unlink(partial.c_str());
    return database.status();
  }
  auto impl = std::make_unique<Impl>(path, partial, *std::move(database));
  impl->statements = std::make_unique<Impl::Statements>(impl->database.get());
  return std::unique_ptr<CatalogWriter>(new CatalogWriter(std::move(impl)));
}

absl::StatusOr<int> CatalogWriter::AddPiece(const Piece& piece, std::string_view midi) {
  RETURN_IF_ERROR(impl_->CheckOpen());
  RETURN_IF_ERROR(CheckPiece(piece));
  RETURN_IF_ERROR(CheckBlob("piece midi", midi));
  ASSIGN_OR_RETURN(int position, Impl::Reserve(impl_->piece_ids, piece.id));
  Impl::Statements& statements = *impl_->statements;
  statements.piece.BindInt(1, position)
      .BindText(2, piece.id)
      .BindText(3, piece.title)
      .BindText(4, piece.composer);
  statements.piece.BindReal(5, piece.duration_s)
      .BindReal(6, piece.beats)
      .BindInt(7, piece.bars)
      .BindInt(8, piece.notes);
  statements.piece.BindText(9, piece.collection)
      .BindInt(10, piece.version)
      .BindText(11, piece.work_id)
      .BindInt(12, piece.with_parts ? 1 : 0);
  impl_->failure = Run(statements.piece);
  if (impl_->failure.ok())
    impl_->failure = Run(statements.midi.BindInt(1, position).BindBlob(2, midi));
  RETURN_IF_ERROR(impl_->failure);
  return position;
}

absl::StatusOr<int> CatalogWriter::AddRecording(const Recording& recording,
                                                std::string_view audio) {
  RETURN_IF_ERROR(impl_->CheckOpen());
  RETURN_IF_ERROR(CheckRecording(recording));
  RETURN_IF_ERROR(CheckBlob("recording audio", audio));
  ASSIGN_OR_RETURN(int position, Impl::Reserve(impl_->recording_ids, recording.id));
  Impl::Statements& statements = *impl_->statements;
  statements.recording.BindInt(1, position).BindText(2, recording.id).BindText(3, recording.title);
  statements.recording.BindText(4, recording.composer).BindText(5, recording.piece_id);
  statements.recording.BindReal(6, recording.duration_s).BindText(7, recording.collection);
  statements.recording.BindInt(8, recording.version);
  impl_->failure = Run(statements.recording);
  if (impl_->failure.ok())
    impl_->failure = Run(statements.audio.BindInt(1, position).BindBlob(2, audio));
  RETURN_IF_ERROR(impl_->failure);
  return position;
}

absl::Status CatalogWriter::AddRun(Side side, const SnippetRun& run) {
  int64_t& vectors = impl_->vectors[static_cast<int>(side)];
  const size_t sources =
      side == Side::kScores ? impl_->piece_ids.size() : impl_->recording_ids.size();
  RETURN_IF_ERROR(impl_->CheckOpen());
  RETURN_IF_ERROR(CheckRun(run, vectors, sources));
  Statement& statement = impl_->statements->run;
  statement.BindInt(1, static_cast<int>(side)).BindInt(2, run.first_vector).BindInt(3, run.count);
  statement.BindInt(4, run.source).BindReal(5, run.tempo_ratio).BindReal(6, run.start_s);
  statement.BindReal(7, run.hop_s).BindReal(8, run.window_s).BindInt(9, run.part);
  impl_->failure = Run(statement);
  if (impl_->failure.ok()) vectors += run.count;
  return impl_->failure;
}

absl::Status CatalogWriter::Finish() {
  RETURN_IF_ERROR(impl_->CheckOpen());
  impl_->failure = Execute(impl_->database.get(), "COMMIT");
  impl_->statements.reset();
  impl_->database.reset();
  if (impl_->failure.ok()) impl_->failure = SyncPath(impl_->partial);
  RETURN_IF_ERROR(impl_->failure);
  // A link, unlike a rename, does not replace a file that came meanwhile.
  if (link(impl_->partial.c_str(), impl_->path.c_str()) != 0) {
    return impl_->failure = absl::ErrnoToStatus(errno, "catalogue: cannot be given its name");
  }
  unlink(impl_->partial.c_str());
  impl_->partial.clear();
  const std::filesystem::path folder = std::filesystem::path(impl_->path).parent_path();
  return SyncPath(folder.empty() ? "." : folder.string());
}

}  // namespace antiphon::catalog
