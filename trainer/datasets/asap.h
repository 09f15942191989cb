// The ASAP dataset (Foscarin et al., ISMIR 2020): human performances as MIDI, their scores, and the
// beats of both in seconds. Plain values and pure functions but for ReadAsap; safe from any thread.
#ifndef ANTIPHON_TRAINER_DATASETS_ASAP_H_
#define ANTIPHON_TRAINER_DATASETS_ASAP_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/music/time_map.h"
#include "trainer/datasets/rendition_cache.h"

namespace antiphon::trainer::datasets {

// A beat annotation.
struct Beat {
  double time_s = 0;
  bool free = false;  // "bR": within a passage in free time, where beats have no counterpart
};

struct AsapScore {
  std::string id;  // its folder, with "__" for '/'
  std::string composer;
  std::string title;
  int work =
      0;  // scores with one composer and title, such as with and without a repeat, are one work
  std::string midi_path;
  std::string beats_path;
};

struct AsapPerformance {
  std::string id;  // its path, with "__" for '/'
  int score = 0;   // in Asap::scores
  std::string midi_path;
  std::string beats_path;
};

struct Asap {
  std::vector<AsapScore> scores;              // in order of their ids
  std::vector<AsapPerformance> performances;  // in order of their ids
  int works = 0;

  int work_of(const AsapPerformance& performance) const { return scores[performance.score].work; }
};

// Rows of comma-separated values (RFC 4180): a field in double quotes may hold commas, line breaks
// and, doubled, quotes. Empty lines are passed over. InvalidArgument on a quote that does not end.
[[nodiscard]] absl::StatusOr<std::vector<std::vector<std::string>>> ParseCsv(std::string_view text);

// Reads metadata.csv in `folder`; the files that it names are not opened. InvalidArgument when a
// column is missing.
[[nodiscard]] absl::StatusOr<Asap> ReadAsap(const std::string& folder);
[[nodiscard]] absl::StatusOr<Asap> ParseAsapMetadata(std::string_view text,
                                                     const std::string& folder);

// Lines of "seconds<TAB>seconds<TAB>label". InvalidArgument, with the line, where there is no
// number.
[[nodiscard]] absl::StatusOr<std::vector<Beat>> ParseBeats(std::string_view text);
[[nodiscard]] absl::StatusOr<std::vector<Beat>> ReadBeats(const std::string& path);

// From seconds of a performance to seconds of its score and back: linear between beats that have a
// counterpart.
class BeatMap {
 public:
  // The i-th beat of one is the counterpart of the i-th of the other. Beats in free time are left
  // out, and those that do not come after the one before in both. FailedPrecondition when the
  // numbers differ or fewer than two beats are left.
  [[nodiscard]] static absl::StatusOr<BeatMap> Create(const std::vector<Beat>& performance,
                                                      const std::vector<Beat>& score);

  // Nothing outside the first and the last beat.
  std::optional<double> ScoreAt(double performance_s) const;
  std::optional<double> PerformanceAt(double score_s) const;

  const std::vector<music::TimePoint>& points() const {
    return map_.points();
  }  // of beats: performance to score

 private:
  explicit BeatMap(music::TimeMap map) : map_(std::move(map)) {}

  music::TimeMap map_;
};

// The map of one performance, from its files; nothing where BeatMap::Create finds that the beats
// have no counterparts, which is part of the data. Fails as ReadBeats does.
[[nodiscard]] absl::StatusOr<std::optional<BeatMap>> ReadBeatMap(
    const Asap& asap, const AsapPerformance& performance);

// `count` performances (all when 0 or more than there are), in order: the first ones of a shuffle
// that depends on the seed alone, so that a larger sample holds a smaller one.
std::vector<int> SamplePerformances(const Asap& asap, int count, uint64_t seed);

// Renders what the cache lacks of these performances, on so many threads (0: the number of cores),
// in the order given; returns their paths.
[[nodiscard]] absl::StatusOr<std::vector<std::string>> RenderPerformances(
    const Asap& asap, const std::vector<int>& performances, const RenditionCache& cache,
    int threads, Progress& progress);

}  // namespace antiphon::trainer::datasets

#endif  // ANTIPHON_TRAINER_DATASETS_ASAP_H_
