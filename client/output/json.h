// Messages of the API as JSON, for programs. Free of state.
#ifndef ANTIPHON_CLIENT_OUTPUT_JSON_H_
#define ANTIPHON_CLIENT_OUTPUT_JSON_H_

#include <string>

#include "absl/status/status.h"
#include "nlohmann/json_fwd.hpp"

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace antiphon::client {

// Every field under its name in the .proto, in the order of the .proto, also where it has its
// default value; enums by name, bytes in base64, numbers as numbers (64-bit integers too, unlike
// proto3's own JSON). What can be unset, and is, is null: a message, the bar of a place in a
// recording.
nlohmann::ordered_json MessageToJson(const google::protobuf::Message& message);

// {"code": "INVALID_ARGUMENT", "message": …, "field": …, "limit": …, "request_id": …}; field and
// limit are empty when no field is to blame, the last where the server has not said it.
nlohmann::ordered_json FailureToJson(const absl::Status& failure);

// One line, without the newline. Text that is not UTF-8 (names of files) is repaired.
std::string JsonLine(const nlohmann::ordered_json& json);

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_OUTPUT_JSON_H_
