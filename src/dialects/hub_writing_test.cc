#include <gtest/gtest.h>

#include "dialects/hub.h"

namespace signet::dialects {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kNow{1'700'000'000'123};

jobs::Job a_job() {
  jobs::Job job;
  job.id = "job_1";
  job.type = "BUILD_SCENE";
  job.user = "alice";
  job.world = "job_1";
  job.spec = std::make_shared<const std::string>(R"({"w":1})");
  job.payload = std::make_shared<const std::string>(R"({"sceneId":"s"})");
  job.priority = -2;
  job.submitted = WallTime{1'000};
  job.queued = WallTime{1'001};
  return job;
}

jobs::Job ended(jobs::JobState state) {
  jobs::Job job = a_job();
  job.state = state;
  job.dispatched = WallTime{1'010};
  job.started = WallTime{1'020};
  job.completed = WallTime{1'520};
  job.retries = 1;
  return job;
}

TEST(HubWriting, TellsUsersWhatThePageHas) {
  EXPECT_EQ(write_auth_context({"alice", "user", false, ""}),
            R"(["auth_context",{"userId":"alice","role":"user","isSimulated":false}])");
  EXPECT_EQ(
      write_auth_context({"alice", "admin", true, "ab12"}),
      R"(["auth_context",{"userId":"alice","role":"admin","isSimulated":true,"actionKey":"ab12"}])");
  EXPECT_EQ(
      write_engine_status({}),
      R"(["engine_status",{"connected":false,"lastHeartbeat":null,"lastTelemetry":null,"reconnectAttempts":0,"healthy":false}])");
  EXPECT_EQ(
      write_engine_status({true, WallTime{5}, WallTime{6}, 7, true}),
      R"(["engine_status",{"connected":true,"lastHeartbeat":5,"lastTelemetry":6,"reconnectAttempts":7,"healthy":true}])");
  EXPECT_EQ(
      write_agent_nonce("a", "b", "c", "d"),
      R"(["agent_nonce",{"HintAgent":"a","NavAgent":"b","PredictAgent":"c","RuleAgent":"d"}])");
  EXPECT_EQ(write_heartbeat_result("alice", "17"),
            R"(["heartbeat_result",{"userId":"alice","ok":true,"ts":17}])");
  EXPECT_EQ(write_heartbeat_result("alice", ""),
            R"(["heartbeat_result",{"userId":"alice","ok":true}])");
  EXPECT_EQ(write_token_ok(kNow), R"(["token_ok",{"exp":1700000000}])");
  EXPECT_EQ(write_token_error(TokenRefusal::kExpired), R"(["token_error",{"error":"expired"}])");
  EXPECT_EQ(write_auth_expired(), R"(["auth_expired"])");
}

TEST(HubWriting, TellsPresenceByUser) {
  EXPECT_EQ(write_presence_update({}), R"(["presence_update",{}])");
  const std::vector<HubPresenceEntry> entries{
      {"alice", "user", "browser", "p1", HubState::kActive, WallTime{1}, WallTime{2}},
      {"bob", "admin", "engine", "p2", HubState::kInactive, WallTime{3}, WallTime{4}}};
  EXPECT_EQ(
      write_presence_update(entries),
      R"(["presence_update",{"alice":{"userId":"alice","role":"user","device":"browser","socketId":"p1","state":"active","connectedAt":1,"lastActiveAt":2},)"
      R"("bob":{"userId":"bob","role":"admin","device":"engine","socketId":"p2","state":"inactive","connectedAt":3,"lastActiveAt":4}}])");
  EXPECT_EQ(name_of(HubState::kIdle), "idle");
}

TEST(HubWriting, TellsWhatHappenedAndWhatDidNot) {
  EXPECT_EQ(
      write_action_update({"alice", "s1", "click", R"({"x":[1]})", 5, kNow, "ui"}),
      R"(["action_update",{"userId":"alice","sessionId":"s1","type":"click","payload":{"x":[1]},"clientTs":5,"serverTs":1700000000123,"category":"ui"}])");
  EXPECT_EQ(
      write_action_update({"alice", "s1", "click", "", 5, kNow, "ui"}),
      R"(["action_update",{"userId":"alice","sessionId":"s1","type":"click","clientTs":5,"serverTs":1700000000123,"category":"ui"}])");
  EXPECT_EQ(write_action_error(ActionRefusal::kReplayDetected),
            R"(["action_error",{"error":"replay_detected"}])");
  EXPECT_EQ(write_action_error(ActionRefusal::kDenied, "r1"),
            R"(["action_error",{"error":"denied","ref":"r1"}])");
  EXPECT_EQ(write_action_error(ActionRefusal::kRateLimited, "", 250),
            R"(["action_error",{"error":"rate_limited","retryAfterMs":250}])");
  EXPECT_EQ(write_agent_heartbeat_result({}), R"(["agent_heartbeat_result",{"ok":true}])");
  EXPECT_EQ(write_agent_heartbeat_result(AgentRefusal::kTimestampSkew),
            R"(["agent_heartbeat_result",{"ok":false,"reason":"timestamp_skew"}])");
  EXPECT_EQ(write_job_error(JobRefusal::kMissingConfig),
            R"(["job_error",{"error":"missing_config"}])");
  EXPECT_EQ(write_job_error(JobRefusal::kDenied, "no", "r1"),
            R"(["job_error",{"error":"denied","message":"no","ref":"r1"}])");
}

TEST(HubWriting, AnswersWhatIsMalformed) {
  struct Row {
    std::string_view said, answer;
  };
  constexpr Row kRows[] = {
      {R"(["action"])", R"(["action_error",{"error":"malformed"}])"},
      {R"(["agent_heartbeat"])", R"(["agent_heartbeat_result",{"ok":false,"reason":"malformed"}])"},
      {R"(["generate_world"])", R"(["job_error",{"error":"invalid_payload"}])"},
      {R"(["generate_world",{}])", R"(["job_error",{"error":"missing_config"}])"},
      {R"(["token_refresh"])", R"(["token_error",{"error":"malformed"}])"},
      {R"(["presence"])", ""},
      {"", ""},
  };
  HubReader reader;
  for (const Row& row : kRows) {
    EXPECT_EQ(write_malformed(std::get<HubMalformed>(reader.read_user(row.said))), row.answer);
  }
}

TEST(HubWriting, TellsAJobAsFarAsItCame) {
  EXPECT_EQ(
      write_job_status(a_job()),
      R"(["job_status",{"jobId":"job_1","jobType":"BUILD_SCENE","payload":{"sceneId":"s"},"status":"queued","submittedAt":1000,"userId":"alice","queuedAt":1001,"retryCount":0}])");
  EXPECT_EQ(
      write_job_status(ended(jobs::JobState::kCompleted)),
      R"(["job_status",{"jobId":"job_1","jobType":"BUILD_SCENE","payload":{"sceneId":"s"},"status":"completed","submittedAt":1000,"userId":"alice","queuedAt":1001,"dispatchedAt":1010,"startedAt":1020,"completedAt":1520,"duration":500,"retryCount":1}])");
  jobs::Job failed = a_job();
  failed.state = jobs::JobState::kFailed;
  failed.error = "ENGINE_DISCONNECTED";
  failed.completed = WallTime{2'000};
  failed.payload = nullptr;
  EXPECT_EQ(
      write_job_status(failed),
      R"(["job_status",{"jobId":"job_1","jobType":"BUILD_SCENE","payload":null,"status":"failed","error":"ENGINE_DISCONNECTED","submittedAt":1000,"userId":"alice","queuedAt":1001,"completedAt":2000,"retryCount":0}])");
}

TEST(HubWriting, TellsHowAJobEnded) {
  jobs::Job completed = ended(jobs::JobState::kCompleted);
  completed.result = R"({"ok":1})";
  EXPECT_EQ(
      write_job_finished(completed),
      R"(["engine_job_finished",{"jobId":"job_1","jobType":"BUILD_SCENE","status":"completed","result":{"ok":1},"userId":"alice","completedAt":1520,"duration":500,"retryCount":1}])");
  jobs::Job failed = ended(jobs::JobState::kFailed);
  failed.error = "TIMEOUT after 2 retries";
  failed.completed = WallTime{1'019};  // the wall clock stepped back
  EXPECT_EQ(
      write_job_finished(failed),
      R"(["engine_job_failed",{"jobId":"job_1","jobType":"BUILD_SCENE","status":"failed","error":"TIMEOUT after 2 retries","userId":"alice","completedAt":1019,"duration":0,"retryCount":1}])");
  EXPECT_EQ(
      write_world_update("job_1", {completed}),
      R"(["world_update",{"worldId":"job_1","status":"completed","jobs":[{"jobId":"job_1","jobType":"BUILD_SCENE","status":"completed"}]}])");
  EXPECT_EQ(
      write_world_update("job_1", {completed, failed}),
      R"(["world_update",{"worldId":"job_1","status":"failed","jobs":[{"jobId":"job_1","jobType":"BUILD_SCENE","status":"completed"},)"
      R"({"jobId":"job_1","jobType":"BUILD_SCENE","status":"failed","error":"TIMEOUT after 2 retries"}]}])");
}

TEST(HubWriting, TelemetrySaysNothingOfTheJob) {
  struct Row {
    jobs::Telemetry event;
    std::string_view name;
  };
  constexpr Row kRows[] = {
      {jobs::Telemetry::kStarted, "JOB_STARTED"},
      {jobs::Telemetry::kProgress, "JOB_PROGRESS"},
      {jobs::Telemetry::kCompleted, "JOB_COMPLETED"},
      {jobs::Telemetry::kFailed, "JOB_FAILED"},
  };
  for (const Row& row : kRows) {
    EXPECT_EQ(write_telemetry(row.event, a_job(), kNow), R"(["engine_telemetry",{"event":")" +
                                                             std::string(row.name) +
                                                             R"(","timestamp":1700000000123}])");
  }
}

TEST(HubWriting, TellsEnginesWhatThePageHas) {
  EXPECT_EQ(write_ready_ack(kNow), R"(["ready_ack",{"status":"acknowledged","ts":1700000000123}])");
  EXPECT_EQ(write_engine_heartbeat_ack(kNow), R"(["heartbeat_ack",{"ts":1700000000123}])");
  EXPECT_EQ(write_ack_received("j", kNow), R"(["ack_received",{"jobId":"j","ts":1700000000123}])");
  EXPECT_EQ(write_status_ack("j", kNow),
            R"(["status_ack",{"jobId":"j","received":true,"ts":1700000000123}])");
  EXPECT_EQ(write_error_ack(kNow), R"(["error_ack",{"received":true,"ts":1700000000123}])");
  EXPECT_EQ(write_rejected(EngineEvent::kJobStatus, EngineRefusal::kEngineNonceReplay),
            R"(["status_rejected",{"reason":"ENGINE_NONCE_REPLAY"}])");
  EXPECT_EQ(write_rejected(EngineEvent::kJobCompleted, EngineRefusal::kJobLeaseStale),
            R"(["job_completed_rejected",{"reason":"JOB_LEASE_STALE"}])");
}

TEST(HubWriting, DispatchesInTwoSpellings) {
  jobs::Job job = a_job();
  job.fence = 3;
  EXPECT_EQ(
      write_engine_job(job, 15s),
      R"(["engine_job",{"job_id":"job_1","job_type":"BUILD_SCENE","world_spec":{"w":1},"payload":{"sceneId":"s"},"execution_params":{"priority":-2,"timeout_ms":15000},"submitted_at":1000,"user_id":"alice","lease":3}])");
  EXPECT_EQ(
      write_job_dispatch(job),
      R"(["job:dispatch",{"jobId":"job_1","jobType":"BUILD_SCENE","payload":{"sceneId":"s"}}])");
}

// What a peer chose stays within its quotation marks.
TEST(HubWriting, NothingThatIsToldBreaksOut) {
  const std::string_view hostile = "\"}],\"x\n\x1b[31m\xff";
  const std::vector<HubPresenceEntry> entries{
      {std::string(hostile), "user", "browser", "p", HubState::kActive, kNow, kNow}};
  jobs::Job job = ended(jobs::JobState::kFailed);
  job.id = job.type = job.user = job.error = hostile;
  const std::string texts[] = {
      write_auth_context({hostile, hostile, false, hostile}),
      write_agent_nonce(hostile, hostile, hostile, hostile),
      write_presence_update(entries),
      write_action_update({hostile, hostile, hostile, "1", 5, kNow, hostile}),
      write_action_error(ActionRefusal::kDenied, hostile),
      write_heartbeat_result(hostile, ""),
      write_job_error(JobRefusal::kDenied, hostile, hostile),
      write_job_status(job),
      write_job_finished(job),
      write_world_update(hostile, {job}),
      write_ack_received(hostile, kNow),
      write_status_ack(hostile, kNow),
      write_engine_job(job, 1s),
      write_job_dispatch(job),
  };
  for (const std::string& text : texts) {
    wire::JsonDocument document;
    ASSERT_TRUE(document.parse(text).ok()) << text;
    EXPECT_EQ(document.root().size(), 2U) << text;
    EXPECT_TRUE(document.root()[1].is(wire::JsonKind::kObject)) << text;
  }
}

TEST(HubWriting, TellsWhoHadTheLeaseHowItEnded) {
  jobs::Job job = ended(jobs::JobState::kQueued);
  job.fence = 3;
  EXPECT_EQ(write_lease_lost(job),
            R"(["lease_lost",{"job_id":"job_1","lease":3,"status":"queued"}])");
  job.state = jobs::JobState::kFailed;
  job.error = "CANCELLED";
  EXPECT_EQ(write_lease_lost(job),
            R"(["lease_lost",{"job_id":"job_1","lease":3,"status":"failed","error":"CANCELLED"}])");
}

}  // namespace
}  // namespace signet::dialects
