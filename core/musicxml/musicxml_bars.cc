#include "core/musicxml/musicxml_bars.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

#include "core/music/midi_text.h"
#include "core/musicxml/xml_text.h"

namespace antiphon::notation {
namespace {

// Durations are rounded to divisions: a bar that differs from its metre by less is as long.
constexpr Ticks kTolerance = kTicksPerQuarter / 32;

constexpr size_t kMostNameBytes = 100;  // of a sign

// What all parts say of a measure.
XmlBar Merged(const std::vector<XmlMusic>& parts, size_t index) {
  XmlBar merged;
  bool first = true;
  for (const XmlMusic& part : parts) {
    if (index >= part.bars.size()) continue;
    const XmlBar& bar = part.bars[index];
    if (merged.number.empty()) merged.number = bar.number;
    if (first) merged.nominal = bar.nominal;
    first = false;
    merged.filled = std::max(merged.filled, bar.filled);
    merged.hidden = std::max(merged.hidden, bar.hidden);
    merged.rest = std::max(merged.rest, bar.rest);
    merged.repeat_times = std::max(merged.repeat_times, bar.repeat_times);
    merged.repeat_before_times = std::max(merged.repeat_before_times, bar.repeat_before_times);
    merged.coda_signs = std::max(merged.coda_signs, bar.coda_signs);
    if (merged.ending_starts.empty()) merged.ending_starts = bar.ending_starts;
    for (bool XmlBar::*sign :
         {&XmlBar::implicit, &XmlBar::starts_repeat, &XmlBar::repeat_before, &XmlBar::repeat_after,
          &XmlBar::after_jump, &XmlBar::forward_after, &XmlBar::ending_stops, &XmlBar::double_bar,
          &XmlBar::segno, &XmlBar::coda, &XmlBar::segno_after, &XmlBar::coda_after,
          &XmlBar::to_coda, &XmlBar::fine, &XmlBar::da_capo, &XmlBar::dal_segno,
          &XmlBar::fine_first, &XmlBar::to_coda_first})
      merged.*sign = merged.*sign || bar.*sign;
  }
  return merged;
}

// As filled. What isn't printed fills it up to its metre, and not beyond: programs leave invisible
// rests over. Where a rest of the whole measure is longer than the notes of other parts, it decides
// if it is as long as the metre says, but not in an upbeat, in which programs write it too long.
Ticks LengthOf(const XmlBar& bar, bool upbeat) {
  Ticks length = std::max(bar.filled, std::min(bar.hidden, bar.nominal));
  if (bar.filled == 0) length = std::max(bar.hidden, bar.rest);
  if (bar.rest > length && bar.rest == bar.nominal && !upbeat) length = bar.rest;
  if (length == 0 || std::abs(length - bar.nominal) < kTolerance) length = bar.nominal;
  return std::max<Ticks>(length, 1);
}

class BarMerger {
 public:
  explicit BarMerger(const std::vector<XmlMusic>& parts) {
    size_t count = 0;
    for (const XmlMusic& part : parts) count = std::max(count, part.bars.size());
    for (size_t i = 0; i < count; ++i) merged_.push_back(Merged(parts, i));
    bars_.resize(count);
    for (const XmlMusic& part : parts) {
      for (const XmlSignName& sign : part.sign_names) SetName(sign);
    }
  }

  std::vector<WrittenBar> Merge() {
    Ticks start = 0;
    bool repeats_after_jump = false;
    for (size_t i = 0; i < bars_.size(); ++i) {
      const XmlBar& from = merged_[i];
      WrittenBar& bar = bars_[i];
      bar.start = start;
      bar.length = LengthOf(from, i == 0 || from.implicit);
      start += bar.length;
      bar.number = from.number;
      SetRepeats(i);
      repeats_after_jump = repeats_after_jump || from.after_jump;
      bar.segno = from.segno || (i > 0 && merged_[i - 1].segno_after);
      bar.coda = from.coda || (i > 0 && merged_[i - 1].coda_after);
      SetEnds(i);
      bar.da_capo = from.da_capo;
      bar.dal_segno = from.dal_segno;
      bar.repeats_after_jump = repeats_after_jump && (bar.da_capo || bar.dal_segno);
      bar.starts_movement = i == 0 || StartsMovement(i);
      last_number_ = WholeIn(bar.number).value_or(bar.starts_movement ? 0 : last_number_);
    }
    SetEndings();
    SetCodaSigns();
    return std::move(bars_);
  }

 private:
  // The first name counts where a bar has several.
  void SetName(const XmlSignName& sign) {
    if (sign.measure >= bars_.size()) return;
    WrittenBar& bar = bars_[sign.measure];
    const auto set = [&sign](std::string& name) {
      if (name.empty()) name = music::CleanMidiText(sign.name.substr(0, kMostNameBytes));
    };
    switch (sign.kind) {
      case XmlSignName::Kind::kSegno:
        return set(bar.segno_name);
      case XmlSignName::Kind::kCoda:
        return set(bar.coda_name);
      case XmlSignName::Kind::kToCoda:
        return set(bar.to_coda_name);
      case XmlSignName::Kind::kDalSegno:
        return set(bar.dal_segno_name);
    }
  }

  void SetRepeats(size_t i) {
    const XmlBar& from = merged_[i];
    WrittenBar& bar = bars_[i];
    bar.starts_repeat = from.starts_repeat || (i > 0 && merged_[i - 1].forward_after);
    if (from.repeat_after) bar.plays = std::max(2, from.repeat_times);
    if (from.repeat_before && i > 0)
      bars_[i - 1].plays = std::max({2, bars_[i - 1].plays, from.repeat_before_times});
  }

  // Fine and To Coda are after their bar. At the beginning of one that follows a double bar, they
  // were put where the music before ends.
  void SetEnds(size_t i) {
    const XmlBar& from = merged_[i];
    const size_t earlier = i > 0 && merged_[i - 1].double_bar ? i - 1 : i;
    if (from.fine) bars_[i].fine = true;
    if (from.fine_first) bars_[earlier].fine = true;
    if (from.to_coda) bars_[i].to_coda = true;
    if (!from.to_coda_first) return;
    bars_[earlier].to_coda = true;
    if (earlier < i && !from.to_coda)
      bars_[earlier].to_coda_name = std::exchange(bars_[i].to_coda_name, "");
  }

  // Numbers begin again after a double bar. What isn't counted ("X1") has no number of its own.
  bool StartsMovement(size_t i) const {
    if (!merged_[i - 1].double_bar || last_number_ < 0) return false;
    std::optional<int> number = WholeIn(merged_[i].number);
    if (!number && merged_[i].implicit && i + 1 < merged_.size())
      number = WholeIn(merged_[i + 1].number);
    return number && *number <= 1 && last_number_ > *number;
  }

  // From the bar where an ending starts to that where it stops, the repeat ends or another begins.
  // One that never stops ends with the next double bar or the next ending, too.
  void SetEndings() {
    std::vector<int> current;
    bool stops = false;
    for (size_t i = 0; i < bars_.size(); ++i) {
      if (!merged_[i].ending_starts.empty()) {
        current = merged_[i].ending_starts;
        stops = EndingStops(i);
      }
      const bool starts_anew = bars_[i].starts_movement || bars_[i].starts_repeat;
      if (starts_anew && merged_[i].ending_starts.empty()) current.clear();
      bars_[i].endings = current;
      if (merged_[i].ending_stops || bars_[i].plays > 1 || (merged_[i].double_bar && !stops))
        current.clear();
    }
  }

  // Whether the ending that starts with bar `i` says where it stops.
  bool EndingStops(size_t i) const {
    for (size_t bar = i; bar < merged_.size(); ++bar) {
      if (bar > i && !merged_[bar].ending_starts.empty()) return false;
      if (merged_[bar].ending_stops) return true;
    }
    return false;
  }

  // Printed signs without words. Of two the first is where one leaves; of one, what is missing
  // decides.
  void SetCodaSigns() {
    bool leaves = false, arrives = false;
    std::vector<size_t> signs;
    for (size_t i = 0; i < bars_.size(); ++i) {
      leaves = leaves || bars_[i].to_coda;
      arrives = arrives || bars_[i].coda;
      for (int sign = 0; sign < std::min(merged_[i].coda_signs, 2); ++sign) signs.push_back(i);
    }
    if (signs.empty()) return;
    if (!leaves && (signs.size() > 1 || arrives)) bars_[signs.front()].to_coda = true;
    if (!arrives && (signs.size() > 1 || leaves)) bars_[signs.back()].coda = true;
  }

  std::vector<XmlBar> merged_;
  std::vector<WrittenBar> bars_;
  int last_number_ = -1;  // of the bars so far; -1: none
};

}  // namespace

std::vector<WrittenBar> MergeBars(const std::vector<XmlMusic>& parts) {
  return BarMerger(parts).Merge();
}

}  // namespace antiphon::notation
