#include "server/runtime/listen_address.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/descriptor.h"
#include "core/base/network_address.h"
#include "core/base/status_macros.h"
#include "server/runtime/listening_sockets.h"

namespace antiphon::server {
namespace {

constexpr absl::string_view kUnix = "unix:";
constexpr absl::string_view kAbstract = "unix-abstract:";

absl::Status CannotListen(absl::string_view path, absl::string_view why) {
  return absl::UnavailableError(
      absl::StrCat("cannot listen on unix:", std::string(path), ": ", why));
}

absl::Status InUse(absl::string_view path) {
  return CannotListen(path, "another server listens there");
}

// Whether a server, or anything else, has the socket. A path that CheckSocketPath takes.
absl::Status CheckSocketIsFree(const std::string& path) {
  struct stat facts {};
  if (lstat(path.c_str(), &facts) != 0) {
    if (errno == ENOENT) return absl::OkStatus();
    return CannotListen(path, std::strerror(errno));
  }
  if (!S_ISSOCK(facts.st_mode))
    return CannotListen(path, "a file is there already, and it is no socket");
  ASSIGN_OR_RETURN(const UnixAddress address, ParseUnixAddress(absl::StrCat(kUnix, path)));
  const Descriptor probe(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!probe.open()) return CannotListen(path, std::strerror(errno));
  const int error = connect(probe.get(), address.get(), address.size) == 0 ? 0 : errno;
  if (error == ECONNREFUSED || error == ENOENT) return absl::OkStatus();  // nobody listens
  // EAGAIN: others wait to be let in already.
  if (error == 0 || error == EAGAIN) return InUse(path);
  return CannotListen(path, absl::StrCat("whether another server listens there cannot be told: ",
                                         std::strerror(error)));
}

// A locked descriptor of the file; Unavailable, without the path, when another has the lock.
absl::StatusOr<Descriptor> Lock(const std::string& path, absl::string_view socket_path) {
  while (true) {
    Descriptor lock(
        open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
    if (!lock.open())
      return CannotListen(socket_path, absl::StrCat(path, ": ", std::strerror(errno)));
    if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno == EWOULDBLOCK) return InUse(socket_path);
      return CannotListen(socket_path, absl::StrCat(path, ": ", std::strerror(errno)));
    }
    // Whoever had the lock before may have removed the file that we have locked.
    struct stat locked {
    }, there{};
    if (fstat(lock.get(), &locked) == 0 && stat(path.c_str(), &there) == 0 &&
        locked.st_dev == there.st_dev && locked.st_ino == there.st_ino) {
      return lock;
    }
  }
}

}  // namespace

absl::Status CheckListenAddress(absl::string_view address) {
  if (absl::StartsWith(address, kAbstract)) {
    const absl::string_view name = address.substr(kAbstract.size());
    return name.empty() ? absl::InvalidArgumentError(
                              "the name of the socket is empty; write unix-abstract:NAME")
                        : CheckSocketPath(name);
  }
  if (!absl::StartsWith(address, kUnix)) return CheckTcpListenAddress(address);
  const absl::string_view path = address.substr(kUnix.size());
  if (absl::StartsWith(path, "//") && !absl::StartsWith(path, "///")) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", absl::Utf8SafeCEscape(address),
                     "' names a host where a path begins; write unix:PATH or unix:///PATH"));
  }
  return CheckSocketPath(path);
}

absl::Status CheckTcpListenAddress(absl::string_view address) {
  if (address.rfind(':') == 0 || absl::StartsWith(address, "*:")) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", absl::Utf8SafeCEscape(address),
                     "' has no host; write 0.0.0.0:PORT or [::]:PORT for every address of this "
                     "machine, 127.0.0.1:PORT for this machine alone"));
  }
  return ParseHostPort(address).status();
}

bool IsLocalAddress(absl::string_view address) {
  if (absl::StartsWith(address, kUnix) || absl::StartsWith(address, kAbstract)) return true;
  const absl::StatusOr<HostPort> parsed = ParseHostPort(address);
  return parsed.ok() && IsLoopback(parsed->host);
}

absl::StatusOr<std::unique_ptr<SocketClaim>> SocketClaim::Take(absl::string_view address) {
  if (!absl::StartsWith(address, kUnix))
    return std::unique_ptr<SocketClaim>(new SocketClaim("", Descriptor()));
  RETURN_IF_ERROR(CheckListenAddress(address));
  const std::string path(address.substr(kUnix.size()));
  const std::string lock_path = path + ".lock";
  ASSIGN_OR_RETURN(Descriptor lock, Lock(lock_path, path));
  std::unique_ptr<SocketClaim> claim(new SocketClaim(lock_path, std::move(lock)));
  RETURN_IF_ERROR(CheckSocketIsFree(path));
  return claim;
}

SocketClaim::~SocketClaim() {
  if (!lock_.open()) return;
  unlink(lock_path_.c_str());  // while the lock is held: nobody else can have it
}

}  // namespace antiphon::server
