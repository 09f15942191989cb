#include "server/calls/call.h"

#include <algorithm>

namespace antiphon::server {
namespace {

v1::Stage WireStage(matching::Stage stage) {
  switch (stage) {
    case matching::Stage::kFeatures:
      return v1::STAGE_FEATURES;
    case matching::Stage::kEncode:
      return v1::STAGE_ENCODE;
    case matching::Stage::kSearch:
      return v1::STAGE_SEARCH;
    case matching::Stage::kVote:
      return v1::STAGE_VOTE;
  }
  return v1::STAGE_UNSPECIFIED;
}

}  // namespace

Call::Call(const char* method, CallOrigin origin, Metrics& metrics)
    : method_(method), origin_(std::move(origin)), metrics_(metrics) {}

absl::Status Call::KeepGoing() const {
  if (abandoned_.load(std::memory_order_acquire)) {
    absl::MutexLock lock(&mutex_);
    return why_;
  }
  if (SteadyNow() >= origin_.deadline)
    return absl::DeadlineExceededError("the caller's deadline has passed");
  return absl::OkStatus();
}

void Call::Abandon(absl::Status why) {
  {
    absl::MutexLock lock(&mutex_);
    if (why_.ok()) why_ = std::move(why);
    abandoned_.store(true, std::memory_order_release);
  }
  if (on_abandon_) on_abandon_();
}

matching::RequestContext Call::context() {
  matching::RequestContext context;
  context.keep_going = [this] { return KeepGoing(); };
  context.on_stage = [this](matching::Stage stage, double seconds) {
    RecordStage(WireStage(stage), seconds);
  };
  return context;
}

void Call::RecordStage(v1::Stage stage, double seconds) {
  metrics_.RecordStage(stage, seconds);
  if (is_traced_ && runs_.size() < kMostRuns) runs_.push_back({stage, seconds, SteadyNow()});
  for (StageSeconds* stages : {&stages_, &part_stages_}) {
    const auto found = std::find_if(stages->begin(), stages->end(),
                                    [&](const auto& s) { return s.first == stage; });
    if (found != stages->end()) {
      found->second += seconds;
    } else {
      stages->emplace_back(stage, seconds);
    }
  }
}

void Call::BeginPart() {
  part_began_ = SteadyNow();
  part_stages_.clear();
  part_warnings_.clear();
}

void Call::AddWarning(absl::string_view field, absl::string_view message) {
  v1::Warning& warning = part_warnings_.emplace_back();
  warning.set_field(std::string(field));
  warning.set_message(std::string(message));
}

void Call::FillWarnings(google::protobuf::RepeatedPtrField<v1::Warning>* warnings) const {
  warnings->Add(part_warnings_.begin(), part_warnings_.end());
}

void Call::FillInfo(double query_s, v1::ResponseInfo* info) const {
  info->set_generation(collection_->manifest().generation);
  info->set_model_id(collection_->manifest().model_id);
  info->set_query_seconds(query_s);
  info->set_total_seconds(SecondsSince(part_began_));
  for (const auto& [stage, seconds] : part_stages_) {
    v1::StageTiming* timing = info->add_stages();
    timing->set_stage(stage);
    timing->set_seconds(seconds);
  }
  FillWarnings(info->mutable_warnings());
}

}  // namespace antiphon::server
