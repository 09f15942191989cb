// Mutates requests as what they are: fields get values at and beyond their limits, lists grow and
// shrink, files and samples change by bytes. Half of the time the input changes as any bytes do, so
// that what is no message is tried, too.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <random>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/request_input.h"

// libFuzzer's own mutation.
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace antiphon::fuzz {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Random = std::minstd_rand;

size_t Below(Random& random, size_t limit) {
  return std::uniform_int_distribution<size_t>(0, limit - 1)(random);
}

int64_t SomeInteger(Random& random) {
  constexpr int64_t kValues[] = {0,
                                 1,
                                 -1,
                                 2,
                                 10,
                                 20,
                                 21,
                                 50,
                                 100,
                                 101,
                                 999,
                                 1000,
                                 1001,
                                 8000,
                                 22050,
                                 44100,
                                 48000,
                                 96000,
                                 0x7fffffff,
                                 -0x80000000LL,
                                 0x100000000LL,
                                 INT64_MAX,
                                 INT64_MIN,
                                 8};
  return kValues[Below(random, std::size(kValues))];
}

double SomeReal(Random& random) {
  const double values[] = {0,      -0.0,   1,         -1,  0.05,     0.049,    0.25, 0.5,
                           0.75,   2,      4,         60,  60.1,     1e-9,     1e9,  1e300,
                           -1e300, 5e-324, 1.0000001, NAN, INFINITY, -INFINITY};
  return values[Below(random, std::size(values))];
}

std::string SomeText(Random& random) {
  // Ids that the stores of the targets know, and text that is none.
  const std::string values[] = {"",
                                "p0",
                                "p1",
                                "r0",
                                "r1",
                                "piece-0",
                                "recording-0",
                                "Anon",
                                "\xff\xfe",
                                "../x",
                                "a\0b",
                                std::string(4001, 'x'),
                                std::string(201, 'i')};
  return values[Below(random, std::size(values))];
}

std::string Mutated(const std::string& bytes, size_t room) {
  std::string changed = bytes;
  changed.resize(bytes.size() + std::min<size_t>(room, 64));
  changed.resize(
      LLVMFuzzerMutate(reinterpret_cast<uint8_t*>(changed.data()), bytes.size(), changed.size()));
  return changed;
}

void MutateMessage(Message& message, Random& random, size_t room);

void SetValue(Message& message, const FieldDescriptor* field, Random& random, size_t room) {
  const Reflection& reflection = *message.GetReflection();
  const bool add = field->is_repeated();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32: {
      const auto value = static_cast<int32_t>(SomeInteger(random));
      add ? reflection.AddInt32(&message, field, value)
          : reflection.SetInt32(&message, field, value);
      break;
    }
    case FieldDescriptor::CPPTYPE_INT64:
      add ? reflection.AddInt64(&message, field, SomeInteger(random))
          : reflection.SetInt64(&message, field, SomeInteger(random));
      break;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      add ? reflection.AddDouble(&message, field, SomeReal(random))
          : reflection.SetDouble(&message, field, SomeReal(random));
      break;
    case FieldDescriptor::CPPTYPE_BOOL:
      if (!add) reflection.SetBool(&message, field, !reflection.GetBool(message, field));
      break;
    case FieldDescriptor::CPPTYPE_ENUM:
      if (!add) reflection.SetEnumValue(&message, field, static_cast<int>(Below(random, 6)));
      break;
    case FieldDescriptor::CPPTYPE_STRING: {
      const bool known = Below(random, 3) == 0;
      if (add) {
        reflection.AddString(&message, field, SomeText(random));
      } else {
        const std::string before = reflection.GetString(message, field);
        reflection.SetString(&message, field,
                             known || before.empty() ? SomeText(random) : Mutated(before, room));
      }
      break;
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      MutateMessage(add ? *reflection.AddMessage(&message, field)
                        : *reflection.MutableMessage(&message, field),
                    random, room);
      break;
    default:
      break;  // the API has no others
  }
}

void MutateList(Message& message, const FieldDescriptor* field, Random& random, size_t room) {
  const Reflection& reflection = *message.GetReflection();
  const int size = reflection.FieldSize(message, field);
  const bool messages = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  switch (Below(random, 5)) {
    case 0:
      if (size > 0) reflection.RemoveLast(&message, field);
      break;
    case 1:
      if (size > 0 && messages) {
        MutateMessage(*reflection.MutableRepeatedMessage(&message, field,
                                                         static_cast<int>(Below(random, size))),
                      random, room);
      }
      break;
    case 2:  // more than is allowed
      for (size_t n = Below(random, 1100); n > 0; --n) {
        messages ? static_cast<void>(reflection.AddMessage(&message, field))
                 : SetValue(message, field, random, 0);
      }
      break;
    default:
      SetValue(message, field, random, room);
  }
}

void MutateMessage(Message& message, Random& random, size_t room) {
  const auto* type = message.GetDescriptor();
  if (type->field_count() == 0) return;
  const Reflection& reflection = *message.GetReflection();
  // What is set twice as often as what is not.
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (int i = 0; i < type->field_count(); ++i) fields.push_back(type->field(i));
  const FieldDescriptor* field = fields[Below(random, fields.size())];
  if (Below(random, 8) == 0) {
    reflection.ClearField(&message, field);
  } else if (field->is_repeated()) {
    MutateList(message, field, random, room);
  } else {
    SetValue(message, field, random, room);
  }
}

void Mutate(RequestInput& input, Random& random, size_t room) {
  if (input.method->client_streaming()) {
    const size_t what = input.messages.empty() ? 0 : Below(random, 8);
    if (what == 0) input.messages.emplace_back();
    if (what == 1)
      input.messages.erase(input.messages.begin() + Below(random, input.messages.size()));
    if (what == 2) input.messages.push_back(input.messages[Below(random, input.messages.size())]);
    if (what <= 2) return;
  }
  std::string& bytes = input.messages[Below(random, input.messages.size())];
  const auto message = NewMessage(input.method->input_type());
  message->ParsePartialFromString(bytes);
  for (size_t changes = 1 + Below(random, 3); changes > 0; --changes)
    MutateMessage(*message, random, room);
  bytes = message->SerializePartialAsString();
}

}  // namespace
}  // namespace antiphon::fuzz

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  antiphon::fuzz::Random random(seed);
  if (antiphon::fuzz::Below(random, 2) == 0) return LLVMFuzzerMutate(data, size, max_size);
  antiphon::fuzz::RequestInput input =
      antiphon::fuzz::ParseInput(antiphon::fuzz::AsText(data, size));
  antiphon::fuzz::Mutate(input, random, max_size > size ? max_size - size : 0);
  const std::string bytes = antiphon::fuzz::ToBytes(input);
  if (bytes.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::copy(bytes.begin(), bytes.end(), data);
  return bytes.size();
}
