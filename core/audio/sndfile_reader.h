// Sound files through libsndfile. Internal to core/audio and core/decoding.
#ifndef ANTIPHON_CORE_AUDIO_SNDFILE_READER_H_
#define ANTIPHON_CORE_AUDIO_SNDFILE_READER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "core/audio/audio_reader.h"
#include "core/audio/byte_source.h"
#include "core/audio/sound_format.h"

namespace antiphon::audio {

// WAV (codings that libsndfile knows) and AU: their headers are read here and handed on with true
// sizes, so that none of libsndfile's parsers of lists faces a stranger's bytes. InvalidArgument
// for what is damaged; Unimplemented for another coding in a WAV file.
[[nodiscard]] absl::StatusOr<std::unique_ptr<AudioReader>> OpenUncompressed(ByteSource& source,
                                                                            SoundFormat format);

// AIFF, CAF, W64, FLAC, Ogg and MP3 as libsndfile reads them itself: for a program that has no
// other library and whose files are its user's own. InvalidArgument for what is damaged.
[[nodiscard]] absl::StatusOr<std::unique_ptr<AudioReader>> OpenTrusted(ByteSource& source,
                                                                       SoundFormat format);

}  // namespace antiphon::audio

#endif  // ANTIPHON_CORE_AUDIO_SNDFILE_READER_H_
