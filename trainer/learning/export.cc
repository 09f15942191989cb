#include "trainer/learning/export.h"

#include <filesystem>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/bundle/manifest.h"
#include "core/encoder/encoder_file.h"
#include "trainer/base/fingerprint.h"

namespace antiphon::trainer::learning {
namespace {

std::string ParameterBytes(const torch::jit::Module& module) {
  std::string bytes;
  for (const auto& parameter : module.named_parameters()) {
    const torch::Tensor value = parameter.value.to(torch::kFloat32).contiguous();
    bytes.append(parameter.name);
    bytes.append(static_cast<const char*>(value.data_ptr()), value.nbytes());
  }
  return bytes;
}

}  // namespace

absl::StatusOr<std::string> ExportModel(const NetworkSpec& spec, const torch::jit::Module& audio,
                                        const torch::jit::Module& score, const std::string& out) {
  NetworkSpec audio_spec = spec, score_spec = spec;
  audio_spec.modality = encoder::Modality::kAudio;
  score_spec.modality = encoder::Modality::kScore;
  try {
    std::filesystem::create_directories(out);
    const torch::jit::Module folded_audio = FoldForExport(audio_spec, audio, torch::kBFloat16);
    const torch::jit::Module folded_score = FoldForExport(score_spec, score, torch::kBFloat16);
    encoder::EncoderInfo info;
    info.model_id = absl::StrCat(
        ArchitectureName(spec.architecture), "-", spec.dimension, "-",
        Sha256(ParameterBytes(folded_audio) + ParameterBytes(folded_score)).substr(0, 12));
    info.dimension = spec.dimension;
    info.settings = spec.settings;
    const auto write = [&](const torch::jit::Module& module, encoder::Modality modality,
                           int channels, int bands, const char* name) {
      info.modality = modality;
      info.channels = channels;
      info.bands = bands;
      const std::string path = absl::StrCat(out, "/", name);
      module.save(path + ".part", {{encoder::kEncoderInfoName, encoder::EncoderInfoToJson(info)}});
      std::filesystem::rename(path + ".part", path);
    };
    write(folded_audio, encoder::Modality::kAudio, 1, spec.settings.bands,
          bundle::kAudioEncoderFile);
    write(folded_score, encoder::Modality::kScore, 2, spec.settings.pitches,
          bundle::kScoreEncoderFile);
    return info.model_id;
  } catch (const std::exception& error) {
    return absl::InternalError(
        absl::StrCat("cannot export the model to ", out, ": ", error.what()));
  }
}

}  // namespace antiphon::trainer::learning
