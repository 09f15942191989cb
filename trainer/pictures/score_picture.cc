#include "trainer/pictures/score_picture.h"

#include <cairo.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/alignment/performance.h"
#include "core/audio/synthesizer.h"
#include "core/base/status_macros.h"
#include "core/decoding/decoder.h"
#include "core/features/audio_front_end.h"
#include "core/features/pianoroll.h"
#include "core/music/score.h"
#include "core/scores/read_score.h"

namespace antiphon::trainer::pictures {
namespace {

using features::AudioFrontEnd;
using features::FeatureSequence;

constexpr double kMarginS = 2.0;   // sound beyond the end that the last frames look at
constexpr int kShownLevels = 120;  // half decibels below the loudest cell that are told apart

struct Colour {
  double red, green, blue;
};

// Points of matplotlib's "magma" (van der Walt & Smith 2015), a map whose lightness rises evenly.
constexpr Colour kMagma[] = {{0.001, 0.000, 0.014}, {0.079, 0.054, 0.212}, {0.232, 0.060, 0.438},
                             {0.390, 0.100, 0.502}, {0.550, 0.161, 0.506}, {0.716, 0.215, 0.475},
                             {0.868, 0.288, 0.409}, {0.967, 0.440, 0.360}, {0.994, 0.624, 0.427},
                             {0.996, 0.804, 0.570}, {0.987, 0.991, 0.750}};

constexpr Colour kBackground = {1, 1, 1}, kInk = {0.13, 0.13, 0.15}, kGrid = {0.82, 0.82, 0.85};
constexpr Colour kOutline = {0.45, 0.95, 1.0}, kSounding = {0.55, 0.71, 0.86},
                 kOnset = {0.80, 0.16, 0.14}, kBarLine = {1, 1, 1}, kDoubt = {0.80, 0.16, 0.14};

// `at` from 0 to 1.
Colour Magma(double at) {
  constexpr int kLast = static_cast<int>(std::size(kMagma)) - 1;
  const double place = std::clamp(at, 0.0, 1.0) * kLast;
  const int below = std::min(static_cast<int>(place), kLast - 1);
  const double part = place - below;
  const Colour &a = kMagma[below], &b = kMagma[below + 1];
  return {a.red + part * (b.red - a.red), a.green + part * (b.green - a.green),
          a.blue + part * (b.blue - a.blue)};
}

double PitchOfFrequency(double frequency) { return 69 + 12 * std::log2(frequency / 440); }
double FrequencyOfPitch(double pitch) { return 440 * std::exp2((pitch - 69) / 12); }

// Where a bar begins in the sound.
struct BarLine {
  double at_s = 0;
  std::string label;
  bool jump = false;  // the music comes there from elsewhere in the score
};

struct DoubtfulStretch {
  double start_s = 0, end_s = 0;
  double doubt = 0;
};

// What is drawn: everything in seconds of the sound.
struct Scene {
  std::string title;
  std::string subtitle;
  double start_s = 0, end_s = 0;
  std::vector<music::Note> notes;
  std::vector<BarLine> bars;            // of an alignment
  std::vector<DoubtfulStretch> doubts;  // … and how sure it is
  FeatureSequence spectrogram;
  FeatureSequence pianoroll;
  std::vector<double> band_edges;  // as pitches, ascending, [bands + 1]
  int lowest_pitch = 21;
  double bottom_pitch = 20, top_pitch = 109;  // of both panels
};

absl::Status CheckOptions(const PictureOptions& options) {
  if (options.audio.empty() && options.soundfont.empty()) {
    return absl::InvalidArgumentError(
        "picture: needs a recording, or a soundfont to render the score with");
  }
  if (options.align && options.audio.empty())
    return absl::InvalidArgumentError("picture: needs a recording to align");
  if (options.output.empty()) return absl::InvalidArgumentError("picture: no output given");
  RETURN_IF_ERROR(
      CheckRange("picture tempo_ratio", options.tempo_ratio, PictureOptions::kTempoRatioRange));
  RETURN_IF_ERROR(CheckRange("picture start_s", options.start_s, PictureOptions::kStartRange));
  return CheckRange("picture length_s", options.length_s, PictureOptions::kLengthRange);
}

// The sound from its beginning to a little after the part that is drawn.
absl::StatusOr<audio::Waveform> Audio(const PictureOptions& options, const music::Score& played) {
  const double end_s = options.start_s + options.length_s + kMarginS;
  if (!options.audio.empty()) {
    audio::DecodeOptions decode;
    decode.sample_rate = options.settings.sample_rate;
    if (!options.align) decode.length_s = end_s;
    return audio::DecodeFile(options.audio, decode);
  }
  audio::SynthesizerOptions synthesis;
  synthesis.soundfont = options.soundfont;
  synthesis.sample_rate = options.settings.sample_rate;
  ASSIGN_OR_RETURN(auto synthesizer, audio::Synthesizer::Open(synthesis));
  return synthesizer->Render(music::Excerpt(played, 0, end_s).notes);
}

// Bands end halfway between their centres.
std::vector<double> BandEdges(const AudioFrontEnd& front_end) {
  const int bands = front_end.settings().bands;
  std::vector<double> centres, edges(bands + 1);
  for (int band = 0; band < bands; ++band)
    centres.push_back(PitchOfFrequency(front_end.BandFrequency(band)));
  for (int band = 1; band < bands; ++band) edges[band] = (centres[band - 1] + centres[band]) / 2;
  edges[0] = 2 * centres[0] - edges[1];
  edges[bands] = 2 * centres[bands - 1] - edges[bands - 1];
  return edges;
}

std::string Subtitle(const PictureOptions& options) {
  const features::FeatureSettings& s = options.settings;
  const char* kind =
      s.front_end == features::FrontEndKind::kConstantQ ? "constant-Q" : "log-filterbank";
  const std::string source =
      std::filesystem::path(options.audio.empty() ? options.soundfont : options.audio).filename();
  const std::string tempo =
      options.align ? "aligned" : absl::StrFormat("tempo ×%.4g", options.tempo_ratio);
  return absl::StrFormat("%s %s   ·   %s   ·   %s, %d bands   ·   %.4g frames/s",
                         options.audio.empty() ? "rendered with" : "recording", source, tempo, kind,
                         s.bands, s.frame_rate());
}

// Notes, bars and doubts where they are in the recording.
absl::Status Align(const features::FeatureSettings& settings, const music::Score& score,
                   Scene& scene) {
  ASSIGN_OR_RETURN(const alignment::Performance performance,
                   alignment::AlignPerformance(scene.spectrogram, settings, score));
  if (performance.agreement < alignment::kBelongTogether) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "picture: the recording is not of this score (agreement %.2f)", performance.agreement));
  }
  for (const alignment::PlayedNote& played : performance.notes) {
    music::Note note = score.notes[played.note];
    note.onset_s = std::max(played.onset_s, 0.0);
    note.offset_s = note.sounding_offset_s = std::max(played.offset_s, note.onset_s + 0.01);
    scene.notes.push_back(note);
  }
  int passage = -1;
  for (size_t i = 0; i < performance.beats.size(); ++i) {
    const alignment::PlayedBeat& beat = performance.beats[i];
    const music::ScorePosition position = music::PositionAt(score, beat.score_s);
    const bool jump = passage >= 0 && beat.passage != passage;
    passage = beat.passage;
    if (jump || position.bar.beat < 1 + 1e-3)
      scene.bars.push_back({beat.at_s, position.label, jump});
    const double end_s = i + 1 < performance.beats.size() ? performance.beats[i + 1].at_s
                                                          : performance.passages.back().end_s;
    scene.doubts.push_back({beat.at_s, end_s, beat.doubt});
  }
  return absl::OkStatus();
}

absl::StatusOr<Scene> MakeScene(const PictureOptions& options) {
  ASSIGN_OR_RETURN(auto front_end, AudioFrontEnd::Create(options.settings));
  ASSIGN_OR_RETURN(auto score, notation::ReadScoreFile(options.score));
  const music::Score played = music::AtTempoRatio(score, options.tempo_ratio);
  ASSIGN_OR_RETURN(auto audio, Audio(options, played));

  Scene scene;
  const std::string name = std::filesystem::path(options.score).filename();
  scene.title = score.title.empty() ? name : absl::StrCat(score.title, "  (", name, ")");
  scene.subtitle = Subtitle(options);
  scene.start_s = options.start_s;
  scene.end_s = options.start_s + options.length_s;
  scene.spectrogram = features::ComputeSpectrogram(*front_end, audio.samples);
  if (options.align) {
    RETURN_IF_ERROR(Align(options.settings, score, scene));
    scene.pianoroll = features::ComputePianoroll(scene.notes, options.settings, 1);
  } else {
    scene.notes = played.notes;
    scene.pianoroll =
        features::ComputePianoroll(score.notes, options.settings, options.tempo_ratio);
  }
  scene.band_edges = BandEdges(*front_end);
  scene.lowest_pitch = options.settings.lowest_pitch;
  scene.bottom_pitch = std::min(scene.band_edges.front(), options.settings.lowest_pitch - 0.5);
  scene.top_pitch = std::max(scene.band_edges.back(),
                             options.settings.lowest_pitch + options.settings.pitches - 0.5);
  return scene;
}

struct Rectangle {
  double left, top, width, height;
};

// Draws one Scene on one surface.
class Painter {
 public:
  Painter(cairo_t* cairo, const Scene& scene, int width)
      : cr_(cairo), scene_(scene), width_(width) {}

  static int HeightFor(const Scene& scene) { return scene.bars.empty() ? 1240 : 1330; }

  static int WidthFor(double seconds) {
    return std::clamp(static_cast<int>(seconds * 110) + 260, 1300, 6000);
  }

  void Paint() const {
    Fill(kBackground, {0, 0, static_cast<double>(width_), static_cast<double>(HeightFor(scene_))});
    Text(scene_.title, kLeft, 34, 22, kInk, 0, true);
    Text(scene_.subtitle, kLeft, 60, 15, kInk, 0);
    const double panel_width = width_ - kLeft - kRight;
    const Rectangle above{kLeft, 110, panel_width, 560}, below{kLeft, 730, panel_width, 430};
    PaintSpectrogram(above);
    PaintOctaves(above, {1, 1, 1}, 0.16);
    PaintOutlines(above);
    Caption("Sound: spectrogram, with the score's notes outlined (bar at the left end: onset)",
            above);
    PaintLevelKey(above);
    Fill({0.985, 0.985, 0.99}, below);
    PaintOctaves(below, kGrid, 1);
    PaintTimeGrid(below);
    PaintPianoroll(below);
    Caption("Score: pianoroll", below);
    PaintPianorollKey(below);
    PaintBars(above, kBarLine, true);
    PaintBars(below, kInk, false);
    if (!scene_.bars.empty()) PaintDoubts({kLeft, 1260, panel_width, 26});
    for (const Rectangle& panel : {above, below}) {
      PaintFrame(panel);
      PaintTimeAxis(panel);
    }
    Text("seconds of the sound", kLeft + panel_width / 2, below.top + below.height + 58, 15, kInk,
         0.5);
  }

 private:
  static constexpr double kLeft = 130, kRight = 120;

  double X(const Rectangle& panel, double seconds) const {
    return panel.left + (seconds - scene_.start_s) / (scene_.end_s - scene_.start_s) * panel.width;
  }
  double Y(const Rectangle& panel, double pitch) const {
    return panel.top +
           (scene_.top_pitch - pitch) / (scene_.top_pitch - scene_.bottom_pitch) * panel.height;
  }
  Rectangle Box(const Rectangle& panel, double from_s, double to_s, double low_pitch,
                double high_pitch) const {
    const double x = X(panel, from_s), y = Y(panel, high_pitch);
    return {x, y, X(panel, to_s) - x, Y(panel, low_pitch) - y};
  }

  void Ink(const Colour& colour, double alpha = 1) const {
    cairo_set_source_rgba(cr_, colour.red, colour.green, colour.blue, alpha);
  }
  void Fill(const Colour& colour, const Rectangle& box) const {
    Ink(colour);
    cairo_rectangle(cr_, box.left, box.top, box.width, box.height);
    cairo_fill(cr_);
  }
  void Line(double x0, double y0, double x1, double y1) const {
    cairo_move_to(cr_, x0, y0);
    cairo_line_to(cr_, x1, y1);
    cairo_stroke(cr_);
  }
  void ClipTo(const Rectangle& panel) const {
    cairo_save(cr_);
    cairo_rectangle(cr_, panel.left, panel.top, panel.width, panel.height);
    cairo_clip(cr_);
  }

  // `anchor`: 0 begins at x, 0.5 is centred on it, 1 ends there. `y` is the baseline.
  void Text(const std::string& text, double x, double y, double size, const Colour& colour,
            double anchor, bool bold = false) const {
    cairo_select_font_face(cr_, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cr_, size);
    cairo_text_extents_t extents;
    cairo_text_extents(cr_, text.c_str(), &extents);
    Ink(colour);
    cairo_move_to(cr_, x - anchor * extents.x_advance, y);
    cairo_show_text(cr_, text.c_str());
  }
  void Caption(const std::string& text, const Rectangle& panel) const {
    Text(text, panel.left, panel.top - 10, 16, kInk, 0, true);
  }

  // Calls draw(frame, first second, last second) for every frame of the sequence that is seen.
  // Frame i is centred at i / frame_rate.
  template <typename Draw>
  void EachFrame(const FeatureSequence& sequence, Draw draw) const {
    const auto first = static_cast<int64_t>(std::floor(scene_.start_s * sequence.frame_rate));
    const auto last = static_cast<int64_t>(std::ceil(scene_.end_s * sequence.frame_rate));
    for (int64_t i = std::max<int64_t>(0, first); i <= std::min(last, sequence.frames() - 1); ++i) {
      draw(i, (static_cast<double>(i) - 0.5) / sequence.frame_rate,
           (static_cast<double>(i) + 0.5) / sequence.frame_rate);
    }
  }

  int LoudestLevel() const {
    int loudest = kShownLevels;
    EachFrame(scene_.spectrogram, [&](int64_t frame, double, double) {
      const auto cells = scene_.spectrogram.cells.begin() + frame * scene_.spectrogram.bands;
      loudest = std::max<int>(loudest, *std::max_element(cells, cells + scene_.spectrogram.bands));
    });
    return loudest;
  }

  void PaintSpectrogram(const Rectangle& panel) const {
    const FeatureSequence& sequence = scene_.spectrogram;
    const int loudest = LoudestLevel();
    Fill(Magma(0), panel);
    ClipTo(panel);
    cairo_set_antialias(cr_, CAIRO_ANTIALIAS_NONE);  // no seams between cells
    EachFrame(sequence, [&](int64_t frame, double from_s, double to_s) {
      for (int band = 0; band < sequence.bands; ++band) {
        const int level = sequence.cells[frame * sequence.bands + band];
        Fill(Magma(1 + static_cast<double>(level - loudest) / kShownLevels),
             Box(panel, from_s, to_s, scene_.band_edges[band], scene_.band_edges[band + 1]));
      }
    });
    cairo_restore(cr_);
  }

  void PaintOutlines(const Rectangle& panel) const {
    ClipTo(panel);
    for (const music::Note& note : scene_.notes) {
      if (note.offset_s < scene_.start_s || note.onset_s > scene_.end_s) continue;
      const Rectangle box =
          Box(panel, note.onset_s, note.offset_s, note.pitch - 0.55, note.pitch + 0.55);
      Ink(kOutline, 0.75);
      cairo_set_line_width(cr_, 1);
      cairo_rectangle(cr_, box.left, box.top, box.width, box.height);
      cairo_stroke(cr_);
      Fill(kOutline, {box.left - 1.25, box.top - 3, 2.5, box.height + 6});
    }
    cairo_restore(cr_);
  }

  // A line where each bar begins, thick where the music jumps, and numbers where there is room.
  void PaintBars(const Rectangle& panel, const Colour& colour, bool numbers) const {
    double free_from = panel.left;
    for (const BarLine& bar : scene_.bars) {
      if (bar.at_s < scene_.start_s || bar.at_s > scene_.end_s) continue;
      const double x = X(panel, bar.at_s);
      Ink(colour, 0.8);
      cairo_set_line_width(cr_, bar.jump ? 4 : 1.5);
      Line(x, panel.top, x, panel.top + panel.height);
      if (!numbers || (x < free_from && !bar.jump)) continue;
      Text(bar.label, x + 4, panel.top + 18, 15, colour, 0, true);
      free_from = x + 34;
    }
  }

  // The darker the more doubt there is; white without.
  void PaintDoubts(const Rectangle& strip) const {
    Text("Doubt: white is sure, red is not", strip.left, strip.top - 10, 16, kInk, 0, true);
    ClipTo(strip);
    for (const DoubtfulStretch& stretch : scene_.doubts) {
      Ink(kDoubt, std::clamp(stretch.doubt, 0.0, 1.0));
      const double left = X(strip, stretch.start_s);
      cairo_rectangle(cr_, left, strip.top, X(strip, stretch.end_s) - left, strip.height);
      cairo_fill(cr_);
    }
    cairo_restore(cr_);
    PaintFrame(strip);
  }

  void PaintPianoroll(const Rectangle& panel) const {
    const FeatureSequence& roll = scene_.pianoroll;
    ClipTo(panel);
    cairo_set_antialias(cr_, CAIRO_ANTIALIAS_NONE);
    EachFrame(roll, [&](int64_t frame, double from_s, double to_s) {
      for (int row = 0; row < roll.bands; ++row) {
        const bool onset = roll.cells[frame * 2 * roll.bands + row] != 0;
        const bool sounding = roll.cells[(frame * 2 + 1) * roll.bands + row] != 0;
        if (!onset && !sounding) continue;
        const double pitch = scene_.lowest_pitch + row;
        Fill(onset ? kOnset : kSounding, Box(panel, from_s, to_s, pitch - 0.5, pitch + 0.5));
      }
    });
    cairo_restore(cr_);
  }

  // A line at every C, named with its frequency.
  void PaintOctaves(const Rectangle& panel, const Colour& line, double alpha) const {
    for (int pitch = 12; pitch <= 120; pitch += 12) {
      if (pitch < scene_.bottom_pitch || pitch > scene_.top_pitch) continue;
      const double y = std::floor(Y(panel, pitch)) + 0.5;
      Ink(line, alpha);
      cairo_set_line_width(cr_, 1);
      Line(panel.left, y, panel.left + panel.width, y);
      Ink(kInk);
      Line(panel.left - 6, y, panel.left, y);
      Text(absl::StrFormat("C%d", pitch / 12 - 1), panel.left - 78, y + 5, 15, kInk, 1, true);
      Text(absl::StrFormat("%.0f Hz", FrequencyOfPitch(pitch)), panel.left - 10, y + 5, 13, kInk,
           1);
    }
  }

  // Seconds between ticks: a whole number of half seconds with at least 50 pixels between them.
  double TickSeconds(const Rectangle& panel) const {
    const double pixels_per_second = panel.width / (scene_.end_s - scene_.start_s);
    for (const double step : {0.5, 1.0, 2.0, 5.0}) {
      if (step * pixels_per_second >= 50) return step;
    }
    return 10;
  }

  template <typename Draw>
  void EachTick(const Rectangle& panel, Draw draw) const {
    const double step = TickSeconds(panel);
    for (auto i = std::llround(std::ceil(scene_.start_s / step - 1e-9));
         i * step <= scene_.end_s + 1e-9; ++i) {
      const double at = i * step;
      draw(at, std::floor(X(panel, at)) + 0.5);
    }
  }

  void PaintTimeGrid(const Rectangle& panel) const {
    EachTick(panel, [&](double, double x) {
      Ink(kGrid);
      cairo_set_line_width(cr_, 1);
      Line(x, panel.top, x, panel.top + panel.height);
    });
  }

  void PaintTimeAxis(const Rectangle& panel) const {
    const double bottom = panel.top + panel.height;
    EachTick(panel, [&](double at, double x) {
      Ink(kInk);
      cairo_set_line_width(cr_, 1);
      Line(x, bottom, x, bottom + 7);
      Text(absl::StrFormat("%g", at), x, bottom + 24, 14, kInk, 0.5);
    });
  }

  void PaintFrame(const Rectangle& panel) const {
    Ink(kInk);
    cairo_set_line_width(cr_, 1);
    cairo_rectangle(cr_, panel.left - 0.5, panel.top - 0.5, panel.width + 1, panel.height + 1);
    cairo_stroke(cr_);
  }

  // The colours of the spectrogram in decibels re. a full-scale sine.
  void PaintLevelKey(const Rectangle& panel) const {
    const Rectangle key{panel.left + panel.width + 22, panel.top + 26, 18, panel.height - 26};
    const int loudest = LoudestLevel();
    for (int row = 0; row < key.height; ++row) {
      Fill(Magma(1 - row / key.height), {key.left, key.top + row, key.width, 1.5});
    }
    Text("dB", key.left, key.top - 10, 14, kInk, 0);
    for (int below = 0; below <= kShownLevels; below += 20) {
      const double y = key.top + key.height * below / kShownLevels;
      Text(absl::StrFormat("%g", (loudest - below) / 2.0 - 100), key.left + key.width + 6, y + 5,
           13, kInk, 0);
    }
  }

  void PaintPianorollKey(const Rectangle& panel) const {
    const double left = panel.left + panel.width + 14;
    const std::pair<Colour, const char*> entries[] = {{kOnset, "onset"}, {kSounding, "sounding"}};
    double top = panel.top + 8;
    for (const auto& [colour, text] : entries) {
      Fill(colour, {left, top, 14, 14});
      Text(text, left + 20, top + 12, 14, kInk, 0);
      top += 26;
    }
  }

  cairo_t* const cr_;
  const Scene& scene_;
  const int width_;
};

}  // namespace

absl::Status RunPicture(const PictureOptions& options) {
  RETURN_IF_ERROR(CheckOptions(options));
  ASSIGN_OR_RETURN(const auto scene, MakeScene(options));
  const int width = Painter::WidthFor(options.length_s);
  const std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)> surface(
      cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, Painter::HeightFor(scene)),
      &cairo_surface_destroy);
  const std::unique_ptr<cairo_t, decltype(&cairo_destroy)> cairo(cairo_create(surface.get()),
                                                                 &cairo_destroy);
  Painter(cairo.get(), scene, width).Paint();
  cairo_status_t result = cairo_status(cairo.get());
  if (result == CAIRO_STATUS_SUCCESS)
    result = cairo_surface_write_to_png(surface.get(), options.output.c_str());
  if (result == CAIRO_STATUS_SUCCESS) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(options.output, ": ", cairo_status_to_string(result)));
}

}  // namespace antiphon::trainer::pictures
