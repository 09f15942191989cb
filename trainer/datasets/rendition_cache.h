// Scores and performances rendered with the evaluation soundfont as they are written, kept on disk
// as FLAC.
//
// A file in the cache is whole: it is written under another name and renamed. Safe to use from
// several threads and processes at once; the worst that happens is that two render the same.
#ifndef ANTIPHON_TRAINER_DATASETS_RENDITION_CACHE_H_
#define ANTIPHON_TRAINER_DATASETS_RENDITION_CACHE_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "core/music/score.h"
#include "trainer/base/progress.h"
#include "trainer/data/renderer.h"

namespace antiphon::trainer::datasets {

struct RenditionOptions {
  std::string folder;            // made when it does not exist
  std::string soundfont;         // path
  int sample_rate = 22050;       // Hz
  bool own_instruments = false;  // those of the score; else the grand piano plays all of it
};

// What to render and where it lies.
struct RenditionJob {
  std::string path;  // from RenditionCache::PathOf
  std::string midi;  // bytes; empty: they are read from `midi_path`, so that many jobs do not hold
                     // many files
  std::string midi_path;  // needed only when `midi` is empty
};

class RenditionCache {
 public:
  explicit RenditionCache(RenditionOptions options) : options_(std::move(options)) {}

  // Where the rendition of these MIDI bytes lies or will lie. The name holds what the sound depends
  // on, so that a changed soundfont or file is rendered anew. `name` must be usable as a file's.
  std::string PathOf(std::string_view name, std::string_view midi) const;

  // Renders what is not there yet, in the order given, on so many threads (0: the number of cores).
  // The first failure is returned, after the rest has been rendered.
  [[nodiscard]] absl::Status Fill(const std::vector<RenditionJob>& jobs, int threads,
                                  Progress& progress) const;

  const RenditionOptions& options() const { return options_; }

 private:
  absl::Status Render(const RenditionJob& job, data::Renderer& renderer) const;

  const RenditionOptions options_;
};

}  // namespace antiphon::trainer::datasets

#endif  // ANTIPHON_TRAINER_DATASETS_RENDITION_CACHE_H_
