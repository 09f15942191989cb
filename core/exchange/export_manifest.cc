#include "core/exchange/export_manifest.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/check_range.h"
#include "core/base/status_macros.h"
#include "core/bundle/files.h"
#include "core/bundle/manifest.h"
#include "core/catalog/checks.h"
#include "core/hash/sha256.h"

namespace antiphon::exchange {
namespace {

using catalog::Side;
using Json = nlohmann::json;

constexpr char kFormat[] = "antiphon export";
constexpr int kMaxDepth = 8;
constexpr size_t kMaxText = 4096;  // the largest text of a catalogue and a little more

absl::Status Wrong(absl::string_view what) {
  return absl::DataLossError(absl::StrCat(kExportFile, ": ", what));
}

// Reads the fields of an object; the first failure sticks, and what is read after it is empty.
class Fields {
 public:
  Fields(const Json& object, std::string prefix) : object_(object), prefix_(std::move(prefix)) {
    if (!object.is_object()) status_ = Wrong(absl::StrCat(prefix_, "is no object"));
  }

  std::string Text(const char* name) {
    const Json* value = Find(name);
    if (value == nullptr) return "";
    if (!value->is_string()) return Fail(name, "is no text"), "";
    std::string text = value->get<std::string>();
    if (text.size() > kMaxText) return Fail(name, "is too long"), "";
    return text;
  }
  int64_t Integer(const char* name, int64_t low, int64_t high) {
    const Json* value = Find(name);
    if (value == nullptr) return low;
    const bool fits =
        value->is_number_integer() &&
        !(value->is_number_unsigned() && value->get<uint64_t>() > static_cast<uint64_t>(high));
    if (!fits || value->get<int64_t>() < low || value->get<int64_t>() > high)
      return Fail(name, absl::StrCat("is no whole number from ", low, " to ", high)), low;
    return value->get<int64_t>();
  }
  // False where it is missing: earlier exports don't have it.
  bool Flag(const char* name) {
    const auto found = object_.find(name);
    if (!status_.ok() || found == object_.end()) return false;
    if (!found->is_boolean()) return Fail(name, "is not true or false"), false;
    return found->get<bool>();
  }
  double Hop(const char* name) {
    const Json* value = Find(name);
    if (value == nullptr) return 1;
    const double hop = value->is_number() ? value->get<double>() : 0;
    if (!(hop > 0 && hop <= bundle::Manifest::kMaxHopS))
      return Fail(name, "is no number of seconds"), 1;
    return hop;
  }
  std::vector<double> Ratios(const char* name) {
    const Json* value = List(name);
    std::vector<double> ratios;
    if (value == nullptr) return ratios;
    if (value->empty() || value->size() > bundle::Manifest::kMaxTempoRatios)
      return Fail(name, "has too few or too many numbers"), ratios;
    for (const Json& item : *value) {
      const double ratio = item.is_number() ? item.get<double>() : 0;
      if (!CheckRange(name, ratio, bundle::Manifest::kTempoRatioRange).ok())
        return Fail(name, "has a number out of range"), ratios;
      ratios.push_back(ratio);
    }
    return ratios;
  }
  const Json* List(const char* name) {
    const Json* value = Find(name);
    if (value != nullptr && !value->is_array()) return Fail(name, "is no list"), nullptr;
    return value;
  }
  ExportedFile File() {
    ExportedFile file = {Text("file"),
                         Integer("size", 0, static_cast<int64_t>(catalog::kMaxBlobBytes)),
                         Text("sha256")};
    if (status_.ok() && !bundle::IsPlainName(file.name)) Fail("file", "is no plain file name");
    if (status_.ok() && !IsHash(file.sha256)) Fail("sha256", "is not 64 hexadecimal digits");
    return file;
  }

  void Fail(absl::string_view name, absl::string_view why) {
    if (status_.ok()) status_ = Wrong(absl::StrCat(prefix_, name, " ", why));
  }
  const absl::Status& status() const { return status_; }

 private:
  static bool IsHash(const std::string& text) {
    return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
  }
  const Json* Find(const char* name) {
    if (!status_.ok()) return nullptr;
    const auto found = object_.find(name);
    if (found == object_.end()) return Fail(name, "is missing"), nullptr;
    return &*found;
  }

  const Json& object_;
  const std::string prefix_;
  absl::Status status_;
};

std::string Checksum(const Json& json) {
  return hash::HexSha256(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

nlohmann::ordered_json ToJson(const ExportedFile& file) {
  return {{"file", file.name}, {"size", file.size}, {"sha256", file.sha256}};
}

nlohmann::ordered_json ToJson(const ExportedSource& exported) {
  nlohmann::ordered_json json = ToJson(exported.file);
  const auto common = [&json](const auto& source) {
    json["id"] = source.id;
    json["title"] = source.title;
    json["composer"] = source.composer;
    json["collection"] = source.collection;
    json["version"] = source.version;
  };
  if (exported.source.side == Side::kScores) {
    common(exported.source.piece);
    json["work_id"] = exported.source.piece.work_id;
    json["with_parts"] = exported.source.piece.with_parts;
  } else {
    common(exported.source.recording);
    json["piece_id"] = exported.source.recording.piece_id;
  }
  return json;
}

template <typename Source>
void ReadCommon(Fields& fields, int64_t last_change, Source& source) {
  source.id = fields.Text("id");
  source.title = fields.Text("title");
  source.composer = fields.Text("composer");
  source.collection = fields.Text("collection");
  source.version = fields.Integer("version", 0, last_change);
}

absl::Status ReadSource(const Json& json, Side side, int64_t last_change, const std::string& prefix,
                        ExportedSource& exported) {
  Fields fields(json, prefix);
  exported.file = fields.File();
  exported.source.side = side;
  if (side == Side::kScores) {
    ReadCommon(fields, last_change, exported.source.piece);
    exported.source.piece.work_id = fields.Text("work_id");
    exported.source.piece.with_parts = fields.Flag("with_parts");
  } else {
    ReadCommon(fields, last_change, exported.source.recording);
    exported.source.recording.piece_id = fields.Text("piece_id");
  }
  RETURN_IF_ERROR(fields.status());
  const absl::Status checked = side == Side::kScores
                                   ? catalog::CheckPiece(exported.source.piece)
                                   : catalog::CheckRecording(exported.source.recording);
  return checked.ok() ? absl::OkStatus() : Wrong(absl::StrCat(prefix, checked.message()));
}

absl::Status ReadSources(const Json& list, Side side, int64_t last_change,
                         std::vector<ExportedSource>& sources) {
  std::set<std::string> ids, names;
  for (const Json& item : list) {
    const std::string prefix =
        absl::StrCat(side == Side::kScores ? "pieces[" : "recordings[", sources.size(), "] ");
    ExportedSource exported;
    RETURN_IF_ERROR(ReadSource(item, side, last_change, prefix, exported));
    if (!ids.insert(exported.source.id()).second)
      return Wrong(absl::StrCat(prefix, "id is there twice"));
    if (!names.insert(exported.file.name).second)
      return Wrong(absl::StrCat(prefix, "file is there twice"));
    sources.push_back(std::move(exported));
  }
  return absl::OkStatus();
}

absl::StatusOr<Json> ParseJson(std::string_view text) {
  bool too_deep = false;
  const auto keep = [&](int depth, Json::parse_event_t, const Json&) {
    too_deep |= depth > kMaxDepth;
    return !too_deep;
  };
  Json json = Json::parse(text.begin(), text.end(), keep, /*allow_exceptions=*/false);
  if (too_deep) return Wrong("is nested too deep");
  if (json.is_discarded()) return Wrong("is not JSON");
  return json;
}

// A cell of a table: what would end it becomes a space.
std::string Cell(std::string text) {
  for (char& c : text) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) c = ' ';
  }
  return text;
}

}  // namespace

std::string ExportToJson(const ExportManifest& manifest) {
  nlohmann::ordered_json pieces = nlohmann::ordered_json::array(), recordings = pieces,
                         metadata = pieces;
  for (const ExportedSource& piece : manifest.pieces) pieces.push_back(ToJson(piece));
  for (const ExportedSource& recording : manifest.recordings)
    recordings.push_back(ToJson(recording));
  for (const auto& [folder, file] : {std::pair(kScoresFolder, &manifest.score_metadata),
                                     std::pair(kRecordingsFolder, &manifest.recording_metadata)}) {
    nlohmann::ordered_json entry = ToJson(*file);
    entry["folder"] = folder;
    metadata.push_back(std::move(entry));
  }
  nlohmann::ordered_json json = {
      {"format", kFormat},
      {"format_version", kExportVersion},
      {"created", manifest.created},
      {"origin", manifest.origin},
      {"generation", manifest.generation},
      {"last_change", manifest.last_change},
      {"model_id", manifest.model_id},
      {"index", std::string(index::IndexKindName(manifest.index))},
      {"score_hop_s", manifest.score_hop_s},
      {"recording_hop_s", manifest.recording_hop_s},
      {"tempo_ratios", manifest.tempo_ratios},
      {"with_parts", manifest.with_parts},
      {"piece_count", manifest.pieces.size()},
      {"recording_count", manifest.recordings.size()},
      {"metadata", std::move(metadata)},
      {"pieces", std::move(pieces)},
      {"recordings", std::move(recordings)},
  };
  json["checksum"] = Checksum(Json(json));
  return json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

absl::StatusOr<ExportManifest> ParseExport(std::string_view text) {
  ASSIGN_OR_RETURN(Json json, ParseJson(text));
  Fields fields(json, "");
  if (fields.Text("format") != kFormat && fields.status().ok())
    fields.Fail("format", absl::StrCat("is not \"", kFormat, "\""));
  const int64_t version = fields.Integer("format_version", 1, 1'000'000);
  RETURN_IF_ERROR(fields.status());
  if (version != kExportVersion) {
    return absl::FailedPreconditionError(absl::StrCat(kExportFile, ": format_version is ", version,
                                                      ", this program reads ", kExportVersion));
  }
  ExportManifest manifest;
  manifest.created = fields.Text("created");
  manifest.origin = fields.Text("origin");
  manifest.generation = fields.Integer("generation", 1, bundle::kMaxGeneration);
  manifest.last_change = fields.Integer("last_change", 0, bundle::kMaxLastChange);
  manifest.model_id = fields.Text("model_id");
  const absl::StatusOr<index::IndexKind> kind = index::ParseIndexKind(fields.Text("index"));
  if (!kind.ok()) fields.Fail("index", "is not a kind of index");
  manifest.score_hop_s = fields.Hop("score_hop_s");
  manifest.recording_hop_s = fields.Hop("recording_hop_s");
  manifest.tempo_ratios = fields.Ratios("tempo_ratios");
  manifest.with_parts = fields.Flag("with_parts");
  const int64_t pieces = fields.Integer("piece_count", 0, catalog::kMaxSources);
  const int64_t recordings = fields.Integer("recording_count", 0, catalog::kMaxSources);
  const std::string checksum = fields.Text("checksum");
  const Json* metadata = fields.List("metadata");
  const Json* piece_list = fields.List("pieces");
  const Json* recording_list = fields.List("recordings");
  RETURN_IF_ERROR(fields.status());
  manifest.index = *kind;
  if (metadata->size() != 2) return Wrong("metadata is not of two folders");
  for (size_t i = 0; i < 2; ++i) {
    Fields entry((*metadata)[i], absl::StrCat("metadata[", i, "] "));
    if (entry.Text("folder") != (i == 0 ? kScoresFolder : kRecordingsFolder))
      entry.Fail("folder", "is another");
    (i == 0 ? manifest.score_metadata : manifest.recording_metadata) = entry.File();
    RETURN_IF_ERROR(entry.status());
  }
  RETURN_IF_ERROR(ReadSources(*piece_list, Side::kScores, manifest.last_change, manifest.pieces));
  RETURN_IF_ERROR(
      ReadSources(*recording_list, Side::kRecordings, manifest.last_change, manifest.recordings));
  if (static_cast<int64_t>(manifest.pieces.size()) != pieces ||
      static_cast<int64_t>(manifest.recordings.size()) != recordings) {
    return Wrong("piece_count or recording_count is another");
  }
  json.erase("checksum");
  if (checksum != Checksum(json)) return Wrong("checksum is not that of the other fields");
  return manifest;
}

std::string MetadataTable(const std::vector<ExportedSource>& sources, Side side) {
  const bool scores = side == Side::kScores;
  std::string table = absl::StrCat("file\tid\ttitle\tcomposer\tcollection\t",
                                   scores ? "work_id" : "piece_id", "\n");
  for (const ExportedSource& exported : sources) {
    const catalog::Piece& piece = exported.source.piece;
    const catalog::Recording& recording = exported.source.recording;
    const std::vector<std::string> cells =
        scores ? std::vector<std::string>{exported.file.name, piece.id,         piece.title,
                                          piece.composer,     piece.collection, piece.work_id}
               : std::vector<std::string>{exported.file.name,   recording.id,
                                          recording.title,      recording.composer,
                                          recording.collection, recording.piece_id};
    absl::StrAppend(&table,
                    absl::StrJoin(cells, "\t",
                                  [](std::string* out, const std::string& text) {
                                    absl::StrAppend(out, Cell(text));
                                  }),
                    "\n");
  }
  return table;
}

}  // namespace antiphon::exchange
