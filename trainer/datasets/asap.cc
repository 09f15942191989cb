#include "trainer/datasets/asap.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <random>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"
#include "trainer/base/fingerprint.h"

namespace antiphon::trainer::datasets {
namespace {

// Names the file that a failure is about.
auto InFile(const std::string& path) {
  return [path](const absl::Status& status) {
    return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
  };
}

std::string IdOf(std::string_view path) {
  absl::string_view rest(path.data(), path.size());
  absl::ConsumeSuffix(&rest, ".mid");
  return absl::StrReplaceAll(rest, {{"/", "__"}});
}

}  // namespace

absl::StatusOr<std::vector<std::vector<std::string>>> ParseCsv(std::string_view text) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> row;
  std::string field;
  bool quoted = false, was_quoted = false;
  const auto end_row = [&] {
    if (row.empty() && field.empty() && !was_quoted) return;
    row.push_back(std::move(field));
    rows.push_back(std::move(row));
    row.clear();
    field.clear();
    was_quoted = false;
  };
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      const bool doubled = c == '"' && i + 1 < text.size() && text[i + 1] == '"';
      if (doubled) ++i;
      if (c == '"' && !doubled) {
        quoted = false;
      } else {
        field += c;
      }
    } else if (c == '"' && field.empty() && !was_quoted) {
      quoted = was_quoted = true;
    } else if (c == ',') {
      row.push_back(std::move(field));
      field.clear();
      was_quoted = false;
    } else if (c == '\n') {
      end_row();
    } else if (c != '\r') {
      field += c;
    }
  }
  if (quoted) return absl::InvalidArgumentError("a quoted field does not end");
  end_row();
  return rows;
}

namespace {

enum Column {
  kComposer,
  kTitle,
  kFolder,
  kScore,
  kPerformance,
  kPerformanceBeats,
  kScoreBeats,
  kColumns
};
constexpr std::array<const char*, kColumns> kColumnNames = {"composer",
                                                            "title",
                                                            "folder",
                                                            "midi_score",
                                                            "midi_performance",
                                                            "performance_annotations",
                                                            "midi_score_annotations"};

absl::StatusOr<std::array<size_t, kColumns>> FindColumns(const std::vector<std::string>& header) {
  std::array<size_t, kColumns> at;
  for (size_t column = 0; column < at.size(); ++column) {
    at[column] = std::find(header.begin(), header.end(), kColumnNames[column]) - header.begin();
    if (at[column] == header.size())
      return absl::InvalidArgumentError(absl::StrCat("no column ", kColumnNames[column]));
  }
  return at;
}

}  // namespace

absl::StatusOr<Asap> ParseAsapMetadata(std::string_view text, const std::string& folder) {
  ASSIGN_OR_RETURN(const auto rows, ParseCsv(text));
  if (rows.empty()) return absl::InvalidArgumentError("it is empty");
  ASSIGN_OR_RETURN(const auto at, FindColumns(rows.front()));
  Asap asap;
  std::map<std::string, AsapScore> scores;                   // by id
  std::map<std::pair<std::string, std::string>, int> works;  // by composer and title
  std::vector<std::pair<std::string, AsapPerformance>> performances;
  for (size_t i = 1; i < rows.size(); ++i) {
    const auto& row = rows[i];
    if (row.size() != rows.front().size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("row ", i + 1, " has ", row.size(), " columns"));
    }
    const auto path = [&](Column column) { return absl::StrCat(folder, "/", row[at[column]]); };
    const std::string id = IdOf(row[at[kFolder]]);
    scores[id] = {id, row[at[kComposer]], row[at[kTitle]], 0, path(kScore), path(kScoreBeats)};
    performances.push_back(
        {id, {IdOf(row[at[kPerformance]]), 0, path(kPerformance), path(kPerformanceBeats)}});
  }
  std::map<std::string, int> place;
  for (auto& [id, score] : scores) {
    score.work =
        works.emplace(std::pair(score.composer, score.title), static_cast<int>(works.size()))
            .first->second;
    place[id] = static_cast<int>(asap.scores.size());
    asap.scores.push_back(score);
  }
  asap.works = static_cast<int>(works.size());
  for (auto& [id, performance] : performances) {
    performance.score = place[id];
    asap.performances.push_back(std::move(performance));
  }
  std::sort(asap.performances.begin(), asap.performances.end(),
            [](const AsapPerformance& a, const AsapPerformance& b) { return a.id < b.id; });
  return asap;
}

absl::StatusOr<Asap> ReadAsap(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/metadata.csv");
  ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(path));
  return MapError(ParseAsapMetadata(text, folder), InFile(path));
}

absl::StatusOr<std::vector<Beat>> ParseBeats(std::string_view text) {
  std::vector<Beat> beats;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(absl::string_view(text.data(), text.size()), '\n')) {
    ++number;
    line = absl::StripTrailingAsciiWhitespace(line);
    if (line.empty()) continue;
    const std::vector<absl::string_view> cells = absl::StrSplit(line, '\t');
    Beat beat;
    if (!absl::SimpleAtod(cells[0], &beat.time_s) || !std::isfinite(beat.time_s)) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, " does not begin with a time"));
    }
    const std::vector<absl::string_view> label = absl::StrSplit(cells.back(), ',');
    beat.free = cells.size() > 1 && label[0] == "bR";
    beats.push_back(beat);
  }
  return beats;
}

absl::StatusOr<std::vector<Beat>> ReadBeats(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(path));
  return MapError(ParseBeats(text), InFile(path));
}

absl::StatusOr<BeatMap> BeatMap::Create(const std::vector<Beat>& performance,
                                        const std::vector<Beat>& score) {
  if (performance.size() != score.size()) {
    return absl::FailedPreconditionError(absl::StrCat("the performance has ", performance.size(),
                                                      " beats, the score ", score.size()));
  }
  std::vector<music::TimePoint> points;
  for (size_t i = 0; i < performance.size(); ++i) {
    if (performance[i].free || score[i].free) continue;
    const music::TimePoint point = {performance[i].time_s, score[i].time_s};
    if (!points.empty() &&
        !(point.from_s > points.back().from_s && point.to_s > points.back().to_s))
      continue;
    points.push_back(point);
  }
  if (points.size() < 2)
    return absl::FailedPreconditionError("fewer than two beats have a counterpart");
  ASSIGN_OR_RETURN(music::TimeMap map, music::TimeMap::Create(std::move(points)));
  return BeatMap(std::move(map));
}

std::optional<double> BeatMap::ScoreAt(double performance_s) const {
  if (!(performance_s >= points().front().from_s && performance_s <= points().back().from_s))
    return std::nullopt;
  return map_.To(performance_s);
}

std::optional<double> BeatMap::PerformanceAt(double score_s) const {
  if (!(score_s >= points().front().to_s && score_s <= points().back().to_s)) return std::nullopt;
  return map_.From(score_s);
}

absl::StatusOr<std::optional<BeatMap>> ReadBeatMap(const Asap& asap,
                                                   const AsapPerformance& performance) {
  ASSIGN_OR_RETURN(const auto played, ReadBeats(performance.beats_path));
  ASSIGN_OR_RETURN(const auto written, ReadBeats(asap.scores[performance.score].beats_path));
  absl::StatusOr<BeatMap> map = BeatMap::Create(played, written);
  if (absl::IsFailedPrecondition(map.status())) return std::nullopt;
  return map;
}

std::vector<int> SamplePerformances(const Asap& asap, int count, uint64_t seed) {
  std::vector<int> order(asap.performances.size());
  std::iota(order.begin(), order.end(), 0);
  // std::shuffle differs between standard libraries; this does not.
  std::mt19937_64 random(seed);
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random() % i]);
  if (count > 0 && static_cast<size_t>(count) < order.size()) order.resize(count);
  return order;
}

absl::StatusOr<std::vector<std::string>> RenderPerformances(const Asap& asap,
                                                            const std::vector<int>& performances,
                                                            const RenditionCache& cache,
                                                            int threads, Progress& progress) {
  std::vector<std::string> paths;
  std::vector<RenditionJob> jobs;
  for (const int index : performances) {
    const AsapPerformance& performance = asap.performances[index];
    ASSIGN_OR_RETURN(const std::string midi, ReadWholeFile(performance.midi_path));
    paths.push_back(cache.PathOf(performance.id, midi));
    jobs.push_back({paths.back(), "", performance.midi_path});
  }
  RETURN_IF_ERROR(cache.Fill(jobs, threads, progress));
  return paths;
}

}  // namespace antiphon::trainer::datasets
