// What became of the questions of a suite, by group and length, and the table of it. Plain values
// and pure functions.
#ifndef ANTIPHON_TRAINER_EVALUATION_ANSWER_TALLY_H_
#define ANTIPHON_TRAINER_EVALUATION_ANSWER_TALLY_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/matching/answer.h"
#include "trainer/metrics/report.h"

namespace antiphon::trainer::evaluation {

// One answer, judged.
struct JudgedAnswer {
  int64_t rank = 0;    // of the best right source, from 1; 0 when it is not among the candidates
  bool match = false;  // the system names its first candidate
  bool same_music = false;  // the first is not right, but has the same music at the place it gives
  std::optional<bool> unique;  // no other source has what was played; nothing where nobody looked
};

// `right` are the sources any of which is right. A candidate as good as the right one ranks before
// it.
JudgedAnswer Judge(const matching::Identification& answer, const std::set<int>& right);

// What a suite looks at beyond the names of sources.
struct TallyColumns {
  bool same_music = false;  // whether the first candidate has the same music
  bool unique = false;      // whether any other source has
};

// Answers by what was asked about ("violin") and for how long.
class AnswerTally {
 public:
  explicit AnswerTally(TallyColumns columns) : columns_(columns) {}

  void Add(const std::string& group, double wanted_s, const JudgedAnswer& answer);

  // Appends a row for each group and length, groups in the order of their first answers, the whole
  // last. Figures: shares of the questions with a right one first, with one among the first five,
  // named rightly, named wrongly (neither right nor the same music); where the suite looks, with
  // the right one or the same music first, and with music that no other source has; and the
  // questions.
  void AddRows(const std::string& name, metrics::ReportTable& table) const;

  // A table without rows, with the columns of AddRows.
  metrics::ReportTable EmptyTable(std::string title) const;
  // As drawing lots would do: of `sources` one is right.
  metrics::ReportRow RandomRow(size_t sources) const;

 private:
  struct Counts {
    int queries = 0, first = 0, in_5 = 0, named = 0, misnamed = 0, or_same = 0, unique = 0;
  };
  metrics::ReportRow Row(std::string name, const Counts& counts) const;

  const TallyColumns columns_;
  std::vector<std::string> groups_;
  std::map<std::string, std::map<double, Counts>> counts_;  // by group and length
};

}  // namespace antiphon::trainer::evaluation

#endif  // ANTIPHON_TRAINER_EVALUATION_ANSWER_TALLY_H_
