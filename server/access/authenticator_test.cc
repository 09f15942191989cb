#include "server/access/authenticator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/testing/temporary_folder.h"
#include "server/wire/status_map.h"

namespace antiphon::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kReader[] = "a-key-for-reading";
constexpr char kAdmin[] = "a-key-for-everything";
constexpr char kLimited[] = "a-key-for-little-use";

class AuthenticatorTest : public ::testing::Test {
 protected:
  AuthenticatorTest() {
    Write(absl::StrCat("reader read ", *HashForFile(kReader), "\nadmin admin ",
                       *HashForFile(kAdmin), "\nlimited read ", *HashForFile(kLimited), " 2\n"));
    auto opened = Authenticator::Open({.keys_file = file_, .quota = {}}, metrics_);
    EXPECT_TRUE(opened.ok()) << opened.status();
    keys_ = *std::move(opened);
  }

  void Write(const std::string& text) { std::ofstream(file_) << text; }

  absl::StatusOr<std::string> Admit(std::string_view key,
                                    std::string_view method = "Retrieval.Identify") {
    const absl::StatusOr<Caller> caller = keys_->Recognise(key);
    if (!caller.ok()) return caller.status();
    const absl::Status permitted = keys_->Permit(*caller, method, now_);
    if (!permitted.ok()) return permitted;
    return caller->key;
  }
  absl::StatusCode Code(std::string_view key, std::string_view method = "Retrieval.Identify") {
    return Admit(key, method).status().code();
  }

  const testing::TemporaryFolder folder_;
  const std::string file_ = folder_.path() + "/keys";
  Metrics metrics_;
  std::unique_ptr<Authenticator> keys_;
  SteadyTime now_ = SteadyNow();
};

TEST_F(AuthenticatorTest, KnowsWhoCalls) {
  EXPECT_EQ(*Admit(kReader), "reader");
  EXPECT_EQ(*Admit(kAdmin), "admin");
}

TEST_F(AuthenticatorTest, TurnsStrangersAwayAndCountsThem) {
  EXPECT_EQ(Code(""), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(Code("a-key-for-nothing-at-all"), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(Code(std::string(1 << 20, 'k')), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(Code(kReader, "Catalog.AddPiece"), absl::StatusCode::kPermissionDenied);
  const std::string text = metrics_.Text();
  EXPECT_THAT(text, HasSubstr(R"({reason="missing_key"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"({reason="unknown_key"} 2)"));
  EXPECT_THAT(text, HasSubstr(R"({reason="forbidden"} 1)"));
}

TEST_F(AuthenticatorTest, TellsTheCallerWhatIsMissingAndNoSecret) {
  EXPECT_THAT(ToGrpc(Admit("").status()).error_message(), HasSubstr("authorization: Bearer"));
  const grpc::Status unknown = ToGrpc(Admit("a-key-for-nothing-at-all").status());
  EXPECT_EQ(unknown.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_THAT(unknown.error_message(), Not(HasSubstr("nothing-at-all")));
  EXPECT_THAT(ToGrpc(Admit(kReader, "Admin.Reload").status()).error_message(),
              HasSubstr("administration"));
}

TEST_F(AuthenticatorTest, ReadersReadAndAdministratorsDoAnything) {
  for (const char* method :
       {"Retrieval.Identify", "Retrieval.IdentifyLive", "Retrieval.Batch", "Retrieval.Align",
        "Retrieval.AlignLong", "Retrieval.Follow", "Retrieval.Transcribe", "Catalog.ListPieces",
        "Catalog.GetPiece", "Catalog.ListRecordings", "Catalog.GetRecording", "Catalog.GetSnippet",
        "Catalog.ListSameMusic", "Admin.Status", "Admin.ListSnapshots"}) {
    EXPECT_EQ(RoleFor(method), Role::kRead) << method;
    EXPECT_TRUE(Admit(kReader, method).ok()) << method;
    EXPECT_TRUE(Admit(kAdmin, method).ok()) << method;
  }
  for (const char* method :
       {"Catalog.AddPiece", "Catalog.AddPieces", "Catalog.UpdatePiece", "Catalog.DeletePiece",
        "Catalog.AddRecording", "Catalog.UpdateRecording", "Catalog.DeleteRecording",
        "Admin.Reload", "Admin.Merge", "Admin.Snapshot", "Admin.Restore", "Admin.DeleteSnapshot",
        "Catalog.SomethingNew", "", "Retrieval"}) {
    EXPECT_EQ(RoleFor(method), Role::kAdmin) << method;
    EXPECT_EQ(Code(kReader, method), absl::StatusCode::kPermissionDenied) << method;
    EXPECT_TRUE(Admit(kAdmin, method).ok()) << method;
  }
}

TEST_F(AuthenticatorTest, AShareThatIsUsedUpComesBack) {
  EXPECT_TRUE(Admit(kLimited).ok());
  EXPECT_TRUE(Admit(kLimited).ok());
  const grpc::Status refused = ToGrpc(Admit(kLimited).status());
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(RetryDelayOf(refused), absl::Milliseconds(500));
  EXPECT_TRUE(Admit(kReader).ok()) << "others are not concerned";
  now_ += std::chrono::milliseconds(501);
  EXPECT_TRUE(Admit(kLimited).ok());
  EXPECT_EQ(Code(kLimited), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(metrics_.Text(), HasSubstr(R"({reason="over_limit"} 2)"));
}

TEST_F(AuthenticatorTest, ANewFileCountsFromTheNextCallOn) {
  Write(absl::StrCat("other read ", *HashForFile("another-key-for-reading"), "\n"));
  ASSERT_TRUE(keys_->Reload().ok());
  EXPECT_EQ(*Admit("another-key-for-reading"), "other");
  EXPECT_EQ(Code(kReader), absl::StatusCode::kUnauthenticated) << "revoked";
}

TEST_F(AuthenticatorTest, ADamagedFileLeavesTheKeysBefore) {
  for (const char* damage : {"", "reader read abc\n", "\xff\xfe garbage"}) {
    Write(damage);
    EXPECT_FALSE(keys_->Reload().ok()) << damage;
    EXPECT_EQ(*Admit(kReader), "reader");
  }
  std::remove(file_.c_str());
  EXPECT_EQ(keys_->Reload().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(*Admit(kAdmin), "admin");
  EXPECT_EQ(keys_->keys(), 3);
}

TEST_F(AuthenticatorTest, AReloadGivesNobodyANewShare) {
  EXPECT_TRUE(Admit(kLimited).ok());
  EXPECT_TRUE(Admit(kLimited).ok());
  ASSERT_TRUE(keys_->Reload().ok());
  EXPECT_EQ(Code(kLimited), absl::StatusCode::kResourceExhausted);
  Write(absl::StrCat("limited read ", *HashForFile(kLimited), " 3\n"));
  ASSERT_TRUE(keys_->Reload().ok());
  EXPECT_TRUE(Admit(kLimited).ok()) << "another limit begins anew";
}

TEST_F(AuthenticatorTest, CannotBeOpenedWithoutKeys) {
  const auto missing = Authenticator::Open({.keys_file = file_ + ".none", .quota = {}}, metrics_);
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(missing.status().message()), Not(HasSubstr(file_)));
  EXPECT_FALSE(Authenticator::Open({.keys_file = folder_.path(), .quota = {}}, metrics_).ok())
      << "a directory";
}

}  // namespace
}  // namespace antiphon::server
