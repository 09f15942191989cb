#include "trainer/evaluation/following/follow_material.h"

#include <filesystem>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/scores/read_score.h"
#include "trainer/base/fingerprint.h"
#include "trainer/datasets/asap.h"
#include "trainer/datasets/bach10.h"
#include "trainer/datasets/maps_dataset.h"
#include "trainer/evaluation/following/followed_sound.h"

namespace antiphon::trainer::evaluation {
namespace {

// Notes are looked for so far, in seconds of the performance, from where the beats have them.
constexpr double kTolerance_s = 0.2;

absl::Status SetTruth(const std::vector<HeardNote>& notes, Performed& performed) {
  ASSIGN_OR_RETURN(performed.map, MapThroughNotes(notes));
  for (const HeardNote& note : notes) performed.onsets.push_back(note.sound_s);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Performed>> ReadAsapPerformance(
    const datasets::Asap& asap, const datasets::AsapPerformance& performance) {
  ASSIGN_OR_RETURN(const std::optional<datasets::BeatMap> beats,
                   datasets::ReadBeatMap(asap, performance));
  if (!beats) return std::optional<Performed>();
  ASSIGN_OR_RETURN(const music::TimeMap guess, music::TimeMap::Create(beats->points()));
  Performed performed;
  performed.name = performance.id;
  ASSIGN_OR_RETURN(performed.score,
                   notation::ReadScoreFile(asap.scores[performance.score].midi_path));
  ASSIGN_OR_RETURN(const music::Score played, notation::ReadScoreFile(performance.midi_path));
  std::vector<music::Note> known;
  for (const music::Note& note : played.notes) {
    if (beats->ScoreAt(note.onset_s)) known.push_back(note);
  }
  const std::vector<HeardNote> notes =
      MatchNotes(known, performed.score.notes, guess, kTolerance_s);
  // A performance of something else than its score says nothing about a follower.
  if (2 * notes.size() < known.size()) return std::optional<Performed>();
  RETURN_IF_ERROR(SetTruth(notes, performed));
  return performed;
}

absl::Status AddAsap(const FollowingOptions& options, Progress& progress,
                     std::vector<Performed>& material) {
  ASSIGN_OR_RETURN(const datasets::Asap asap, datasets::ReadAsap(options.asap.folder));
  std::vector<int> chosen;
  for (const int index : datasets::SamplePerformances(asap, 0, options.seed)) {
    const bool tuned_on = asap.work_of(asap.performances[index]) % kTunedTitles == 0;
    if (tuned_on != (options.part == data::Part::kValid)) continue;
    if (options.asap.performances > 0 &&
        static_cast<int>(chosen.size()) == options.asap.performances)
      break;
    ASSIGN_OR_RETURN(std::optional<Performed> performed,
                     ReadAsapPerformance(asap, asap.performances[index]));
    if (!performed) continue;
    chosen.push_back(index);
    material.push_back(*std::move(performed));
  }
  ASSIGN_OR_RETURN(
      const std::vector<std::string> paths,
      datasets::RenderPerformances(asap, chosen, datasets::RenditionCache(options.asap.renditions),
                                   options.asap.threads, progress));
  for (size_t i = 0; i < paths.size(); ++i)
    material[material.size() - paths.size() + i].path = paths[i];
  return absl::OkStatus();
}

// A player piano played them: their scores' own times, but for where they begin.
absl::Status AddMaps(const FollowingOptions& options, std::vector<Performed>& material) {
  ASSIGN_OR_RETURN(const datasets::MapsTestBed bed,
                   datasets::MakeMapsTestBed(options.recordings, options.midi_dir));
  for (const datasets::TestRecording& recording : bed.recordings) {
    Performed performed;
    performed.name = recording.name;
    performed.corpus = FollowCorpus::kMaps;
    performed.path = recording.path;
    ASSIGN_OR_RETURN(performed.score, notation::ReadScore(bed.entries[recording.work].midi));
    ASSIGN_OR_RETURN(
        const std::string text,
        ReadWholeFile(std::filesystem::path(recording.path).replace_extension(".tsv").string()));
    ASSIGN_OR_RETURN(const std::vector<music::Note> played, datasets::ParseNoteList(text));
    if (played.empty() || performed.score.notes.empty())
      return absl::InvalidArgumentError(absl::StrCat(recording.name, ": no notes"));
    ASSIGN_OR_RETURN(
        const music::TimeMap guess,
        music::TimeMap::Create({{played.front().onset_s, performed.score.notes.front().onset_s},
                                {played.back().onset_s, performed.score.notes.back().onset_s}}));
    RETURN_IF_ERROR(
        SetTruth(MatchNotes(played, performed.score.notes, guess, kTolerance_s), performed));
    material.push_back(std::move(performed));
  }
  return absl::OkStatus();
}

absl::Status AddBach10(const FollowingOptions& options, std::vector<Performed>& material) {
  ASSIGN_OR_RETURN(const std::vector<datasets::Bach10Piece> pieces,
                   datasets::ReadBach10(options.bach10));
  for (const datasets::Bach10Piece& piece : pieces) {
    Performed performed;
    performed.name = piece.name;
    performed.corpus = FollowCorpus::kBach10;
    performed.path = piece.recordings.front().path;  // of all four
    ASSIGN_OR_RETURN(performed.score,
                     notation::ReadScoreFile(
                         std::filesystem::path(performed.path).replace_extension(".mid").string()));
    std::vector<HeardNote> notes;
    for (const datasets::AlignedNote& note : piece.notes)
      notes.push_back({note.sound_s, note.score_s});
    RETURN_IF_ERROR(SetTruth(notes, performed));
    material.push_back(std::move(performed));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<Performed>> ReadFollowMaterial(const FollowingOptions& options,
                                                          Progress& progress) {
  std::vector<Performed> material;
  if (!options.asap.folder.empty()) RETURN_IF_ERROR(AddAsap(options, progress, material));
  if (options.part == data::Part::kTest) {
    if (!options.recordings.empty()) RETURN_IF_ERROR(AddMaps(options, material));
    if (!options.bach10.empty()) RETURN_IF_ERROR(AddBach10(options, material));
  }
  if (material.empty()) return absl::FailedPreconditionError("nothing to follow in this part");
  return material;
}

}  // namespace antiphon::trainer::evaluation
