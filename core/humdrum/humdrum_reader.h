// A Humdrum file line by line.
//
// Internal to core/humdrum. Not synchronised; one for each file.
#ifndef ANTIPHON_CORE_HUMDRUM_HUMDRUM_READER_H_
#define ANTIPHON_CORE_HUMDRUM_HUMDRUM_READER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/humdrum/humdrum_form.h"
#include "core/humdrum/humdrum_notes.h"
#include "core/humdrum/humdrum_parts.h"
#include "core/humdrum/humdrum_records.h"
#include "core/humdrum/humdrum_spines.h"
#include "core/humdrum/humdrum_timeline.h"
#include "core/notation/written_score.h"

namespace antiphon::notation {

class HumdrumReader {
 public:
  explicit HumdrumReader(const NotationLimits& limits) : limits_(limits) {}

  // The next line, without its end. Once done() is true, what follows is of another score.
  absl::Status ReadLine(absl::string_view line);
  bool done() const { return done_; }
  absl::StatusOr<WrittenScore> Finish();

 private:
  // Things that are passed over: how many, and where the first is.
  struct Slips {
    int count = 0;
    std::string first;
  };

  std::string Here() const;  // "line 12 (bar 3)"
  absl::Status Error(absl::string_view what) const;
  void Note(Slips* slips) const;

  void ReadComment(absl::string_view line);
  absl::Status ReadExclusive();
  absl::Status BeginSpine(absl::string_view name, Spine* spine);
  absl::Status ReadInterpretations();
  void ReadInterpretation(absl::string_view token, const Spine& spine);
  void ReadSection(absl::string_view token);
  void ReadKeys();
  void ReadBars();
  absl::Status ReadNotes();
  absl::Status ReadChord(const std::vector<KernNote>& chord, Spine* spine);
  absl::Status AddNote(const KernNote& note, const Spine& spine);
  absl::Status ParseChord(absl::string_view token, const Spine& spine,
                          std::vector<KernNote>* chord);
  // Splits a line into as many tokens as there are spines.
  absl::Status Split(absl::string_view line);
  // When the next note begins; of the spines, `begins` marks those in which one does.
  Ticks NextTime(const std::vector<bool>& begins) const;
  void Warn(WrittenScore* score) const;

  const NotationLimits limits_;
  int line_ = 0;
  std::string bar_;
  bool done_ = false;
  bool begun_ = false;     // the spines are named
  bool arranged_ = false;  // there was a line of notes
  bool key_known_ = false;
  Key key_;
  Ticks now_ = 0;  // where the last note began
  Ticks end_ = 0;  // where the last of all notes and rests ends

  std::vector<absl::string_view> tokens_;      // of the line
  std::vector<std::vector<KernNote>> chords_;  // ... by spine
  std::vector<Spine> spines_;
  HumdrumParts parts_;
  HumdrumNotes notes_;
  HumdrumTimeline timeline_;
  HumdrumRecords records_;
  HumdrumOrder order_;

  int64_t note_count_ = 0;
  std::pair<size_t, size_t> grace_chord_;  // of the chord being read: its notes' indices
  int unpitched_ = 0;
  bool filtered_ = false;
  Slips no_duration_;
  Slips no_meaning_;
  Slips overlaps_;
  int lost_graces_ = 0;
  Slips empty_fields_;
};

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_HUMDRUM_HUMDRUM_READER_H_
