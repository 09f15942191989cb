// One tune of an ABC file, line by line.
//
// Internal to core/abc. Belongs to one thread.
#ifndef ANTIPHON_CORE_ABC_ABC_TUNE_H_
#define ANTIPHON_CORE_ABC_ABC_TUNE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/abc/abc_fields.h"
#include "core/abc/abc_music.h"
#include "core/abc/abc_symbols.h"
#include "core/abc/abc_voice.h"
#include "core/notation/written_score.h"

namespace antiphon::notation {

// What the header of a file or of a tune says of all voices.
struct AbcHeader {
  std::string charset;
  std::string title;
  std::string composer;
  std::string order;  // P:
  std::string tempo;  // Q:
  std::optional<Ticks> unit;
  std::optional<AbcMetre> metre;
  std::optional<AbcKey> key;
  AbcStaff staff;
  std::optional<int> program;
  int midi_transpose = 0;
  AbcPropagation propagation = AbcPropagation::kPitch;
  std::shared_ptr<const AbcSymbols> symbols = std::make_shared<const AbcSymbols>();
};

class AbcTune : private AbcMusicHost {
 public:
  // `line` is that of X:, or 0 for the header of the file, which takes header lines only. The
  // references must outlive the tune.
  AbcTune(AbcHeader defaults, int line, const NotationLimits& limits, AbcBudget& budget);
  AbcTune(const AbcTune&) = delete;
  AbcTune& operator=(const AbcTune&) = delete;

  // Any line but an empty one. Fails with ResourceExhausted on a limit.
  [[nodiscard]] absl::Status AddLine(std::string_view line, int number);

  const AbcHeader& header() const { return header_; }
  int first_line() const { return first_line_; }

  // InvalidArgument where the tune cannot be read.
  [[nodiscard]] absl::StatusOr<WrittenScore> Finish() &&;

 private:
  struct Voice {
    std::string id;
    WrittenPart part;
    std::optional<int> program;
    AbcStaff staff;
    std::optional<int> midi_transpose;
    std::unique_ptr<AbcVoice> music;  // made when music begins
  };

  AbcVoice& voice() override;
  const AbcSymbols& symbols() const override { return *header_.symbols; }
  absl::Status InlineField(char name, std::string_view value) override;

  absl::Status ApplyField(char name, std::string_view value);
  absl::Status ApplySetting(char name, std::string_view value);
  absl::Status SwitchVoice(std::string_view value);
  void ApplyText(char name, std::string_view value);
  void ContinueText(std::string_view value);
  void ApplyKey(std::string_view value);
  void ApplyMetre(std::string_view value);
  void ApplyLength(std::string_view value);
  void ApplyTempo(std::string_view value);
  void ApplyPart(std::string_view value);
  absl::Status Define(char name, std::string_view value);
  void ApplyDirective(std::string_view directive);
  void ApplyMidi(std::string_view directive);
  void ApplyPropagation(AbcPropagation propagation);
  absl::Status AddMusic(std::string_view line);
  void Warn(std::string_view what);
  // Whether what is set now holds for the whole tune: no voice has begun.
  bool ForAll() const { return current_ == nullptr; }

  AbcHeader header_;
  const int first_line_;
  const NotationLimits& limits_;
  AbcBudget& budget_;
  int line_ = 0;
  bool in_body_ = false;
  char last_field_ = 0;
  absl::Status refusal_;
  AbcWarnings warnings_;
  AbcMusicReader music_;
  std::vector<std::unique_ptr<Voice>> voices_;
  std::map<std::string, Voice*, std::less<>> by_id_;
  Voice* current_ = nullptr;
};

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_ABC_ABC_TUNE_H_
