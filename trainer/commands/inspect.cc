#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/bundle/bundle.h"
#include "core/encoder/encoder_file.h"
#include "core/encoder/window_encoder.h"
#include "trainer/commands/subcommands.h"

namespace antiphon::trainer::commands {
namespace {

namespace fs = std::filesystem;

absl::Status InspectModel(const std::string& directory) {
  const struct {
    const char* file;
    encoder::Modality modality;
  } halves[] = {{bundle::kAudioEncoderFile, encoder::Modality::kAudio},
                {bundle::kScoreEncoderFile, encoder::Modality::kScore}};
  for (const auto& half : halves) {
    const std::string path = absl::StrCat(directory, "/", half.file);
    ASSIGN_OR_RETURN(const std::unique_ptr<encoder::WindowEncoder> loaded,
                     encoder::LoadEncoder(path, half.modality));
    const encoder::EncoderInfo& info = loaded->info();
    std::printf("%s: model %s, %s, window of %d frames (%.2f s) × %d × %d to %d floats, %.1f MB\n",
                half.file, info.model_id.c_str(),
                std::string(encoder::ModalityName(info.modality)).c_str(),
                info.settings.window_frames, info.settings.window_s(), info.channels, info.bands,
                info.dimension, static_cast<double>(fs::file_size(path)) / 1e6);
    if (half.modality == encoder::Modality::kAudio) {
      std::printf("  features %s\n", features::SettingsToJson(info.settings).c_str());
    }
  }
  return absl::OkStatus();
}

absl::Status InspectBundle(const std::string& root) {
  ASSIGN_OR_RETURN(const bundle::OpenedBundle opened, bundle::OpenBundle(root));
  std::printf("%s\n%s\n", opened.directory.c_str(),
              bundle::ManifestToJson(opened.manifest).c_str());
  for (const std::string& reason : opened.rejected) std::printf("rejected: %s\n", reason.c_str());
  return absl::OkStatus();
}

}  // namespace

void AddInspect(CLI::App& program, absl::Status& outcome) {
  CLI::App* command =
      program.add_subcommand("inspect", "Check a model or a bundle and say what is in it");
  auto directory = std::make_shared<std::string>();
  command->add_option("directory", *directory, "Folder of a model or of a bundle")->required();
  command->callback([directory, &outcome] {
    outcome = fs::exists(absl::StrCat(*directory, "/", bundle::kAudioEncoderFile))
                  ? InspectModel(*directory)
                  : InspectBundle(*directory);
  });
}

}  // namespace antiphon::trainer::commands
