// Options that can't act are refused before any work begins. The folders named here don't exist, so
// that a command which takes its options fails on those.
#include "trainer/commands/subcommands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <string>

namespace antiphon::trainer::commands {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string Told(const std::string& arguments) {
  CLI::App program;
  absl::Status outcome;
  AddOverlap(program, outcome);
  AddPrepare(program, outcome);
  AddTrain(program, outcome);
  AddEvaluate(program, outcome);
  AddCalibrate(program, outcome);
  AddPicture(program, outcome);
  program.parse(arguments);
  return std::string(outcome.message());
}

const char kIdle[] = "can't act here";

std::string Evaluate(const std::string& suite, const std::string& arguments) {
  return Told("evaluate --work /nonexistent/work --suite " + suite + " " + arguments);
}

TEST(EvaluateTest, ASuiteRefusesWhatItMakesNoUseOf) {
  const std::string model = "--model /nonexistent --scores /nonexistent ";
  for (const char* option :
       {"--degrade all", "--excerpts 2", "--transpose 1", "--sizes 5", "--errors x", "--asap x",
        "--recordings x", "--performances 3", "--render-threads 1", "--render-only"}) {
    const std::string name = std::string(option).substr(0, std::string(option).find(' '));
    EXPECT_THAT(Evaluate("snippets", model + option),
                AllOf(StartsWith(name + " "), HasSubstr(kIdle), HasSubstr("suite snippets")));
  }
  EXPECT_THAT(Evaluate("pieces", model + "--snippets 3"), StartsWith("--snippets can't act"));
  EXPECT_THAT(Evaluate("pieces", model + "--no-all-onsets"), StartsWith("--no-all-onsets can't"));
  EXPECT_THAT(Evaluate("alignment", "--asap x --model x"), StartsWith("--model can't act"));
  EXPECT_THAT(Evaluate("alignment", "--asap x --no-untrained"), StartsWith("--no-untrained can't"));
  EXPECT_THAT(Evaluate("performances", "--asap x --model x --part valid"),
              StartsWith("--part can't act"));
}

TEST(EvaluateTest, AnOptionIsRefusedWhereAnotherTakesItsWork) {
  const std::string model = "--model /nonexistent --scores /nonexistent ";
  EXPECT_THAT(Evaluate("snippets", model + "--no-untrained --architecture residual"),
              AllOf(StartsWith("--architecture can't act"), HasSubstr("--no-untrained")));
  EXPECT_THAT(Evaluate("pieces", model + "--no-untrained --seed 2"),
              StartsWith("--seed can't act"));
  EXPECT_THAT(Evaluate("recordings", model + "--recordings x --soundfont x"),
              AllOf(StartsWith("--soundfont can't act"), HasSubstr("--errors")));
  EXPECT_THAT(Evaluate("unknown", "--model x --asap x --scores x"),
              StartsWith("--scores can't act"));
  EXPECT_THAT(Evaluate("unknown", "--model x --asap x --recordings x"),
              HasSubstr("needs --scores"));
  const std::string bundle = "--model x --scores x --bundle x ";
  EXPECT_THAT(Evaluate("rendered", bundle + "--no-untrained --listed 5"),
              AllOf(StartsWith("--listed can't act"), HasSubstr("--bundle")));
  EXPECT_THAT(Evaluate("violin", "--model x --recordings x --no-untrained --bundle x --asap x"),
              AllOf(StartsWith("--asap can't act"), HasSubstr("--bundle")));
  EXPECT_THAT(Evaluate("ensemble", "--model x --recordings x --no-untrained --bundle x --scores x"),
              AllOf(StartsWith("--scores can't act"), HasSubstr("--bundle")));
  EXPECT_THAT(Evaluate("rendered", bundle), HasSubstr("--bundle needs --no-untrained"));
  EXPECT_THAT(Evaluate("violin", model + "--recordings x --no-untrained --seed 2"),
              StartsWith("--seed can't act"));
  EXPECT_THAT(Evaluate("unknown", "--asap x --render-only --json x"),
              AllOf(StartsWith("--json can't act"), HasSubstr("--render-only")));
}

TEST(EvaluateTest, SaysWhatASuiteNeeds) {
  EXPECT_EQ(Evaluate("snippets", "--scores x"), "suite snippets needs --model");
  EXPECT_EQ(Evaluate("recordings", "--model x --scores x"), "suite recordings needs --recordings");
  EXPECT_EQ(Evaluate("unknown", "--render-only"), "suite unknown needs --asap");
  EXPECT_EQ(Evaluate("ensemble", "--model x --scores x"), "suite ensemble needs --recordings");
  EXPECT_EQ(Evaluate("ensemble", "--model x --recordings x"),
            "suite ensemble needs --scores or --bundle");
  EXPECT_EQ(Evaluate("violin", "--model x --recordings x"),
            "suite violin needs --scores or --bundle");
  EXPECT_EQ(Evaluate("rendered", "--model x"), "suite rendered needs --scores");
  EXPECT_EQ(Evaluate("pieces", "--model x --no-untrained --scores x --scores y"),
            "suite pieces takes one --scores");
}

// As docs/quality.md gives them to each suite.
TEST(EvaluateTest, TakesWhatASuiteUses) {
  const std::string model = "--model /nonexistent --json x ",
                    scores = "--scores x --split /nonexistent/split.tsv ",
                    asap = "--asap /nonexistent --performances 3 --render-threads 1 ";
  for (const auto& [suite, arguments] : {
           std::pair("snippets", model + scores + "--part valid --snippets 4 --no-all-onsets"),
           std::pair("pieces", model + scores + "--no-untrained"),
           std::pair("performances", model + asap + "--errors x --no-untrained --seed 2"),
           std::pair("recordings", model + "--scores x --recordings x --degrade all --transpose 1"),
           std::pair("recordings", model + "--scores x --recordings x --errors x --soundfont x"),
           std::pair("unknown", model + asap + "--transpose 1 --recordings x --scores x"),
           std::pair("catalogue-size", model + asap +
                                           "--scores x --recordings x --sizes 100,300 "
                                           "--distractors x --distractors y"),
           std::pair("catalogue-size", model + asap +
                                           "--scores x --recordings x --no-untrained "
                                           "--bundle /nonexistent"),
           std::pair("catalogue-size", model + "--scores x --recordings x --no-untrained --seed 2 "
                                               "--bundle /nonexistent"),
           std::pair("ensemble", model + "--scores x --recordings /nonexistent --excerpts 4"),
           std::pair("ensemble", model + "--recordings /nonexistent --no-untrained --bundle x"),
           std::pair("violin", model + "--recordings /nonexistent --no-untrained --bundle x"),
           std::pair("violin", model + "--scores x --recordings /nonexistent --excerpts 4 --asap x "
                                       "--distractors x --distractors y"),
           std::pair("rendered", model + "--scores /nonexistent --scores y --works 3 --listed 20 "
                                         "--excerpts 2 --soundfont x --seed 2"),
           std::pair("snippets", model + scores + "--own-instruments"),
           std::pair("pieces", model + "--midi /nonexistent --no-untrained"),  // its old name
           std::pair("transcription", model + scores + "--snippets 5 --threads 1"),
           std::pair("transcription", model + scores + "--recordings x --recorded-scores x"),
           std::pair("alignment", asap + "--seed 2"),
           std::pair("alignment", asap + "--render-only"),
       }) {
    EXPECT_THAT(Evaluate(suite, arguments),
                AllOf(Not(HasSubstr(kIdle)), Not(HasSubstr("needs")), HasSubstr("/nonexistent")));
  }
}

TEST(EvaluateTest, NamesWhatIsOutOfRange) {
  EXPECT_EQ(Evaluate("alignment", "--asap x --performances -1"),
            "performances: -1 is not in 0 to 1000000");
  EXPECT_EQ(Evaluate("ensemble", "--model x --scores x --recordings x --no-untrained --excerpts 0"),
            "excerpts: 0 is not in 1 to 1000");
  EXPECT_EQ(Evaluate("rendered", "--model x --scores x --no-untrained --works -1"),
            "works: -1 is not in 0 to 1000000");
}

TEST(EvaluateTest, RecordingsAreTranscribedWithTheirScores) {
  EXPECT_EQ(Evaluate("transcription", "--model x --scores x --recordings x"),
            "suite transcription: --recordings and --recorded-scores go together");
}

TEST(EvaluateTest, RefusesWhatOnlyRendersPerformances) {
  EXPECT_THAT(Told("evaluate --suite catalogue-size --model x --scores x --recordings x "
                   "--performances 3"),
              AllOf(StartsWith("--performances"), HasSubstr(kIdle), HasSubstr("--asap")));
}

TEST(TrainTest, RefusesWhatCannotAct) {
  const std::string train = "train --store /nonexistent --out /nonexistent/out ";
  for (const auto& [arguments, option] :
       {std::pair("--mix-share 0.2", "--mix-share"),
        std::pair("--exact 1 --tempo-error 0.1", "--tempo-error"),
        std::pair("--exact 1 --misplacement 0.1", "--misplacement"),
        std::pair("--exact 0 --repeats 0.5", "--repeats"),
        std::pair("--exact 0 --near-misses 1", "--near-misses"),
        std::pair("--group 1 --repeats 0.5", "--repeats"),
        std::pair("--group 1 --group-reach 5", "--group-reach")}) {
    EXPECT_THAT(Told(train + arguments), AllOf(StartsWith(option), HasSubstr(kIdle)));
  }
  for (const char* arguments :
       {"--exact 1 --tempo-error 0 --repeats 0.7 --near-misses 1", "--exact 0 --near-misses 0",
        "--from x --mix y --mix-share 0.3", "--group 1", "--transpose 0"}) {
    EXPECT_THAT(Told(train + arguments), HasSubstr("no feature store")) << arguments;
  }
  EXPECT_THAT(Told(train + "--transpose 13"), StartsWith("max_transposition: 13 is not in"));
}

TEST(OtherCommandsTest, RefuseWhatCannotAct) {
  EXPECT_THAT(Told("picture x.mid -o x.png --audio x.wav --soundfont x.sf2"),
              AllOf(StartsWith("--soundfont"), HasSubstr(kIdle)));
  EXPECT_THAT(Told("overlap --trained x --measured y --trained-by-hash --trained-split z"),
              AllOf(StartsWith("--trained-by-hash"), HasSubstr(kIdle)));
  EXPECT_THAT(Told("overlap --trained x --measured y --measured-by-hash --measured-split z"),
              AllOf(StartsWith("--measured-by-hash"), HasSubstr(kIdle)));
  EXPECT_THAT(Told("calibrate --model x --scores y --soundfont z --plain --no-paths"),
              AllOf(StartsWith("--no-paths"), HasSubstr(kIdle)));
  EXPECT_THAT(Told("prepare --scores x --store y --soundfont z --min-tempo 2 --max-tempo 0.5"),
              StartsWith("max_tempo_ratio: 0.5 is not in 2 to 10"));
}

}  // namespace
}  // namespace antiphon::trainer::commands
