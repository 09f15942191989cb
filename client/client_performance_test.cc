// align, follow and transcribe.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "client/client_test_fixture.h"
#include "client/output/midi_clock.h"

namespace antiphon::client {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using Json = nlohmann::json;
using testing::ServerFailure;

class ClientPerformanceTest : public ClientTest {
 protected:
  static void Place(v1::Position* place, int bar, double beat, int pass = 1) {
    place->set_bar(bar);
    place->set_beat_in_bar(beat);
    place->set_pass(pass);
    place->set_beats(4 * (bar - 1) + beat - 1);
  }
  void AddBeat(double seconds, int bar, double beat, int pass = 1) {
    v1::AlignedBeat& added = *server_.align_response.add_beats();
    added.set_seconds(seconds);
    Place(added.mutable_position(), bar, beat, pass);
    added.set_beats_per_minute(96.4);
    added.set_doubt(0.25);
    added.set_passage(pass - 1);
  }
  // Bar 1 twice, of two beats, in two passages.
  void AlignBars() {
    v1::AlignResponse& response = server_.align_response;
    response.set_verdict(v1::VERDICT_MATCH);
    response.set_agreement(0.9);
    response.mutable_source()->set_title("Waltz");
    for (const double start_s : {1.0, 3.0}) {
      v1::AlignedPassage& passage = *response.add_passages();
      passage.set_entry(start_s > 2 ? v1::PASSAGE_ENTRY_REPEAT_ADDED : v1::PASSAGE_ENTRY_BEGINS);
      passage.set_start_seconds(start_s);
      passage.set_end_seconds(start_s + 1.5);
      passage.set_tempo_ratio(0.8);
      Place(passage.mutable_reference_start(), 1, 1);
      Place(passage.mutable_reference_end(), 2, 1);
    }
    AddBeat(1, 1, 1);
    AddBeat(1.75, 1, 2);
    AddBeat(3, 1, 1, 2);
    AddBeat(3.75, 1, 2, 2);
    v1::AlignedNote& note = *response.add_notes();
    note.set_onset_seconds(1.0125);
    note.set_offset_seconds(1.5);
    note.set_pitch(61);
    note.set_score_beats(1.5);
    response.set_midi("MThd");
  }
  v1::FollowResponse& AddAnswer(v1::FollowEvent event, double at_s, int bar = 0, double beat = 1) {
    v1::FollowResponse& answer = server_.follow_responses.emplace_back();
    answer.set_event(event);
    answer.set_at_seconds(at_s);
    if (bar == 0) return answer;
    Place(answer.mutable_position(), bar, beat);
    answer.set_beats_per_minute(120);
    answer.set_tempo_ratio(0.8);
    answer.set_probability(0.9);
    return answer;
  }
};

TEST_F(ClientPerformanceTest, AlignShowsPassagesAndALineForEachBar) {
  AlignBars();
  const Result result = Run({"align", Wav(), Midi()});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("Waltz; agreement 0.90"), HasSubstr("0:01.0–0:02.5"),
                                HasSubstr("repeat added"), HasSubstr("80 %"), HasSubstr("1 (2)")));
  const std::vector<std::string> lines = absl::StrSplit(result.out, '\n', absl::SkipEmpty());
  EXPECT_THAT(lines, SizeIs(1 + 3 + 3)) << result.out;
  EXPECT_TRUE(server_.align_request.audio().has_file());
  EXPECT_EQ(server_.align_request.options().score().midi(), Read(Midi()));
  EXPECT_TRUE(server_.align_request.options().without_notes());
  EXPECT_FALSE(server_.align_request.options().as_written());
}

TEST_F(ClientPerformanceTest, AlignTakesAPieceOrAScopeToIdentifyIn) {
  AlignBars();
  Run({"align", Wav(), "--piece", "p", "--as-written"});
  EXPECT_EQ(server_.align_request.options().piece_id(), "p");
  EXPECT_TRUE(server_.align_request.options().as_written());
  Run({"align", Wav(), "--composer", "Bach", "--exact"});
  const v1::AlignOptions& options = server_.align_request.options();
  EXPECT_EQ(options.reference_case(), v1::AlignOptions::REFERENCE_NOT_SET);
  EXPECT_THAT(options.filter().composers(), ElementsAre("Bach"));
  EXPECT_EQ(options.mode(), v1::SEARCH_MODE_EXACT);
  Run({"align", Wav(), "--piece", "p", "--piece", "q"});
  EXPECT_THAT(server_.align_request.options().filter().piece_ids(), ElementsAre("p", "q"));
}

TEST_F(ClientPerformanceTest, AlignWritesTheFormatsOfOtherPrograms) {
  AlignBars();
  const auto out = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"align", Wav(), "--piece", "p"});
    const Result result = Run(arguments);
    EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
    return result.out;
  };
  EXPECT_EQ(out({"--format", "audacity"}), "1.000000\t2.500000\t1\n3.000000\t4.500000\t1 (2)\n");
  EXPECT_EQ(out({"--format", "sonic-visualiser", "--each", "beat"}),
            "1.000000000,1:1\n1.750000000,1:2\n3.000000000,1:1\n3.750000000,1:2\n");
  EXPECT_EQ(out({"--format", "tsv", "--each", "bar"}),
            "seconds\tbar\tbeat\tpass\tquarters\tbpm\tdoubt\tpassage\n"
            "1.0000\t1\t1\t1\t0\t96.40\t0.250\t1\n"
            "3.0000\t1\t1\t2\t0\t96.40\t0.250\t2\n");
  EXPECT_EQ(out({"--format", "tsv", "--each", "note"}),
            "onset\toffset\tpitch\tname\tpart\tquarters\tdoubt\tpassage\n"
            "1.0125\t1.5000\t61\tC#4\t1\t1.5\t0.000\t1\n");
  EXPECT_FALSE(server_.align_request.options().without_notes());
  const Json json = Json::parse(out({"--format", "json"}));
  EXPECT_EQ(json["beats"].size(), 4u);
  EXPECT_EQ(json["passages"][1]["entry"], "PASSAGE_ENTRY_REPEAT_ADDED");
  EXPECT_EQ(Json::parse(out({"--json"}))["agreement"], 0.9);
  EXPECT_EQ(out({"--format", "midi", "-o", "-"}), "MThd");
  EXPECT_TRUE(server_.align_request.options().include_midi());
}

TEST_F(ClientPerformanceTest, TheNameOfAFileSaysWhatIsWrittenIntoIt) {
  AlignBars();
  const auto written = [&](const std::string& name) {
    const std::string path = (dir_ / name).string();
    const Result result = Run({"align", Wav(), "--piece", "p", "-o", path});
    EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
    EXPECT_THAT(result.out, HasSubstr(path + ": Waltz; agreement 0.90"));
    return Read(path);
  };
  EXPECT_THAT(written("bars.txt"), HasSubstr("1.000000\t2.500000\t1\n"));
  EXPECT_THAT(written("bars.csv"), HasSubstr("1.000000000,1\n"));
  EXPECT_THAT(written("bars.tsv"), HasSubstr("1.7500\t1\t2\t"));
  EXPECT_EQ(written("bars.mid"), "MThd");
  EXPECT_THAT(written("bars"), HasSubstr("repeat added"));
}

TEST_F(ClientPerformanceTest, AnAlignmentThatIsRefusedIsNothing) {
  server_.align_response.set_verdict(v1::VERDICT_NO_MATCH);
  server_.align_response.set_agreement(0.2);
  const std::string path = (dir_ / "bars.txt").string();
  const Result result = Run({"align", Wav(), Midi(), "-o", path});
  EXPECT_EQ(result.code, ExitCode::kNothing);
  EXPECT_THAT(result.out, HasSubstr("no match: this is not a recording of the score"));
  EXPECT_FALSE(std::filesystem::exists(path)) << "an empty file would be taken for an answer";
  server_.align_response.set_verdict(v1::VERDICT_INSUFFICIENT_INPUT);
  EXPECT_THAT(Run({"align", Wav(), Midi()}).out, HasSubstr("too little"));
  server_.align_response.set_verdict(v1::VERDICT_NO_MATCH);
  server_.align_response.set_confidence(0.1);
  EXPECT_THAT(Run({"align", Wav()}).out, HasSubstr("no piece of the collection"));
}

TEST_F(ClientPerformanceTest, ARecordingTooLargeForOneRequestIsStreamed) {
  AlignBars();
  server_.status_response.mutable_limits()->set_max_message_bytes(300'000);
  const Result result = Run({"align", Wav(30), Midi(), "--start", "2", "--length", "20"});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_FALSE(server_.align_request.has_audio());
  EXPECT_EQ(server_.align_stream_options.sample_rate(), 22050);
  EXPECT_EQ(server_.align_stream_options.align().score().midi(), Read(Midi()));
  EXPECT_THAT(server_.stream_samples, SizeIs(20 * 22050 * 2));
  EXPECT_THAT(result.out, HasSubstr("0:03.0–0:04.5")) << "times are those of the file";
}

TEST_F(ClientPerformanceTest, ARecordingThatLastsTooLongIsStreamed) {
  AlignBars();
  server_.align_failure =
      ServerFailure(grpc::StatusCode::RESOURCE_EXHAUSTED, "audio.file: lasts 4000 s", "audio.file");
  const Result result = Run({"align", Wav(3), Midi()});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_THAT(server_.stream_samples, SizeIs(3 * 22050 * 2));
  server_.align_failure = ServerFailure(grpc::StatusCode::RESOURCE_EXHAUSTED, "busy");
  EXPECT_EQ(Run({"align", Wav(3), Midi()}).code, ExitCode::kServerError);
}

TEST_F(ClientPerformanceTest, FollowShowsEventsAndBars) {
  AddAnswer(v1::FOLLOW_EVENT_UPDATE, 0.02);
  AddAnswer(v1::FOLLOW_EVENT_STARTED, 0.04, 1);
  AddAnswer(v1::FOLLOW_EVENT_UPDATE, 0.06, 1, 2);
  AddAnswer(v1::FOLLOW_EVENT_UPDATE, 0.08, 2);
  AddAnswer(v1::FOLLOW_EVENT_LOST, 0.1);
  AddAnswer(v1::FOLLOW_EVENT_ENDED, 0.12, 2, 4);
  const std::string samples(44'100, '\1');
  const Result result = Run({"follow", "--piece", "p", "-"}, samples);
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  const std::vector<std::string> lines = absl::StrSplit(result.out, '\n', absl::SkipEmpty());
  ASSERT_THAT(lines, SizeIs(4)) << result.out;
  EXPECT_THAT(lines[0], AllOf(HasSubstr("started"), HasSubstr("bar 1:1, 120 bpm (80 %)"),
                              HasSubstr("probability 0.90")));
  EXPECT_THAT(lines[1], AllOf(HasSubstr("bar 2:1"), Not(HasSubstr("started"))));
  EXPECT_THAT(lines[2], HasSubstr("lost"));
  EXPECT_THAT(lines[3], HasSubstr("ended"));
  EXPECT_EQ(server_.stream_samples, samples);
  EXPECT_EQ(server_.follow_options.piece_id(), "p");
  EXPECT_EQ(server_.follow_options.sample_rate(), 22050);
  EXPECT_FALSE(server_.follow_options.has_start_seconds());
  EXPECT_FALSE(server_.follow_options.has_update_seconds());
}

TEST_F(ClientPerformanceTest, FollowTakesAScoreAndAFile) {
  AddAnswer(v1::FOLLOW_EVENT_STARTED, 0.1, 1);
  AddAnswer(v1::FOLLOW_EVENT_UPDATE, 0.2, 1, 1.5);
  const Result result = Run({"follow", "--score", Midi(), Wav(0.6), "--pace", "--from", "1.5",
                             "--update", "0.05", "--json"});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  const std::vector<std::string> lines = absl::StrSplit(result.out, '\n', absl::SkipEmpty());
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(Json::parse(lines[1])["event"], "FOLLOW_EVENT_UPDATE");
  EXPECT_EQ(server_.follow_options.score().midi(), Read(Midi()));
  EXPECT_EQ(server_.follow_options.start_seconds(), 1.5);
  EXPECT_EQ(server_.follow_options.update_seconds(), 0.05);
}

TEST_F(ClientPerformanceTest, MusicThatNeverBeginsIsNothing) {
  AddAnswer(v1::FOLLOW_EVENT_UPDATE, 0.1);
  EXPECT_EQ(Run({"follow", "--piece", "p"}, std::string(4410, '\0')).code, ExitCode::kNothing);
  server_.failure = ServerFailure(grpc::StatusCode::NOT_FOUND, "options.piece_id: no such piece",
                                  "options.piece_id");
  const Result result = Run({"follow", "--piece", "p"}, std::string(4410, '\0'));
  EXPECT_EQ(result.code, ExitCode::kNothing);
  EXPECT_THAT(result.err, HasSubstr("antiphon pieces"));
}

TEST_F(ClientPerformanceTest, AMidiClockKeepsToTheAnswers) {
  // Ten seconds of 120 quarter notes a minute, an answer for every fiftieth of a second.
  for (int i = 0; i <= 500; ++i) {
    const double at_s = 0.02 * i, beats = at_s * 2;
    AddAnswer(i == 0 ? v1::FOLLOW_EVENT_STARTED : v1::FOLLOW_EVENT_UPDATE, at_s,
              1 + static_cast<int>(beats / 4), 1 + std::fmod(beats, 4));
  }
  AddAnswer(v1::FOLLOW_EVENT_ENDED, 10.02, 6);
  const std::string path = (dir_ / "clock").string();
  const Result result = Run({"follow", "--piece", "p", Wav(0.1), "--midi-clock", path});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  const std::string bytes = Read(path);
  EXPECT_EQ(bytes.front(), MidiClock::kStart);
  EXPECT_EQ(bytes.back(), MidiClock::kStop);
  EXPECT_NEAR(static_cast<double>(std::count(bytes.begin(), bytes.end(), MidiClock::kTick)),
              20 * 24, 2);
  EXPECT_EQ(Run({"follow", "--piece", "p", "--midi-clock", "/nowhere/clock"}).code,
            ExitCode::kBadInput);
}

TEST_F(ClientPerformanceTest, AMidiClockOfLiveSoundRunsInRealTime) {
  for (int i = 0; i < 30; ++i)
    AddAnswer(i == 0 ? v1::FOLLOW_EVENT_STARTED : v1::FOLLOW_EVENT_UPDATE, 0.02 * i, 1,
              1 + 0.04 * i);
  const std::string path = (dir_ / "clock").string();
  const Result result = Run({"follow", "--piece", "p", Wav(0.6), "--pace", "--midi-clock", path});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  const std::string bytes = Read(path);
  EXPECT_EQ(bytes.front(), MidiClock::kStart);
  EXPECT_EQ(bytes.back(), MidiClock::kStop);
  EXPECT_NEAR(static_cast<double>(std::count(bytes.begin(), bytes.end(), MidiClock::kTick)),
              1.2 * 24, 12);
}

TEST_F(ClientPerformanceTest, TranscribeWritesAMidiFile) {
  v1::TranscribeResponse& response = server_.transcribe_response;
  response.set_verdict(v1::VERDICT_MATCH);
  response.set_midi("MThd and so on");
  response.add_notes();
  response.mutable_info()->set_query_seconds(20);
  v1::TranscribedStretch& stretch = *response.add_stretches();
  stretch.set_start_seconds(2);
  stretch.set_end_seconds(12);
  stretch.mutable_source()->set_title("Waltz");
  stretch.set_similarity(0.875);
  stretch.set_aligned(true);
  v1::TimeSpan& gap = *response.add_gaps();
  gap.set_start_seconds(12);
  gap.set_end_seconds(20);
  const std::string path = (dir_ / "out.mid").string();
  const Result result = Run({"transcribe", Wav(), "-o", path, "--no-velocity", "--min-similarity",
                             "0.25", "--composer", "Bach"});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_EQ(Read(path), "MThd and so on");
  EXPECT_THAT(result.out, AllOf(HasSubstr("1 note from 1 stretch, 1 gap"),
                                HasSubstr("0:02.0–0:12.0  Waltz"), HasSubstr("recognised"),
                                HasSubstr("0:12.0–0:20.0"), HasSubstr("written to " + path)));
  EXPECT_TRUE(server_.transcribe_request.without_velocity());
  EXPECT_EQ(server_.transcribe_request.min_similarity(), 0.25);
  EXPECT_THAT(server_.transcribe_request.filter().composers(), ElementsAre("Bach"));

  EXPECT_EQ(Run({"transcribe", Wav(), "-o", "-"}).out, "MThd and so on");
  EXPECT_FALSE(server_.transcribe_request.without_velocity());
  EXPECT_FALSE(server_.transcribe_request.has_min_similarity());
  EXPECT_EQ(Run({"transcribe", Wav(), "--json"}).json()["stretches"][0]["aligned"], true);
}

TEST_F(ClientPerformanceTest, NoNotesAreNothing) {
  server_.transcribe_response.set_verdict(v1::VERDICT_NO_MATCH);
  const std::string path = (dir_ / "out.mid").string();
  const Result result = Run({"transcribe", Wav(), "-o", path});
  EXPECT_EQ(result.code, ExitCode::kNothing);
  EXPECT_THAT(result.out, HasSubstr("nothing in the collection is near"));
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(ClientPerformanceTest, OptionsThatDoNotGoTogetherAreRefused) {
  const auto refusal = [&](const std::vector<std::string>& arguments) {
    const Result result = Run(arguments);
    EXPECT_EQ(result.code, ExitCode::kBadInput);
    EXPECT_THAT(result.out, IsEmpty());
    return result.err;
  };
  EXPECT_THAT(refusal({"align"}), HasSubstr("file"));
  EXPECT_THAT(refusal({"align", "a", "b", "--piece", "c"}), HasSubstr("--piece"));
  EXPECT_THAT(refusal({"align", "a", "--format", "midi"}), HasSubstr("-o FILE.mid"));
  EXPECT_THAT(refusal({"align", "a", "--format", "tsv", "--json"}), HasSubstr("--json"));
  EXPECT_THAT(refusal({"align", "a", "--json", "--each", "note"}), HasSubstr("--each"));
  EXPECT_THAT(refusal({"align", "a", "--format", "wav"}), HasSubstr("audacity"));
  EXPECT_THAT(refusal({"follow"}), HasSubstr("--score FILE or --piece ID"));
  EXPECT_THAT(refusal({"follow", "--piece", "p", "--score", "s"}), HasSubstr("--"));
  EXPECT_THAT(refusal({"follow", "--piece", "p", "--pace"}), HasSubstr("--pace"));
  EXPECT_THAT(refusal({"follow", "--piece", "p", "a.wav", "--rate", "8000"}), HasSubstr("--rate"));
  EXPECT_THAT(refusal({"follow", "--piece", "p", Midi()}), HasSubstr("--score"));
  EXPECT_THAT(refusal({"transcribe", "a", "-o", "-", "--json"}), HasSubstr("--json"));
  EXPECT_EQ(server_.calls, 0);
}

}  // namespace
}  // namespace antiphon::client
