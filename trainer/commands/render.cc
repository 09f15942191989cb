#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/audio/encoder.h"
#include "core/audio/synthesizer.h"
#include "core/base/status_macros.h"
#include "core/scores/read_score.h"
#include "trainer/commands/subcommands.h"

namespace antiphon::trainer::commands {
namespace {

struct Flags {
  std::string score, out;
  audio::SynthesizerOptions synthesis;
  audio::RenderOptions render;
  std::optional<int> program;
  double tempo_ratio = 1.0, start_s = 0, length_s = 0;
};

absl::StatusOr<audio::AudioFormat> FormatOf(const std::string& path) {
  const std::string extension =
      absl::AsciiStrToLower(std::filesystem::path(path).extension().string());
  if (extension == ".wav") return audio::AudioFormat::kWav;
  if (extension == ".flac") return audio::AudioFormat::kFlac;
  if (extension == ".ogg") return audio::AudioFormat::kOggVorbis;
  return absl::InvalidArgumentError(
      absl::StrCat("--out ", path, " ends in none of .wav, .flac, .ogg"));
}

absl::StatusOr<audio::Waveform> Render(audio::Synthesizer& synthesizer, const music::Score& score,
                                       const Flags& flags) {
  if (!flags.program) return synthesizer.RenderScore(score, flags.render);
  audio::RenderOptions options = flags.render;
  options.program = *flags.program;
  return synthesizer.Render(score.notes, options);
}

absl::Status Run(const Flags& flags) {
  ASSIGN_OR_RETURN(const audio::AudioFormat format, FormatOf(flags.out));
  ASSIGN_OR_RETURN(music::Score score, notation::ReadScoreFile(flags.score));
  const double end_s = flags.length_s > 0 ? flags.start_s + flags.length_s : score.duration_s;
  if (!(end_s > flags.start_s)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--start ", flags.start_s, " lies at or after the end, ", end_s));
  }
  score = music::AtTempoRatio(music::Excerpt(score, flags.start_s, end_s), flags.tempo_ratio);
  ASSIGN_OR_RETURN(std::unique_ptr<audio::Synthesizer> synthesizer,
                   audio::Synthesizer::Open(flags.synthesis));
  ASSIGN_OR_RETURN(const audio::Waveform audio, Render(*synthesizer, score, flags));
  RETURN_IF_ERROR(audio::WriteAudioFile(audio, format, flags.out));
  std::printf("%s: %.1f s at %.2f times the tempo written\n", flags.out.c_str(), audio.duration_s(),
              flags.tempo_ratio);
  return absl::OkStatus();
}

}  // namespace

void AddRender(CLI::App& program, absl::Status& outcome) {
  CLI::App* command =
      program.add_subcommand("render", "Play a score with a soundfont into an audio file");
  auto flags = std::make_shared<Flags>();
  command->add_option("score", flags->score, "MIDI, MusicXML, Humdrum or ABC file")->required();
  command->add_option("-o,--out", flags->out, "Audio file: .wav, .flac or .ogg")->required();
  command->add_option("--soundfont", flags->synthesis.soundfont, "An .sf2 or .sf3")->required();
  command->add_option("--tempo-ratio", flags->tempo_ratio, "Tempo over the tempo written")
      ->check(CLI::Range(0.1, 10.0))
      ->capture_default_str();
  command->add_option("--start", flags->start_s, "Seconds of the score")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--length", flags->length_s, "Seconds of the score; 0 is to the end")
      ->check(CLI::NonNegativeNumber);
  command
      ->add_option("--program", flags->program,
                   "General MIDI program [the score's own instruments]")
      ->check(CLI::Range(0, 127));
  command->add_option("--sample-rate", flags->synthesis.sample_rate, "Hz")->capture_default_str();
  command->add_flag("--reverb", flags->synthesis.reverb, "FluidSynth's reverberation");
  command->callback([flags, &outcome] { outcome = Run(*flags); });
}

}  // namespace antiphon::trainer::commands
