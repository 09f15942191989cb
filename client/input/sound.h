// Sound that is decoded on this side: what goes wrong with it, in words for its user. Stateless;
// safe from any thread.
#ifndef ANTIPHON_CLIENT_INPUT_SOUND_H_
#define ANTIPHON_CLIENT_INPUT_SOUND_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/input/input.h"
#include "core/audio/decode_report.h"

namespace antiphon::client {

// The failure of a decoder (core/audio/plain_decoder.h) as one of the input, which it names: for a
// format that only the server decodes, with the way around.
absl::Status NotDecoded(const Input& input, const absl::Status& failure);

// What could not be decoded, and where the server would decode more of it, how to have it do so.
std::vector<std::string> WarningsOf(const audio::DecodeReport& report);

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_INPUT_SOUND_H_
