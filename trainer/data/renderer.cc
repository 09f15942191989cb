#include "trainer/data/renderer.h"

#include <algorithm>

#include "core/base/status_macros.h"
#include "trainer/data/recording_chain.h"

namespace antiphon::trainer::data {

absl::StatusOr<audio::Synthesizer*> Renderer::SynthesizerFor(const Variation& variation) {
  std::unique_ptr<audio::Synthesizer>& synthesizer =
      synthesizers_[{variation.soundfont, variation.reverb}];
  if (synthesizer == nullptr) {
    audio::SynthesizerOptions synthesis;
    synthesis.soundfont = variation.soundfont;
    synthesis.sample_rate = sample_rate_;
    synthesis.reverb = variation.reverb;
    ASSIGN_OR_RETURN(std::unique_ptr<audio::Synthesizer> opened,
                     audio::Synthesizer::Open(synthesis));
    synthesizer = std::move(opened);
  }
  return synthesizer.get();
}

absl::StatusOr<audio::Waveform> Renderer::Render(const music::Score& score,
                                                 const VariationOptions& options,
                                                 const Variation& variation) {
  return Render(Perform(score, options, variation), variation);
}

absl::StatusOr<audio::Waveform> Renderer::Render(const std::vector<music::Note>& played,
                                                 const Variation& variation) {
  return Render(Performance{played, {}, {}}, variation);
}

absl::StatusOr<audio::Waveform> Renderer::Render(const Performance& performance,
                                                 const Variation& variation) {
  ASSIGN_OR_RETURN(audio::Synthesizer* const synthesizer, SynthesizerFor(variation));
  music::Score played;
  played.notes = performance.notes;
  if (variation.own_instruments) played.parts = performance.parts;
  absl::StatusOr<audio::Waveform> audio = synthesizer->RenderScore(played, variation.render);
  if (!audio.ok()) {
    audio::RenderOptions grand_piano = variation.render;
    grand_piano.program = 0;
    for (music::Part& part : played.parts) part.program = 0;
    audio = synthesizer->RenderScore(played, grand_piano);
  }
  if (audio.ok() && variation.recording_seed != 0) {
    return ApplyRecordingChain(*audio, DrawRecordingChain(variation.recording_seed));
  }
  return audio;
}

double MusicEnd(const music::Score& score) {
  double end_s = 0;
  for (const music::Note& note : score.notes) end_s = std::max(end_s, note.sounding_offset_s);
  return end_s;
}

}  // namespace antiphon::trainer::data
