// What a Humdrum file says between its notes, put where the notes are: bar lines, metres, keys,
// tempi, sections. A line's time is known only once the next note begins.
//
// Internal to core/humdrum. Not synchronised.
#ifndef ANTIPHON_CORE_HUMDRUM_HUMDRUM_TIMELINE_H_
#define ANTIPHON_CORE_HUMDRUM_HUMDRUM_TIMELINE_H_

#include <string>
#include <variant>
#include <vector>

#include "core/humdrum/humdrum_form.h"
#include "core/humdrum/humdrum_tokens.h"
#include "core/notation/written_score.h"

namespace antiphon::notation {

class HumdrumTimeline {
 public:
  void AddBar(BarLine line) { pending_.emplace_back(std::move(line)); }
  void AddSection(std::string name) { pending_.emplace_back(Section{std::move(name)}); }
  void AddMetre(const Metre& metre) { pending_.emplace_back(metre); }
  void AddKey(const Key& key) { pending_.emplace_back(key); }
  void AddTempo(double tempo) { pending_.emplace_back(tempo); }
  // A line in which no note begins: what comes before it in the file is earlier than the next note,
  // and after the one before. Bar lines then stand where the metre has them.
  void AddGap();

  bool bar_pending() const;
  // Where the metre ends the bar that the last line in place has begun.
  Ticks NextBarByMetre() const { return last_bar_ + bar_length_; }

  // The next note begins, or all end, at `time`; not before that of the last call.
  void Advance(Ticks time);

  // What has been put in place, in the order of time.
  const HumdrumForm& form() const { return form_; }
  const std::vector<Written<Metre>>& metres() const { return metres_; }
  const std::vector<Written<Key>>& keys() const { return keys_; }
  const std::vector<Written<double>>& tempi() const { return tempi_; }

 private:
  struct Section {
    std::string name;
  };
  struct Gap {};
  using Event = std::variant<BarLine, Section, Metre, Key, double, Gap>;

  void Place(Event event, Ticks at);

  std::vector<Event> pending_;
  HumdrumForm form_;
  std::vector<Written<Metre>> metres_;
  std::vector<Written<Key>> keys_;
  std::vector<Written<double>> tempi_;
  Ticks now_ = 0;
  Ticks last_bar_ = 0;
  Ticks bar_length_ = 4 * kTicksPerQuarter;
};

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_HUMDRUM_HUMDRUM_TIMELINE_H_
