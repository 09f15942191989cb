#include "trainer/evaluation/answer_tally.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trainer/datasets/excerpts.h"

namespace antiphon::trainer::evaluation {

JudgedAnswer Judge(const matching::Identification& answer, const std::set<int>& right) {
  constexpr int kRight = -1;  // all that are right are one work
  JudgedAnswer judged;
  judged.rank = datasets::RankOfWork(
      answer.candidates, [&right](int source) { return right.contains(source) ? kRight : source; },
      kRight);
  judged.match = answer.verdict == matching::Verdict::kMatch;
  return judged;
}

void AnswerTally::Add(const std::string& group, double wanted_s, const JudgedAnswer& answer) {
  if (std::find(groups_.begin(), groups_.end(), group) == groups_.end()) groups_.push_back(group);
  const bool first = answer.rank == 1, or_same = first || answer.same_music;
  // The whole is the longest.
  const double key = wanted_s > 0 ? wanted_s : std::numeric_limits<double>::infinity();
  Counts& counts = counts_[group][key];
  ++counts.queries;
  counts.first += first;
  counts.in_5 += answer.rank >= 1 && answer.rank <= 5;
  counts.named += answer.match && first;
  counts.misnamed += answer.match && !or_same;
  counts.or_same += or_same;
  counts.unique += answer.unique.value_or(false);
}

metrics::ReportRow AnswerTally::Row(std::string name, const Counts& counts) const {
  const auto share = [&counts](int of) { return static_cast<double>(of) / counts.queries; };
  metrics::ReportRow row{
      std::move(name),
      {share(counts.first), share(counts.in_5), share(counts.named), share(counts.misnamed)}};
  if (columns_.same_music) row.figures.push_back(share(counts.or_same));
  if (columns_.unique) row.figures.push_back(share(counts.unique));
  row.figures.push_back(counts.queries);
  return row;
}

void AnswerTally::AddRows(const std::string& name, metrics::ReportTable& table) const {
  for (const std::string& group : groups_) {
    for (const auto& [length_s, counts] : counts_.at(group)) {
      const double wanted_s = length_s < std::numeric_limits<double>::infinity() ? length_s : 0;
      table.rows.push_back(
          Row(absl::StrCat(name, ", ", group, ", ", datasets::LengthName(wanted_s)), counts));
    }
  }
}

metrics::ReportTable AnswerTally::EmptyTable(std::string title) const {
  metrics::ReportTable table{std::move(title), {"first", "in 5", "named", "misnamed"}, {}};
  if (columns_.same_music) table.columns.emplace_back("or same");
  if (columns_.unique) table.columns.emplace_back("unique");
  table.columns.emplace_back("queries");
  return table;
}

metrics::ReportRow AnswerTally::RandomRow(size_t sources) const {
  const double lot = 1.0 / static_cast<double>(sources);
  metrics::ReportRow row{"random", {lot, std::min(1.0, 5 * lot), lot, 1 - lot}};
  if (columns_.same_music) row.figures.push_back(lot);
  if (columns_.unique) row.figures.push_back(0);
  row.figures.push_back(0);
  return row;
}

}  // namespace antiphon::trainer::evaluation
