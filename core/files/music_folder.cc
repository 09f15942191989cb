#include "core/files/music_folder.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/scores/read_score.h"

namespace antiphon::files {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 20> kAudioEndings = {
    ".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".mp2", ".m4a",  ".mp4", ".aac",
    ".aif", ".aiff", ".au",  ".caf", ".w64",  ".wma", ".amr", ".webm", ".spx", ".weba"};

std::string EndingOf(const fs::path& path) {
  return music::CleanName(absl::AsciiStrToLower(path.extension().string()));
}

bool Promises(const std::string& ending, Wanted wanted) {
  const auto among = [&](const auto& endings) {
    return std::find(endings.begin(), endings.end(), ending) != endings.end();
  };
  return wanted == Wanted::kScores ? among(notation::ScoreEndings()) : among(kAudioEndings);
}

bool Holds(FileKind kind, Wanted wanted) {
  return wanted == Wanted::kScores ? IsScore(kind) : kind == FileKind::kAudio;
}

class Walk {
 public:
  Walk(const fs::path& root, Wanted wanted) : root_(root), wanted_(wanted) {}

  MusicFolder Run() {
    Descend(root_);
    const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
    std::sort(found_.files.begin(), found_.files.end(), by_name);
    std::sort(found_.passed_over.begin(), found_.passed_over.end(), by_name);
    std::sort(found_.unreadable.begin(), found_.unreadable.end(), by_name);
    return std::move(found_);
  }

 private:
  std::string NameOf(const fs::path& path) const {
    return music::CleanName(path.lexically_relative(root_).generic_string());
  }

  void Descend(const fs::path& folder) {
    std::error_code error;
    fs::directory_iterator entries(folder, error);
    for (const fs::directory_iterator end; !error && entries != end; entries.increment(error))
      Take(*entries);
    if (error) found_.unreadable.push_back({NameOf(folder), error.message()});
  }

  void Take(const fs::directory_entry& entry) {
    const fs::path& path = entry.path();
    std::error_code error;
    const fs::file_status status = entry.status(error);  // of what a link names
    const bool link = entry.symlink_status(error).type() == fs::file_type::symlink;
    if (path.filename().string().starts_with('.')) return PassOver(path, "hidden");
    if (link && !fs::exists(status)) return PassOver(path, "link to nowhere");
    if (fs::is_directory(status)) {
      // Links are not followed into folders: they can lead in circles.
      return link ? PassOver(path, "link to a folder") : Descend(path);
    }
    if (!fs::is_regular_file(status)) return PassOver(path, "no file");
    if (path == root_ / music::kMetadataFile) return;
    TakeFile(path);
  }

  void TakeFile(const fs::path& path) {
    std::ifstream stream(path, std::ios::binary);
    if (!stream) {
      found_.unreadable.push_back({NameOf(path), std::strerror(errno)});
      return;
    }
    std::string head(kFileHeadBytes, '\0');
    stream.read(head.data(), static_cast<std::streamsize>(head.size()));
    head.resize(static_cast<size_t>(stream.gcount()));
    const FileType type = TypeOf(head);
    const std::string ending = EndingOf(path);
    if (Holds(type.kind, wanted_) || Promises(ending, wanted_)) {
      found_.files.push_back({path, NameOf(path), type});
    } else {
      PassOver(path, ending.empty() ? "without an ending" : ending, type.name);
    }
  }

  void PassOver(const fs::path& path, std::string group, std::string_view type_name = "") {
    found_.passed_over.push_back({NameOf(path), std::move(group), type_name});
  }

  const fs::path root_;
  const Wanted wanted_;
  MusicFolder found_;
};

}  // namespace

absl::StatusOr<MusicFolder> ReadMusicFolder(const std::string& folder, Wanted wanted) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    return absl::NotFoundError(
        absl::StrCat("cannot read ", folder, ": ", error ? error.message() : "it is no folder"));
  }
  return Walk(folder, wanted).Run();
}

std::string PassedOverText(const MusicFolder& folder) {
  std::map<std::string, int64_t> counts;
  for (const PassedOver& entry : folder.passed_over) ++counts[entry.group];
  std::vector<std::pair<std::string, int64_t>> groups(counts.begin(), counts.end());
  std::stable_sort(groups.begin(), groups.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return absl::StrJoin(groups, ", ", [](std::string* text, const auto& group) {
    absl::StrAppend(text, group.second, " ", group.first);
  });
}

std::vector<std::string> UnmatchedRows(const music::Metadata& metadata, const MusicFolder& folder) {
  std::set<std::string_view> files;
  std::map<std::string_view, const PassedOver*> passed_over;
  for (const FolderFile& file : folder.files) files.insert(file.name);
  for (const PassedOver& entry : folder.passed_over) passed_over.emplace(entry.name, &entry);
  std::vector<std::string> lines;
  for (const auto& [file, unused] : metadata) {
    if (files.contains(file)) continue;
    const auto found = passed_over.find(file);
    const std::string type(found == passed_over.end() ? "" : found->second->type_name);
    lines.push_back(
        absl::StrCat(music::kMetadataFile, " names '", file, "', which is ",
                     found == passed_over.end()
                         ? "not there"
                         : absl::StrCat("passed over", type.empty() ? "" : ": it is ", type)));
  }
  return lines;
}

}  // namespace antiphon::files
