#include "core/features/pianoroll.h"

#include <algorithm>
#include <cmath>

namespace antiphon::features {
namespace {

// Writes notes into `frames` frames of cells whose first one lies at start_s.
class RollPainter {
 public:
  RollPainter(const FeatureSettings& settings, double tempo_ratio, double start_s)
      : settings_(settings),
        frames_per_second_(settings.frame_rate() / tempo_ratio),
        start_s_(start_s) {}

  int64_t FrameAt(double seconds) const {
    return static_cast<int64_t>(std::floor((seconds - start_s_) * frames_per_second_ + 0.5));
  }

  void Paint(const music::Note& note, int64_t frames, uint8_t* cells) const {
    const int row = note.pitch - settings_.lowest_pitch;
    if (row < 0 || row >= settings_.pitches) return;
    const double exact = (note.onset_s - start_s_) * frames_per_second_;
    const auto before = static_cast<int64_t>(std::floor(exact));
    const auto share = static_cast<int>(std::lround((exact - static_cast<double>(before)) * kFull));
    PaintOnset(before, row, kFull - share, frames, cells);
    PaintOnset(before + 1, row, share, frames, cells);
    const int64_t onset = FrameAt(note.onset_s);
    const int64_t end = std::min(frames, std::max(onset + 1, FrameAt(note.offset_s)));
    for (int64_t frame = std::max<int64_t>(0, onset); frame < end; ++frame) {
      cells[(frame * 2 + 1) * settings_.pitches + row] = kFull;
    }
  }

 private:
  static constexpr int kFull = 255;

  void PaintOnset(int64_t frame, int row, int share, int64_t frames, uint8_t* cells) const {
    if (frame < 0 || frame >= frames) return;
    uint8_t& cell = cells[frame * 2 * settings_.pitches + row];
    cell = std::max(cell, static_cast<uint8_t>(share));
  }

  const FeatureSettings& settings_;
  const double frames_per_second_;  // frames per second of the score as written
  const double start_s_;
};

}  // namespace

FeatureSequence ComputePianoroll(std::span<const music::Note> notes,
                                 const FeatureSettings& settings, double tempo_ratio) {
  const RollPainter painter(settings, tempo_ratio, 0.0);
  int64_t frames = 0;
  for (const music::Note& note : notes) {
    frames =
        std::max({frames, painter.FrameAt(note.onset_s) + 2, painter.FrameAt(note.offset_s) + 1});
  }
  FeatureSequence roll;
  roll.channels = 2;
  roll.bands = settings.pitches;
  roll.frame_rate = settings.frame_rate();
  roll.cells.assign(frames * roll.cells_per_frame(), 0);
  for (const music::Note& note : notes) painter.Paint(note, frames, roll.cells.data());
  return roll;
}

std::vector<uint8_t> ComputePianorollWindow(std::span<const music::Note> notes,
                                            const FeatureSettings& settings, double tempo_ratio,
                                            double start_s) {
  const RollPainter painter(settings, tempo_ratio, start_s);
  std::vector<uint8_t> cells(static_cast<size_t>(settings.window_frames) * 2 * settings.pitches, 0);
  for (const music::Note& note : notes) painter.Paint(note, settings.window_frames, cells.data());
  return cells;
}

}  // namespace antiphon::features
