#include "core/music/upbeat.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/music/midi_file.h"
#include "core/music/score.h"

namespace antiphon::music {
namespace {

constexpr double kTolerance = 1e-6;  // quarter notes

uint32_t BigEndian16(std::string_view bytes, size_t at) {
  return static_cast<uint32_t>(static_cast<uint8_t>(bytes[at])) << 8 |
         static_cast<uint8_t>(bytes[at + 1]);
}

std::string Bytes16(uint32_t value) {
  return {static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)};
}

absl::Status Check(const Score& score, double quarter_notes) {
  const TimeSignature& metre = score.tempo_map.time_signatures().front();
  const double bar = 4.0 * metre.numerator / metre.denominator;
  if (!(quarter_notes >= 0 && quarter_notes < bar - kTolerance)) {
    return absl::InvalidArgumentError(absl::StrCat("an upbeat of ", quarter_notes,
                                                   " quarter notes is not within a bar of ",
                                                   metre.numerator, "/", metre.denominator));
  }
  if (score.tempo_map.upbeat() > 0) {
    return absl::InvalidArgumentError(absl::StrCat("the score has an upbeat of its own, of ",
                                                   score.tempo_map.upbeat(), " quarter notes"));
  }
  const auto& metres = score.tempo_map.time_signatures();
  if (metres.size() > 1 && metres[1].beat < quarter_notes + kTolerance)
    return absl::InvalidArgumentError("the score changes its metre within the upbeat");
  return absl::OkStatus();
}

// The file with one more track, which states the metre again. Empty where the file is not of the
// plain kind: beginning with a header of six bytes, in ticks per quarter note, all tracks at once.
std::string WithMetreTrack(std::string_view midi, const TimeSignature& metre,
                           double quarter_notes) {
  constexpr size_t kHeader = 14;
  if (midi.size() < kHeader || midi.substr(0, 8) != std::string_view("MThd\0\0\0\6", 8)) return "";
  const uint32_t format = BigEndian16(midi, 8);
  const uint32_t tracks = BigEndian16(midi, 10);
  const uint32_t division = BigEndian16(midi, 12);
  if (format > 1 || tracks == 0xffff || division >= 0x8000) return "";
  const auto tick = static_cast<uint32_t>(std::llround(quarter_notes * division));
  std::string delta;
  for (int shift = 21; shift > 0; shift -= 7) {
    if (tick >> shift != 0) delta += static_cast<char>(0x80 | (tick >> shift & 0x7f));
  }
  delta += static_cast<char>(tick & 0x7f);
  const auto log_denominator =
      static_cast<char>(std::countr_zero(static_cast<unsigned>(metre.denominator)));
  const std::string body =
      absl::StrCat(delta, std::string("\xff\x58\4", 3),
                   std::string({static_cast<char>(metre.numerator), log_denominator, 24, 8}),
                   std::string("\0\xff\x2f\0", 4));
  return absl::StrCat(std::string(midi.substr(0, 8)), Bytes16(1), Bytes16(tracks + 1),
                      std::string(midi.substr(12)), "MTrk", std::string(2, '\0'),
                      Bytes16(static_cast<uint32_t>(body.size())), body);
}

}  // namespace

absl::StatusOr<std::string> WithUpbeat(std::string_view midi, double quarter_notes) {
  ASSIGN_OR_RETURN(Score score, ReadMidi(midi));
  const auto has_it = [quarter_notes](const Score& read, double tolerance) {
    return std::abs(read.tempo_map.upbeat() - quarter_notes) < tolerance;
  };
  if (has_it(score, kTolerance)) return std::string(midi);
  RETURN_IF_ERROR(Check(score, quarter_notes));
  if (quarter_notes == 0) return std::string(midi);
  TimeSignature metre = score.tempo_map.time_signatures().front();
  std::string file = WithMetreTrack(midi, metre, quarter_notes);
  if (!file.empty()) {
    // What lies behind the tracks of a damaged file may swallow the new one.
    const absl::StatusOr<Score> read = ReadMidi(file);
    constexpr double kTick = 1.0 / 48;  // the coarsest that is in use
    if (read.ok() && read->warnings.empty() && read->notes.size() == score.notes.size() &&
        read->duration_s == score.duration_s && has_it(*read, kTick)) {
      return file;
    }
  }
  metre.beat = quarter_notes;
  std::vector<TimeSignature> metres = score.tempo_map.time_signatures();
  metres.push_back(metre);
  ASSIGN_OR_RETURN(score.tempo_map, TempoMap::Create(score.tempo_map.tempi(), std::move(metres),
                                                     score.tempo_map.key_signatures()));
  return WriteMidi(score);
}

}  // namespace antiphon::music
