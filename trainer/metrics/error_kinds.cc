#include "trainer/metrics/error_kinds.h"

#include <algorithm>

namespace antiphon::trainer::metrics {
namespace {

constexpr double kTolerance_s = 0.2;
constexpr double kNearlySame = 0.5;  // onset F1
constexpr double kUnlike =
    0.25;  // onset F1 at which two passages have nothing to do with each other
constexpr size_t kFewOnsets = 8;
constexpr int kMostSemitones = 24;

double Likeness(const std::vector<Onset>& a, std::vector<Onset> b, int semitones) {
  for (Onset& onset : b) onset.pitch += semitones;
  return MatchOnsets(a, std::move(b), kTolerance_s).f1();
}

}  // namespace

std::string KindName(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kSameNotes:
      return "same notes elsewhere";
    case ErrorKind::kOctave:
      return "octave";
    case ErrorKind::kTransposed:
      return "transposed";
    case ErrorKind::kFewNotes:
      return "few notes";
    case ErrorKind::kTempo:
      return "tempo";
    case ErrorKind::kOrnament:
      return "ornament";
    case ErrorKind::kWrongLabel:
      return "wrong label";
    case ErrorKind::kRoom:
      return "room";
    case ErrorKind::kNetwork:
      return "network";
  }
  return "";
}

std::vector<ErrorKind> AllKinds() {
  return {ErrorKind::kSameNotes,  ErrorKind::kOctave, ErrorKind::kTransposed,
          ErrorKind::kFewNotes,   ErrorKind::kTempo,  ErrorKind::kOrnament,
          ErrorKind::kWrongLabel, ErrorKind::kRoom,   ErrorKind::kNetwork};
}

ErrorKind KindOf(const ErrorEvidence& evidence) {
  const double named = evidence.named.empty() ? 0 : Likeness(evidence.played, evidence.named, 0);
  const double written = evidence.written ? Likeness(evidence.played, *evidence.written, 0) : 1;
  const bool few = evidence.played.size() < kFewOnsets;
  if (!few && written < kUnlike && named >= kNearlySame) return ErrorKind::kWrongLabel;
  if (!few && named >= kNearlySame) return ErrorKind::kSameNotes;
  int best_shift = 0;
  double best = named;
  for (int shift = -kMostSemitones; !few && shift <= kMostSemitones; ++shift) {
    const double likeness =
        evidence.named.empty() ? 0 : Likeness(evidence.played, evidence.named, shift);
    if (likeness > best) {
      best = likeness;
      best_shift = shift;
    }
  }
  if (best_shift != 0 && best >= kNearlySame) {
    return best_shift % 12 == 0 ? ErrorKind::kOctave : ErrorKind::kTransposed;
  }
  if (few) return ErrorKind::kFewNotes;
  const double tempo = evidence.tempo_ratio.value_or(1);
  if (tempo < evidence.lowest_tempo || tempo > evidence.highest_tempo) return ErrorKind::kTempo;
  if (written < kNearlySame) return ErrorKind::kOrnament;
  return evidence.right_when_plain ? ErrorKind::kRoom : ErrorKind::kNetwork;
}

}  // namespace antiphon::trainer::metrics
