#include "client/commands/rendering.h"

#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/output/format.h"
#include "client/output/table.h"

namespace antiphon::client {

namespace {

// "bars 1:1–8:3", or "0:04.0–0:10.0" in a recording.
std::string Stretch(const v1::Position& start, const v1::Position& end) {
  const std::string bars = FormatBars(start, end);
  return bars.empty() ? FormatSpan(start.seconds(), end.seconds()) : absl::StrCat("bars ", bars);
}

}  // namespace

std::string FormatBar(const v1::Position& place) {
  if (!place.has_bar()) return "";
  // As it is printed; an older server knows the counted number only.
  const std::string bar =
      place.bar_label().empty() ? absl::StrCat(place.bar()) : Printable(place.bar_label());
  return FormatBarBeat(bar, place.beat_in_bar());
}

std::string FormatBars(const v1::Position& start, const v1::Position& end) {
  if (!start.has_bar()) return "";
  return absl::StrCat(FormatBar(start), "–", FormatBar(end));
}

std::string DescribePassages(const Passages& passages) {
  if (passages.size() < 2) return "";
  std::string text = Stretch(passages[0].reference_start(), passages[0].reference_end());
  for (int i = 1; i < passages.size(); ++i) {
    const v1::Position &start = passages[i].reference_start(), &end = passages[i].reference_end();
    const std::string bars = FormatBars(start, end);
    absl::StrAppend(&text, ", then ",
                    bars.empty() ? FormatSpan(start.seconds(), end.seconds()) : bars);
  }
  return text;
}

std::string DescribeStretch(const v1::SameMusic& music) {
  const v1::Source& source = music.source();
  return absl::StrCat(
      Printable(source.id()),
      source.title().empty() ? "" : absl::StrCat(" (", Printable(source.title()), ")"), ", ",
      Stretch(music.start(), music.end()));
}

std::string DescribeSameMusic(const SameMusicList& same_music, const std::string& indent) {
  std::string text;
  for (const v1::SameMusic& music : same_music) {
    absl::StrAppend(&text, indent, "also: ", DescribeStretch(music), music.tied() ? "; a tie" : "",
                    "\n");
  }
  return text;
}

std::string DescribeShared(const SameMusicPairs& pairs, const std::string& indent) {
  std::string text;
  for (const v1::SameMusicPair& pair : pairs) {
    absl::StrAppend(&text, indent, "the same music as ", DescribeStretch(pair.other()), "; here ",
                    Stretch(pair.piece().start(), pair.piece().end()), "\n");
  }
  return text;
}

std::string SameMusicIds(const SameMusicList& same_music) {
  return absl::StrJoin(same_music, ", ", [](std::string* text, const v1::SameMusic& music) {
    absl::StrAppend(text, music.source().id(), music.tied() ? " (tie)" : "");
  });
}

void ReportWarnings(Context& context, const Warnings& warnings, const std::string& file) {
  if (context.json) return;
  for (const v1::Warning& warning : warnings) {
    context.err << "antiphon: warning: "
                << Printable(absl::StrCat(file, file.empty() ? "" : ": ", warning.message()))
                << "\n";
  }
}

std::string RenderEvidence(const std::string& title, double offset_s,
                           const google::protobuf::RepeatedPtrField<v1::Evidence>& evidence) {
  if (evidence.empty()) return "";
  Table table({{"window", Align::kRight},
               {"bar:beat", Align::kRight},
               {"in it", Align::kRight},
               {"tempo", Align::kRight},
               {"similarity", Align::kRight}});
  for (const v1::Evidence& e : evidence) {
    table.AddRow({FormatSpan(offset_s + e.query_start_seconds(), offset_s + e.query_end_seconds()),
                  FormatBars(e.reference_start(), e.reference_end()),
                  FormatSpan(e.reference_start().seconds(), e.reference_end().seconds()),
                  FormatTempo(e.tempo_ratio()), FormatScore(e.similarity())});
  }
  return absl::StrCat("\n", Printable(title), "\n", table.Render());
}

bool HasFilter(const ScopeArguments& scope) {
  return !scope.composers.empty() || !scope.collections.empty() || !scope.piece_ids.empty() ||
         !scope.work_ids.empty();
}

v1::Filter ToFilter(const ScopeArguments& scope) {
  v1::Filter filter;
  for (const std::string& composer : scope.composers) filter.add_composers(composer);
  for (const std::string& collection : scope.collections) filter.add_collections(collection);
  for (const std::string& id : scope.piece_ids) filter.add_piece_ids(id);
  for (const std::string& id : scope.work_ids) filter.add_work_ids(id);
  return filter;
}

v1::SearchMode ToMode(const ScopeArguments& scope) {
  return scope.exact ? v1::SEARCH_MODE_EXACT : v1::SEARCH_MODE_UNSPECIFIED;
}

}  // namespace antiphon::client
