#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <limits>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "client/commands/commands.h"
#include "client/commands/rendering.h"
#include "client/commands/streams.h"
#include "client/input/pcm.h"
#include "client/output/format.h"
#include "client/output/json.h"
#include "client/output/midi_clock.h"
#include "core/base/status_macros.h"
#include "nlohmann/json.hpp"

namespace antiphon::client {
namespace {

constexpr double kRead_s = 0.02;  // of raw samples at a time: what is read later is answered later
constexpr std::chrono::milliseconds kClockStep(1);
constexpr char kInstead[] = "name it with --score, and what is played after it";

// Writes a MIDI clock while answers come in. Safe from several threads.
//
// Live sound has a clock of its own: its time is that of the machine, less the time when the first
// sample was recorded. Sound that is sent as fast as it can be has none; its time is that of the
// answers.
class ClockWriter {
 public:
  // InvalidArgument where the file cannot be written.
  static absl::StatusOr<std::unique_ptr<ClockWriter>> Open(const std::string& path, bool live) {
    std::ofstream out(path, std::ios::binary);
    if (!out) return absl::InvalidArgumentError(absl::StrCat("cannot write ", path));
    std::unique_ptr<ClockWriter> writer(new ClockWriter(path, live, std::move(out)));
    if (live) writer->thread_ = std::thread([raw = writer.get()] { raw->Run(); });
    return writer;
  }
  ~ClockWriter() {
    over_ = true;
    if (thread_.joinable()) thread_.join();
  }

  // So many seconds of sound have been sent by now.
  void Sent(double seconds) {
    absl::MutexLock lock(&mutex_);
    began_s_ = std::min(began_s_, Now() - seconds);
  }

  void Take(const v1::FollowResponse& answer) {
    absl::MutexLock lock(&mutex_);
    if (!live_) Write(clock_.Advance(answer.at_seconds()));
    const bool goes_on = answer.has_position() && answer.beats_per_minute() > 0 &&
                         answer.event() != v1::FOLLOW_EVENT_WAITING &&
                         answer.event() != v1::FOLLOW_EVENT_ENDED;
    if (goes_on) {
      clock_.Play(answer.at_seconds(), answer.position().beats(), answer.beats_per_minute());
    } else {
      clock_.Hold();
    }
    if (answer.event() == v1::FOLLOW_EVENT_ENDED) Write(clock_.Finish());
  }

  // Ends the clock. InvalidArgument where something of it could not be written.
  absl::Status Finish() {
    over_ = true;
    if (thread_.joinable()) thread_.join();
    absl::MutexLock lock(&mutex_);
    Write(clock_.Finish());
    if (out_) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("cannot write ", path_));
  }

 private:
  ClockWriter(const std::string& path, bool live, std::ofstream out)
      : path_(path), live_(live), out_(std::move(out)) {}

  static double Now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }

  void Write(const std::string& bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!bytes.empty()) out_ << bytes << std::flush;
  }

  void Run() {
    while (!over_) {
      {
        absl::MutexLock lock(&mutex_);
        if (began_s_ < std::numeric_limits<double>::infinity())
          Write(clock_.Advance(Now() - began_s_));
      }
      std::this_thread::sleep_for(kClockStep);
    }
  }

  const std::string path_;
  const bool live_;
  std::atomic<bool> over_ = false;
  absl::Mutex mutex_;
  std::ofstream out_ ABSL_GUARDED_BY(mutex_);
  MidiClock clock_ ABSL_GUARDED_BY(mutex_);
  double began_s_ ABSL_GUARDED_BY(mutex_) = std::numeric_limits<double>::infinity();
  std::thread thread_;
};

const char* NameOf(v1::FollowEvent event) {
  switch (event) {
    case v1::FOLLOW_EVENT_STARTED:
      return "started";
    case v1::FOLLOW_EVENT_WAITING:
      return "waiting";
    case v1::FOLLOW_EVENT_LOST:
      return "lost";
    case v1::FOLLOW_EVENT_FOUND_AGAIN:
      return "found";
    case v1::FOLLOW_EVENT_JUMPED:
      return "jumped";
    case v1::FOLLOW_EVENT_ENDED:
      return "ended";
    default:
      return "";
  }
}

std::string Line(double offset_s, const v1::FollowResponse& answer) {
  const v1::Position& place = answer.position();
  const std::string where =
      answer.has_position()
          ? absl::StrFormat("bar %s, %.0f bpm (%s), probability %s", FormatBar(place),
                            answer.beats_per_minute(), FormatTempo(answer.tempo_ratio()),
                            FormatScore(answer.probability()))
          : "";
  return absl::StrFormat("%9s  %-7s  %s\n", FormatTime(offset_s + answer.at_seconds()),
                         NameOf(answer.event()), where);
}

// What is shown to a person: events, and each bar as it begins.
class Watcher {
 public:
  bool IsWorthALine(const v1::FollowResponse& answer) {
    const bool new_bar = answer.has_position() &&
                         (answer.position().bar() != bar_ || answer.position().pass() != pass_);
    if (answer.has_position()) {
      bar_ = answer.position().bar();
      pass_ = answer.position().pass();
    }
    return new_bar || answer.event() != v1::FOLLOW_EVENT_UPDATE;
  }

 private:
  int bar_ = -1, pass_ = 0;
};

absl::StatusOr<v1::FollowOptions> ToOptions(const FollowArguments& arguments, bool raw,
                                            Context& context) {
  v1::FollowOptions options;
  options.set_encoding(raw ? arguments.encoding : v1::Pcm::ENCODING_INT16);
  options.set_sample_rate(raw ? arguments.sample_rate : kStreamRate);
  options.set_channels(raw ? arguments.channels : 1);
  if (arguments.from_s) options.set_start_seconds(*arguments.from_s);
  if (arguments.update_s) options.set_update_seconds(*arguments.update_s);
  if (arguments.score_file.empty()) {
    options.set_piece_id(arguments.piece_id);
    return options;
  }
  ASSIGN_OR_RETURN(const Input input, OpenInput(arguments.score_file, context.in));
  ASSIGN_OR_RETURN(const int64_t max_bytes, MaxBytesFor(context, input.size));
  ASSIGN_OR_RETURN(std::string file, MakeScoreFile(input, max_bytes));
  *options.mutable_score() = ToScore(std::move(file));
  return options;
}

}  // namespace

ExitCode RunFollow(const FollowArguments& arguments, Context& context) {
  const bool raw = arguments.file == "-";
  const absl::StatusOr<v1::FollowOptions> options = ToOptions(arguments, raw, context);
  if (!options.ok()) return Fail(context, options.status(), arguments.score_file);
  absl::StatusOr<Input> input = absl::NotFoundError("none");
  if (!raw) {
    input = OpenAudio(arguments.file, arguments.length_s, kInstead, context.in);
    if (!input.ok()) return Fail(context, input.status(), arguments.file);
  }
  std::unique_ptr<ClockWriter> clock;
  if (!arguments.midi_clock.empty()) {
    auto opened = ClockWriter::Open(arguments.midi_clock, raw || arguments.pace);
    if (!opened.ok()) return Fail(context, opened.status());
    clock = *std::move(opened);
  }
  const double offset_s = arguments.start_s.value_or(0);
  const int frame_bytes =
      (options->encoding() == v1::Pcm::ENCODING_FLOAT32 ? 4 : 2) * std::max(1, options->channels());
  bool started = false;
  Watcher watcher;
  std::vector<std::string> warnings;
  const absl::Status status = context.connection.Follow(
      *options,
      [&](const auto& send) {
        double sent_s = 0;
        const auto count_and_send = [&](const std::string& samples) {
          sent_s += static_cast<double>(samples.size()) / frame_bytes / options->sample_rate();
          if (clock != nullptr) clock->Sent(sent_s);
          return send(samples);
        };
        if (raw) {
          return StreamRaw({arguments.encoding, arguments.sample_rate, arguments.channels}, kRead_s,
                           context.in, count_and_send);
        }
        return StreamAudio(*input, arguments.start_s, arguments.length_s, arguments.pace,
                           count_and_send, &warnings);
      },
      [&](const v1::FollowResponse& answer) {
        started = started || answer.has_position();
        if (clock != nullptr) clock->Take(answer);
        if (context.json) {
          Emit(context, MessageToJson(answer));
        } else if (watcher.IsWorthALine(answer)) {
          context.out << Line(offset_s, answer) << std::flush;
        }
        // What cannot be shown to anybody need not be listened to.
        return context.out ? absl::OkStatus()
                           : absl::InvalidArgumentError("the answers cannot be written");
      });
  WarnLocally(context, warnings, arguments.file);
  const absl::Status written = clock == nullptr ? absl::OkStatus() : clock->Finish();
  if (absl::IsNotFound(status))
    return Fail(context, WithHint(status, "`antiphon pieces` lists them"));
  if (!status.ok()) return Fail(context, status, raw ? "standard input" : input->name);
  if (!written.ok()) return Fail(context, written);
  return started ? ExitCode::kOk : ExitCode::kNothing;
}

}  // namespace antiphon::client
