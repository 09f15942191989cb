#include "core/humdrum/humdrum_parts.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "core/humdrum/humdrum_instruments.h"
#include "core/music/midi_text.h"

namespace antiphon::notation {
namespace {

constexpr size_t kMaxNameBytes = 200;
constexpr int kVoicesOfStaff = 4;

// Of what one plays with two hands on two staves.
bool HasTwoStaves(int program) {
  return program <= 8 || (program >= 16 && program <= 23) || program == 46;
}

int ProgramOf(const KernTrack& track) {
  if (const auto program = ProgramOfCode(track.code); program.has_value()) return *program;
  return ProgramOfName(track.name).value_or(0);
}

}  // namespace

int HumdrumParts::AddTrack(bool percussion) {
  KernTrack track;
  track.percussion = percussion;
  track.group = groups_++;
  tracks_.push_back(std::move(track));
  return track_count() - 1;
}

void HumdrumParts::Interpret(absl::string_view token, int index) {
  KernTrack& track = tracks_[static_cast<size_t>(index)];
  if (absl::ConsumePrefix(&token, "*I\"")) {
    if (track.name.empty()) {
      absl::ConsumePrefix(&token, "\"");  // two of them: a name that isn't printed
      track.name = music::CleanMidiText(std::string(token.substr(0, kMaxNameBytes)));
    }
  } else if (absl::StartsWith(token, "*clefX")) {
    track.percussion = true;
  } else if (absl::ConsumePrefix(&token, "*part")) {
    track.part_number = std::string(token.substr(0, 16));
  } else if (const auto semitones = ParseTransposition(token); semitones.has_value()) {
    track.transposed = *semitones;
  } else if (absl::ConsumePrefix(&token, "*I") && !token.empty() &&
             absl::ascii_islower(static_cast<unsigned char>(token[0]))) {
    if (track.code.empty() && token != "empty") track.code = std::string(token.substr(0, 32));
    if (IsUnpitchedCode(token)) track.percussion = true;
  }
}

bool HumdrumParts::SamePlayer(const KernTrack& a, const KernTrack& b) const {
  if (a.percussion != b.percussion) return false;
  if (!a.part_number.empty() && a.part_number == b.part_number) return true;
  const bool named = !a.name.empty() || !a.code.empty();
  return named && a.name == b.name && a.code == b.code && HasTwoStaves(ProgramOf(a));
}

void HumdrumParts::Arrange(const std::vector<Spine>& spines) {
  dynamics_targets_.assign(static_cast<size_t>(dynamics_), {});
  std::vector<int> since_dynamics;  // kern tracks
  int previous = -1;
  for (const Spine& spine : spines) {
    if (spine.kind == Spine::Kind::kKern && spine.track != previous) {
      if (previous >= 0 && SamePlayer(track(previous), track(spine.track))) {
        track(spine.track).group = track(previous).group;
      }
      previous = spine.track;
      since_dynamics.push_back(previous);
    } else if (spine.kind == Spine::Kind::kDynamics && previous >= 0) {
      std::vector<int>& targets = dynamics_targets_[static_cast<size_t>(spine.track)];
      const int group = track(previous).group;
      if (since_dynamics.empty()) since_dynamics.push_back(previous);
      for (const int candidate : since_dynamics) {
        if (track(candidate).group == group) targets.push_back(candidate);
      }
      since_dynamics.clear();
    }
  }
}

void HumdrumParts::BeginLine() {
  for (const int index : accented_) track(index).accented_velocity = 0;
  accented_.clear();
}

void HumdrumParts::Apply(const Dynamics& dynamics, int dynamics_track, Ticks now) {
  if (static_cast<size_t>(dynamics_track) >= dynamics_targets_.size()) return;
  for (const int index : dynamics_targets_[static_cast<size_t>(dynamics_track)]) {
    KernTrack& target = track(index);
    if (dynamics.hairpin_ends && target.open_hairpin) {
      target.open_hairpin->to = now;
      target.hairpins.push_back(*target.open_hairpin);
      target.open_hairpin.reset();
    }
    if (dynamics.hairpin != 0) target.open_hairpin = Hairpin{now, now, dynamics.hairpin > 0};
    int level = dynamics.velocity;
    if (dynamics.accent) {
      target.accented_velocity = std::max(dynamics.velocity, target.velocity);
      accented_.push_back(index);
      level = dynamics.afterwards;
    }
    if (level == 0) continue;
    target.velocity = level;
    target.marks.push_back({now, level});
  }
}

std::vector<Loudness> HumdrumParts::TakeLoudness() {
  std::vector<Loudness> loudness;
  for (KernTrack& track : tracks_)
    loudness.emplace_back(std::move(track.marks), std::move(track.hairpins));
  return loudness;
}

HumdrumParts::Players HumdrumParts::MakePlayers() const {
  Players players;
  players.part_of_track.assign(tracks_.size(), -1);
  players.first_voice_of_track.assign(tracks_.size(), 1);
  std::vector<int> part_of_group(static_cast<size_t>(groups_), -1);
  std::vector<int> staves;  // of each part
  for (size_t i = tracks_.size(); i-- > 0;) {
    const KernTrack& track = tracks_[i];
    int& part = part_of_group[static_cast<size_t>(track.group)];
    if (part < 0) {
      part = static_cast<int>(players.parts.size());
      players.parts.push_back({track.name, ProgramOf(track), track.percussion});
      staves.push_back(0);
    }
    players.part_of_track[i] = part;
    players.first_voice_of_track[i] = 1 + kVoicesOfStaff * staves[static_cast<size_t>(part)]++;
  }
  return players;
}

}  // namespace antiphon::notation
