#include <cstdint>
#include <functional>
#include <optional>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/commands/commands.h"
#include "client/commands/rendering.h"
#include "client/commands/streams.h"
#include "client/input/pcm.h"
#include "client/output/format.h"
#include "client/output/json.h"
#include "client/output/progress.h"
#include "client/output/table.h"
#include "core/base/status_macros.h"
#include "nlohmann/json.hpp"

namespace antiphon::client {
namespace {

constexpr double kRead_s = 0.1;  // of raw samples at a time
constexpr char kNotStreamed[] = "identify it without --long and --live";

v1::StreamOptions ToOptions(const StreamArguments& arguments) {
  v1::StreamOptions options;
  options.set_encoding(v1::Pcm::ENCODING_INT16);
  options.set_sample_rate(kStreamRate);
  options.set_channels(1);
  if (arguments.top_k) options.set_top_k(*arguments.top_k);
  if (arguments.min_confidence) options.set_min_confidence(*arguments.min_confidence);
  options.set_against(arguments.against);
  SetScope(arguments.scope, options);
  return options;
}

// "1–16", empty for places in a recording.
std::string BarRange(const v1::Position& start, const v1::Position& end) {
  const auto bar = [](const v1::Position& place) {
    return place.bar_label().empty() ? absl::StrCat(place.bar()) : place.bar_label();
  };
  return start.has_bar() ? absl::StrCat(bar(start), "–", bar(end)) : "";
}

// "1–8, 1–16" where the music goes back or ahead.
std::string BarsOf(const v1::Segment& segment) {
  if (segment.passages_size() < 2)
    return BarRange(segment.reference_start(), segment.reference_end());
  return absl::StrJoin(segment.passages(), ", ", [](std::string* text, const v1::Passage& passage) {
    absl::StrAppend(text, BarRange(passage.reference_start(), passage.reference_end()));
  });
}

Table SegmentTable(double offset_s, const v1::IdentifyLongResponse& response) {
  Table table({{"#", Align::kRight},
               {"from–to", Align::kRight},
               {"title"},
               {"composer", Align::kLeft, 28},
               {"part", Align::kLeft, 28},
               {"confidence", Align::kRight},
               {"bars", Align::kRight},
               {"in it", Align::kRight},
               {"tempo", Align::kRight},
               {"id", Align::kLeft, 200},
               {"work", Align::kLeft, 200},
               {"same music", Align::kLeft, 200}});
  for (int i = 0; i < response.segments_size(); ++i) {
    const v1::Segment& segment = response.segments(i);
    const v1::Position &start = segment.reference_start(), &end = segment.reference_end();
    table.AddRow({absl::StrCat(i + 1),
                  FormatSpan(offset_s + segment.start_seconds(), offset_s + segment.end_seconds()),
                  segment.source().title(), segment.source().composer(),
                  segment.has_part() ? NameOf(segment.part()) : "",
                  FormatScore(segment.confidence()), BarsOf(segment),
                  FormatSpan(start.seconds(), end.seconds()), FormatTempo(segment.tempo_ratio()),
                  segment.source().id(), segment.source().work_id(),
                  SameMusicIds(segment.same_music())});
  }
  return table;
}

ExitCode IdentifyLong(const IdentifyLongArguments& arguments, const std::string& file,
                      Context& context) {
  const absl::StatusOr<Input> input = OpenAudio(file, arguments.length_s, kNotStreamed, context.in);
  if (!input.ok()) return Fail(context, input.status(), file);
  Progress progress(context.err, context.progress);
  double sent_s = 0;
  std::vector<std::string> warnings;
  const absl::StatusOr<v1::IdentifyLongResponse> response =
      context.connection.IdentifyLong(ToOptions(arguments.stream), [&](const auto& send) {
        return StreamAudio(
            *input, arguments.start_s, arguments.length_s, /*pace=*/false,
            [&](const std::string& samples) {
              sent_s += static_cast<double>(samples.size()) / sizeof(int16_t) / kStreamRate;
              progress.Show(0, 0, absl::StrCat("listened to ", FormatTime(sent_s)));
              return send(samples);
            },
            &warnings);
      });
  WarnLocally(context, warnings, file);
  progress.Clear();
  if (!response.ok()) return Fail(context, response.status(), input->name);
  const double offset_s = arguments.start_s.value_or(0);
  if (context.json) {
    nlohmann::ordered_json json = {{"file", input->name}, {"offset_seconds", offset_s}};
    json.update(MessageToJson(*response));
    Emit(context, json);
  } else {
    context.out << Printable(input->name) << ": " << FormatTime(response->info().query_seconds())
                << " long, "
                << (response->segments().empty()
                        ? "nothing recognised"
                        : Plural(response->segments_size(), "stretch", "stretches") + " recognised")
                << "\n";
    context.out << SegmentTable(offset_s, *response).Render();
    context.out << std::flush;
    ReportWarnings(context, response->info().warnings(), input->name);
  }
  return response->segments().empty() ? ExitCode::kNothing : ExitCode::kOk;
}

// "Für Elise – Ludwig van Beethoven, bar 5:1 (0:08.3), at 97 %, confidence 0.98".
std::string Describe(const v1::Candidate& candidate) {
  const v1::Position& there = candidate.reference();
  const std::string bar = FormatBar(there);
  const std::string time = FormatTime(there.seconds());
  return absl::StrCat(NameOf(candidate.source()),
                      candidate.has_part() ? absl::StrCat(", ", NameOf(candidate.part())) : "",
                      ", ", bar.empty() ? time : absl::StrCat("bar ", bar, " (", time, ")"),
                      ", at ", FormatTempo(candidate.tempo_ratio()), ", confidence ",
                      FormatScore(candidate.confidence()),
                      candidate.same_music().empty() ? "" : "; also ",
                      Printable(SameMusicIds(candidate.same_music())));
}

// What an update says that no event does.
std::string DescribeVerdict(const v1::IdentifyLiveResponse& response) {
  switch (response.verdict()) {
    case v1::VERDICT_MATCH:
      return response.candidates().empty() ? "a match" : Describe(response.candidates(0));
    case v1::VERDICT_INSUFFICIENT_INPUT:
      return "too little to compare";
    default:
      return "no match";
  }
}

std::string Line(double offset_s, const v1::IdentifyLiveResponse& response) {
  const std::string when = FormatTime(offset_s + response.at_seconds());
  const auto line = [&](const char* event, const std::string& text) {
    return absl::StrFormat("%9s  %-7s  %s\n", when, event, text);
  };
  switch (response.event()) {
    case v1::LIVE_EVENT_PIECE_STARTED:
      return line("started", response.candidates().empty() ? "" : Describe(response.candidates(0)));
    case v1::LIVE_EVENT_PIECE_ENDED:
      return line("ended", "");
    case v1::LIVE_EVENT_PAUSED:
      return line("paused", "");
    case v1::LIVE_EVENT_RESUMED:
      return line("resumed", "");
    default:
      return line("", DescribeVerdict(response));
  }
}

}  // namespace

ExitCode RunIdentifyLong(const IdentifyLongArguments& arguments, Context& context) {
  ExitCode worst = ExitCode::kOk;
  for (const std::string& file : arguments.files) {
    if (!context.json && &file != &arguments.files.front()) context.out << "\n";
    const ExitCode code = IdentifyLong(arguments, file, context);
    worst = Worse(worst, code);
    if (code == ExitCode::kUnreachable) break;  // the next file would only wait as long
  }
  return worst;
}

ExitCode RunIdentifyLive(const IdentifyLiveArguments& arguments, Context& context) {
  v1::StreamOptions options = ToOptions(arguments.stream);
  absl::StatusOr<Input> input = absl::NotFoundError("none");
  const bool raw = arguments.file == "-";
  if (raw) {
    options.set_encoding(arguments.encoding);
    options.set_sample_rate(arguments.sample_rate);
    options.set_channels(arguments.channels);
  } else {
    input = OpenAudio(arguments.file, arguments.length_s, kNotStreamed, context.in);
    if (!input.ok()) return Fail(context, input.status(), arguments.file);
  }
  const double offset_s = arguments.start_s.value_or(0);
  bool recognised = false;
  std::vector<std::string> warnings;
  const absl::Status status = context.connection.IdentifyLive(
      options,
      [&](const auto& send) {
        if (raw)
          return StreamRaw({arguments.encoding, arguments.sample_rate, arguments.channels}, kRead_s,
                           context.in, send);
        return StreamAudio(*input, arguments.start_s, arguments.length_s, arguments.pace, send,
                           &warnings);
      },
      [&](const v1::IdentifyLiveResponse& response) {
        recognised = recognised || response.event() == v1::LIVE_EVENT_PIECE_STARTED;
        if (context.json) {
          Emit(context, MessageToJson(response));
        } else {
          context.out << Line(offset_s, response) << std::flush;
        }
        // What cannot be shown to anybody need not be listened to.
        return context.out ? absl::OkStatus()
                           : absl::InvalidArgumentError("the answers cannot be written");
      });
  WarnLocally(context, warnings, arguments.file);
  if (!status.ok()) return Fail(context, status, raw ? "standard input" : input->name);
  return recognised ? ExitCode::kOk : ExitCode::kNothing;
}

}  // namespace antiphon::client
