// Which part of a corpus a piece belongs to. Plain values.
#ifndef ANTIPHON_TRAINER_DATA_SPLIT_H_
#define ANTIPHON_TRAINER_DATA_SPLIT_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace antiphon::trainer::data {

enum class Part { kTrain, kValid, kTest };

[[nodiscard]] absl::StatusOr<Part> ParsePart(std::string_view name);  // "train", "valid", "test"
std::string PartName(Part part);

class Split {
 public:
  // A tab-separated file whose header line names the columns `piece` and `split`, others being
  // ignored.
  [[nodiscard]] static absl::StatusOr<Split> Read(const std::string& path);

  // 75 % train, 5 % valid, 20 % test, by a hash (64-bit FNV-1a modulo 100) of the piece's name;
  // knows every name.
  static Split ByHash();

  // The part of the piece with this name (a MIDI file's name without its extension), or nothing
  // when the split does not list it.
  std::optional<Part> PartOf(std::string_view piece) const;

 private:
  bool by_hash_ = false;
  std::map<std::string, Part, std::less<>> parts_;
};

}  // namespace antiphon::trainer::data

#endif  // ANTIPHON_TRAINER_DATA_SPLIT_H_
