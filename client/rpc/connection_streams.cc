#include <memory>
#include <string>
#include <thread>

#include "client/rpc/caller.h"
#include "client/rpc/connection.h"
#include "core/base/status_macros.h"

namespace antiphon::client {
namespace {

// What a feed is told when the server takes no more; why is known when the call ends.
absl::Status CallIsOver() { return absl::CancelledError("the call is over"); }

// A call that the watchdog has ended ran into the timeout.
absl::Status EndOf(const Caller& caller, const grpc::ClientContext& context,
                   const Watchdog& watchdog, const grpc::Status& status) {
  if (watchdog.barked()) {
    return caller.FailureOf(grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "no progress"),
                            context);
  }
  return caller.FailureOf(status, context);
}

// Sends all that the feed gives. The feed's own failure, if it has one, ends the call.
template <typename Request, typename Writer>
absl::Status SendAll(const Feed<Request>& feed, Writer& writer, grpc::ClientContext& context,
                     Watchdog& watchdog) {
  bool over = false;
  absl::Status status = feed([&](const Request& request) {
    watchdog.Wait();
    over = !writer.Write(request);
    watchdog.Rest();
    return over ? CallIsOver() : absl::OkStatus();
  });
  if (over) return absl::OkStatus();
  if (!status.ok()) {
    context.TryCancel();
    return status;
  }
  watchdog.Wait();
  writer.WritesDone();
  return absl::OkStatus();
}

// A bidirectional call: sends on a thread of its own, takes answers here.
template <typename Request, typename Response>
absl::Status Converse(const Caller& caller, grpc::ClientContext& context,
                      grpc::ClientReaderWriter<Request, Response>& stream,
                      const Feed<Request>& feed, const Take<Response>& take) {
  Watchdog watchdog(context, caller.options().timeout_s);
  absl::Status sent, taken;
  std::thread sender([&] { sent = SendAll(feed, stream, context, watchdog); });
  Response response;
  while (taken.ok() && stream.Read(&response)) {
    watchdog.Restart();
    taken = take(response);
  }
  if (!taken.ok()) context.TryCancel();
  sender.join();
  const grpc::Status status = stream.Finish();
  RETURN_IF_ERROR(taken);
  RETURN_IF_ERROR(sent);
  return EndOf(caller, context, watchdog, status);
}

// The options, and then the samples that the feed gives.
template <typename Request, typename Options>
Feed<Request> After(const Options& options, const Feed<std::string>& samples) {
  return [&options, &samples](const auto& send) {
    Request first;
    *first.mutable_options() = options;
    RETURN_IF_ERROR(send(first));
    return samples([&](const std::string& bytes) {
      Request next;
      next.set_samples(bytes);
      return send(next);
    });
  };
}

// A call with one answer, after all that the feed gives.
template <typename Request, typename Response>
absl::StatusOr<Response> Upload(const Caller& caller,
                                std::unique_ptr<grpc::ClientWriter<Request>> (
                                    v1::Retrieval::Stub::*method)(grpc::ClientContext*, Response*),
                                const Feed<Request>& feed) {
  grpc::ClientContext context;
  caller.Prepare(context);
  Response response;
  const auto writer = (caller.stub<v1::Retrieval::Stub>().*method)(&context, &response);
  Watchdog watchdog(context, caller.options().timeout_s);
  const absl::Status sent = SendAll(feed, *writer, context, watchdog);
  const grpc::Status status = writer->Finish();
  RETURN_IF_ERROR(sent);
  RETURN_IF_ERROR(EndOf(caller, context, watchdog, status));
  return response;
}

}  // namespace

absl::StatusOr<v1::IdentifyLongResponse> Connection::IdentifyLong(
    const v1::StreamOptions& options, const Feed<std::string>& samples) {
  return Upload(*caller_, &v1::Retrieval::Stub::IdentifyLong,
                After<v1::IdentifyStreamRequest>(options, samples));
}

absl::StatusOr<v1::AlignResponse> Connection::AlignLong(const v1::AlignStreamOptions& options,
                                                        const Feed<std::string>& samples) {
  return Upload(*caller_, &v1::Retrieval::Stub::AlignLong,
                After<v1::AlignStreamRequest>(options, samples));
}

absl::Status Connection::IdentifyLive(const v1::StreamOptions& options,
                                      const Feed<std::string>& samples,
                                      const Take<v1::IdentifyLiveResponse>& take) {
  grpc::ClientContext context;
  caller_->Prepare(context);
  const auto stream = caller_->stub<v1::Retrieval::Stub>().IdentifyLive(&context);
  return Converse(*caller_, context, *stream, After<v1::IdentifyStreamRequest>(options, samples),
                  take);
}

absl::Status Connection::Follow(const v1::FollowOptions& options, const Feed<std::string>& samples,
                                const Take<v1::FollowResponse>& take) {
  grpc::ClientContext context;
  caller_->Prepare(context);
  const auto stream = caller_->stub<v1::Retrieval::Stub>().Follow(&context);
  return Converse(*caller_, context, *stream, After<v1::FollowRequest>(options, samples), take);
}

absl::Status Connection::AddPieces(const Feed<v1::AddPieceRequest>& pieces,
                                   const Take<v1::AddPiecesResponse>& take) {
  grpc::ClientContext context;
  caller_->Prepare(context);
  const auto stream = caller_->stub<v1::Catalog::Stub>().AddPieces(&context);
  return Converse(*caller_, context, *stream, pieces, take);
}

}  // namespace antiphon::client
