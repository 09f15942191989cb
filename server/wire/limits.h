// What a request may ask for. One struct, so that the checks, Admin.Status and docs/api.md speak of
// the same numbers. Plain values.
#ifndef ANTIPHON_SERVER_WIRE_LIMITS_H_
#define ANTIPHON_SERVER_WIRE_LIMITS_H_

#include <cstdint>

#include "core/matching/request.h"
#include "core/music/midi_file.h"

namespace antiphon::server {

struct Limits {
  int64_t max_message_bytes = 64 << 20;  // of a request, as sent

  double max_audio_s = 3600;  // of a query, seconds
  int max_audio_channels = 8;
  int min_audio_rate = 1000;     // Hz
  int max_audio_rate = 384'000;  // Hz
  music::MidiLimits midi;

  int max_search_top_k = 1000;
  int max_identify_top_k = 100;
  int max_transposition = matching::kMaxTransposition;  // semitones
  int max_snippets = 20;                                // top_k where each hit carries its snippet
  double min_hop_s = 0.05;
  double max_hop_s = 60;
  double min_tempo_ratio = 0.25;
  double max_tempo_ratio = 4;

  int max_query_windows =
      240;  // compared by a search or an identification; longer queries are sampled evenly
  int max_embed_windows = 8192;  // of one Embed call

  int max_streams = 16;  // IdentifyLong, IdentifyLive and AddPieces, at once

  double max_snippet_s = 60;  // of a recording, in GetSnippet, seconds
  int max_page_size = 1000;
  int default_page_size = 50;
  int max_filter_bytes = 200;  // of the text that a list is filtered by

  int max_filter_entries = 1000;  // of a Filter, in all its lists
  int max_batch_queries = 64;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_WIRE_LIMITS_H_
