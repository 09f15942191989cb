#include "trainer/datasets/distinct_music.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/scores/read_score.h"
#include "trainer/base/fingerprint.h"

namespace antiphon::trainer::datasets {

uint64_t NotesFingerprint(const music::Score& score) {
  constexpr double kGrid = 24;  // of a quarter note: triplets and sixteenths fall on it
  std::vector<std::pair<int64_t, int>> struck;
  struck.reserve(score.notes.size());
  const double first = score.notes.empty() ? 0 : score.tempo_map.BeatsAt(score.notes[0].onset_s);
  for (const music::Note& note : score.notes) {
    struck.emplace_back(std::llround((score.tempo_map.BeatsAt(note.onset_s) - first) * kGrid),
                        note.pitch);
  }
  std::sort(struck.begin(), struck.end());
  struck.erase(std::unique(struck.begin(), struck.end()), struck.end());
  std::string text;
  for (const auto& [at, pitch] : struck) absl::StrAppend(&text, at, ":", pitch, " ");
  return HashOf(text);
}

bool CountIfNew(uint64_t fingerprint, std::set<uint64_t>& seen, CatalogueCount& count) {
  ++count.files;
  const bool is_new = seen.insert(fingerprint).second;
  count.copies += !is_new;
  return is_new;
}

std::string NameOfFolder(const std::string& folder) {
  const std::filesystem::path path = std::filesystem::path(folder).lexically_normal();
  return path.has_filename() ? path.filename() : path.parent_path().filename();
}

absl::StatusOr<Catalogue> ReadDistinct(const std::vector<std::string>& folders,
                                       Progress& progress) {
  Catalogue catalogue;
  std::set<uint64_t> seen;
  for (size_t i = 0; i < folders.size(); ++i) {
    ASSIGN_OR_RETURN(std::vector<CollectionEntry> entries, ReadEntries(folders[i]));
    const std::string name = NameOfFolder(folders[i]);
    progress.Start(absl::StrCat("read ", name), std::ssize(entries));
    for (CollectionEntry& entry : entries) {
      progress.Advance();
      const absl::StatusOr<music::Score> score = notation::ReadScore(entry.midi);
      if (!score.ok() || score->notes.empty()) {
        ++catalogue.count.files;
        ++catalogue.count.unreadable;
        continue;
      }
      const uint64_t fingerprint = NotesFingerprint(*score);
      if (!CountIfNew(fingerprint, seen, catalogue.count)) continue;
      entry.id = absl::StrCat(name, "/", entry.title);  // which is its path
      catalogue.entries.push_back(std::move(entry));
      catalogue.fingerprints.push_back(fingerprint);
      catalogue.folders.push_back(static_cast<int>(i));
    }
    progress.Finish();
  }
  return catalogue;
}

absl::StatusOr<Catalogue> ReadPieces(const retrieval::Collection& collection, Progress& progress) {
  Catalogue catalogue;
  std::set<uint64_t> seen;
  const std::vector<catalog::Piece>& pieces = collection.pieces();
  progress.Start("read the bundle", std::ssize(pieces));
  for (int source = 0; source < std::ssize(pieces); ++source) {
    ASSIGN_OR_RETURN(const auto score, collection.ReadScore(source));
    ASSIGN_OR_RETURN(std::string bytes, collection.ReadScoreFile(source));
    const catalog::Piece& piece = pieces[source];
    catalogue.entries.push_back({piece.id, piece.title, piece.composer, std::move(bytes)});
    catalogue.fingerprints.push_back(NotesFingerprint(*score));
    CountIfNew(catalogue.fingerprints.back(), seen, catalogue.count);
    progress.Advance();
  }
  progress.Finish();
  return catalogue;
}

std::string ToText(const CatalogueCount& count) {
  return absl::StrCat(count.files, " files, ", count.files - count.unreadable - count.copies,
                      " distinct, ", count.unreadable, " unreadable");
}

}  // namespace antiphon::trainer::datasets
