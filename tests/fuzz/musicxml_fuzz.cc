// MusicXML, plain and in a container: any bytes give a written score or a reason.
#include "core/musicxml/musicxml.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/played.h"
#include "tests/support/written_scores.h"

using antiphon::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace notation = antiphon::notation;
  notation::NotationLimits limits;
  limits.max_bytes = 1 << 20;  // the default lets a small container take seconds
  limits.max_notes = 50'000;
  const std::string_view bytes = antiphon::fuzz::AsText(data, size);
  notation::LooksLikeMusicXml(bytes);
  const auto score = notation::ReadMusicXml(bytes, limits);
  if (!score.ok()) {
    antiphon::fuzz::RequireRefusal(
        score.status(), {absl::StatusCode::kInvalidArgument, absl::StatusCode::kResourceExhausted});
    return 0;
  }
  const auto sane = antiphon::testing::IsSane(*score);
  Require(static_cast<bool>(sane), sane.message());
  antiphon::fuzz::RequirePlayable(*score);
  return 0;
}
