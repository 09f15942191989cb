#include "server/calls/dispatcher.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "server/calls/call.h"
#include "server/wire/status_map.h"

namespace antiphon::server {
namespace {

// Ends a call before anything of it has been read.
class Refusal final : public grpc::ServerGenericBidiReactor {
 public:
  explicit Refusal(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

}  // namespace

std::string PathOf(const std::string& package, const std::string& method) {
  return absl::StrCat("/", package, ".", absl::StrReplaceAll(method, {{".", "/"}}));
}

void Dispatcher::Add(const std::string& package, std::vector<Method> methods) {
  for (Method& method : methods) {
    std::string path = PathOf(package, method.name);
    methods_.emplace(std::move(path), std::move(method));
  }
}

grpc::ServerGenericBidiReactor* Dispatcher::CreateReactor(
    grpc::GenericCallbackServerContext* context) {
  const auto found = methods_.find(context->method());
  if (found != methods_.end()) return found->second.start(context);
  // One label for all of them: callers must not be able to make series.
  Call call(kUnknown, OriginOf(*context), gate_.metrics());
  const absl::Status unknown =
      CallerError(absl::StatusCode::kUnimplemented, "this server has no such method");
  return new Refusal(gate_.Close(call, unknown, {}));
}

}  // namespace antiphon::server
