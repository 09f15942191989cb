// From an open reader to a waveform: what the decoders share. Internal to core/audio and
// core/decoding; stateless.
#ifndef ANTIPHON_CORE_AUDIO_DECODING_H_
#define ANTIPHON_CORE_AUDIO_DECODING_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/audio/audio_reader.h"
#include "core/audio/byte_source.h"
#include "core/audio/decode_options.h"
#include "core/audio/decode_report.h"
#include "core/audio/sound_format.h"
#include "core/audio/waveform.h"

namespace antiphon::audio {

// Opens a source of a known format.
using OpenReader = std::function<absl::StatusOr<std::unique_ptr<AudioReader>>(
    ByteSource& source, SoundFormat format, const DecodeOptions& options)>;

// As the functions of decoder.h with these names. InvalidArgument for bytes of no known format.
[[nodiscard]] absl::StatusOr<Waveform> DecodeMemoryWith(const OpenReader& open,
                                                        std::string_view bytes,
                                                        const DecodeOptions& options,
                                                        DecodeReport* report);
[[nodiscard]] absl::StatusOr<Waveform> DecodeFileWith(const OpenReader& open,
                                                      const std::string& path,
                                                      const DecodeOptions& options,
                                                      DecodeReport* report);
[[nodiscard]] absl::Status DecodeMemoryInPiecesWith(const OpenReader& open, std::string_view bytes,
                                                    const DecodeOptions& options,
                                                    const SampleSink& sink, DecodeReport* report);
[[nodiscard]] absl::Status DecodeFileInPiecesWith(const OpenReader& open, const std::string& path,
                                                  const DecodeOptions& options,
                                                  const SampleSink& sink, DecodeReport* report);

}  // namespace antiphon::audio

#endif  // ANTIPHON_CORE_AUDIO_DECODING_H_
