#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/editing/bundle_migration.h"
#include "trainer/commands/subcommands.h"

namespace antiphon::trainer::commands {
namespace {

struct Flags {
  std::string bundle;
  bool accept_lost_journal = false;
};

void Print(const std::string& text) { std::fputs(text.c_str(), stdout); }

std::string Text(const editing::BundleVersions& versions) {
  return absl::StrCat("bundle format ", versions.bundle, ", catalogue ", versions.catalog,
                      ", journal ", versions.journal);
}

std::string Text(const editing::GivenUp& given_up) {
  std::string text =
      given_up.through == 0
          ? absl::StrCat("Gave up whatever was changed after change ", given_up.after,
                         ": the mark of the journal is damaged, and says not how far it went\n")
      : given_up.through <= given_up.after
          ? "The journal could not be read. No change is lost: the generation contains them all\n"
          : absl::StrCat("Gave up what was changed by changes ", given_up.after + 1, " to ",
                         given_up.through, "\n");
  if (!given_up.kept_as.empty())
    absl::StrAppend(&text, "The journal that does not fit is kept as ", given_up.kept_as, "\n");
  return text;
}

std::string Text(const editing::Migration& migration) {
  const editing::BundleVersions present = editing::PresentVersions();
  if (migration.before == present)
    return absl::StrCat("Nothing to do: ", Text(present), ", generation ", migration.generation,
                        "\n");
  std::string text = absl::StrCat("From ", Text(migration.before), "\nto   ", Text(present), "\n");
  if (migration.generation == migration.former_generation) {
    absl::StrAppend(&text, "Generation ", migration.generation, " is of the present format\n");
    return text;
  }
  absl::StrAppend(&text, "Generation ", migration.generation, ": ", migration.pieces, " pieces, ",
                  migration.recordings, " recordings, ", migration.changes,
                  " changes of the journal among it\nGeneration ", migration.former_generation,
                  " stays until a later merge\n");
  return text;
}

absl::Status Run(const Flags& flags) {
  if (flags.accept_lost_journal) {
    ASSIGN_OR_RETURN(const std::optional<editing::GivenUp> given_up,
                     editing::GiveUpLostChanges(flags.bundle));
    Print(given_up.has_value() ? Text(*given_up) : "The journal is whole: nothing is given up\n");
  }
  ASSIGN_OR_RETURN(const editing::Migration migration, editing::MigrateBundle(flags.bundle));
  for (const std::string& line : migration.left_out) Print(absl::StrCat("Damaged: ", line, "\n"));
  Print(Text(migration));
  return absl::OkStatus();
}

}  // namespace

void AddMigrate(CLI::App& program, absl::Status& outcome) {
  CLI::App* command = program.add_subcommand(
      "migrate", "Bring a bundle of an earlier format to the present one, changes included");
  auto flags = std::make_shared<Flags>();
  command->add_option("--bundle", flags->bundle, "Bundle; no server may have it open")->required();
  command->add_flag("--accept-lost-journal", flags->accept_lost_journal,
                    "Give up changes that were in a journal which is lost or damaged, so that the "
                    "bundle can be served again");
  command->callback([flags, &outcome] { outcome = Run(*flags); });
}

}  // namespace antiphon::trainer::commands
