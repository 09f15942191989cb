#include "server/serving/fake_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/audio/decoder.h"
#include "core/music/midi_file.h"

namespace antiphon::server {
namespace {

using editing::CollectionStore;

absl::Status CheckVersion(int64_t version, std::optional<int64_t> expected) {
  if (!expected.has_value() || *expected == version) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat("piece version: is ", version, ", not ", *expected));
}

// The score of `midi`, with what it says of the piece.
absl::StatusOr<std::shared_ptr<const music::Score>> Read(const std::string& midi,
                                                         catalog::Piece& piece) {
  absl::StatusOr<music::Score> score = music::ReadMidi(midi);
  if (!score.ok()) return score.status();
  if (score->notes.empty()) return absl::InvalidArgumentError("no notes");
  piece.duration_s = score->duration_s;
  piece.notes = static_cast<int>(score->notes.size());
  piece.beats = score->tempo_map.BeatsAt(score->duration_s);
  return std::make_shared<const music::Score>(*std::move(score));
}

absl::Status Read(const std::string& audio, catalog::Recording& recording) {
  const absl::StatusOr<audio::Waveform> waveform = audio::DecodeMemory(audio);
  if (!waveform.ok()) return waveform.status();
  recording.duration_s = waveform->duration_s();
  return absl::OkStatus();
}

template <typename T>
void Assign(const std::optional<T>& from, T& to) {
  if (from.has_value()) to = *from;
}

}  // namespace

FakeStore::FakeStore(std::shared_ptr<const FakeCollection> collection)
    : collection_(std::move(collection)) {}

std::shared_ptr<const retrieval::Collection> FakeStore::Current() const {
  absl::MutexLock lock(&mutex_);
  return collection_;
}

absl::Status FakeStore::Embed(const matching::RequestContext& context) {
  if (!failure.ok()) return failure;
  if (absl::Status status = context.keep_going(); !status.ok()) return status;
  ++embedded;
  if (context.on_stage) context.on_stage(matching::Stage::kEncode, 0.001);
  if (on_embed) on_embed();
  return context.keep_going();
}

absl::Status FakeStore::Administer() {
  if (on_administer) on_administer();
  return failure;
}

int64_t FakeStore::Put(FakeSources sources) {
  collection_ = std::make_shared<const FakeCollection>(*collection_, std::move(sources),
                                                       collection_->manifest().generation);
  ++durable;
  ++unmerged_;
  return ++last_change_;
}

absl::StatusOr<catalog::Piece> FakeStore::AddPiece(catalog::Piece piece, std::string midi,
                                                   const matching::RequestContext& context) {
  auto score = Read(midi, piece);
  if (!score.ok()) return score.status();
  if (absl::Status status = Embed(context); !status.ok()) return status;
  absl::MutexLock lock(&mutex_);
  if (collection_->FindPiece(piece.id).has_value()) return absl::AlreadyExistsError("id");
  FakeSources sources = collection_->sources();
  piece.version = last_change_ + 1;
  sources.pieces.push_back(piece);
  sources.scores.push_back(*std::move(score));
  Put(std::move(sources));
  return piece;
}

absl::StatusOr<catalog::Piece> FakeStore::UpdatePiece(const std::string& id,
                                                      const editing::PieceUpdate& update,
                                                      std::optional<int64_t> expected_version,
                                                      const matching::RequestContext& context) {
  if (absl::Status status = Embed(context); !status.ok()) return status;
  absl::MutexLock lock(&mutex_);
  const std::optional<int> position = collection_->FindPiece(id);
  if (!position.has_value()) return absl::NotFoundError("id");
  FakeSources sources = collection_->sources();
  catalog::Piece& piece = sources.pieces[*position];
  if (absl::Status status = CheckVersion(piece.version, expected_version); !status.ok())
    return status;
  Assign(update.title, piece.title);
  Assign(update.composer, piece.composer);
  Assign(update.collection, piece.collection);
  if (update.midi.has_value()) {
    auto score = Read(*update.midi, piece);
    if (!score.ok()) return score.status();
    sources.scores[*position] = *std::move(score);
  }
  piece.version = last_change_ + 1;
  catalog::Piece updated = piece;
  Put(std::move(sources));
  return updated;
}

absl::StatusOr<CollectionStore::Deleted> FakeStore::DeletePiece(
    const std::string& id, std::optional<int64_t> expected_version, bool with_recordings) {
  if (!failure.ok()) return failure;
  absl::MutexLock lock(&mutex_);
  const std::optional<int> position = collection_->FindPiece(id);
  if (!position.has_value()) return absl::NotFoundError("id");
  FakeSources sources = collection_->sources();
  if (absl::Status status = CheckVersion(sources.pieces[*position].version, expected_version);
      !status.ok()) {
    return status;
  }
  CollectionStore::Deleted deleted;
  for (size_t i = sources.recordings.size(); i-- > 0;) {
    if (sources.recordings[i].piece_id != id) continue;
    if (!with_recordings) return absl::FailedPreconditionError("there are recordings of it");
    sources.recordings.erase(sources.recordings.begin() + static_cast<std::ptrdiff_t>(i));
    sources.sounds.erase(sources.sounds.begin() + static_cast<std::ptrdiff_t>(i));
    ++deleted.recordings;
  }
  sources.pieces.erase(sources.pieces.begin() + *position);
  sources.scores.erase(sources.scores.begin() + *position);
  deleted.version = Put(std::move(sources));
  return deleted;
}

absl::StatusOr<catalog::Recording> FakeStore::AddRecording(
    catalog::Recording recording, std::string audio, const matching::RequestContext& context) {
  if (absl::Status status = Read(audio, recording); !status.ok()) return status;
  if (absl::Status status = Embed(context); !status.ok()) return status;
  absl::MutexLock lock(&mutex_);
  if (collection_->FindRecording(recording.id).has_value()) return absl::AlreadyExistsError("id");
  if (!recording.piece_id.empty() && !collection_->FindPiece(recording.piece_id).has_value()) {
    return absl::NotFoundError("piece");
  }
  FakeSources sources = collection_->sources();
  recording.version = last_change_ + 1;
  sources.recordings.push_back(recording);
  sources.sounds.push_back(std::move(audio));
  Put(std::move(sources));
  return recording;
}

absl::StatusOr<catalog::Recording> FakeStore::UpdateRecording(
    const std::string& id, const editing::RecordingUpdate& update,
    std::optional<int64_t> expected_version, const matching::RequestContext& context) {
  if (absl::Status status = Embed(context); !status.ok()) return status;
  absl::MutexLock lock(&mutex_);
  const std::optional<int> position = collection_->FindRecording(id);
  if (!position.has_value()) return absl::NotFoundError("id");
  FakeSources sources = collection_->sources();
  catalog::Recording& recording = sources.recordings[*position];
  if (absl::Status status = CheckVersion(recording.version, expected_version); !status.ok())
    return status;
  Assign(update.title, recording.title);
  Assign(update.composer, recording.composer);
  Assign(update.collection, recording.collection);
  Assign(update.piece_id, recording.piece_id);
  if (!recording.piece_id.empty() && !collection_->FindPiece(recording.piece_id).has_value()) {
    return absl::NotFoundError("piece");
  }
  if (update.audio.has_value()) {
    if (absl::Status status = Read(*update.audio, recording); !status.ok()) return status;
    sources.sounds[*position] = *update.audio;
  }
  recording.version = last_change_ + 1;
  catalog::Recording updated = recording;
  Put(std::move(sources));
  return updated;
}

absl::StatusOr<CollectionStore::Deleted> FakeStore::DeleteRecording(
    const std::string& id, std::optional<int64_t> expected_version) {
  if (!failure.ok()) return failure;
  absl::MutexLock lock(&mutex_);
  const std::optional<int> position = collection_->FindRecording(id);
  if (!position.has_value()) return absl::NotFoundError("id");
  FakeSources sources = collection_->sources();
  if (absl::Status status = CheckVersion(sources.recordings[*position].version, expected_version);
      !status.ok()) {
    return status;
  }
  sources.recordings.erase(sources.recordings.begin() + *position);
  sources.sounds.erase(sources.sounds.begin() + *position);
  return CollectionStore::Deleted{.version = Put(std::move(sources))};
}

absl::StatusOr<CollectionStore::Reloaded> FakeStore::Reload() {
  if (absl::Status status = Administer(); !status.ok()) return status;
  absl::MutexLock lock(&mutex_);
  const int64_t before = collection_->manifest().generation;
  collection_ =
      std::make_shared<const FakeCollection>(*collection_, collection_->sources(), before + 1);
  return CollectionStore::Reloaded{before + 1, before, {"gen-000099: not whole"}};
}

absl::StatusOr<CollectionStore::Merged> FakeStore::Merge() {
  if (absl::Status status = Administer(); !status.ok()) return status;
  absl::MutexLock lock(&mutex_);
  const int64_t before = collection_->manifest().generation;
  if (unmerged_ == 0) return CollectionStore::Merged{before, 0};
  collection_ =
      std::make_shared<const FakeCollection>(*collection_, collection_->sources(), before + 1);
  return CollectionStore::Merged{before + 1, std::exchange(unmerged_, 0)};
}

CollectionStore::EditStatus FakeStore::edit_status() const {
  absl::MutexLock lock(&mutex_);
  return {.last_change = last_change_,
          .unmerged = unmerged_,
          .rejected_changes = {"change 3: damaged"}};
}

absl::StatusOr<Store::Snapshot> FakeStore::TakeSnapshot(const std::string& name) {
  if (absl::Status status = Administer(); !status.ok()) return status;
  if (!has_snapshot_directory) return absl::FailedPreconditionError("no snapshot directory");
  absl::MutexLock lock(&mutex_);
  if (!snapshots_.emplace(name, collection_->sources()).second)
    return absl::AlreadyExistsError(name);
  Snapshot snapshot{.manifest = collection_->manifest(), .version = last_change_, .bytes = 4096};
  snapshot.manifest.pieces = static_cast<int64_t>(collection_->pieces().size());
  snapshot.manifest.recordings = static_cast<int64_t>(collection_->recordings().size());
  return snapshot;
}

absl::StatusOr<bundle::Manifest> FakeStore::Restore(const std::string& name) {
  if (absl::Status status = Administer(); !status.ok()) return status;
  if (!has_snapshot_directory) return absl::FailedPreconditionError("no snapshot directory");
  absl::MutexLock lock(&mutex_);
  const auto found = snapshots_.find(name);
  if (found == snapshots_.end()) return absl::NotFoundError(name);
  collection_ = std::make_shared<const FakeCollection>(*collection_, found->second,
                                                       collection_->manifest().generation + 1);
  bundle::Manifest manifest = collection_->manifest();
  manifest.pieces = static_cast<int64_t>(collection_->pieces().size());
  manifest.recordings = static_cast<int64_t>(collection_->recordings().size());
  return manifest;
}

}  // namespace antiphon::server
