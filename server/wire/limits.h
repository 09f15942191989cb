// What a request may ask for. One struct, so that the checks, Admin.Status and docs/api.md speak of
// the same numbers. Plain values.
#ifndef ANTIPHON_SERVER_WIRE_LIMITS_H_
#define ANTIPHON_SERVER_WIRE_LIMITS_H_

#include <cstdint>

#include "core/audio/decode_options.h"
#include "core/base/check_range.h"
#include "core/matching/request.h"
#include "core/music/midi_file.h"
#include "core/notation/written_score.h"

namespace antiphon::server {

struct Limits {
  static constexpr Range<int> kMaxMessageMibRange = {1, 1024};
  int max_message_mib = 32;  // of a request, as sent
  int64_t max_message_bytes() const { return int64_t{max_message_mib} << 20; }

  static constexpr Range<double> kMaxAudioRange = {1, 86'400};
  double max_audio_s = audio::DecodeOptions().max_duration_s;  // of a query, seconds
  static constexpr Range<double> kMaxAlignRange = {1, 6 * 3600};
  double max_align_s = 4 * 3600;  // of audio in AlignLong, of which a spectrogram is kept, seconds
  int max_audio_channels = audio::DecodeOptions().max_channels;
  int min_audio_rate = audio::DecodeOptions().min_source_rate;  // Hz
  int max_audio_rate = audio::DecodeOptions().max_source_rate;  // Hz
  music::MidiLimits midi;
  notation::NotationLimits notation;  // of scores in other formats

  int max_search_top_k = matching::SearchOptions::kTopKRange.high;
  int max_identify_top_k = matching::IdentifyOptions::kTopKRange.high;
  int max_snippets = 20;  // top_k where each hit carries its snippet
  double min_hop_s = 0.05;
  double max_hop_s = 60;
  double min_tempo_ratio = 0.25;
  double max_tempo_ratio = 4;

  // Compared by a search or an identification, in matching::kQueryWindowsRange; longer queries are
  // sampled evenly.
  int max_query_windows = matching::kDefaultQueryWindows;
  int max_embed_windows = 8192;  // of one Embed call

  double max_snippet_s = 60;  // of a recording, in GetSnippet, seconds
  int max_page_size = 1000;
  int default_page_size = 50;
  int max_filter_bytes = 200;  // of the text that a list is filtered by

  int max_filter_entries = 1000;  // of a Filter, in all its lists
  int max_batch_queries = 64;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_WIRE_LIMITS_H_
