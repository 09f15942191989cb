// What decoding has to say besides the sound. A plain value.
#ifndef ANTIPHON_CORE_AUDIO_DECODE_REPORT_H_
#define ANTIPHON_CORE_AUDIO_DECODE_REPORT_H_

#include <string>
#include <vector>

namespace antiphon::audio {

struct DecodeReport {
  double decoded_s = 0;  // of the whole stream as far as it was read, seconds
  // Sound that the file has or says it has and that is not in the result, seconds: estimated from
  // bytes where the file does not say when things happen.
  double missing_s = 0;
  int damaged_places = 0;     // stretches that could not be decoded
  double first_damage_s = 0;  // of the result, where there is one
  int other_tracks = 0;       // of sound, beside the one that was decoded

  // Of the sound that should be there, how much was decoded: 0 to 1.
  double DecodedShare() const;
  // One sentence each, for people; empty when all is well. What lasts less than a tenth of a second
  // is not worth a word.
  std::vector<std::string> Warnings() const;
};

// A recording of which less than half was decoded is not filed unless that is accepted.
inline constexpr double kLeastDecodedShare = 0.5;
enum class DamagedAudio { kRefuse, kAccept };

}  // namespace antiphon::audio

#endif  // ANTIPHON_CORE_AUDIO_DECODE_REPORT_H_
