// What a fuzz target of the services is given: a method and the messages that it is called with.
//
// As bytes: the number of the method, modulo how many there are; then of a unary method the
// message, as on the wire, and of a streaming one each message behind its length (two bytes,
// little-endian; the last is cut where the input ends).
#ifndef ANTIPHON_TESTS_FUZZ_REQUEST_INPUT_H_
#define ANTIPHON_TESTS_FUZZ_REQUEST_INPUT_H_

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace antiphon::fuzz {

// Every method of every service of antiphon.v1, in an order that does not change.
const std::vector<const google::protobuf::MethodDescriptor*>& Methods();

// "/antiphon.v1.Retrieval/Identify"
std::string PathOf(const google::protobuf::MethodDescriptor& method);

std::unique_ptr<google::protobuf::Message> NewMessage(const google::protobuf::Descriptor* type);

struct RequestInput {
  const google::protobuf::MethodDescriptor* method = nullptr;
  std::vector<std::string> messages;  // of a unary method exactly one
};

RequestInput ParseInput(std::string_view bytes);
std::string ToBytes(const RequestInput& input);

// For seeds: `method` is its name, "Identify".
std::string InputFor(std::string_view method,
                     const std::vector<const google::protobuf::Message*>& messages);

}  // namespace antiphon::fuzz

#endif  // ANTIPHON_TESTS_FUZZ_REQUEST_INPUT_H_
