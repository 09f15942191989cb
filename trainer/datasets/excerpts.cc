#include "trainer/datasets/excerpts.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/decoding/decoder.h"
#include "trainer/base/fingerprint.h"

namespace antiphon::trainer::datasets {
namespace {

// In [0, 1), the same on every platform.
double UniformOf(const std::string& key) {
  return static_cast<double>(HashOf(key) >> 11) * 0x1p-53;
}

audio::Waveform Cut(const audio::Waveform& audio, const Excerpt& excerpt) {
  const auto at = [&](double seconds) {
    return std::clamp<int64_t>(std::llround(seconds * audio.sample_rate), 0,
                               static_cast<int64_t>(audio.samples.size()));
  };
  audio::Waveform cut;
  cut.sample_rate = audio.sample_rate;
  cut.samples.assign(audio.samples.begin() + at(excerpt.start_s),
                     audio.samples.begin() + at(excerpt.start_s + excerpt.length_s));
  return cut;
}

void AddEvenly(const ExcerptPlan& plan, double length_s, int recording, double duration_s,
               std::vector<Excerpt>& excerpts) {
  const double latest_s = std::max(0.0, duration_s - length_s);
  const int beside = static_cast<int>(
      std::clamp(duration_s / length_s, 1.0, static_cast<double>(plan.per_length)));
  for (int i = 0; i < beside; ++i) {
    const double share = beside > 1 ? static_cast<double>(i) / (beside - 1) : 0.5;
    excerpts.push_back({recording, length_s, latest_s * share, std::min(length_s, duration_s)});
  }
}

}  // namespace

std::vector<Excerpt> DrawExcerpts(const ExcerptPlan& plan, int recording, std::string_view name,
                                  double duration_s) {
  std::vector<Excerpt> excerpts;
  for (const double length_s : plan.lengths_s) {
    if (plan.evenly) {
      AddEvenly(plan, length_s, recording, duration_s, excerpts);
      continue;
    }
    for (int i = 0; i < plan.per_length; ++i) {
      const double latest_s = std::max(0.0, duration_s - length_s);
      const std::string key =
          absl::StrCat(plan.seed, "/", std::string(name), "/", length_s, "/", i);
      excerpts.push_back(
          {recording, length_s, latest_s * UniformOf(key), std::min(length_s, duration_s)});
    }
  }
  if (plan.whole) excerpts.push_back({recording, 0, 0, duration_s});
  return excerpts;
}

int64_t RankOfWork(std::span<const matching::Candidate> candidates, const WorkOfSource& work_of,
                   int work) {
  std::map<int, double> best;  // by work
  for (const matching::Candidate& candidate : candidates) {
    const auto [it, inserted] = best.emplace(work_of(candidate.source), candidate.score);
    if (!inserted) it->second = std::max(it->second, candidate.score);
  }
  const auto own = best.find(work);
  if (own == best.end()) return 0;
  // The own one counts itself.
  return std::count_if(best.begin(), best.end(),
                       [&](const auto& entry) { return entry.second >= own->second; });
}

absl::StatusOr<std::vector<Outcome>> AskExcerpts(const std::vector<TestRecording>& recordings,
                                                 const ExcerptPlan& plan,
                                                 const retrieval::Collection& collection,
                                                 const matching::IdentifyOptions& options,
                                                 const WorkOfSource& work_of,
                                                 const Treatment& treatment, Progress& progress) {
  audio::DecodeOptions decode;
  decode.sample_rate = collection.encoder_info().settings.sample_rate;
  std::vector<Outcome> outcomes;
  progress.Start("ask", static_cast<int64_t>(recordings.size()));
  for (size_t i = 0; i < recordings.size(); ++i) {
    ASSIGN_OR_RETURN(const audio::Waveform audio, audio::DecodeFile(recordings[i].path, decode));
    for (const Excerpt& excerpt :
         DrawExcerpts(plan, static_cast<int>(i), recordings[i].name, audio.duration_s())) {
      audio::Waveform query = Cut(audio, excerpt);
      if (treatment) {
        const std::string seed =
            absl::StrCat(recordings[i].name, excerpt.start_s, "/", excerpt.wanted_s);
        ASSIGN_OR_RETURN(query, treatment(query, HashOf(seed)));
      }
      ASSIGN_OR_RETURN(matching::Identification answer, collection.IdentifyAudio(query, options));
      const int64_t rank = RankOfWork(answer.candidates, work_of, recordings[i].work);
      outcomes.push_back({excerpt, std::move(answer), rank});
    }
    progress.Advance();
  }
  progress.Finish();
  return outcomes;
}

Accuracy AccuracyAt(std::span<const Outcome> outcomes, double wanted_s) {
  Accuracy accuracy;
  for (const Outcome& outcome : outcomes) {
    if (outcome.excerpt.wanted_s == wanted_s) accuracy.Add(outcome.rank);
  }
  return accuracy;
}

std::string LengthName(double wanted_s) {
  return wanted_s > 0 ? absl::StrCat(wanted_s, " s") : "whole";
}

}  // namespace antiphon::trainer::datasets
