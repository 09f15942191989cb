// MANIFEST and CURRENT: any contents of either give a generation or a reason.
//
// The input is CURRENT, a zero byte, and the MANIFEST of the generation gen-000001, which also
// holds two small files. Where the manifest is JSON, its checksum is made right: an enemy would,
// too.
#include <filesystem>

#include "core/bundle/bundle.h"
#include "core/bundle/manifest.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/right_checksum.h"

using antiphon::fuzz::Require;

namespace {

class Bundle {
 public:
  Bundle() {
    std::filesystem::create_directory(scratch_.File("gen-000001"));
    antiphon::fuzz::WriteBytes(scratch_.File("gen-000001/catalog.sqlite"), "catalogue");
    antiphon::fuzz::WriteBytes(scratch_.File("gen-000001/scores.faiss"), "scores");
    antiphon::fuzz::WriteBytes(scratch_.File("outside"), "not for reading");
  }
  void Write(std::string_view current, std::string_view manifest) {
    antiphon::fuzz::WriteBytes(scratch_.File("CURRENT"), current);
    antiphon::fuzz::WriteBytes(scratch_.File("gen-000001/MANIFEST"), manifest);
  }
  const std::string& root() const { return scratch_.path(); }

 private:
  antiphon::fuzz::Scratch scratch_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace bundle = antiphon::bundle;
  static Bundle files;
  const std::string_view text = antiphon::fuzz::AsText(data, size);
  const size_t zero = text.find('\0');
  const std::string manifest = zero == std::string_view::npos
                                   ? ""
                                   : antiphon::fuzz::WithRightChecksum(text.substr(zero + 1));

  const auto parsed = bundle::ParseManifest(manifest);
  if (parsed.ok()) {
    const std::string json = bundle::ManifestToJson(*parsed);
    const auto again = bundle::ParseManifest(json);
    Require(again.ok() && bundle::ManifestToJson(*again) == json,
            "a manifest is read as it was written");
  } else {
    antiphon::fuzz::RequireRefusal(
        parsed.status(), {absl::StatusCode::kDataLoss, absl::StatusCode::kFailedPrecondition});
  }

  files.Write(text.substr(0, zero), manifest);
  const auto opened = bundle::OpenBundle(files.root());
  if (!opened.ok()) {
    antiphon::fuzz::RequireRefusal(
        opened.status(), {absl::StatusCode::kDataLoss, absl::StatusCode::kFailedPrecondition,
                          absl::StatusCode::kNotFound});
    return 0;
  }
  Require(parsed.ok(), "a bundle with a bad manifest is not opened");
  Require(opened->directory == files.root() + "/gen-000001", "a generation lies in its bundle");
  for (const bundle::FileEntry& file : opened->manifest.files) {
    Require(file.name == "catalog.sqlite" || file.name == "scores.faiss",
            "files lie in their generation");
  }
  return 0;
}
