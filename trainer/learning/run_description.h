// What training.json says of a run. Internal to trainer/learning; stateless, safe from any thread.
#ifndef ANTIPHON_TRAINER_LEARNING_RUN_DESCRIPTION_H_
#define ANTIPHON_TRAINER_LEARNING_RUN_DESCRIPTION_H_

#include <nlohmann/json.hpp>
#include <string>

#include "trainer/learning/train_options.h"

namespace antiphon::trainer::learning {

// The options that decide what a run learns. A transposition that is left open counts as 0.
nlohmann::json SettingsJson(const TrainOptions& options);

// The training.json of the run in this folder; null where that run has not ended.
nlohmann::json DescriptionOf(const std::string& run);

}  // namespace antiphon::trainer::learning

#endif  // ANTIPHON_TRAINER_LEARNING_RUN_DESCRIPTION_H_
