#include <CLI/CLI.hpp>
#include <memory>

#include "trainer/commands/given_options.h"
#include "trainer/commands/subcommands.h"
#include "trainer/pictures/score_picture.h"

namespace antiphon::trainer::commands {

void AddPicture(CLI::App& program, absl::Status& outcome) {
  CLI::App* command = program.add_subcommand(
      "picture", "Draw a sound's spectrogram over the pianoroll of the same seconds");
  auto options = std::make_shared<pictures::PictureOptions>();
  command->add_option("score", options->score, "MIDI, MusicXML, Humdrum or ABC file")->required();
  command->add_option("-o,--out", options->output, "PNG file")->required();
  command->add_option("--audio", options->audio,
                      "A recording that begins with the score; default: render the score");
  command->add_flag("--align", options->align,
                    "The recording is of the score or a part of it at any tempo: draw the score "
                    "where it is played, with bars and doubt");
  command->add_option("--soundfont", options->soundfont,
                      "To render with when there is no recording");
  command
      ->add_option("--tempo-ratio", options->tempo_ratio,
                   "Tempo of the sound over the tempo written")
      ->capture_default_str();
  command->add_option("--start", options->start_s, "Seconds of the sound")->capture_default_str();
  command->add_option("--length", options->length_s, "Seconds")->capture_default_str();
  command->callback([command, options, &outcome] {
    outcome = RefuseIdle(*command, "--soundfont", options->audio.empty(),
                         "--audio is drawn and nothing is rendered");
    if (outcome.ok()) {
      outcome =
          RefuseIdle(*command, "--tempo-ratio", !options->align, "with --align the tempo is found");
    }
    if (outcome.ok()) outcome = pictures::RunPicture(*options);
  });
}

}  // namespace antiphon::trainer::commands
