#include "core/collection/background.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"

namespace antiphon::collection {
namespace {

using catalog::Side;
using catalog::SnippetRun;

constexpr std::string_view kMagic = "antiphon background 1\n";
constexpr size_t kLengthDigits = 8;         // of the header's length, decimal
constexpr int64_t kMaxVectors = 4'000'000;  // a gigabyte, at 64 dimensions
constexpr double kLargest = 127;            // of a byte
constexpr double kLongest_s = 1e6;          // of any time in a header

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("the background: ", what));
}

bool IsSound(const SnippetRun& run) {
  const auto positive = [](double value) { return value > 0 && value <= kLongest_s; };
  return run.count >= 1 && run.count <= kMaxVectors && positive(run.tempo_ratio) &&
         positive(run.hop_s) && positive(run.window_s) && std::abs(run.start_s) <= kLongest_s;
}

nlohmann::ordered_json HeaderOf(const std::vector<Background::Passage>& passages) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Background::Passage& passage : passages) {
    nlohmann::ordered_json runs = nlohmann::ordered_json::array();
    for (const auto& [run, vectors] : passage)
      runs.push_back({run.count, run.tempo_ratio, run.start_s, run.hop_s, run.window_s});
    list.push_back(std::move(runs));
  }
  return list;
}

// Values lie in [-1, 1]: the vectors have length 1.
void AppendVectors(const std::vector<Background::Passage>& passages, std::string& bytes) {
  for (const Background::Passage& passage : passages) {
    for (const auto& [run, vectors] : passage) {
      for (const float value : vectors)
        bytes.push_back(static_cast<char>(
            std::lround(std::clamp(static_cast<double>(value), -1.0, 1.0) * kLargest)));
    }
  }
}

// The next `count` vectors of the bytes, of length 1 again.
std::vector<float> TakeVectors(int64_t count, int dimension, std::string_view& bytes) {
  std::vector<float> vectors;
  vectors.reserve(count * dimension);
  for (int64_t row = 0; row < count; ++row) {
    double square = 0;
    for (int i = 0; i < dimension; ++i) {
      const auto value = static_cast<float>(static_cast<signed char>(bytes[i]));
      vectors.push_back(value);
      square += static_cast<double>(value) * value;
    }
    const auto scale = static_cast<float>(square > 0 ? 1 / std::sqrt(square) : 0);
    for (auto it = vectors.end() - dimension; it != vectors.end(); ++it) *it *= scale;
    bytes.remove_prefix(dimension);
  }
  return vectors;
}

bool IsNumber(const nlohmann::json& value) { return value.is_number(); }

absl::StatusOr<SnippetRun> ParseRun(const nlohmann::json& fields) {
  const bool whole = fields.is_array() && fields.size() == 5 && fields[0].is_number_integer() &&
                     std::all_of(fields.begin(), fields.end(), IsNumber);
  if (!whole) return Damaged("a run is not five numbers");
  SnippetRun run;
  run.count = fields[0].get<int64_t>();
  run.tempo_ratio = fields[1].get<double>();
  run.start_s = fields[2].get<double>();
  run.hop_s = fields[3].get<double>();
  run.window_s = fields[4].get<double>();
  if (!IsSound(run)) return Damaged("a run is out of range");
  return run;
}

absl::StatusOr<std::vector<Background::Passage>> ParseSide(const nlohmann::json& header,
                                                           const char* name, int dimension,
                                                           std::string_view& bytes) {
  const auto list = header.find(name);
  if (list == header.end() || !list->is_array()) return Damaged(absl::StrCat("no list ", name));
  std::vector<Background::Passage> passages;
  for (const nlohmann::json& runs : *list) {
    if (!runs.is_array()) return Damaged("a passage is no list of runs");
    Background::Passage& passage = passages.emplace_back();
    for (const nlohmann::json& fields : runs) {
      ASSIGN_OR_RETURN(const SnippetRun run, ParseRun(fields));
      if (static_cast<int64_t>(bytes.size()) / dimension < run.count)
        return Damaged("it ends before its vectors do");
      passage.push_back({run, TakeVectors(run.count, dimension, bytes)});
    }
  }
  return passages;
}

}  // namespace

absl::StatusOr<Background::Part> Background::MakePart(std::vector<Passage> passages,
                                                      int dimension) {
  Part part;
  std::vector<float> all;
  for (size_t source = 0; source < passages.size(); ++source) {
    for (auto& [run, vectors] : passages[source]) {
      if (!IsSound(run) || vectors.size() != static_cast<size_t>(run.count) * dimension)
        return absl::InvalidArgumentError("a passage of the background is out of range");
      run.source = static_cast<int>(source);
      run.first_vector = static_cast<int64_t>(all.size()) / dimension;
      all.insert(all.end(), vectors.begin(), vectors.end());
      part.runs.push_back(run);
    }
  }
  ASSIGN_OR_RETURN(part.index, index::VectorIndex::Build({.dimension = dimension}, all));
  part.passages = std::move(passages);
  return part;
}

absl::StatusOr<std::shared_ptr<const Background>> Background::Make(
    std::string model_id, int dimension, std::vector<Passage> scores,
    std::vector<Passage> recordings) {
  std::shared_ptr<Background> background(new Background);
  background->model_id_ = std::move(model_id);
  background->dimension_ = dimension;
  ASSIGN_OR_RETURN(background->scores_, MakePart(std::move(scores), dimension));
  ASSIGN_OR_RETURN(background->recordings_, MakePart(std::move(recordings), dimension));
  return background;
}

absl::StatusOr<std::shared_ptr<const Background>> Background::Parse(std::string_view bytes) {
  const std::string_view start = bytes.substr(0, kMagic.size() + kLengthDigits);
  if (start.size() < kMagic.size() + kLengthDigits || start.substr(0, kMagic.size()) != kMagic)
    return Damaged("another kind of file");
  size_t length = 0;
  for (const char digit : start.substr(kMagic.size())) {
    if (digit < '0' || digit > '9') return Damaged("the header's length is no number");
    length = 10 * length + static_cast<size_t>(digit - '0');
  }
  bytes.remove_prefix(start.size());
  if (bytes.size() < length) return Damaged("it ends within its header");
  const auto header =
      nlohmann::json::parse(bytes.substr(0, length), nullptr, /*allow_exceptions=*/false);
  bytes.remove_prefix(length);
  if (!header.is_object() || !header.contains("model_id") || !header["model_id"].is_string() ||
      !header.contains("dimension") || !header["dimension"].is_number_integer())
    return Damaged("the header names no model and dimension");
  const auto dimension = header["dimension"].get<int64_t>();
  const Range<int>& range = index::IndexOptions::kDimensionRange;
  if (dimension < range.low || dimension > range.high) return Damaged("dimension is out of range");
  const auto size = static_cast<int>(dimension);
  ASSIGN_OR_RETURN(auto scores, ParseSide(header, "scores", size, bytes));
  ASSIGN_OR_RETURN(auto recordings, ParseSide(header, "recordings", size, bytes));
  if (!bytes.empty()) return Damaged("it goes on behind its vectors");
  return Make(header["model_id"].get<std::string>(), size, std::move(scores),
              std::move(recordings));
}

std::string Background::ToBytes() const {
  nlohmann::ordered_json header;
  header["model_id"] = model_id_;
  header["dimension"] = dimension_;
  header["scores"] = HeaderOf(scores_.passages);
  header["recordings"] = HeaderOf(recordings_.passages);
  const std::string text = header.dump();
  std::string bytes = std::string(kMagic) + absl::StrFormat("%08d", text.size()) + text;
  AppendVectors(scores_.passages, bytes);
  AppendVectors(recordings_.passages, bytes);
  return bytes;
}

const Background::Part& Background::part(Side side) const {
  return side == Side::kScores ? scores_ : recordings_;
}

const std::vector<Background::Passage>& Background::passages(Side side) const {
  return part(side).passages;
}

absl::StatusOr<std::vector<CollectionView::Found>> Background::Search(
    Side side, std::span<const float> queries, int k) const {
  const Part& part = this->part(side);
  ASSIGN_OR_RETURN(const index::SearchResult result, part.index->Search(queries, k));
  std::vector<CollectionView::Found> found;
  for (size_t i = 0; i < result.ids.size(); ++i) {
    const int64_t id = result.ids[i];
    if (id < 0) continue;
    const SnippetRun& run = *std::prev(std::upper_bound(
        part.runs.begin(), part.runs.end(), id,
        [](int64_t vector, const SnippetRun& other) { return vector < other.first_vector; }));
    const double start_s = run.start_s + static_cast<double>(id - run.first_vector) * run.hop_s;
    found.push_back({static_cast<int>(i) / result.k,
                     {run.source, run.tempo_ratio, start_s, start_s + run.window_s},
                     result.similarities[i]});
  }
  return found;
}

}  // namespace antiphon::collection
