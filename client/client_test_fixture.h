// The program against a FakeServer, with a folder for files: what the tests of its commands share.
#ifndef ANTIPHON_CLIENT_CLIENT_TEST_FIXTURE_H_
#define ANTIPHON_CLIENT_CLIENT_TEST_FIXTURE_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "client/client.h"
#include "client/fake_server.h"
#include "core/audio/encoder.h"
#include "nlohmann/json.hpp"
#include "tests/support/midi_bytes.h"

namespace antiphon::client {

struct Result {
  ExitCode code;
  std::string out, err;

  nlohmann::json json() const { return nlohmann::json::parse(out); }
};

class ClientTest : public ::testing::Test {
 protected:
  ClientTest()
      : dir_(std::filesystem::path(::testing::TempDir()) /
             ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(dir_);
    std::filesystem::create_directories(dir_);
    server_.status_response.set_state(v1::SERVER_STATE_SERVING);
  }
  ~ClientTest() override { std::filesystem::remove_all(dir_); }

  Result Run(std::vector<std::string> arguments, const std::string& standard_input = "") {
    arguments.insert(arguments.end(), {"--server", server_.address()});
    std::istringstream in(standard_input);
    std::ostringstream out, err;
    const ExitCode code = RunClient(arguments, in, out, err);
    return {code, out.str(), err.str()};
  }

  std::string Write(const std::string& name, const std::string& bytes) {
    std::ofstream(dir_ / name, std::ios::binary) << bytes;
    return (dir_ / name).string();
  }
  std::string Wav(double seconds = 1) {
    audio::Waveform waveform;
    waveform.samples.assign(static_cast<size_t>(seconds * waveform.sample_rate), 0.1f);
    return Write("query.wav", audio::EncodeAudio(waveform, audio::AudioFormat::kWav).value());
  }
  std::string Midi() {
    return Write(
        "query.mid",
        testing::MidiFile(
            0, 480, {testing::MidiTrack().On(0, 60).Off(960, 60).On(0, 62).Off(960, 62).End()}));
  }

  static std::string Read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

  v1::Candidate& AddCandidate(const std::string& id, const std::string& title, double confidence) {
    v1::Candidate& candidate = *server_.identify_response.add_candidates();
    candidate.mutable_source()->set_id(id);
    candidate.mutable_source()->set_title(title);
    candidate.mutable_source()->set_composer("Somebody");
    candidate.set_confidence(confidence);
    candidate.set_query_seconds(1.5);
    candidate.set_tempo_ratio(0.92);
    candidate.mutable_reference()->set_seconds(12.25);
    candidate.mutable_reference()->set_bar(7);
    candidate.mutable_reference()->set_beat_in_bar(2.5);
    return candidate;
  }
  v1::Hit& AddHit(const std::string& id) {
    v1::Hit& hit = *server_.search_response.add_hits();
    hit.mutable_source()->set_id(id);
    hit.mutable_source()->set_title("Title of " + id);
    hit.set_similarity(0.875);
    hit.set_tempo_ratio(1.25);
    hit.set_query_end_seconds(2);
    hit.mutable_reference_start()->set_seconds(61);
    hit.mutable_reference_end()->set_seconds(63);
    return hit;
  }

  const std::filesystem::path dir_;
  testing::FakeServer server_;
};

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_CLIENT_TEST_FIXTURE_H_
