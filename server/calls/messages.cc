#include "server/calls/messages.h"

#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "server/wire/status_map.h"

namespace antiphon::server {

using Traits = grpc::SerializationTraits<google::protobuf::Message>;

absl::Status ParseMessage(grpc::ByteBuffer& bytes, int64_t max_bytes,
                          google::protobuf::Message* message) {
  const auto size = static_cast<int64_t>(bytes.Length());
  if (size > max_bytes) {
    bytes.Clear();
    return FieldError(absl::StatusCode::kResourceExhausted, "request",
                      absl::StrCat("is ", size, " bytes long"),
                      absl::StrCat("up to ", max_bytes, " bytes"));
  }
  const bool parsed = Traits::Deserialize(&bytes, message).ok();
  bytes.Clear();
  if (parsed) return absl::OkStatus();
  return FieldError(
      absl::StatusCode::kInvalidArgument, "request",
      absl::StrCat("is not an ", std::string(message->GetDescriptor()->full_name()), " message"));
}

absl::Status SerializeMessage(const google::protobuf::Message& message, grpc::ByteBuffer* bytes) {
  if (message.ByteSizeLong() > std::numeric_limits<int>::max())
    return absl::InternalError("the answer is too large to be sent");
  bytes->Clear();
  bool own = false;
  const grpc::Status done = Traits::Serialize(message, bytes, &own);
  return done.ok() ? absl::OkStatus() : absl::InternalError(done.error_message());
}

}  // namespace antiphon::server
