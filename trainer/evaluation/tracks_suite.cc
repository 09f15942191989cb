#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <functional>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/decoding/decoder.h"
#include "core/scores/read_score.h"
#include "trainer/base/fingerprint.h"
#include "trainer/data/performance.h"
#include "trainer/data/renderer.h"
#include "trainer/datasets/maps_dataset.h"
#include "trainer/evaluation/asap_test_bed.h"
#include "trainer/evaluation/asked_collection.h"
#include "trainer/evaluation/suites.h"
#include "trainer/metrics/repeats.h"

namespace antiphon::trainer::evaluation {
namespace {

const std::vector<double> kTempi = {0.7, 1.3};  // of the songbook, over the one written
constexpr double kTempoTolerance = 0.03;
constexpr double kPlace_s = 1.0;  // seconds of the score
constexpr double kStretch = 0.95;

// A whole recording, and where in its score each moment of it is.
struct Track {
  std::string name;
  int work = -1;
  int score = -1;  // in the collection: the one that `score_at` is about
  // From when to when anything is annotated, seconds of the recording.
  matching::Span annotated;
  std::function<std::optional<double>(double recording_s)> score_at;
  std::vector<double> moments;  // annotated notes or beats, seconds of the recording, rising
  std::function<absl::StatusOr<audio::Waveform>(int sample_rate)> read;
};

// Tracks of one kind, and the scores that they are looked for among.
struct TrackSet {
  std::string name;
  std::vector<datasets::CollectionEntry> entries = {};
  std::vector<int> works = {};  // of the entries
  std::vector<Track> tracks = {};
};

// A track of a steady tempo: its moments are the score's onsets.
Track SteadyTrack(std::string name, int score, const std::vector<music::Note>& notes,
                  double ratio) {
  Track track;
  track.name = std::move(name);
  track.work = track.score = score;
  for (const double onset_s : music::DistinctOnsets(notes))
    track.moments.push_back(onset_s / ratio);
  track.annotated = {track.moments.front(), track.moments.back()};
  track.score_at = [ratio](double recording_s) { return recording_s * ratio; };
  return track;
}

absl::StatusOr<TrackSet> SongbookTracks(const TracksOptions& options) {
  TrackSet set{"songbook"};
  ASSIGN_OR_RETURN(set.entries, datasets::ReadEntries(options.songbook));
  for (int i = 0; i < std::ssize(set.entries); ++i) {
    set.works.push_back(i);
    ASSIGN_OR_RETURN(const music::Score score, notation::ReadScore(set.entries[i].midi));
    for (const double ratio : kTempi) {
      Track track =
          SteadyTrack(absl::StrCat(set.entries[i].id, " at ", ratio), i, score.notes, ratio);
      track.read = [score, ratio, soundfont = options.soundfont](int sample_rate) {
        return data::Renderer(sample_rate)
            .Render(music::AtTempoRatio(score, ratio).notes, data::PlainVariation(soundfont));
      };
      set.tracks.push_back(std::move(track));
    }
  }
  return set;
}

std::function<absl::StatusOr<audio::Waveform>(int)> FromFile(const std::string& path) {
  return [path](int sample_rate) {
    audio::DecodeOptions decode;
    decode.sample_rate = sample_rate;
    return audio::DecodeFile(path, decode);
  };
}

// MAPS was played from these scores by machine: times are the same up to one factor.
absl::StatusOr<TrackSet> MapsTracks(const TracksOptions& options) {
  ASSIGN_OR_RETURN(datasets::MapsTestBed bed,
                   datasets::MakeMapsTestBed(options.recordings, options.midi_dir));
  TrackSet set{"MAPS", std::move(bed.entries)};
  for (int i = 0; i < std::ssize(set.entries); ++i) set.works.push_back(i);
  for (const datasets::TestRecording& recording : bed.recordings) {
    ASSIGN_OR_RETURN(
        const std::string text,
        ReadWholeFile(std::filesystem::path(recording.path).replace_extension(".tsv")));
    ASSIGN_OR_RETURN(const std::vector<music::Note> played, datasets::ParseNoteList(text));
    ASSIGN_OR_RETURN(const music::Score score,
                     notation::ReadScore(set.entries[recording.work].midi));
    if (played.size() < 2 || score.notes.size() < 2) continue;
    Track track;
    track.name = recording.name;
    track.work = track.score = recording.work;
    track.moments = music::DistinctOnsets(played);
    track.annotated = {track.moments.front(), track.moments.back()};
    const double from_s = score.notes.front().onset_s, to_s = score.notes.back().onset_s;
    const matching::Span heard = track.annotated;
    track.score_at = [=](double s) {
      return from_s + (s - heard.start_s) / heard.length_s() * (to_s - from_s);
    };
    track.read = FromFile(recording.path);
    set.tracks.push_back(std::move(track));
  }
  return set;
}

absl::StatusOr<TrackSet> AsapTracks(const TracksOptions& options, Progress& progress) {
  ASSIGN_OR_RETURN(AsapTestBed bed, MakeAsapTestBed(options.asap, options.seed, progress));
  TrackSet set{"ASAP", std::move(bed.entries)};
  for (const datasets::AsapScore& score : bed.asap.scores) set.works.push_back(score.work);
  for (size_t i = 0; i < bed.recordings.size(); ++i) {
    if (!bed.beats[i]) continue;
    Track track;
    track.name = bed.recordings[i].name;
    track.work = bed.recordings[i].work;
    track.score = bed.asap.performances[bed.sample[i]].score;
    for (const music::TimePoint& point : bed.beats[i]->points())
      track.moments.push_back(point.from_s);
    track.annotated = {track.moments.front(), track.moments.back()};
    track.score_at = [beats = *bed.beats[i]](double s) { return beats.ScoreAt(s); };
    track.read = FromFile(bed.recordings[i].path);
    set.tracks.push_back(std::move(track));
  }
  return set;
}

// What an answer says of a track.
struct Verdict {
  bool first = false;    // its work comes first
  bool located = false;  // a candidate is the track's own score: the rest is about that
  bool tempo = false, place = false, place_or_repeat = false, stretch = false;
  double sound_s = 0, seconds = 0;
};

// Written seconds over sounding seconds between the first and the last moment of the passages, each
// by itself: a repeat goes back in the score, and is no tempo. Nothing where too little is heard.
std::optional<double> TrueTempo(const Track& track, const matching::Candidate& candidate) {
  double written_s = 0, heard_s = 0;
  std::vector<matching::Match> passages = candidate.passages;
  if (passages.empty()) passages.push_back(candidate.match);
  for (const matching::Match& passage : passages) {
    const auto first =
        std::lower_bound(track.moments.begin(), track.moments.end(), passage.query.start_s);
    const auto last = std::upper_bound(first, track.moments.end(), passage.query.end_s);
    if (last - first < 2) continue;
    const auto from_s = track.score_at(*first), to_s = track.score_at(*(last - 1));
    if (!from_s || !to_s) continue;
    written_s += *to_s - *from_s;
    heard_s += *(last - 1) - *first;
  }
  if (heard_s <= 0) return std::nullopt;
  return written_s / heard_s;
}

absl::Status JudgeOwn(const TrackSet& set, const Track& track, const matching::Candidate& candidate,
                      Verdict& verdict) {
  verdict.located = true;
  const std::optional<double> tempo = TrueTempo(track, candidate);
  verdict.tempo = tempo && std::abs(candidate.match.slope / *tempo - 1) <= kTempoTolerance;
  const matching::Span& heard = candidate.match.query;
  const double covered_s = std::min(heard.end_s, track.annotated.end_s) -
                           std::max(heard.start_s, track.annotated.start_s);
  verdict.stretch = covered_s >= kStretch * track.annotated.length_s();
  const std::optional<double> right_s = track.score_at(candidate.place.query_s);
  if (!right_s) return absl::OkStatus();
  const double found_s = candidate.place.reference_s;
  verdict.place = verdict.place_or_repeat = std::abs(found_s - *right_s) <= kPlace_s;
  if (verdict.place) return absl::OkStatus();
  // The notes around the place, as long as a passage that can be told by ear.
  constexpr double kAround_s = 10;
  ASSIGN_OR_RETURN(const music::Score score, notation::ReadScore(set.entries[track.score].midi));
  const double start_s = std::max(0.0, *right_s - kAround_s / 2);
  for (const double repeat_s : metrics::RepeatsOf(score.notes, start_s, kAround_s, kPlace_s)) {
    if (std::abs(repeat_s + (*right_s - start_s) - found_s) <= kPlace_s)
      verdict.place_or_repeat = true;
  }
  return absl::OkStatus();
}

absl::StatusOr<Verdict> Ask(const TrackSet& set, const Track& track,
                            const retrieval::Collection& collection) {
  ASSIGN_OR_RETURN(const audio::Waveform sound,
                   track.read(collection.encoder_info().settings.sample_rate));
  matching::IdentifyOptions identify;
  identify.top_k = datasets::kCandidates;
  const auto started = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(const matching::Identification answer,
                   collection.IdentifyAudio(sound, identify));
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - started;
  Verdict verdict;
  verdict.sound_s = sound.duration_s();
  verdict.seconds = taken.count();
  if (answer.candidates.empty()) return verdict;
  verdict.first = set.works[answer.candidates[0].source] == track.work;
  for (const matching::Candidate& candidate : answer.candidates) {
    if (candidate.source != track.score) continue;
    RETURN_IF_ERROR(JudgeOwn(set, track, candidate, verdict));
    break;
  }
  return verdict;
}

metrics::ReportRow RowOf(const std::string& name, const std::vector<Verdict>& verdicts) {
  const auto share = [&](bool Verdict::*what) {
    const auto count = std::count_if(verdicts.begin(), verdicts.end(),
                                     [&](const Verdict& verdict) { return verdict.*what; });
    return verdicts.empty() ? 0.0 : 1.0 * static_cast<double>(count) / verdicts.size();
  };
  return {name,
          {share(&Verdict::first), share(&Verdict::tempo), share(&Verdict::place),
           share(&Verdict::place_or_repeat), share(&Verdict::stretch), 1.0 * verdicts.size()}};
}

// Seconds that answers took, by how long the recordings are: thirds of them.
metrics::ReportTable TimeTable(std::vector<Verdict> verdicts) {
  metrics::ReportTable table{"time of the answers", {"sound s", "took s", "per s", "of"}, {}};
  std::sort(verdicts.begin(), verdicts.end(),
            [](const Verdict& a, const Verdict& b) { return a.sound_s < b.sound_s; });
  constexpr size_t kParts = 3;
  for (size_t part = 0; part < kParts; ++part) {
    const size_t begin = part * verdicts.size() / kParts,
                 end = (part + 1) * verdicts.size() / kParts;
    double sound_s = 0, seconds = 0;
    for (size_t i = begin; i < end; ++i) {
      sound_s += verdicts[i].sound_s;
      seconds += verdicts[i].seconds;
    }
    const auto count = static_cast<double>(end - begin);
    if (count == 0) continue;
    table.rows.push_back({part == 0   ? "shortest third"
                          : part == 1 ? "middle third"
                                      : "longest third",
                          {sound_s / count, seconds / count, seconds / sound_s, count}});
  }
  return table;
}

}  // namespace

absl::StatusOr<metrics::Report> EvaluateTracks(const TracksOptions& options, Progress& progress) {
  RETURN_IF_ERROR(options.Check());
  const auto started = std::chrono::steady_clock::now();
  std::vector<TrackSet> sets;
  if (!options.songbook.empty()) {
    ASSIGN_OR_RETURN(sets.emplace_back(), SongbookTracks(options));
  }
  if (!options.recordings.empty()) {
    ASSIGN_OR_RETURN(sets.emplace_back(), MapsTracks(options));
  }
  if (!options.asap.folder.empty()) {
    ASSIGN_OR_RETURN(sets.emplace_back(), AsapTracks(options, progress));
  }
  metrics::Report report{"tracks", {}, {}};
  report.tables.push_back(
      {"whole recordings", {"first", "tempo3%", "within1s", "orrepeat", "stretch95", "of"}, {}});
  std::vector<Verdict> all;
  for (const auto& [name, model, measured] : ModelsOf(options.models)) {
    for (const TrackSet& set : sets) {
      ASSIGN_OR_RETURN(
          const auto collection,
          datasets::OpenReferenceCollection(
              set.entries,
              ReferenceCollectionFor(options.models, model, options.reference_collections),
              progress));
      constexpr size_t kUntrained = 20;
      const size_t count = measured ? set.tracks.size() : std::min(kUntrained, set.tracks.size());
      std::vector<Verdict> verdicts;
      progress.Start(absl::StrCat("ask ", set.name), static_cast<int64_t>(count));
      for (size_t i = 0; i < count; ++i) {
        ASSIGN_OR_RETURN(const Verdict verdict, Ask(set, set.tracks[i], *collection));
        if (measured && !(verdict.tempo && verdict.place && verdict.stretch)) {
          report.settings["not right: " + set.tracks[i].name] =
              absl::StrCat(verdict.first ? "" : "piece ", verdict.tempo ? "" : "tempo ",
                           verdict.place             ? ""
                           : verdict.place_or_repeat ? "repeat "
                                                     : "place ",
                           verdict.stretch ? "" : "stretch");
        }
        verdicts.push_back(verdict);
        progress.Advance();
      }
      progress.Finish();
      report.tables[0].rows.push_back(RowOf(absl::StrCat(name, ", ", set.name), verdicts));
      if (!measured) continue;
      all.insert(all.end(), verdicts.begin(), verdicts.end());
      report.settings["model"] = collection->manifest().model_id;
    }
  }
  report.tables[0].rows.push_back({"random", {0, 0, 0, 0, 0, 0}});
  report.tables.push_back(TimeTable(std::move(all)));
  report.settings["seed"] = absl::StrCat(options.seed);
  report.settings["soundfont"] = options.soundfont;
  metrics::NoteSeconds(started, report);
  return report;
}

}  // namespace antiphon::trainer::evaluation
