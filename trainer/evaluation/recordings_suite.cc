#include <algorithm>
#include <chrono>
#include <map>

#include "absl/strings/str_cat.h"
#include "trainer/evaluation/asap_test_bed.h"
#include "trainer/evaluation/maps.h"
#include "trainer/evaluation/suites.h"

namespace antiphon::trainer {
namespace {

using retrieval::VoteMethod;

const std::vector<double> kLengths = {2, 5, 10, 20, 30, 0};  // seconds; 0 is the whole
constexpr int kExcerptsPerLength = 10;

ReportRow Row(std::string name, std::span<const Outcome> outcomes) {
  ReportRow row{std::move(name), {}};
  for (const double length_s : kLengths) row.figures.push_back(AccuracyAt(outcomes, length_s).at_1());
  for (const double length_s : kLengths) row.figures.push_back(AccuracyAt(outcomes, length_s).at_5());
  return row;
}

ReportTable EmptyTable(std::string title) {
  ReportTable table{std::move(title), {}, {}};
  for (const double length_s : kLengths) table.columns.push_back(LengthName(length_s));
  for (const double length_s : kLengths) table.columns.push_back(absl::StrCat("5|", LengthName(length_s)));
  return table;
}

// Asks under every method that the table wants, and under the degradations with the default one.
class Asking {
 public:
  Asking(const SuiteOptions& options, const MapsTestBed& bed, Progress& progress)
      : options_(options), bed_(bed), progress_(progress) {}

  absl::StatusOr<ReportRow> Ask(std::string name, const retrieval::Collection& collection, VoteMethod method,
                                const Treatment& treatment) const {
    retrieval::IdentifyOptions identify;
    identify.top_k = kCandidates;
    identify.method = method;
    const ExcerptPlan plan = {{2, 5, 10, 20, 30}, kExcerptsPerLength, true, options_.seed};
    const auto outcomes = AskExcerpts(
        bed_.recordings, plan, collection, identify, [](int source) { return source; }, treatment, progress_);
    if (!outcomes.ok()) return outcomes.status();
    return Row(std::move(name), *outcomes);
  }

 private:
  const SuiteOptions& options_;
  const MapsTestBed& bed_;
  Progress& progress_;
};

}  // namespace

absl::StatusOr<Report> EvaluateRecordings(const SuiteOptions& options, Progress& progress) {
  const auto started = std::chrono::steady_clock::now();
  const absl::StatusOr<MapsTestBed> bed = MakeMapsTestBed(options.recordings, options.test_set.midi_dir);
  if (!bed.ok()) return bed.status();
  Report report{"recordings", {}, {}};
  report.tables.push_back(EmptyTable(absl::StrCat("piece first, of ", bed->entries.size())));
  const Asking asking(options, *bed, progress);
  for (const auto& [name, model] : {std::pair<std::string, std::string>("this model", options.model),
                                    std::pair<std::string, std::string>("untrained", options.untrained)}) {
    if (model.empty()) continue;
    const auto collection = OpenCatalogue(bed->entries, CatalogueFor(options, model), progress);
    if (!collection.ok()) return collection.status();
    for (const auto& [method, label] :
         {std::pair(VoteMethod::kInTime, ", vote in time"), std::pair(VoteMethod::kPlain, ", plain vote")}) {
      absl::StatusOr<ReportRow> row = asking.Ask(name + label, **collection, method, {});
      if (!row.ok()) return row.status();
      report.tables[0].rows.push_back(*std::move(row));
    }
    if (model != options.model) continue;
    report.settings["model"] = (*collection)->manifest().model_id;
  }
  ReportRow random{"random", {}};
  for (size_t i = 0; i < 2 * kLengths.size(); ++i) {
    random.figures.push_back((i < kLengths.size() ? 1.0 : 5.0) / static_cast<double>(bed->entries.size()));
  }
  report.tables[0].rows.push_back(std::move(random));
  report.settings["recordings"] = absl::StrCat(bed->recordings.size());
  report.settings["excerpts"] = absl::StrCat(kExcerptsPerLength, " per recording and length; 5| is among the first 5");
  report.settings["seed"] = absl::StrCat(options.seed);
  NoteSeconds(started, report);
  return report;
}

}  // namespace antiphon::trainer
