// What an encoder file carries besides its network: EncoderInfo as JSON, under one name in the
// TorchScript archive. Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_ENCODER_ENCODER_FILE_H_
#define ANTIPHON_CORE_ENCODER_ENCODER_FILE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/encoder/window_encoder.h"

namespace antiphon::encoder {

inline constexpr char kEncoderInfoName[] = "antiphon.json";  // among the archive's extra files

std::string_view ModalityName(Modality modality);  // "audio", "score"

std::string EncoderInfoToJson(const EncoderInfo& info);

// Untrusted input: InvalidArgument names what is missing or wrong.
[[nodiscard]] absl::StatusOr<EncoderInfo> ParseEncoderInfo(std::string_view json);

}  // namespace antiphon::encoder

#endif  // ANTIPHON_CORE_ENCODER_ENCODER_FILE_H_
