#include "trainer/evaluation/asap_test_bed.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/music/midi_file.h"
#include "trainer/evaluation/note_match.h"
#include "trainer/fingerprint.h"

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
  const RenditionCache cache({options.test_set.cache, options.test_set.soundfont, options.test_set.sample_rate});
  const auto paths = RenderPerformances(bed.asap, bed.sample, cache, options.render_threads, progress);
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
const retrieval::Candidate* OwnCandidate(const AsapTestBed& bed, const Outcome& outcome) {
  for (const retrieval::Candidate& candidate : outcome.answer.candidates) {
    if (candidate.source == OwnScore(bed, outcome)) return &candidate;
  }
  return nullptr;
}

// Where in the score the candidate's place of the query is; nothing where the beats do not say.
std::optional<double> RightPlace(const AsapTestBed& bed, const Outcome& outcome, double query_s) {
  const std::optional<BeatMap>& beats = bed.beats[outcome.excerpt.recording];
  return beats ? beats->ScoreAt(outcome.excerpt.start_s + query_s) : std::nullopt;
}

}  // namespace

std::optional<double> PositionError(const AsapTestBed& bed, const Outcome& outcome) {
  if (!bed.beats[outcome.excerpt.recording]) return std::nullopt;
  const retrieval::Candidate* const own = OwnCandidate(bed, outcome);
  if (own == nullptr) return std::numeric_limits<double>::infinity();
  const std::optional<double> right_s = RightPlace(bed, outcome, own->query_s);
  if (!right_s) return std::nullopt;
  return std::abs(own->reference_s - *right_s);
}

absl::StatusOr<std::optional<bool>> IsAtRepeat(const AsapTestBed& bed, const Outcome& outcome) {
  constexpr double kSame = 0.9, kTolerance_s = 0.05;
  const retrieval::Candidate* const own = OwnCandidate(bed, outcome);
  if (own == nullptr) return std::nullopt;
  const std::optional<double> right_s = RightPlace(bed, outcome, own->query_s);
  if (!right_s) return std::nullopt;
  const absl::StatusOr<music::Score> score = music::ReadMidi(bed.entries[OwnScore(bed, outcome)].midi);
  if (!score.ok()) return score.status();
  const double before_s = own->query_s * own->tempo_ratio;
  const double length_s = outcome.excerpt.length_s * own->tempo_ratio;
  const auto around = [&](double place_s) { return OnsetsWithin(score->notes, place_s - before_s, length_s); };
  const std::vector<Onset> right = around(*right_s);
  double best = 0;
  for (double aside_s = -kPositionTolerance_s; aside_s <= kPositionTolerance_s; aside_s += kTolerance_s) {
    best = std::max(best, MatchOnsets(right, around(own->reference_s + aside_s), kTolerance_s).f1());
  }
  return best >= kSame;
}

CatalogueOptions CatalogueFor(const SuiteOptions& options, const std::string& model) {
  CatalogueOptions catalogue;
  catalogue.builder.model_directory = model;
  catalogue.builder.encoder = options.encoder;
  catalogue.folder = options.catalogues;
  return catalogue;
}

}  // namespace antiphon::trainer
