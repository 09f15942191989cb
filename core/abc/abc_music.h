// Lines of music code of ABC: from characters to the symbols of a voice.
//
// Internal to core/abc. Belongs to one thread.
#ifndef ANTIPHON_CORE_ABC_ABC_MUSIC_H_
#define ANTIPHON_CORE_ABC_ABC_MUSIC_H_

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "core/abc/abc_symbols.h"
#include "core/abc/abc_voice.h"

namespace antiphon::notation {

// What music needs of the tune around it.
class AbcMusicHost {
 public:
  virtual ~AbcMusicHost() = default;
  virtual AbcVoice& voice() = 0;  // the current one, which an inline field may change
  virtual const AbcSymbols& symbols() const = 0;
  [[nodiscard]] virtual absl::Status InlineField(char name, std::string_view value) = 0;
};

class AbcMusicReader {
 public:
  // Both must outlive the reader.
  AbcMusicReader(AbcMusicHost& host, AbcWarnings& warnings) : host_(host), warnings_(warnings) {}

  // A line without its comment. Fails as the voice and the inline fields do.
  [[nodiscard]] absl::Status Read(std::string_view line);

 private:
  char Peek(size_t ahead = 0) const;
  void Skip(size_t count = 1);
  void Warn(std::string_view what);
  void WarnOfCharacter(char c);

  absl::Status ReadSymbol();
  bool ReadPlainSymbol(char c);
  absl::Status ReadRest(char c);
  absl::Status ReadBracket();
  absl::Status ReadChord(char end);
  absl::Status ReadBarLine();
  absl::Status ReadInlineField();
  absl::Status ReadOverlay();
  void ReadEnding(std::vector<int>* ending);
  void ReadGrace();
  void ReadParenthesis();
  void ReadTuplet();
  void ReadBroken(char c);
  void ReadDecoration(char delimiter);
  void ReadLetter(char c);
  void ApplySymbol(std::string_view meaning);
  void Decorate(std::string_view name);
  void SkipQuoted();
  std::optional<AbcNote> TakeNote();
  std::optional<int> TakeAccidental();
  AbcLength TakeLength();

  AbcMusicHost& host_;
  AbcWarnings& warnings_;
  std::string_view rest_;
  std::set<std::string> warned_of_;  // decorations and characters
};

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_ABC_ABC_MUSIC_H_
