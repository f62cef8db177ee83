#include "dialects/hub_engine_client.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "dialects/hub.h"
#include "trust/signed_action.h"

namespace signet::dialects {
namespace {

constexpr WallTime kNow{1'700'000'000'123};
constexpr std::string_view kSecret = "an-engine-secret-of-this-test";

// What the broker's half makes of it.
EnginePacketSaid heard(HubReader& reader, const std::string& event) {
  const EngineVerb verb = reader.read_engine(event);
  const auto* said = std::get_if<EnginePacketSaid>(&verb);
  EXPECT_NE(said, nullptr) << event;
  return said != nullptr ? *said : EnginePacketSaid{};
}

TEST(HubEngineClient, WhatItSaysTheBrokerTakes) {
  const struct {
    const char* name;
    JobWord word;
    EngineEvent event;
    const char* text;
  } rows[] = {
      {"started", {JobStep::kStarted, "job_1", 7, ""}, EngineEvent::kJobStarted, ""},
      {"progress", {JobStep::kProgress, "job_1", 7, "12.5"}, EngineEvent::kJobProgress, "12.5"},
      {"a result",
       {JobStep::kCompleted, "job_1", 7, R"({"b": 1.0, "2": [1e21, "\u00e9"]})"},
       EngineEvent::kJobCompleted,
       R"({"b": 1.0, "2": [1e21, "\u00e9"]})"},
      {"a number as result",
       {JobStep::kCompleted, "job_1", 7, "-0"},
       EngineEvent::kJobCompleted,
       "-0"},
      {"no result", {JobStep::kCompleted, "job_1", 7, ""}, EngineEvent::kJobCompleted, ""},
      {"a reason",
       {JobStep::kFailed, "job_1", 7, "no \"mesh\""},
       EngineEvent::kJobFailed,
       "no \"mesh\""},
      {"no lease", {JobStep::kStarted, "job_1", {}, ""}, EngineEvent::kJobStarted, ""},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto event = job_word_event(row.word, kSecret, "nonce-1", kNow);
    ASSERT_TRUE(event.ok());
    HubReader reader;
    const EnginePacketSaid said = heard(reader, *event);
    EXPECT_EQ(said.event, row.event);
    EXPECT_TRUE(said.fits);
    EXPECT_EQ(said.job, "job_1");
    EXPECT_EQ(said.lease, row.word.lease);
    EXPECT_EQ(said.text, row.text);
    EXPECT_FALSE(trust::check_engine(said.claim, kSecret, kNow, {}));
    EXPECT_TRUE(trust::check_engine(said.claim, "another-secret-of-nobody", kNow, {}));
  }
}

TEST(HubEngineClient, WhatIsNoResultIsNotSigned) {
  const std::string deep = std::string(30, '[') + std::string(30, ']');
  const std::string fits = std::string(29, '[') + std::string(29, ']');
  for (const std::string& result : {std::string("{"), std::string("1,\"x\":2"), std::string("1}}"),
                                    deep, std::string(R"({"a":1,"a":2})"), std::string("NaN")}) {
    const auto event = job_word_event({JobStep::kCompleted, "j", 1, result}, kSecret, "n", kNow);
    EXPECT_FALSE(event.ok()) << result;
  }
  const auto event = job_word_event({JobStep::kCompleted, "j", 1, fits}, kSecret, "n", kNow);
  ASSERT_TRUE(event.ok());
  HubReader reader;
  EXPECT_TRUE(heard(reader, *event).fits);
}

TEST(HubEngineClient, ConnectsAndIsReadyInTheBrokersEyes) {
  HubReader reader;
  const std::string data = engine_connect_data("a.b.c");
  EXPECT_EQ(reader.read_credentials(data).token, "a.b.c");
  const std::string ready = engine_ready_event();
  const EngineVerb verb = reader.read_engine(ready);
  ASSERT_TRUE(std::holds_alternative<EngineReady>(verb));
  EXPECT_EQ(std::get<EngineReady>(verb).dialect, EngineReady::Dialect::kEngineJob);
  const std::string beat = engine_heartbeat_event();
  EXPECT_TRUE(std::holds_alternative<EngineHeartbeat>(reader.read_engine(beat)));
  const std::string refresh = engine_refresh_event("d.e.f");
  const EngineVerb another = reader.read_engine(refresh);
  ASSERT_TRUE(std::holds_alternative<HubTokenRefresh>(another));
  EXPECT_EQ(std::get<HubTokenRefresh>(another).token, "d.e.f");
}

TEST(HubEngineClient, ReadsTheJobThatTheBrokerWrites) {
  jobs::Job job;
  job.id = "job_1";
  job.type = "BUILD_SCENE";
  job.user = "alice";
  job.spec = std::make_shared<const std::string>(R"({"w":1})");
  job.payload = std::make_shared<const std::string>(R"({"sceneId":"s"})");
  job.priority = -2;
  job.fence = 1'000'003;
  job.submitted = WallTime{1'000};
  const EngineTold told = read_engine_told(write_engine_job(job, std::chrono::seconds(15)));
  const auto* read = std::get_if<JobTold>(&told);
  ASSERT_NE(read, nullptr);
  EXPECT_EQ(read->id, "job_1");
  EXPECT_EQ(read->type, "BUILD_SCENE");
  EXPECT_EQ(read->user, "alice");
  EXPECT_EQ(read->payload, R"({"sceneId":"s"})");
  EXPECT_EQ(read->world, R"({"w":1})");
  EXPECT_EQ(read->lease, 1'000'003U);
  EXPECT_EQ(read->priority, -2);
  EXPECT_EQ(read->timeout, std::chrono::seconds(15));
  EXPECT_EQ(read->submitted.ms, 1'000);

  job.state = jobs::JobState::kFailed;
  job.error = "CANCELLED";
  const EngineTold lost = read_engine_told(write_lease_lost(job));
  const auto* lease = std::get_if<LeaseLostTold>(&lost);
  ASSERT_NE(lease, nullptr);
  EXPECT_EQ(lease->job, "job_1");
  EXPECT_EQ(lease->lease, 1'000'003U);
  EXPECT_EQ(lease->error, "CANCELLED");
}

TEST(HubEngineClient, ReadsEveryRefusalOfItsWords) {
  const struct {
    EngineEvent event;
    JobStep step;
  } rows[] = {{EngineEvent::kJobStarted, JobStep::kStarted},
              {EngineEvent::kJobProgress, JobStep::kProgress},
              {EngineEvent::kJobCompleted, JobStep::kCompleted},
              {EngineEvent::kJobFailed, JobStep::kFailed}};
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < kEngineRefusalCount; ++i) {
      const auto code = static_cast<EngineRefusal>(i);
      const EngineTold told = read_engine_told(write_rejected(row.event, code));
      const auto* refused = std::get_if<WordRefusedTold>(&told);
      ASSERT_NE(refused, nullptr) << name_of(code);
      EXPECT_EQ(refused->step, row.step);
      EXPECT_EQ(refused->reason, name_of(code));
    }
  }
}

TEST(HubEngineClient, ReadsTheOtherEventsByTheirNames) {
  EXPECT_TRUE(std::holds_alternative<EngineReadyTold>(read_engine_told(write_ready_ack(kNow))));
  EXPECT_TRUE(
      std::holds_alternative<HeartbeatTold>(read_engine_told(write_engine_heartbeat_ack(kNow))));
  EXPECT_TRUE(std::holds_alternative<TokenExpiredTold>(read_engine_told(write_auth_expired())));
  EXPECT_TRUE(std::holds_alternative<TokenTakenTold>(read_engine_told(write_token_ok(kNow))));
  EXPECT_TRUE(std::holds_alternative<TokenRefusedTold>(
      read_engine_told(write_token_error(TokenRefusal::kRevoked))));
}

TEST(HubEngineClient, WhatBreaksItsBoundsIsPassedOver) {
  const std::string long_id(129, 'a');
  const struct {
    const char* name;
    std::string data;
  } rows[] = {
      {"nothing", ""},
      {"no JSON", R"(["engine_job",{)"},
      {"no array", R"({"engine_job":{}})"},
      {"no name", "[1,{}]"},
      {"another event", R"(["engine_party",{}])"},
      {"another refusal", R"(["job_party_rejected",{"reason":"X"}])"},
      {"no data", R"(["engine_job"])"},
      {"no id", R"(["engine_job",{"job_type":"X","lease":1}])"},
      {"no type", R"(["engine_job",{"job_id":"j","lease":1}])"},
      {"a long id", R"(["engine_job",{"job_id":")" + long_id + R"(","job_type":"X"}])"},
      {"an id with a line end", R"(["engine_job",{"job_id":"a\nb","job_type":"X"}])"},
      {"a lease in words", R"(["engine_job",{"job_id":"j","job_type":"X","lease":"1"}])"},
      {"a lease below none", R"(["engine_job",{"job_id":"j","job_type":"X","lease":-1}])"},
      {"a broken lease", R"(["engine_job",{"job_id":"j","job_type":"X","lease":1.5}])"},
      {"a loss of no lease", R"(["lease_lost",{"job_id":"j"}])"},
      {"a loss of no job", R"(["lease_lost",{"lease":1}])"},
      {"a refusal without why", R"(["job_started_rejected",{}])"},
      {"two readings", R"(["engine_job",{"job_id":"j","job_id":"k","job_type":"X"}])"},
  };
  for (const auto& row : rows) {
    EXPECT_TRUE(std::holds_alternative<UnknownTold>(read_engine_told(row.data))) << row.name;
  }
}

TEST(HubEngineClient, ATimeThatNobodyCouldMeanIsNoTrap) {
  const EngineTold told = read_engine_told(
      R"(["engine_job",{"job_id":"j","job_type":"X","execution_params":{"timeout_ms":9223372036854775807,"priority":"x"}}])");
  const auto* job = std::get_if<JobTold>(&told);
  ASSERT_NE(job, nullptr);
  EXPECT_EQ(job->timeout, std::chrono::hours(24));
  EXPECT_EQ(job->priority, 0);
  EXPECT_FALSE(job->lease);
}

TEST(HubEngineClient, KnowsWhenItsTokenEnds) {
  const auto token = [](std::string_view claims) {
    return "aa." + to_base64url(bytes_of(claims)) + ".cc";
  };
  const struct {
    const char* name;
    std::string token;
    std::optional<std::int64_t> ms;
  } rows[] = {
      {"an end", token(R"({"exp":1700000000})"), 1'700'000'000'000},
      {"none", token(R"({"iat":1})"), std::nullopt},
      {"a broken one", token(R"({"exp":1.5})"), std::nullopt},
      {"beyond all calendars", token(R"({"exp":9223372036854775807})"), std::nullopt},
      {"before them", token(R"({"exp":-1})"), std::nullopt},
      {"no JSON", token("x"), std::nullopt},
      {"no base64", "a.!.c", std::nullopt},
      {"two parts", "aa.bb", std::nullopt},
      {"a dot", ".", std::nullopt},
      {"nothing", "", std::nullopt},
  };
  for (const auto& row : rows) {
    const auto end = token_end(row.token);
    EXPECT_EQ(end ? std::optional(end->ms) : std::nullopt, row.ms) << row.name;
  }
}

}  // namespace
}  // namespace signet::dialects
