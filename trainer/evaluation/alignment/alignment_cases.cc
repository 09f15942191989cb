#include "trainer/evaluation/alignment/alignment_cases.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/scores/read_score.h"
#include "trainer/base/fingerprint.h"
#include "trainer/data/midi_files.h"
#include "trainer/datasets/asap.h"
#include "trainer/datasets/bach10.h"
#include "trainer/datasets/maps_dataset.h"

namespace antiphon::trainer::evaluation {
namespace {

using music::TimePoint;

// A player piano is exact, and its clock is not the computer's.
constexpr double kSameNote_s = 0.3;
// Stretches of so many beats and notes of which fewer than this share are played are not played.
constexpr size_t kUnplayedBeats = 8;
constexpr int64_t kUnplayedNotes = 16;
constexpr double kPlayedShare = 0.4;
// Of each recording, with as many scores of other music it is compared.
constexpr size_t kOthers = 20;

// `kOthers` of the paths, evenly from all but those that `same` holds for.
template <typename Same>
std::vector<std::string> PickOthers(const std::vector<std::string>& paths, size_t start,
                                    const Same& same) {
  std::vector<std::string> others;
  const size_t stride = std::max<size_t>(1, paths.size() / (kOthers + 1));
  for (size_t i = 0; i < paths.size() && others.size() < kOthers; ++i) {
    const size_t place = (start + i * stride) % paths.size();
    if (!same(place)) others.push_back(paths[place]);
  }
  return others;
}

absl::StatusOr<std::vector<std::string>> ScorePaths(const std::string& folder) {
  ASSIGN_OR_RETURN(const std::vector<data::SourceFile> files, data::MidiFilesBelow(folder));
  std::vector<std::string> paths;
  for (const data::SourceFile& file : files) paths.push_back(file.path.string());
  return paths;
}

}  // namespace

music::Score AtEvenTempo(const music::Score& score) {
  const double beats = score.tempo_map.BeatsAt(score.duration_s);
  if (!(beats > 0) || !(score.duration_s > 0)) return score;
  const double pace = score.duration_s / beats;
  music::Score even = score;
  for (music::Note& note : even.notes) {
    note.onset_s = score.tempo_map.BeatsAt(note.onset_s) * pace;
    note.offset_s = score.tempo_map.BeatsAt(note.offset_s) * pace;
    note.sounding_offset_s = score.tempo_map.BeatsAt(note.sounding_offset_s) * pace;
  }
  absl::StatusOr<music::TempoMap> map = music::TempoMap::Create(
      {{0, pace}}, score.tempo_map.time_signatures(), score.tempo_map.key_signatures());
  if (!map.ok()) return score;
  even.tempo_map = *std::move(map);
  return even;
}

std::vector<TimePoint> PairNotes(const std::vector<music::Note>& played,
                                 const std::vector<music::Note>& written, double tolerance_s) {
  if (played.empty() || written.empty()) return {};
  const double written_s = written.back().onset_s - written.front().onset_s;
  const double pace =
      written_s > 0 ? (played.back().onset_s - played.front().onset_s) / written_s : 1;
  std::map<int, std::vector<size_t>> of_pitch;
  for (size_t i = 0; i < written.size(); ++i) of_pitch[written[i].pitch].push_back(i);
  std::vector<bool> taken(written.size());
  std::vector<TimePoint> pairs;
  for (const music::Note& note : played) {
    const size_t none = written.size();
    size_t nearest = none;
    double distance_s = tolerance_s;
    for (const size_t place : of_pitch[note.pitch]) {
      const double expected_s =
          played.front().onset_s + (written[place].onset_s - written.front().onset_s) * pace;
      if (!taken[place] && std::abs(expected_s - note.onset_s) <= distance_s) {
        nearest = place;
        distance_s = std::abs(expected_s - note.onset_s);
      }
    }
    if (nearest == none) continue;
    taken[nearest] = true;
    pairs.push_back({note.onset_s, written[nearest].onset_s});
  }
  return pairs;
}

std::vector<TimePoint> WithoutUnplayed(const std::vector<TimePoint>& truth,
                                       const std::vector<music::Note>& played,
                                       const std::vector<music::Note>& written) {
  constexpr double kBefore_s = 0.03;  // a note belongs to the beat that it nearly begins at
  const auto before = [&](const std::vector<music::Note>& notes, double at_s) {
    return std::lower_bound(
               notes.begin(), notes.end(), at_s - kBefore_s,
               [](const music::Note& note, double until_s) { return note.onset_s < until_s; }) -
           notes.begin();
  };
  const auto is_played = [&](size_t from, size_t to, int64_t least) {
    const int64_t expected = before(written, truth[to].to_s) - before(written, truth[from].to_s);
    const int64_t heard = before(played, truth[to].from_s) - before(played, truth[from].from_s);
    return expected < least ||
           static_cast<double>(heard) >= kPlayedShare * static_cast<double>(expected);
  };
  std::vector<bool> unplayed(truth.size());  // from each place to the next
  for (size_t i = 0; i + kUnplayedBeats < truth.size(); ++i) {
    if (is_played(i, i + kUnplayedBeats, kUnplayedNotes)) continue;
    for (size_t beat = i; beat < i + kUnplayedBeats; ++beat)
      unplayed[beat] = unplayed[beat] || !is_played(beat, beat + 1, 1);
  }
  std::vector<TimePoint> kept;
  for (size_t i = 0; i < truth.size(); ++i) {
    if (i == 0 || !unplayed[i - 1] || !unplayed[i]) kept.push_back(truth[i]);
  }
  return kept;
}

absl::StatusOr<music::TimeMap> MapThrough(const std::vector<TimePoint>& truth) {
  constexpr double kApart_s = 0.02;
  std::vector<TimePoint> points;
  for (const TimePoint& point : truth) {
    if (points.empty() || (point.from_s > points.back().from_s + kApart_s &&
                           point.to_s > points.back().to_s + kApart_s)) {
      points.push_back(point);
    }
  }
  return music::TimeMap::Create(std::move(points));
}

absl::StatusOr<AlignmentSet> AsapAlignments(const AlignmentOptions& options, Progress& progress) {
  AlignmentSet set{"ASAP", {}, {}};
  ASSIGN_OR_RETURN(const datasets::Asap asap, datasets::ReadAsap(options.asap.folder));
  std::vector<int> kept;
  std::vector<datasets::BeatMap> beats;
  for (const int index :
       datasets::SamplePerformances(asap, options.asap.performances, options.seed)) {
    ASSIGN_OR_RETURN(std::optional<datasets::BeatMap> map,
                     datasets::ReadBeatMap(asap, asap.performances[index]));
    if (!map) {
      ++set.left_out;
      continue;
    }
    kept.push_back(index);
    beats.push_back(*std::move(map));
  }
  if (kept.empty())
    return absl::FailedPreconditionError("no performance whose beats have counterparts");
  ASSIGN_OR_RETURN(
      const std::vector<std::string> paths,
      datasets::RenderPerformances(asap, kept, datasets::RenditionCache(options.asap.renditions),
                                   options.asap.threads, progress));
  std::vector<std::string> scores;
  for (const datasets::AsapScore& score : asap.scores) scores.push_back(score.midi_path);
  for (size_t i = 0; i < kept.size(); ++i) {
    const datasets::AsapPerformance& performance = asap.performances[kept[i]];
    ASSIGN_OR_RETURN(music::Score score,
                     notation::ReadScoreFile(asap.scores[performance.score].midi_path));
    ASSIGN_OR_RETURN(const music::Score played, notation::ReadScoreFile(performance.midi_path));
    const std::vector<TimePoint>& annotated = beats[i].points();
    std::vector<TimePoint> truth = WithoutUnplayed(annotated, played.notes, score.notes);
    set.unplayed += static_cast<int>(annotated.size() - truth.size());
    set.cases.push_back({performance.id, paths[i], std::move(score), std::move(truth)});
    const int work = asap.work_of(performance);
    set.others.push_back(
        PickOthers(scores, i, [&](size_t place) { return asap.scores[place].work == work; }));
  }
  return set;
}

absl::StatusOr<AlignmentSet> MapsAlignments(const AlignmentOptions& options) {
  AlignmentSet set{"MAPS", {}, {}};
  ASSIGN_OR_RETURN(const std::vector<std::string> scores, ScorePaths(options.midi_dir));
  std::map<std::string, std::string> path_of;
  for (const std::string& path : scores)
    path_of[std::filesystem::path(path).stem().string()] = path;
  ASSIGN_OR_RETURN(const std::vector<data::SourceFile> files,
                   data::FilesBelow(options.recordings, {".flac", ".wav"}));
  for (const data::SourceFile& file : files) {
    const std::string piece = datasets::PieceOfMapsName(file.name());
    const auto path = path_of.find(piece);
    std::filesystem::path list = file.path;
    list.replace_extension(".tsv");
    if (path == path_of.end() || !std::filesystem::exists(list)) {
      ++set.left_out;
      continue;
    }
    ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(list.string()));
    ASSIGN_OR_RETURN(const std::vector<music::Note> played, datasets::ParseNoteList(text));
    ASSIGN_OR_RETURN(const music::Score score, notation::ReadScoreFile(path->second));
    AlignmentCase one{file.name(), file.path.string(), AtEvenTempo(score), {}};
    // Paired as they are played, then named as they are laid out.
    const double pace = score.duration_s / score.tempo_map.BeatsAt(score.duration_s);
    one.truth = PairNotes(played, score.notes, kSameNote_s);
    for (TimePoint& pair : one.truth) pair.to_s = score.tempo_map.BeatsAt(pair.to_s) * pace;
    set.cases.push_back(std::move(one));
    set.others.push_back(PickOthers(scores, set.cases.size(), [&](size_t place) {
      return std::filesystem::path(scores[place]).stem().string() == piece;
    }));
  }
  if (set.cases.empty())
    return absl::NotFoundError("no recording with a list of notes and a score");
  return set;
}

absl::StatusOr<AlignmentSet> Bach10Alignments(const AlignmentOptions& options) {
  AlignmentSet set{"Bach10", {}, {}};
  ASSIGN_OR_RETURN(const std::vector<datasets::Bach10Piece> pieces,
                   datasets::ReadBach10(options.bach10));
  ASSIGN_OR_RETURN(const std::vector<std::string> scores, ScorePaths(options.bach10));
  for (const datasets::Bach10Piece& piece : pieces) {
    const std::string path =
        (std::filesystem::path(options.bach10) / (piece.name + ".mid")).string();
    ASSIGN_OR_RETURN(music::Score score, notation::ReadScoreFile(path));
    AlignmentCase one{piece.name, piece.recordings.front().path, std::move(score), {}};
    for (const datasets::AlignedNote& note : piece.notes)
      one.truth.push_back({note.sound_s, note.score_s});
    set.cases.push_back(std::move(one));
    set.others.push_back(PickOthers(scores, 0, [&](size_t place) {
      return scores[place].find(piece.name) != std::string::npos;
    }));
  }
  return set;
}

}  // namespace antiphon::trainer::evaluation
