#include "trainer/evaluation/asap_test_bed.h"

#include <cmath>
#include <limits>

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

std::optional<double> PositionError(const AsapTestBed& bed, const Outcome& outcome) {
  const std::optional<BeatMap>& beats = bed.beats[outcome.excerpt.recording];
  if (!beats) return std::nullopt;
  const int own = bed.asap.performances[bed.sample[outcome.excerpt.recording]].score;
  for (const retrieval::Candidate& candidate : outcome.answer.candidates) {
    if (candidate.source != own) continue;
    const std::optional<double> right_s = beats->ScoreAt(outcome.excerpt.start_s + candidate.query_s);
    if (!right_s) return std::nullopt;
    return std::abs(candidate.reference_s - *right_s);
  }
  return std::numeric_limits<double>::infinity();
}

CatalogueOptions CatalogueFor(const SuiteOptions& options, const std::string& model) {
  CatalogueOptions catalogue;
  catalogue.builder.model_directory = model;
  catalogue.builder.encoder = options.encoder;
  catalogue.folder = options.catalogues;
  return catalogue;
}

}  // namespace antiphon::trainer
