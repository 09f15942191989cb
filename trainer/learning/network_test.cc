#include "trainer/learning/network.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "core/bundle/manifest.h"
#include "core/encoder/window_encoder.h"
#include "core/testing/temporary_folder.h"
#include "trainer/learning/export.h"
#include "trainer/learning/training.h"

namespace antiphon::trainer::learning {
namespace {

using encoder::Modality;

torch::Tensor RandomCells(const NetworkSpec& spec, int64_t count) {
  torch::manual_seed(3);
  const bool audio = spec.modality == Modality::kAudio;
  return audio
             ? torch::randint(0, 256, {count, spec.settings.window_frames, 1, spec.settings.bands},
                              torch::kUInt8)
             : (torch::rand({count, spec.settings.window_frames, 2, spec.settings.pitches}) < 0.05)
                   .to(torch::kUInt8);
}

std::vector<NetworkSpec> AllSpecs() {
  std::vector<NetworkSpec> specs;
  for (Architecture architecture :
       {Architecture::kResidual, Architecture::kResidualFine, Architecture::kDorfer2018}) {
    for (Modality modality : {Modality::kAudio, Modality::kScore}) {
      specs.push_back({architecture, modality, features::FeatureSettings(), 32});
      specs.push_back({architecture, modality, features::DorferSettings(), 48});
    }
  }
  return specs;
}

TEST(NetworkTest, EveryNetworkGivesUnitVectorsOfItsDimensionAndLearnsInEveryParameter) {
  for (const NetworkSpec& spec : AllSpecs()) {
    torch::jit::Module network = MakeTrainable(spec, 1, torch::kFloat32);
    for (const auto& parameter : network.parameters()) parameter.requires_grad_(true);
    const torch::Tensor embeddings = network.forward({RandomCells(spec, 6)}).toTensor();
    ASSERT_EQ(embeddings.sizes(), (std::vector<int64_t>{6, spec.dimension}));
    EXPECT_TRUE(torch::allclose(embeddings.norm(2, {1}, false), torch::ones(6), 1e-4));
    (embeddings * torch::randn_like(embeddings)).sum().backward();
    for (const auto& parameter : network.named_parameters()) {
      ASSERT_TRUE(parameter.value.grad().defined()) << parameter.name;
      EXPECT_GT(parameter.value.grad().abs().max().item<float>(), 0) << parameter.name;
    }
  }
}

// What is exported must be the function that was trained, also after its statistics have moved.
TEST(NetworkTest, FoldingKeepsTheFunction) {
  for (const NetworkSpec& spec : AllSpecs()) {
    torch::jit::Module network = MakeTrainable(spec, 2, torch::kFloat32);
    const torch::NoGradGuard no_gradients;
    for (int i = 0; i < 5; ++i) network.forward({RandomCells(spec, 16)});
    network.eval();
    const torch::Tensor cells = RandomCells(spec, 8);
    const torch::Tensor trained = network.forward({cells}).toTensor();
    const torch::Tensor exact =
        FoldForExport(spec, network, torch::kFloat32).forward({cells}).toTensor();
    EXPECT_LT((trained - exact).abs().max().item<float>(), 1e-4) << NetworkSource(spec, true);
    const torch::Tensor rounded =
        FoldForExport(spec, network, torch::kBFloat16).forward({cells}).toTensor();
    EXPECT_GT((trained * rounded).sum(1).min().item<float>(), 0.995) << NetworkSource(spec, true);
  }
}

TEST(NetworkTest, ASmallNetworkGrowsIntoALargerOneThatGivesTheSame) {
  for (Modality modality : {Modality::kAudio, Modality::kScore}) {
    NetworkSpec spec{Architecture::kResidual, modality, features::FeatureSettings(), 32};
    torch::jit::Module small = MakeTrainable(spec, 4, torch::kFloat32);
    const torch::NoGradGuard no_gradients;
    for (int i = 0; i < 5; ++i) small.forward({RandomCells(spec, 16)});
    spec.architecture = Architecture::kResidualFine;
    torch::jit::Module large = MakeTrainable(spec, 5, torch::kFloat32);
    ASSERT_TRUE(Grow(small, large).ok());
    small.eval();
    large.eval();
    const torch::Tensor cells = RandomCells(spec, 8);
    const torch::Tensor difference =
        small.forward({cells}).toTensor() - large.forward({cells}).toTensor();
    EXPECT_LT(difference.abs().max().item<float>(), 1e-4);

    EXPECT_EQ(Grow(large, small).code(), absl::StatusCode::kInvalidArgument);
    spec.architecture = Architecture::kDorfer2018;
    torch::jit::Module other = MakeTrainable(spec, 6, torch::kFloat32);
    EXPECT_EQ(Grow(small, other).code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(NetworkTest, AudioEmbeddingsDoNotDependOnTheGain) {
  const NetworkSpec spec{Architecture::kResidual, Modality::kAudio, features::FeatureSettings(),
                         32};
  torch::jit::Module network = MakeTrainable(spec, 1, torch::kFloat32);
  network.eval();
  const torch::NoGradGuard no_gradients;
  const torch::Tensor loud = torch::randint(
      150, 220, {4, spec.settings.window_frames, 1, spec.settings.bands}, torch::kUInt8);
  const torch::Tensor quiet = loud - 40;  // 20 dB
  const torch::Tensor difference =
      network.forward({loud}).toTensor() - network.forward({quiet}).toTensor();
  EXPECT_LT(difference.abs().max().item<float>(), 1e-5);
}

TEST(NetworkTest, SeedsDecideTheWeights) {
  const NetworkSpec spec{Architecture::kResidual, Modality::kScore, features::FeatureSettings(),
                         32};
  const torch::Tensor one = MakeTrainable(spec, 1, torch::kFloat32).attr("stem_weight").toTensor();
  EXPECT_TRUE(
      torch::equal(one, MakeTrainable(spec, 1, torch::kFloat32).attr("stem_weight").toTensor()));
  EXPECT_FALSE(
      torch::equal(one, MakeTrainable(spec, 2, torch::kFloat32).attr("stem_weight").toTensor()));
}

// The exported files are what the server loads: through core/encoder, in both precisions, whatever
// the batch size.
TEST(NetworkTest, AnExportedModelLoadsAndEncodesAlikeInEveryBatchSizeAndPrecision) {
  const testing::TemporaryFolder folder;
  const std::string& out = folder.path();
  ASSERT_TRUE(
      ExportUntrained(Architecture::kResidual, features::FeatureSettings(), 32, 1, out).ok());
  const std::string path = out + "/" + bundle::kScoreEncoderFile;
  const NetworkSpec spec{Architecture::kResidual, Modality::kScore, features::FeatureSettings(),
                         32};
  const torch::Tensor cells = RandomCells(spec, 11).contiguous();
  const std::span<const uint8_t> windows(cells.data_ptr<uint8_t>(), cells.numel());
  encoder::EncoderOptions options;
  options.precision = encoder::Precision::kFloat32;
  std::vector<std::vector<float>> results;
  for (int batch : {1, 4, 64}) {
    options.batch_size = batch;
    const auto loaded = encoder::LoadEncoder(path, Modality::kScore, options);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    EXPECT_EQ((*loaded)->info().settings, features::FeatureSettings());
    results.push_back((*loaded)->Encode(windows).value());
    ASSERT_EQ(results.back().size(), 11u * 32);
  }
  options.precision = encoder::Precision::kBFloat16;
  const std::vector<float> rounded =
      encoder::LoadEncoder(path, Modality::kScore, options).value()->Encode(windows).value();
  for (size_t i = 0; i < rounded.size(); ++i) {
    EXPECT_NEAR(results[1][i], results[0][i], 1e-5);
    EXPECT_NEAR(results[2][i], results[0][i], 1e-5);
    EXPECT_NEAR(rounded[i], results[0][i], 0.03);
  }
}

// Encoders optimise what they load, and divide their windows into batches.
TEST(NetworkTest, AnEncoderGivesWhatTheNetworkInItsFileGives) {
  const testing::TemporaryFolder folder;
  const std::string& out = folder.path();
  encoder::EncoderOptions options;
  options.precision = encoder::Precision::kFloat32;
  for (NetworkSpec spec : AllSpecs()) {
    ASSERT_TRUE(ExportUntrained(spec.architecture, spec.settings, spec.dimension, 1, out).ok());
    const std::string path =
        out + "/" +
        (spec.modality == Modality::kAudio ? bundle::kAudioEncoderFile : bundle::kScoreEncoderFile);
    const torch::Tensor cells = RandomCells(spec, 19).contiguous();
    torch::jit::Module network = torch::jit::load(path);
    network.to(torch::kFloat32);
    const torch::Tensor expected = network.forward({cells}).toTensor().contiguous();
    const auto loaded = encoder::LoadEncoder(path, spec.modality, options);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    const std::span<const uint8_t> windows(cells.data_ptr<uint8_t>(), cells.numel());
    const std::vector<float> together = (*loaded)->Encode(windows).value();
    ASSERT_EQ(together.size(), static_cast<size_t>(expected.numel()));
    const int64_t each = cells.numel() / cells.size(0);
    for (int64_t window = 0; window < cells.size(0); ++window) {
      const std::vector<float> alone =
          (*loaded)->Encode(windows.subspan(window * each, each)).value();
      for (int i = 0; i < spec.dimension; ++i) {
        const int64_t at = window * spec.dimension + i;
        ASSERT_NEAR(together[at], expected.data_ptr<float>()[at], 1e-5);
        ASSERT_NEAR(alone[i], expected.data_ptr<float>()[at], 1e-5);
      }
    }
  }
}

}  // namespace
}  // namespace antiphon::trainer::learning
