#include "trainer/evaluation/suite_options.h"

#include "core/base/check_range.h"
#include "core/base/status_macros.h"
#include "core/matching/request.h"

namespace antiphon::trainer::evaluation {
namespace {

absl::Status CheckAsap(const AsapOptions& options) {
  RETURN_IF_ERROR(CheckRange("performances", options.performances, Range<int>{0, 1'000'000}));
  return CheckRange("render_threads", options.threads, Range<int>{0, 1024});
}

absl::Status CheckTransposition(int semitones) {
  return CheckRange("max_transposition", semitones, Range<int>{0, matching::kMaxTransposition});
}

absl::Status CheckExcerpts(int excerpts) {
  return CheckRange("excerpts", excerpts, Range<int>{1, 1000});
}

}  // namespace

std::vector<NamedModel> ModelsOf(const ModelOptions& options) {
  std::vector<NamedModel> models = {{"this model", options.model, true}};
  if (!options.untrained.empty()) models.push_back({"untrained", options.untrained, false});
  return models;
}

absl::Status SnippetsOptions::Check() const {
  return CheckRange("snippets", snippets, Range<int>{1, 10'000'000});
}

absl::Status PerformancesOptions::Check() const { return CheckAsap(asap); }

absl::Status RecordingsOptions::Check() const {
  RETURN_IF_ERROR(CheckExcerpts(excerpts));
  return CheckTransposition(max_transposition);
}

absl::Status SameRecordingOptions::Check() const {
  RETURN_IF_ERROR(CheckAsap(asap));
  RETURN_IF_ERROR(CheckExcerpts(excerpts));
  return CheckTransposition(max_transposition);
}

absl::Status UnknownOptions::Check() const {
  RETURN_IF_ERROR(CheckAsap(asap));
  for (const int size : sizes) RETURN_IF_ERROR(CheckRange("sizes", size, Range<int>{1, 1'000'000}));
  return CheckTransposition(max_transposition);
}

absl::Status EditionsOptions::Check() const {
  RETURN_IF_ERROR(CheckRange("made_editions", made_editions, Range<int>{0, 10'000}));
  return CheckRange("unknown_pieces", unknown_pieces, Range<int>{1, 10'000});
}

absl::Status TracksOptions::Check() const { return CheckAsap(asap); }

absl::Status EnsembleOptions::Check() const { return CheckExcerpts(excerpts); }

absl::Status ViolinOptions::Check() const { return CheckExcerpts(excerpts); }

absl::Status RenderedOptions::Check() const {
  RETURN_IF_ERROR(CheckRange("works", works, Range<int>{0, 1'000'000}));
  RETURN_IF_ERROR(CheckRange("listed", listed, Range<int>{0, 1'000'000}));
  return CheckExcerpts(excerpts);
}

absl::Status CatalogSizeOptions::Check() const {
  RETURN_IF_ERROR(CheckAsap(asap));
  for (const int size : sizes) RETURN_IF_ERROR(CheckRange("sizes", size, Range<int>{1, 1'000'000}));
  return absl::OkStatus();
}

absl::Status TranscriptionOptions::Check() const {
  RETURN_IF_ERROR(CheckRange("pieces", pieces, Range<int>{0, 1'000'000}));
  return CheckRange("snippets", snippets, Range<int>{2, 10'000'000});
}

absl::Status AlignmentOptions::Check() const {
  RETURN_IF_ERROR(CheckAsap(asap));
  return CheckRange("varied", varied, Range<int>{0, 1000});
}

absl::Status FollowingOptions::Check() const {
  if (part == data::Part::kTrain)
    return absl::InvalidArgumentError("part: there is no train part to follow");
  return CheckAsap(asap);
}

}  // namespace antiphon::trainer::evaluation
