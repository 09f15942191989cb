#include "trainer/evaluation/errors.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/audio/encoder.h"
#include "core/base/status_macros.h"
#include "core/collection/bundle_builder.h"
#include "core/decoding/decoder.h"
#include "core/music/midi_file.h"
#include "core/scores/read_score.h"
#include "trainer/base/fingerprint.h"
#include "trainer/data/renderer.h"
#include "trainer/evaluation/error_page.h"
#include "trainer/pictures/score_picture.h"

namespace antiphon::trainer::evaluation {
namespace {

namespace fs = std::filesystem;

constexpr double kLongestPicture = 20;  // seconds

struct Judged {
  const datasets::Outcome* outcome = nullptr;
  metrics::ErrorKind kind = metrics::ErrorKind::kNetwork;
  QueryTruth truth;
};

std::vector<metrics::Onset> OnsetsOf(const std::vector<music::Note>& notes) {
  std::vector<metrics::Onset> onsets;
  for (const music::Note& note : notes) onsets.push_back({note.onset_s, note.pitch});
  return onsets;
}

// The notes of the passage that a candidate names, in seconds of the query.
std::vector<music::Note> NamedNotes(const music::Score& score, const matching::Candidate& candidate,
                                    double length_s) {
  const auto to_query = [&](double score_s) {
    return candidate.place.query_s +
           (score_s - candidate.place.reference_s) / candidate.match.slope;
  };
  std::vector<music::Note> notes = score.notes;
  for (music::Note& note : notes) {
    note.onset_s = to_query(note.onset_s);
    note.offset_s = to_query(note.offset_s);
    note.sounding_offset_s = to_query(note.sounding_offset_s);
  }
  return NotesWithin(notes, 0, length_s);
}

class Errors {
 public:
  Errors(const ErrorsRequest& request, Progress& progress)
      : request_(request),
        progress_(progress),
        collection_(*request.collection),
        renderer_(request.collection->encoder_info().settings.sample_rate) {}

  absl::Status JudgeAll() {
    progress_.Start("judge errors", static_cast<int64_t>(request_.outcomes->size()));
    for (const datasets::Outcome& outcome : *request_.outcomes) {
      progress_.Advance();
      if (outcome.rank == 1) continue;
      ASSIGN_OR_RETURN(QueryTruth truth, request_.truth_of(outcome));
      metrics::ErrorEvidence evidence;
      evidence.played = OnsetsOf(truth.played);
      evidence.written = truth.written;
      evidence.tempo_ratio = truth.tempo_ratio;
      if (!outcome.answer.candidates.empty()) {
        ASSIGN_OR_RETURN(const auto named, Named(outcome));
        evidence.named = OnsetsOf(named);
      }
      if (request_.try_plain && !truth.played.empty()) {
        ASSIGN_OR_RETURN(const bool right, RightWhenPlain(outcome, truth));
        evidence.right_when_plain = right;
      }
      judged_.push_back({&outcome, metrics::KindOf(evidence), std::move(truth)});
    }
    progress_.Finish();
    return absl::OkStatus();
  }

  metrics::ReportTable Table() const {
    std::vector<double> lengths;  // in the order asked for, the whole last
    for (const datasets::Outcome& outcome : *request_.outcomes) {
      const double wanted_s = outcome.excerpt.wanted_s;
      if (std::find(lengths.begin(), lengths.end(), wanted_s) == lengths.end())
        lengths.push_back(wanted_s);
    }
    metrics::ReportTable table{"errors by kind", {}, {}};
    for (const double length_s : lengths) table.columns.push_back(datasets::LengthName(length_s));
    for (const metrics::ErrorKind kind : metrics::AllKinds()) {
      metrics::ReportRow row{metrics::KindName(kind), {}};
      for (const double length_s : lengths) {
        row.figures.push_back(
            std::count_if(judged_.begin(), judged_.end(), [&](const Judged& judged) {
              return judged.kind == kind && judged.outcome->excerpt.wanted_s == length_s;
            }));
      }
      table.rows.push_back(std::move(row));
    }
    return table;
  }

  absl::Status WritePage() {
    std::error_code error;
    fs::create_directories(request_.folder, error);
    if (error)
      return absl::UnavailableError(
          absl::StrCat("cannot make ", request_.folder, ": ", error.message()));
    std::vector<ErrorCase> cases;
    const std::vector<const Judged*> worst = Worst();
    progress_.Start("draw errors", static_cast<int64_t>(worst.size()));
    for (const Judged* judged : worst) {
      ASSIGN_OR_RETURN(ErrorCase error_case, CaseOf(*judged));
      cases.push_back(std::move(error_case));
      progress_.Advance();
    }
    progress_.Finish();
    std::vector<std::pair<metrics::ErrorKind, int>> counts;
    for (const metrics::ErrorKind kind : metrics::AllKinds()) {
      counts.emplace_back(
          kind, std::count_if(judged_.begin(), judged_.end(),
                              [kind](const Judged& judged) { return judged.kind == kind; }));
    }
    const std::string path = absl::StrCat(request_.folder, "/errors-", request_.suite, ".html");
    std::ofstream file(path);
    file << ErrorPage(absl::StrCat("Errors of suite ", request_.suite),
                      static_cast<int>(request_.outcomes->size()), counts, cases);
    file.flush();
    return file ? absl::OkStatus() : absl::UnavailableError(absl::StrCat("cannot write ", path));
  }

 private:
  absl::StatusOr<const music::Score*> ScoreOf(int source) {
    const auto known = scores_.find(source);
    if (known != scores_.end()) return &known->second;
    ASSIGN_OR_RETURN(music::Score score, notation::ReadScore((*request_.entries)[source].midi));
    return &scores_.emplace(source, std::move(score)).first->second;
  }

  absl::StatusOr<std::vector<music::Note>> Named(const datasets::Outcome& outcome) {
    const matching::Candidate& first = outcome.answer.candidates[0];
    ASSIGN_OR_RETURN(const music::Score* score, ScoreOf(first.source));
    return NamedNotes(*score, first, outcome.excerpt.length_s);
  }

  absl::StatusOr<bool> RightWhenPlain(const datasets::Outcome& outcome, const QueryTruth& truth) {
    music::Score played;
    played.notes = truth.played;
    ASSIGN_OR_RETURN(const auto audio, renderer_.Render(played, data::VariationOptions(),
                                                        data::PlainVariation(request_.soundfont)));
    ASSIGN_OR_RETURN(const auto answer, collection_.IdentifyAudio(audio, request_.identify));
    return datasets::RankOfWork(answer.candidates, request_.work_of,
                                (*request_.recordings)[outcome.excerpt.recording].work) == 1;
  }

  // The surest wrong answers, longest queries first within a kind, a few of every kind before more
  // of one.
  std::vector<const Judged*> Worst() const {
    std::vector<const Judged*> order;
    for (const Judged& judged : judged_) order.push_back(&judged);
    const auto confidence = [](const Judged* judged) {
      const auto& candidates = judged->outcome->answer.candidates;
      return candidates.empty() ? 0.0 : candidates[0].confidence;
    };
    std::stable_sort(order.begin(), order.end(), [&](const Judged* a, const Judged* b) {
      return confidence(a) > confidence(b);
    });
    std::map<metrics::ErrorKind, int> taken;
    std::vector<const Judged*> first, more;
    for (const Judged* judged : order)
      (++taken[judged->kind] <= 3 ? first : more).push_back(judged);
    first.insert(first.end(), more.begin(), more.end());
    if (first.size() > static_cast<size_t>(request_.shown)) first.resize(request_.shown);
    std::stable_sort(first.begin(), first.end(),
                     [](const Judged* a, const Judged* b) { return a->kind < b->kind; });
    return first;
  }

  absl::StatusOr<audio::Waveform> AudioOf(const datasets::Excerpt& excerpt) const {
    audio::DecodeOptions decode;
    decode.sample_rate = collection_.encoder_info().settings.sample_rate;
    decode.start_s = excerpt.start_s;
    decode.length_s = excerpt.length_s;
    return audio::DecodeFile((*request_.recordings)[excerpt.recording].path, decode);
  }

  absl::StatusOr<ErrorCase> CaseOf(const Judged& judged) {
    const datasets::Outcome& outcome = *judged.outcome;
    ErrorCase error;
    error.kind = judged.kind;
    error.title = absl::StrFormat(
        "%s, %s from %.1f s", (*request_.recordings)[outcome.excerpt.recording].name,
        datasets::LengthName(outcome.excerpt.wanted_s), outcome.excerpt.start_s);
    error.details.emplace_back("right", (*request_.entries)[judged.truth.source].title);
    error.details.emplace_back(
        "its rank", outcome.rank > 0 ? absl::StrCat(outcome.rank) : "not among the candidates");
    if (judged.truth.tempo_ratio) {
      error.details.emplace_back("played over written tempo",
                                 absl::StrFormat("%.2f", *judged.truth.tempo_ratio));
    }
    ASSIGN_OR_RETURN(const audio::Waveform audio, AudioOf(outcome.excerpt));
    ASSIGN_OR_RETURN(
        error.played_png,
        Draw(audio, judged.truth.played,
             absl::StrCat("Played: ", (*request_.entries)[judged.truth.source].title)));
    RETURN_IF_ERROR(Compare(audio, judged.truth.source, error.right));
    if (outcome.answer.candidates.empty()) return error;
    const matching::Candidate& first = outcome.answer.candidates[0];
    error.details.emplace_back("named", (*request_.entries)[first.source].title);
    error.details.emplace_back(
        "there",
        absl::StrFormat("at %.1f s, tempo ratio %.2f, score %.3f, confidence %.2f",
                        first.place.reference_s, first.match.slope, first.score, first.confidence));
    ASSIGN_OR_RETURN(const auto named, Named(outcome));
    ASSIGN_OR_RETURN(
        error.named_png,
        Draw(audio, named, absl::StrCat("Named: ", (*request_.entries)[first.source].title)));
    RETURN_IF_ERROR(Compare(audio, first.source, error.named));
    return error;
  }

  // The query's spectrogram with these notes over it, as a PNG's bytes.
  absl::StatusOr<std::string> Draw(const audio::Waveform& audio,
                                   const std::vector<music::Note>& notes,
                                   const std::string& title) const {
    const double length_s = std::clamp(audio.duration_s(), 0.5, kLongestPicture);
    music::Score score;
    score.title = title;
    score.notes = NotesWithin(notes, 0, length_s);
    ASSIGN_OR_RETURN(const std::string midi, music::WriteMidi(score));
    const std::string base = request_.folder + "/query";
    std::ofstream(base + ".mid", std::ios::binary) << midi;
    RETURN_IF_ERROR(audio::WriteAudioFile(audio, audio::AudioFormat::kWav, base + ".wav"));
    pictures::PictureOptions picture;
    picture.score = base + ".mid";
    picture.audio = base + ".wav";
    picture.length_s = length_s;
    picture.output = base + ".png";
    picture.settings = collection_.encoder_info().settings;
    const absl::Status drawn = pictures::RunPicture(picture);
    absl::StatusOr<std::string> png = drawn.ok() ? ReadWholeFile(picture.output) : drawn;
    std::error_code ignored;
    for (const char* extension : {".mid", ".wav", ".png"}) fs::remove(base + extension, ignored);
    return png;
  }

  // For each window of the query the nearest one of the piece, at any tempo that is indexed.
  absl::Status Compare(const audio::Waveform& audio, int source,
                       std::vector<PieceSimilarity>& out) {
    ASSIGN_OR_RETURN(const auto query,
                     collection_.EmbedAudio(audio, {.hop_s = 0.25, .max_windows = 240}));
    ASSIGN_OR_RETURN(const music::Score* score, ScoreOf(source));
    for (const double start_s : query.start_s) out.push_back({start_s + query.window_s / 2, -1, 0});
    for (const double tempo_ratio : collection::DefaultTempoRatios()) {
      ASSIGN_OR_RETURN(const auto piece,
                       collection_.EmbedScore(*score, tempo_ratio, {.hop_s = 0.5}));
      for (size_t i = 0; i < out.size(); ++i) {
        const auto row = query.embeddings.begin() + static_cast<int64_t>(i) * query.dimension;
        for (size_t j = 0; j < piece.start_s.size(); ++j) {
          const float similarity = std::inner_product(
              row, row + query.dimension,
              piece.embeddings.begin() + static_cast<int64_t>(j) * query.dimension, 0.0f);
          if (similarity > out[i].similarity) {
            out[i].similarity = similarity;
            out[i].reference_s = piece.start_s[j] + piece.window_s / 2;
          }
        }
      }
    }
    return absl::OkStatus();
  }

  const ErrorsRequest& request_;
  Progress& progress_;
  const retrieval::Collection& collection_;
  data::Renderer renderer_;
  std::map<int, music::Score> scores_;  // by source
  std::vector<Judged> judged_;
};

}  // namespace

std::vector<music::Note> NotesWithin(const std::vector<music::Note>& notes, double start_s,
                                     double length_s) {
  std::vector<music::Note> within;
  for (music::Note note : notes) {
    if (note.onset_s < start_s || note.onset_s >= start_s + length_s) continue;
    note.onset_s -= start_s;
    note.offset_s = std::min(note.offset_s - start_s, length_s);
    note.sounding_offset_s = std::min(note.sounding_offset_s - start_s, length_s);
    within.push_back(note);
  }
  return within;
}

absl::Status WriteErrors(const ErrorsRequest& request, Progress& progress,
                         metrics::Report& report) {
  Errors errors(request, progress);
  RETURN_IF_ERROR(errors.JudgeAll());
  report.tables.push_back(errors.Table());
  return errors.WritePage();
}

}  // namespace antiphon::trainer::evaluation
