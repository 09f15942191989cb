// The sound that is asked about: excerpts of recordings, as the requests that are sent. Plain
// values and stateless functions; safe from any thread.
#ifndef ANTIPHON_TESTS_BENCH_EXCERPTS_H_
#define ANTIPHON_TESTS_BENCH_EXCERPTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "antiphon/v1/retrieval.pb.h"

namespace antiphon::bench {

struct Clip {
  std::string path;
  std::string samples;  // int16, little-endian, mono, at kSampleRate
};

struct Excerpt {
  std::string path;  // of its clip
  double start_s = 0;
  double length_s = 0;
  std::string request;  // v1::IdentifyRequest, serialized
};

inline constexpr int kSampleRate = 22050;  // Hz, at which the encoders hear

// Decodes files of any format that the server reads. InvalidArgument or NotFound names the file.
[[nodiscard]] absl::StatusOr<std::vector<Clip>> ReadClips(const std::vector<std::string>& paths);

// `places` excerpts of `length_s` seconds from each clip, at places that the seed decides. A length
// of 0 stands for whole clips, and a clip that is no longer than it is taken whole: once. They are
// to be looked for `against` scores or recordings.
std::vector<Excerpt> DrawExcerpts(const std::vector<Clip>& clips, double length_s, int places,
                                  uint64_t seed, v1::Side against = v1::SIDE_SCORES);

}  // namespace antiphon::bench

#endif  // ANTIPHON_TESTS_BENCH_EXCERPTS_H_
