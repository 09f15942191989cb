#include <gtest/gtest.h>

#include "core/decoding/decoder.h"
#include "server/testing/server_fixture.h"

namespace antiphon::server {
namespace {

using grpc::StatusCode;

class CatalogServiceTest : public ServerFixture {
 protected:
  void SetUp() override { Start(); }

  grpc::Status List(const v1::ListPiecesRequest& request,
                    v1::ListPiecesResponse* response = nullptr) {
    grpc::ClientContext context;
    v1::ListPiecesResponse unused;
    return catalog_->ListPieces(&context, request, response ? response : &unused);
  }
  grpc::Status Get(const std::string& id, v1::GetPieceResponse* response = nullptr) {
    grpc::ClientContext context;
    v1::GetPieceRequest request;
    request.set_piece_id(id);
    v1::GetPieceResponse unused;
    return catalog_->GetPiece(&context, request, response ? response : &unused);
  }
  grpc::Status Snippet(const v1::GetSnippetRequest& request,
                       v1::GetSnippetResponse* response = nullptr) {
    grpc::ClientContext context;
    v1::GetSnippetResponse unused;
    return catalog_->GetSnippet(&context, request, response ? response : &unused);
  }
};

TEST_F(CatalogServiceTest, ListsPageByPage) {
  v1::ListPiecesRequest request;
  request.set_page_size(1);
  v1::ListPiecesResponse page;
  ASSERT_TRUE(List(request, &page).ok());
  ASSERT_EQ(page.pieces_size(), 1);
  EXPECT_EQ(page.pieces(0).id(), "p0");
  EXPECT_EQ(page.pieces(0).bars(), 3);
  EXPECT_EQ(page.total(), 2);
  EXPECT_EQ(page.generation(), 7);
  request.set_page_token(page.next_page_token());
  ASSERT_TRUE(List(request, &page).ok());
  EXPECT_EQ(page.pieces(0).id(), "p1");
  EXPECT_TRUE(page.next_page_token().empty());
}

TEST_F(CatalogServiceTest, ListChecksItsFields) {
  v1::ListPiecesRequest request;
  for (const int size : {0, -1, 1001}) {
    request.set_page_size(size);
    EXPECT_TRUE(Blames(List(request), StatusCode::INVALID_ARGUMENT, "page_size"));
  }
  request.clear_page_size();
  request.set_filter(std::string(201, 'a'));
  EXPECT_TRUE(Blames(List(request), StatusCode::INVALID_ARGUMENT, "filter"));
  request.set_filter("second");
  v1::ListPiecesResponse response;
  ASSERT_TRUE(List(request, &response).ok());
  EXPECT_EQ(response.total(), 1);
  request.set_page_token("forged");
  EXPECT_TRUE(Blames(List(request), StatusCode::INVALID_ARGUMENT, "page_token"));
}

TEST_F(CatalogServiceTest, RecordingsAreListedAndFoundLikePieces) {
  v1::ListRecordingsRequest request;
  request.set_page_size(1);
  v1::ListRecordingsResponse page;
  const auto list = [&] {
    return Ask(*catalog_, &v1::Catalog::Stub::ListRecordings, request, &page);
  };
  ASSERT_TRUE(list().ok());
  ASSERT_EQ(page.recordings_size(), 1);
  EXPECT_EQ(page.recordings(0).id(), "r0");
  EXPECT_EQ(page.recordings(0).collection(), "tapes");
  EXPECT_EQ(page.total(), 2);
  EXPECT_EQ(page.generation(), 7);
  request.set_page_token(page.next_page_token());
  ASSERT_TRUE(list().ok());
  EXPECT_EQ(page.recordings(0).id(), "r1");
  EXPECT_TRUE(page.next_page_token().empty());
  request.set_filter("first");
  EXPECT_TRUE(Blames(list(), StatusCode::INVALID_ARGUMENT, "page_token"));
  request.set_page_size(0);
  EXPECT_TRUE(Blames(list(), StatusCode::INVALID_ARGUMENT, "page_size"));

  v1::GetRecordingRequest get;
  v1::GetRecordingResponse response;
  EXPECT_TRUE(Blames(Ask(*catalog_, &v1::Catalog::Stub::GetRecording, get),
                     StatusCode::INVALID_ARGUMENT, "recording_id"));
  get.set_recording_id("r9");
  EXPECT_TRUE(Blames(Ask(*catalog_, &v1::Catalog::Stub::GetRecording, get), StatusCode::NOT_FOUND,
                     "recording_id"));
  get.set_recording_id("r1");
  ASSERT_TRUE(Ask(*catalog_, &v1::Catalog::Stub::GetRecording, get, &response).ok());
  EXPECT_EQ(response.recording().piece_id(), "p1");
  EXPECT_EQ(response.recording().duration_seconds(), 5);
  EXPECT_EQ(response.generation(), 7);
}

TEST_F(CatalogServiceTest, APageTokenEndsWithTheCollectionThatItWasFor) {
  v1::ListPiecesRequest request;
  request.set_page_size(1);
  v1::ListPiecesResponse page;
  ASSERT_TRUE(List(request, &page).ok());
  request.set_page_token(page.next_page_token());
  v1::DeletePieceRequest deletion;
  deletion.set_piece_id("p0");
  deletion.set_with_recordings(true);
  ASSERT_TRUE(Ask(*catalog_, &v1::Catalog::Stub::DeletePiece, deletion).ok());
  EXPECT_TRUE(Blames(List(request), StatusCode::INVALID_ARGUMENT, "page_token"));
}

TEST_F(CatalogServiceTest, APieceComesWithItsRecordings) {
  v1::GetPieceResponse response;
  ASSERT_TRUE(Get("p1", &response).ok());
  EXPECT_EQ(response.piece().title(), "Second Scale");
  ASSERT_EQ(response.recordings_size(), 1);
  EXPECT_EQ(response.recordings(0).id(), "r1");
  EXPECT_TRUE(Blames(Get("p9"), StatusCode::NOT_FOUND, "piece_id"));
  EXPECT_TRUE(Blames(Get(""), StatusCode::INVALID_ARGUMENT, "piece_id"));
}

TEST_F(CatalogServiceTest, SnippetOfAScoreIsMidi) {
  v1::GetSnippetRequest request;
  request.set_piece_id("p1");
  request.set_start_seconds(1);
  request.set_end_seconds(3);
  v1::GetSnippetResponse response;
  ASSERT_TRUE(Snippet(request, &response).ok());
  EXPECT_EQ(response.format(), v1::GetSnippetResponse::FORMAT_MIDI);
  EXPECT_EQ(response.start().beats(), 2);
  EXPECT_EQ(response.end().bar(), 3);
  const auto score = music::ReadMidi(response.content());
  ASSERT_TRUE(score.ok()) << score.status();
  EXPECT_EQ(score->notes.size(), 4u);
  request.clear_start_seconds();
  request.clear_end_seconds();
  ASSERT_TRUE(Snippet(request, &response).ok());
  EXPECT_EQ(music::ReadMidi(response.content())->notes.size(), 24u) << "the whole piece";
}

TEST_F(CatalogServiceTest, SnippetOfARecordingIsWavOfBoundedLength) {
  v1::GetSnippetRequest request;
  request.set_recording_id("r0");  // 100 s
  request.set_start_seconds(10);
  v1::GetSnippetResponse response;
  ASSERT_TRUE(Snippet(request, &response).ok());
  EXPECT_EQ(response.format(), v1::GetSnippetResponse::FORMAT_WAV);
  EXPECT_EQ(response.source().work_id(), "scale 0") << "that of its piece";
  EXPECT_NEAR(audio::DecodeMemory(response.content())->duration_s(), 60, 0.01);
  EXPECT_EQ(response.end().seconds(), 70);
  request.set_end_seconds(12);
  ASSERT_TRUE(Snippet(request, &response).ok());
  EXPECT_NEAR(audio::DecodeMemory(response.content())->duration_s(), 2, 0.01);
  request.set_end_seconds(71);
  EXPECT_TRUE(Blames(Snippet(request), StatusCode::INVALID_ARGUMENT, "end_seconds"));
}

TEST_F(CatalogServiceTest, SnippetChecksItsFields) {
  v1::GetSnippetRequest request;
  EXPECT_TRUE(Blames(Snippet(request), StatusCode::INVALID_ARGUMENT, "source"));
  request.set_recording_id("r9");
  EXPECT_TRUE(Blames(Snippet(request), StatusCode::NOT_FOUND, "recording_id"));
  request.set_piece_id("p9");
  EXPECT_TRUE(Blames(Snippet(request), StatusCode::NOT_FOUND, "piece_id"));
  request.set_piece_id("p0");  // 4 s
  for (const double start : {-0.1, 4.0, 1e300, std::nan("")}) {
    request.set_start_seconds(start);
    EXPECT_TRUE(Blames(Snippet(request), StatusCode::INVALID_ARGUMENT, "start_seconds")) << start;
  }
  request.set_start_seconds(1);
  for (const double end : {1.0, 0.5, std::nan("")}) {
    request.set_end_seconds(end);
    EXPECT_TRUE(Blames(Snippet(request), StatusCode::INVALID_ARGUMENT, "end_seconds")) << end;
  }
  request.set_end_seconds(INFINITY);
  EXPECT_TRUE(Snippet(request).ok()) << "an end beyond the piece is cut";
}

}  // namespace
}  // namespace antiphon::server
