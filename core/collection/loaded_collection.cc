#include "core/collection/loaded_collection.h"

#include <cstdint>
#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/base/status_macros.h"
#include "core/bundle/bundle.h"
#include "core/bundle/files.h"

namespace antiphon::collection {
namespace {

using catalog::Side;
using encoder::WindowEncoder;

constexpr size_t kMaxConfidenceBytes = 64 << 10;
constexpr size_t kMaxBackgroundBytes = 256 << 20;

absl::Status Mismatch(const char* what, const std::string& one, const std::string& other) {
  return absl::DataLossError(
      absl::StrCat("the bundle's parts do not belong together: ", what, ": ", one, " and ", other));
}

absl::Status CheckCount(const char* what, int64_t one, int64_t other) {
  return one == other ? absl::OkStatus() : Mismatch(what, absl::StrCat(one), absl::StrCat(other));
}

absl::Status CheckEncoders(const LoadedCollection& loaded) {
  const encoder::EncoderInfo& audio = loaded.audio_encoder->info();
  const encoder::EncoderInfo& score = loaded.score_encoder->info();
  if (audio.modality != encoder::Modality::kAudio || score.modality != encoder::Modality::kScore) {
    return absl::DataLossError(
        "the bundle's parts do not belong together: an encoder is of the wrong modality");
  }
  if (audio.model_id != score.model_id) {
    return Mismatch("model ids of the audio and the score encoder", audio.model_id, score.model_id);
  }
  if (audio.model_id != loaded.manifest.model_id) {
    return Mismatch("model ids of the encoders and the manifest", audio.model_id,
                    loaded.manifest.model_id);
  }
  if (!(audio.settings == score.settings)) {
    return Mismatch("feature settings of the two encoders",
                    features::SettingsToJson(audio.settings),
                    features::SettingsToJson(score.settings));
  }
  const auto damaged = [](const absl::Status& failure) {
    return absl::DataLossError(
        absl::StrCat("the manifest's feature settings: ", failure.message()));
  };
  ASSIGN_OR_RETURN(const features::FeatureSettings settings,
                   MapError(features::ParseSettings(loaded.manifest.feature_settings), damaged));
  if (!(settings == audio.settings)) {
    return Mismatch("feature settings of the encoders and the manifest",
                    features::SettingsToJson(audio.settings), loaded.manifest.feature_settings);
  }
  RETURN_IF_ERROR(CheckCount("dimensions of the two encoders", audio.dimension, score.dimension));
  return CheckCount("dimensions of the encoders and the manifest", audio.dimension,
                    loaded.manifest.dimension);
}

absl::Status CheckSide(const LoadedCollection& loaded, Side side) {
  const bool scores = side == Side::kScores;
  const index::VectorIndex& index = loaded.view->base_index(side);
  const catalog::Catalog& catalog = loaded.view->base_catalog();
  const int64_t vectors = catalog.vector_count(side);
  const auto sources =
      static_cast<int64_t>(scores ? catalog.pieces().size() : catalog.recordings().size());
  RETURN_IF_ERROR(CheckCount(scores ? "dimensions of score index and encoders"
                                    : "dimensions of recording index and encoders",
                             index.dimension(), loaded.audio_encoder->info().dimension));
  RETURN_IF_ERROR(CheckCount(
      scores ? "vectors in score index and catalogue" : "vectors in recording index and catalogue",
      index.size(), vectors));
  RETURN_IF_ERROR(CheckCount(
      scores ? "score vectors in catalogue and manifest"
             : "recording vectors in catalogue and manifest",
      vectors, scores ? loaded.manifest.score_vectors : loaded.manifest.recording_vectors));
  return CheckCount(
      scores ? "pieces in catalogue and manifest" : "recordings in catalogue and manifest", sources,
      scores ? loaded.manifest.pieces : loaded.manifest.recordings);
}

// The first use of an encoder costs more than those to come; it is paid before anybody waits for an
// answer.
absl::Status WarmUp(const WindowEncoder& encoder) {
  const encoder::EncoderInfo& info = encoder.info();
  const std::vector<uint8_t> window(static_cast<size_t>(info.settings.window_frames) *
                                    info.channels * info.bands);
  return encoder.Encode(window).status();
}

absl::StatusOr<std::unique_ptr<WindowEncoder>> OpenEncoder(const std::string& path,
                                                           encoder::Modality modality,
                                                           const CollectionOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<WindowEncoder> encoder,
                   encoder::LoadEncoder(path, modality, options.encoder));
  return options.wrap_encoder ? options.wrap_encoder(std::move(encoder)) : std::move(encoder);
}

// The two encoders' files have the same contents in both manifests.
bool HaveSameEncoders(const bundle::Manifest& one, const bundle::Manifest& other) {
  for (const char* name : {bundle::kAudioEncoderFile, bundle::kScoreEncoderFile}) {
    const bundle::FileEntry* first = bundle::FindFile(one, name);
    const bundle::FileEntry* second = bundle::FindFile(other, name);
    if (first == nullptr || second == nullptr || first->sha256 != second->sha256) return false;
  }
  return true;
}

absl::Status OpenEncoders(const bundle::OpenedBundle& generation, const CollectionOptions& options,
                          const LoadedCollection* other, LoadedCollection& loaded) {
  if (other != nullptr && HaveSameEncoders(generation.manifest, other->manifest)) {
    loaded.audio_encoder = other->audio_encoder;
    loaded.score_encoder = other->score_encoder;
    return absl::OkStatus();
  }
  const std::string folder = generation.directory + "/";
  ASSIGN_OR_RETURN(loaded.audio_encoder, OpenEncoder(folder + bundle::kAudioEncoderFile,
                                                     encoder::Modality::kAudio, options));
  ASSIGN_OR_RETURN(loaded.score_encoder, OpenEncoder(folder + bundle::kScoreEncoderFile,
                                                     encoder::Modality::kScore, options));
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const CollectionView>> OpenContents(const std::string& folder,
                                                                   int dimension,
                                                                   index::IndexOptions options) {
  options.dimension = dimension;
  ASSIGN_OR_RETURN(auto score_index,
                   index::VectorIndex::Load(folder + bundle::kScoreIndexFile, options));
  ASSIGN_OR_RETURN(auto recording_index,
                   index::VectorIndex::Load(folder + bundle::kRecordingIndexFile, options));
  ASSIGN_OR_RETURN(auto catalog, catalog::Catalog::Open(folder + bundle::kCatalogFile));
  return CollectionView::FromBase(std::move(catalog), std::move(score_index),
                                  std::move(recording_index));
}

// Why a generation in `folder` cannot be opened. Remote clients read the message, so it does not
// name the folder. A file that is missing is damage: NotFound is kept for a bundle that holds no
// generation at all.
auto Unusable(const std::string& folder) {
  return [&folder](const absl::Status& failure) {
    const absl::StatusCode code =
        absl::IsNotFound(failure) ? absl::StatusCode::kDataLoss : failure.code();
    return absl::Status(code, absl::StrReplaceAll(failure.message(), {{folder, ""}}));
  };
}

// The default where the model came with none.
absl::StatusOr<matching::ConfidenceModel> ReadConfidence(const std::string& folder) {
  const absl::StatusOr<Descriptor> file = bundle::OpenPlainFile(folder, bundle::kConfidenceFile);
  if (absl::IsNotFound(file.status())) return matching::ConfidenceModel();
  RETURN_IF_ERROR(file.status());
  ASSIGN_OR_RETURN(const std::string json, bundle::ReadAll(*file, kMaxConfidenceBytes));
  return matching::ParseConfidence(json);
}

// Null where the model came with none.
absl::StatusOr<std::shared_ptr<const Background>> ReadBackground(const std::string& folder) {
  const absl::StatusOr<Descriptor> file = bundle::OpenPlainFile(folder, bundle::kBackgroundFile);
  if (absl::IsNotFound(file.status())) return nullptr;
  RETURN_IF_ERROR(file.status());
  ASSIGN_OR_RETURN(const std::string bytes, bundle::ReadAll(*file, kMaxBackgroundBytes));
  return Background::Parse(bytes);
}

absl::Status CheckBackground(const LoadedCollection& loaded) {
  if (loaded.background == nullptr) return absl::OkStatus();
  if (loaded.background->model_id() != loaded.manifest.model_id) {
    return Mismatch("model ids of the background and the manifest", loaded.background->model_id(),
                    loaded.manifest.model_id);
  }
  return CheckCount("dimensions of the background and the manifest", loaded.background->dimension(),
                    loaded.manifest.dimension);
}

}  // namespace

absl::Status CheckParts(const LoadedCollection& loaded) {
  RETURN_IF_ERROR(CheckEncoders(loaded));
  RETURN_IF_ERROR(CheckBackground(loaded));
  RETURN_IF_ERROR(CheckSide(loaded, Side::kScores));
  return CheckSide(loaded, Side::kRecordings);
}

absl::Status ReadJudgement(const std::string& folder, LoadedCollection& loaded) {
  ASSIGN_OR_RETURN(loaded.confidence, ReadConfidence(folder));
  ASSIGN_OR_RETURN(loaded.background, ReadBackground(folder));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<LoadedCollection>> OpenGeneration(
    const bundle::OpenedBundle& generation, const CollectionOptions& options,
    const LoadedCollection* other) {
  auto loaded = std::make_unique<LoadedCollection>();
  loaded->manifest = generation.manifest;
  loaded->rejected_generations = generation.rejected;
  loaded->scores = options.scores;
  const std::string folder = generation.directory + "/";
  RETURN_IF_ERROR(MapError(OpenEncoders(generation, options, other, *loaded), Unusable(folder)));
  ASSIGN_OR_RETURN(
      loaded->view,
      MapError(OpenContents(folder, loaded->manifest.dimension, options.index), Unusable(folder)));
  RETURN_IF_ERROR(ReadJudgement(generation.directory, *loaded));

  RETURN_IF_ERROR(CheckParts(*loaded));
  ASSIGN_OR_RETURN(loaded->front_end, features::AudioFrontEnd::Create(loaded->settings()));
  RETURN_IF_ERROR(WarmUp(*loaded->audio_encoder));
  RETURN_IF_ERROR(WarmUp(*loaded->score_encoder));
  return loaded;
}

absl::StatusOr<OpenedCollection> OpenCollection(const std::string& bundle_root,
                                                const CollectionOptions& options) {
  absl::StatusOr<std::unique_ptr<LoadedCollection>> loaded;
  const auto open = [&](const bundle::OpenedBundle& unchecked) {
    loaded = nullptr;  // of a generation that was refused: its memory is needed
    try {
      loaded = OpenGeneration(unchecked, options);
    } catch (const std::exception& error) {
      loaded = absl::ResourceExhaustedError(absl::StrCat("bundle: ", error.what()));
    }
  };
  ASSIGN_OR_RETURN(bundle::OpenedBundle opened, bundle::OpenBundle(bundle_root, open));
  RETURN_IF_ERROR(loaded.status());
  return OpenedCollection{std::move(opened), *std::move(loaded)};
}

}  // namespace antiphon::collection
