// The calls that the program makes, over one gRPC channel.
//
// Used by one thread, apart from Call, which several may use at once. Every call blocks until the
// answer, the failure or the timeout; failures are those of FromGrpc (rpc_status.h). Calls that
// change nothing are made again when the server says when. The channel is opened by the first call.
#ifndef ANTIPHON_CLIENT_RPC_CONNECTION_H_
#define ANTIPHON_CLIENT_RPC_CONNECTION_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "antiphon/v1/admin.pb.h"
#include "antiphon/v1/catalog.pb.h"
#include "antiphon/v1/retrieval.pb.h"
#include "client/rpc/connection_options.h"
#include "client/rpc/methods.h"

namespace antiphon::client {

// The source of the messages of a streaming call: calls `send` with one part after the other, and
// returns when there are no more. A failure of `send` means that the call is over, and is to be
// returned; any other failure ends the call.
template <typename Part>
using Feed = std::function<absl::Status(const std::function<absl::Status(const Part&)>& send)>;

// The receiver of the answers of a streaming call, as they come. A failure ends the call.
template <typename Answer>
using Take = std::function<absl::Status(const Answer&)>;

class Connection {
 public:
  // Fails as OpenChannel does.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Connection>> Open(
      const ConnectionOptions& options);
  ~Connection();

  // Makes a unary call: Call(kGetPiece, request).
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(Method<Request, Response> method, const Request& request) {
    return method(*caller_, request);
  }

  // Streams. The timeout holds for each wait for the server, not for the whole. The feeds of those
  // with a `take` run on a thread of their own, `take` on the caller's.
  absl::StatusOr<v1::IdentifyLongResponse> IdentifyLong(const v1::StreamOptions& options,
                                                        const Feed<std::string>& samples);
  absl::Status IdentifyLive(const v1::StreamOptions& options, const Feed<std::string>& samples,
                            const Take<v1::IdentifyLiveResponse>& take);
  absl::StatusOr<v1::AlignResponse> AlignLong(const v1::AlignStreamOptions& options,
                                              const Feed<std::string>& samples);
  absl::Status Follow(const v1::FollowOptions& options, const Feed<std::string>& samples,
                      const Take<v1::FollowResponse>& take);
  absl::Status AddPieces(const Feed<v1::AddPieceRequest>& pieces,
                         const Take<v1::AddPiecesResponse>& take);

  // The limits of the server; asked for once.
  absl::StatusOr<v1::Limits> Limits();

  const std::string& server() const;

 private:
  explicit Connection(std::unique_ptr<const Caller> caller);

  const std::unique_ptr<const Caller> caller_;
  std::optional<v1::Limits> limits_;
};

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_RPC_CONNECTION_H_
