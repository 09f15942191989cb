// What a MIDI file calls itself: of the texts in it that could be a title, the one that is not the
// name of an instrument, a staff, a program or its owner.
//
// Internal to core/music. Not synchronised.
#ifndef ANTIPHON_CORE_MUSIC_MIDI_TITLE_H_
#define ANTIPHON_CORE_MUSIC_MIDI_TITLE_H_

#include <string>
#include <string_view>

namespace antiphon::music {

// Whether a name says something of the piece. "Piano", "Track 1", "control track", "untitled",
// "Soft karaoke", copyright notices, names of programs, addresses and plain numbers say nothing.
bool NamesAPiece(std::string_view name);

// Takes the texts of a file in their order. The title of a karaoke file (the first text "@T...")
// comes before the first name of the first track that names a piece. Of names and titles, the first
// 32 are looked at, and those of at most 1,000 bytes.
class MidiTitle {
 public:
  void AddTrackName(int track, std::string_view bytes);
  void AddText(std::string_view bytes);

  // Valid UTF-8 without control characters; empty where the file does not say.
  const std::string& title() const { return karaoke_.empty() ? name_ : karaoke_; }

 private:
  std::string karaoke_;
  std::string name_;
  int names_ = 0;  // looked at
  int texts_ = 0;
};

}  // namespace antiphon::music

#endif  // ANTIPHON_CORE_MUSIC_MIDI_TITLE_H_
