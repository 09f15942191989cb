#include "tests/bench/excerpts.h"

#include <random>

#include "client/input/pcm.h"
#include "core/base/status_macros.h"
#include "core/decoding/decoder.h"

namespace antiphon::bench {
namespace {

constexpr size_t kBytes = sizeof(int16_t);  // of a sample

Excerpt MakeExcerpt(const Clip& clip, size_t first, size_t count, v1::Side against) {
  v1::IdentifyRequest request;
  request.set_against(against);
  v1::Pcm* pcm = request.mutable_audio()->mutable_pcm();
  pcm->set_encoding(v1::Pcm::ENCODING_INT16);
  pcm->set_sample_rate(kSampleRate);
  pcm->set_channels(1);
  pcm->set_samples(clip.samples.substr(first * kBytes, count * kBytes));
  return {.path = clip.path,
          .start_s = static_cast<double>(first) / kSampleRate,
          .length_s = static_cast<double>(count) / kSampleRate,
          .request = request.SerializeAsString()};
}

}  // namespace

absl::StatusOr<std::vector<Clip>> ReadClips(const std::vector<std::string>& paths) {
  std::vector<Clip> clips;
  for (const std::string& path : paths) {
    ASSIGN_OR_RETURN(const audio::Waveform sound,
                     audio::DecodeFile(path, {.sample_rate = kSampleRate}));
    clips.push_back({path, client::ToInt16(sound.samples)});
  }
  return clips;
}

std::vector<Excerpt> DrawExcerpts(const std::vector<Clip>& clips, double length_s, int places,
                                  uint64_t seed, v1::Side against) {
  std::mt19937_64 random(seed);
  const auto wanted = static_cast<size_t>(length_s * kSampleRate);
  std::vector<Excerpt> excerpts;
  for (const Clip& clip : clips) {
    const size_t all = clip.samples.size() / kBytes;
    if (wanted == 0 || wanted >= all) {
      excerpts.push_back(MakeExcerpt(clip, 0, all, against));
      continue;
    }
    std::uniform_int_distribution<size_t> first(0, all - wanted);
    for (int i = 0; i < places; ++i)
      excerpts.push_back(MakeExcerpt(clip, first(random), wanted, against));
  }
  return excerpts;
}

}  // namespace antiphon::bench
