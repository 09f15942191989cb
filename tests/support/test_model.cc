#include "tests/support/test_model.h"

#include <torch/script.h>

#include "core/bundle/manifest.h"
#include "core/encoder/encoder_file.h"

namespace antiphon::testing {
namespace {

constexpr int kParts = 6;

// How much each pitch sounds, [n, window_frames, pitches], of the two modalities.
constexpr char kAudioActivity[] = R"(
def activity(self, cells: Tensor) -> Tensor:
    levels = cells[:, :, 0].float()
    floor = torch.clamp(torch.amax(levels, -1, True) - 20.0, min=60.0)
    weight = torch.clamp((levels - floor) / 20.0, min=0.0)
    return weight * weight
)";
constexpr char kScoreActivity[] = R"(
def activity(self, cells: Tensor) -> Tensor:
    return cells[:, :, 1].float()
)";
constexpr char kForward[] = R"(
def forward(self, cells: Tensor) -> Tensor:
    active = self.activity(cells)
    octaves = active.view(active.size(0), 6, active.size(1) // 6, active.size(2))
    parts = octaves.sum(2).flatten(1) + 0.001
    return parts / torch.sqrt((parts * parts).sum(1, True))
)";

}  // namespace

void WriteEncoder(const std::string& path, const encoder::EncoderInfo& info,
                  const std::string& script) {
  torch::jit::Module module("TestModel");
  module.define(script);
  module.eval();
  module.save(path, {{encoder::kEncoderInfoName, encoder::EncoderInfoToJson(info)}});
}

void WriteTestModel(const std::string& folder, const encoder::EncoderInfo& info) {
  encoder::EncoderInfo half = info;
  half.bands = info.settings.pitches;
  half.dimension = kParts * half.bands;
  for (const auto modality : {encoder::Modality::kAudio, encoder::Modality::kScore}) {
    const bool audio = modality == encoder::Modality::kAudio;
    half.modality = modality;
    half.channels = audio ? 1 : 2;
    WriteEncoder(folder + "/" + (audio ? bundle::kAudioEncoderFile : bundle::kScoreEncoderFile),
                 half, std::string(audio ? kAudioActivity : kScoreActivity) + kForward);
  }
}

}  // namespace antiphon::testing
