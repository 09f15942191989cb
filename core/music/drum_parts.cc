#include "core/music/drum_parts.h"

#include <algorithm>
#include <tuple>

namespace antiphon::music {
namespace {

using Kind = PartChange::Kind;

constexpr int kUnknownBank = -1;

bool IsReset(Kind kind) {
  return kind == Kind::kGmReset || kind == Kind::kGm2Reset || kind == Kind::kGsReset ||
         kind == Kind::kXgReset;
}

// GS counts its parts so that part 0 is channel 10, 1 to 9 are channels 1 to 9, and 10 to 15 are
// channels 11 to 16.
uint8_t GsChannel(int part) {
  return static_cast<uint8_t>(part == 0 ? kMidiDrumChannel : part < 10 ? part - 1 : part);
}

// The last word on a bank, when a program change makes it hold; nothing when it leaves the part as
// it is.
std::optional<bool> DrumsByBank(Kind system, int channel, int bank) {
  if (bank == kUnknownBank) return std::nullopt;
  if (system == Kind::kGm2Reset) {
    if (bank == 120) return true;
    if (bank == 121) return false;
  }
  if (system == Kind::kXgReset) {
    if (bank == 126 || bank == 127) return true;
    // Files for other systems select bank 0 on channel 10 too.
    if (channel != kMidiDrumChannel) return false;
  }
  return std::nullopt;
}

}  // namespace

std::optional<PartChange> ParsePartMessage(std::string_view message) {
  const auto at = [&message](size_t i) {
    return i < message.size() ? static_cast<int>(static_cast<uint8_t>(message[i])) : -1;
  };
  const auto change = [](Kind kind, int channel = 0) {
    return PartChange{{}, kind, static_cast<uint8_t>(channel)};
  };
  if (at(0) == 0x7e && at(2) == 0x09) {  // universal: General MIDI on and off
    if (at(3) == 0x03) return change(Kind::kGm2Reset);
    if (at(3) == 0x01 || at(3) == 0x02) return change(Kind::kGmReset);
  }
  if (at(0) == 0x41 && at(2) == 0x42 && at(3) == 0x12) {  // Roland GS, data set
    if ((at(4) == 0x40 || at(4) == 0x00) && at(5) == 0x00 && at(6) == 0x7f)
      return change(Kind::kGsReset);
    if (at(4) == 0x40 && at(5) >> 4 == 1 && at(6) == 0x15 && at(7) >= 0) {
      PartChange part = change(at(7) == 0 ? Kind::kMelodic : Kind::kDrums, GsChannel(at(5) & 0x0f));
      part.by_gs_block = true;
      return part;
    }
  }
  if (at(0) == 0x43 && at(1) >> 4 == 1 && at(2) == 0x4c) {  // Yamaha XG, parameter change
    if (at(3) == 0x00 && at(4) == 0x00 && (at(5) == 0x7e || at(5) == 0x7f))
      return change(Kind::kXgReset);
    if (at(3) == 0x08 && at(4) >= 0 && at(4) < kMidiChannels && at(5) == 0x07 && at(6) >= 0)
      return change(at(6) == 0 ? Kind::kMelodic : Kind::kDrums, at(4));
  }
  return std::nullopt;
}

DrumParts::DrumParts(std::vector<PartChange> changes, const std::array<bool, kMidiChannels>& used) {
  for (PartChange& change : changes) {
    if (change.by_gs_block && change.channel > kMidiDrumChannel && !used[change.channel] &&
        used[change.channel - 1u]) {
      --change.channel;
    }
  }
  std::stable_sort(changes.begin(), changes.end(), [](const PartChange& a, const PartChange& b) {
    return std::tuple(a.at.tick, !IsReset(a.kind), a.at.order) <
           std::tuple(b.at.tick, !IsReset(b.kind), b.at.order);
  });
  Kind system = Kind::kGmReset;
  std::array<int, kMidiChannels> banks;
  banks.fill(kUnknownBank);
  const auto set = [this](int channel, int64_t tick, bool drums) {
    std::vector<State>& states = states_[static_cast<size_t>(channel)];
    const bool now = states.empty() ? channel == kMidiDrumChannel : states.back().drums;
    if (now != drums) states.push_back({tick, drums});
  };
  for (const PartChange& change : changes) {
    const int channel = change.channel;
    if (IsReset(change.kind)) {
      system = change.kind;
      banks.fill(kUnknownBank);
      for (int c = 0; c < kMidiChannels; ++c) set(c, change.at.tick, c == kMidiDrumChannel);
    } else if (change.kind == Kind::kBank) {
      banks[static_cast<size_t>(channel)] = change.value;
    } else if (change.kind == Kind::kProgram) {
      const auto drums = DrumsByBank(system, channel, banks[static_cast<size_t>(channel)]);
      if (drums) set(channel, change.at.tick, *drums);
    } else {
      banks[static_cast<size_t>(channel)] = kUnknownBank;
      set(channel, change.at.tick, change.kind == Kind::kDrums);
    }
  }
}

bool DrumParts::IsDrums(int channel, int64_t tick) const {
  const std::vector<State>& states = states_[static_cast<size_t>(channel)];
  const auto after =
      std::upper_bound(states.begin(), states.end(), tick,
                       [](int64_t at, const State& state) { return at < state.tick; });
  return after == states.begin() ? channel == kMidiDrumChannel : std::prev(after)->drums;
}

}  // namespace antiphon::music
