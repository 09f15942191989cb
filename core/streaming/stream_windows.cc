#include "core/streaming/stream_windows.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/features/audible.h"

namespace antiphon::streaming {
namespace {

constexpr double kHum_s = 3;  // of sound that neither begins nor decays: longer than a window
// Of what is left out at the front before the rest is moved there: seldom enough to cost nothing.
constexpr int64_t kDroppedAtOnce = 128;

}  // namespace

StreamWindows::StreamWindows(const encoder::EncoderInfo& info,
                             std::unique_ptr<const features::AudioFrontEnd> front_end,
                             int64_t hop_frames, double start_s)
    : info_(info),
      front_end_(std::move(front_end)),
      frame_s_(1 / info.settings.frame_rate()),
      hop_frames_(hop_frames),
      start_s_(start_s),
      spectrogram_(*front_end_) {
  frames_.bands = info.bands;
  frames_.frame_rate = info.settings.frame_rate();
}

absl::StatusOr<std::unique_ptr<StreamWindows>> StreamWindows::Create(
    const encoder::EncoderInfo& info, double hop_s, double start_s) {
  if (!(hop_s > 0) || !std::isfinite(hop_s)) {
    return absl::InvalidArgumentError(
        absl::StrCat("window hop must be positive, is ", hop_s, " s"));
  }
  ASSIGN_OR_RETURN(auto front_end, features::AudioFrontEnd::Create(info.settings));
  const double hop_frames = std::min(hop_s * info.settings.frame_rate(), 1e9);
  return std::unique_ptr<StreamWindows>(new StreamWindows(
      info, std::move(front_end), std::max<int64_t>(1, std::llround(hop_frames)), start_s));
}

void StreamWindows::Push(std::span<const float> samples) { spectrogram_.Push(samples, frames_); }

absl::Status StreamWindows::Embed(const encoder::WindowEncoder& encoder,
                                  matching::StageTimer& timer) {
  return EmbedUpTo(first_frame_ + frames_.frames() - info_.settings.window_frames, encoder, timer);
}

absl::Status StreamWindows::Finish(const encoder::WindowEncoder& encoder,
                                   matching::StageTimer& timer) {
  spectrogram_.Finish(frames_);
  return EmbedUpTo(first_frame_ + frames_.frames() - (info_.settings.window_frames + 1) / 2,
                   encoder, timer);
}

// All windows to come whose first frame is at most `last_frame`.
absl::Status StreamWindows::EmbedUpTo(int64_t last_frame, const encoder::WindowEncoder& encoder,
                                      matching::StageTimer& timer) {
  const int frames = info_.settings.window_frames;
  const size_t window_bytes = static_cast<size_t>(frames) * frames_.cells_per_frame();
  std::vector<int64_t> firsts;
  std::vector<uint8_t> cells;
  for (; next_window_ <= last_frame; next_window_ += hop_frames_) {
    if (MiddleOf(next_window_) < from_s_ || IsSilent(next_window_)) continue;
    firsts.push_back(next_window_);
    cells.resize(cells.size() + window_bytes);
    frames_.CopyWindow(next_window_ - first_frame_, frames,
                       cells.data() + cells.size() - window_bytes);
  }
  if (firsts.empty()) {
    DropFrames();
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const auto rows, timer.Run(matching::Stage::kEncode, [&] {
    return encoder.EncodeWhile([&] { return timer.KeepGoing(); }, cells);
  }));
  const size_t dimension = info_.dimension;
  if (rows.size() != firsts.size() * dimension) {
    return absl::InternalError(absl::StrCat("encoder gave ", rows.size(), " floats for ",
                                            firsts.size(), " windows of ", dimension));
  }
  for (size_t i = 0; i < firsts.size(); ++i) {
    const auto row = rows.begin() + static_cast<ptrdiff_t>(i * dimension);
    windows_.push_back(
        {firsts[i], std::vector<float>(row, row + static_cast<ptrdiff_t>(dimension))});
  }
  DropFrames();
  return absl::OkStatus();
}

bool StreamWindows::IsSilent(int64_t first_frame) const {
  const int64_t width = frames_.cells_per_frame();
  const int64_t begin =
      std::min((first_frame - first_frame_) * width, static_cast<int64_t>(frames_.cells.size()));
  const int64_t end = std::min(begin + info_.settings.window_frames * width,
                               static_cast<int64_t>(frames_.cells.size()));
  return std::all_of(frames_.cells.begin() + begin, frames_.cells.begin() + end,
                     [](uint8_t cell) { return cell < features::kSilenceLevel; });
}

void StreamWindows::ForgetBefore(double s) {
  from_s_ = std::max(from_s_, s);
  while (!windows_.empty() && MiddleOf(windows_.front().first_frame) < from_s_)
    windows_.pop_front();
  DropFrames();
}

// Frames stay while a window that is kept or to come looks at them.
void StreamWindows::DropFrames() {
  const int64_t needed = windows_.empty() ? next_window_ : windows_.front().first_frame;
  const int64_t drop = std::min(needed - first_frame_, frames_.frames());
  if (drop < kDroppedAtOnce) return;
  frames_.cells.erase(frames_.cells.begin(),
                      frames_.cells.begin() + drop * frames_.cells_per_frame());
  first_frame_ += drop;
}

matching::EmbeddingSequence StreamWindows::From(double from_s) const {
  matching::EmbeddingSequence sequence;
  sequence.dimension = info_.dimension;
  sequence.window_s = info_.settings.window_s();
  sequence.hop_s = static_cast<double>(hop_frames_) * frame_s_;
  for (const Window& window : windows_) {
    if (MiddleOf(window.first_frame) < from_s) continue;
    sequence.start_s.push_back(TimeOf(window.first_frame));
    sequence.embeddings.insert(sequence.embeddings.end(), window.embedding.begin(),
                               window.embedding.end());
  }
  return sequence;
}

bool StreamWindows::AudibleFrom(double from_s) const {
  const auto first = std::find_if(windows_.begin(), windows_.end(), [&](const Window& window) {
    return MiddleOf(window.first_frame) >= from_s;
  });
  if (first == windows_.end()) return false;
  const int64_t begin = first->first_frame;
  const int64_t end = std::min(windows_.back().first_frame + info_.settings.window_frames,
                               first_frame_ + frames_.frames());
  // What came before a hum does not make it music.
  const auto hum = static_cast<int64_t>(kHum_s / frame_s_);
  return features::IsAudible(Cut(begin, end)) &&
         (end - begin <= hum || features::IsAudible(Cut(end - hum, end)));
}

features::FeatureSequence StreamWindows::Cut(int64_t begin, int64_t end) const {
  const int64_t width = frames_.cells_per_frame();
  features::FeatureSequence audio;
  audio.bands = frames_.bands;
  audio.frame_rate = frames_.frame_rate;
  audio.cells.assign(frames_.cells.begin() + (begin - first_frame_) * width,
                     frames_.cells.begin() + (end - first_frame_) * width);
  return audio;
}

double StreamWindows::start_s() const { return TimeOf(windows_.front().first_frame); }

double StreamWindows::end_s() const {
  return TimeOf(windows_.back().first_frame) + info_.settings.window_s();
}

size_t StreamWindows::bytes() const {
  return frames_.cells.capacity() +
         windows_.size() * (sizeof(Window) + info_.dimension * sizeof(float));
}

}  // namespace antiphon::streaming
