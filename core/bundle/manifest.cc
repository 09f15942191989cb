#include "core/bundle/manifest.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/bundle/files.h"
#include "core/hash/sha256.h"

namespace antiphon::bundle {
namespace {

using Json = nlohmann::json;

constexpr int kMaxDepth = 8;  // of JSON inside JSON; the format needs 3
constexpr size_t kMaxFiles = 1000;
constexpr int kFormatWithParts = 4;  // the first that says with_parts
constexpr size_t kMaxShortText = 200;
constexpr size_t kMaxSettingsText = 1u << 20;
constexpr int64_t kMaxCount = std::numeric_limits<int64_t>::max();

absl::Status Wrong(absl::string_view field, absl::string_view why) {
  return absl::DataLossError(absl::StrCat("MANIFEST: ", field, ": ", why));
}

// Takes fields out of a JSON object. The first failure sticks; status() tells it.
class Fields {
 public:
  Fields(const Json& object, std::string prefix) : object_(object), prefix_(std::move(prefix)) {
    if (!object.is_object()) Fail("", "is not an object");
  }

  int64_t Integer(const char* name, int64_t low, int64_t high) {
    const Json* value = Find(name);
    if (value == nullptr) return low;
    if (!value->is_number_integer()) return Fail(name, "is not an integer"), low;
    const bool too_large =
        value->is_number_unsigned() &&
        value->get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    if (too_large || value->get<int64_t>() < low || value->get<int64_t>() > high) {
      return Fail(name, absl::StrCat("is not in ", low, " to ", high)), low;
    }
    return value->get<int64_t>();
  }

  bool Bool(const char* name) {
    const Json* value = Find(name);
    if (value == nullptr) return false;
    if (!value->is_boolean()) return Fail(name, "is not true or false"), false;
    return value->get<bool>();
  }

  double Seconds(const char* name) {
    const Json* value = Find(name);
    if (value == nullptr) return 0;
    if (!value->is_number()) return Fail(name, "is not a number"), 0;
    const double seconds = value->get<double>();
    if (!std::isfinite(seconds) || seconds < 0) return Fail(name, "is negative or not finite"), 0;
    return seconds;
  }

  // Above 0.
  double Hop(const char* name) {
    const double hop = Seconds(name);
    if (!(hop > 0 && hop <= Manifest::kMaxHopS))
      Fail(name, absl::StrCat("is not above 0 and at most ", Manifest::kMaxHopS));
    return hop;
  }

  std::vector<double> TempoRatios(const char* name) {
    std::vector<double> ratios;
    const Json* list = List(name, Manifest::kMaxTempoRatios);
    if (list == nullptr) return ratios;
    if (list->empty()) Fail(name, "is empty");
    for (const Json& item : *list) {
      const double ratio = item.is_number() ? item.get<double>() : 0;
      constexpr Range<double> kRange = Manifest::kTempoRatioRange;
      if (!kRange.Contains(ratio)) {
        Fail(name, absl::StrCat("has an entry that is not from ", kRange.low, " to ", kRange.high));
        return ratios;
      }
      ratios.push_back(ratio);
    }
    return ratios;
  }

  std::string Text(const char* name, size_t max_bytes) {
    const Json* value = Find(name);
    if (value == nullptr) return "";
    if (!value->is_string()) return Fail(name, "is not a string"), "";
    std::string text = value->get<std::string>();
    if (text.size() > max_bytes)
      return Fail(name, absl::StrCat("is longer than ", max_bytes, " bytes")), "";
    return text;
  }

  const Json* List(const char* name, size_t max_size) {
    const Json* value = Find(name);
    if (value == nullptr) return nullptr;
    if (!value->is_array()) return Fail(name, "is not a list"), nullptr;
    if (value->size() > max_size)
      return Fail(name, absl::StrCat("has more than ", max_size, " entries")), nullptr;
    return value;
  }

  void Fail(absl::string_view name, absl::string_view why) {
    if (status_.ok()) status_ = Wrong(absl::StrCat(prefix_, name), why);
  }

  const absl::Status& status() const { return status_; }

 private:
  const Json* Find(const char* name) {
    if (!status_.ok()) return nullptr;
    const auto found = object_.find(name);
    if (found == object_.end()) return Fail(name, "is missing"), nullptr;
    return &*found;
  }

  const Json& object_;
  std::string prefix_;
  absl::Status status_;
};

bool IsHexadecimal(const std::string& text, size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

absl::StatusOr<std::vector<FileEntry>> ParseFiles(const Json& list) {
  std::vector<FileEntry> files;
  std::set<std::string> names;
  for (const Json& item : list) {
    Fields fields(item, absl::StrCat("files[", files.size(), "] "));
    FileEntry entry = {fields.Text("name", kMaxShortText), fields.Integer("size", 0, kMaxCount),
                       fields.Text("sha256", kMaxShortText)};
    if (!IsPlainName(entry.name) || entry.name == kManifestFile)
      fields.Fail("name", "is not a plain file name");
    if (!names.insert(entry.name).second) fields.Fail("name", "is there twice");
    if (!IsHexadecimal(entry.sha256, 64))
      fields.Fail("sha256", "is not 64 lower-case hexadecimal digits");
    RETURN_IF_ERROR(fields.status());
    files.push_back(std::move(entry));
  }
  return files;
}

// Of a format before those that a program can bring to the present one.
constexpr char kTooOld[] =
    ": too old for `antiphon-trainer migrate`: index the collection again from its files";

absl::StatusOr<Json> ParseJson(std::string_view text) {
  if (text.size() > kMaxManifestBytes) {
    return absl::DataLossError(
        absl::StrCat("MANIFEST: is larger than ", kMaxManifestBytes, " bytes"));
  }
  bool too_deep = false;
  const auto keep = [&](int depth, Json::parse_event_t, const Json&) {
    too_deep |= depth > kMaxDepth;
    return !too_deep;
  };
  Json json = Json::parse(text.begin(), text.end(), keep, /*allow_exceptions=*/false);
  if (too_deep)
    return absl::DataLossError(absl::StrCat("MANIFEST: is nested deeper than ", kMaxDepth));
  if (json.is_discarded()) return absl::DataLossError("MANIFEST: is not JSON");
  return json;
}

// Of a manifest without its field of that name: its values, whatever the order and the space
// between them.
std::string Checksum(const Json& json) {
  return hash::HexSha256(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

const FileEntry* FindFile(const Manifest& manifest, std::string_view name) {
  for (const FileEntry& file : manifest.files) {
    if (file.name == name) return &file;
  }
  return nullptr;
}

std::string ManifestToJson(const Manifest& manifest) {
  Json files = Json::array();
  for (const FileEntry& file : manifest.files) {
    files.push_back({{"name", file.name}, {"size", file.size}, {"sha256", file.sha256}});
  }
  nlohmann::ordered_json json = {
      {"format_version", manifest.format_version},
      {"generation", manifest.generation},
      {"created", manifest.created},
      {"origin", manifest.origin},
      {"last_change", manifest.last_change},
      {"model_id", manifest.model_id},
      {"dimension", manifest.dimension},
      {"pieces", manifest.pieces},
      {"recordings", manifest.recordings},
      {"score_vectors", manifest.score_vectors},
      {"recording_vectors", manifest.recording_vectors},
      {"query_hop_s", manifest.query_hop_s},
      {"score_hop_s", manifest.score_hop_s},
      {"recording_hop_s", manifest.recording_hop_s},
      {"tempo_ratios", manifest.tempo_ratios},
      {"with_parts", manifest.with_parts},
      {"feature_settings", manifest.feature_settings},
      {"files", files},
  };
  json["checksum"] = Checksum(Json(json));
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

absl::StatusOr<Manifest> ParseManifest(std::string_view text) {
  ASSIGN_OR_RETURN(Json json, ParseJson(text));
  Fields fields(json, "");
  Manifest manifest;
  // First, since everything else may differ in another format.
  manifest.format_version =
      static_cast<int>(fields.Integer("format_version", 1, std::numeric_limits<int>::max()));
  const bool older = manifest.format_version < kOldestBundleFormatVersion;
  if (fields.status().ok() && (older || manifest.format_version > kBundleFormatVersion)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "MANIFEST: format_version is ", manifest.format_version, ", this program reads ",
        kOldestBundleFormatVersion, " to ", kBundleFormatVersion, older ? kTooOld : ""));
  }
  manifest.generation = fields.Integer("generation", 1, kMaxGeneration);
  manifest.created = fields.Text("created", kMaxShortText);
  manifest.origin = fields.Text("origin", kMaxShortText);
  if (!IsHexadecimal(manifest.origin, kOriginDigits))
    fields.Fail("origin", "is not 32 lower-case hexadecimal digits");
  manifest.last_change = fields.Integer("last_change", 0, kMaxLastChange);
  manifest.model_id = fields.Text("model_id", kMaxShortText);
  manifest.feature_settings = fields.Text("feature_settings", kMaxSettingsText);
  manifest.dimension = static_cast<int>(fields.Integer("dimension", 1, 4096));
  manifest.pieces = fields.Integer("pieces", 0, kMaxCount);
  manifest.recordings = fields.Integer("recordings", 0, kMaxCount);
  manifest.score_vectors = fields.Integer("score_vectors", 0, kMaxCount);
  manifest.recording_vectors = fields.Integer("recording_vectors", 0, kMaxCount);
  manifest.query_hop_s = fields.Seconds("query_hop_s");
  manifest.score_hop_s = fields.Hop("score_hop_s");
  manifest.recording_hop_s = fields.Hop("recording_hop_s");
  manifest.tempo_ratios = fields.TempoRatios("tempo_ratios");
  if (manifest.format_version >= kFormatWithParts) manifest.with_parts = fields.Bool("with_parts");
  const std::string checksum = fields.Text("checksum", kMaxShortText);
  const Json* list = fields.List("files", kMaxFiles);
  RETURN_IF_ERROR(fields.status());
  ASSIGN_OR_RETURN(manifest.files, ParseFiles(*list));
  // Last: what is wrong with a field says more.
  json.erase("checksum");
  if (checksum != Checksum(json)) return Wrong("checksum", "is not that of the other fields");
  return manifest;
}

}  // namespace antiphon::bundle
