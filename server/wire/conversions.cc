#include "server/wire/conversions.h"

namespace antiphon::server {

v1::Verdict ToWire(matching::Verdict verdict) {
  switch (verdict) {
    case matching::Verdict::kMatch:
      return v1::VERDICT_MATCH;
    case matching::Verdict::kNoMatch:
      return v1::VERDICT_NO_MATCH;
    case matching::Verdict::kInsufficientInput:
      return v1::VERDICT_INSUFFICIENT_INPUT;
  }
  return v1::VERDICT_UNSPECIFIED;
}

v1::ScoreFormat ToWire(notation::ScoreFormat format) {
  switch (format) {
    case notation::ScoreFormat::kMidi:
      return v1::SCORE_FORMAT_MIDI;
    case notation::ScoreFormat::kMusicXml:
      return v1::SCORE_FORMAT_MUSICXML;
    case notation::ScoreFormat::kHumdrum:
      return v1::SCORE_FORMAT_HUMDRUM;
    case notation::ScoreFormat::kAbc:
      return v1::SCORE_FORMAT_ABC;
  }
  return v1::SCORE_FORMAT_UNSPECIFIED;
}

v1::Piece ToWire(const catalog::Piece& piece) {
  v1::Piece out;
  out.set_id(piece.id);
  out.set_title(piece.title);
  out.set_composer(piece.composer);
  out.set_duration_seconds(piece.duration_s);
  out.set_beats(piece.beats);
  out.set_bars(piece.bars);
  out.set_notes(piece.notes);
  out.set_collection(piece.collection);
  out.set_version(piece.version);
  out.set_work_id(piece.work_id);
  out.set_with_parts(piece.with_parts);
  return out;
}

v1::Recording ToWire(const catalog::Recording& recording) {
  v1::Recording out;
  out.set_id(recording.id);
  out.set_title(recording.title);
  out.set_composer(recording.composer);
  out.set_piece_id(recording.piece_id);
  out.set_duration_seconds(recording.duration_s);
  out.set_collection(recording.collection);
  out.set_version(recording.version);
  return out;
}

v1::Limits ToWire(const Limits& limits, int queue_capacity, int max_streams) {
  v1::Limits out;
  out.set_max_message_bytes(limits.max_message_bytes());
  out.set_max_audio_seconds(limits.max_audio_s);
  out.set_max_audio_channels(limits.max_audio_channels);
  out.set_min_audio_rate(limits.min_audio_rate);
  out.set_max_audio_rate(limits.max_audio_rate);
  out.set_max_midi_bytes(limits.midi.max_bytes);
  out.set_max_midi_notes(limits.midi.max_notes);
  out.set_max_midi_seconds(limits.midi.max_duration_s);
  out.set_max_search_top_k(limits.max_search_top_k);
  out.set_max_identify_top_k(limits.max_identify_top_k);
  out.set_max_snippets(limits.max_snippets);
  out.set_max_query_windows(limits.max_query_windows);
  out.set_max_embed_windows(limits.max_embed_windows);
  out.set_max_snippet_seconds(limits.max_snippet_s);
  out.set_max_page_size(limits.max_page_size);
  out.set_queue_capacity(queue_capacity);
  out.set_max_batch_queries(limits.max_batch_queries);
  out.set_max_filter_entries(limits.max_filter_entries);
  out.set_max_streams(max_streams);
  out.set_max_align_seconds(limits.max_align_s);
  return out;
}

v1::Part PartOf(const music::Score& score, int part) {
  v1::Part out;
  out.set_index(part);
  out.set_name(score.parts.at(part).name);
  out.set_program(score.parts.at(part).program);
  return out;
}

v1::Source SourceOf(const catalog::Piece& piece) {
  v1::Source out;
  out.set_id(piece.id);
  out.set_title(piece.title);
  out.set_composer(piece.composer);
  out.set_piece_id(piece.id);
  out.set_collection(piece.collection);
  out.set_work_id(piece.work_id);
  return out;
}

v1::Source SourceOf(const catalog::Recording& recording, const catalog::Piece* piece) {
  v1::Source out;
  out.set_id(recording.id);
  out.set_title(recording.title);
  out.set_composer(recording.composer);
  out.set_piece_id(recording.piece_id);
  out.set_collection(recording.collection);
  if (piece != nullptr) out.set_work_id(piece->work_id);
  return out;
}

v1::Position ToPosition(double seconds, const music::Score* score) {
  v1::Position out;
  out.set_seconds(seconds);
  if (score == nullptr) return out;
  music::ScorePosition place = PositionAt(*score, seconds);
  out.set_beats(place.beats);
  out.set_bar(place.bar.bar);
  out.set_beat_in_bar(place.bar.beat);
  out.set_bar_label(std::move(place.label));
  out.set_pass(place.pass);
  out.set_written_beats(place.written_beats);
  return out;
}

}  // namespace antiphon::server
