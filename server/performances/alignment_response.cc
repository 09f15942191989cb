#include "server/performances/alignment_response.h"

#include <algorithm>
#include <map>
#include <utility>

#include "server/wire/conversions.h"

namespace antiphon::server {
namespace {

v1::PassageEntry ToWire(alignment::Entry entry) {
  switch (entry) {
    case alignment::Entry::kBegins:
      return v1::PASSAGE_ENTRY_BEGINS;
    case alignment::Entry::kRepeatLeftOut:
      return v1::PASSAGE_ENTRY_REPEAT_LEFT_OUT;
    case alignment::Entry::kRepeatAdded:
      return v1::PASSAGE_ENTRY_REPEAT_ADDED;
    case alignment::Entry::kCut:
      return v1::PASSAGE_ENTRY_CUT;
  }
  return v1::PASSAGE_ENTRY_UNSPECIFIED;
}

v1::Position PositionIn(const music::Score& score, double seconds) {
  return ToPosition(std::clamp(seconds, 0.0, score.duration_s), &score);
}

void FillPassages(const music::Score& score, const alignment::Performance& performance,
                  double offset_s, v1::AlignResponse* response) {
  for (const alignment::PlayedPassage& passage : performance.passages) {
    v1::AlignedPassage* added = response->add_passages();
    added->set_entry(ToWire(passage.entry));
    added->set_start_seconds(offset_s + passage.start_s);
    added->set_end_seconds(offset_s + passage.end_s);
    *added->mutable_reference_start() = PositionIn(score, passage.score_start_s);
    *added->mutable_reference_end() = PositionIn(score, passage.score_end_s);
    const double lasts_s = passage.end_s - passage.start_s;
    if (lasts_s > 0)
      added->set_tempo_ratio((passage.score_end_s - passage.score_start_s) / lasts_s);
  }
  std::vector<int> beats(performance.passages.size());
  for (const alignment::PlayedBeat& beat : performance.beats) {
    v1::AlignedPassage* passage = response->mutable_passages(beat.passage);
    ++beats[beat.passage];
    passage->set_doubt(passage->doubt() + (beat.doubt - passage->doubt()) / beats[beat.passage]);
  }
}

void FillBeats(const music::Score& score, const alignment::Performance& performance,
               double offset_s, v1::AlignResponse* response) {
  response->mutable_beats()->Reserve(static_cast<int>(performance.beats.size()));
  for (const alignment::PlayedBeat& beat : performance.beats) {
    v1::AlignedBeat* added = response->add_beats();
    added->set_seconds(offset_s + beat.at_s);
    *added->mutable_position() = PositionIn(score, beat.score_s);
    added->set_beats_per_minute(beat.beats_per_minute);
    added->set_doubt(beat.doubt);
    added->set_passage(beat.passage);
  }
}

void FillNotes(const music::Score& score, const alignment::Performance& performance,
               double offset_s, v1::AlignResponse* response) {
  std::map<std::pair<int, int>, int> parts;  // by track and channel
  for (size_t i = 0; i < score.parts.size(); ++i)
    parts.emplace(std::pair(score.parts[i].track, score.parts[i].channel), static_cast<int>(i));
  response->mutable_notes()->Reserve(static_cast<int>(performance.notes.size()));
  for (const alignment::PlayedNote& played : performance.notes) {
    const music::Note& note = score.notes.at(played.note);
    const auto part = parts.find({note.track, note.channel});
    v1::AlignedNote* added = response->add_notes();
    added->set_onset_seconds(offset_s + played.onset_s);
    added->set_offset_seconds(offset_s + played.offset_s);
    added->set_pitch(note.pitch);
    added->set_part(part == parts.end() ? -1 : part->second);
    added->set_score_seconds(note.onset_s);
    added->set_score_beats(score.tempo_map.BeatsAt(note.onset_s));
    added->set_doubt(played.doubt);
    added->set_passage(played.passage);
  }
}

}  // namespace

void FillAlignment(const music::Score& score, const alignment::Performance& performance,
                   double offset_s, bool with_notes, v1::AlignResponse* response) {
  response->set_agreement(performance.agreement);
  FillPassages(score, performance, offset_s, response);
  FillBeats(score, performance, offset_s, response);
  if (with_notes) FillNotes(score, performance, offset_s, response);
}

}  // namespace antiphon::server
