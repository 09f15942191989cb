#include "client/output/json.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "antiphon/v1/admin.pb.h"
#include "antiphon/v1/catalog.pb.h"
#include "antiphon/v1/retrieval.pb.h"
#include "nlohmann/json.hpp"

namespace antiphon::client {
namespace {

using Json = nlohmann::ordered_json;

TEST(JsonTest, HasEveryFieldUnderItsNameInTheProto) {
  v1::IdentifyResponse response;
  response.set_verdict(v1::VERDICT_MATCH);
  response.set_windows(12);
  v1::Candidate& candidate = *response.add_candidates();
  candidate.mutable_source()->set_title("Für Elise");
  candidate.set_confidence(0.97);
  response.mutable_info()->set_generation(3);
  const Json json = MessageToJson(response);
  EXPECT_EQ(json["verdict"], "VERDICT_MATCH");
  EXPECT_EQ(json["windows"], 12);
  EXPECT_EQ(json["candidates"][0]["source"]["title"], "Für Elise");
  EXPECT_EQ(json["candidates"][0]["confidence"], 0.97);
  EXPECT_EQ(json["candidates"][0]["votes"], 0) << "defaults are written too";
  EXPECT_TRUE(json["candidates"][0]["reference"].is_null()) << "a message that is not set";
  EXPECT_EQ(json["info"]["generation"], 3);
  EXPECT_TRUE(json["info"]["stages"].is_array());
}

TEST(JsonTest, TellsWhatIsNotSetFromZero) {
  v1::Position position;
  EXPECT_TRUE(MessageToJson(position)["bar"].is_null()) << "a place in a recording";
  position.set_bar(0);
  EXPECT_EQ(MessageToJson(position)["bar"], 0) << "an upbeat";
  EXPECT_EQ(MessageToJson(position)["seconds"], 0.0);
}

TEST(JsonTest, WritesLargeIntegersAsNumbersAndBytesInBase64) {
  v1::StatusResponse status;
  status.set_score_vectors(int64_t{1} << 52);
  EXPECT_EQ(MessageToJson(status)["score_vectors"].dump(), "4503599627370496");
  v1::GetSnippetResponse snippet;
  snippet.set_content(std::string("MThd\0\xFF", 6));
  EXPECT_EQ(MessageToJson(snippet)["content"], "TVRoZAD/");
}

TEST(JsonTest, WritesFloatsShortAndExactly) {
  v1::EmbedResponse response;
  for (const float value : {0.1f, -0.33333334f, 1e-20f, 3.0f}) response.add_values(value);
  response.add_values(std::numeric_limits<float>::infinity());
  const Json json = MessageToJson(response);
  EXPECT_EQ(json["values"][0].dump(), "0.1");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(json["values"][i].get<float>(), response.values(i));
  EXPECT_TRUE(json["values"][4].is_null());
}

TEST(JsonTest, IsOneLineOfValidJsonWhateverTheTextHolds) {
  const std::string line = JsonLine({{"file", "caf\xE9\n.wav"}});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_NO_THROW({ EXPECT_TRUE(Json::parse(line)["file"].is_string()); });
}

TEST(JsonTest, DescribesAFailure) {
  const Json json = FailureToJson(absl::UnavailableError("nobody there"));
  EXPECT_EQ(json["code"], "UNAVAILABLE");
  EXPECT_EQ(json["message"], "nobody there");
  EXPECT_EQ(json["field"], "");
}

}  // namespace
}  // namespace antiphon::client
