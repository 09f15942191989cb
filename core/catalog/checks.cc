#include "core/catalog/checks.h"

#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace antiphon::catalog {
namespace {

absl::Status Wrong(absl::string_view field, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", why));
}

absl::Status CheckId(absl::string_view field, const std::string& id) {
  if (id.empty()) return Wrong(field, "is empty");
  if (id.size() > kMaxIdBytes)
    return Wrong(field, absl::StrCat("is longer than ", kMaxIdBytes, " bytes"));
  return IsText(id) ? absl::OkStatus() : Wrong(field, "is not UTF-8");
}

absl::Status CheckText(absl::string_view field, const std::string& text,
                       size_t max_bytes = kMaxTextBytes) {
  if (text.size() > max_bytes)
    return Wrong(field, absl::StrCat("is longer than ", max_bytes, " bytes"));
  return IsText(text) ? absl::OkStatus() : Wrong(field, "is not UTF-8");
}

absl::Status CheckNotNegative(absl::string_view field, double value) {
  return std::isfinite(value) && value >= 0 ? absl::OkStatus()
                                            : Wrong(field, "is negative or not finite");
}

absl::Status First(std::initializer_list<absl::Status> statuses) {
  for (const absl::Status& status : statuses) {
    RETURN_IF_ERROR(status);
  }
  return absl::OkStatus();
}

}  // namespace

bool IsText(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    if (lead == 0) return false;
    if (lead < 0x80) continue;
    const int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4 || text.size() - i < static_cast<size_t>(more)) return false;
    uint32_t code = lead & (0x3f >> more);
    for (int j = 0; j < more; ++j) {
      const auto next = static_cast<unsigned char>(text[i++]);
      if ((next & 0xc0) != 0x80) return false;
      code = code << 6 | (next & 0x3f);
    }
    constexpr uint32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    if (code < kLeast[more] || code > 0x10ffff || surrogate) return false;
  }
  return true;
}

absl::Status CheckPiece(const Piece& piece) {
  return First({CheckId("piece id", piece.id), CheckText("piece title", piece.title),
                CheckText("piece composer", piece.composer),
                CheckNotNegative("piece duration", piece.duration_s),
                CheckNotNegative("piece beats", piece.beats),
                CheckNotNegative("piece bars", piece.bars),
                CheckNotNegative("piece notes", piece.notes),
                CheckText("piece collection", piece.collection, kMaxCollectionBytes),
                CheckNotNegative("piece version", static_cast<double>(piece.version)),
                CheckText("piece work_id", piece.work_id, kMaxWorkIdBytes)});
}

absl::Status CheckRecording(const Recording& recording) {
  return First({CheckId("recording id", recording.id),
                CheckText("recording title", recording.title),
                CheckText("recording composer", recording.composer),
                recording.piece_id.empty() ? absl::OkStatus()
                                           : CheckId("recording piece_id", recording.piece_id),
                CheckNotNegative("recording duration", recording.duration_s),
                CheckText("recording collection", recording.collection, kMaxCollectionBytes),
                CheckNotNegative("recording version", static_cast<double>(recording.version))});
}

absl::Status CheckRun(const SnippetRun& run, int64_t next_vector, size_t sources) {
  if (run.first_vector != next_vector) {
    return Wrong("run first_vector",
                 absl::StrCat("is ", run.first_vector, " and should be ", next_vector));
  }
  if (run.count < 1 || run.count > std::numeric_limits<int64_t>::max() - next_vector) {
    return Wrong("run count", "is out of range");
  }
  if (run.source < 0 || static_cast<size_t>(run.source) >= sources) {
    return Wrong("run source", absl::StrCat("is ", run.source, " and there are ", sources));
  }
  if (run.part < kWhole || run.part > kMostPart) return Wrong("run part", "is out of range");
  if (!std::isfinite(run.tempo_ratio) || run.tempo_ratio <= 0)
    return Wrong("run tempo_ratio", "is not positive");
  if (!std::isfinite(run.start_s)) return Wrong("run start", "is not finite");
  if (!std::isfinite(run.window_s) || run.window_s <= 0)
    return Wrong("run window", "is not positive");
  const double last_end =
      run.start_s + static_cast<double>(run.count - 1) * run.hop_s + run.window_s;
  if (run.hop_s < 0 || !std::isfinite(last_end))
    return Wrong("run hop", "is negative or not finite");
  return absl::OkStatus();
}

}  // namespace antiphon::catalog
