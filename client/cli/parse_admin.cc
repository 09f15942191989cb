#include <memory>

#include "client/cli/parser.h"

namespace antiphon::client {
namespace {

void AddAction(CLI::App& group, Command& command, AdminArguments::Action action,
               const std::string& name, const std::string& description) {
  const auto admin = std::make_shared<AdminArguments>();
  admin->action = action;
  CLI::App& app = *group.add_subcommand(name, description);
  using Action = AdminArguments::Action;
  if (action == Action::kSnapshot || action == Action::kRestore ||
      action == Action::kDeleteSnapshot) {
    app.add_option("name", admin->name, "Of the snapshot")->required()->type_name("NAME");
  }
  if (action == Action::kSnapshots) {
    app.add_option("-n,--limit", admin->limit, "Show so many at most, the newest")
        ->type_name("N")
        ->check(CLI::PositiveNumber);
  }
  app.final_callback([admin, &command] { command = *admin; });
}

}  // namespace

void AddAdminCommands(CLI::App& app, Command& command) {
  app.add_subcommand("status", "What the server is doing, what it holds and what it accepts")
      ->final_callback([&command] { command = StatusArguments{}; });

  CLI::App& admin = *app.add_subcommand(
      "admin", "Look after a server; needs a key for administration where there are keys");
  using Action = AdminArguments::Action;
  AddAction(admin, command, Action::kReload, "reload",
            "Serve the generation that the bundle's CURRENT names now");
  AddAction(admin, command, Action::kMerge, "merge",
            "Write the changes made so far into a new generation");
  AddAction(admin, command, Action::kSnapshot, "snapshot",
            "Copy the collection to where the server keeps its snapshots");
  AddAction(admin, command, Action::kRestore, "restore",
            "Replace the collection by a snapshot; changes since are undone");
  AddAction(admin, command, Action::kSnapshots, "snapshots",
            "List the snapshots, the newest first");
  AddAction(admin, command, Action::kDeleteSnapshot, "delete-snapshot", "Remove a snapshot");
  admin.require_subcommand(0, 1);
  admin.final_callback([&admin] {
    if (admin.get_subcommands().empty())
      throw CLI::RequiredError(
          "admin: reload, merge, snapshot, snapshots, restore or delete-snapshot");
  });
}

}  // namespace antiphon::client
