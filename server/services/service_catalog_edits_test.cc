#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "core/base/error_reason.h"
#include "server/testing/server_fixture.h"

namespace antiphon::server {
namespace {

using grpc::StatusCode;
using ::testing::HasSubstr;
using ::testing::Not;
using Stub = v1::Catalog::Stub;

class CatalogEditsTest : public ServerFixture {
 protected:
  void SetUp() override { Start(); }

  static v1::AddPieceRequest NewPiece(const std::string& id, int notes = 6) {
    v1::AddPieceRequest request;
    request.mutable_piece()->set_id(id);
    request.mutable_score()->set_midi(MidiBytes(notes));
    return request;
  }
  static v1::AddRecordingRequest NewRecording(const std::string& id, const std::string& piece_id) {
    v1::AddRecordingRequest request;
    request.mutable_recording()->set_id(id);
    request.mutable_recording()->set_piece_id(piece_id);
    request.set_audio_file(WavFile(3));
    return request;
  }
  grpc::Status Add(const v1::AddPieceRequest& request, v1::AddPieceResponse* response = nullptr) {
    return Ask(*catalog_, &Stub::AddPiece, request, response);
  }
  grpc::Status Add(const v1::AddRecordingRequest& request,
                   v1::AddRecordingResponse* response = nullptr) {
    return Ask(*catalog_, &Stub::AddRecording, request, response);
  }
  grpc::Status Update(const v1::UpdatePieceRequest& request,
                      v1::UpdatePieceResponse* response = nullptr) {
    return Ask(*catalog_, &Stub::UpdatePiece, request, response);
  }
  grpc::Status Update(const v1::UpdateRecordingRequest& request,
                      v1::UpdateRecordingResponse* response = nullptr) {
    return Ask(*catalog_, &Stub::UpdateRecording, request, response);
  }
  grpc::Status Delete(const v1::DeletePieceRequest& request,
                      v1::DeletePieceResponse* response = nullptr) {
    return Ask(*catalog_, &Stub::DeletePiece, request, response);
  }
  grpc::Status Delete(const v1::DeleteRecordingRequest& request,
                      v1::DeleteRecordingResponse* response = nullptr) {
    return Ask(*catalog_, &Stub::DeleteRecording, request, response);
  }
  v1::GetPieceResponse GetWithFile(const std::string& id) {
    v1::GetPieceRequest request;
    request.set_piece_id(id);
    request.set_include_file(true);
    v1::GetPieceResponse response;
    EXPECT_TRUE(Ask(*catalog_, &Stub::GetPiece, request, &response).ok());
    return response;
  }
  // What GetPiece says; a piece without id when it is not there.
  v1::Piece Piece(const std::string& id) {
    v1::GetPieceRequest request;
    request.set_piece_id(id);
    v1::GetPieceResponse response;
    Ask(*catalog_, &Stub::GetPiece, request, &response);
    return response.piece();
  }
};

TEST_F(CatalogEditsTest, AScoreIsHandedBackAsItWasGiven) {
  const std::string abc = "X:1\nT:Air\nM:3/4\nL:1/4\nK:C\nCDE|FGA|]\n";
  v1::AddPieceRequest request = NewPiece("air");
  request.mutable_score()->clear_midi();
  request.mutable_score()->set_file(abc);
  v1::AddPieceResponse added;
  ASSERT_TRUE(Add(request, &added).ok());
  EXPECT_EQ(added.piece().notes(), 6);
  const v1::GetPieceResponse response = GetWithFile("air");
  EXPECT_EQ(response.file(), abc);
  EXPECT_EQ(response.score_format(), v1::SCORE_FORMAT_ABC);
  v1::UpdatePieceRequest update;
  update.set_piece_id("air");
  update.mutable_score()->set_midi(MidiBytes(5));
  ASSERT_TRUE(Update(update).ok());
  EXPECT_EQ(GetWithFile("air").file(), MidiBytes(5));
  EXPECT_EQ(GetWithFile("air").score_format(), v1::SCORE_FORMAT_MIDI);
}

TEST_F(CatalogEditsTest, APieceThatWasAddedIsThere) {
  v1::AddPieceRequest request = NewPiece("new");
  request.mutable_piece()->set_title("Neues Stück");
  request.mutable_piece()->set_composer("Anna");
  request.mutable_piece()->set_collection("summer");
  request.mutable_piece()->set_work_id("Op. 9 Nr. 2");
  request.mutable_piece()->set_with_parts(true);
  v1::AddPieceResponse response;
  const grpc::Status status = Add(request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.piece().notes(), 6);
  EXPECT_EQ(response.piece().duration_seconds(), 3);
  EXPECT_EQ(response.piece().version(), 1);
  const v1::Piece piece = Piece("new");
  EXPECT_EQ(piece.SerializeAsString(), response.piece().SerializeAsString());
  EXPECT_EQ(piece.title(), "Neues Stück");
  EXPECT_EQ(piece.composer(), "Anna");
  EXPECT_EQ(piece.collection(), "summer");
  EXPECT_EQ(piece.work_id(), "Op. 9 Nr. 2");
  EXPECT_TRUE(piece.with_parts());
}

TEST_F(CatalogEditsTest, AnEmptyTitleTakesTheId) {
  v1::AddPieceResponse piece;
  ASSERT_TRUE(Add(NewPiece("new"), &piece).ok());
  EXPECT_EQ(piece.piece().title(), "new");
  v1::AddRecordingResponse recording;
  ASSERT_TRUE(Add(NewRecording("take", "new"), &recording).ok());
  EXPECT_EQ(recording.recording().title(), "take");
  v1::UpdatePieceRequest update;
  update.set_piece_id("p0");
  update.set_title("");
  ASSERT_TRUE(Update(update).ok());
  EXPECT_EQ(Piece("p0").title(), "p0");
}

TEST_F(CatalogEditsTest, WhatIsWrongWithANewPieceIsNamed) {
  const auto status_of = [&](auto change) {
    v1::AddPieceRequest request = NewPiece("new");
    change(request);
    return Add(request);
  };
  const auto bad = StatusCode::INVALID_ARGUMENT;
  EXPECT_TRUE(Blames(status_of([](auto& r) { r.clear_piece(); }), bad, "piece"));
  EXPECT_TRUE(Blames(status_of([](auto& r) { r.mutable_piece()->clear_id(); }), bad, "piece.id"));
  EXPECT_TRUE(Blames(status_of([](auto& r) { r.mutable_piece()->set_id(std::string(201, 'x')); }),
                     bad, "piece.id"));
  EXPECT_TRUE(Blames(status_of([](auto& r) { r.mutable_piece()->set_id(std::string("a\0b", 3)); }),
                     bad, "piece.id"));
  EXPECT_TRUE(
      Blames(status_of([](auto& r) { r.mutable_piece()->set_title(std::string(4001, 'x')); }), bad,
             "piece.title"));
  EXPECT_TRUE(
      Blames(status_of([](auto& r) { r.mutable_piece()->set_composer(std::string(4001, 'x')); }),
             bad, "piece.composer"));
  EXPECT_TRUE(
      Blames(status_of([](auto& r) { r.mutable_piece()->set_collection(std::string(201, 'x')); }),
             bad, "piece.collection"));
  for (const std::string& wrong : {std::string(201, 'x'), std::string("a\0b", 3)}) {
    EXPECT_TRUE(Blames(status_of([&](auto& r) { r.mutable_piece()->set_work_id(wrong); }), bad,
                       "piece.work_id"));
  }
  EXPECT_TRUE(Blames(status_of([](auto& r) { r.clear_score(); }), bad, "score"));
  EXPECT_TRUE(
      Blames(status_of([](auto& r) { r.mutable_score()->set_midi("MThd"); }), bad, "score.midi"));
  EXPECT_TRUE(Blames(status_of([](auto& r) { r.mutable_score()->set_midi(MidiBytes(0)); }), bad,
                     "score.midi"))
      << "no notes: the store refuses it";
  EXPECT_TRUE(Blames(status_of([](auto& r) {
                       r.mutable_score()->clear_midi();
                       r.mutable_score()->set_file(MidiBytes(0));
                     }),
                     bad, "score.file"));
  EXPECT_TRUE(Blames(
      status_of([](auto& r) { r.mutable_score()->set_midi("MThd" + std::string(9 << 20, '\0')); }),
      StatusCode::RESOURCE_EXHAUSTED, "score.midi"));
  EXPECT_TRUE(Blames(status_of([](auto& r) { r.mutable_piece()->set_id("p0"); }),
                     StatusCode::ALREADY_EXISTS, "piece.id"));
  EXPECT_EQ(store_.durable, 0);
}

TEST_F(CatalogEditsTest, WhatIsWrongWithANewRecordingIsNamed) {
  const auto status_of = [&](auto change) {
    v1::AddRecordingRequest request = NewRecording("new", "p0");
    change(request);
    return Add(request);
  };
  const auto bad = StatusCode::INVALID_ARGUMENT;
  EXPECT_TRUE(Blames(status_of([](auto& r) { r.clear_recording(); }), bad, "recording"));
  EXPECT_TRUE(
      Blames(status_of([](auto& r) { r.mutable_recording()->clear_id(); }), bad, "recording.id"));
  EXPECT_TRUE(
      Blames(status_of([](auto& r) { r.mutable_recording()->set_title(std::string(4001, 'x')); }),
             bad, "recording.title"));
  EXPECT_TRUE(
      Blames(status_of([](auto& r) { r.mutable_recording()->set_piece_id(std::string(201, 'x')); }),
             bad, "recording.piece_id"));
  EXPECT_TRUE(Blames(status_of([](auto& r) { r.clear_audio_file(); }), bad, "audio_file"));
  EXPECT_TRUE(Blames(status_of([](auto& r) { r.set_audio_file("hello"); }), bad, "audio_file"));
  EXPECT_TRUE(Blames(status_of([](auto& r) { r.mutable_recording()->set_id("r0"); }),
                     StatusCode::ALREADY_EXISTS, "recording.id"));
  EXPECT_TRUE(Blames(status_of([](auto& r) { r.mutable_recording()->set_piece_id("p9"); }),
                     StatusCode::NOT_FOUND, "recording.piece_id"));
  EXPECT_EQ(store_.durable, 0);
  EXPECT_TRUE(status_of([](auto& r) { r.mutable_recording()->clear_piece_id(); }).ok())
      << "of no piece";
}

TEST_F(CatalogEditsTest, ARecordingBeyondTheLimitsIsRefusedBeforeItIsEmbedded) {
  server_.reset();
  config_.limits.max_audio_s = 2;
  Start();
  EXPECT_TRUE(Blames(Add(NewRecording("new", "p0")), StatusCode::RESOURCE_EXHAUSTED, "audio_file"));
  v1::UpdateRecordingRequest update;
  update.set_recording_id("r0");
  update.set_audio_file(WavFile(3));
  EXPECT_TRUE(Blames(Update(update), StatusCode::RESOURCE_EXHAUSTED, "audio_file"));
  EXPECT_EQ(store_.embedded, 0);
}

TEST_F(CatalogEditsTest, ADamagedRecordingIsSaidToBeAndAMostlyLostOneIsRefused) {
  // The header says 8 s.
  const std::string wav = WavFile(8);
  v1::AddRecordingRequest request = NewRecording("damaged", "p0");
  request.set_audio_file(wav.substr(0, wav.size() * 3 / 4));
  v1::AddRecordingResponse response;
  ASSERT_TRUE(Add(request, &response).ok());
  ASSERT_EQ(response.warnings_size(), 1);
  EXPECT_EQ(response.warnings(0).field(), "audio_file");
  EXPECT_THAT(response.warnings(0).message(), ::testing::HasSubstr("2.0 s of the sound"));

  const std::string lost = wav.substr(0, wav.size() / 4);
  request = NewRecording("lost", "p0");
  request.set_audio_file(lost);
  EXPECT_TRUE(Blames(Add(request), StatusCode::FAILED_PRECONDITION, "audio_file"));
  v1::UpdateRecordingRequest update;
  update.set_recording_id("r0");
  update.set_audio_file(lost);
  EXPECT_TRUE(Blames(Update(update), StatusCode::FAILED_PRECONDITION, "audio_file"));
  request.set_accept_damaged(true);
  ASSERT_TRUE(Add(request, &response).ok());
  EXPECT_EQ(response.warnings_size(), 1);
  update.set_accept_damaged(true);
  v1::UpdateRecordingResponse updated;
  ASSERT_TRUE(Update(update, &updated).ok());
  EXPECT_EQ(updated.warnings_size(), 1);
}

TEST_F(CatalogEditsTest, AnUpdateChangesWhatItNames) {
  v1::UpdatePieceRequest request;
  request.set_piece_id("p1");
  request.set_composer("Clara");
  v1::UpdatePieceResponse response;
  ASSERT_TRUE(Update(request, &response).ok());
  EXPECT_EQ(response.piece().composer(), "Clara");
  EXPECT_EQ(response.piece().title(), "Second Scale");
  EXPECT_EQ(response.piece().collection(), "exercises");
  EXPECT_EQ(response.piece().work_id(), "scale 1");
  EXPECT_EQ(response.piece().notes(), 24);
  EXPECT_EQ(response.piece().version(), 1);
  request.Clear();
  request.set_piece_id("p1");
  request.set_collection("");
  request.mutable_score()->set_midi(MidiBytes(9));
  ASSERT_TRUE(Update(request, &response).ok());
  EXPECT_EQ(response.piece().notes(), 9);
  EXPECT_EQ(response.piece().collection(), "");
  EXPECT_EQ(response.piece().composer(), "Clara");
  EXPECT_EQ(response.piece().work_id(), "scale 1");
  EXPECT_EQ(response.piece().version(), 2);
  request.Clear();
  request.set_piece_id("p1");
  request.set_work_id("all scales");
  ASSERT_TRUE(Update(request, &response).ok());
  EXPECT_EQ(response.piece().work_id(), "all scales");
  EXPECT_EQ(response.piece().composer(), "Clara");
  EXPECT_FALSE(response.piece().with_parts());
  request.set_with_parts(true);
  ASSERT_TRUE(Update(request, &response).ok());
  EXPECT_TRUE(response.piece().with_parts());
  request.clear_with_parts();
  request.set_work_id("");
  ASSERT_TRUE(Update(request, &response).ok());
  EXPECT_TRUE(Piece("p1").with_parts()) << "left out: stays";
  EXPECT_EQ(response.piece().work_id(), "");
  EXPECT_EQ(Piece("p1").work_id(), "");

  v1::UpdateRecordingRequest of_recording;
  of_recording.set_recording_id("r1");
  of_recording.set_piece_id("p0");
  of_recording.set_audio_file(WavFile(3));
  v1::UpdateRecordingResponse recording;
  ASSERT_TRUE(Update(of_recording, &recording).ok());
  EXPECT_EQ(recording.recording().piece_id(), "p0");
  EXPECT_EQ(recording.recording().duration_seconds(), 3);
  EXPECT_EQ(recording.recording().title(), "Second Scale");
}

TEST_F(CatalogEditsTest, WhatIsWrongWithAnUpdateIsNamed) {
  const auto bad = StatusCode::INVALID_ARGUMENT;
  v1::UpdatePieceRequest piece;
  EXPECT_TRUE(Blames(Update(piece), bad, "piece_id"));
  piece.set_piece_id("p9");
  EXPECT_TRUE(Blames(Update(piece), StatusCode::NOT_FOUND, "piece_id"));
  piece.set_piece_id("p0");
  piece.set_title(std::string(4001, 'x'));
  EXPECT_TRUE(Blames(Update(piece), bad, "title"));
  piece.clear_title();
  piece.set_work_id(std::string(201, 'x'));
  EXPECT_TRUE(Blames(Update(piece), bad, "work_id"));
  piece.clear_work_id();
  piece.mutable_score();
  EXPECT_TRUE(Blames(Update(piece), bad, "score.midi"));

  v1::UpdateRecordingRequest recording;
  EXPECT_TRUE(Blames(Update(recording), bad, "recording_id"));
  recording.set_recording_id("r9");
  EXPECT_TRUE(Blames(Update(recording), StatusCode::NOT_FOUND, "recording_id"));
  recording.set_recording_id("r0");
  recording.set_piece_id("p9");
  EXPECT_TRUE(Blames(Update(recording), StatusCode::NOT_FOUND, "piece_id"));
  recording.set_audio_file("");
  EXPECT_TRUE(Blames(Update(recording), bad, "audio_file"));
  EXPECT_EQ(store_.durable, 0);
}

TEST_F(CatalogEditsTest, AnEditOfAnotherVersionIsAborted) {
  v1::UpdatePieceRequest update;
  update.set_piece_id("p0");
  update.set_title("Mine");
  update.set_expected_version(0);
  v1::UpdatePieceResponse response;
  ASSERT_TRUE(Update(update, &response).ok());
  update.set_title("Yours");
  EXPECT_TRUE(Blames(Update(update), StatusCode::ABORTED, "expected_version"));
  EXPECT_EQ(Piece("p0").title(), "Mine");
  update.set_expected_version(response.piece().version());
  EXPECT_TRUE(Update(update).ok());

  v1::DeletePieceRequest deletion;
  deletion.set_piece_id("p0");
  deletion.set_expected_version(response.piece().version());
  EXPECT_TRUE(Blames(Delete(deletion), StatusCode::ABORTED, "expected_version"));
  v1::UpdateRecordingRequest of_recording;
  of_recording.set_recording_id("r0");
  of_recording.set_expected_version(9);
  EXPECT_TRUE(Blames(Update(of_recording), StatusCode::ABORTED, "expected_version"));
  v1::DeleteRecordingRequest recording;
  recording.set_recording_id("r0");
  recording.set_expected_version(9);
  EXPECT_TRUE(Blames(Delete(recording), StatusCode::ABORTED, "expected_version"));
}

TEST_F(CatalogEditsTest, APieceIsDeletedWithItsRecordingsOrNotAtAll) {
  v1::DeletePieceRequest request;
  EXPECT_TRUE(Blames(Delete(request), StatusCode::INVALID_ARGUMENT, "piece_id"));
  request.set_piece_id("p9");
  EXPECT_TRUE(Blames(Delete(request), StatusCode::NOT_FOUND, "piece_id"));
  request.set_piece_id("p0");
  EXPECT_TRUE(Blames(Delete(request), StatusCode::FAILED_PRECONDITION, "with_recordings"));
  EXPECT_EQ(Piece("p0").id(), "p0");
  request.set_with_recordings(true);
  v1::DeletePieceResponse response;
  ASSERT_TRUE(Delete(request, &response).ok());
  EXPECT_EQ(response.recordings_deleted(), 1);
  EXPECT_EQ(response.version(), 1);
  EXPECT_EQ(Piece("p0").id(), "");

  v1::DeleteRecordingRequest recording;
  EXPECT_TRUE(Blames(Delete(recording), StatusCode::INVALID_ARGUMENT, "recording_id"));
  recording.set_recording_id("r0");
  EXPECT_TRUE(Blames(Delete(recording), StatusCode::NOT_FOUND, "recording_id"))
      << "went with the piece";
  recording.set_recording_id("r1");
  v1::DeleteRecordingResponse deleted;
  ASSERT_TRUE(Delete(recording, &deleted).ok());
  EXPECT_EQ(deleted.version(), 2);
}

TEST_F(CatalogEditsTest, NothingIsEmbeddedOnceTheDeadlineHasPassed) {
  server_.reset();
  Start(/*workers=*/1);
  absl::Notification started, release;
  collection_->on_query = [&] {
    started.Notify();
    release.WaitForNotification();
  };
  v1::SearchScoresRequest query;
  query.mutable_audio()->set_file(WavFile(1));
  std::thread holder([&] { EXPECT_TRUE(Search(query).ok()); });
  started.WaitForNotification();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(50));
  v1::AddPieceResponse response;
  EXPECT_EQ(catalog_->AddPiece(&context, NewPiece("late"), &response).error_code(),
            StatusCode::DEADLINE_EXCEEDED);
  release.Notify();
  holder.join();
  EXPECT_TRUE(Add(NewPiece("later")).ok())
      << "came after the expired one, so that one has been dealt with";
  EXPECT_EQ(store_.embedded, 1);
  EXPECT_EQ(Piece("late").id(), "");
}

TEST_F(CatalogEditsTest, NothingIsChangedForACallerWhoHasGone) {
  absl::Notification embedding, cancelled;
  store_.on_embed = [&] {
    embedding.Notify();
    cancelled.WaitForNotification();
    // The server hears of it a moment later.
    absl::SleepFor(absl::Milliseconds(200));
  };
  grpc::ClientContext context;
  grpc::Status status;
  std::thread caller([&] {
    v1::AddPieceResponse response;
    status = catalog_->AddPiece(&context, NewPiece("gone"), &response);
  });
  embedding.WaitForNotification();
  context.TryCancel();
  caller.join();
  cancelled.Notify();
  EXPECT_EQ(status.error_code(), StatusCode::CANCELLED);
  EXPECT_TRUE(server_->Drain(absl::Seconds(10)));
  EXPECT_EQ(store_.embedded, 1);
  EXPECT_EQ(store_.durable, 0);
}

TEST_F(CatalogEditsTest, AFullDiskBlamesNoField) {
  store_.failure =
      WithReason(absl::ResourceExhaustedError("SQLite: appending: database or disk is full"),
                 ErrorReason::kStorageFull);
  const grpc::Status status = Add(NewPiece("new"));
  EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("no room"));
  EXPECT_THAT(status.error_message(), Not(HasSubstr("SQLite")));
  EXPECT_FALSE(DetailOf(status).has_value());
  EXPECT_TRUE(RetryDelayOf(status).has_value());
}

TEST_F(CatalogEditsTest, HowChangesAreStoredIsNotTold) {
  const std::tuple<ErrorReason, absl::StatusCode, StatusCode> codes[] = {
      {ErrorReason::kStorageUnavailable, absl::StatusCode::kUnavailable, StatusCode::UNAVAILABLE},
      {ErrorReason::kStorageBusy, absl::StatusCode::kAborted, StatusCode::ABORTED},
      {ErrorReason::kStorageReadOnly, absl::StatusCode::kPermissionDenied,
       StatusCode::FAILED_PRECONDITION},
      {ErrorReason::kStorageDamaged, absl::StatusCode::kDataLoss, StatusCode::DATA_LOSS}};
  for (const auto& [reason, below, told] : codes) {
    store_.failure = WithReason(absl::Status(below, "SQLite: appending: secret"), reason);
    const grpc::Status status = Add(NewPiece("new"));
    EXPECT_EQ(status.error_code(), told);
    EXPECT_THAT(status.error_message(), Not(HasSubstr("secret")));
    EXPECT_FALSE(DetailOf(status).has_value());
  }
}

TEST_F(CatalogEditsTest, AScoreTooLargeToReadIsBlamed) {
  store_.failure = absl::ResourceExhaustedError("the score's notes add up to 1e9 s");
  EXPECT_TRUE(Blames(Add(NewPiece("new")), StatusCode::RESOURCE_EXHAUSTED, "score.midi"));
}

TEST_F(CatalogEditsTest, AnEditThatTheStoreGaveUpBlamesNoField) {
  store_.failure = WithReason(absl::AbortedError("the collection is being replaced: try again"),
                              ErrorReason::kCollectionReplaced);
  const grpc::Status status = Add(NewPiece("new"));
  EXPECT_EQ(status.error_code(), StatusCode::ABORTED);
  EXPECT_THAT(status.error_message(), HasSubstr("try again"));
  EXPECT_FALSE(DetailOf(status).has_value());
}

TEST_F(CatalogEditsTest, WhatTheStoreSaysOfItselfIsNotBlamedOnTheRequest) {
  store_.failure = CallerError(absl::StatusCode::kFailedPrecondition,
                               "this server may only read its collection");
  v1::DeletePieceRequest request;
  request.set_piece_id("p0");
  const grpc::Status status = Delete(request);
  EXPECT_EQ(status.error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("only read"));
  EXPECT_FALSE(DetailOf(status).has_value());
}

TEST_F(CatalogEditsTest, AQueryGoesOnInTheCollectionThatItBeganWith) {
  absl::Notification started, release;
  collection_->on_query = [&] {
    started.Notify();
    release.WaitForNotification();
  };
  v1::SearchScoresRequest query;
  query.mutable_audio()->set_file(WavFile(1));
  v1::SearchResponse response;
  std::thread searcher([&] { EXPECT_TRUE(Search(query, &response).ok()); });
  started.WaitForNotification();
  v1::DeletePieceRequest deletion;
  deletion.set_piece_id("p1");
  deletion.set_with_recordings(true);
  ASSERT_TRUE(Delete(deletion).ok());
  release.Notify();
  searcher.join();
  ASSERT_EQ(response.hits_size(), 1);
  EXPECT_EQ(response.hits(0).source().id(), "p1");
  collection_->on_query = nullptr;
  ASSERT_TRUE(Search(query, &response).ok());
  EXPECT_EQ(response.hits(0).source().id(), "p0");
}

TEST_F(CatalogEditsTest, AStreamOfPiecesIsAnsweredOneByOne) {
  grpc::ClientContext context;
  const auto stream = catalog_->AddPieces(&context);
  v1::AddPiecesResponse response;
  for (int i = 0; i < 5; ++i) {
    const std::string id = absl::StrCat("s", i);
    ASSERT_TRUE(stream->Write(NewPiece(id, i + 1)));
    ASSERT_TRUE(stream->Read(&response)) << "an answer before the next request";
    EXPECT_EQ(response.index(), i);
    EXPECT_EQ(response.piece().notes(), i + 1);
    EXPECT_EQ(response.added(), i + 1);
    EXPECT_EQ(Piece(id).notes(), i + 1) << "it is there before the stream ends";
  }
  EXPECT_TRUE(stream->WritesDone());
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(CatalogEditsTest, APieceThatFailsDoesNotEndTheStream) {
  grpc::ClientContext context;
  const auto stream = catalog_->AddPieces(&context);
  std::thread writer([&] {
    for (const char* id : {"a", "", "a", "b"}) EXPECT_TRUE(stream->Write(NewPiece(id)));
    EXPECT_TRUE(stream->WritesDone());
  });
  std::vector<v1::AddPiecesResponse> responses(5);
  int count = 0;
  while (count < 5 && stream->Read(&responses[count])) ++count;
  writer.join();
  ASSERT_TRUE(stream->Finish().ok());
  ASSERT_EQ(count, 4);
  EXPECT_EQ(responses[0].piece().id(), "a");
  EXPECT_EQ(responses[1].error().code(), static_cast<int>(StatusCode::INVALID_ARGUMENT));
  EXPECT_EQ(responses[2].error().code(), static_cast<int>(StatusCode::ALREADY_EXISTS));
  EXPECT_THAT(responses[2].error().message(), HasSubstr("piece.id"));
  EXPECT_EQ(responses[2].added(), 1);
  EXPECT_EQ(responses[3].piece().id(), "b");
  EXPECT_EQ(responses[3].added(), 2);
}

TEST_F(CatalogEditsTest, AStreamWhoseCallerHasGoneAddsNothingMore) {
  absl::Notification embedding;
  store_.on_embed = [&] {
    if (store_.embedded > 1) return;
    embedding.Notify();
    absl::SleepFor(absl::Milliseconds(300));
  };
  grpc::ClientContext context;
  const auto stream = catalog_->AddPieces(&context);
  std::thread writer([&] {
    for (const char* id : {"a", "b", "c"}) {
      if (!stream->Write(NewPiece(id))) return;
    }
  });
  embedding.WaitForNotification();
  context.TryCancel();
  writer.join();
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::CANCELLED);
  EXPECT_TRUE(server_->Drain(absl::Seconds(10)));
  EXPECT_EQ(store_.durable, 0);
  EXPECT_EQ(store_.embedded, 1);
}

}  // namespace
}  // namespace antiphon::server
