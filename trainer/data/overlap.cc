#include "trainer/data/overlap.h"

#include <algorithm>
#include <map>

namespace antiphon::trainer::data {
namespace {

constexpr int kRun = 10;              // intervals
constexpr double kTogether_s = 0.05;  // notes struck within this are one event

std::vector<int> UpperVoice(const music::Score& score) {
  std::vector<int> pitches;
  double struck_s = 0;
  for (const music::Note& note : score.notes) {
    if (pitches.empty() || note.onset_s - struck_s > kTogether_s) {
      pitches.push_back(note.pitch);
      struck_s = note.onset_s;
    } else {
      pitches.back() = std::max(pitches.back(), note.pitch);
    }
  }
  return pitches;
}

}  // namespace

std::set<uint64_t> MelodyShingles(const music::Score& score) {
  const std::vector<int> pitches = UpperVoice(score);
  std::set<uint64_t> shingles;
  for (size_t first = 0; first + kRun < pitches.size(); ++first) {
    uint64_t hash = 14695981039346656037ull;  // FNV-1a
    bool varied = false;
    const int opening = pitches[first + 1] - pitches[first];
    for (size_t i = first; i < first + kRun; ++i) {
      const int interval = pitches[i + 1] - pitches[i];
      hash = (hash ^ static_cast<uint64_t>(interval + 200)) * 1099511628211ull;
      varied |= interval != opening;
    }
    if (varied) shingles.insert(hash);
  }
  return shingles;
}

std::vector<Overlap> FindOverlaps(const std::vector<OverlapPiece>& trained,
                                  const std::vector<OverlapPiece>& measured, int min_shared,
                                  double min_share) {
  std::map<uint64_t, std::vector<size_t>> where;  // shingle → measured pieces
  for (size_t piece = 0; piece < measured.size(); ++piece) {
    for (uint64_t shingle : measured[piece].shingles) where[shingle].push_back(piece);
  }
  std::map<std::string, Overlap> most;
  for (const OverlapPiece& candidate : trained) {
    std::map<size_t, int> shared;
    for (uint64_t shingle : candidate.shingles) {
      const auto it = where.find(shingle);
      if (it == where.end()) continue;
      for (size_t piece : it->second) ++shared[piece];
    }
    for (const auto& [piece, count] : shared) {
      const size_t shorter = std::min(candidate.shingles.size(), measured[piece].shingles.size());
      const double share = static_cast<double>(count) / static_cast<double>(shorter);
      Overlap& best = most[candidate.name];
      if (count >= min_shared && share >= min_share && share > best.share) {
        best = {candidate.name, measured[piece].name, count, share};
      }
    }
  }
  std::vector<Overlap> overlaps;
  for (auto& [name, overlap] : most) {
    if (overlap.shared > 0) overlaps.push_back(std::move(overlap));
  }
  return overlaps;
}

}  // namespace antiphon::trainer::data
