// What the tests of the change journal share: changes whose every field is told apart, a process
// that can be killed, and a disk that can be full. Header only; belongs to one thread.
#ifndef ANTIPHON_CORE_CATALOG_CHANGE_JOURNAL_TEST_UTIL_H_
#define ANTIPHON_CORE_CATALOG_CHANGE_JOURNAL_TEST_UTIL_H_

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/catalog/change_journal.h"
#include "core/testing/temporary_folder.h"

namespace antiphon::catalog {

namespace fs = std::filesystem;

inline constexpr char kOrigin[] = "0123456789abcdef0123456789abcdef";
inline constexpr char kOtherOrigin[] = "ffffffffffffffffffffffffffffffff";

// A put of a piece whose every field follows from `seed`.
inline Change PutPiece(int seed, size_t content_bytes = 300) {
  Change change;
  change.id = absl::StrCat("piece-", seed);
  change.source.piece = {
      change.id, absl::StrCat("Títle ", seed), "Composer", 1.5 * seed, 2.25 * seed, seed, 10 * seed,
      "Shelf"};
  if (seed % 2 == 1) change.source.piece.work_id = absl::StrCat("Wörk ", seed / 4);
  change.source.piece.with_parts = seed % 5 == 0;
  change.source.content = std::string(content_bytes, static_cast<char>('a' + seed % 26));
  change.source.runs = {{0, 2, 0, 0.5, 0.25, 0.5, 2}, {2, 1 + seed % 3, 0, 1.0, 3, 0.5, 2}};
  if (change.source.piece.with_parts) change.source.runs[1].part = seed % 4;
  for (int64_t i = 0; i < int64_t{8} * (3 + seed % 3); ++i)
    change.source.vectors.push_back(0.25f * static_cast<float>(i - seed));
  return change;
}

inline Change PutRecording(int seed) {
  Change change = PutPiece(seed);
  change.side = change.source.side = Side::kRecordings;
  change.id = absl::StrCat("recording-", seed);
  change.source.piece = {};
  for (SnippetRun& run : change.source.runs) run.part = kWhole;
  change.source.recording = {change.id, "Live", "Composer", absl::StrCat("piece-", seed),
                             12.5,      "Tapes"};
  return change;
}

inline Change Delete(Side side, const std::string& id) {
  Change change;
  change.kind = Change::Kind::kDelete;
  change.side = side;
  change.id = id;
  return change;
}

// Every field, so that two changes are equal when these are.
inline std::string Show(const Change& c) {
  std::string text = absl::StrCat(c.sequence, c.kind == Change::Kind::kPut ? " put " : " delete ",
                                  c.side == Side::kScores ? "score " : "recording ", c.id);
  if (c.kind == Change::Kind::kDelete) return text;
  const auto add = [&](const auto& v) {
    absl::StrAppend(&text, "|", v.id, "|", v.title, "|", v.composer, "|", v.duration_s, "|",
                    v.collection, "|", v.version);
  };
  if (c.side == Side::kScores) {
    add(c.source.piece);
    absl::StrAppend(&text, "|", c.source.piece.beats, "|", c.source.piece.bars, "|",
                    c.source.piece.notes, "|", c.source.piece.work_id,
                    c.source.piece.with_parts ? "|by parts" : "");
  } else {
    add(c.source.recording);
    absl::StrAppend(&text, "|", c.source.recording.piece_id);
  }
  for (const SnippetRun& r : c.source.runs) {
    absl::StrAppend(&text, "|", r.first_vector, " ", r.count, " ", r.tempo_ratio, " ", r.start_s,
                    " ", r.hop_s, " ", r.window_s, " ", r.part);
  }
  for (const float f : c.source.vectors) absl::StrAppend(&text, " ", f);
  return text + "|" + c.source.content;
}

struct Contents {
  std::vector<std::string> changes;  // Show
  std::vector<std::string> damaged;
  absl::Status status;
};

inline Contents ReadAll(ChangeJournal& journal, const std::string& origin = kOrigin,
                        int64_t after = 0) {
  Contents contents;
  contents.status = journal.ReadAfter(
      origin, after,
      [&](const Change& change) {
        contents.changes.push_back(Show(change));
        return absl::OkStatus();
      },
      [&](int64_t, const std::string& what) { contents.damaged.push_back(what); });
  return contents;
}

class ChangeJournalTest : public ::testing::Test {
 protected:
  std::unique_ptr<ChangeJournal> Open() {
    auto journal = ChangeJournal::Open(path_);
    EXPECT_TRUE(journal.ok()) << journal.status();
    return *std::move(journal);
  }

  // Appends one change and returns it as it can be read.
  static std::string Add(ChangeJournal& journal, Change change,
                         const std::string& origin = kOrigin) {
    const auto last = journal.Append(origin, {&change, 1});
    EXPECT_TRUE(last.ok()) << last.status();
    EXPECT_EQ(*last, change.sequence);
    return Show(change);
  }

  static std::string ReadFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static void WriteFile(const std::string& path, const std::string& bytes) {
    fs::remove(path);
    std::ofstream(path, std::ios::binary) << bytes;
  }

  const testing::TemporaryFolder temporary_;
  const fs::path folder_ = temporary_.path();
  const std::string path_ = (folder_ / "journal.sqlite").string();
};

// A process that appends as fast as it can and tells each number it was given through a pipe.
class AppendingProcess {
 public:
  AppendingProcess(const std::string& path, int first_seed) {
    int ends[2];
    if (pipe(ends) != 0) std::abort();
    child_ = fork();
    if (child_ == 0) {
      close(ends[0]);
      Run(path, first_seed, ends[1]);
    }
    close(ends[1]);
    read_end_ = ends[0];
  }

  // Kills it after a while; returns the numbers that it was given.
  std::vector<int64_t> KillAfter(std::chrono::microseconds wait) {
    std::vector<int64_t> numbers;
    int64_t number = 0;
    // The first one only tells that it has begun.
    if (read(read_end_, &number, sizeof(number)) == sizeof(number) && number != 0)
      numbers.push_back(number);
    std::this_thread::sleep_for(wait);
    kill(child_, SIGKILL);
    while (read(read_end_, &number, sizeof(number)) == sizeof(number)) numbers.push_back(number);
    waitpid(child_, nullptr, 0);
    close(read_end_);
    return numbers;
  }

 private:
  [[noreturn]] static void Run(const std::string& path, int seed, int pipe) {
    auto journal = ChangeJournal::Open(path);
    if (!journal.ok()) _exit(1);
    const auto tell = [&](int64_t number) {
      if (write(pipe, &number, sizeof(number)) != sizeof(number)) _exit(2);
    };
    tell(0);
    for (;; seed += 2) {
      // Of several pages, and two at a time: half of a batch must never be there.
      std::vector<Change> batch = {PutPiece(seed, 20'000), PutPiece(seed + 1, 3'000)};
      const auto last = (*journal)->Append(kOrigin, batch);
      if (!last.ok()) _exit(3);
      tell(*last);
    }
  }

  pid_t child_ = 0;
  int read_end_ = -1;
};

// The limit on the size of a file, as a disk that is full: writes beyond it fail.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_ = {};
};

}  // namespace antiphon::catalog

#endif  // ANTIPHON_CORE_CATALOG_CHANGE_JOURNAL_TEST_UTIL_H_
