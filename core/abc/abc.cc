#include "core/abc/abc.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/abc/abc_text.h"
#include "core/abc/abc_tune.h"
#include "core/base/status_macros.h"
#include "core/music/score.h"

namespace antiphon::notation {
namespace {

// Takes a line off the text, without its end (\n, \r\n or \r).
std::string_view TakeLine(std::string_view* text) {
  const size_t end = std::min(text->find_first_of("\r\n"), text->size());
  const std::string_view line = text->substr(0, end);
  text->remove_prefix(end);
  if (text->starts_with("\r\n")) {
    text->remove_prefix(2);
  } else if (!text->empty()) {
    text->remove_prefix(1);
  }
  return line;
}

bool IsBlank(std::string_view line) {
  return std::all_of(line.begin(), line.end(), [](char c) { return absl::ascii_isspace(c); });
}

bool BeginsTune(std::string_view line) {
  return line.starts_with("X:") && (line.size() == 2 || (line[2] != '|' && line[2] != ':'));
}

std::string_view WithoutByteOrderMark(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  return text;
}

class AbcFile {
 public:
  explicit AbcFile(const NotationLimits& limits)
      : limits_(limits),
        budget_(limits),
        header_(AbcHeader{}, /*line=*/0, limits_, budget_),
        notes_left_(limits.max_notes) {}

  absl::Status Read(std::string_view text) {
    int number = 0;
    while (!text.empty()) {
      RETURN_IF_ERROR(AddLine(TakeLine(&text), ++number));
    }
    return FinishTune();
  }

  absl::StatusOr<std::vector<WrittenScore>> Finish() && {
    if (scores_.empty()) {
      return absl::InvalidArgumentError(refused_ > 0 ? first_refusal_
                                                     : "the file has no tune (no field X:)");
    }
    if (refused_ > 0) {
      std::vector<std::string>& warnings = scores_.front().warnings;
      if (warnings.size() >= music::kMaxScoreWarnings) warnings.pop_back();
      warnings.push_back(
          absl::StrCat("tunes of the file that are left out: ", refused_, "; ", first_refusal_));
    }
    return std::move(scores_);
  }

 private:
  absl::Status AddLine(std::string_view line, int number) {
    // Typeset text between %%begin and %%end is neither fields nor music.
    if (line.starts_with("%%begin")) in_text_ = true;
    if (line.starts_with("%%end")) in_text_ = false;
    if (in_text_) return absl::OkStatus();
    if (BeginsTune(line)) {
      RETURN_IF_ERROR(FinishTune());
      tune_ = std::make_unique<AbcTune>(header_.header(), number, limits_, budget_);
      any_tune_ = true;
      return absl::OkStatus();
    }
    if (IsBlank(line)) return FinishTune();
    if (tune_) return tune_->AddLine(line, number);
    // What stands between tunes is text.
    return any_tune_ ? absl::OkStatus() : header_.AddLine(line, number);
  }

  absl::Status FinishTune() {
    if (!tune_) return absl::OkStatus();
    absl::StatusOr<WrittenScore> score = std::move(*tune_).Finish();
    tune_.reset();
    if (absl::IsInvalidArgument(score.status())) {
      if (refused_++ == 0) first_refusal_ = std::string(score.status().message());
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(score.status());
    notes_left_ -= static_cast<int64_t>(score->notes.size());
    if (notes_left_ < 0) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the file has more than ", limits_.max_notes, " notes"));
    }
    if (scores_.size() >= static_cast<size_t>(limits_.max_scores)) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the file has more than ", limits_.max_scores, " tunes"));
    }
    scores_.push_back(*std::move(score));
    return absl::OkStatus();
  }

  const NotationLimits& limits_;
  AbcBudget budget_;
  AbcTune header_;  // of the file
  std::unique_ptr<AbcTune> tune_;
  bool any_tune_ = false;
  bool in_text_ = false;
  int64_t notes_left_;
  int refused_ = 0;
  std::string first_refusal_;
  std::vector<WrittenScore> scores_;
};

}  // namespace

bool LooksLikeAbc(std::string_view head) {
  std::optional<std::string> converted = AbcFromUtf16(head.substr(0, head.size() & ~size_t{1}));
  std::string_view rest = WithoutByteOrderMark(converted ? std::string_view(*converted) : head);
  if (rest.starts_with("%abc")) return true;
  bool tune = false;
  while (!rest.empty()) {
    const std::string_view line = TakeLine(&rest);
    if (line.find('\0') != std::string_view::npos) return false;
    if (BeginsTune(line)) {
      tune = true;
    } else if (tune && line.starts_with("K:")) {
      return true;
    }
  }
  return false;
}

absl::StatusOr<std::vector<WrittenScore>> ReadAbc(std::string_view text,
                                                  const NotationLimits& limits) {
  const auto too_long = [&] {
    return absl::ResourceExhaustedError(
        absl::StrCat("the file is longer than ", limits.max_bytes, " bytes"));
  };
  if (static_cast<int64_t>(text.size()) > limits.max_bytes) return too_long();
  const std::optional<std::string> converted = AbcFromUtf16(text);
  if (converted) text = *converted;
  if (static_cast<int64_t>(text.size()) > limits.max_bytes) return too_long();
  AbcFile file(limits);
  RETURN_IF_ERROR(file.Read(WithoutByteOrderMark(text)));
  return std::move(file).Finish();
}

}  // namespace antiphon::notation
