#include <cstring>

#include "antiphon/v1/admin.pb.h"
#include "antiphon/v1/catalog.pb.h"
#include "antiphon/v1/retrieval.pb.h"
#include "core/audio/encoder.h"
#include "core/testing/audio_signals.h"
#include "tests/fuzz/request_input.h"
#include "tests/fuzz/seeds.h"
#include "tests/support/midi_bytes.h"

namespace antiphon::fuzz {
namespace {

constexpr int kRate = 8000;  // Hz

std::string Midi() {
  testing::MidiTrack track;
  for (int i = 0; i < 8; ++i) track.On(i == 0 ? 0 : 120, 60 + i).Off(240, 60 + i);
  return testing::MidiFile(0, 480, {track.End()});
}

v1::Audio File() {
  v1::Audio audio;
  audio.set_file(*audio::EncodeAudio(audio::Sine(440, 0.6, kRate), audio::AudioFormat::kWav));
  return audio;
}

std::string Samples() {
  const audio::Waveform tone = audio::Sine(440, 0.4, kRate);
  std::string bytes(tone.samples.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), tone.samples.data(), bytes.size());
  return bytes;
}

v1::Audio Pcm() {
  v1::Audio audio;
  audio.mutable_pcm()->set_encoding(v1::Pcm::ENCODING_FLOAT32);
  audio.mutable_pcm()->set_sample_rate(kRate);
  audio.mutable_pcm()->set_channels(1);
  audio.mutable_pcm()->set_samples(Samples());
  return audio;
}

v1::SearchOptions Options() {
  v1::SearchOptions options;
  options.set_top_k(3);
  options.set_hop_seconds(0.25);
  options.set_include_evidence(true);
  options.set_include_snippets(true);
  options.set_min_similarity(-0.5);
  options.mutable_filter()->add_composers("Anon");
  options.mutable_filter()->add_work_ids("scales");
  options.mutable_excerpt()->set_start_seconds(0.1);
  options.mutable_excerpt()->set_end_seconds(0.5);
  options.set_mode(v1::SEARCH_MODE_EXACT);
  return options;
}

void AddRetrieval(const std::string& target, const Seeds& seeds) {
  v1::SearchScoresRequest scores;
  *scores.mutable_audio() = File();
  *scores.mutable_options() = Options();
  seeds.Add(target, "search_scores", InputFor("SearchScores", {&scores}));
  v1::SearchRecordingsRequest recordings;
  recordings.mutable_score()->set_midi(Midi());
  *recordings.mutable_options() = Options();
  seeds.Add(target, "search_recordings", InputFor("SearchRecordings", {&recordings}));

  v1::IdentifyRequest sound;
  *sound.mutable_audio() = Pcm();
  sound.set_top_k(3);
  sound.set_min_confidence(0.2);
  sound.set_include_evidence(true);
  sound.set_max_transposition(2);
  sound.mutable_filter()->add_piece_ids("p1");
  seeds.Add(target, "identify_sound", InputFor("Identify", {&sound}));
  v1::IdentifyRequest score;
  score.mutable_score()->set_midi(Midi());
  score.set_against(v1::SIDE_RECORDINGS);
  seeds.Add(target, "identify_score", InputFor("Identify", {&score}));

  v1::BatchRequest batch;
  *batch.add_queries()->mutable_search_scores() = scores;
  *batch.add_queries()->mutable_search_recordings() = recordings;
  *batch.add_queries()->mutable_identify() = score;
  seeds.Add(target, "batch", InputFor("Batch", {&batch}));

  v1::EmbedRequest embed;
  embed.mutable_score()->set_midi(Midi());
  embed.set_tempo_ratio(1.5);
  embed.set_hop_seconds(0.5);
  seeds.Add(target, "embed", InputFor("Embed", {&embed}));

  v1::IdentifyStreamRequest first;
  first.mutable_options()->set_encoding(v1::Pcm::ENCODING_FLOAT32);
  first.mutable_options()->set_sample_rate(kRate);
  first.mutable_options()->set_channels(1);
  first.mutable_options()->set_top_k(2);
  v1::IdentifyStreamRequest chunk;
  chunk.set_samples(Samples().substr(0, 4001));
  v1::IdentifyStreamRequest rest;
  rest.set_samples(Samples().substr(4001));
  seeds.Add(target, "identify_long", InputFor("IdentifyLong", {&first, &chunk, &rest}));
  seeds.Add(target, "identify_live", InputFor("IdentifyLive", {&first, &chunk, &rest}));
}

// What brings a sound and a score together.
void AddPerformances(const std::string& target, const Seeds& seeds, const std::string& piece_id) {
  v1::AlignRequest align;
  *align.mutable_audio() = Pcm();
  align.mutable_options()->mutable_score()->set_midi(Midi());
  align.mutable_options()->set_include_midi(true);
  align.mutable_excerpt()->set_start_seconds(0.05);
  seeds.Add(target, "align_score", InputFor("Align", {&align}));
  align.mutable_options()->set_piece_id(piece_id);
  align.mutable_options()->set_as_written(true);
  align.mutable_options()->set_without_notes(true);
  seeds.Add(target, "align_piece", InputFor("Align", {&align}));
  align.clear_options();
  align.mutable_options()->mutable_filter()->add_composers("Anon");
  align.mutable_options()->set_mode(v1::SEARCH_MODE_EXACT);
  seeds.Add(target, "align_identify", InputFor("Align", {&align}));

  v1::AlignStreamRequest long_first;
  long_first.mutable_options()->set_encoding(v1::Pcm::ENCODING_FLOAT32);
  long_first.mutable_options()->set_sample_rate(kRate);
  long_first.mutable_options()->set_channels(1);
  v1::AlignStreamRequest long_rest;
  long_rest.set_samples(Samples());
  seeds.Add(target, "align_long_identify", InputFor("AlignLong", {&long_first, &long_rest}));
  long_first.mutable_options()->mutable_align()->set_piece_id(piece_id);
  seeds.Add(target, "align_long", InputFor("AlignLong", {&long_first, &long_rest, &long_rest}));

  v1::FollowRequest first;
  first.mutable_options()->set_encoding(v1::Pcm::ENCODING_FLOAT32);
  first.mutable_options()->set_sample_rate(kRate);
  first.mutable_options()->set_channels(1);
  first.mutable_options()->set_piece_id(piece_id);
  first.mutable_options()->set_update_seconds(0.05);
  v1::FollowRequest chunk;
  chunk.set_samples(Samples().substr(0, 4001));
  v1::FollowRequest rest;
  rest.set_samples(Samples().substr(4001));
  seeds.Add(target, "follow_piece", InputFor("Follow", {&first, &chunk, &rest}));
  first.mutable_options()->mutable_score()->set_midi(Midi());
  first.mutable_options()->set_start_seconds(0.5);
  seeds.Add(target, "follow_score", InputFor("Follow", {&first, &chunk, &rest}));

  v1::TranscribeRequest transcribe;
  *transcribe.mutable_audio() = Pcm();
  transcribe.set_method(v1::TRANSCRIPTION_METHOD_MATCHED);
  transcribe.set_min_similarity(-1);
  transcribe.mutable_excerpt()->set_end_seconds(0.3);
  seeds.Add(target, "transcribe", InputFor("Transcribe", {&transcribe}));
}

void AddCatalog(const std::string& target, const Seeds& seeds, const std::string& piece_id,
                const std::string& recording_id) {
  v1::ListPiecesRequest pieces;
  pieces.set_page_size(1);
  pieces.set_filter("scale");
  seeds.Add(target, "list_pieces", InputFor("ListPieces", {&pieces}));
  v1::ListRecordingsRequest recordings;
  recordings.set_page_size(1);
  seeds.Add(target, "list_recordings", InputFor("ListRecordings", {&recordings}));
  v1::GetPieceRequest piece;
  piece.set_piece_id(piece_id);
  seeds.Add(target, "get_piece", InputFor("GetPiece", {&piece}));
  v1::GetRecordingRequest recording;
  recording.set_recording_id(recording_id);
  seeds.Add(target, "get_recording", InputFor("GetRecording", {&recording}));
  v1::GetSnippetRequest snippet;
  snippet.set_piece_id(piece_id);
  snippet.set_start_seconds(0.5);
  snippet.set_end_seconds(1.5);
  seeds.Add(target, "snippet_piece", InputFor("GetSnippet", {&snippet}));
  snippet.set_recording_id(recording_id);
  seeds.Add(target, "snippet_recording", InputFor("GetSnippet", {&snippet}));

  v1::AddPieceRequest add;
  add.mutable_piece()->set_id("new");
  add.mutable_piece()->set_title("Title");
  add.mutable_piece()->set_collection("mine");
  add.mutable_piece()->set_work_id("work");
  add.mutable_score()->set_midi(Midi());
  seeds.Add(target, "add_piece", InputFor("AddPiece", {&add}));
  v1::AddPieceRequest other = add;
  other.mutable_piece()->set_id("other");
  seeds.Add(target, "add_pieces", InputFor("AddPieces", {&add, &other}));
  v1::UpdatePieceRequest update;
  update.set_piece_id(piece_id);
  update.set_expected_version(0);
  update.set_title("Another");
  update.set_work_id("");
  update.mutable_score()->set_midi(Midi());
  seeds.Add(target, "update_piece", InputFor("UpdatePiece", {&update}));
  v1::DeletePieceRequest remove;
  remove.set_piece_id(piece_id);
  remove.set_with_recordings(true);
  seeds.Add(target, "delete_piece", InputFor("DeletePiece", {&remove}));
  v1::AddRecordingRequest sound;
  sound.mutable_recording()->set_id("new");
  sound.mutable_recording()->set_piece_id(piece_id);
  sound.set_audio_file(File().file());
  seeds.Add(target, "add_recording", InputFor("AddRecording", {&sound}));
  v1::UpdateRecordingRequest change;
  change.set_recording_id(recording_id);
  change.set_audio_file(File().file());
  change.set_piece_id("");
  seeds.Add(target, "update_recording", InputFor("UpdateRecording", {&change}));
  v1::DeleteRecordingRequest drop;
  drop.set_recording_id(recording_id);
  seeds.Add(target, "delete_recording", InputFor("DeleteRecording", {&drop}));
}

void AddAdmin(const std::string& target, const Seeds& seeds) {
  const v1::StatusRequest status;
  seeds.Add(target, "status", InputFor("Status", {&status}));
  const v1::ReloadRequest reload;
  seeds.Add(target, "reload", InputFor("Reload", {&reload}));
  const v1::MergeRequest merge;
  seeds.Add(target, "merge", InputFor("Merge", {&merge}));
  v1::ListSnapshotsRequest snapshots;
  snapshots.set_page_size(10);
  seeds.Add(target, "snapshots", InputFor("ListSnapshots", {&snapshots}));
  v1::DeleteSnapshotRequest unwanted;
  unwanted.set_name("monday");
  seeds.Add(target, "delete_snapshot", InputFor("DeleteSnapshot", {&unwanted}));
  v1::SnapshotRequest snapshot;
  snapshot.set_name("monday");
  seeds.Add(target, "snapshot", InputFor("Snapshot", {&snapshot}));
  v1::RestoreRequest restore;
  restore.set_name("monday");
  seeds.Add(target, "restore", InputFor("Restore", {&restore}));
}

}  // namespace

void AddRequests(const Seeds& seeds) {
  AddRetrieval("requests", seeds);
  AddPerformances("requests", seeds, "p1");
  AddCatalog("requests", seeds, "p1", "r1");
  AddAdmin("requests", seeds);
  AddRetrieval("answers", seeds);
  AddPerformances("answers", seeds, "piece-0");
  AddCatalog("answers", seeds, "piece-0", "recording-0");
  AddAdmin("answers", seeds);
}

}  // namespace antiphon::fuzz
