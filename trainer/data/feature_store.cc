#include "trainer/data/feature_store.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace antiphon::trainer::data {
namespace {

using nlohmann::json;

constexpr char kExtension[] = ".item";
constexpr int kVersion = 2;
constexpr int64_t kMaxNotes = 4'000'000;
constexpr int64_t kMaxCells = int64_t{1} << 31;

static_assert(std::is_trivially_copyable_v<music::Note>);

absl::Status Damaged(const std::string& path, absl::string_view what) {
  return absl::DataLossError(absl::StrCat(path, " is no whole feature item: ", what));
}

absl::StatusOr<json> ReadHeader(std::ifstream& file, const std::string& path) {
  if (!file) return absl::NotFoundError(absl::StrCat("no feature item at ", path));
  std::string line;
  if (!std::getline(file, line)) return Damaged(path, "no header");
  json header = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!header.is_object() || header.value("version", 0) != kVersion)
    return Damaged(path, "unknown header");
  return header;
}

json TimeToJson(const music::TimeMap& time) {
  json points = json::array();
  for (const music::TimePoint& point : time.points()) points.push_back({point.from_s, point.to_s});
  return points;
}

absl::StatusOr<music::TimeMap> TimeFromJson(const json& points) {
  std::vector<music::TimePoint> time;
  for (const json& point : points)
    time.push_back({point.at(0).get<double>(), point.at(1).get<double>()});
  return music::TimeMap::Create(std::move(time));
}

}  // namespace

std::string ItemPath(const std::string& store, const std::string& piece, int variation) {
  std::string name = piece;
  std::replace_if(
      name.begin(), name.end(),
      [](unsigned char c) { return !std::isalnum(c) && c != '-' && c != '_'; }, '_');
  return absl::StrCat(store, "/items/", name, ".", variation, kExtension);
}

absl::Status WriteItem(const std::string& path, const StoreItem& item) {
  const json header = {
      {"version", kVersion},
      {"piece", item.piece},
      {"part", PartName(item.part)},
      {"fingerprint", item.fingerprint},
      {"time", TimeToJson(item.time)},
      {"settings", json::parse(features::SettingsToJson(item.settings))},
      {"notes", item.notes.size()},
      {"cells", item.spectrogram.cells.size()},
  };
  const std::string temporary = path + ".part";
  {
    std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
    file << header.dump() << '\n';
    file.write(reinterpret_cast<const char*>(item.notes.data()),
               static_cast<std::streamsize>(item.notes.size() * sizeof(music::Note)));
    file.write(reinterpret_cast<const char*>(item.spectrogram.cells.data()),
               static_cast<std::streamsize>(item.spectrogram.cells.size()));
    file.flush();
    if (!file)
      return absl::UnavailableError(
          absl::StrCat("cannot write ", temporary, ": is the disk full?"));
  }
  std::error_code error;
  std::filesystem::rename(temporary, path, error);
  if (error)
    return absl::UnavailableError(absl::StrCat("cannot rename ", temporary, ": ", error.message()));
  return absl::OkStatus();
}

absl::StatusOr<StoreItem> ReadItem(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  ASSIGN_OR_RETURN(const json header, ReadHeader(file, path));
  StoreItem item;
  int64_t notes = 0, cells = 0;
  try {
    item.piece = header.at("piece").get<std::string>();
    item.fingerprint = header.at("fingerprint").get<std::string>();
    absl::StatusOr<music::TimeMap> time = TimeFromJson(header.at("time"));
    if (!time.ok()) return Damaged(path, time.status().message());
    item.time = *std::move(time);
    notes = header.at("notes").get<int64_t>();
    cells = header.at("cells").get<int64_t>();
    const absl::StatusOr<Part> part = ParsePart(header.at("part").get<std::string>());
    if (!part.ok()) return Damaged(path, part.status().message());
    item.part = *part;
    const absl::StatusOr<features::FeatureSettings> settings =
        features::ParseSettings(header.at("settings").dump());
    if (!settings.ok()) return Damaged(path, settings.status().message());
    item.settings = *settings;
  } catch (const json::exception& error) {
    return Damaged(path, error.what());
  }
  if (notes < 0 || notes > kMaxNotes || cells < 0 || cells > kMaxCells ||
      cells % item.settings.bands != 0) {
    return Damaged(path, "sizes out of range");
  }
  item.notes.resize(notes);
  file.read(reinterpret_cast<char*>(item.notes.data()),
            static_cast<std::streamsize>(notes * sizeof(music::Note)));
  item.spectrogram.channels = 1;
  item.spectrogram.bands = item.settings.bands;
  item.spectrogram.frame_rate = item.settings.frame_rate();
  item.spectrogram.cells.resize(cells);
  file.read(reinterpret_cast<char*>(item.spectrogram.cells.data()), cells);
  if (!file) return Damaged(path, "it ends early");
  return item;
}

absl::StatusOr<std::string> ReadFingerprint(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  ASSIGN_OR_RETURN(const json header, ReadHeader(file, path));
  return header.value("fingerprint", "");
}

absl::StatusOr<std::vector<std::string>> ListItems(const std::string& store) {
  std::error_code error;
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(store + "/items", error)) {
    if (entry.path().extension() == kExtension) paths.push_back(entry.path());
  }
  if (error)
    return absl::NotFoundError(absl::StrCat("no feature store at ", store, ": ", error.message()));
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace antiphon::trainer::data
