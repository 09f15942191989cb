#include "trainer/learning/training_data.h"

#include <filesystem>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "spdlog/spdlog.h"
#include "trainer/base/fingerprint.h"
#include "trainer/data/feature_store.h"

namespace antiphon::trainer::learning {

using nlohmann::json;

absl::StatusOr<TrainingData> LoadData(const TrainOptions& options) {
  std::vector<data::StoreItem> train, valid;
  json fingerprints = json::object();
  std::set<std::string> not_found = options.excluded_pieces;
  for (const std::string& store : options.stores) {
    ASSIGN_OR_RETURN(const std::vector<std::string> paths, data::ListItems(store));
    std::string all;
    for (const std::string& path : paths) {
      ASSIGN_OR_RETURN(data::StoreItem item, data::ReadItem(path));
      not_found.erase(item.piece);
      if (options.excluded_pieces.contains(item.piece) || item.part == data::Part::kTest) continue;
      if (options.strict_tempo_only && item.part == data::Part::kTrain &&
          !item.keeps_strict_tempo())
        continue;
      absl::StrAppend(&all, item.fingerprint);
      std::vector<data::StoreItem>& part = item.part == data::Part::kTrain ? train : valid;
      part.push_back(std::move(item));
    }
    fingerprints[std::filesystem::path(store).filename()] = {{"items", paths.size()},
                                                             {"sha256", Sha256(all)}};
  }
  if (!not_found.empty()) {
    spdlog::warn("{} of {} excluded pieces are in no store, {} for one", not_found.size(),
                 options.excluded_pieces.size(), *not_found.begin());
  }
  for (const std::vector<data::StoreItem>* part : {&train, &valid}) {
    for (const data::StoreItem& item : *part) {
      if (item.settings != part->front().settings) {
        return absl::InvalidArgumentError(
            "the feature stores were made with different feature settings");
      }
    }
  }
  if (train.empty() || valid.empty()) {
    return absl::InvalidArgumentError(
        "the feature stores have no items of the train part or none of the valid part");
  }
  return TrainingData{data::PairSampler(std::move(train)), data::PairSampler(std::move(valid)),
                      std::move(fingerprints)};
}

}  // namespace antiphon::trainer::learning
