// Engine over a real socket, against a broker that a test plays.
#include "signet/engine.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "client/scripted_server_test.h"
#include "wire/websocket_upgrade.h"

namespace signet {
namespace {

using client::ScriptedServer;
using namespace std::chrono_literals;

constexpr const char* kOpen = R"(0{"sid":"s","upgrades":[]})";
constexpr const char* kJob =
    R"(42/engine,["engine_job",{"job_id":"job_1","job_type":"X","payload":{"a":1},"lease":7}])";

// Plays a broker's half up to readiness.
void let_in(ScriptedServer::Connection& engine) {
  const std::string request = engine.read_to("\r\n\r\n");
  const auto at = request.find("Sec-WebSocket-Key: ");
  ASSERT_NE(at, std::string::npos);
  std::string answer;
  wire::append_switching_protocols(answer, request.substr(at + 19, 24), "");
  engine.write(answer);
  engine.write_frame(kOpen);
  EXPECT_EQ(engine.read_frame(), R"(40/engine,{"token":"a.b.c"})");
  engine.write_frame(R"(40/engine,{"sid":"x"})");
  EXPECT_EQ(engine.read_frame(), R"(42/engine,["engine_ready",{"dialect":"engine_job"}])");
  engine.write_frame(R"(42/engine,["ready_ack",{"status":"acknowledged","ts":1}])");
}

EngineOptions options_for(const std::string& url) {
  EngineOptions options;
  options.broker_url = url;
  options.token = [] { return Result<std::string>("a.b.c"); };
  options.secret = "an-engine-secret-of-this-test";
  options.first_retry = 10ms;
  options.last_retry = 20ms;
  return options;
}

// What handlers were told, for a test's thread to wait for.
class Told {
 public:
  void note(const std::string& what) {
    const std::lock_guard lock(mutex_);
    all_ += what + ";";
    changed_.notify_all();
  }
  bool wait_for(const std::string& what) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s, [&] { return all_.find(what) != std::string::npos; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string all_;
};

TEST(Engine, OpensOnlyWithWhatItNeeds) {
  const struct {
    const char* name;
    std::string url;
    bool has_token, has_secret, has_handler;
    const char* code;
  } rows[] = {{"no url", "hub", true, true, true, "bad_url"},
              {"a query", "ws://127.0.0.1:1/?a=b", true, true, true, "bad_url"},
              {"no token", "ws://127.0.0.1:1", false, true, true, "usage"},
              {"no secret", "ws://127.0.0.1:1", true, false, true, "usage"},
              {"nobody who works", "ws://127.0.0.1:1", true, true, false, "usage"}};
  for (const auto& row : rows) {
    EngineOptions options = options_for(row.url);
    EngineHandlers handlers;
    if (!row.has_token) options.token = nullptr;
    if (!row.has_secret) options.secret.clear();
    if (row.has_handler) handlers.on_job = [](const Job&, const JobHandle&) {};
    const auto engine = Engine::open(std::move(options), std::move(handlers));
    ASSERT_FALSE(engine.ok()) << row.name;
    EXPECT_EQ(code_of(engine.error()), row.code) << row.name;
  }
}

// Plays a broker that gives one job; what it heard of it, up to the engine's leave.
void do_one_job(std::string& heard) {
  ScriptedServer broker([&](ScriptedServer::Connection& connection) {
    let_in(connection);
    connection.write_frame(kJob);
    for (int i = 0; i < 4; ++i) {
      const std::string packet = connection.read_frame();
      heard += packet.substr(0, packet.find(',', 11)) + "\n";
    }
  });
  Told told;
  auto engine = Engine::open(options_for(broker.url("")),
                             {.on_job = [&](const Job& job, const JobHandle& handle) {
                               EXPECT_EQ(job.payload, R"({"a":1})");
                               EXPECT_EQ(job.lease, 7U);
                               EXPECT_TRUE(handle.progress(50).ok());
                               EXPECT_TRUE(handle.complete("[1]").ok());
                               EXPECT_FALSE(handle.held().ok());
                               told.note(job.id);
                             }});
  ASSERT_TRUE(engine.ok());
  EXPECT_TRUE((*engine)->wait_connected(10s).ok());
  EXPECT_TRUE(told.wait_for("job_1"));
  engine->reset();  // what was said goes out first
}

TEST(Engine, DoesAJobAndTakesItsLeave) {
  std::string heard;
  do_one_job(heard);
  EXPECT_EQ(heard,
            "42/engine,[\"job_started\"\n42/engine,[\"job_progress\"\n"
            "42/engine,[\"job_completed\"\n41/engine,\n");
}

TEST(Engine, WhatItHeldIsLostWithTheConnection) {
  ScriptedServer broker([&](ScriptedServer::Connection& engine) {
    let_in(engine);
    engine.write_frame(kJob);
    EXPECT_NE(engine.read_frame().find("job_started"), std::string::npos);
  });
  Told told;
  std::optional<JobHandle> kept;
  auto engine =
      Engine::open(options_for(broker.url("/")),
                   {.on_job =
                        [&](const Job&, const JobHandle& handle) {
                          EXPECT_TRUE(handle.start().ok());
                          kept.emplace(handle);
                        },
                    .on_lost =
                        [&](const LostJob& lost) {
                          EXPECT_EQ(lost.lease, 7U);
                          EXPECT_EQ(code_of(kept->complete("1").error()), "connection_lost");
                          told.note("lost " + lost.job_id + " " + std::string(code_of(lost.why)));
                        },
                    .on_connection =
                        [&](const ConnectionReport& report) {
                          if (report.state == ConnectionReport::State::kWaiting) told.note("waits");
                        }});
  ASSERT_TRUE(engine.ok());
  EXPECT_TRUE(told.wait_for("lost job_1 connection_lost"));
  EXPECT_TRUE(told.wait_for("waits"));
  engine->reset();
  EXPECT_FALSE(kept->held().ok()) << "a handle outlives its engine";
}

TEST(Engine, ATokenThatCantBeHadIsReportedAndAskedForAgain) {
  Told told;
  EngineOptions options = options_for("ws://127.0.0.1:1");
  int asked = 0;
  options.token = [&asked, &told]() -> Result<std::string> {
    if (++asked == 3) told.note("thrice");
    return Error{ErrorCode::kUnavailable, "file_missing: no token"};
  };
  auto engine = Engine::open(std::move(options), {.on_job = [](const Job&, const JobHandle&) {}});
  ASSERT_TRUE(engine.ok());
  EXPECT_TRUE(told.wait_for("thrice"));
  const Status connected = (*engine)->wait_connected(1ms);
  ASSERT_FALSE(connected.ok());
  EXPECT_EQ(code_of(connected.error()), "file_missing");
}

}  // namespace
}  // namespace signet
