#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/collection/bundle_builder.h"
#include "core/music/midi_file.h"
#include "core/scores/read_score.h"
#include "core/streaming/segments.h"
#include "core/streaming/stream_identifier.h"
#include "trainer/base/fingerprint.h"
#include "trainer/data/midi_files.h"
#include "trainer/data/performance.h"
#include "trainer/data/renderer.h"
#include "trainer/datasets/asap.h"
#include "trainer/datasets/editions.h"
#include "trainer/datasets/excerpts.h"
#include "trainer/evaluation/asked_collection.h"
#include "trainer/evaluation/suites.h"

namespace antiphon::trainer::evaluation {
namespace {

using datasets::CorpusPiece;

constexpr double kQuery_s = 40;                    // of sound, of each piece
const std::vector<double> kLengths = {5, 10};      // of the excerpts cut out of it
constexpr int kExcerpts = 2;                       // of each length
constexpr int kStreamed = 5;                       // every so many pieces are streamed, too
constexpr double kStreamUpdate_s = 2;              // as the server asks about long recordings
constexpr double kLiveAt_s = 10;                   // when a live answer is looked at
constexpr double kSlowest = 0.8, kFastest = 1.25;  // tempo of what is played over that written

// A score in the collections, or one that is asked about without being in any.
struct Piece {
  std::string id;
  std::string midi;
  music::Score score;
  int work = -1;
  std::string kind;    // of edition; "real", or empty for the piece itself
  bool asked = false;  // there are queries for it
  bool known = true;   // it is in the collections
};

struct TestBed {
  std::vector<Piece> pieces;
  std::vector<datasets::EditionPair> pairs;  // of the list
  std::map<CorpusPiece, int> place;          // in `pieces`, of listed ones
};

using Corpora = std::map<CorpusPiece, std::string>;  // MIDI files

absl::StatusOr<Corpora> ReadCorpora(const std::string& folder) {
  Corpora corpora;
  for (const char* corpus : {"msmd", "piano-midi.de"}) {
    ASSIGN_OR_RETURN(const std::vector<data::SourceFile> files,
                     data::MidiFilesBelow(absl::StrCat(folder, "/", corpus)));
    for (const data::SourceFile& file : files) corpora[{corpus, file.name()}] = file.path;
  }
  ASSIGN_OR_RETURN(const datasets::Asap asap, datasets::ReadAsap(folder + "/asap"));
  for (const datasets::AsapScore& score : asap.scores)
    corpora[{"asap", score.id}] = score.midi_path;
  return corpora;
}

absl::StatusOr<Piece> ReadPiece(const CorpusPiece& name, const Corpora& corpora) {
  const auto file = corpora.find(name);
  if (file == corpora.end()) {
    return absl::NotFoundError(absl::StrCat("the corpora hold no ", name.corpus, "/", name.name));
  }
  Piece piece;
  piece.id = absl::StrCat(name.corpus, "/", name.name);
  ASSIGN_OR_RETURN(piece.midi, ReadWholeFile(file->second));
  ASSIGN_OR_RETURN(piece.score, notation::ReadScore(piece.midi));
  return piece;
}

// The listed pieces: those of the same music are one work, whose first is the piece and whose
// others are its editions. What only looks alike are works of their own.
absl::Status AddListed(const Corpora& corpora, TestBed& bed) {
  std::map<CorpusPiece, int> work;
  int works = 0;
  for (const datasets::EditionPair& pair : bed.pairs) {
    for (const CorpusPiece& name : {pair.one, pair.other}) {
      if (work.emplace(name, works).second) ++works;
    }
    if (!pair.same) continue;
    const int into = work[pair.one], from = work[pair.other];
    for (auto& [name, number] : work) {
      if (number == from) number = into;
    }
  }
  std::set<int> begun;
  for (const datasets::EditionPair& pair : bed.pairs) {
    for (const CorpusPiece& name : {pair.one, pair.other}) {
      if (bed.place.contains(name)) continue;
      ASSIGN_OR_RETURN(Piece piece, ReadPiece(name, corpora));
      piece.work = work[name];
      // Of a work the first is the piece that is asked for, where there is another.
      if (begun.insert(piece.work).second) {
        piece.asked = pair.same;
      } else {
        piece.kind = "real";
      }
      bed.place[name] = static_cast<int>(bed.pieces.size());
      bed.pieces.push_back(std::move(piece));
    }
  }
  return absl::OkStatus();
}

// Pieces beyond those listed, each once, in an order of the seed; `take` says whether it wants
// more.
template <typename Take>
absl::Status ForOtherPieces(const Corpora& corpora, const TestBed& bed, uint64_t seed, Take take) {
  std::vector<CorpusPiece> names;
  for (const auto& [name, path] : corpora) {
    if (name.corpus != "asap" && !bed.place.contains(name)) names.push_back(name);
  }
  std::shuffle(names.begin(), names.end(), std::mt19937_64(seed));
  for (const CorpusPiece& name : names) {
    ASSIGN_OR_RETURN(Piece piece, ReadPiece(name, corpora));
    if (data::MusicEnd(piece.score) < kQuery_s) continue;
    if (!take(std::move(piece))) break;
  }
  return absl::OkStatus();
}

absl::StatusOr<TestBed> MakeTestBed(const EditionsOptions& options) {
  TestBed bed;
  ASSIGN_OR_RETURN(bed.pairs, datasets::ReadEditionList(options.list));
  ASSIGN_OR_RETURN(const Corpora corpora, ReadCorpora(options.corpora));
  RETURN_IF_ERROR(AddListed(corpora, bed));
  int next_work = 1'000'000, made = 0, unknown = 0;
  absl::Status failed;
  RETURN_IF_ERROR(ForOtherPieces(corpora, bed, options.seed, [&](Piece piece) {
    piece.work = next_work++;
    piece.asked = true;
    if (made == options.made_editions) {
      piece.known = false;
      bed.pieces.push_back(std::move(piece));
      return ++unknown < options.unknown_pieces;
    }
    const std::string& kind = datasets::EditionKinds()[made % datasets::EditionKinds().size()];
    const auto edition = datasets::MakeEdition(piece.score, kind, HashOf(piece.id));
    if (!edition) return true;
    const absl::StatusOr<std::string> midi = music::WriteMidi(*edition);
    if (!midi.ok()) return true;
    Piece other{absl::StrCat(piece.id, " (", kind, ")"), *midi, *edition, piece.work, kind};
    bed.pieces.push_back(std::move(piece));
    bed.pieces.push_back(std::move(other));
    ++made;
    return true;
  }));
  return bed;
}

// What a piece was asked for, and how that went.
struct Tally {
  int asked = 0, named = 0, misnamed = 0;

  void Add(bool is_named, bool right) {
    ++asked;
    named += is_named && right;
    misnamed += is_named && !right;
  }
  double share(int of) const { return asked ? static_cast<double>(of) / asked : 0; }
};

// By the kind of question: "5 s", "10 s", "live", "long"; known pieces and unknown ones apart, and
// the known by the kind of edition that their work has.
struct Tallies {
  std::map<std::string, Tally> known, unknown, by_edition;
};

class Asker {
 public:
  Asker(const TestBed& bed, const EditionsOptions& options, const retrieval::Collection& collection,
        std::vector<int> works)
      : bed_(bed),
        options_(options),
        collection_(collection),
        works_(std::move(works)),
        renderer_(collection.encoder_info().settings.sample_rate) {}

  absl::Status Ask(bool streams, const std::vector<std::string>& among, Progress& progress,
                   Tallies& tallies) {
    std::map<int, std::string> edition;  // of works
    for (const Piece& piece : bed_.pieces) {
      if (!piece.kind.empty()) edition[piece.work] = piece.kind;
    }
    matching::IdentifyOptions identify;
    identify.filter.sources.piece_ids = among;
    int asked = 0;
    for (const Piece& piece : bed_.pieces) {
      progress.Advance();
      if (!piece.asked) continue;
      ASSIGN_OR_RETURN(const audio::Waveform sound, Play(piece));
      const auto add = [&](const std::string& name, bool named, bool right) {
        (piece.known ? tallies.known : tallies.unknown)[name].Add(named, right);
        if (piece.known && name == "10 s" && edition.contains(piece.work))
          tallies.by_edition[edition[piece.work]].Add(named, right);
      };
      RETURN_IF_ERROR(AskExcerpts(piece, sound, identify, add));
      if (streams && asked++ % kStreamed == 0)
        RETURN_IF_ERROR(AskStream(piece, sound, identify, add));
    }
    return absl::OkStatus();
  }

 private:
  // A part of the piece, at another tempo than the one written.
  absl::StatusOr<audio::Waveform> Play(const Piece& piece) {
    std::mt19937_64 random(HashOf(absl::StrCat(options_.seed, "/editions/", piece.id)));
    const double ratio =
        kSlowest * std::pow(kFastest / kSlowest, std::uniform_real_distribution<>(0, 1)(random));
    const double latest_s = std::max(0.0, data::MusicEnd(piece.score) - kQuery_s * ratio);
    const double start_s = std::uniform_real_distribution<>(0, latest_s + 1e-9)(random);
    const music::Score part = music::AtTempoRatio(
        music::Excerpt(piece.score, start_s, start_s + kQuery_s * ratio), ratio);
    return renderer_.Render(part.notes, data::PlainVariation(options_.soundfont));
  }

  template <typename Add>
  absl::Status AskExcerpts(const Piece& piece, const audio::Waveform& sound,
                           const matching::IdentifyOptions& identify, Add add) {
    const datasets::ExcerptPlan plan = {kLengths, kExcerpts, false, options_.seed};
    for (const datasets::Excerpt& excerpt :
         datasets::DrawExcerpts(plan, 0, piece.id, sound.duration_s())) {
      matching::IdentifyOptions part = identify;
      part.excerpt = {excerpt.start_s, excerpt.start_s + excerpt.length_s};
      ASSIGN_OR_RETURN(const matching::Identification answer,
                       collection_.IdentifyAudio(sound, part));
      add(datasets::LengthName(excerpt.wanted_s), answer.verdict == matching::Verdict::kMatch,
          IsRight(piece, answer));
    }
    return absl::OkStatus();
  }

  template <typename Add>
  absl::Status AskStream(const Piece& piece, const audio::Waveform& sound,
                         const matching::IdentifyOptions& identify, Add add) {
    streaming::StreamOptions stream;
    stream.update_s = kStreamUpdate_s;
    stream.identify = identify;
    streaming::StreamIdentifier identifier(stream);
    streaming::SegmentBuilder segments;
    ASSIGN_OR_RETURN(std::vector<streaming::StreamAnswer> answers,
                     identifier.Push(collection_, sound.samples));
    ASSIGN_OR_RETURN(const auto last, identifier.Finish(collection_));
    answers.insert(answers.end(), last.begin(), last.end());
    bool looked = false;
    for (const streaming::StreamAnswer& answer : answers) {
      RETURN_IF_ERROR(segments.Add(answer));
      if (looked || answer.at_s < kLiveAt_s || answer.ids.empty()) continue;
      looked = true;
      add("live", answer.identification.verdict == matching::Verdict::kMatch,
          IsRight(piece, answer.identification));
    }
    bool right = true, any = false;
    for (const streaming::StreamSegment& segment : segments.Finish()) {
      any = true;
      right = right && works_[*collection_.FindPiece(segment.source_id)] == piece.work;
    }
    add("long", any, right);
    return absl::OkStatus();
  }

  bool IsRight(const Piece& piece, const matching::Identification& answer) const {
    return !answer.candidates.empty() && works_[answer.candidates[0].source] == piece.work;
  }

  const TestBed& bed_;
  const EditionsOptions& options_;
  const retrieval::Collection& collection_;
  const std::vector<int> works_;  // by source
  data::Renderer renderer_;
};

// How the product's own decision fares on the list.
absl::StatusOr<metrics::ReportTable> DecisionTable(const TestBed& bed,
                                                   const retrieval::Collection& collection,
                                                   Progress& progress) {
  const auto meet = [](const matching::Span& a, const matching::Span& b) {
    return a.start_s < b.end_s && b.start_s < a.end_s;
  };
  std::map<int, std::vector<matching::SharedMusic>> found;  // by source
  progress.Start("compare editions", std::ssize(bed.place));
  for (const auto& [name, place] : bed.place) {
    const int source = *collection.FindPiece(bed.pieces[place].id);
    ASSIGN_OR_RETURN(found[source], collection.FindSameMusic(source));
    progress.Advance();
  }
  progress.Finish();
  int same = 0, same_found = 0, other = 0, other_found = 0;
  for (const datasets::EditionPair& pair : bed.pairs) {
    const int one = *collection.FindPiece(bed.pieces[bed.place.at(pair.one)].id);
    const int two = *collection.FindPiece(bed.pieces[bed.place.at(pair.other)].id);
    const bool is_found =
        std::any_of(found[one].begin(), found[one].end(), [&](const matching::SharedMusic& shared) {
          return shared.other == two && meet(shared.in_piece, pair.in_one) &&
                 meet(shared.in_other, pair.in_other);
        });
    (pair.same ? same : other) += 1;
    (pair.same ? same_found : other_found) += is_found;
  }
  const auto share = [](int part, int all) { return all ? 1.0 * part / all : 0; };
  return metrics::ReportTable{"is it the same music",
                              {"called same", "of"},
                              {{"stretches that are", {share(same_found, same), 1.0 * same}},
                               {"that look alike", {share(other_found, other), 1.0 * other}}}};
}

absl::StatusOr<std::unique_ptr<const retrieval::BundleCollection>> OpenCollection(
    const TestBed& bed, const EditionsOptions& options, const std::string& model,
    Progress& progress) {
  std::vector<datasets::CollectionEntry> entries;
  for (const Piece& piece : bed.pieces) {
    if (piece.known) entries.push_back({piece.id, piece.id, "", piece.midi});
  }
  return datasets::OpenReferenceCollection(
      entries, ReferenceCollectionFor(options.models, model, options.reference_collections),
      progress);
}

void AddRows(const std::string& name, const Tallies& without, const Tallies& with,
             metrics::Report& report) {
  for (const auto& [question, tally] : without.known) {
    const Tally& other = with.known.at(question);
    report.tables[0].rows.push_back(
        {absl::StrCat(name, ", ", question),
         {tally.share(tally.named), other.share(other.named), tally.share(tally.misnamed),
          other.share(other.misnamed), 1.0 * tally.asked}});
  }
  for (const auto& [question, tally] : without.unknown) {
    const Tally& other = with.unknown.at(question);
    const auto accepted = [](const Tally& t) { return t.share(t.named + t.misnamed); };
    report.tables[1].rows.push_back({absl::StrCat(name, ", ", question),
                                     {accepted(tally), accepted(other), 1.0 * tally.asked}});
  }
}

}  // namespace

absl::StatusOr<metrics::Report> EvaluateEditions(const EditionsOptions& options,
                                                 Progress& progress) {
  RETURN_IF_ERROR(options.Check());
  const auto started = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(const TestBed bed, MakeTestBed(options));
  std::vector<std::string> once;  // ids of the collection without second editions
  std::vector<int> works;         // by source
  for (const Piece& piece : bed.pieces) {
    if (!piece.known) continue;
    works.push_back(piece.work);
    if (piece.kind.empty()) once.push_back(piece.id);
  }
  metrics::Report report{"editions", {}, {}};
  report.tables = {{"pieces named", {"without", "with", "misnamed", "with", "queries"}, {}},
                   {"unknown pieces accepted", {"without", "with", "queries"}, {}}};
  for (const auto& [name, model, measured] : ModelsOf(options.models)) {
    ASSIGN_OR_RETURN(const auto collection, OpenCollection(bed, options, model, progress));
    Asker asker(bed, options, *collection, works);
    Tallies without, with;
    progress.Start("ask", 2 * std::ssize(bed.pieces));
    RETURN_IF_ERROR(asker.Ask(measured, once, progress, without));
    RETURN_IF_ERROR(asker.Ask(measured, {}, progress, with));
    progress.Finish();
    AddRows(name, without, with, report);
    if (!measured) continue;
    report.settings["model"] = collection->manifest().model_id;
    metrics::ReportTable kinds{
        "pieces named at 10 s, by edition", {"without", "with", "queries"}, {}};
    for (const auto& [kind, tally] : without.by_edition) {
      const Tally& other = with.by_edition.at(kind);
      kinds.rows.push_back(
          {kind, {tally.share(tally.named), other.share(other.named), 1.0 * tally.asked}});
    }
    report.tables.push_back(std::move(kinds));
    ASSIGN_OR_RETURN(metrics::ReportTable decisions, DecisionTable(bed, *collection, progress));
    report.tables.push_back(std::move(decisions));
  }
  const double lot = 1.0 / static_cast<double>(once.size());
  report.tables[0].rows.push_back({"random", {lot, lot, 1 - lot, 1 - lot, 0}});
  report.tables[1].rows.push_back({"random", {1, 1, 0}});
  report.settings["pieces"] = absl::StrCat(once.size(), ", with second editions ", works.size());
  report.settings["seed"] = absl::StrCat(options.seed);
  report.settings["soundfont"] = options.soundfont;
  metrics::NoteSeconds(started, report);
  return report;
}

}  // namespace antiphon::trainer::evaluation
