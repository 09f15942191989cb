#include "client/rpc/channel.h"

#include <grpcpp/grpcpp.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/network_address.h"
#include "core/base/status_macros.h"

namespace antiphon::client {
namespace {

// The path of a Unix socket, or the name of an abstract one.
std::optional<absl::string_view> SocketPath(absl::string_view server) {
  for (const absl::string_view scheme : {"unix:", "unix-abstract:"}) {
    if (absl::ConsumePrefix(&server, scheme)) return server;
  }
  return std::nullopt;
}

bool IsThisMachine(const std::string& server) {
  if (SocketPath(server)) return true;
  const absl::StatusOr<HostPort> parsed = ParseHostPort(server);
  return parsed.ok() && IsLoopback(parsed->host);
}

absl::StatusOr<std::string> ReadFile(const char* option, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file)
    return absl::InvalidArgumentError(
        absl::StrCat(option, ": cannot read ", path, ": ", std::strerror(errno)));
  if (text.empty())
    return absl::InvalidArgumentError(absl::StrCat(option, ": ", path, " is empty"));
  return text;
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> CredentialsOf(
    const ConnectionOptions& options) {
  if (!options.encrypted()) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions ssl;
  const auto read = [](const char* option, const std::string& path,
                       std::string& text) -> absl::Status {
    if (path.empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(text, ReadFile(option, path));
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(read("--ca-file", options.ca_file, ssl.pem_root_certs));
  RETURN_IF_ERROR(read("--cert-file", options.cert_file, ssl.pem_cert_chain));
  RETURN_IF_ERROR(read("--key-file", options.key_file, ssl.pem_private_key));
  return grpc::SslCredentials(ssl);
}

absl::StatusOr<std::string> ApiKeyOf(const ConnectionOptions& options) {
  std::string key = options.api_key;
  if (!options.api_key_file.empty()) {
    ASSIGN_OR_RETURN(std::string text, ReadFile("--api-key-file", options.api_key_file));
    key = text.substr(0, text.find('\n'));
  }
  key = std::string(absl::StripAsciiWhitespace(key));
  for (const char c : key) {
    if (!absl::ascii_isgraph(static_cast<unsigned char>(c))) {
      return absl::InvalidArgumentError(
          absl::StrCat(options.api_key_file.empty() ? "ANTIPHON_API_KEY" : "--api-key-file",
                       ": the API key has characters in it that no key has"));
    }
  }
  if (key.empty() && !options.api_key_file.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--api-key-file: the first line of ", options.api_key_file, " is empty"));
  }
  if (!key.empty() && !options.encrypted() && !options.plaintext_key &&
      !IsThisMachine(options.server)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the API key would go to ", options.server,
                     " for everybody to read: use --tls (or --plaintext-key)"));
  }
  return key;
}

}  // namespace

absl::Status CheckServerAddress(const std::string& server) {
  if (const auto path = SocketPath(server)) return CheckSocketPath(*path);
  const absl::StatusOr<HostPort> parsed = ParseHostPort(server);
  if (!parsed.ok() && absl::StartsWith(server, "https://"))
    return absl::InvalidArgumentError(absl::StrCat(parsed.status().message(), " and --tls"));
  if (parsed.ok() && parsed->port == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", server, "' has port 0, on which no server is; its log says which port it has taken"));
  }
  return parsed.status();
}

absl::StatusOr<Channel> OpenChannel(const ConnectionOptions& options) {
  ASSIGN_OR_RETURN(auto credentials, CredentialsOf(options));
  ASSIGN_OR_RETURN(std::string key, ApiKeyOf(options));
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(
      -1);  // the server's limit is asked for and kept to when a query is made
  if (!options.server_name.empty()) arguments.SetSslTargetNameOverride(options.server_name);
  // A proxy from the environment is of no use on the way to this machine.
  if (IsThisMachine(options.server)) arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  if (options.own_connection) arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  Channel channel;
  channel.channel = grpc::CreateCustomChannel(options.server, credentials, arguments);
  if (!key.empty()) channel.metadata.emplace_back("authorization", absl::StrCat("Bearer ", key));
  if (!options.request_id.empty())
    channel.metadata.emplace_back("x-request-id", options.request_id);
  return channel;
}

}  // namespace antiphon::client
