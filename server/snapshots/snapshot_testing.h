// Small snapshots for the tests of this folder. Header only.
#ifndef ANTIPHON_SERVER_SNAPSHOTS_SNAPSHOT_TESTING_H_
#define ANTIPHON_SERVER_SNAPSHOTS_SNAPSHOT_TESTING_H_

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "core/base/status_macros.h"
#include "core/bundle/bundle.h"
#include "core/bundle/files.h"
#include "server/snapshots/snapshot_storage.h"

namespace antiphon::server {

inline absl::Status GoOn() { return absl::OkStatus(); }

inline bundle::Manifest SmallManifest() {
  bundle::Manifest manifest;
  manifest.model_id = "model";
  manifest.feature_settings = "{}";
  manifest.dimension = 2;
  manifest.query_hop_s = manifest.score_hop_s = manifest.recording_hop_s = 0.5;
  manifest.tempo_ratios = {1};
  return manifest;
}

// Writes a bundle whose one file, "contents", holds `contents`.
inline SnapshotStorage::Write WriterOf(const std::string& contents) {
  return [contents](const std::string& directory) -> absl::StatusOr<bundle::Manifest> {
    if (std::filesystem::exists(directory)) return absl::AlreadyExistsError("directory");
    ASSIGN_OR_RETURN(const auto writer, bundle::BundleWriter::Create(directory));
    RETURN_IF_ERROR(bundle::WriteNewFile(writer->directory(), "contents", contents));
    return writer->Publish(SmallManifest());
  };
}

// Gives the snapshot in `directory` another date.
inline void Redate(const std::string& directory, const std::string& created) {
  const std::string path = directory + "/gen-000001/MANIFEST";
  std::ifstream file(path);
  bundle::Manifest manifest =
      bundle::ParseManifest(std::string(std::istreambuf_iterator<char>(file), {})).value();
  manifest.created = created;
  std::ofstream(path) << bundle::ManifestToJson(manifest);
}

inline std::vector<std::string> NamesOf(const std::vector<StoredSnapshot>& snapshots) {
  std::vector<std::string> names;
  names.reserve(snapshots.size());
  for (const StoredSnapshot& snapshot : snapshots) names.push_back(snapshot.name);
  return names;
}

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SNAPSHOTS_SNAPSHOT_TESTING_H_
