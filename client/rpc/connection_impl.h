// Internal to connection.cc and connection_streams.cc.
#ifndef ANTIPHON_CLIENT_RPC_CONNECTION_IMPL_H_
#define ANTIPHON_CLIENT_RPC_CONNECTION_IMPL_H_

#include <memory>
#include <optional>
#include <utility>

#include "antiphon/v1/admin.grpc.pb.h"
#include "antiphon/v1/catalog.grpc.pb.h"
#include "antiphon/v1/retrieval.grpc.pb.h"
#include "client/rpc/caller.h"
#include "client/rpc/connection.h"

namespace antiphon::client {

struct Connection::Impl {
  Impl(const ConnectionOptions& options, Channel channel)
      : caller(options, std::move(channel)),
        retrieval(v1::Retrieval::NewStub(caller.channel())),
        catalog(v1::Catalog::NewStub(caller.channel())),
        admin(v1::Admin::NewStub(caller.channel())) {}

  const Caller caller;
  const std::unique_ptr<v1::Retrieval::Stub> retrieval;
  const std::unique_ptr<v1::Catalog::Stub> catalog;
  const std::unique_ptr<v1::Admin::Stub> admin;
  std::optional<v1::Limits> limits;
};

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_RPC_CONNECTION_IMPL_H_
