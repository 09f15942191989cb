#include <algorithm>
#include <optional>
#include <ostream>
#include <string>

#include "client/commands/commands.h"
#include "client/commands/rendering.h"
#include "client/output/format.h"
#include "client/output/json.h"
#include "client/output/table.h"
#include "core/base/status_macros.h"
#include "nlohmann/json.hpp"

namespace antiphon::client {
namespace {

// The two sides of the catalogue, so that lists of both are read and shown by the same code.
struct Pieces {
  using Request = v1::ListPiecesRequest;
  using Response = v1::ListPiecesResponse;
  static constexpr char kNoun[] = "piece";
  static constexpr int kPageSize = 500;
  static constexpr bool kListsWhatItCounts = true;

  static absl::StatusOr<Response> Ask(Connection& connection, const Request& request) {
    return connection.Call(kListPieces, request);
  }
  template <typename Message>
  static auto& In(Message& response) {
    return *response.mutable_pieces();
  }
  static Table Render(const Response& response) {
    Table table({{"id", Align::kLeft, 200},
                 {"title"},
                 {"composer", Align::kLeft, 32},
                 {"length", Align::kRight},
                 {"bars", Align::kRight},
                 {"notes", Align::kRight},
                 {"collection"},
                 {"work", Align::kLeft, 200}});
    for (const v1::Piece& piece : response.pieces()) {
      table.AddRow({piece.id(), piece.title(), piece.composer(),
                    FormatTime(piece.duration_seconds()), FormatCount(piece.bars()),
                    FormatCount(piece.notes()), piece.collection(), piece.work_id()});
    }
    return table;
  }
};

struct Recordings {
  using Request = v1::ListRecordingsRequest;
  using Response = v1::ListRecordingsResponse;
  static constexpr char kNoun[] = "recording";
  static constexpr int kPageSize = 500;
  static constexpr bool kListsWhatItCounts = true;

  static absl::StatusOr<Response> Ask(Connection& connection, const Request& request) {
    return connection.Call(kListRecordings, request);
  }
  template <typename Message>
  static auto& In(Message& response) {
    return *response.mutable_recordings();
  }
  static Table Render(const Response& response) {
    Table table({{"id", Align::kLeft, 200},
                 {"title"},
                 {"composer", Align::kLeft, 32},
                 {"length", Align::kRight},
                 {"of piece", Align::kLeft, 200},
                 {"collection"}});
    for (const v1::Recording& recording : response.recordings()) {
      table.AddRow({recording.id(), recording.title(), recording.composer(),
                    FormatTime(recording.duration_seconds()), recording.piece_id(),
                    recording.collection()});
    }
    return table;
  }
};

// Pairs of pieces are listed likewise. A page is of the pieces that are looked at, of which few
// have a pair: it may be empty, and the total says nothing of pairs.
struct SharedMusic {
  using Request = v1::ListSameMusicRequest;
  using Response = v1::ListSameMusicResponse;
  static constexpr char kNoun[] = "piece";
  static constexpr int kPageSize = 20;
  static constexpr bool kListsWhatItCounts = false;

  static absl::StatusOr<Response> Ask(Connection& connection, const Request& request) {
    return connection.Call(kListSameMusic, request);
  }
  template <typename Message>
  static auto& In(Message& response) {
    return *response.mutable_pairs();
  }
  static Table Render(const Response& response) {
    Table table({{"piece", Align::kLeft, 200},
                 {"title"},
                 {"bars", Align::kRight},
                 {"has the music of", Align::kLeft, 200},
                 {"title"},
                 {"bars", Align::kRight}});
    for (const v1::SameMusicPair& pair : response.pairs()) {
      const v1::SameMusic &piece = pair.piece(), &other = pair.other();
      table.AddRow({piece.source().id(), piece.source().title(),
                    FormatBars(piece.start(), piece.end()), other.source().id(),
                    other.source().title(), FormatBars(other.start(), other.end())});
    }
    return table;
  }
};

// All pages, or as many as `limit` needs, as one response.
template <typename Side>
absl::StatusOr<typename Side::Response> ListAll(typename Side::Request request,
                                                std::optional<int> limit, Connection& connection) {
  typename Side::Response all;
  auto& items = Side::In(all);
  do {
    const int wanted = limit ? *limit - items.size() : Side::kPageSize;
    request.set_page_size(std::min(wanted, Side::kPageSize));
    request.set_page_token(all.next_page_token());
    ASSIGN_OR_RETURN(auto page, Side::Ask(connection, request));
    const bool no_progress = Side::kListsWhatItCounts
                                 ? Side::In(page).empty()
                                 : page.next_page_token() == all.next_page_token();
    if (no_progress) page.clear_next_page_token();  // whatever it says
    items.MergeFrom(Side::In(page));
    all.set_next_page_token(page.next_page_token());
    all.set_total(page.total());
    all.set_generation(page.generation());
  } while (!all.next_page_token().empty() && (!limit || items.size() < *limit));
  return all;
}

ExitCode FailToShow(Context& context, const absl::Status& failure, const std::string& list) {
  if (!absl::IsNotFound(failure)) return Fail(context, failure);
  return Fail(context, WithHint(failure, "`antiphon " + list + "` lists them"));
}

// `none` is said where there is nothing to list.
template <typename Side>
ExitCode List(const typename Side::Request& request, std::optional<int> limit,
              const std::string& none, Context& context) {
  auto response = ListAll<Side>(request, limit, context.connection);
  if (!response.ok()) return FailToShow(context, response.status(), "pieces");
  const int shown = Side::In(*response).size();
  if (context.json) {
    Emit(context, MessageToJson(*response));
  } else if (shown == 0) {
    context.out << none << "\n";
  } else {
    context.out << Side::Render(*response).Render();
    const std::string total = Plural(response->total(), Side::kNoun);
    if constexpr (Side::kListsWhatItCounts) {
      context.out << FormatCount(shown) << " of " << total << "\n";
    } else {
      context.out << Plural(shown, "pair") << " among " << total << "\n";
    }
  }
  return shown == 0 ? ExitCode::kNothing : ExitCode::kOk;
}

template <typename Side>
ExitCode ListWith(const ListArguments& arguments, Context& context) {
  typename Side::Request request;
  request.set_filter(arguments.filter);
  const std::string noun = Side::kNoun;
  return List<Side>(request, arguments.limit,
                    arguments.filter.empty() ? "the collection holds no " + noun + "s"
                                             : "no " + noun + " has these words",
                    context);
}

void PrintPiece(const v1::GetPieceResponse& response, std::ostream& out) {
  const v1::Piece& piece = response.piece();
  out << Printable(piece.title().empty() ? piece.id() : piece.title()) << "\n";
  if (!piece.composer().empty()) out << Printable(piece.composer()) << "\n";
  out << "id " << Printable(piece.id()) << "; " << FormatTime(piece.duration_seconds()) << ", "
      << Plural(piece.bars(), "bar") << ", " << Plural(piece.notes(), "note");
  if (!piece.collection().empty()) out << "; in " << Printable(piece.collection());
  if (!piece.work_id().empty()) out << "; of the work " << Printable(piece.work_id());
  out << "; version " << piece.version() << "\n";
  if (response.parts_size() > 1) {
    out << (piece.with_parts() ? "parts, each found by itself, too:" : "parts:");
    for (const v1::Part& part : response.parts())
      out << (part.index() == 0 ? " " : ", ") << NameOf(part);
    out << "\n";
  }
  if (response.recordings().empty()) {
    out << "no recordings of it in the collection\n";
    return;
  }
  Table table({{"recording", Align::kLeft, 200}, {"title"}, {"length", Align::kRight}});
  for (const v1::Recording& recording : response.recordings()) {
    table.AddRow({recording.id(), recording.title(), FormatTime(recording.duration_seconds())});
  }
  out << table.Render();
}

void PrintRecording(const v1::Recording& recording, std::ostream& out) {
  out << Printable(recording.title().empty() ? recording.id() : recording.title()) << "\n";
  if (!recording.composer().empty()) out << Printable(recording.composer()) << "\n";
  out << "id " << Printable(recording.id()) << "; " << FormatTime(recording.duration_seconds());
  if (!recording.piece_id().empty()) out << "; of " << Printable(recording.piece_id());
  if (!recording.collection().empty()) out << "; in " << Printable(recording.collection());
  out << "; version " << recording.version() << "\n";
}

}  // namespace

ExitCode RunList(const ListArguments& arguments, Context& context) {
  return arguments.recordings ? ListWith<Recordings>(arguments, context)
                              : ListWith<Pieces>(arguments, context);
}

ExitCode RunSameMusic(const SameMusicArguments& arguments, Context& context) {
  v1::ListSameMusicRequest request;
  request.set_piece_id(arguments.piece_id);
  return List<SharedMusic>(request, arguments.limit,
                           arguments.piece_id.empty()
                               ? "no two pieces of the collection hold the same music"
                               : "no other piece holds music of this one",
                           context);
}

ExitCode RunShow(const ShowArguments& arguments, Context& context) {
  if (arguments.recording) {
    v1::GetRecordingRequest request;
    request.set_recording_id(arguments.id);
    const auto response = context.connection.Call(kGetRecording, request);
    if (!response.ok()) return FailToShow(context, response.status(), "recording list");
    context.json ? Emit(context, MessageToJson(*response))
                 : PrintRecording(response->recording(), context.out);
    return ExitCode::kOk;
  }
  v1::GetPieceRequest request;
  request.set_piece_id(arguments.id);
  request.set_include_file(!arguments.output.empty());
  auto response = context.connection.Call(kGetPiece, request);
  if (!response.ok()) return FailToShow(context, response.status(), "pieces");
  if (!arguments.output.empty()) {
    if (response->file().empty()) {  // an older server's answer
      return Fail(context,
                  absl::UnimplementedError("the server does not hand back the files of scores"));
    }
    const absl::Status written = WriteFile(arguments.output, response->file());
    if (!written.ok()) return Fail(context, written);
    response->clear_file();
  }
  context.json ? Emit(context, MessageToJson(*response)) : PrintPiece(*response, context.out);
  return ExitCode::kOk;
}

}  // namespace antiphon::client
