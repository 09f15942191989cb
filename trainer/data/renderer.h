// Renders performances, keeping the soundfonts that it has opened. One renderer belongs to one
// thread.
#ifndef ANTIPHON_TRAINER_DATA_RENDERER_H_
#define ANTIPHON_TRAINER_DATA_RENDERER_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/audio/synthesizer.h"
#include "core/music/score.h"
#include "trainer/data/performance.h"

namespace antiphon::trainer::data {

class Renderer {
 public:
  explicit Renderer(int sample_rate) : sample_rate_(sample_rate) {}

  // The score performed as the variation says, on the instruments that it says. A program that the
  // soundfont lacks is replaced by its program 0. Fails as Synthesizer does.
  [[nodiscard]] absl::StatusOr<audio::Waveform> Render(const music::Score& score,
                                                       const VariationOptions& options,
                                                       const Variation& variation);

  // The same of what is performed already.
  [[nodiscard]] absl::StatusOr<audio::Waveform> Render(const Performance& performance,
                                                       const Variation& variation);

  // The same of notes alone: all on the variation's program, since they have no parts.
  [[nodiscard]] absl::StatusOr<audio::Waveform> Render(const std::vector<music::Note>& played,
                                                       const Variation& variation);

 private:
  absl::StatusOr<audio::Synthesizer*> SynthesizerFor(const Variation& variation);

  const int sample_rate_;  // Hz
  std::map<std::pair<std::string, bool>, std::unique_ptr<audio::Synthesizer>>
      synthesizers_;  // by soundfont and reverb
};

// Seconds until the last note has ended. A file's own end may lie minutes later.
double MusicEnd(const music::Score& score);

}  // namespace antiphon::trainer::data

#endif  // ANTIPHON_TRAINER_DATA_RENDERER_H_
