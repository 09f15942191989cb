#include "trainer/evaluation/calibration.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <random>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/matching/voting.h"
#include "trainer/base/fingerprint.h"
#include "trainer/data/performance.h"
#include "trainer/data/renderer.h"
#include "trainer/data/soundfonts.h"
#include "trainer/datasets/noises.h"
#include "trainer/datasets/reference_collection.h"
#include "trainer/datasets/test_set.h"
#include "trainer/evaluation/background_music.h"

namespace antiphon::trainer::evaluation {
namespace {

struct Piece : datasets::PartPiece {
  int source = -1;     // in the collection, or -1
  std::set<int> same;  // itself, and the others there that share its music
};

absl::StatusOr<std::vector<Piece>> ReadPieces(const CalibrationOptions& options, data::Part part) {
  ASSIGN_OR_RETURN(
      std::vector<datasets::PartPiece> read,
      datasets::ReadPart(options.midi_dir, options.split, part, datasets::Unusable::kPassedOver));
  std::vector<Piece> pieces;
  for (datasets::PartPiece& piece : read) pieces.push_back({std::move(piece), -1, {}});
  return pieces;
}

// All valid pieces, then distractors; notes each one's place in the collection. What a query is
// asked in are parts of it.
absl::StatusOr<std::unique_ptr<const retrieval::Collection>> MakeCollection(
    const CalibrationOptions& options, std::vector<Piece>& valid,
    const std::vector<Piece>& distractors, Progress& progress) {
  std::vector<datasets::CollectionEntry> entries;
  for (Piece& piece : valid) {
    piece.source = static_cast<int>(entries.size());
    entries.push_back({piece.name, piece.name, "", piece.midi});
  }
  const size_t count = std::min(distractors.size(), static_cast<size_t>(options.distractors));
  for (size_t i = 0; i < count; ++i)
    entries.push_back({distractors[i].name, distractors[i].name, "", distractors[i].midi});
  datasets::ReferenceCollectionOptions reference{options.builder, options.work};
  reference.builder.model_directory = options.model;
  reference.builder.encoder = options.encoder;
  return datasets::OpenReferenceCollection(entries, reference, progress);
}

// Requires a candidate.
CalibrationPoint PointOf(const matching::Identification& answer, double length_s) {
  CalibrationPoint point;
  point.score = answer.candidates[0].score;
  point.second = answer.rival;
  point.background = answer.background;
  point.windows = answer.windows;
  point.length_s = length_s;
  return point;
}

// A collection of `size` pieces drawn at random, with the piece or without it, and without what
// shares its music; all where there are no more.
std::vector<std::string> DrawCollection(const retrieval::Collection& collection, const Piece& piece,
                                        bool known, int size, std::mt19937_64& random) {
  std::vector<std::string> ids;
  const std::vector<catalog::Piece>& pieces = collection.pieces();
  for (int i = 0; i < std::ssize(pieces); ++i) {
    if (!piece.same.contains(i)) ids.push_back(pieces[i].id);
  }
  std::shuffle(ids.begin(), ids.end(), random);
  ids.resize(std::min(ids.size(), static_cast<size_t>(known ? size - 1 : size)));
  if (known) ids.push_back(pieces[piece.source].id);
  return ids;
}

// Asks for one rendition in collections of every size.
absl::Status AskInCollections(const Piece& piece, const audio::Waveform& audio, double length_s,
                              const CalibrationOptions& options,
                              const retrieval::Collection& collection, std::mt19937_64& random,
                              std::vector<CalibrationPoint>& points) {
  matching::IdentifyOptions identify = options.identify;
  identify.top_k = 2;
  ASSIGN_OR_RETURN(const matching::EmbeddingSequence windows,
                   collection.EmbedAudio(audio, {.hop_s = identify.hop_s.value()}));
  for (const int size : options.collection_sizes) {
    for (const bool known : {true, false}) {
      identify.filter.sources.piece_ids = DrawCollection(collection, piece, known, size, random);
      ASSIGN_OR_RETURN(const matching::Identification answer,
                       collection.IdentifyEmbedded(windows, audio.duration_s(), identify));
      if (answer.candidates.empty()) continue;
      CalibrationPoint point = PointOf(answer, length_s);
      point.right = answer.candidates[0].source == piece.source;
      point.known = known;
      point.pieces = static_cast<int>(identify.filter.sources.piece_ids.size());
      points.push_back(point);
    }
  }
  return absl::OkStatus();
}

absl::Status AskAbout(const Piece& piece, const CalibrationOptions& options,
                      const retrieval::Collection& collection, data::Renderer& renderer,
                      std::vector<CalibrationPoint>& points) {
  const data::VariationOptions varied;
  for (double length_s : options.excerpts_s) {
    for (int query = 0; query < options.queries_per_piece; ++query) {
      std::mt19937_64 random(HashOf(absl::StrCat(options.seed, piece.name, length_s, "/", query)));
      const data::Variation variation = data::DrawVariation(varied, options.soundfonts, random());
      const double span_s = length_s * variation.tempo_ratio;  // of the score
      const double latest = std::max(0.0, data::MusicEnd(piece.score) - span_s);
      const double start_s = std::uniform_real_distribution<double>(0, latest + 1e-9)(random);
      const music::Score excerpt = music::Excerpt(piece.score, start_s, start_s + span_s);
      if (excerpt.notes.empty()) continue;
      ASSIGN_OR_RETURN(audio::Waveform audio, renderer.Render(excerpt, varied, variation));
      audio.samples.resize(std::min<size_t>(audio.samples.size(), length_s * audio.sample_rate));
      RETURN_IF_ERROR(
          AskInCollections(piece, audio, length_s, options, collection, random, points));
    }
  }
  return absl::OkStatus();
}

absl::Status AskAboutNoises(const CalibrationOptions& options,
                            const retrieval::Collection& collection, Progress& progress,
                            std::vector<CalibrationPoint>& points) {
  matching::IdentifyOptions identify = options.identify;
  identify.top_k = 2;
  progress.Start("ask for noises", std::ssize(datasets::NoiseNames()) *
                                       std::ssize(options.excerpts_s) * options.noises_of_each);
  // Other sounds than those of the suite `unknown`, whatever its seed.
  const std::string seed = absl::StrCat("calibration/", options.seed);
  const auto ask = [&](const std::string&, double length_s, const audio::Waveform& audio) {
    const absl::StatusOr<matching::Identification> answer =
        collection.IdentifyAudio(audio, identify);
    if (answer.ok() && !answer->candidates.empty()) points.push_back(PointOf(*answer, length_s));
    progress.Advance();
    return answer.status();
  };
  const absl::Status asked =
      datasets::ForEachNoise(seed, options.excerpts_s, options.noises_of_each,
                             collection.encoder_info().settings.sample_rate, ask);
  progress.Finish();
  return asked;
}

double Predict(const matching::ConfidenceModel& model, const CalibrationPoint& point) {
  return matching::Confidence(model, point.score, point.rival(), point.windows);
}

constexpr double kShortest_s = 5;  // of a query whose length has a rate of its own

constexpr int kWeights = 4;
using Vector = std::array<double, kWeights>;
using Matrix = std::array<Vector, kWeights>;

// What the weights of a confidence model stand before, in the order of SetWeights.
Vector InputsOf(const CalibrationPoint& point) {
  return {1, point.score, matching::VoteMargin(point.score, point.rival()),
          std::log2(1.0 + point.windows)};
}

void SetWeights(const Vector& weights, matching::ConfidenceModel& model) {
  model.bias = weights[0];
  model.score_weight = weights[1];
  model.margin_weight = weights[2];
  model.length_weight = weights[3];
}

// Solves the system by Gaussian elimination; the ridge keeps it regular.
Vector Solve(Matrix a, Vector b) {
  for (int i = 0; i < kWeights; ++i) {
    for (int row = i + 1; row < kWeights; ++row) {
      const double factor = a[row][i] / a[i][i];
      for (int column = i; column < kWeights; ++column) a[row][column] -= factor * a[i][column];
      b[row] -= factor * b[i];
    }
  }
  for (int i = kWeights - 1; i >= 0; --i) {
    for (int column = i + 1; column < kWeights; ++column) b[i] -= a[i][column] * b[column];
    b[i] /= a[i][i];
  }
  return b;
}

}  // namespace

void FitLogistic(Calibration& calibration) {
  constexpr double kRidge = 1e-2;
  constexpr int kIterations = 50;
  Vector weights = {};
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    Matrix hessian = {};
    Vector gradient = {};
    for (int i = 0; i < kWeights; ++i) {
      hessian[i][i] = kRidge;
      gradient[i] = -kRidge * weights[i];
    }
    SetWeights(weights, calibration.model);
    for (const CalibrationPoint& point : calibration.points) {
      const double predicted = Predict(calibration.model, point);
      const Vector inputs = InputsOf(point);
      for (int i = 0; i < kWeights; ++i) {
        gradient[i] += (point.right - predicted) * inputs[i];
        for (int j = 0; j < kWeights; ++j)
          hessian[i][j] += predicted * (1 - predicted) * inputs[i] * inputs[j];
      }
    }
    const Vector step = Solve(hessian, gradient);
    for (int i = 0; i < kWeights; ++i) weights[i] += step[i];
  }
  SetWeights(weights, calibration.model);
  calibration.model.queries = static_cast<int>(calibration.points.size());
}

void ChooseThreshold(Calibration& calibration, double false_accept_rate) {
  // Of every length of query by itself, for one rate over all would let the many easy ones pay for
  // a few that are not; and of all together. Queries that are too short to be sure of count in the
  // latter only: they alone would decide.
  std::map<double, std::vector<double>> groups;  // confidences; all of them at 0
  for (const CalibrationPoint& point : calibration.points) {
    if (point.known) continue;
    const double confidence = Predict(calibration.model, point);
    groups[0].push_back(confidence);
    if (point.length_s >= kShortest_s) groups[point.length_s].push_back(confidence);
  }
  double& threshold = calibration.model.threshold;
  threshold = 0;
  for (auto& [length_s, unknown] : groups) {
    std::sort(unknown.begin(), unknown.end(), std::greater<>());
    // Just above the first confidence that must not pass.
    const auto allowed =
        static_cast<size_t>(false_accept_rate * static_cast<double>(unknown.size()));
    if (allowed < unknown.size())
      threshold = std::max(threshold, std::nextafter(unknown[allowed], 1.0));
  }
  for (const CalibrationPoint& noise : calibration.noises) {
    threshold = std::max(threshold, std::nextafter(Predict(calibration.model, noise), 1.0));
  }
  const std::vector<double>& all = groups[0];
  const auto accepted = std::count_if(all.begin(), all.end(),
                                      [&](double confidence) { return confidence >= threshold; });
  calibration.model.false_accept_rate =
      static_cast<double>(accepted) / static_cast<double>(all.size());
}

namespace {

// What the threshold lets through, by size of collection and length of query.
void AppendGroups(const Calibration& calibration, std::string& text) {
  struct Tally {
    int known = 0, named = 0, misnamed = 0, unknown = 0, accepted = 0;
  };
  std::map<std::pair<int, double>, Tally> groups;
  for (const CalibrationPoint& point : calibration.points) {
    Tally& tally = groups[{point.pieces, point.length_s}];
    const bool passes = Predict(calibration.model, point) >= calibration.model.threshold;
    (point.known ? tally.known : tally.unknown) += 1;
    tally.named += point.known && passes && point.right;
    tally.misnamed += point.known && passes && !point.right;
    tally.accepted += !point.known && passes;
  }
  text += "pieces  length  known  named  misnamed  unknown  accepted\n";
  for (const auto& [group, tally] : groups) {
    absl::StrAppendFormat(&text, "%6d  %4.0f s  %5d  %5.3f  %8d  %7d  %8d\n", group.first,
                          group.second, tally.known,
                          tally.known ? static_cast<double>(tally.named) / tally.known : 0.0,
                          tally.misnamed, tally.unknown, tally.accepted);
  }
}

}  // namespace

std::string CalibrationTable(const Calibration& calibration) {
  std::string text = "score\tsecond\tbackground\twindows\tright\tknown\tlength_s\tpieces\tnoise\n";
  const auto append = [&text](const CalibrationPoint& point, bool noise) {
    absl::StrAppendFormat(&text, "%.6f\t%.6f\t%.6f\t%d\t%d\t%d\t%g\t%d\t%d\n", point.score,
                          point.second, point.background, point.windows, point.right, point.known,
                          point.length_s, point.pieces, noise);
  };
  for (const CalibrationPoint& point : calibration.points) append(point, false);
  for (const CalibrationPoint& point : calibration.noises) append(point, true);
  return text;
}

std::string CalibrationText(const Calibration& calibration) {
  std::string text = absl::StrFormat(
      "%d queries; confidence = 1 / (1 + exp(-(%.2f + %.2f·score + %.2f·margin + %.2f·length)))\n",
      calibration.points.size(), calibration.model.bias, calibration.model.score_weight,
      calibration.model.margin_weight, calibration.model.length_weight);
  std::array<int, 10> answers = {}, right = {};
  int known = 0, known_named = 0, wrong_named = 0, unknown = 0, unknown_named = 0;
  for (const CalibrationPoint& point : calibration.points) {
    const double confidence = Predict(calibration.model, point);
    const int tenth = std::min(9, static_cast<int>(confidence * 10));
    ++answers[tenth];
    right[tenth] += point.right;
    const bool named = confidence >= calibration.model.threshold;
    known += point.known;
    unknown += !point.known;
    known_named += point.known && named && point.right;
    wrong_named += point.known && named && !point.right;
    unknown_named += !point.known && named;
  }
  std::map<double, std::pair<int, int>>
      first;  // by length: known pieces, and those that came first
  for (const CalibrationPoint& point : calibration.points) {
    first[point.length_s].first += point.known;
    first[point.length_s].second += point.known && point.right;
  }
  for (const auto& [length_s, counts] : first) {
    absl::StrAppendFormat(&text, "%.0f s: %d of %d known pieces first (%.3f)\n", length_s,
                          counts.second, counts.first,
                          counts.first ? static_cast<double>(counts.second) / counts.first : 0.0);
  }
  AppendGroups(calibration, text);
  text += "confidence  answers  right\n";
  for (int tenth = 0; tenth < 10; ++tenth) {
    absl::StrAppendFormat(
        &text, "%.1f to %.1f  %7d  %5.2f\n", tenth / 10.0, (tenth + 1) / 10.0, answers[tenth],
        answers[tenth] ? static_cast<double>(right[tenth]) / answers[tenth] : 0.0);
  }
  absl::StrAppendFormat(
      &text, "at %.3f: known pieces named %d of %d, misnamed %d; unknown pieces named %d of %d\n",
      calibration.model.threshold, known_named, known, wrong_named, unknown_named, unknown);
  const auto noises_named =
      std::count_if(calibration.noises.begin(), calibration.noises.end(), [&](const auto& noise) {
        return Predict(calibration.model, noise) >= calibration.model.threshold;
      });
  absl::StrAppendFormat(
      &text,
      "sounds that are no music: %d asked for that bring a piece to mind, %d of them named\n",
      calibration.noises.size(), noises_named);
  return text;
}

absl::StatusOr<Calibration> Calibrate(const CalibrationOptions& options, Progress& progress) {
  if (options.soundfonts.empty())
    return absl::InvalidArgumentError("at least one soundfont is needed");
  for (const std::string& soundfont : options.soundfonts) {
    RETURN_IF_ERROR(data::CheckTrainingSoundfont(soundfont));
  }
  ASSIGN_OR_RETURN(std::vector<Piece> valid, ReadPieces(options, data::Part::kValid));
  ASSIGN_OR_RETURN(std::vector<Piece> distractors, ReadPieces(options, data::Part::kTrain));
  if (valid.size() < 2) return absl::NotFoundError("the valid part has fewer than two pieces");
  // What the answers are compared with anyway proves nothing as an unknown piece's double.
  std::erase_if(distractors, [](const Piece& piece) { return IsBackgroundPiece(piece.name); });
  std::shuffle(distractors.begin(), distractors.end(), std::mt19937_64(options.seed));

  ASSIGN_OR_RETURN(const auto collection, MakeCollection(options, valid, distractors, progress));
  data::Renderer renderer(collection->encoder_info().settings.sample_rate);
  Calibration calibration;
  progress.Start("ask", static_cast<int64_t>(valid.size()));
  for (Piece& piece : valid) {
    ASSIGN_OR_RETURN(const auto shared, collection->FindSameMusic(piece.source));
    piece.same = {piece.source};
    for (const matching::SharedMusic& one : shared) piece.same.insert(one.other);
    RETURN_IF_ERROR(AskAbout(piece, options, *collection, renderer, calibration.points));
    progress.Advance();
  }
  progress.Finish();
  RETURN_IF_ERROR(AskAboutNoises(options, *collection, progress, calibration.noises));
  const auto known = std::count_if(calibration.points.begin(), calibration.points.end(),
                                   [](const CalibrationPoint& point) { return point.known; });
  if (known == 0 || known == std::ssize(calibration.points)) {
    return absl::FailedPreconditionError(
        absl::StrCat("nothing to fit: answers brought a piece to mind for ", known,
                     " queries for known pieces and ", std::ssize(calibration.points) - known,
                     " for unknown ones, and both are needed"));
  }
  FitLogistic(calibration);
  ChooseThreshold(calibration, options.false_accept_rate);
  return calibration;
}

}  // namespace antiphon::trainer::evaluation
