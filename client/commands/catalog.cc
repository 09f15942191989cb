#include <algorithm>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/commands/commands.h"
#include "client/format.h"
#include "client/json.h"
#include "client/table.h"
#include "nlohmann/json.hpp"

namespace antiphon::client {
namespace {

constexpr int kPageSize = 500;

// All pages, or as many as `limit` needs, as one response.
absl::StatusOr<v1::ListPiecesResponse> ListAll(const PiecesArguments& arguments, Connection& connection) {
  v1::ListPiecesRequest request;
  request.set_filter(arguments.filter);
  v1::ListPiecesResponse all;
  do {
    const int wanted = arguments.limit ? *arguments.limit - all.pieces_size() : kPageSize;
    request.set_page_size(std::min(wanted, kPageSize));
    request.set_page_token(all.next_page_token());
    absl::StatusOr<v1::ListPiecesResponse> page = connection.ListPieces(request);
    if (!page.ok()) return page.status();
    if (page->pieces().empty()) page->clear_next_page_token();  // whatever it says: no progress
    all.mutable_pieces()->MergeFrom(page->pieces());
    all.set_next_page_token(page->next_page_token());
    all.set_total(page->total());
    all.set_generation(page->generation());
  } while (!all.next_page_token().empty() && (!arguments.limit || all.pieces_size() < *arguments.limit));
  return all;
}

std::string Hint(const absl::Status& failure, const std::string& message) {
  return absl::StrCat(failure.message(), "; ", message);
}

v1::GetSnippetRequest ToRequest(const SnippetArguments& arguments) {
  v1::GetSnippetRequest request;
  if (arguments.of_recording) {
    request.set_recording_id(arguments.id);
  } else {
    request.set_piece_id(arguments.id);
  }
  if (arguments.start_s) request.set_start_seconds(*arguments.start_s);
  if (arguments.end_s) request.set_end_seconds(*arguments.end_s);
  return request;
}

}  // namespace

ExitCode RunPieces(const PiecesArguments& arguments, Context& context) {
  const absl::StatusOr<v1::ListPiecesResponse> response = ListAll(arguments, context.connection);
  if (!response.ok()) return Fail(context, response.status());
  if (context.json) {
    Emit(context, MessageToJson(*response));
  } else if (response->pieces().empty()) {
    context.out << (arguments.filter.empty() ? "the collection holds no pieces\n" : "no piece has these words\n");
  } else {
    Table table({{"id", Align::kLeft, 200},
                 {"title"},
                 {"composer", Align::kLeft, 32},
                 {"length", Align::kRight},
                 {"bars", Align::kRight},
                 {"notes", Align::kRight}});
    for (const v1::Piece& piece : response->pieces()) {
      table.AddRow({piece.id(), piece.title(), piece.composer(), FormatTime(piece.duration_seconds()),
                    FormatCount(piece.bars()), FormatCount(piece.notes())});
    }
    context.out << table.Render() << FormatCount(response->pieces_size()) << " of "
                << Plural(response->total(), "piece") << "\n";
  }
  return response->pieces().empty() ? ExitCode::kNothing : ExitCode::kOk;
}

ExitCode RunPiece(const PieceArguments& arguments, Context& context) {
  v1::GetPieceRequest request;
  request.set_piece_id(arguments.id);
  const absl::StatusOr<v1::GetPieceResponse> response = context.connection.GetPiece(request);
  if (absl::IsNotFound(response.status())) {
    absl::Status failure = response.status();
    return Fail(context, absl::NotFoundError(Hint(failure, "`antiphon pieces` lists them")));
  }
  if (!response.ok()) return Fail(context, response.status());
  if (context.json) {
    Emit(context, MessageToJson(*response));
    return ExitCode::kOk;
  }
  const v1::Piece& piece = response->piece();
  context.out << Printable(piece.title().empty() ? piece.id() : piece.title()) << "\n";
  if (!piece.composer().empty()) context.out << Printable(piece.composer()) << "\n";
  context.out << "id " << Printable(piece.id()) << "; " << FormatTime(piece.duration_seconds()) << ", "
              << Plural(piece.bars(), "bar") << ", " << Plural(piece.notes(), "note") << "\n";
  if (response->recordings().empty()) {
    context.out << "no recordings of it in the collection\n";
    return ExitCode::kOk;
  }
  Table table({{"recording", Align::kLeft, 200}, {"title"}, {"length", Align::kRight}});
  for (const v1::Recording& recording : response->recordings()) {
    table.AddRow({recording.id(), recording.title(), FormatTime(recording.duration_seconds())});
  }
  context.out << table.Render();
  return ExitCode::kOk;
}

ExitCode RunSnippet(const SnippetArguments& arguments, Context& context) {
  absl::StatusOr<v1::GetSnippetResponse> response = context.connection.GetSnippet(ToRequest(arguments));
  if (absl::IsNotFound(response.status())) {
    return Fail(context,
                absl::NotFoundError(Hint(response.status(), arguments.of_recording
                                                                ? "`antiphon piece ID` lists the recordings of a piece"
                                                                : "`antiphon pieces` lists them")));
  }
  if (!response.ok()) return Fail(context, response.status());
  if (arguments.output == "-") {
    context.out << response->content() << std::flush;
    return ExitCode::kOk;
  }
  const int64_t size = static_cast<int64_t>(response->content().size());
  if (!arguments.output.empty()) {
    if (absl::Status status = WriteFile(arguments.output, response->content()); !status.ok()) {
      return Fail(context, status);
    }
    response->clear_content();
  }
  if (context.json) {
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    if (!arguments.output.empty()) json["file"] = arguments.output;
    json.update(MessageToJson(*response));
    Emit(context, json);
  } else {
    context.out << Printable(arguments.output) << ": " << NameOf(response->source()) << ", "
                << FormatSpan(response->start().seconds(), response->end().seconds()) << " (" << FormatBytes(size)
                << ")\n";
  }
  return ExitCode::kOk;
}

}  // namespace antiphon::client
