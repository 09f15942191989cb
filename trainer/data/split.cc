#include "trainer/data/split.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace antiphon::trainer::data {
namespace {

uint64_t Fnv1a(std::string_view text) {
  uint64_t hash = 14695981039346656037ull;
  for (unsigned char byte : text) hash = (hash ^ byte) * 1099511628211ull;
  return hash;
}

}  // namespace

absl::StatusOr<Part> ParsePart(std::string_view name) {
  for (Part part : {Part::kTrain, Part::kValid, Part::kTest}) {
    if (name == PartName(part)) return part;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("\"", std::string(name), "\" is none of train, valid, test"));
}

std::string PartName(Part part) {
  switch (part) {
    case Part::kTrain:
      return "train";
    case Part::kValid:
      return "valid";
    case Part::kTest:
      return "test";
  }
  return "";
}

absl::StatusOr<Split> Split::Read(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat("no split file at ", path));
  Split split;
  size_t piece_column = 0, part_column = 0, columns = 0;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) continue;
    const std::vector<std::string> fields = absl::StrSplit(line, '\t');
    if (number == 1) {
      const auto piece = std::find(fields.begin(), fields.end(), "piece");
      const auto part = std::find(fields.begin(), fields.end(), "split");
      if (piece == fields.end() || part == fields.end()) {
        return absl::InvalidArgumentError(
            absl::StrCat(path, ": the first line does not name the columns piece and split"));
      }
      piece_column = piece - fields.begin();
      part_column = part - fields.begin();
      columns = fields.size();
      continue;
    }
    if (fields.size() != columns) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ":", number, ": ", fields.size(), " columns, not ", columns));
    }
    const absl::StatusOr<Part> part = ParsePart(fields[part_column]);
    if (!part.ok())
      return absl::InvalidArgumentError(
          absl::StrCat(path, ":", number, ": ", part.status().message()));
    split.parts_[fields[piece_column]] = *part;
  }
  if (split.parts_.empty())
    return absl::InvalidArgumentError(absl::StrCat(path, " lists no piece"));
  return split;
}

Split Split::ByHash() {
  Split split;
  split.by_hash_ = true;
  return split;
}

std::optional<Part> Split::PartOf(std::string_view piece) const {
  if (by_hash_) {
    const uint64_t percent = Fnv1a(piece) % 100;
    return percent < 75 ? Part::kTrain : percent < 80 ? Part::kValid : Part::kTest;
  }
  const auto it = parts_.find(piece);
  if (it == parts_.end()) return std::nullopt;
  return it->second;
}

}  // namespace antiphon::trainer::data
