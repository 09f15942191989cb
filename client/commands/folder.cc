#include "client/commands/folder.h"

#include <filesystem>
#include <map>
#include <ostream>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/input/input.h"
#include "client/output/format.h"
#include "client/output/table.h"
#include "core/base/status_macros.h"
#include "core/music/file_naming.h"
#include "nlohmann/json.hpp"

namespace antiphon::client {
namespace {

namespace fs = std::filesystem;

absl::StatusOr<music::Metadata> ReadMetadata(const std::string& folder, std::istream& in) {
  const std::string path = (fs::path(folder) / music::kMetadataFile).string();
  std::error_code error;
  if (!fs::exists(path, error)) return music::Metadata();
  ASSIGN_OR_RETURN(const Input input, OpenInput(path, in));
  ASSIGN_OR_RETURN(const std::string text, ReadAll(input));
  return MapError(music::ParseMetadata(text), [&](const absl::Status& failure) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", failure.message()));
  });
}

absl::Status NothingWanted(const std::string& folder, const files::MusicFolder& found,
                           files::Wanted wanted) {
  const std::string passed_over = files::PassedOverText(found);
  return absl::NotFoundError(
      absl::StrCat("no ", wanted == files::Wanted::kScores ? "score" : "audio file", " below ",
                   folder, passed_over.empty() ? "" : "; passed over: ", passed_over));
}

// Of each id the first file.
void Divide(files::Wanted wanted, FolderPlan& plan) {
  std::vector<std::string> paths;
  for (const files::FolderFile& file : plan.folder.files) paths.push_back(file.name);
  std::vector<music::ScoreName> names;
  if (wanted == files::Wanted::kScores) names = music::NamesOfScores(plan.metadata, paths);
  for (size_t i = 0; i < paths.size(); ++i) {
    plan.names[paths[i]] =
        names.empty() ? music::ScoreName{music::IdOf(plan.metadata, paths[i]), ""} : names[i];
  }
  std::map<std::string, std::string> file_of;  // by id
  for (const files::UnreadableEntry& entry : plan.folder.unreadable) {
    plan.refused.emplace_back(
        entry.name, absl::InvalidArgumentError(absl::StrCat("cannot be read: ", entry.why)));
  }
  for (const files::FolderFile& file : plan.folder.files) {
    const auto [first, is_new] = file_of.emplace(plan.names.at(file.name).id, file.name);
    if (is_new) {
      plan.files.push_back(file);
      continue;
    }
    plan.refused.emplace_back(
        file.name, absl::InvalidArgumentError(
                       absl::StrCat("its id would be '", first->first, "', as that of ",
                                    first->second, ": rename it, or add it alone with --id")));
  }
}

}  // namespace

absl::StatusOr<FolderPlan> PlanFolder(const std::string& folder, files::Wanted wanted,
                                      Context& context) {
  FolderPlan plan;
  ASSIGN_OR_RETURN(plan.folder, MapError(files::ReadMusicFolder(folder, wanted),
                                         [](const absl::Status& failure) {
                                           return absl::InvalidArgumentError(failure.message());
                                         }));
  ASSIGN_OR_RETURN(plan.metadata, ReadMetadata(folder, context.in));
  for (const std::string& line : files::UnmatchedRows(plan.metadata, plan.folder))
    context.err << "antiphon: warning: " << Printable(line) << "\n";
  if (plan.folder.files.empty() && plan.folder.unreadable.empty())
    return NothingWanted(folder, plan.folder, wanted);
  Divide(wanted, plan);
  return plan;
}

std::string NameOf(const FolderPiece& piece) {
  return piece.tune.empty() ? piece.file : absl::StrCat(piece.file, ", tune ", piece.tune);
}

FolderTally::FolderTally(const AddFolderArguments& arguments, const FolderPlan& plan,
                         Context& context)
    : arguments_(arguments),
      plan_(plan),
      context_(context),
      progress_(context.err, context.progress) {
  ReportAtOnce();
}

// What is not even tried.
void FolderTally::ReportAtOnce() {
  for (const auto& [file, why] : plan_.refused) {
    ++failed_;
    worst_ = Worse(worst_, Fail(context_, why, file));
  }
  if (!context_.json) return;
  for (const files::PassedOver& entry : plan_.folder.passed_over) {
    Emit(context_,
         {{"file", entry.name},
          {"passed_over", entry.type_name.empty() ? entry.group : std::string(entry.type_name)}});
  }
}

void FolderTally::Added(const FolderPiece& piece, const nlohmann::ordered_json& answer,
                        const Warnings& warnings, const SameMusicPairs& shared) {
  ++added_;
  progress_.Clear();
  if (context_.json) {
    nlohmann::ordered_json json = {{"file", piece.file}};
    if (!piece.tune.empty()) json["tune"] = piece.tune;
    json.update(answer);
    Emit(context_, json);
  } else {
    context_.out << DescribeShared(shared, Printable(NameOf(piece)) + ": ");
    ReportWarnings(context_, warnings, NameOf(piece));
  }
  ShowProgress(piece);
}

void FolderTally::Failed(const FolderPiece& piece, const absl::Status& why) {
  const bool there = absl::IsAlreadyExists(why);
  ++(there ? existing_ : failed_);
  progress_.Clear();
  if (!there || !arguments_.skip_existing)
    worst_ = Worse(worst_, Fail(context_, why, NameOf(piece)));
  ShowProgress(piece);
}

void FolderTally::ShowProgress(const FolderPiece& piece) {
  progress_.Show(added_ + existing_ + failed_,
                 static_cast<int64_t>(plan_.folder.files.size()) + more_tunes_, NameOf(piece));
}

ExitCode FolderTally::Finish(const absl::Status& end) {
  progress_.Clear();
  if (!end.ok()) worst_ = Worse(worst_, Fail(context_, end));
  const auto passed_over = static_cast<int64_t>(plan_.folder.passed_over.size());
  not_tried_ = plan_.folder.found() + more_tunes_ - passed_over - added_ - existing_ - failed_;
  if (not_tried_ > 0 && worst_ == ExitCode::kOk)
    worst_ = Fail(context_, absl::InternalError("the server did not answer for every file"));
  if (!context_.json) Summarise();
  return worst_;
}

// "17 files found: 3 added, 1 there already, 2 failed, 11 passed over (10 .txt, 1 .pdf)". With
// books: "2 files found, 60 pieces in them: 60 added".
void FolderTally::Summarise() {
  const auto passed_over = static_cast<int64_t>(plan_.folder.passed_over.size());
  std::vector<std::string> counts = {absl::StrCat(FormatCount(added_), " added")};
  const auto count = [&](int64_t number, const std::string& what) {
    if (number > 0) counts.push_back(absl::StrCat(FormatCount(number), " ", what));
  };
  count(existing_, "there already");
  count(failed_ + not_tried_,
        not_tried_ == 0 ? "failed"
                        : absl::StrCat("failed (", FormatCount(not_tried_), " of them not tried)"));
  count(passed_over,
        absl::StrCat("passed over (", Printable(files::PassedOverText(plan_.folder)), ")"));
  context_.out << Plural(plan_.folder.found(), "file") << " found";
  if (more_tunes_ > 0) {
    context_.out << ", " << Plural(plan_.folder.found() - passed_over + more_tunes_, "piece")
                 << " in them";
  }
  context_.out << ": " << absl::StrJoin(counts, ", ") << "\n";
}

}  // namespace antiphon::client
