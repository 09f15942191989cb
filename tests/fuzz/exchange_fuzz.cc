// export.json and JOURNAL: any contents of either are read as they would be written, or refused.
//
// The input is a JOURNAL, a zero byte, and an export.json. Their checksums are made right: an enemy
// would, too.
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/bundle/files.h"
#include "core/editing/journal_mark.h"
#include "core/exchange/export_manifest.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/right_checksum.h"

using antiphon::fuzz::Require;

namespace {

void CheckSources(const std::vector<antiphon::exchange::ExportedSource>& sources,
                  antiphon::catalog::Side side, int64_t last_change) {
  std::set<std::string> names;
  for (const auto& exported : sources) {
    Require(antiphon::bundle::IsPlainName(exported.file.name), "a file lies in its folder");
    Require(names.insert(exported.file.name).second, "a file has one source");
    const bool scores = side == antiphon::catalog::Side::kScores;
    const int64_t version =
        scores ? exported.source.piece.version : exported.source.recording.version;
    Require(version >= 0 && version <= last_change, "a version is among the changes");
  }
  const std::vector<std::string> lines =
      absl::StrSplit(antiphon::exchange::MetadataTable(sources, side), '\n', absl::SkipEmpty());
  Require(lines.size() == sources.size() + 1, "a source has one line");
  for (const std::string& line : lines) {
    Require(std::count(line.begin(), line.end(), '\t') == 5, "a line has all columns");
  }
}

void CheckExport(const std::string& json) {
  namespace exchange = antiphon::exchange;
  const auto manifest = exchange::ParseExport(json);
  if (!manifest.ok()) {
    antiphon::fuzz::RequireRefusal(
        manifest.status(), {absl::StatusCode::kDataLoss, absl::StatusCode::kFailedPrecondition});
    return;
  }
  const std::string written = exchange::ExportToJson(*manifest);
  const auto again = exchange::ParseExport(written);
  Require(again.ok() && exchange::ExportToJson(*again) == written,
          "an export is read as it was written");
  CheckSources(manifest->pieces, antiphon::catalog::Side::kScores, manifest->last_change);
  CheckSources(manifest->recordings, antiphon::catalog::Side::kRecordings, manifest->last_change);
}

// The last line of a JOURNAL is a hash of all before it.
std::string WithRightLastLine(std::string_view mark) {
  const size_t sum = mark.rfind("sha256 ");
  if (sum == std::string_view::npos) return std::string(mark);
  const std::string body(mark.substr(0, sum));
  return absl::StrCat(body, "sha256 ", antiphon::hash::HexSha256(body), "\n");
}

void CheckMark(const std::string& text) {
  using antiphon::editing::JournalMark;
  static const antiphon::fuzz::Scratch scratch;
  antiphon::fuzz::WriteBytes(scratch.File(antiphon::editing::kJournalMarkFile), text);
  const auto mark = JournalMark::Read(scratch.path());
  if (!mark.ok()) {
    antiphon::fuzz::RequireRefusal(mark.status(), {absl::StatusCode::kDataLoss});
    return;
  }
  Require(mark->empty() == (mark->last_sequence() == 0), "changes are numbered from 1");
  Require(mark->Write(scratch.path()).ok(), "a mark can be written");
  const auto again = JournalMark::Read(scratch.path());
  Require(again.ok() && again->last_sequence() == mark->last_sequence(),
          "a mark is read as it was written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = antiphon::fuzz::AsText(data, size);
  const size_t zero = text.find('\0');
  CheckMark(WithRightLastLine(text.substr(0, zero)));
  if (zero != std::string_view::npos)
    CheckExport(antiphon::fuzz::WithRightChecksum(text.substr(zero + 1)));
  return 0;
}
