// Which kind of sound file some bytes are, by their contents, and which library reads it.
//
// Pure functions; safe from any thread. Bytes are untrusted.
#ifndef ANTIPHON_CORE_AUDIO_SOUND_FORMAT_H_
#define ANTIPHON_CORE_AUDIO_SOUND_FORMAT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace antiphon::audio {

enum class SoundFormat {
  kUnknown,
  kWav,  // RIFF, RIFX and RF64
  kAu,
  kAiff,
  kCaf,
  kW64,
  kFlac,
  kMp3,
  kAac,  // ADTS
  kOgg,
  kMp4,       // M4A, MOV, 3GP
  kMatroska,  // WebM
  kAsf,       // WMA
  kAmr,
};

// "WAV", "MP4 or M4A", …, for messages; "" for kUnknown.
const char* NameOf(SoundFormat format);

// All of them, for the message that says what is accepted: "WAV, AIFF, …".
const char* KnownSoundFormats();

// What the names of such files end in, with the dot, in lower case.
const std::vector<std::string>& SoundFileEndings();

// How far into the file SoundFormatOf looks where it needs to.
inline constexpr int64_t kFormatHeadBytes = 64 << 10;

// By the first bytes of a file, kFormatHeadBytes of them where there are as many. Tags before the
// sound and zeros before an MP3's first frame are looked behind, as far as `head` reaches: where an
// ID3 tag is longer, the format is kMp3.
SoundFormat SoundFormatOf(std::string_view head);

// Bytes of the ID3v2 tags at the beginning; as they say, which may be more than there are.
int64_t LeadingTagBytes(std::string_view head);

// Where two frames of MPEG audio (layer II or III) follow each other in `bytes`; npos if nowhere.
// `sample_rate`, if not null, becomes theirs, Hz.
size_t FindMpegFrames(std::string_view bytes, int* sample_rate = nullptr);

// The frame that begins with these four bytes or more: what it takes and how long it sounds; 0
// bytes for none.
struct MpegFrame {
  int64_t bytes = 0;
  double seconds = 0;
};
MpegFrame MpegFrameAt(std::string_view bytes);

}  // namespace antiphon::audio

#endif  // ANTIPHON_CORE_AUDIO_SOUND_FORMAT_H_
