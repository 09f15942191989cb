// Sound files through FFmpeg's libraries. Internal to core/decoding.
#ifndef ANTIPHON_CORE_DECODING_FFMPEG_READER_H_
#define ANTIPHON_CORE_DECODING_FFMPEG_READER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "core/audio/audio_reader.h"
#include "core/audio/byte_source.h"
#include "core/audio/sound_format.h"
#include "core/decoding/decoder.h"

namespace antiphon::audio {

// All formats but AU. The file is read to its end: an Ogg file link by link, an MP3 across holes
// and further files; what its header says of the length is compared with that and never believed.
// InvalidArgument for what is damaged, holds no sound or is coded in a way that is not accepted;
// ResourceExhausted where it says to be longer, or to have other channels or another rate, than
// `options` allow, before the decoder is made; and where decoding takes far longer than it should.
[[nodiscard]] absl::StatusOr<std::unique_ptr<AudioReader>> OpenFfmpeg(ByteSource& source,
                                                                      SoundFormat format,
                                                                      const DecodeOptions& options);

}  // namespace antiphon::audio

#endif  // ANTIPHON_CORE_DECODING_FFMPEG_READER_H_
