// How trainer/metrics counts a transcription, for comparison with mir_eval: a line of JSON for each
// line of the standard input.
//
//   {"truth": [[onset_s, end_s, pitch], …], "found": […]}  in,
//   {"onsets": [hits, extra, missed], "offsets": […], "frames": […]}  out.
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "trainer/metrics/transcription_metrics.h"

namespace antiphon::trainer::metrics {
namespace {

using Json = nlohmann::ordered_json;

std::vector<HeardNote> NotesOf(const Json& json) {
  std::vector<HeardNote> notes;
  for (const Json& note : json) {
    notes.push_back({.onset_s = note.at(0).get<double>(),
                     .end_s = note.at(1).get<double>(),
                     .pitch = note.at(2).get<int>()});
  }
  return notes;
}

Json ToJson(const MatchCounts& counts) { return {counts.hits, counts.extra, counts.missed}; }

int Main() {
  for (std::string line; std::getline(std::cin, line);) {
    try {
      const Json asked = Json::parse(line);
      const std::vector<HeardNote> truth = NotesOf(asked.at("truth")),
                                   found = NotesOf(asked.at("found"));
      const Json answer = {{"onsets", ToJson(MatchNotes(truth, found, /*offsets=*/false))},
                           {"offsets", ToJson(MatchNotes(truth, found, /*offsets=*/true))},
                           {"frames", ToJson(MatchFrames(truth, found))}};
      std::cout << answer.dump() << std::endl;
    } catch (const std::exception& failure) {
      std::cerr << failure.what() << "\n";
      return 1;
    }
  }
  return 0;
}

}  // namespace
}  // namespace antiphon::trainer::metrics

int main() { return antiphon::trainer::metrics::Main(); }
