#include "tests/fuzz/call_service.h"

#include <google/protobuf/stubs/logging.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>

#include "antiphon/v1/types.pb.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/generic_stub.h"
#include "spdlog/spdlog.h"
#include "tests/fuzz/fuzz.h"

namespace antiphon::fuzz {
namespace {

constexpr std::chrono::seconds kDeadline(15);  // beyond it, the server hangs

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::string AsString(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  for (const grpc::Slice& slice : slices)
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

void RequireNumber(const FieldDescriptor& field, double value) {
  Require(std::isfinite(value), "numbers of a response are finite");
  for (const char* share : {"confidence", "probability", "agreement", "doubt"}) {
    if (field.name() == share)
      Require(value >= 0 && value <= 1, "a share or a probability is in [0, 1]");
  }
}

void RequireNumbers(const Message& message) {
  const auto& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const int size = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < size; ++i) {
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        RequireNumbers(field->is_repeated() ? reflection.GetRepeatedMessage(message, field, i)
                                            : reflection.GetMessage(message, field));
      } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
        RequireNumber(*field, field->is_repeated() ? reflection.GetRepeatedDouble(message, field, i)
                                                   : reflection.GetDouble(message, field));
      } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_FLOAT) {
        RequireNumber(*field, field->is_repeated() ? reflection.GetRepeatedFloat(message, field, i)
                                                   : reflection.GetFloat(message, field));
      }
    }
  }
}

bool AreMessages(const RequestInput& input) {
  for (const std::string& bytes : input.messages) {
    if (!NewMessage(input.method->input_type())->ParseFromString(bytes)) return false;
  }
  return true;
}

void RequireGoodError(const RequestInput& input, const grpc::Status& status) {
  const bool expected = [&] {
    switch (status.error_code()) {
      case grpc::StatusCode::INVALID_ARGUMENT:
      case grpc::StatusCode::RESOURCE_EXHAUSTED:
      case grpc::StatusCode::NOT_FOUND:
      case grpc::StatusCode::ALREADY_EXISTS:
      case grpc::StatusCode::ABORTED:
      case grpc::StatusCode::FAILED_PRECONDITION:
      case grpc::StatusCode::UNIMPLEMENTED:
        return true;
      default:
        return !AreMessages(
            input);  // gRPC refuses bytes that are no message before the service sees them
    }
  }();
  const auto require = [&](bool holds, const char* promise) {
    if (!holds) {
      std::fprintf(stderr, "%s: %d: %s\n", PathOf(*input.method).c_str(), status.error_code(),
                   status.error_message().c_str());
    }
    Require(holds, promise);
  };
  require(expected, "an error is the caller's to mend");
  if (!AreMessages(input)) return;
  require(!status.error_message().empty(), "an error says what is wrong");
  for (const char* part : {"/dev/shm", "/tmp", "/work", ".cc:", ".sqlite"}) {
    require(status.error_message().find(part) == std::string::npos, "an error carries no paths");
  }
  v1::ErrorStatus details;
  require(details.ParseFromString(status.error_details()), "the details of an error can be read");
  require(details.code() == status.error_code(), "the details of an error repeat its code");
  if (status.error_code() != grpc::StatusCode::INVALID_ARGUMENT) return;
  v1::ErrorDetail detail;
  require(
      details.details_size() > 0 && details.details(0).UnpackTo(&detail) && !detail.field().empty(),
      "an invalid argument is named");
}

}  // namespace

void SilenceLogs() {
  spdlog::set_level(spdlog::level::off);
  google::protobuf::SetLogHandler(nullptr);
}

Answer Call(const std::shared_ptr<grpc::Channel>& channel, const RequestInput& input) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareCall(&context, PathOf(*input.method), &queue);

  enum Tag : intptr_t { kStart = 1, kWrite, kRead, kFinish };
  const auto tag = [](Tag value) { return reinterpret_cast<void*>(value); };
  Answer answer;
  grpc::ByteBuffer response;
  size_t written = 0;
  const auto write = [&] {
    if (written > input.messages.size()) return;
    if (written == input.messages.size()) {
      call->WritesDone(tag(kWrite));
    } else {
      const grpc::Slice slice(input.messages[written]);
      call->Write(grpc::ByteBuffer(&slice, 1), tag(kWrite));
    }
    ++written;
  };
  call->StartCall(tag(kStart));
  void* event = nullptr;
  bool ok = false;
  int outstanding = 1;
  bool finishing = false;
  while (outstanding > 0 && queue.Next(&event, &ok)) {
    --outstanding;
    switch (static_cast<Tag>(reinterpret_cast<intptr_t>(event))) {
      case kStart:
        call->Read(&response, tag(kRead));
        ++outstanding;
        if (ok) write(), ++outstanding;
        break;
      case kWrite:
        if (ok && written <= input.messages.size()) write(), ++outstanding;
        break;
      case kRead:
        if (ok) {
          answer.responses.push_back(AsString(response));
          call->Read(&response, tag(kRead));
          ++outstanding;
        } else if (!finishing) {
          finishing = true;
          call->Finish(&answer.status, tag(kFinish));
          ++outstanding;
        }
        break;
      case kFinish:
        break;
    }
  }
  queue.Shutdown();
  while (queue.Next(&event, &ok)) {
  }
  return answer;
}

void RequirePromises(const RequestInput& input, const Answer& answer) {
  for (const std::string& bytes : answer.responses) {
    const auto response = NewMessage(input.method->output_type());
    Require(response->ParseFromString(bytes), "a response is a message");
    RequireNumbers(*response);
  }
  if (!answer.status.ok()) RequireGoodError(input, answer.status);
}

}  // namespace antiphon::fuzz
