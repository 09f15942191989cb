#include "server/serving/fake_store.h"

#include <filesystem>
#include <utility>
#include <variant>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/error_reason.h"
#include "core/base/status_macros.h"
#include "core/bundle/bundle.h"
#include "core/bundle/files.h"
#include "core/decoding/decoder.h"
#include "core/scores/read_score.h"

namespace antiphon::server {
namespace {

using editing::CollectionStore;

constexpr char kContents[] = "contents";  // the file of a snapshot

absl::Status IdTaken() { return WithReason(absl::AlreadyExistsError("id"), ErrorReason::kIdTaken); }

absl::Status IdUnknown() { return WithReason(absl::NotFoundError("id"), ErrorReason::kIdUnknown); }

absl::Status CheckVersion(int64_t version, std::optional<int64_t> expected) {
  if (!expected.has_value() || *expected == version) return absl::OkStatus();
  return WithReason(
      absl::AbortedError(absl::StrCat("piece version: is ", version, ", not ", *expected)),
      ErrorReason::kVersionMismatch);
}

// The score of `file`, with what it says of the piece.
absl::StatusOr<std::shared_ptr<const music::Score>> Read(const std::string& file,
                                                         catalog::Piece& piece) {
  ASSIGN_OR_RETURN(music::Score score, notation::ReadScore(file));
  if (score.notes.empty()) return absl::InvalidArgumentError("no notes");
  piece.duration_s = score.duration_s;
  piece.notes = static_cast<int>(score.notes.size());
  piece.beats = score.tempo_map.BeatsAt(score.duration_s);
  return std::make_shared<const music::Score>(std::move(score));
}

absl::Status Read(const std::string& audio, bool accept_damaged, catalog::Recording& recording,
                  audio::DecodeReport& decoding) {
  ASSIGN_OR_RETURN(const audio::Waveform waveform, audio::DecodeMemory(audio, {}, &decoding));
  if (decoding.DecodedShare() < audio::kLeastDecodedShare && !accept_damaged) {
    return WithReason(absl::FailedPreconditionError("less than half can be decoded"),
                      ErrorReason::kAudioDamaged);
  }
  recording.duration_s = waveform.duration_s();
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
  RETURN_IF_ERROR(failure);
  RETURN_IF_ERROR(context.keep_going());
  ++embedded;
  if (context.on_stage) context.on_stage(matching::Stage::kEncode, 0.001);
  if (on_embed) on_embed();
  return context.keep_going();
}

absl::Status FakeStore::Administer() {
  if (on_administer) on_administer();
  return failure;
}

absl::Status FakeStore::CheckPieceOf(const catalog::Recording& recording) const {
  const std::string& id = recording.piece_id;
  if (id.empty() || collection_->FindPiece(id).has_value()) return absl::OkStatus();
  return WithReason(absl::NotFoundError("piece"), ErrorReason::kPieceUnknown);
}

int64_t FakeStore::Put(FakeSources sources) {
  collection_ = std::make_shared<const FakeCollection>(*collection_, std::move(sources),
                                                       collection_->manifest().generation);
  ++durable;
  ++unmerged_;
  return ++last_change_;
}

absl::StatusOr<editing::EditResult> FakeStore::Apply(const editing::EditRequest& request,
                                                     const matching::RequestContext& context) {
  return std::visit([&](const auto& edit) { return Make(edit, context); }, request);
}

absl::StatusOr<editing::EditResult> FakeStore::Make(const editing::AddPiece& edit,
                                                    const matching::RequestContext& context) {
  catalog::Piece piece = edit.piece;
  piece.with_parts = edit.with_parts.value_or(false);
  ASSIGN_OR_RETURN(auto score, Read(edit.midi, piece));
  RETURN_IF_ERROR(Embed(context));
  absl::MutexLock lock(&mutex_);
  if (collection_->FindPiece(piece.id).has_value()) return IdTaken();
  FakeSources sources = collection_->sources();
  piece.version = last_change_ + 1;
  sources.pieces.push_back(piece);
  sources.scores.push_back(std::move(score));
  sources.files.resize(sources.pieces.size());
  sources.files.back() = edit.midi;
  return editing::EditResult{.version = Put(std::move(sources)), .piece = piece};
}

absl::StatusOr<editing::EditResult> FakeStore::Make(const editing::UpdatePiece& edit,
                                                    const matching::RequestContext& context) {
  RETURN_IF_ERROR(Embed(context));
  absl::MutexLock lock(&mutex_);
  const std::optional<int> position = collection_->FindPiece(edit.id);
  if (!position.has_value()) return IdUnknown();
  FakeSources sources = collection_->sources();
  catalog::Piece& piece = sources.pieces[*position];
  RETURN_IF_ERROR(CheckVersion(piece.version, edit.expected_version));
  Assign(edit.title, piece.title);
  Assign(edit.composer, piece.composer);
  Assign(edit.collection, piece.collection);
  Assign(edit.work_id, piece.work_id);
  Assign(edit.with_parts, piece.with_parts);
  if (edit.midi.has_value()) {
    ASSIGN_OR_RETURN(sources.scores[*position], Read(*edit.midi, piece));
    sources.files.resize(sources.pieces.size());
    sources.files[*position] = *edit.midi;
  }
  piece.version = last_change_ + 1;
  catalog::Piece updated = piece;
  return editing::EditResult{.version = Put(std::move(sources)), .piece = std::move(updated)};
}

absl::StatusOr<editing::EditResult> FakeStore::Make(const editing::DeletePiece& edit,
                                                    const matching::RequestContext&) {
  RETURN_IF_ERROR(failure);
  absl::MutexLock lock(&mutex_);
  const std::optional<int> position = collection_->FindPiece(edit.id);
  if (!position.has_value()) return IdUnknown();
  FakeSources sources = collection_->sources();
  RETURN_IF_ERROR(CheckVersion(sources.pieces[*position].version, edit.expected_version));
  editing::EditResult deleted;
  for (size_t i = sources.recordings.size(); i-- > 0;) {
    if (sources.recordings[i].piece_id != edit.id) continue;
    if (!edit.with_recordings) {
      return WithReason(absl::FailedPreconditionError("there are recordings of it"),
                        ErrorReason::kHasRecordings);
    }
    sources.recordings.erase(sources.recordings.begin() + static_cast<std::ptrdiff_t>(i));
    sources.sounds.erase(sources.sounds.begin() + static_cast<std::ptrdiff_t>(i));
    ++deleted.recordings_deleted;
  }
  sources.pieces.erase(sources.pieces.begin() + *position);
  sources.scores.erase(sources.scores.begin() + *position);
  if (static_cast<size_t>(*position) < sources.files.size())
    sources.files.erase(sources.files.begin() + *position);
  deleted.version = Put(std::move(sources));
  return deleted;
}

absl::StatusOr<editing::EditResult> FakeStore::Make(const editing::AddRecording& edit,
                                                    const matching::RequestContext& context) {
  catalog::Recording recording = edit.recording;
  audio::DecodeReport decoding;
  RETURN_IF_ERROR(Read(edit.audio, edit.accept_damaged, recording, decoding));
  RETURN_IF_ERROR(Embed(context));
  absl::MutexLock lock(&mutex_);
  if (collection_->FindRecording(recording.id).has_value()) return IdTaken();
  RETURN_IF_ERROR(CheckPieceOf(recording));
  FakeSources sources = collection_->sources();
  recording.version = last_change_ + 1;
  sources.recordings.push_back(recording);
  sources.sounds.push_back(edit.audio);
  return editing::EditResult{
      .version = Put(std::move(sources)), .recording = recording, .decoding = decoding};
}

absl::StatusOr<editing::EditResult> FakeStore::Make(const editing::UpdateRecording& edit,
                                                    const matching::RequestContext& context) {
  RETURN_IF_ERROR(Embed(context));
  absl::MutexLock lock(&mutex_);
  const std::optional<int> position = collection_->FindRecording(edit.id);
  if (!position.has_value()) return IdUnknown();
  FakeSources sources = collection_->sources();
  catalog::Recording& recording = sources.recordings[*position];
  RETURN_IF_ERROR(CheckVersion(recording.version, edit.expected_version));
  Assign(edit.title, recording.title);
  Assign(edit.composer, recording.composer);
  Assign(edit.collection, recording.collection);
  Assign(edit.piece_id, recording.piece_id);
  RETURN_IF_ERROR(CheckPieceOf(recording));
  audio::DecodeReport decoding;
  if (edit.audio.has_value()) {
    RETURN_IF_ERROR(Read(*edit.audio, edit.accept_damaged, recording, decoding));
    sources.sounds[*position] = *edit.audio;
  }
  recording.version = last_change_ + 1;
  catalog::Recording updated = recording;
  return editing::EditResult{
      .version = Put(std::move(sources)), .recording = std::move(updated), .decoding = decoding};
}

absl::StatusOr<editing::EditResult> FakeStore::Make(const editing::DeleteRecording& edit,
                                                    const matching::RequestContext&) {
  RETURN_IF_ERROR(failure);
  absl::MutexLock lock(&mutex_);
  const std::optional<int> position = collection_->FindRecording(edit.id);
  if (!position.has_value()) return IdUnknown();
  FakeSources sources = collection_->sources();
  RETURN_IF_ERROR(CheckVersion(sources.recordings[*position].version, edit.expected_version));
  sources.recordings.erase(sources.recordings.begin() + *position);
  sources.sounds.erase(sources.sounds.begin() + *position);
  return editing::EditResult{.version = Put(std::move(sources))};
}

absl::StatusOr<CollectionStore::Reloaded> FakeStore::Reload() {
  RETURN_IF_ERROR(Administer());
  absl::MutexLock lock(&mutex_);
  const int64_t before = collection_->manifest().generation;
  collection_ =
      std::make_shared<const FakeCollection>(*collection_, collection_->sources(), before + 1);
  return CollectionStore::Reloaded{before + 1, before, {"gen-000099: not whole"}};
}

absl::StatusOr<CollectionStore::Merged> FakeStore::Merge() {
  RETURN_IF_ERROR(Administer());
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

absl::StatusOr<bundle::Manifest> FakeStore::WriteSnapshot(const std::string& directory) {
  RETURN_IF_ERROR(Administer());
  if (std::filesystem::exists(directory)) return absl::AlreadyExistsError("the snapshot");
  absl::MutexLock lock(&mutex_);
  // It appears whole.
  const std::filesystem::path target(directory);
  const std::string unfinished =
      (target.parent_path() / absl::StrCat(".snapshot-", snapshots_.size())).string();
  ASSIGN_OR_RETURN(const auto writer, bundle::BundleWriter::Create(unfinished));
  RETURN_IF_ERROR(bundle::WriteNewFile(writer->directory(), kContents,
                                       absl::StrFormat("%08d", snapshots_.size())));
  snapshots_.push_back(collection_->sources());
  bundle::Manifest manifest = collection_->manifest();
  manifest.pieces = static_cast<int64_t>(collection_->pieces().size());
  manifest.recordings = static_cast<int64_t>(collection_->recordings().size());
  manifest.last_change = last_change_;
  ASSIGN_OR_RETURN(manifest, writer->Publish(std::move(manifest)));
  std::filesystem::rename(unfinished, target);
  return manifest;
}

absl::StatusOr<bundle::Manifest> FakeStore::Restore(const std::string& directory) {
  RETURN_IF_ERROR(Administer());
  ASSIGN_OR_RETURN(const bundle::OpenedBundle opened, bundle::OpenBundle(directory));
  ASSIGN_OR_RETURN(const Descriptor file, bundle::OpenPlainFile(opened.directory, kContents));
  ASSIGN_OR_RETURN(const std::string contents, bundle::ReadAll(file, 100));
  size_t number = 0;
  absl::MutexLock lock(&mutex_);
  if (!absl::SimpleAtoi(contents, &number) || number >= snapshots_.size())
    return absl::DataLossError("not a snapshot of this store");
  collection_ = std::make_shared<const FakeCollection>(*collection_, snapshots_[number],
                                                       collection_->manifest().generation + 1);
  bundle::Manifest manifest = collection_->manifest();
  manifest.pieces = static_cast<int64_t>(collection_->pieces().size());
  manifest.recordings = static_cast<int64_t>(collection_->recordings().size());
  return manifest;
}

}  // namespace antiphon::server
