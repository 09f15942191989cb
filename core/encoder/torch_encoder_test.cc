#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <thread>

#include "core/bundle/manifest.h"
#include "core/encoder/window_encoder.h"
#include "core/testing/temporary_folder.h"
#include "core/threads/thread_scope.h"
#include "tests/support/test_model.h"

namespace antiphon::encoder {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class TorchEncoderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    EncoderInfo info;
    info.model_id = "test-model";
    info.settings.bands_per_octave = 12;
    info.settings.bands = info.settings.pitches;
    antiphon::testing::WriteTestModel(folder_, info);
  }

  std::string Path(const char* file) const { return folder_ + "/" + file; }

  std::vector<uint8_t> SomeWindows(const EncoderInfo& info, int count) const {
    std::vector<uint8_t> windows(static_cast<size_t>(count) * info.settings.window_frames *
                                 info.channels * info.bands);
    for (size_t i = 0; i < windows.size(); ++i) windows[i] = i * 2654435761u % 97 < 6;
    return windows;
  }

  const antiphon::testing::TemporaryFolder temporary_;
  const std::string folder_ = temporary_.path();
};

TEST_F(TorchEncoderTest, EncodesAnyNumberOfWindowsToUnitVectors) {
  const auto encoder = LoadEncoder(Path(bundle::kScoreEncoderFile), Modality::kScore);
  ASSERT_TRUE(encoder.ok()) << encoder.status();
  const EncoderInfo& info = (*encoder)->info();
  EXPECT_EQ(info.model_id, "test-model");
  for (int count : {0, 1, 63, 64, 65, 200}) {
    const auto embeddings = (*encoder)->Encode(SomeWindows(info, count));
    ASSERT_TRUE(embeddings.ok()) << embeddings.status();
    ASSERT_EQ(embeddings->size(), static_cast<size_t>(count) * info.dimension);
    for (int row = 0; row < count; ++row) {
      double square = 0;
      for (int i = 0; i < info.dimension; ++i)
        square += std::pow((*embeddings)[row * info.dimension + i], 2);
      EXPECT_NEAR(square, 1, 0.02);
    }
  }
}

// Networks that LibTorch optimises in part only, or not at all.
TEST_F(TorchEncoderTest, ServesScriptsOfAnyKind) {
  constexpr char kBranches[] = R"(
def forward(self, cells: Tensor) -> Tensor:
    rows = []
    for window in cells:
        x = window[None, None, :, 0].float()
        if bool(window.any()):
            x = torch.conv2d(x, torch.ones([4, 1, 3, 3]), None, [1, 1], [1, 1])
        else:
            x = x.expand(1, 4, x.size(2), x.size(3)) + 1
        rows.append(x.sum(3).flatten() + 0.001)
    rows = torch.stack(rows)
    return rows / rows.norm(2, [1], True)
)";
  constexpr char kNoWeights[] = R"(
def forward(self, cells: Tensor) -> Tensor:
    rows = cells[:, :, 0].sum(2).repeat(1, 4).float() + 0.001
    return rows / rows.norm(2, [1], True)
)";
  EncoderInfo info = LoadEncoder(Path(bundle::kScoreEncoderFile), Modality::kScore).value()->info();
  info.dimension = 4 * info.settings.window_frames;
  for (const char* script : {kBranches, kNoWeights}) {
    antiphon::testing::WriteEncoder(Path("other.pt"), info, script);
    const auto encoder = LoadEncoder(Path("other.pt"), Modality::kScore);
    ASSERT_TRUE(encoder.ok()) << encoder.status();
    const auto embeddings = (*encoder)->Encode(SomeWindows(info, 20));
    ASSERT_TRUE(embeddings.ok()) << embeddings.status();
    EXPECT_EQ(embeddings->size(), 20u * info.dimension);
  }
}

TEST_F(TorchEncoderTest, RefusesANetworkThatDoesNotFitItsDescription) {
  EncoderInfo info = LoadEncoder(Path(bundle::kScoreEncoderFile), Modality::kScore).value()->info();
  for (const auto& [script, complaint] :
       {std::pair("def forward(self, cells: Tensor) -> Tensor:\n  return cells.float()\n", "shape"),
        std::pair("def forward(self, cells: Tensor) -> Tensor:\n  return cells.mm(cells)\n",
                  "encoder failed")}) {
    antiphon::testing::WriteEncoder(Path("other.pt"), info, script);
    const auto encoder = LoadEncoder(Path("other.pt"), Modality::kScore);
    EXPECT_EQ(encoder.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(encoder.status().message()), HasSubstr(complaint));
  }
}

TEST_F(TorchEncoderTest, ManyThreadsGetWhatOneGets) {
  const auto encoder = LoadEncoder(Path(bundle::kScoreEncoderFile), Modality::kScore);
  ASSERT_TRUE(encoder.ok()) << encoder.status();
  const auto windows = SomeWindows((*encoder)->info(), 40);
  const auto expected = (*encoder)->Encode(windows).value();
  std::vector<std::vector<float>> results(4);
  std::vector<std::thread> threads;
  for (auto& result : results)
    threads.emplace_back([&] { result = (*encoder)->Encode(windows).value(); });
  for (auto& thread : threads) thread.join();
  for (const auto& result : results) EXPECT_EQ(result, expected);
}

// LibTorch sets them where it is first used, which would leave the index one.
TEST_F(TorchEncoderTest, LeavesTheCallersOpenMpThreadsAsTheyWere) {
  std::thread([this] {
    const threads::ThreadScope scope(7);
    const auto encoder = LoadEncoder(Path(bundle::kScoreEncoderFile), Modality::kScore);
    EXPECT_TRUE(encoder.ok()) << encoder.status();
    EXPECT_EQ(threads::OpenMpThreads(), 7);
  }).join();
}

TEST_F(TorchEncoderTest, RefusesInputThatIsNoNumberOfWindows) {
  const auto encoder = LoadEncoder(Path(bundle::kScoreEncoderFile), Modality::kScore);
  ASSERT_TRUE(encoder.ok()) << encoder.status();
  EXPECT_EQ((*encoder)->Encode(std::vector<uint8_t>(17)).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(TorchEncoderTest, RefusesFilesThatAreNoEncoderOfTheModality) {
  EXPECT_EQ(LoadEncoder(Path("absent.pt"), Modality::kScore).status().code(),
            absl::StatusCode::kNotFound);
  std::ofstream(Path("garbage.pt")) << "PK\3\4 garbage";
  EXPECT_EQ(LoadEncoder(Path("garbage.pt"), Modality::kScore).status().code(),
            absl::StatusCode::kInvalidArgument);
  const auto other = LoadEncoder(Path(bundle::kAudioEncoderFile), Modality::kScore);
  EXPECT_EQ(other.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(other.status().message()), HasSubstr("no score encoder"));
  fs::copy_file(Path(bundle::kScoreEncoderFile), Path("cut.pt"),
                fs::copy_options::overwrite_existing);
  fs::resize_file(Path("cut.pt"), fs::file_size(Path("cut.pt")) / 2);
  EXPECT_EQ(LoadEncoder(Path("cut.pt"), Modality::kScore).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(TorchEncoderTest, NamesADeviceThatIsNotThere) {
  EncoderOptions options;
  options.device = "cuda:99";
  EXPECT_EQ(LoadEncoder(Path(bundle::kScoreEncoderFile), Modality::kScore, options).status().code(),
            absl::StatusCode::kFailedPrecondition);
  options.device = "toaster";
  EXPECT_EQ(LoadEncoder(Path(bundle::kScoreEncoderFile), Modality::kScore, options).status().code(),
            absl::StatusCode::kInvalidArgument);
  options.device = "auto";
  EXPECT_TRUE(LoadEncoder(Path(bundle::kScoreEncoderFile), Modality::kScore, options).ok());
}

}  // namespace
}  // namespace antiphon::encoder
