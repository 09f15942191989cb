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

void WriteTestModel(const std::string& folder, const encoder::EncoderInfo& info) {
  encoder::EncoderInfo half = info;
  half.bands = info.settings.pitches;
  half.dimension = kParts * half.bands;
  for (const auto modality : {encoder::Modality::kAudio, encoder::Modality::kScore}) {
    const bool audio = modality == encoder::Modality::kAudio;
    half.modality = modality;
    half.channels = audio ? 1 : 2;
    torch::jit::Module module("TestModel");
    module.define(audio ? kAudioActivity : kScoreActivity);
    module.define(kForward);
    module.eval();
    module.save(folder + "/" + (audio ? bundle::kAudioEncoderFile : bundle::kScoreEncoderFile),
                {{encoder::kEncoderInfoName, encoder::EncoderInfoToJson(half)}});
  }
}

}  // namespace antiphon::testing
