#include "trainer/evaluation/calibration.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <random>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/retrieval/collection.h"
#include "core/retrieval/collection_builder.h"
#include "trainer/data/performance.h"
#include "trainer/data/renderer.h"
#include "trainer/data/soundfonts.h"
#include "trainer/evaluation/test_set.h"
#include "trainer/fingerprint.h"

namespace antiphon::trainer {
namespace {

namespace fs = std::filesystem;

struct Piece : PartPiece {
  int source = -1;  // in the collection, or -1
};

absl::StatusOr<std::vector<Piece>> ReadPieces(const CalibrationOptions& options, Part part) {
  absl::StatusOr<std::vector<PartPiece>> read = ReadPart(options.midi_dir, options.split, part, Unusable::kPassedOver);
  if (!read.ok()) return read.status();
  std::vector<Piece> pieces;
  for (PartPiece& piece : *read) pieces.push_back({std::move(piece), -1});
  return pieces;
}

std::string BundleFolder(const CalibrationOptions& options) { return options.work + "/calibration-bundle"; }

// Every second valid piece, then distractors; notes each one's place in the collection.
absl::StatusOr<std::unique_ptr<const retrieval::Collection>> MakeCollection(const CalibrationOptions& options,
                                                                            std::vector<Piece>& valid,
                                                                            const std::vector<Piece>& distractors,
                                                                            Progress& progress) {
  retrieval::BuilderOptions build;
  build.model_directory = options.model;
  build.encoder = options.encoder;
  auto builder = retrieval::CollectionBuilder::Create(BundleFolder(options), build);
  if (!builder.ok()) return builder.status();
  const size_t count = std::min(distractors.size(), static_cast<size_t>(options.distractors));
  progress.Start("index", static_cast<int64_t>((valid.size() + 1) / 2 + count));
  int next = 0;
  const auto add = [&](const Piece& piece) {
    catalog::Piece entry;
    entry.id = entry.title = piece.name;
    progress.Advance();
    return (*builder)->AddPiece(entry, piece.midi);
  };
  for (size_t i = 0; i < valid.size(); i += 2) {
    if (absl::Status status = add(valid[i]); !status.ok()) return status;
    valid[i].source = next++;
  }
  for (size_t i = 0; i < count; ++i) {
    if (absl::Status status = add(distractors[i]); !status.ok()) return status;
  }
  progress.Finish();
  if (const auto manifest = (*builder)->Publish(); !manifest.ok()) return manifest.status();
  retrieval::CollectionOptions open;
  open.encoder = options.encoder;
  return retrieval::Collection::Open(BundleFolder(options), open);
}

absl::Status AskAbout(const Piece& piece, const CalibrationOptions& options, const retrieval::Collection& collection,
                      Renderer& renderer, std::vector<CalibrationPoint>& points) {
  retrieval::IdentifyOptions identify;
  identify.top_k = 2;
  const VariationOptions varied;
  for (double length_s : options.excerpts_s) {
    for (int query = 0; query < options.queries_per_piece; ++query) {
      std::mt19937_64 random(HashOf(absl::StrCat(options.seed, piece.name, length_s, "/", query)));
      const Variation variation = DrawVariation(varied, options.soundfonts, random());
      const double span_s = length_s * variation.tempo_ratio;  // of the score
      const double latest = std::max(0.0, MusicEnd(piece.score) - span_s);
      const double start_s = std::uniform_real_distribution<double>(0, latest + 1e-9)(random);
      const music::Score excerpt = music::Excerpt(piece.score, start_s, start_s + span_s);
      if (excerpt.notes.empty()) continue;
      absl::StatusOr<audio::Waveform> sound = renderer.Render(excerpt, varied, variation);
      if (!sound.ok()) return sound.status();
      sound->samples.resize(std::min<size_t>(sound->samples.size(), length_s * sound->sample_rate));
      const absl::StatusOr<retrieval::Identification> answer = collection.IdentifyAudio(*sound, identify);
      if (!answer.ok()) return answer.status();
      if (answer->candidates.empty()) continue;
      const double best = answer->candidates[0].score;
      const double second = answer->candidates.size() > 1 ? answer->candidates[1].score : 0;
      points.push_back(
          {best, retrieval::VoteMargin(best, second), answer->candidates[0].source == piece.source, piece.source >= 0});
    }
  }
  return absl::OkStatus();
}

double Predict(const Calibration& c, const CalibrationPoint& point) {
  return 1 / (1 + std::exp(-(c.bias + c.score_weight * point.score + c.margin_weight * point.margin)));
}

// Solves the 3×3 system in place by Gaussian elimination; the ridge keeps it regular.
std::array<double, 3> Solve(std::array<std::array<double, 3>, 3> a, std::array<double, 3> b) {
  for (int i = 0; i < 3; ++i) {
    for (int row = i + 1; row < 3; ++row) {
      const double factor = a[row][i] / a[i][i];
      for (int column = i; column < 3; ++column) a[row][column] -= factor * a[i][column];
      b[row] -= factor * b[i];
    }
  }
  for (int i = 2; i >= 0; --i) {
    for (int column = i + 1; column < 3; ++column) b[i] -= a[i][column] * b[column];
    b[i] /= a[i][i];
  }
  return b;
}

}  // namespace

void FitLogistic(Calibration& calibration) {
  constexpr double kRidge = 1e-2;
  constexpr int kIterations = 50;
  std::array<double, 3> weights = {};
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    std::array<std::array<double, 3>, 3> hessian = {};
    std::array<double, 3> gradient = {};
    for (int i = 0; i < 3; ++i) {
      hessian[i][i] = kRidge;
      gradient[i] = -kRidge * weights[i];
    }
    calibration.bias = weights[0];
    calibration.score_weight = weights[1];
    calibration.margin_weight = weights[2];
    for (const CalibrationPoint& point : calibration.points) {
      const double predicted = Predict(calibration, point);
      const std::array<double, 3> inputs = {1, point.score, point.margin};
      for (int i = 0; i < 3; ++i) {
        gradient[i] += (point.right - predicted) * inputs[i];
        for (int j = 0; j < 3; ++j) hessian[i][j] += predicted * (1 - predicted) * inputs[i] * inputs[j];
      }
    }
    const std::array<double, 3> step = Solve(hessian, gradient);
    for (int i = 0; i < 3; ++i) weights[i] += step[i];
  }
  calibration.bias = weights[0];
  calibration.score_weight = weights[1];
  calibration.margin_weight = weights[2];
}

std::string CalibrationText(const Calibration& calibration) {
  std::string text =
      absl::StrFormat("%d queries; confidence = 1 / (1 + exp(-(%.2f + %.2f·score + %.2f·margin)))\n",
                      calibration.points.size(), calibration.bias, calibration.score_weight, calibration.margin_weight);
  std::array<int, 10> answers = {}, right = {};
  int known = 0, known_named = 0, wrong_named = 0, unknown = 0, unknown_named = 0;
  for (const CalibrationPoint& point : calibration.points) {
    const double confidence = Predict(calibration, point);
    const int tenth = std::min(9, static_cast<int>(confidence * 10));
    ++answers[tenth];
    right[tenth] += point.right;
    const bool named = confidence >= 0.5;
    known += point.known;
    unknown += !point.known;
    known_named += point.known && named && point.right;
    wrong_named += point.known && named && !point.right;
    unknown_named += !point.known && named;
  }
  text += "confidence  answers  right\n";
  for (int tenth = 0; tenth < 10; ++tenth) {
    absl::StrAppendFormat(&text, "%.1f to %.1f  %7d  %5.2f\n", tenth / 10.0, (tenth + 1) / 10.0, answers[tenth],
                          answers[tenth] ? static_cast<double>(right[tenth]) / answers[tenth] : 0.0);
  }
  absl::StrAppendFormat(&text, "at 0.5: known pieces named %d of %d, misnamed %d; unknown pieces named %d of %d\n",
                        known_named, known, wrong_named, unknown_named, unknown);
  return text;
}

absl::StatusOr<Calibration> Calibrate(const CalibrationOptions& options, Progress& progress) {
  if (options.soundfonts.empty()) return absl::InvalidArgumentError("at least one soundfont is needed");
  for (const std::string& soundfont : options.soundfonts) {
    if (absl::Status status = CheckTrainingSoundfont(soundfont); !status.ok()) return status;
  }
  absl::StatusOr<std::vector<Piece>> valid = ReadPieces(options, Part::kValid);
  if (!valid.ok()) return valid.status();
  absl::StatusOr<std::vector<Piece>> distractors = ReadPieces(options, Part::kTrain);
  if (!distractors.ok()) return distractors.status();
  if (valid->size() < 2) return absl::NotFoundError("the valid part has fewer than two pieces");
  std::shuffle(distractors->begin(), distractors->end(), std::mt19937_64(options.seed));

  const std::string bundle = BundleFolder(options);
  fs::remove_all(bundle);
  const auto collection = MakeCollection(options, *valid, *distractors, progress);
  if (!collection.ok()) return collection.status();
  Renderer renderer((*collection)->encoder_info().settings.sample_rate);
  Calibration calibration;
  progress.Start("ask", static_cast<int64_t>(valid->size()));
  for (const Piece& piece : *valid) {
    if (absl::Status status = AskAbout(piece, options, **collection, renderer, calibration.points); !status.ok()) {
      return status;
    }
    progress.Advance();
  }
  progress.Finish();
  fs::remove_all(bundle);
  FitLogistic(calibration);
  return calibration;
}

}  // namespace antiphon::trainer
