#include "core/audio/mono_mixer.h"

#include <algorithm>

namespace antiphon::audio {
namespace {

constexpr double kFade = 0.8;        // of the energies, a block: 20 dB in half a second at 44.1 kHz
constexpr double kCancelled = 0.01;  // 20 dB
constexpr double kMeanIsBack = 0.04;  // 14 dB

}  // namespace

MonoMixer::MonoMixer(int channels)
    : channels_(channels), channel_energy_(static_cast<size_t>(channels)) {}

void MonoMixer::Push(std::span<const float> interleaved, std::vector<float>& mono) {
  if (channels_ == 1) {
    mono.insert(mono.end(), interleaved.begin(), interleaved.end());
    return;
  }
  const size_t block = kBlockFrames * channels_;
  if (!pending_.empty()) {
    const size_t missing = std::min(block - pending_.size(), interleaved.size());
    pending_.insert(pending_.end(), interleaved.begin(), interleaved.begin() + missing);
    interleaved = interleaved.subspan(missing);
    if (pending_.size() < block) return;
    Mix(pending_, mono);
    pending_.clear();
  }
  for (; interleaved.size() >= block; interleaved = interleaved.subspan(block))
    Mix(interleaved.first(block), mono);
  pending_.assign(interleaved.begin(), interleaved.end());
}

void MonoMixer::Finish(std::vector<float>& mono) {
  if (!pending_.empty()) Mix(pending_, mono);
  pending_.clear();
}

int MonoMixer::Choose(std::span<const float> block) {
  mean_energy_ *= kFade;
  for (double& energy : channel_energy_) energy *= kFade;
  for (size_t i = 0; i < block.size(); i += channels_) {
    double sum = 0;
    for (int c = 0; c < channels_; ++c) {
      const double sample = block[i + c];
      channel_energy_[c] += sample * sample;
      sum += sample;
    }
    mean_energy_ += sum * sum / (channels_ * channels_);
  }
  const auto loudest = std::max_element(channel_energy_.begin(), channel_energy_.end());
  if (chosen_ == kMean && mean_energy_ < kCancelled * *loudest)
    return static_cast<int>(loudest - channel_energy_.begin());
  if (chosen_ != kMean && mean_energy_ > kMeanIsBack * *loudest) return kMean;
  return chosen_;
}

void MonoMixer::Mix(std::span<const float> block, std::vector<float>& mono) {
  const int before = chosen_;
  chosen_ = Choose(block);
  const bool fades = begun_ && before != chosen_;
  begun_ = true;
  const auto value = [&](size_t i, int chosen) {
    if (chosen != kMean) return block[i + chosen];
    float sum = 0;
    for (int c = 0; c < channels_; ++c) sum += block[i + c];
    return sum / static_cast<float>(channels_);
  };
  for (size_t i = 0; i < block.size(); i += channels_) {
    const float now = value(i, chosen_);
    if (!fades) {
      mono.push_back(now);
      continue;
    }
    const float share = static_cast<float>(i) / static_cast<float>(block.size());
    mono.push_back(share * now + (1 - share) * value(i, before));
  }
}

}  // namespace antiphon::audio
