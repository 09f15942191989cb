// From sound to an answer on a GPU and on the CPU: whether embeddings and answers are the same, and
// how fast each is. See parts.h for the flags.
//
//   gpu_pipeline_check --model DIR --sounds QUERIES.tsv --midi DIR [--bundle ROOT,ROOT]
//                      [--device cuda:0] [--part NAME,NAME] [--seconds N] [--out FILE.json]
//
// A line of QUERIES.tsv is a file beside it, a second to begin at, a number of seconds and the id
// of the piece; --bundle names bundles of those pieces.
#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/bundle/manifest.h"
#include "core/collection/embedder.h"
#include "core/collection/score_cache.h"
#include "core/decoding/decoder.h"
#include "core/index/device_pool.h"
#include "core/music/midi_file.h"
#include "core/retrieval/bundle_collection.h"
#include "tests/gpu/parts.h"

namespace antiphon::gpu {
namespace {

namespace fs = std::filesystem;
using encoder::Modality;
using encoder::Precision;
using encoder::WindowEncoder;

constexpr int64_t kManyWindows = 8192;
constexpr int kBatches[] = {64, 256, 1024, 4096};

struct Query {
  audio::Waveform sound;
  std::string piece;
};

class Pipeline {
 public:
  explicit Pipeline(std::map<std::string, std::string> flags) : flags_(std::move(flags)) {}

  void Encoders(Report& report, Modality modality);
  void Answers(Report& report);
  void InProcess(Report& report);
  void Paths(Report& report);
  void Notices(Report& report);
  void WriteSounds(Report& report);

 private:
  std::string Flag(const char* name, const std::string& otherwise = "") const {
    const auto found = flags_.find(name);
    return found == flags_.end() ? otherwise : found->second;
  }
  std::string device() const { return Flag("device", "cuda:0"); }

  std::unique_ptr<WindowEncoder> Load(Modality modality, const std::string& device,
                                      Precision precision, int batch_size) const {
    encoder::EncoderOptions options;
    options.device = device;
    options.precision = precision;
    options.batch_size = batch_size;
    const char* file =
        modality == Modality::kAudio ? bundle::kAudioEncoderFile : bundle::kScoreEncoderFile;
    auto loaded = encoder::LoadEncoder(Flag("model") + "/" + file, modality, options);
    if (!loaded.ok()) throw std::runtime_error(std::string(loaded.status().message()));
    return *std::move(loaded);
  }

  std::vector<Query> ReadQueries(size_t most) const;
  std::vector<uint8_t> Windows(const encoder::EncoderInfo& info) const;
  std::unique_ptr<const retrieval::BundleCollection> Open(const std::string& root,
                                                          const std::string& device) const;

  const std::map<std::string, std::string> flags_;
};

template <typename T>
T Get(absl::StatusOr<T> result) {
  if (!result.ok()) throw std::runtime_error(std::string(result.status().message()));
  return *std::move(result);
}

// Runs work(i) for i = 0, 1, ... on so many threads until the time is over; how many were done a
// second.
double Rate(int threads, double seconds, const std::function<void(int64_t)>& work) {
  std::atomic<int64_t> next = 0, done = 0;
  const double begin = Now();
  std::vector<std::thread> workers;
  for (int i = 0; i < threads; ++i) {
    workers.emplace_back([&] {
      while (Now() < begin + seconds) {
        work(next.fetch_add(1));
        done.fetch_add(1);
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  return static_cast<double>(done.load()) / (Now() - begin);
}

int Cores() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

std::vector<Query> Pipeline::ReadQueries(size_t most) const {
  const fs::path list = Flag("sounds");
  std::ifstream file(list);
  std::vector<std::vector<std::string>> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(absl::StrSplit(line, '\t'));
    if (lines.back().size() != 4) throw std::runtime_error("a line of --sounds is not four fields");
  }
  if (lines.size() > most) lines.resize(most);
  std::vector<Query> queries(lines.size());
  std::atomic<size_t> next = 0;
  std::vector<std::thread> workers;
  std::atomic<int> failures = 0;
  for (int i = 0; i < Cores(); ++i) {
    workers.emplace_back([&] {
      for (size_t n; (n = next.fetch_add(1)) < lines.size();) {
        audio::DecodeOptions options;
        options.start_s = std::stod(lines[n][1]);
        options.length_s = std::stod(lines[n][2]);
        auto sound = audio::DecodeFile(list.parent_path() / lines[n][0], options);
        if (!sound.ok()) {
          std::fprintf(stderr, "%s\n", sound.status().ToString().c_str());
          ++failures;
          continue;
        }
        queries[n] = {*std::move(sound), lines[n][3]};
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  if (failures > 0 || queries.empty()) throw std::runtime_error("sounds could not be read");
  return queries;
}

// Of real sounds or scores, as many as kManyWindows.
std::vector<uint8_t> Pipeline::Windows(const encoder::EncoderInfo& info) const {
  std::vector<uint8_t> cells;
  const size_t wanted =
      kManyWindows * info.settings.window_frames * info.channels * static_cast<size_t>(info.bands);
  const auto take = [&](const features::FeatureSequence& sequence) {
    const auto batch = Get(collection::CutWindows(info, sequence, 1.0, matching::WindowPlan()));
    cells.insert(cells.end(), batch.cells.begin(), batch.cells.end());
  };
  if (info.modality == Modality::kAudio) {
    const auto front_end = Get(features::AudioFrontEnd::Create(info.settings));
    for (const Query& query : ReadQueries(300)) {
      if (cells.size() >= wanted) break;
      take(Get(collection::AudioFeatures(*front_end, query.sound)));
    }
  } else {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(Flag("midi")))
      if (entry.path().extension() == ".mid") files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) {
      if (cells.size() >= wanted) break;
      take(Get(collection::ScoreFeatures(info.settings, Get(music::ReadMidiFile(file)), 1.0)));
    }
  }
  // Few sounds: round and round.
  for (size_t i = 0; !cells.empty() && cells.size() < wanted; ++i) cells.push_back(cells[i]);
  cells.resize(wanted);
  return cells;
}

Json Compare(const std::vector<float>& one, const std::vector<float>& other, int dimension) {
  double worst = 0, least = 1, sum = 0;
  const size_t rows = one.size() / dimension;
  for (size_t row = 0; row < rows; ++row) {
    double product = 0, one_square = 0, other_square = 0;
    for (size_t i = row * dimension; i < (row + 1) * dimension; ++i) {
      worst = std::max(worst, std::abs(static_cast<double>(one[i]) - other[i]));
      product += static_cast<double>(one[i]) * other[i];
      one_square += static_cast<double>(one[i]) * one[i];
      other_square += static_cast<double>(other[i]) * other[i];
    }
    const double cosine = product / std::sqrt(one_square * other_square);
    least = std::min(least, cosine);
    sum += cosine;
  }
  return {{"windows", rows},
          {"largest_difference", worst},
          {"least_cosine", least},
          {"mean_cosine", sum / static_cast<double>(rows)}};
}

void Pipeline::Encoders(Report& report, Modality modality) {
  const auto cpu = Load(modality, "cpu", Precision::kFloat32, 64);
  const encoder::EncoderInfo info = cpu->info();
  const std::vector<uint8_t> windows = Windows(info);
  const size_t window = windows.size() / kManyWindows;
  const auto first = [&](int64_t count) {
    return std::span<const uint8_t>(windows).first(count * window);
  };
  const auto expected = Get(cpu->Encode(first(1024)));
  struct Kind {
    const char* name;
    std::string device;
    Precision precision;
    double least;  // cosine
  };
  for (const Kind& kind : {Kind{"cpu bfloat16", "cpu", Precision::kBFloat16, 0.99},
                           Kind{"gpu float32", device(), Precision::kFloat32, 0.9999},
                           Kind{"gpu bfloat16", device(), Precision::kBFloat16, 0.99}}) {
    const auto encoder = Load(modality, kind.device, kind.precision, 64);
    const int64_t count = kind.device == "cpu" ? 256 : 1024;
    const auto rows = Get(encoder->Encode(first(count)));
    const Json same = Compare(
        rows, std::vector<float>(expected.begin(), expected.begin() + rows.size()), info.dimension);
    report.Set(absl::StrCat("against cpu float32: ", kind.name), same);
    report.Expect(same["least_cosine"].get<double>() >= kind.least,
                  absl::StrCat(kind.name, ": embeddings differ"));
    // Twice the same, whatever the batch.
    const auto parts = Get(encoder->Encode(first(100)));
    report.Set(absl::StrCat("first 100 alone: ", kind.name),
               Compare(parts, std::vector<float>(rows.begin(), rows.begin() + parts.size()),
                       info.dimension));
  }
  const auto rates = [&](const std::string& name, const std::string& where, Precision precision,
                         double seconds) {
    const auto encoder = Load(modality, where, precision, where == "cpu" ? 64 : 256);
    Json json;
    for (const int batch : kBatches) {
      (void)Get(encoder->Encode(first(batch)));
      json[absl::StrCat(batch)] = std::round(
          batch * Rate(1, seconds, [&](int64_t) { (void)Get(encoder->Encode(first(batch))); }));
    }
    if (where != "cpu") {
      json["4096 by 4 threads"] = std::round(
          4096 * Rate(4, seconds, [&](int64_t) { (void)Get(encoder->Encode(first(4096))); }));
      json["64 by 16 threads"] = std::round(
          64 * Rate(16, seconds, [&](int64_t) { (void)Get(encoder->Encode(first(64))); }));
      for (const int batch : {1, 8, 40}) {
        (void)Get(encoder->Encode(first(batch)));
        json[absl::StrCat("milliseconds for ", batch)] =
            1e3 / Rate(1, seconds / 2, [&](int64_t) { (void)Get(encoder->Encode(first(batch))); });
      }
    }
    report.Set(absl::StrCat("windows a second, ", name), json);
  };
  rates("gpu bfloat16", device(), Precision::kBFloat16, 0.5);
  rates("gpu float32", device(), Precision::kFloat32, 0.3);
  rates("cpu auto", "cpu", Precision::kAuto, 1.0);
}

std::unique_ptr<const retrieval::BundleCollection> Pipeline::Open(const std::string& root,
                                                                  const std::string& where) const {
  collection::CollectionOptions options;
  options.encoder.device = where;
  options.index.devices = Get(index::DevicePool::Open({.device = where}));
  options.scores = std::make_shared<collection::ScoreCache>(2'000'000);  // as the server
  return Get(retrieval::BundleCollection::Open(root, options));
}

struct Answer {
  std::string piece;
  float similarity = 0;
};

std::vector<Answer> Ask(const retrieval::Collection& collection, const std::vector<Query>& queries,
                        double& seconds) {
  std::vector<Answer> answers(queries.size());
  std::atomic<size_t> next = 0;
  std::atomic<int> failures = 0;
  const double begin = Now();
  std::vector<std::thread> workers;
  for (int i = 0; i < Cores(); ++i) {
    workers.emplace_back([&] {
      for (size_t n; (n = next.fetch_add(1)) < queries.size();) {
        const auto answer = collection.IdentifyAudio(queries[n].sound, {});
        if (!answer.ok()) {
          std::fprintf(stderr, "%s\n", answer.status().ToString().c_str());
          ++failures;
        } else if (!answer->candidates.empty()) {
          const matching::Candidate& best = answer->candidates[0];
          answers[n] = {collection.pieces()[best.source].id, best.similarity};
        }
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  seconds = Now() - begin;
  if (failures > 0) throw std::runtime_error(absl::StrCat(failures.load(), " queries failed"));
  return answers;
}

void Pipeline::Answers(Report& report) {
  const std::vector<Query> queries = ReadQueries(500);
  for (const std::string& root :
       std::vector<std::string>(absl::StrSplit(Flag("bundle"), ',', absl::SkipEmpty()))) {
    const std::string name = fs::path(root).filename();
    double cpu_seconds = 0, gpu_seconds = 0;
    std::vector<Answer> on_cpu, on_gpu;
    {
      const auto collection = Open(root, "cpu");
      on_cpu = Ask(*collection, queries, cpu_seconds);
    }
    {
      const auto collection = Open(root, device());
      on_gpu = Ask(*collection, queries, gpu_seconds);
    }
    int same = 0, right_cpu = 0, right_gpu = 0;
    double worst = 0, sum = 0;
    Json others = Json::array();
    for (size_t i = 0; i < queries.size(); ++i) {
      right_cpu += on_cpu[i].piece == queries[i].piece;
      right_gpu += on_gpu[i].piece == queries[i].piece;
      if (on_cpu[i].piece != on_gpu[i].piece) {
        others.push_back(absl::StrCat(queries[i].piece, ": ", on_cpu[i].piece, " ",
                                      on_cpu[i].similarity, " / ", on_gpu[i].piece, " ",
                                      on_gpu[i].similarity));
        continue;
      }
      ++same;
      const double difference =
          std::abs(static_cast<double>(on_cpu[i].similarity) - on_gpu[i].similarity);
      worst = std::max(worst, difference);
      sum += difference;
    }
    report.Set(name, Json{{"queries", queries.size()},
                          {"same_first_piece", same},
                          {"right_on_cpu", right_cpu},
                          {"right_on_gpu", right_gpu},
                          {"largest_difference", worst},
                          {"mean_difference", sum / std::max(1, same)},
                          {"seconds_cpu", cpu_seconds},
                          {"seconds_gpu", gpu_seconds},
                          {"others", others}});
    // A piece may stand twice in the collection, and the two be equally good.
    report.Expect(same >= static_cast<int>(queries.size()) * 99 / 100, name + ": other pieces");
    report.Expect(worst <= 1e-2, name + ": similarities differ");
  }
}

// Samples in memory, from many threads, from features to the vote. The stages alone say what holds
// it up.
void Pipeline::InProcess(Report& report) {
  const std::string root = std::vector<std::string>(absl::StrSplit(Flag("bundle"), ','))[0];
  const std::vector<Query> queries = ReadQueries(200);
  const auto length = [&](int64_t i) { return queries[i % queries.size()].sound.samples.size(); };
  double seconds_each = 0;
  for (size_t i = 0; i < queries.size(); ++i) seconds_each += length(i);
  seconds_each /= 22050.0 * queries.size();
  const auto sound = [&](int64_t i) -> const audio::Waveform& {
    return queries[i % queries.size()].sound;
  };
  for (const std::string& where : {device(), std::string("cpu")}) {
    const auto bundle = Open(root, where);
    const retrieval::Collection* collection = bundle.get();
    (void)Get(collection->IdentifyAudio(sound(0), {}));
    Json json;
    const collection::LoadedCollection& loaded = bundle->loaded();
    if (where != "cpu") {
      json["features alone"] = seconds_each * Rate(Cores(), 2, [&](int64_t i) {
                                 (void)Get(collection::AudioFeatures(*loaded.front_end, sound(i)));
                               });
    }
    for (const int threads : where == "cpu"
                                 ? std::vector<int>{Cores()}
                                 : std::vector<int>{1, Cores(), 2 * Cores(), 4 * Cores()}) {
      json[absl::StrCat("features and embeddings, ", threads, " threads")] =
          seconds_each * Rate(threads, 2, [&](int64_t i) {
            (void)Get(collection->EmbedAudio(sound(i), matching::WindowPlan()));
          });
      json[absl::StrCat("identify, ", threads, " threads")] =
          seconds_each *
          Rate(threads, 3, [&](int64_t i) { (void)Get(collection->IdentifyAudio(sound(i), {})); });
      matching::IdentifyOptions votes;
      votes.follow_paths = false;
      json[absl::StrCat("identify by votes, ", threads, " threads")] =
          seconds_each * Rate(threads, 3, [&](int64_t i) {
            (void)Get(collection->IdentifyAudio(sound(i), votes));
          });
    }
    report.Set("seconds of sound a second, " + where, json);
  }
}

// From embeddings to answers: search, votes and paths, without features and network. --write names
// a file for the answers, to compare two builds by.
void Pipeline::Paths(Report& report) {
  const auto bundle =
      Open(std::vector<std::string>(absl::StrSplit(Flag("bundle"), ','))[0], device());
  const retrieval::Collection* collection = bundle.get();
  std::vector<matching::EmbeddingSequence> windows;
  std::vector<double> lengths;
  double seconds_each = 0;
  for (const Query& query : ReadQueries(200)) {
    windows.push_back(Get(collection->EmbedAudio(query.sound, matching::WindowPlan())));
    lengths.push_back(static_cast<double>(query.sound.samples.size()) / 22050.0);
    seconds_each += lengths.back() / 200;
  }
  std::array<std::atomic<double>, 4> spent = {};
  matching::RequestContext context;
  context.on_stage = [&](matching::Stage stage, double seconds) {
    spent[static_cast<size_t>(stage)] += seconds;
  };
  const auto identify = [&](int64_t i) {
    const size_t n = i % windows.size();
    return Get(collection->IdentifyEmbedded(windows[n], lengths[n], {}, context));
  };
  (void)Rate(Cores(), 1, [&](int64_t i) { (void)identify(i); });  // scores are read once
  for (const int threads : {1, Cores()}) {
    for (std::atomic<double>& seconds : spent) seconds = 0;
    std::atomic<int> asked = 0;
    const double rate = Rate(threads, 4, [&](int64_t i) {
      (void)identify(i);
      ++asked;
    });
    const double each = 1e3 / asked;
    report.Set(
        absl::StrCat("from embeddings, ", threads, " threads"),
        {{"seconds of sound a second", rate * seconds_each},
         {"milliseconds of search", spent[static_cast<size_t>(matching::Stage::kSearch)] * each},
         {"milliseconds of votes and paths",
          spent[static_cast<size_t>(matching::Stage::kVote)] * each}});
  }
  if (Flag("write").empty()) return;
  std::ofstream file(Flag("write"));
  file.precision(9);
  for (size_t n = 0; n < windows.size(); ++n) {
    for (const matching::Candidate& found : identify(static_cast<int64_t>(n)).candidates) {
      file << n << ' ' << collection->pieces()[found.source].id << ' ' << found.score << ' '
           << found.confidence << ' ' << found.similarity << ' ' << found.place.query_s << ' '
           << found.place.reference_s << ' ' << found.match.slope << ' '
           << found.match.reference.start_s << ' ' << found.match.reference.end_s << ' '
           << found.passages.size() << ' ' << found.same_music.size() << '\n';
    }
  }
}

// A GPU that is not there: said, and the CPU encodes.
void Pipeline::Notices(Report& report) {
  std::vector<std::string> said;
  encoder::EncoderOptions options;
  options.device = "cuda:99";
  options.on_fall_back = [&](const std::string& what) { said.push_back(what); };
  const auto encoder = Get(encoder::LoadEncoder(Flag("model") + "/" + bundle::kAudioEncoderFile,
                                                Modality::kAudio, options));
  const encoder::EncoderInfo& info = encoder->info();
  const std::vector<uint8_t> window(
      static_cast<size_t>(info.settings.window_frames) * info.channels * info.bands, 1);
  report.Expect(encoder->Encode(window).ok(), "the CPU did not take over");
  report.Expect(said.size() == 1, "nothing was said");
  report.Set("said", said);
}

// Samples as int16 and the id of the piece, for clients of a server: --write names the folder.
void Pipeline::WriteSounds(Report& report) {
  const std::vector<Query> queries = ReadQueries(128);
  for (size_t i = 0; i < queries.size(); ++i) {
    const std::string path = absl::StrCat(Flag("write"), "/", 1000 + i);
    std::vector<int16_t> samples;
    for (const float sample : queries[i].sound.samples)
      samples.push_back(static_cast<int16_t>(std::clamp(sample, -1.0f, 1.0f) * 32767));
    std::ofstream(path + ".s16")
        .write(reinterpret_cast<const char*>(samples.data()),
               static_cast<std::streamsize>(samples.size() * 2));
    std::ofstream(path + ".txt") << queries[i].piece << "\n";
  }
  report.Set("sounds", queries.size());
}

int Main(int argc, char** argv) {
  const auto flags = ParseFlags(argc, argv);
  Pipeline pipeline(flags);
  return RunParts(
      {{"notices", 20, [&](Report& report) { pipeline.Notices(report); }},
       {"audio", 60, [&](Report& report) { pipeline.Encoders(report, Modality::kAudio); }},
       {"score", 60, [&](Report& report) { pipeline.Encoders(report, Modality::kScore); }},
       {"answers", 90, [&](Report& report) { pipeline.Answers(report); }},
       {"write-sounds", 30, [&](Report& report) { pipeline.WriteSounds(report); }},
       {"paths", 80, [&](Report& report) { pipeline.Paths(report); }},
       {"in-process", 60, [&](Report& report) { pipeline.InProcess(report); }}},
      flags, 300);
}

}  // namespace
}  // namespace antiphon::gpu

int main(int argc, char** argv) { return antiphon::gpu::Main(argc, argv); }
