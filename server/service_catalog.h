// antiphon.v1.Catalog: what is in the collection. Safe from any thread.
#ifndef ANTIPHON_SERVER_SERVICE_CATALOG_H_
#define ANTIPHON_SERVER_SERVICE_CATALOG_H_

#include "antiphon/v1/catalog.grpc.pb.h"
#include "server/call_runner.h"
#include "server/limits.h"
#include "server/store.h"

namespace antiphon::server {

class CatalogService final : public v1::Catalog::CallbackService {
 public:
  // `runner` and `store` are borrowed, and outlive every call.
  CatalogService(CallRunner& runner, Store& store, const Limits& limits);

  grpc::ServerUnaryReactor* ListPieces(grpc::CallbackServerContext* context, const v1::ListPiecesRequest* request,
                                       v1::ListPiecesResponse* response) override;
  grpc::ServerUnaryReactor* GetPiece(grpc::CallbackServerContext* context, const v1::GetPieceRequest* request,
                                     v1::GetPieceResponse* response) override;
  grpc::ServerUnaryReactor* GetSnippet(grpc::CallbackServerContext* context, const v1::GetSnippetRequest* request,
                                       v1::GetSnippetResponse* response) override;

 private:
  absl::Status DoListPieces(Call& call, const v1::ListPiecesRequest& request, v1::ListPiecesResponse* response) const;
  absl::Status DoGetPiece(Call& call, const v1::GetPieceRequest& request, v1::GetPieceResponse* response) const;
  absl::Status DoGetSnippet(Call& call, const v1::GetSnippetRequest& request, v1::GetSnippetResponse* response) const;
  absl::Status PieceSnippet(Call& call, const v1::GetSnippetRequest& request, v1::GetSnippetResponse* response) const;
  absl::Status RecordingSnippet(Call& call, const v1::GetSnippetRequest& request,
                                v1::GetSnippetResponse* response) const;

  CallRunner& runner_;
  Store& store_;
  const Limits limits_;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVICE_CATALOG_H_
