// Stories of Hub's engines and jobs: what is told, to whom, and only once it is on disk.
#include "base/captured_log_for_test.h"
#include "broker/hub_story_for_test.h"

namespace signet::broker {
namespace {

using namespace std::chrono_literals;

const Error kDiskIsFull{ErrorCode::kUnavailable, "scripted"};

class HubJobs : public HubStory {
 protected:
  // What is heard but for presence, which is another story.
  std::string news(FakeConnection& connection) {
    std::string words;
    for (const std::string& text : connection.take_texts()) {
      const std::string word = word_of_packet(text);
      if (!word.starts_with("presence_update")) add(words, word);
    }
    return words;
  }
  std::string news_after(FakeConnection& connection, const std::string& frame) {
    say(connection, frame);
    settle();
    return news(connection);
  }
  static std::string refresh_with(const std::string& token) {
    return engine_event("token_refresh", R"({"token":")" + token + "\"}");
  }
  static std::size_t count(const std::string& words, const std::string& word) {
    std::size_t found = 0;
    for (auto at = words.find(word); at != std::string::npos; at = words.find(word, at + 1))
      ++found;
    return found;
  }
  static constexpr const char* kQueued =
      "job_status BUILD_SCENE queued, job_status LOAD_ASSETS queued, "
      "job_status SPAWN_ENTITY queued";
};

TEST_F(HubJobs, AWorldIsToldOfOnlyOnceItIsOnDisk) {
  start();
  FakeConnection& uma = user("uma");
  news(uma);
  say(uma, world());
  for (int i = 0; i < 4; ++i) turn_shards();
  EXPECT_EQ(news(uma), "");
  settle();
  EXPECT_EQ(news(uma), kQueued);
  EXPECT_EQ(store_.job_rows.size(), 3U);
  EXPECT_EQ(metric("signet_jobs_submitted_total"), 3);
}

TEST_F(HubJobs, WhatTheStoreRefusedIsToldToNobodyAndReadAgain) {
  start();
  FakeConnection& uma = user("uma", 0);
  FakeConnection& gpu = ready_engine("gpu-1", 1);
  news(uma);
  store_.job_answers = {kDiskIsFull};
  EXPECT_EQ(news_after(uma, world()), "job_error unavailable");
  EXPECT_EQ(hears(gpu), "");
  EXPECT_TRUE(store_.job_rows.empty());
  EXPECT_EQ(metric("signet_jobs_reloaded_total"), 1);
  EXPECT_EQ(metric("signet_jobs_submitted_total"), 0);
  pass(1'250ms);
  news(uma);

  EXPECT_EQ(news_after(uma, world()).substr(0, 30), std::string(kQueued).substr(0, 30));
  EXPECT_EQ(count(hears(gpu), "engine_job"), 3U) << "it is ready on the new board, too";
  store_.job_answers = {kDiskIsFull};
  const std::string words = tell(gpu, packet("job_started", about_job()));
  EXPECT_EQ(words.substr(0, words.find(',')), "job_started_rejected ENGINE_UNAVAILABLE");
}

TEST_F(HubJobs, AJobGoesItsWayAndItsWorldIsToldOnce) {
  start();
  FakeConnection& uma = user("uma", 0);
  FakeConnection& also = user("uma", 1);
  FakeConnection& vic = user("vic", 1);
  FakeConnection& gpu = engine("gpu-1", 0);
  EXPECT_EQ(tell(gpu, engine_event("engine_ready", R"({"dialect":"engine_job"})")), "ready_ack");
  news(uma);
  news(also);
  news(vic);
  const std::string dispatched =
      "job_status BUILD_SCENE dispatched, job_status LOAD_ASSETS dispatched, "
      "job_status SPAWN_ENTITY dispatched";
  EXPECT_EQ(news_after(uma, world()), std::string(kQueued) + ", " + dispatched);
  EXPECT_EQ(news(also), std::string(kQueued) + ", " + dispatched);
  EXPECT_EQ(hears(gpu), "engine_job BUILD_SCENE, engine_job LOAD_ASSETS, engine_job SPAWN_ENTITY");
  EXPECT_EQ(told("user_id"), "uma");
  EXPECT_EQ(news(vic), "");

  EXPECT_EQ(tell(gpu, packet("job_started", about_job())), "");
  EXPECT_EQ(news(uma), "job_status SPAWN_ENTITY running, JOB_STARTED");
  EXPECT_EQ(news(vic), "JOB_STARTED") << "all hear that something goes on, and not what";
  EXPECT_EQ(last_event_.find("SPAWN"), std::string::npos);
  tell(gpu, packet("job_progress", about_job(R"("progress":0.5)")));
  EXPECT_EQ(news(uma), "JOB_PROGRESS");
  EXPECT_EQ(tell(gpu, packet("job_completed", about_job(R"("result":{"n":1})"))), "");
  EXPECT_EQ(news(also),
            "job_status SPAWN_ENTITY running, JOB_STARTED, JOB_PROGRESS, "
            "job_status SPAWN_ENTITY completed, engine_job_finished SPAWN_ENTITY, JOB_COMPLETED");
  EXPECT_EQ(tell(gpu, packet("job_completed", about_job())), "") << "said again, it is the same";
  EXPECT_EQ(tell(gpu, packet("job_failed", about_job())),
            "job_failed_rejected JOB_TRANSITION_INVALID");

  std::string all = news(uma);
  for (const auto& [id, row] : std::map(store_.job_rows)) {
    if (jobs::is_final(row.state)) continue;
    last_job_ = id;
    last_lease_ = std::to_string(row.fence);
    tell(gpu, packet("job_started", about_job()));
    tell(gpu, packet("job_completed", about_job({}, false)));
    all += ", " + news(uma);
  }
  EXPECT_EQ(count(all, "world_update completed"), 1U) << all;
  EXPECT_EQ(count(all, "engine_job_finished"), 3U) << all;
  EXPECT_EQ(metric("signet_jobs_completed_total"), 3);
}

TEST_F(HubJobs, AFailureIsToldWithItsWord) {
  start();
  FakeConnection& uma = user("uma");
  FakeConnection& gpu = ready_engine("gpu-1");
  tell(uma, world());
  hears(gpu);
  tell(gpu, packet("job_started", about_job()));
  news(uma);
  tell(gpu, packet("job_failed", about_job(R"("error":"no such mesh")")));
  EXPECT_EQ(news(uma),
            "job_status SPAWN_ENTITY failed, engine_job_failed no such mesh, JOB_FAILED");
}

TEST_F(HubJobs, WhatAnEngineLeavesBehindGoesToAnotherUnderANewLease) {
  start();
  FakeConnection& uma = user("uma", 0);
  FakeConnection& gone = ready_engine("gpu-1", 0);
  tell(uma, world());
  hears(gone);
  const std::string lease = last_lease_;
  FakeConnection& next = ready_engine("gpu-2", 1);
  news(uma);
  shards_[0]->hang_up(gone);
  settle();
  EXPECT_EQ(count(hears(next), "engine_job"), 3U);
  EXPECT_NE(last_lease_, lease);
  EXPECT_EQ(count(news(uma), "queued"), 3U);
  EXPECT_EQ(tell(next, packet("job_started", about_job())), "");
}

TEST_F(HubJobs, WhoLosesItsStandingLosesItsLeasesToAnother) {
  start();
  FakeConnection& uma = user("uma", 0);
  FakeConnection& gone = ready_engine("gpu-1", 0);
  tell(uma, world());
  hears(gone);
  tell(gone, packet("job_started", about_job()));
  FakeConnection& next = ready_engine("gpu-2", 1);
  news(uma);
  control_.run_and_wait([&] {
    controller_->set_standing({1}, member("gpu-1")->number, membership::Standing::kQuarantined,
                              [](const Status&) {});
  });
  settle();
  EXPECT_TRUE(gone.closed);
  EXPECT_EQ(count(hears(next), "engine_job"), 3U);
  EXPECT_EQ(count(news(uma), "queued"), 3U);
}

TEST_F(HubJobs, WhoStallsPastItsLeaseComesTooLate) {
  start();
  FakeConnection& uma = user("uma");
  FakeConnection& slow = ready_engine("gpu-1", 0);
  tell(uma, world());
  hears(slow);
  const std::string late = about_job();
  tell(slow, packet("job_started", late));
  for (int i = 0; i < 3; ++i) {
    pass(5s);
    tell(slow, engine_event("engine_heartbeat", "{}"));
    tell(uma, event("heartbeat", "{}"));
  }
  FakeConnection& other = ready_engine("gpu-2", 1);
  pass(9s);
  tell(slow, engine_event("engine_heartbeat", "{}"));
  tell(other, engine_event("engine_heartbeat", "{}"));
  pass(7s);
  const std::string given = hears(other);
  ASSERT_GT(count(given, "engine_job"), 0U) << given;
  EXPECT_GT(count(hears(slow), "lease_lost"), 0U);
  EXPECT_EQ(count(given, "lease_lost"), 0U) << "it is told to who had it";
  EXPECT_EQ(tell(slow, packet("job_completed", late)), "job_completed_rejected JOB_LEASE_STALE");
  EXPECT_EQ(metric("signet_hub_engines_refused_total{reason=\"JOB_LEASE_STALE\"}"), 1);
}

TEST_F(HubJobs, AnEngineHearsADispatchInTheSpellingThatItNamed) {
  const struct {
    const char* data;
    std::size_t first, second;
  } rows[] = {{"{}", 1, 1},
              {"null", 1, 1},
              {R"({"dialect":"engine_job"})", 1, 0},
              {R"({"dialect":"job:dispatch"})", 0, 1},
              {R"({"dialect":"another"})", 1, 1}};
  jobs_.jobs_per_engine = 1;
  set_door();
  start();
  FakeConnection& uma = user("uma");
  tell(uma, world());
  for (const auto& row : rows) {
    FakeConnection& gpu = engine("gpu-1", 1);
    const std::string words = tell(gpu, engine_event("engine_ready", row.data));
    EXPECT_EQ(count(words, "engine_job "), row.first) << row.data << words;
    EXPECT_EQ(count(words, "job:dispatch "), row.second) << row.data << words;
    shards_[1]->hang_up(gpu);
    settle();
  }
}

TEST_F(HubJobs, WhileTheJobsCantBeReadThereAreNone) {
  store_.failing_loads = 1;
  start();
  FakeConnection& uma = user("uma");
  FakeConnection& gpu = ready_engine("gpu-1", 1);
  news(uma);
  EXPECT_EQ(news_after(uma, world()), "job_error unavailable");
  pass(750ms);
  EXPECT_EQ(news_after(uma, world()), "job_error unavailable");
  pass(500ms);
  EXPECT_EQ(count(news_after(uma, world()), "queued"), 3U);
  EXPECT_EQ(count(hears(gpu), "engine_job"), 3U) << "who was ready meanwhile is";
}

TEST_F(HubJobs, WhatComesWhileTheyAreReadWaits) {
  start();
  FakeConnection& uma = begin_on_socket();
  say(uma, connect_with(token("uma")));
  say(uma, world());
  settle();
  EXPECT_EQ(count(news(uma), "queued"), 3U);
}

TEST_F(HubJobs, WhatWasUnderWayAtAnEndIsQueuedAgain) {
  jobs::Job job;
  job.mesh = {1};
  job.id = job.world = "job_1";
  job.type = "BUILD_SCENE";
  job.user = "uma";
  job.spec = job.payload = std::make_shared<const std::string>("{}");
  job.order = 1;
  job.state = jobs::JobState::kRunning;
  job.version = 3;
  job.fence = 2;
  job.engine = "gpu-1";
  job.submitted = job.queued = job.dispatched = job.started = clock_.wall();
  store_.job_rows["job_1"] = job;
  start();
  const std::string words = tell(begin_on_socket(), connect_with(token("uma")));
  EXPECT_EQ(count(words, "job_status BUILD_SCENE queued"), 1U) << words;
  FakeConnection& gpu = ready_engine("gpu-1");
  hears(gpu);
  EXPECT_EQ(store_.job_rows["job_1"].state, jobs::JobState::kDispatched);
  EXPECT_EQ(store_.job_rows["job_1"].fence, 3U);
}

TEST_F(HubJobs, EveryRefusalOfAJobSaysWhy) {
  jobs_.unfinished_per_user = 3;
  door_.payloads["SPAWN_ENTITY"] = schema(R"({"properties":{"id":{"enum":["e0"]}}})");
  set_door();
  start();
  FakeConnection& uma = user("uma");
  news(uma);
  EXPECT_EQ(news_after(uma, event("generate_world", R"({"config":{"scene":{}}})")),
            "job_error schema_validation_failed");
  EXPECT_EQ(told("message"), "(root): required entities");
  EXPECT_EQ(news_after(uma, event("generate_world", R"({"config":{"scene":{},"entities":[]}})")),
            "job_error schema_validation_failed");
  EXPECT_EQ(news_after(uma, world(2)), "job_error schema_validation_failed")
      << "of the payload of a type";
  EXPECT_EQ(news_after(uma, world()), kQueued);
  EXPECT_EQ(news_after(uma, world()), "job_error too_many_jobs");
  EXPECT_EQ(told("message"), "");
  door_.payloads.clear();
  set_door();
  show_rules();
  news(uma);
  EXPECT_EQ(news_after(uma, world(2)), "job_error invalid_payload") << "waiting would not help";
  EXPECT_EQ(told("message"), "4 jobs: more than may ever wait");
  FakeConnection& vic = user("vic");
  jobs_.types.pop_back();
  set_door();
  show_rules();
  news(vic);
  EXPECT_EQ(news_after(vic, world()), "job_error unauthorized_job_type");
  EXPECT_EQ(store_.job_rows.size(), 3U);
  EXPECT_EQ(metric("signet_jobs_refused_total{reason=\"schema_validation_failed\"}"), 3);
}

TEST_F(HubJobs, AWorldAndAResultHaveTheirSize) {
  options_.hub.max_result_bytes = 64;
  options_.hub.max_world_bytes = 512;
  start();
  FakeConnection& uma = user("uma");
  FakeConnection& gpu = ready_engine("gpu-1", 1);
  news(uma);
  EXPECT_EQ(news_after(uma, world(9)), "job_error invalid_payload");
  EXPECT_EQ(told("message"), "larger than 512 bytes");
  news_after(uma, world());
  hears(gpu);
  ASSERT_EQ(tell(gpu, packet("job_started", about_job())), "");
  const auto result = [&](std::size_t bytes) {
    return about_job(R"("result":")" + std::string(bytes - 2, 'r') + "\"");
  };
  EXPECT_EQ(tell(gpu, packet("job_completed", result(65))),
            "job_completed_rejected ENGINE_PAYLOAD_INVALID");
  EXPECT_EQ(store_.job_rows[last_job_].state, jobs::JobState::kRunning);
  EXPECT_EQ(tell(gpu, packet("job_completed", result(64))), "");
  EXPECT_EQ(store_.job_rows[last_job_].result.size(), 64U);
}

TEST_F(HubJobs, ProgressIsShortAndToldOnlySoOften) {
  options_.hub.progress_per_second = 2;
  start();
  FakeConnection& uma = user("uma");
  FakeConnection& gpu = ready_engine("gpu-1", 1);
  news_after(uma, world());
  hears(gpu);
  // What is signed is the value; as long as its spelling may be.
  const auto progress = [&](const std::string& spelled, const std::string& value) {
    ActionFields fields;
    fields.nonce = next_nonce();
    fields.sig = hmac(kEngineSecret, about_job("\"progress\":" + value) + fields.nonce +
                                         std::to_string(clock_.wall().ms));
    return tell(gpu, packet("job_progress", about_job("\"progress\":" + spelled), fields));
  };
  tell(gpu, packet("job_started", about_job()));
  news(uma);
  const std::string longest = "1." + std::string(dialects::kMaxEchoBytes - 2, '0');
  EXPECT_EQ(progress(longest + "0", "1"), "job_progress_rejected ENGINE_PAYLOAD_INVALID");
  EXPECT_EQ(progress(longest, "1"), "");
  for (const char* value : {"0.1", "0.2"}) EXPECT_EQ(progress(value, value), "") << "it is taken";
  EXPECT_EQ(news(uma), "JOB_PROGRESS, JOB_PROGRESS");
  pass(1s);
  news(uma);
  progress("0.4", "0.4");
  EXPECT_EQ(news(uma), "JOB_PROGRESS");
}

TEST_F(HubJobs, AnEngineIsRefusedByADisconnect) {
  start();
  trust::TokenFacts boss = facts("gpu-1");
  boss.role = "boss";
  trust::TokenFacts farm = facts("gpu-1");
  farm.role = "engine";
  farm.issuer = "farm";
  const std::string foreign = connect_with(signed_by("one", farm), "/engine,");
  const struct {
    const char* name;
    std::string frame;
  } rows[] = {{"no token", "40/engine,"},
              {"a user's", connect_with(token("gpu-1"), "/engine,")},
              {"another role", connect_with(signed_by("one", boss), "/engine,")},
              {"an old one", connect_with(engine_token("gpu-1", -31s), "/engine,")},
              {"who has a key", connect_with(engine_token("member-ann"), "/engine,")},
              {"another issuer", foreign}};
  for (const auto& row : rows) {
    EXPECT_EQ(tell(begin_on_socket(), row.frame), "disconnected /engine, close") << row.name;
  }
  door_.engine_issuers = {"farm"};
  set_door();
  show_rules();
  FakeConnection& gpu = begin_on_socket();
  EXPECT_EQ(tell(gpu, foreign), "connected /engine");
  door_.engine_secret = {};
  set_door();
  show_rules();
  EXPECT_EQ(tell(begin_on_socket(), foreign), "disconnected /engine, close") << "no secret";
}

TEST_F(HubJobs, TheFirstFaultOfAPacketIsTheOneThatIsTold) {
  start();
  FakeConnection& gpu = ready_engine("gpu-1");
  const std::string payload = R"({"job_id":"j1","timestamp":1})";
  ActionFields used;
  used.nonce = "used";
  EXPECT_EQ(tell(gpu, packet("job_started", payload, used)), "job_started_rejected JOB_UNKNOWN")
      << "signature, time and nonce come before the state";
  const std::string bad(64, 'a');
  const struct {
    const char* name;
    std::string frame;
    const char* word;
  } rows[] = {
      {"no envelope", engine_event("job_started", "{}"),
       "job_started_rejected ENGINE_PACKET_INCOMPLETE"},
      {"no data", R"(42/engine,["job_ack"])", "job_ack_rejected ENGINE_PACKET_INCOMPLETE"},
      {"late, badly signed, used",
       packet("job_failed", payload, {"", "", -30'001, "used", "", bad}),
       "job_failed_rejected ENGINE_TIMESTAMP_EXPIRED"},
      {"badly signed, used", packet("job_status", payload, {"", "", 0, "used", "", bad}),
       "status_rejected ENGINE_SIGNATURE_INVALID"},
      {"of the users' secret", packet("job_started", payload, {"", "", 0, "new", kActionSecret}),
       "job_started_rejected ENGINE_SIGNATURE_INVALID"},
      {"used, for nothing", packet("job_progress", "{}", used),
       "job_progress_rejected ENGINE_NONCE_REPLAY"},
      {"about nothing", packet("job_progress", "{}"),
       "job_progress_rejected ENGINE_PAYLOAD_INVALID"},
      {"about no job", packet("job_completed", payload), "job_completed_rejected JOB_UNKNOWN"},
  };
  for (const auto& row : rows) EXPECT_EQ(tell(gpu, row.frame), row.word) << row.name;
  using store::NonceOutcome;
  store_.nonce_outcomes = {NonceOutcome::kFull, NonceOutcome::kUnavailable};
  EXPECT_EQ(tell(gpu, packet("job_ack", payload)), "job_ack_rejected ENGINE_RATE_LIMITED");
  EXPECT_EQ(tell(gpu, packet("engine_error", "{}")), "engine_error_rejected ENGINE_UNAVAILABLE");
}

TEST_F(HubJobs, TelemetryIsAcknowledgedAndChangesNothing) {
  start();
  FakeConnection& gpu = ready_engine("gpu-1");
  EXPECT_EQ(tell(gpu, packet("job_ack", R"({"jobId":"j","status":"ok"})")), "ack_received j");
  EXPECT_EQ(tell(gpu, packet("job_status", R"({"jobId":"j","jobType":"X","status":"ok"})")),
            "status_ack j");
  EXPECT_EQ(tell(gpu, packet("engine_error", R"({"error":"too hot"})")), "error_ack");
  EXPECT_EQ(tell(gpu, engine_event("engine_heartbeat", "{}")), "heartbeat_ack");
  EXPECT_TRUE(store_.job_rows.empty());
}

TEST_F(HubJobs, AllHearWhetherThereAreEngines) {
  start();
  FakeConnection& uma = user("uma", 0);
  FakeConnection& vic = user("vic", 1);
  news(uma);
  news(vic);
  FakeConnection& gpu = ready_engine("gpu-1", 0);
  EXPECT_EQ(news(uma), "engine_status healthy");
  EXPECT_EQ(news(vic), "engine_status healthy");
  pass(9s);
  EXPECT_EQ(tell(gpu, engine_event("engine_heartbeat", "{}")), "heartbeat_ack");
  pass(9s);
  EXPECT_FALSE(gpu.closed);
  pass(1s);
  EXPECT_EQ(hears(gpu), "disconnected /engine, close") << "ten seconds without a heartbeat";
  EXPECT_EQ(count(news(uma), "engine_status none"), 1U);
  EXPECT_EQ(count(news(vic), "engine_status none"), 1U);
  ready_engine("gpu-1", 1);
  EXPECT_EQ(news(vic), "engine_status healthy");
  EXPECT_EQ(told("reconnectAttempts"), "1");
}

TEST_F(HubJobs, ATokenOfAnEngineEndsAsWell) {
  start();
  for (const std::chrono::milliseconds back : {0ms, 3'600'000ms}) {
    FakeConnection& gpu = begin_on_socket();
    tell(gpu, connect_with(engine_token("gpu-1", 5s), "/engine,"));
    clock_.step_wall(-back);
    pass(4s);
    EXPECT_FALSE(gpu.closed);
    pass(1s);
    EXPECT_EQ(hears(gpu), "auth_expired, disconnected /engine, close") << back.count();
    EXPECT_EQ(shared_->loads.count({1}), 0);
  }
}

TEST_F(HubJobs, AnotherTokenTakesThePlaceOfAnEnginesAndItsJobsGoOn) {
  start();
  FakeConnection& uma = user("uma");
  FakeConnection& gpu = begin_on_socket(1);
  tell(gpu, connect_with(engine_token("gpu-1", 8s), "/engine,"));
  tell(gpu, engine_event("engine_ready", R"({"dialect":"engine_job"})"));
  tell(uma, world());
  hears(gpu);
  tell(gpu, packet("job_started", about_job()));
  pass(6s);
  EXPECT_EQ(tell(gpu, refresh_with(engine_token("gpu-1", 60s))), "token_ok");
  EXPECT_EQ(told("exp"), std::to_string((clock_.wall() + 60s).ms / 1'000));
  EXPECT_EQ(tell(gpu, engine_event("engine_heartbeat", "{}")), "heartbeat_ack");
  pass(4s);
  EXPECT_FALSE(gpu.closed) << "the first is over";
  EXPECT_EQ(tell(gpu, packet("job_completed", about_job())), "");
  EXPECT_EQ(store_.job_rows[last_job_].state, jobs::JobState::kCompleted);
  EXPECT_EQ(leases_of(store_.job_rows[last_job_]), 1U);
}

TEST_F(HubJobs, ARefreshOfAnEngineThatDoesNotHoldChangesNothing) {
  start();
  FakeConnection& gpu = ready_engine("gpu-1");
  trust::TokenFacts boss = facts("gpu-1");
  boss.role = "boss";
  trust::TokenFacts foreign = facts("gpu-1");
  foreign.role = "engine";
  const struct {
    const char* name;
    std::string frame;
    const char* word;
  } rows[] = {{"another's", refresh_with(engine_token("gpu-2")), "bad_claim"},
              {"of another role", refresh_with(signed_by("one", boss)), "bad_claim"},
              {"a user's", refresh_with(token("gpu-1")), "missing_claim"},
              {"an old one", refresh_with(engine_token("gpu-1", -31s)), "expired"},
              {"of another key", refresh_with(signed_by("three", foreign)), "unknown_key"},
              {"no token", refresh_with("abc"), "malformed"},
              {"none", engine_event("token_refresh", "{}"), "malformed"},
              {"no data", R"(42/engine,["token_refresh"])", "malformed"}};
  for (const auto& row : rows) {
    EXPECT_EQ(tell(gpu, row.frame), std::string("token_error ") + row.word) << row.name;
  }
  EXPECT_FALSE(gpu.closed);
  EXPECT_EQ(metric("signet_hub_engines"), 1);
  EXPECT_EQ(tell(gpu, engine_event("engine_heartbeat", "{}")), "heartbeat_ack");
}

// Its token holds, its secret does not: that shows when it says its first word of a job.
TEST_F(HubJobs, AnEngineOfAnotherSecretCostsTheJobsNoTry) {
  start();
  FakeConnection& uma = user("uma");
  ActionFields elsewhere;
  elsewhere.key = "the engines of another mesh have this";
  ActionFields late;
  late.off_ms = -30'001;
  for (const ActionFields& unfit : {elsewhere, late}) {
    FakeConnection& gpu = ready_engine("gpu-1");
    if (store_.job_rows.empty()) tell(uma, world());
    hears(gpu);
    EXPECT_EQ(tell(gpu, packet("job_started", about_job(), unfit)).substr(0, 20),
              "job_started_rejected");
    tell(gpu, "41/engine,");
  }
  for (const auto& [id, row] : store_.job_rows) {
    EXPECT_EQ(row.state, jobs::JobState::kQueued) << id;
    EXPECT_EQ(row.retries, 0U) << id;
    EXPECT_EQ(leases_of(row), 2U) << id;
  }
  FakeConnection& fit = ready_engine("gpu-2");
  hears(fit);
  tell(fit, packet("job_started", about_job(), elsewhere));
  EXPECT_EQ(tell(fit, packet("job_started", about_job())), "") << "it has the secret after all";
  tell(fit, "41/engine,");
  for (const auto& [id, row] : store_.job_rows) EXPECT_EQ(row.retries, 1U) << id;
}

TEST_F(HubJobs, WhatEnginesAreRefusedIsInTheLog) {
  start();
  FakeConnection& gpu = ready_engine("gpu-1");
  CapturedLog log;
  set_log_level(LogLevel::kWarn);
  const auto has = [](const std::string& line, std::initializer_list<const char*> parts) {
    for (const char* part : parts) EXPECT_NE(line.find(part), std::string::npos) << line << part;
  };
  tell(gpu, engine_event("job_started", "{}"));
  has(log.take(), {R"("event":"hub.packet_refused")", R"("reason":"ENGINE_PACKET_INCOMPLETE")",
                   R"(_rejected")", R"("repeated":0)", R"("engine":"gpu-1")", R"("peer":"127.)"});
  tell(gpu, engine_event("job_started", "{}"));
  EXPECT_EQ(log.take(), "") << "one line a second for each reason";
  tell(gpu, refresh_with("abc"));
  has(log.take(), {R"("event":"hub.renewal_refused")", R"("reason":"malformed")",
                   R"("namespace":"/engine")", R"("subject":"gpu-1")"});
  tell(begin_on_socket(), "40/engine,");
  has(log.take(), {R"("event":"hub.engine_refused")", R"("reason":"AUTH_REQUIRED")"});
  pass(1s);
  log.take();
  tell(gpu, engine_event("job_started", "{}"));
  has(log.take(), {R"("event":"hub.packet_refused")", R"("repeated":1)"});
}

}  // namespace
}  // namespace signet::broker
