// The fine half of an alignment: a map that is right to a second or two, made right to a frame and
// then to the onset. Pure functions; safe from any thread. Internal to core/alignment.
#ifndef ANTIPHON_CORE_ALIGNMENT_FINE_ALIGNMENT_H_
#define ANTIPHON_CORE_ALIGNMENT_FINE_ALIGNMENT_H_

#include <functional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/alignment/alignment_features.h"
#include "core/alignment/warping.h"
#include "core/features/feature_sequence.h"
#include "core/features/settings.h"
#include "core/music/score.h"
#include "core/music/time_map.h"

namespace antiphon::alignment {

// Onsets of the score that are this near are one.
inline constexpr double kTogether_s = 0.02;

// Some of a recording. Times of the sound are relative to its first frame.
struct Sound {
  FrameFeatures features;  // not normalised
  double start_s = 0;      // of the first frame, seconds of the recording
  double frame_rate = 0;

  double duration_s() const { return static_cast<double>(features.frames()) / frame_rate; }
};

// Cuts off what comes before the first onset of some strength, and after the last sound.
enum class TrimEnds { kNone, kStart, kEnd, kBoth };
void Trim(TrimEnds ends, Sound& sound);

// Which ends of the sound may be off by a second or two in the map given.
struct OpenEnds {
  bool start = false;
  bool end = false;
};

struct FineAlignment {
  std::vector<double> onsets_s;  // of the score: the distinct onsets, ascending
  std::vector<double> heard_s;   // of the sound, ascending strictly
  // 0 to 1 for each onset: how much of what begins and sounds from there to the next is what is
  // written.
  std::vector<double> likeness;
  // The same of what is written elsewhere: what music of this key and these instruments has anyway.
  std::vector<double> chance;
};

// `time` maps seconds of the score to seconds of the sound. `check` is asked between the passes; a
// failure ends them. InvalidArgument: InvalidArgument of music::TimeMap::Create.
[[nodiscard]] absl::StatusOr<FineAlignment> AlignFinely(
    const Sound& sound, std::span<const music::Note> notes,
    const features::FeatureSettings& settings, OpenEnds open, const music::TimeMap& time,
    const std::function<absl::Status()>& check = nullptr);

// Notes at the times that `time` maps their own to.
std::vector<TimedNote> Placed(std::span<const music::Note> notes, const music::TimeMap& time);

// A path as a map from seconds of b, whose first frame is at `b_start_s`, to seconds of a: averaged
// over `width_s` around points a quarter of that apart. Both clocks of all points ascend, but the
// last need not.
std::vector<music::TimePoint> SmoothPath(const std::vector<WarpStep>& path, double frame_rate,
                                         double width_s, double b_start_s = 0);

// `time` followed by `correction`: straight between the points of both. A correction that stands
// still, as a path of very few frames may, is none.
[[nodiscard]] absl::StatusOr<music::TimeMap> Corrected(const music::TimeMap& time,
                                                       std::vector<music::TimePoint> correction);

// InvalidArgument: a spectrogram without frames or not of these settings; another front end than
// constant-Q with at least 12 bands an octave. FailedPrecondition: a silent recording.
[[nodiscard]] absl::Status CheckSpectrogram(const features::FeatureSequence& spectrogram,
                                            const features::FeatureSettings& settings);

}  // namespace antiphon::alignment

#endif  // ANTIPHON_CORE_ALIGNMENT_FINE_ALIGNMENT_H_
