#include "core/audio/synthesizer.h"

#include <fluidsynth.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

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
    for (int level = FLUID_PANIC; level < LAST_LOG_LEVEL; ++level)
      fluid_set_log_function(level, nullptr, nullptr);
  });
}

// FluidSynth would try a damaged or foreign file with a second loader (DLS), which writes to
// standard error.
bool LooksLikeSoundfont(const std::string& path) {
  std::array<char, 12> head{};
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), head.size());
  return std::string_view(head.data(), 4) == "RIFF" &&
         std::string_view(head.data() + 8, 4) == "sfbk";
}

// A key going down or up. Ordered by block; within a block a key goes up before one goes down.
struct Event {
  int64_t block = 0;
  bool on = false;
  int pitch = 0;
  int velocity = 0;

  friend bool operator<(const Event& a, const Event& b) {
    return std::tie(a.block, a.on, a.pitch, a.velocity) <
           std::tie(b.block, b.on, b.pitch, b.velocity);
  }
};

absl::Status CheckNote(const music::Note& note, size_t index) {
  if (note.pitch < 0 || note.pitch > 127) {
    return absl::InvalidArgumentError(
        absl::StrCat("note ", index, ": pitch ", note.pitch, " is outside 0 to 127"));
  }
  if (note.velocity < 1 || note.velocity > 127) {
    return absl::InvalidArgumentError(
        absl::StrCat("note ", index, ": velocity ", note.velocity, " is outside 1 to 127"));
  }
  if (!std::isfinite(note.onset_s) || !std::isfinite(note.sounding_offset_s) || note.onset_s < 0 ||
      note.sounding_offset_s < note.onset_s) {
    return absl::InvalidArgumentError(absl::StrCat(
        "note ", index, ": it sounds from ", note.onset_s, " s to ", note.sounding_offset_s,
        " s; both must be finite and 0 <= onset_s <= sounding_offset_s"));
  }
  return absl::OkStatus();
}

absl::Status CheckOptions(const RenderOptions& options) {
  RETURN_IF_ERROR(CheckRange("program", options.program, RenderOptions::kProgramRange));
  RETURN_IF_ERROR(CheckRange("gain", options.gain, RenderOptions::kGainRange));
  RETURN_IF_ERROR(CheckRange("tail_s", options.tail_s, RenderOptions::kTailRange));
  return CheckRange("tuning_cents", options.tuning_cents, RenderOptions::kTuningRange);
}

// The nearest block boundary, so that the placement error has no bias.
int64_t NearestBlock(double seconds, int sample_rate) {
  return std::llround(seconds * sample_rate / kBlockFrames);
}

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

// One rendering's synthesizer, playing a soundfont that another one (`home`) has loaded and keeps.
// Fresh for each rendering: fluid_synth_system_reset() leaves the amplitude ramps of earlier voices
// behind, and so audible differences.
class Stage {
 public:
  Stage(fluid_settings_t* settings, fluid_sfont_t* soundfont)
      : soundfont_(soundfont), synth_(new_fluid_synth(settings)) {
    if (synth_ != nullptr) soundfont_id_ = fluid_synth_add_sfont(synth_.get(), soundfont_);
  }
  // The soundfont is taken out first, as a synthesizer deletes those it holds.
  ~Stage() {
    if (soundfont_id_ != FLUID_FAILED) fluid_synth_remove_sfont(synth_.get(), soundfont_);
  }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  absl::Status Prepare(const RenderOptions& options);
  void Apply(const Event& event);
  absl::Status Render(int64_t blocks, std::vector<float>& out);

 private:
  fluid_sfont_t* soundfont_;  // not owned
  SynthPtr synth_;
  int soundfont_id_ = FLUID_FAILED;
  std::array<int, 128> holders_{};  // notes that hold each key down
};

absl::Status Stage::Prepare(const RenderOptions& options) {
  if (soundfont_id_ == FLUID_FAILED) return absl::InternalError("FluidSynth: no synthesizer");
  fluid_synth_t* synth = synth_.get();
  bool ok = fluid_synth_program_select(synth, kChannel, soundfont_id_, kBank, options.program) ==
            FLUID_OK;
  fluid_synth_set_gain(synth, static_cast<float>(options.gain));
  std::array<double, 128> cents;
  for (int key = 0; key < 128; ++key) cents[key] = 100.0 * key + options.tuning_cents;
  ok &= fluid_synth_activate_key_tuning(synth, 0, 0, "antiphon", cents.data(), 0) == FLUID_OK;
  ok &= fluid_synth_activate_tuning(synth, kChannel, 0, 0, 0) == FLUID_OK;
  return ok ? absl::OkStatus()
            : absl::InternalError("FluidSynth refused the program or the tuning");
}

// One key can be held by several notes (two voices in unison, or a pedalled note struck again): a
// new holder strikes it again, and it goes up with its last holder. A key outside the preset's
// range is silent, not an error.
void Stage::Apply(const Event& event) {
  int& holders = holders_[event.pitch];
  if (event.on) {
    if (holders++ > 0) fluid_synth_noteoff(synth_.get(), kChannel, event.pitch);
    fluid_synth_noteon(synth_.get(), kChannel, event.pitch, event.velocity);
  } else if (--holders == 0) {
    fluid_synth_noteoff(synth_.get(), kChannel, event.pitch);
  }
}

absl::Status Stage::Render(int64_t blocks, std::vector<float>& out) {
  constexpr int64_t kBatch = 64;  // blocks rendered in one call
  std::array<float, 2 * kBatch * kBlockFrames> stereo;
  while (blocks > 0) {
    const int frames = static_cast<int>(std::min(blocks, kBatch)) * kBlockFrames;
    if (fluid_synth_write_float(synth_.get(), frames, stereo.data(), 0, 2, stereo.data(), 1, 2) !=
        FLUID_OK) {
      return absl::InternalError("FluidSynth could not render");
    }
    for (int i = 0; i < frames; ++i) out.push_back(0.5f * (stereo[2 * i] + stereo[2 * i + 1]));
    blocks -= frames / kBlockFrames;
  }
  return absl::OkStatus();
}

}  // namespace

struct Synthesizer::Impl {
  SynthesizerOptions options;
  SettingsPtr settings;  // outlives the synth, which keeps a pointer to it
  SynthPtr home;         // loaded the soundfont and owns it; never sounds
  fluid_sfont_t* soundfont = nullptr;
  std::array<bool, 128> pinned{};

  absl::Status PinProgram(int program);
};

Synthesizer::Synthesizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Synthesizer::~Synthesizer() = default;

absl::StatusOr<std::unique_ptr<Synthesizer>> Synthesizer::Open(const SynthesizerOptions& options) {
  RETURN_IF_ERROR(
      CheckRange("sample_rate", options.sample_rate, SynthesizerOptions::kSampleRateRange));
  std::error_code error;
  if (!std::filesystem::is_regular_file(options.soundfont, error)) {
    return absl::NotFoundError(absl::StrCat("no soundfont at '", options.soundfont, "'"));
  }
  const absl::Status unreadable = absl::InvalidArgumentError(
      absl::StrCat("'", options.soundfont, "' is not a soundfont that can be read"));
  if (!LooksLikeSoundfont(options.soundfont)) return unreadable;
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
  impl->home.reset(new_fluid_synth(settings));
  if (impl->home == nullptr) return absl::InternalError("FluidSynth: no synthesizer");
  if (fluid_synth_get_internal_bufsize(impl->home.get()) != kBlockFrames) {
    return absl::InternalError(absl::StrCat("FluidSynth's block is ",
                                            fluid_synth_get_internal_bufsize(impl->home.get()),
                                            " frames, not ", kBlockFrames));
  }
  const int id = fluid_synth_sfload(impl->home.get(), options.soundfont.c_str(), 1);
  if (id != FLUID_FAILED) impl->soundfont = fluid_synth_get_sfont_by_id(impl->home.get(), id);
  if (impl->soundfont == nullptr) return unreadable;
  return std::unique_ptr<Synthesizer>(new Synthesizer(std::move(impl)));
}

// Reads the program's samples and keeps them for later renderings.
absl::Status Synthesizer::Impl::PinProgram(int program) {
  if (pinned[program]) return absl::OkStatus();
  if (fluid_sfont_get_preset(soundfont, kBank, program) == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("program ", program, " is not in soundfont '", options.soundfont, "'"));
  }
  if (fluid_synth_pin_preset(home.get(), fluid_sfont_get_id(soundfont), kBank, program) !=
      FLUID_OK) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the samples of program ", program, " cannot be read from '", options.soundfont, "'"));
  }
  pinned[program] = true;
  return absl::OkStatus();
}

absl::StatusOr<Waveform> Synthesizer::Render(std::span<const music::Note> notes,
                                             const RenderOptions& options) {
  RETURN_IF_ERROR(CheckOptions(options));
  double end_s = 0;
  for (size_t i = 0; i < notes.size(); ++i) {
    RETURN_IF_ERROR(CheckNote(notes[i], i));
    end_s = std::max(end_s, notes[i].sounding_offset_s);
  }
  if (end_s + options.tail_s > kMaxRenderSeconds) {
    return absl::ResourceExhaustedError(absl::StrCat("the music lasts ", end_s + options.tail_s,
                                                     " s with its tail; the limit is ",
                                                     kMaxRenderSeconds, " s"));
  }
  RETURN_IF_ERROR(impl_->PinProgram(options.program));
  Stage stage(impl_->settings.get(), impl_->soundfont);
  RETURN_IF_ERROR(stage.Prepare(options));

  const int rate = impl_->options.sample_rate;
  const int64_t frames = std::llround((end_s + options.tail_s) * rate);
  const int64_t total_blocks = (frames + kBlockFrames - 1) / kBlockFrames;
  Waveform waveform;
  waveform.sample_rate = rate;
  waveform.samples.reserve(total_blocks * kBlockFrames);
  int64_t block = 0;
  for (const Event& event : SortedEvents(notes, rate)) {
    // Rounding can put the last release one block past the end: the rest of the music is silent
    // then anyway.
    const int64_t until = std::min(event.block, total_blocks);
    RETURN_IF_ERROR(stage.Render(until - block, waveform.samples));
    block = until;
    stage.Apply(event);
  }
  RETURN_IF_ERROR(stage.Render(total_blocks - block, waveform.samples));
  waveform.samples.resize(frames);
  return waveform;
}

absl::StatusOr<Waveform> Synthesizer::RenderScore(const music::Score& score,
                                                  const RenderOptions& options) {
  std::map<std::pair<int, int>, int> programs;  // by track and channel
  for (const music::Part& part : score.parts) programs[{part.track, part.channel}] = part.program;
  std::map<int, std::vector<music::Note>> notes;  // by program
  for (const music::Note& note : score.notes) {
    const auto program = programs.find({note.track, note.channel});
    notes[program == programs.end() ? options.program : program->second].push_back(note);
  }
  if (notes.empty()) return Render({}, options);
  Waveform mix;
  for (const auto& [program, of_program] : notes) {
    RenderOptions own = options;
    own.program = program;
    ASSIGN_OR_RETURN(const Waveform waveform, Render(of_program, own));
    mix.sample_rate = waveform.sample_rate;
    mix.samples.resize(std::max(mix.samples.size(), waveform.samples.size()));
    std::transform(waveform.samples.begin(), waveform.samples.end(), mix.samples.begin(),
                   mix.samples.begin(), std::plus<>());
  }
  return mix;
}

}  // namespace antiphon::audio
