// A process that edits and merges is killed at random moments: whatever it was told to be done is
// there afterwards, and nothing by half.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/editing/collection_store.h"
#include "core/retrieval/bundle_collection.h"
#include "core/testing/live_test_bundle.h"
#include "core/testing/temporary_folder.h"

namespace antiphon::editing {
namespace {

constexpr char kEditFlag[] = "--edit";
constexpr int kIds = 12;    // "k0", …
constexpr int kSeeds = 20;  // of scores and sound

// What one source is to be: its title and the work of a piece say everything. None: it is not
// there.
struct State {
  int seed = 0;
  std::string title;
  std::string work_id = {};
  bool operator==(const State&) const = default;
};
using States =
    std::map<std::string, std::optional<State>>;  // by id, "k…" pieces and "s…" recordings

bool IsPiece(const std::string& id) { return id[0] == 'k'; }

// Edits for ever, a random one after the other. Says on standard output what it is about to do, "?
// ID SEED" or
// "? ID -", and "!" once that has been acknowledged.
[[noreturn]] void EditUntilKilled(const std::string& root, unsigned seed) {
  StoreOptions options;
  options.merge_fraction = 0.001;
  options.merge_vectors = 150;
  auto live = CollectionStore::Open(root, options);
  if (!live.ok()) {
    std::printf("failed: %s\n", live.status().ToString().c_str());
    std::exit(1);
  }
  const auto say = [](const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  };
  say("open");
  std::mt19937 random(seed);
  while (true) {
    const std::string id = absl::StrCat(random() % 6 == 0 ? "s" : "k", random() % kIds);
    const std::shared_ptr<const retrieval::BundleCollection> now = (*live)->Current();
    const collection::CollectionView& view = now->view();
    const bool there =
        IsPiece(id) ? view.FindPiece(id).has_value() : view.FindRecording(id).has_value();
    const int next = static_cast<int>(random() % kSeeds);
    const std::string title = absl::StrCat("Seed ", next);
    const bool remove = there && random() % 3 == 0;
    say(absl::StrCat("? ", id, " ", remove ? "-" : absl::StrCat(next)));
    absl::Status status;
    if (IsPiece(id)) {
      status =
          remove ? (*live)->Apply(DeletePiece{.id = id}).status()
          : there
              ? (*live)
                    ->Apply(UpdatePiece{
                        .id = id, .title = title, .work_id = title, .midi = testing::MidiOf(next)})
                    .status()
              : (*live)
                    ->Apply(AddPiece{{.id = id, .title = title, .work_id = title},
                                     testing::MidiOf(next)})
                    .status();
    } else {
      status = remove ? (*live)->Apply(DeleteRecording{.id = id}).status()
               : there
                   ? (*live)
                         ->Apply(UpdateRecording{
                             .id = id, .title = title, .audio = testing::AudioOf(next)})
                         .status()
                   : (*live)
                         ->Apply(AddRecording{{.id = id, .title = title}, testing::AudioOf(next)})
                         .status();
    }
    say(status.ok() ? "!" : absl::StrCat("failed: ", status.ToString()));
    if (!status.ok()) std::exit(1);
  }
}

// Runs this program as the one that edits; what it said until it was killed.
class EditingProcess {
 public:
  EditingProcess(const std::string& root, unsigned seed) {
    int ends[2];
    if (pipe(ends) != 0) std::abort();
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    std::string program = "live_collection_kill_test", flag = kEditFlag, folder = root,
                number = absl::StrCat(seed);
    char* arguments[] = {program.data(), flag.data(), folder.data(), number.data(), nullptr};
    if (posix_spawn(&child_, "/proc/self/exe", &actions, nullptr, arguments, environ) != 0)
      std::abort();
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    output_ = fdopen(ends[0], "r");
  }
  ~EditingProcess() { std::fclose(output_); }

  // Waits for `lines` of output, then a little longer, and kills.
  std::vector<std::string> KillAfter(int lines, std::chrono::milliseconds wait) {
    std::vector<std::string> said;
    while (static_cast<int>(said.size()) < lines && ReadLine(said)) {
    }
    std::this_thread::sleep_for(wait);
    kill(child_, SIGKILL);
    while (ReadLine(said)) {
    }
    waitpid(child_, nullptr, 0);
    return said;
  }

 private:
  bool ReadLine(std::vector<std::string>& lines) {
    char line[1000];
    if (std::fgets(line, sizeof(line), output_) == nullptr) return false;
    lines.emplace_back(line, std::string(line).find('\n'));
    return true;
  }

  pid_t child_ = 0;
  FILE* output_ = nullptr;
};

// "? ID SEED" as the state that it asks for.
std::pair<std::string, std::optional<State>> Intent(const std::string& line) {
  const std::vector<std::string> words = absl::StrSplit(line, ' ');
  int seed = 0;
  if (!absl::SimpleAtoi(words.at(2), &seed)) return {words[1], std::nullopt};
  const std::string title = absl::StrCat("Seed ", seed);
  return {words[1], State{seed, title, IsPiece(words[1]) ? title : ""}};
}

// What is there, with the seed that the bytes are of.
States StatesOf(const collection::CollectionView& view) {
  States states;
  static const auto& seed_of =
      [] {
        auto& seeds = *new std::map<std::string, int>;
        for (int seed = 0; seed < kSeeds; ++seed)
          seeds[testing::MidiOf(seed)] = seeds[testing::AudioOf(seed)] = seed;
        return std::cref(seeds);
      }()
          .get();
  for (size_t i = 0; i < view.pieces().size(); ++i) {
    const catalog::Piece& piece = view.pieces()[i];
    states[piece.id] =
        State{seed_of.at(view.ReadMidi(static_cast<int>(i)).value()), piece.title, piece.work_id};
  }
  for (size_t i = 0; i < view.recordings().size(); ++i) {
    const catalog::Recording& recording = view.recordings()[i];
    states[recording.id] =
        State{seed_of.at(view.ReadAudio(static_cast<int>(i)).value()), recording.title};
  }
  return states;
}

TEST(LiveCollectionKillTest, WhatWasAcknowledgedIsThereAndNothingByHalf) {
  const testing::TemporaryFolder folder;
  const testing::LiveTestBundle bundle(folder.path());
  bundle.Index(1, 0, kSeeds - 1);
  std::mt19937 random(11);
  States expected = {{"p0", State{kSeeds - 1, "Indexed", "work-0"}}};
  int acknowledged = 0, in_flight = 0;
  int64_t generation = 0;
  int losses = 0;
  for (unsigned round = 0; round < 12; ++round) {
    EditingProcess process(bundle.root(), round);
    const std::vector<std::string> said = process.KillAfter(
        1 + static_cast<int>(random() % 30), std::chrono::milliseconds(random() % 40));
    std::optional<std::string> asked;
    for (const std::string& line : said) {
      ASSERT_EQ(line.find("failed"), std::string::npos) << line;
      if (line[0] == '?') asked = line;
      if (line[0] != '!') continue;
      const auto [id, state] = Intent(*asked);
      expected[id] = state;
      asked.reset();
      ++acknowledged;
    }
    StoreOptions options;
    options.merge_fraction = 0;
    auto live = CollectionStore::Open(bundle.root(), options);
    ASSERT_TRUE(live.ok()) << live.status();
    EXPECT_THAT((*live)->edit_status().rejected_changes, ::testing::IsEmpty());
    EXPECT_THAT((*live)->Current()->rejected_generations(), ::testing::IsEmpty());
    const States found = StatesOf((*live)->Current()->view());
    if (asked.has_value()) {
      // Whether it was done, its process could not say any more.
      const auto [id, state] = Intent(*asked);
      const auto there = found.find(id);
      const std::optional<State> now = there == found.end() ? std::nullopt : there->second;
      if (now == state) {
        expected[id] = state;
        ++in_flight;
      }
    }
    std::erase_if(expected, [](const auto& entry) { return !entry.second.has_value(); });
    ASSERT_EQ(found, expected) << "round " << round;
    ASSERT_EQ(testing::DifferenceFromFresh(bundle, *(*live)->Current(), {3, 9}), "")
        << "round " << round;
    generation = (*live)->Current()->manifest().generation;
    const bool needs_journal = (*live)->edit_status().unmerged > 0;
    live->reset();
    // Whatever the moment of the kill, the loss of the journal is noticed.
    const std::string journal = bundle.root() + "/journal.sqlite", kept = journal + ".kept";
    std::filesystem::rename(journal, kept);
    EXPECT_EQ(CollectionStore::Open(bundle.root(), options).ok(), !needs_journal) << round;
    std::filesystem::rename(kept, journal);
    losses += needs_journal ? 1 : 0;
  }
  EXPECT_GT(acknowledged, 50);
  EXPECT_GT(generation, 3);  // merges were among it
  EXPECT_GT(losses, 3);
  std::printf("12 kills, %d edits acknowledged and found, %d found that were not, %d generations\n",
              acknowledged, in_flight, static_cast<int>(generation));
}

}  // namespace
}  // namespace antiphon::editing

int main(int argc, char** argv) {
  if (argc == 4 && std::string(argv[1]) == antiphon::editing::kEditFlag) {
    antiphon::editing::EditUntilKilled(argv[2], static_cast<unsigned>(std::atoi(argv[3])));
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
