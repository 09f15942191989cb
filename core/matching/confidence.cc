#include "core/matching/confidence.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/matching/voting.h"

namespace antiphon::matching {
namespace {

// Of any weight in a file, so that the exponent stays finite.
constexpr double kGreatestWeight = 1000;

// What the file holds, by name: one list for both directions.
struct Field {
  const char* name;
  double ConfidenceModel::*value;
  double low, high;
};
constexpr Field kFields[] = {
    {"bias", &ConfidenceModel::bias, -kGreatestWeight, kGreatestWeight},
    {"score_weight", &ConfidenceModel::score_weight, -kGreatestWeight, kGreatestWeight},
    {"margin_weight", &ConfidenceModel::margin_weight, -kGreatestWeight, kGreatestWeight},
    {"length_weight", &ConfidenceModel::length_weight, -kGreatestWeight, kGreatestWeight},
    {"threshold", &ConfidenceModel::threshold, 0, 1},
    {"false_accept_rate", &ConfidenceModel::false_accept_rate, 0, 1},
};

}  // namespace

double Confidence(const ConfidenceModel& model, double score, double rival, int windows,
                  int chances) {
  // Odds are exp(exponent): a logarithm less divides them by the number of chances.
  const double exponent = model.bias + model.score_weight * score +
                          model.margin_weight * VoteMargin(score, rival) +
                          model.length_weight * std::log2(1.0 + windows) - std::log(chances);
  return 1.0 / (1.0 + std::exp(-exponent));
}

std::string ConfidenceToJson(const ConfidenceModel& model) {
  nlohmann::ordered_json json;
  for (const Field& field : kFields) json[field.name] = model.*field.value;
  json["queries"] = model.queries;
  return json.dump(1);
}

absl::StatusOr<ConfidenceModel> ParseConfidence(std::string_view json) {
  const auto values = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!values.is_object()) return absl::DataLossError("the confidence model is no JSON object");
  ConfidenceModel model;
  for (const Field& field : kFields) {
    const auto it = values.find(field.name);
    if (it == values.end() || !it->is_number() || !(*it >= field.low && *it <= field.high)) {
      return absl::DataLossError(absl::StrCat("the confidence model's ", field.name,
                                              " is no number from ", field.low, " to ",
                                              field.high));
    }
    model.*field.value = it->get<double>();
  }
  const auto queries = values.find("queries");
  if (queries == values.end() || !queries->is_number_integer() || *queries < 0 ||
      *queries > 1'000'000'000) {
    return absl::DataLossError("the confidence model's queries is no count");
  }
  model.queries = queries->get<int>();
  return model;
}

}  // namespace antiphon::matching
