#include "tests/fuzz/request_input.h"

#include <algorithm>

#include "antiphon/v1/admin.pb.h"
#include "antiphon/v1/catalog.pb.h"
#include "antiphon/v1/retrieval.pb.h"
#include "tests/fuzz/fuzz.h"

namespace antiphon::fuzz {
namespace {

using google::protobuf::MethodDescriptor;

bool IsStream(const MethodDescriptor& method) { return method.client_streaming(); }

}  // namespace

const std::vector<const MethodDescriptor*>& Methods() {
  static const std::vector<const MethodDescriptor*> methods = [] {
    std::vector<const MethodDescriptor*> found;
    for (const auto* file :
         {v1::IdentifyRequest::descriptor()->file(), v1::AddPieceRequest::descriptor()->file(),
          v1::StatusRequest::descriptor()->file()}) {
      for (int s = 0; s < file->service_count(); ++s) {
        for (int m = 0; m < file->service(s)->method_count(); ++m)
          found.push_back(file->service(s)->method(m));
      }
    }
    return found;
  }();
  return methods;
}

std::string PathOf(const MethodDescriptor& method) {
  return "/" + method.service()->full_name() + "/" + method.name();
}

std::unique_ptr<google::protobuf::Message> NewMessage(const google::protobuf::Descriptor* type) {
  const auto* prototype = google::protobuf::MessageFactory::generated_factory()->GetPrototype(type);
  return std::unique_ptr<google::protobuf::Message>(prototype->New());
}

RequestInput ParseInput(std::string_view bytes) {
  RequestInput input;
  const auto number = bytes.empty() ? 0 : static_cast<uint8_t>(bytes[0]);
  input.method = Methods()[number % Methods().size()];
  if (!bytes.empty()) bytes.remove_prefix(1);
  if (!IsStream(*input.method)) {
    input.messages.emplace_back(bytes);
    return input;
  }
  while (bytes.size() >= 2) {
    const size_t length =
        static_cast<uint8_t>(bytes[0]) | static_cast<size_t>(static_cast<uint8_t>(bytes[1])) << 8;
    input.messages.emplace_back(bytes.substr(2, length));
    bytes.remove_prefix(std::min(bytes.size(), length + 2));
  }
  return input;
}

std::string ToBytes(const RequestInput& input) {
  const auto found = std::find(Methods().begin(), Methods().end(), input.method);
  std::string bytes(1, static_cast<char>(found - Methods().begin()));
  for (const std::string& message : input.messages) {
    const size_t length = std::min<size_t>(message.size(), 0xffff);
    if (IsStream(*input.method)) {
      bytes += static_cast<char>(length & 0xff);
      bytes += static_cast<char>(length >> 8);
      bytes.append(message, 0, length);
    } else {
      bytes += message;
    }
  }
  return bytes;
}

std::string InputFor(std::string_view method,
                     const std::vector<const google::protobuf::Message*>& messages) {
  RequestInput input;
  for (const MethodDescriptor* known : Methods()) {
    if (known->name() == method) input.method = known;
  }
  Require(input.method != nullptr, "the method of a seed is in the API");
  for (const auto* message : messages) input.messages.push_back(message->SerializeAsString());
  return ToBytes(input);
}

}  // namespace antiphon::fuzz
