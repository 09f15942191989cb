#include "core/audio/synthesizer.h"

#include <fluidsynth.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace antiphon::audio {
namespace {

constexpr int kChannel = 0;
constexpr int kBank = 0;
// FluidSynth starts and releases voices only between blocks of so many frames (FLUID_BUFSIZE).
constexpr int kBlockFrames = 64;

struct SettingsDeleter {
  void operator()(fluid_settings_t* settings) const { delete_fluid_settings(settings); }
};
struct SynthDeleter {
  void operator()(fluid_synth_t* synth) const { delete_fluid_synth(synth); }
};
using SettingsPtr = std::unique_ptr<fluid_settings_t, SettingsDeleter>;
using SynthPtr = std::unique_ptr<fluid_synth_t, SynthDeleter>;

// A library must not write to its program's standard error; what matters comes back as a status.
void SilenceFluidSynth() {
  static std::once_flag once;
  std::call_once(once, [] {
    for (int level = FLUID_PANIC; level < LAST_LOG_LEVEL; ++level) fluid_set_log_function(level, nullptr, nullptr);
  });
}

// A key going down or up. Ordered by block; within a block a key goes up before one goes down.
struct Event {
  int64_t block = 0;
  bool on = false;
  int pitch = 0;
  int velocity = 0;

  friend bool operator<(const Event& a, const Event& b) {
    return std::tie(a.block, a.on, a.pitch, a.velocity) < std::tie(b.block, b.on, b.pitch, b.velocity);
  }
};

absl::Status CheckNote(const music::Note& note, size_t index) {
  if (note.pitch < 0 || note.pitch > 127) {
    return absl::InvalidArgumentError(absl::StrCat("note ", index, ": pitch ", note.pitch, " is outside 0 to 127"));
  }
  if (note.velocity < 1 || note.velocity > 127) {
    return absl::InvalidArgumentError(
        absl::StrCat("note ", index, ": velocity ", note.velocity, " is outside 1 to 127"));
  }
  if (!std::isfinite(note.onset_s) || !std::isfinite(note.sounding_offset_s) || note.onset_s < 0 ||
      note.sounding_offset_s < note.onset_s) {
    return absl::InvalidArgumentError(absl::StrCat("note ", index, ": it sounds from ", note.onset_s, " s to ",
                                                   note.sounding_offset_s,
                                                   " s; both must be finite and 0 <= onset_s <= sounding_offset_s"));
  }
  return absl::OkStatus();
}

absl::Status CheckOptions(const RenderOptions& options) {
  if (options.program < 0 || options.program > 127) {
    return absl::InvalidArgumentError(absl::StrCat("program ", options.program, " is outside 0 to 127"));
  }
  if (!(options.gain >= 0 && options.gain <= 10)) {
    return absl::InvalidArgumentError(absl::StrCat("gain ", options.gain, " is outside 0 to 10"));
  }
  if (!(options.tail_s >= 0 && options.tail_s <= kMaxRenderSeconds)) {
    return absl::InvalidArgumentError(absl::StrCat("tail_s ", options.tail_s, " is outside 0 to ", kMaxRenderSeconds));
  }
  if (!(std::abs(options.tuning_cents) <= 1200)) {
    return absl::InvalidArgumentError(absl::StrCat("tuning_cents ", options.tuning_cents, " is outside ±1200"));
  }
  return absl::OkStatus();
}

// The nearest block boundary, so that the placement error has no bias.
int64_t NearestBlock(double seconds, int sample_rate) { return std::llround(seconds * sample_rate / kBlockFrames); }

std::vector<Event> SortedEvents(std::span<const music::Note> notes, int sample_rate) {
  std::vector<Event> events;
  events.reserve(2 * notes.size());
  for (const music::Note& note : notes) {
    const int64_t on = NearestBlock(note.onset_s, sample_rate);
    const int64_t off = std::max(on + 1, NearestBlock(note.sounding_offset_s, sample_rate));
    events.push_back({on, true, note.pitch, note.velocity});
    events.push_back({off, false, note.pitch, 0});
  }
  std::sort(events.begin(), events.end());
  return events;
}

}  // namespace

struct Synthesizer::Impl {
  SynthesizerOptions options;
  SettingsPtr settings;  // outlives the synth, which keeps a pointer to it
  SynthPtr synth;
  int soundfont_id = -1;
  std::array<bool, 128> pinned{};

  absl::Status Prepare(const RenderOptions& render);
  void Press(int pitch, int velocity, std::array<int, 128>& holders);
  void Release(int pitch, std::array<int, 128>& holders);
  absl::Status RenderBlocks(int64_t blocks, std::vector<float>& out);
};

Synthesizer::Synthesizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Synthesizer::~Synthesizer() = default;

absl::StatusOr<std::unique_ptr<Synthesizer>> Synthesizer::Open(const SynthesizerOptions& options) {
  if (options.sample_rate < 8000 || options.sample_rate > 96000) {
    return absl::InvalidArgumentError(
        absl::StrCat("sample_rate ", options.sample_rate, " Hz is outside 8000 to 96000 Hz"));
  }
  std::error_code error;
  if (!std::filesystem::is_regular_file(options.soundfont, error)) {
    return absl::NotFoundError(absl::StrCat("no soundfont at '", options.soundfont, "'"));
  }
  SilenceFluidSynth();
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  impl->settings.reset(new_fluid_settings());
  if (impl->settings == nullptr) return absl::InternalError("FluidSynth: no settings");
  fluid_settings_t* settings = impl->settings.get();
  bool ok = fluid_settings_setnum(settings, "synth.sample-rate", options.sample_rate) == FLUID_OK;
  ok &= fluid_settings_setint(settings, "synth.reverb.active", options.reverb ? 1 : 0) == FLUID_OK;
  ok &= fluid_settings_setint(settings, "synth.chorus.active", 0) == FLUID_OK;
  ok &= fluid_settings_setint(settings, "synth.polyphony", 256) == FLUID_OK;
  ok &= fluid_settings_setint(settings, "synth.cpu-cores", 1) == FLUID_OK;
  ok &= fluid_settings_setint(settings, "synth.threadsafe-api", 0) == FLUID_OK;
  ok &= fluid_settings_setint(settings, "synth.lock-memory", 0) == FLUID_OK;
  // Only the samples of the programs in use are read: a large soundfont then opens at once.
  ok &= fluid_settings_setint(settings, "synth.dynamic-sample-loading", 1) == FLUID_OK;
  if (!ok) return absl::InternalError("FluidSynth refused its settings");
  impl->synth.reset(new_fluid_synth(settings));
  if (impl->synth == nullptr) return absl::InternalError("FluidSynth: no synthesizer");
  if (fluid_synth_get_internal_bufsize(impl->synth.get()) != kBlockFrames) {
    return absl::InternalError(absl::StrCat(
        "FluidSynth's block is ", fluid_synth_get_internal_bufsize(impl->synth.get()), " frames, not ", kBlockFrames));
  }
  impl->soundfont_id = fluid_synth_sfload(impl->synth.get(), options.soundfont.c_str(), 1);
  if (impl->soundfont_id == FLUID_FAILED) {
    return absl::InvalidArgumentError(absl::StrCat("'", options.soundfont, "' is not a soundfont that can be read"));
  }
  return std::unique_ptr<Synthesizer>(new Synthesizer(std::move(impl)));
}

absl::Status Synthesizer::Impl::Prepare(const RenderOptions& render) {
  fluid_synth_t* s = synth.get();
  fluid_sfont_t* soundfont = fluid_synth_get_sfont_by_id(s, soundfont_id);
  if (soundfont == nullptr || fluid_sfont_get_preset(soundfont, kBank, render.program) == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("program ", render.program, " is not in soundfont '", options.soundfont, "'"));
  }
  // Pinned samples stay loaded through the reset, which puts every channel back to program 0.
  if (!pinned[render.program]) {
    if (fluid_synth_pin_preset(s, soundfont_id, kBank, render.program) != FLUID_OK) {
      return absl::InvalidArgumentError(
          absl::StrCat("the samples of program ", render.program, " cannot be read from '", options.soundfont, "'"));
    }
    pinned[render.program] = true;
  }
  bool ok = fluid_synth_all_sounds_off(s, -1) == FLUID_OK;
  ok &= fluid_synth_system_reset(s) == FLUID_OK;
  ok &= fluid_synth_program_select(s, kChannel, soundfont_id, kBank, render.program) == FLUID_OK;
  fluid_synth_set_gain(s, static_cast<float>(render.gain));
  std::array<double, 128> cents;
  for (int key = 0; key < 128; ++key) cents[key] = 100.0 * key + render.tuning_cents;
  ok &= fluid_synth_activate_key_tuning(s, 0, 0, "antiphon", cents.data(), 0) == FLUID_OK;
  ok &= fluid_synth_activate_tuning(s, kChannel, 0, 0, 0) == FLUID_OK;
  return ok ? absl::OkStatus() : absl::InternalError("FluidSynth could not be reset");
}

// One key can be held by several notes (two voices in unison, or a pedalled note struck again): a new holder strikes
// it again, and it goes up with its last holder.
void Synthesizer::Impl::Press(int pitch, int velocity, std::array<int, 128>& holders) {
  if (holders[pitch]++ > 0) fluid_synth_noteoff(synth.get(), kChannel, pitch);
  // A key outside the preset's range is silent, not an error.
  fluid_synth_noteon(synth.get(), kChannel, pitch, velocity);
}

void Synthesizer::Impl::Release(int pitch, std::array<int, 128>& holders) {
  if (--holders[pitch] == 0) fluid_synth_noteoff(synth.get(), kChannel, pitch);
}

absl::Status Synthesizer::Impl::RenderBlocks(int64_t blocks, std::vector<float>& out) {
  constexpr int64_t kBatch = 64;  // blocks rendered in one call
  std::array<float, 2 * kBatch * kBlockFrames> stereo;
  while (blocks > 0) {
    const int frames = static_cast<int>(std::min(blocks, kBatch)) * kBlockFrames;
    if (fluid_synth_write_float(synth.get(), frames, stereo.data(), 0, 2, stereo.data(), 1, 2) != FLUID_OK) {
      return absl::InternalError("FluidSynth could not render");
    }
    for (int i = 0; i < frames; ++i) out.push_back(0.5f * (stereo[2 * i] + stereo[2 * i + 1]));
    blocks -= frames / kBlockFrames;
  }
  return absl::OkStatus();
}

absl::StatusOr<Waveform> Synthesizer::Render(std::span<const music::Note> notes, const RenderOptions& options) {
  if (absl::Status status = CheckOptions(options); !status.ok()) return status;
  double end_s = 0;
  for (size_t i = 0; i < notes.size(); ++i) {
    if (absl::Status status = CheckNote(notes[i], i); !status.ok()) return status;
    end_s = std::max(end_s, notes[i].sounding_offset_s);
  }
  if (end_s + options.tail_s > kMaxRenderSeconds) {
    return absl::ResourceExhaustedError(absl::StrCat("the music lasts ", end_s + options.tail_s,
                                                     " s with its tail; the limit is ", kMaxRenderSeconds, " s"));
  }
  if (absl::Status status = impl_->Prepare(options); !status.ok()) return status;

  const int rate = impl_->options.sample_rate;
  const int64_t frames = std::llround((end_s + options.tail_s) * rate);
  const int64_t total_blocks = (frames + kBlockFrames - 1) / kBlockFrames;
  Waveform waveform;
  waveform.sample_rate = rate;
  waveform.samples.reserve(total_blocks * kBlockFrames);
  std::array<int, 128> holders{};
  int64_t block = 0;
  for (const Event& event : SortedEvents(notes, rate)) {
    // Rounding can put the last release one block past the end: the rest of the music is silent then anyway.
    const int64_t until = std::min(event.block, total_blocks);
    if (absl::Status status = impl_->RenderBlocks(until - block, waveform.samples); !status.ok()) return status;
    block = until;
    event.on ? impl_->Press(event.pitch, event.velocity, holders) : impl_->Release(event.pitch, holders);
  }
  if (absl::Status status = impl_->RenderBlocks(total_blocks - block, waveform.samples); !status.ok()) return status;
  waveform.samples.resize(frames);
  return waveform;
}

}  // namespace antiphon::audio
