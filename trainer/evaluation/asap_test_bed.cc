#include "trainer/evaluation/asap_test_bed.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/music/midi_file.h"
#include "trainer/base/fingerprint.h"
#include "trainer/metrics/repeats.h"

namespace antiphon::trainer {

absl::StatusOr<AsapTestBed> MakeAsapTestBed(const SuiteOptions& options, Progress& progress) {
  absl::StatusOr<Asap> asap = ReadAsap(options.asap);
  if (!asap.ok()) return asap.status();
  AsapTestBed bed;
  bed.asap = *std::move(asap);
  for (const AsapScore& score : bed.asap.scores) {
    absl::StatusOr<std::string> midi = ReadWholeFile(score.midi_path);
    if (!midi.ok()) return midi.status();
    bed.entries.push_back({score.id, score.title, score.composer, *std::move(midi)});
  }
  bed.sample = SamplePerformances(bed.asap, options.performances, options.seed);
  const RenditionCache cache(
      {options.test_set.cache, options.test_set.soundfont, options.test_set.sample_rate});
  const auto paths =
      RenderPerformances(bed.asap, bed.sample, cache, options.render_threads, progress);
  if (!paths.ok()) return paths.status();
  for (size_t i = 0; i < bed.sample.size(); ++i) {
    const AsapPerformance& performance = bed.asap.performances[bed.sample[i]];
    bed.recordings.push_back({performance.id, (*paths)[i], bed.asap.work_of(performance)});
    absl::StatusOr<BeatMap> beats = ReadBeatMap(bed.asap, performance);
    // Annotations without counterparts are part of the data; files that cannot be read are not.
    if (!beats.ok() && !absl::IsFailedPrecondition(beats.status())) return beats.status();
    bed.beats.push_back(beats.ok() ? std::optional<BeatMap>(*std::move(beats)) : std::nullopt);
  }
  return bed;
}

namespace {

int OwnScore(const AsapTestBed& bed, const Outcome& outcome) {
  return bed.asap.performances[bed.sample[outcome.excerpt.recording]].score;
}

// The best candidate that is the performance's own score; null where there is none.
const matching::Candidate* OwnCandidate(const AsapTestBed& bed, const Outcome& outcome) {
  for (const matching::Candidate& candidate : outcome.answer.candidates) {
    if (candidate.source == OwnScore(bed, outcome)) return &candidate;
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<std::optional<PlaceVerdict>> JudgePlace(const AsapTestBed& bed,
                                                       const Outcome& outcome) {
  const std::optional<BeatMap>& beats = bed.beats[outcome.excerpt.recording];
  if (!beats) return std::nullopt;
  PlaceVerdict verdict;
  const matching::Candidate* const own = OwnCandidate(bed, outcome);
  if (own == nullptr) {
    verdict.error_s = std::numeric_limits<double>::infinity();
    return verdict;
  }
  const std::optional<double> right_s =
      beats->ScoreAt(outcome.excerpt.start_s + own->place.query_s);
  if (!right_s) return std::nullopt;
  verdict.error_s = std::abs(own->place.reference_s - *right_s);
  const absl::StatusOr<music::Score> score =
      music::ReadMidi(bed.entries[OwnScore(bed, outcome)].midi);
  if (!score.ok()) return score.status();
  const double before_s =
      own->place.query_s * own->match.slope;  // from the excerpt's beginning, in the score's time
  const std::vector<double> repeats =
      RepeatsOf(score->notes, *right_s - before_s, outcome.excerpt.length_s * own->match.slope,
                kPositionTolerance_s);
  verdict.repeats = static_cast<int>(repeats.size());
  verdict.at_repeat =
      !verdict.right() && std::any_of(repeats.begin(), repeats.end(), [&](double start_s) {
        return std::abs(start_s + before_s - own->place.reference_s) <= kPositionTolerance_s;
      });
  return verdict;
}

ReferenceCollectionOptions ReferenceCollectionFor(const SuiteOptions& options,
                                                  const std::string& model) {
  ReferenceCollectionOptions catalogue;
  catalogue.builder.model_directory = model;
  catalogue.builder.encoder = options.encoder;
  catalogue.folder = options.reference_collections;
  return catalogue;
}

}  // namespace antiphon::trainer
