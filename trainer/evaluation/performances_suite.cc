#include "absl/strings/str_cat.h"
#include "trainer/evaluation/asap.h"
#include "trainer/evaluation/suites.h"

namespace antiphon::trainer {

absl::Status RenderAsap(const SuiteOptions& options, Progress& progress) {
  const absl::StatusOr<Asap> asap = ReadAsap(options.asap);
  if (!asap.ok()) return asap.status();
  const RenditionCache cache({options.test_set.cache, options.test_set.soundfont, options.test_set.sample_rate});
  return RenderPerformances(*asap, SamplePerformances(*asap, options.performances, options.seed), cache,
                            options.render_threads, progress)
      .status();
}

}  // namespace antiphon::trainer
