#include "client/rpc/methods.h"

#include "client/rpc/caller.h"

namespace antiphon::client {
namespace {

using Admin = v1::Admin::Stub;
using Catalog = v1::Catalog::Stub;
using Retrieval = v1::Retrieval::Stub;

// A method that changes nothing may be called again.
template <auto kMethod, typename Request, typename Response>
absl::StatusOr<Response> Read(const Caller& caller, const Request& request) {
  return caller.Call(kMethod, request, Repeatable::kYes);
}

// One that changes something may not: a call that seems to have failed may have been carried out.
template <auto kMethod, typename Request, typename Response>
absl::StatusOr<Response> Write(const Caller& caller, const Request& request) {
  return caller.Call(kMethod, request, Repeatable::kNo);
}

}  // namespace

decltype(kSearchScores) kSearchScores = Read<&Retrieval::SearchScores>;
decltype(kSearchRecordings) kSearchRecordings = Read<&Retrieval::SearchRecordings>;
decltype(kIdentify) kIdentify = Read<&Retrieval::Identify>;
decltype(kBatch) kBatch = Read<&Retrieval::Batch>;
decltype(kAlign) kAlign = Read<&Retrieval::Align>;
decltype(kTranscribe) kTranscribe = Read<&Retrieval::Transcribe>;
decltype(kEmbed) kEmbed = Read<&Retrieval::Embed>;

decltype(kListPieces) kListPieces = Read<&Catalog::ListPieces>;
decltype(kGetPiece) kGetPiece = Read<&Catalog::GetPiece>;
decltype(kListRecordings) kListRecordings = Read<&Catalog::ListRecordings>;
decltype(kGetRecording) kGetRecording = Read<&Catalog::GetRecording>;
decltype(kListSameMusic) kListSameMusic = Read<&Catalog::ListSameMusic>;
decltype(kGetSnippet) kGetSnippet = Read<&Catalog::GetSnippet>;
decltype(kAddPiece) kAddPiece = Write<&Catalog::AddPiece>;
decltype(kUpdatePiece) kUpdatePiece = Write<&Catalog::UpdatePiece>;
decltype(kDeletePiece) kDeletePiece = Write<&Catalog::DeletePiece>;
decltype(kAddRecording) kAddRecording = Write<&Catalog::AddRecording>;
decltype(kAddRecordingAgain) kAddRecordingAgain = Read<&Catalog::AddRecording>;
decltype(kUpdateRecording) kUpdateRecording = Write<&Catalog::UpdateRecording>;
decltype(kDeleteRecording) kDeleteRecording = Write<&Catalog::DeleteRecording>;

decltype(kStatus) kStatus = Read<&Admin::Status>;
decltype(kReload) kReload = Write<&Admin::Reload>;
decltype(kMerge) kMerge = Write<&Admin::Merge>;
decltype(kSnapshot) kSnapshot = Write<&Admin::Snapshot>;
decltype(kRestore) kRestore = Write<&Admin::Restore>;
decltype(kListSnapshots) kListSnapshots = Read<&Admin::ListSnapshots>;
decltype(kDeleteSnapshot) kDeleteSnapshot = Write<&Admin::DeleteSnapshot>;

}  // namespace antiphon::client
