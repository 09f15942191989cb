// Reference records of a Humdrum file (!!!COM: Bach, Johann Sebastian) as title, composer, opus.
//
// Internal to core/humdrum. Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_HUMDRUM_HUMDRUM_RECORDS_H_
#define ANTIPHON_CORE_HUMDRUM_HUMDRUM_RECORDS_H_

#include <map>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "core/notation/written_score.h"

namespace antiphon::notation {

// A line as key and value: "OTL@@DE", "Der Abend". Both are empty if it is no reference record.
// Views into `line`.
std::pair<absl::string_view, absl::string_view> ParseRecord(absl::string_view line);

// Collects records and names a score by them.
class HumdrumRecords {
 public:
  // The first record of a key counts. Text may be UTF-8 or Latin-1; long values are cut.
  void Add(absl::string_view key, absl::string_view value);

  // Title: OTL, of several languages the one of the original (@@), behind the work that it is part
  // of (OPR). Composer: COM, else the one attributed to (COA). Opus: OPS, ONM, SCT and OMV.
  void Name(WrittenScore* score) const;

 private:
  std::string Find(absl::string_view key) const;

  std::map<std::string, std::string, std::less<>> records_;
};

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_HUMDRUM_HUMDRUM_RECORDS_H_
