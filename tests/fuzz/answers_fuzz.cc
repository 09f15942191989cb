// Every method of the API, through the real services and a real collection, small, on a disk in
// memory: queries are decoded, embedded, searched for and voted on, changes are journalled and
// merged, snapshots taken and restored. Only the networks are made up
// (core/testing/fake_encoder.h).
#include <filesystem>
#include <memory>

#include "core/audio/encoder.h"
#include "core/bundle/bundle.h"
#include "core/collection/collection_assembly.h"
#include "core/music/midi_file.h"
#include "core/testing/fake_encoder.h"
#include "core/testing/test_collection.h"
#include "server/server.h"
#include "server/serving/live_store.h"
#include "tests/fuzz/call_service.h"
#include "tests/fuzz/fuzz.h"

namespace {

namespace bundle = antiphon::bundle;
namespace collection = antiphon::collection;
namespace server = antiphon::server;
namespace testing = antiphon::testing;
using antiphon::fuzz::Require;

constexpr int kCallsPerServer = 500;  // of a collection that grows and shrinks under them
constexpr double kPieceSeconds = 8;

// "piece-0" to "piece-2", and "recording-0" of the first.
void MakeBundle(const std::string& root) {
  auto writer = bundle::BundleWriter::Create(root);
  Require(writer.ok(), "a bundle can be made");
  const std::string& folder = (*writer)->directory();
  const testing::FakeEncoder audio(antiphon::encoder::Modality::kAudio);
  const testing::FakeEncoder score(antiphon::encoder::Modality::kScore);
  auto assembly = collection::CollectionAssembly::Create(folder, audio, score, {});
  Require(assembly.ok(), "a collection can be made");
  for (int i = 0; i < 3; ++i) {
    antiphon::catalog::Piece piece;
    piece.id = "piece-" + std::to_string(i);
    piece.composer = "Anon";
    const auto midi = antiphon::music::WriteMidi(testing::RandomPiece(i, kPieceSeconds));
    Require((*assembly)->AddPiece(piece, *midi).ok(), "a piece can be added");
  }
  antiphon::catalog::Recording recording;
  recording.id = "recording-0";
  recording.piece_id = "piece-0";
  const auto wav = antiphon::audio::EncodeAudio(
      testing::Play(testing::RandomPiece(0, kPieceSeconds)), antiphon::audio::AudioFormat::kWav);
  Require((*assembly)->AddRecording(recording, *wav).ok(), "a recording can be added");
  const auto manifest = (*assembly)->Finish();
  Require(manifest.ok(), "a collection can be finished");
  for (const char* file : {bundle::kAudioEncoderFile, bundle::kScoreEncoderFile}) {
    antiphon::fuzz::WriteBytes(folder + "/" + file, "made up");
  }
  Require((*writer)->Publish(*manifest).ok(), "a bundle can be published");
}

class Service {
 public:
  Service() {
    antiphon::fuzz::SilenceLogs();
    MakeBundle(scratch_.File("bundle"));
    std::filesystem::create_directory(scratch_.File("snapshots"));
    config_.listen = "127.0.0.1:0";
    config_.store.bundle = scratch_.File("bundle");
    config_.snapshots.directory = scratch_.File("snapshots");
    config_.store.collection.index.threads = config_.store.compute_threads = 1;
    config_.store.batching.max_delay_ms = 0;
    config_.hot_reload.watch_current = false;
    config_.queue.workers = 1;
    config_.limits.max_message_mib = 1;
    config_.limits.max_audio_s = config_.limits.max_align_s = 5;
    auto store = server::OpenLiveStore(config_.store, metrics_);
    Require(store.ok(), "a bundle can be opened");
    store_ = *std::move(store);
    auto started = server::Server::Start(config_, *store_, metrics_);
    Require(started.ok(), "a server starts");
    server_ = *std::move(started);
    channel_ = server_->InProcessChannel();
  }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  antiphon::fuzz::Scratch scratch_;
  server::Config config_;
  server::Metrics metrics_;
  std::unique_ptr<server::Store> store_;
  std::unique_ptr<server::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  antiphon::fuzz::RunInput<Service>(data, size, kCallsPerServer);
  return 0;
}
