#include "server/access/quotas.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace antiphon::server {
namespace {

using ::testing::HasSubstr;

Caller CallerWith(const std::string& key, Quota quota) {
  Caller caller;
  caller.key = key;
  caller.quota = quota;
  return caller;
}

TEST(Quotas, ACallerGetsSoManyStreamsAndOthersAreNotConcerned) {
  Quotas quotas;
  const Caller greedy = CallerWith("greedy", {.streams = 2});
  std::vector<Quotas::Share> held;
  held.reserve(2);
  for (int i = 0; i < 2; ++i) held.push_back(*quotas.TakeStream(greedy));
  const absl::Status refused = quotas.TakeStream(greedy).status();
  EXPECT_TRUE(absl::IsResourceExhausted(refused));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("key greedy may have 2 streams"));
  EXPECT_TRUE(quotas.TakeStream(CallerWith("modest", {.streams = 1})).ok());
  held.pop_back();
  EXPECT_TRUE(quotas.TakeStream(greedy).ok()) << "one has gone back";
}

TEST(Quotas, BytesAreBoundedButOneRequestIsAlwaysTaken) {
  Quotas quotas;
  const Caller caller = CallerWith("import", {.mib = 1});
  std::optional<Quotas::Share> large = *quotas.TakeBytes(caller, 5 << 20);
  EXPECT_TRUE(absl::IsResourceExhausted(quotas.TakeBytes(caller, 1).status()));
  large.reset();
  const Quotas::Share half = *quotas.TakeBytes(caller, 1 << 19);
  EXPECT_TRUE(quotas.TakeBytes(caller, 1 << 19).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(quotas.TakeBytes(caller, (1 << 19) + 1).status()));
}

TEST(Quotas, ACertificateIsAnIdentityAndNothingIsNone) {
  Quotas quotas;
  Caller by_certificate;
  by_certificate.certificate = "CN=search";
  by_certificate.quota.streams = 1;
  const Quotas::Share held = *quotas.TakeStream(by_certificate);
  EXPECT_FALSE(quotas.TakeStream(by_certificate).ok());
  Caller anybody;
  anybody.quota.streams = 1;
  std::vector<Quotas::Share> shares;
  shares.reserve(5);
  for (int i = 0; i < 5; ++i) shares.push_back(*quotas.TakeStream(anybody));
}

}  // namespace
}  // namespace antiphon::server
