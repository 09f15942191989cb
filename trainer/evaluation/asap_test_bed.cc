#include "trainer/evaluation/asap_test_bed.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/status_macros.h"
#include "core/scores/read_score.h"
#include "trainer/base/fingerprint.h"
#include "trainer/evaluation/suites.h"
#include "trainer/metrics/repeats.h"

namespace antiphon::trainer::evaluation {

absl::StatusOr<AsapTestBed> MakeAsapTestBed(const AsapOptions& options, uint64_t seed,
                                            Progress& progress) {
  AsapTestBed bed;
  ASSIGN_OR_RETURN(bed.asap, datasets::ReadAsap(options.folder));
  for (const datasets::AsapScore& score : bed.asap.scores) {
    ASSIGN_OR_RETURN(std::string midi, ReadWholeFile(score.midi_path));
    bed.entries.push_back({score.id, score.title, score.composer, std::move(midi)});
  }
  bed.sample = datasets::SamplePerformances(bed.asap, options.performances, seed);
  ASSIGN_OR_RETURN(const std::vector<std::string> paths,
                   datasets::RenderPerformances(bed.asap, bed.sample,
                                                datasets::RenditionCache(options.renditions),
                                                options.threads, progress));
  for (size_t i = 0; i < bed.sample.size(); ++i) {
    const datasets::AsapPerformance& performance = bed.asap.performances[bed.sample[i]];
    bed.recordings.push_back({performance.id, paths[i], bed.asap.work_of(performance)});
    ASSIGN_OR_RETURN(std::optional<datasets::BeatMap> beats,
                     datasets::ReadBeatMap(bed.asap, performance));
    bed.beats.push_back(std::move(beats));
  }
  return bed;
}

std::vector<datasets::TestRecording> AsapTestBed::AskedAbout(bool measured) const {
  constexpr size_t kUntrained = 40;
  std::vector<datasets::TestRecording> asked = recordings;
  if (!measured && asked.size() > kUntrained) asked.resize(kUntrained);
  return asked;
}

absl::Status RenderAsap(const AsapOptions& options, uint64_t seed, Progress& progress) {
  ASSIGN_OR_RETURN(const datasets::Asap asap, datasets::ReadAsap(options.folder));
  const std::vector<int> sample = datasets::SamplePerformances(asap, options.performances, seed);
  return datasets::RenderPerformances(asap, sample, datasets::RenditionCache(options.renditions),
                                      options.threads, progress)
      .status();
}

namespace {

int OwnScore(const AsapTestBed& bed, const datasets::Outcome& outcome) {
  return bed.asap.performances[bed.sample[outcome.excerpt.recording]].score;
}

// The best candidate that is the performance's own score; null where there is none.
const matching::Candidate* OwnCandidate(const AsapTestBed& bed, const datasets::Outcome& outcome) {
  for (const matching::Candidate& candidate : outcome.answer.candidates) {
    if (candidate.source == OwnScore(bed, outcome)) return &candidate;
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<std::optional<PlaceVerdict>> JudgePlace(const AsapTestBed& bed,
                                                       const datasets::Outcome& outcome) {
  const std::optional<datasets::BeatMap>& beats = bed.beats[outcome.excerpt.recording];
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
  ASSIGN_OR_RETURN(const music::Score score,
                   notation::ReadScore(bed.entries[OwnScore(bed, outcome)].midi));
  const double before_s =
      own->place.query_s * own->match.slope;  // from the excerpt's beginning, in the score's time
  const std::vector<double> repeats =
      metrics::RepeatsOf(score.notes, *right_s - before_s,
                         outcome.excerpt.length_s * own->match.slope, kPositionTolerance_s);
  verdict.repeats = static_cast<int>(repeats.size());
  verdict.at_repeat =
      !verdict.right() && std::any_of(repeats.begin(), repeats.end(), [&](double start_s) {
        return std::abs(start_s + before_s - own->place.reference_s) <= kPositionTolerance_s;
      });
  return verdict;
}

}  // namespace antiphon::trainer::evaluation
