#include "client/engine_session.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "dialects/hub.h"
#include "wire/engineio_packet.h"
#include "wire/websocket_upgrade.h"

namespace signet::client {
namespace {

using dialects::EngineEvent;
using dialects::JobStep;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Next = EngineSessionEnd::Next;

constexpr WallTime kWall{1'700'000'000'000};  // at kBegin
constexpr Elapsed kBegin{seconds(100)};
constexpr std::string_view kSecret = "an-engine-secret-of-this-test";
constexpr const char* kOpen =
    R"(0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000})";

// A token whose claims are these.
std::string token_with(std::string_view claims) {
  return "aa." + to_base64url(bytes_of(claims)) + ".cc";
}

// What an engine wrote, packet by packet of Engine.IO; frames of other kinds by name.
class EngineFrames : private wire::FrameEvents {
 public:
  std::vector<std::string> read(std::string& bytes) {
    EXPECT_FALSE(reader_.feed(bytes, {.max_message_bytes = 1 << 24}, *this));
    bytes.clear();
    return std::exchange(packets_, {});
  }

 private:
  bool on_message(wire::MessageKind, std::string_view payload) override { return note(payload); }
  bool on_ping(std::string_view) override { return note("ping"); }
  bool on_pong(std::string_view) override { return note("pong"); }
  void on_close(std::uint16_t, std::string_view) override { note("goodbye"); }
  bool note(std::string_view packet) {
    packets_.emplace_back(packet);
    return true;
  }
  wire::FrameReader reader_{wire::Role::kServer};
  std::vector<std::string> packets_;
};

class EngineSessionStory : public testing::Test, protected EngineSessionEvents {
 protected:
  EngineSessionStory() { start(); }

  void start(const std::string& token = "the.token.text", EngineSessionOptions options = {}) {
    frames_.emplace();
    session_.emplace(
        options, token, crypto::SecretText(kSecret), "hub:80", "/socket.io/",
        [this] { return "nonce-" + std::to_string(++nonces_); }, now_, wall());
  }
  WallTime wall() const {
    return kWall + std::chrono::floor<milliseconds>(now_.since_boot - kBegin.since_boot);
  }

  // --- the broker's side ---
  void upgrade() {
    std::string& asked = session_->output();
    constexpr std::string_view kName = "Sec-WebSocket-Key: ";
    const auto at = asked.find(kName);
    ASSERT_NE(at, std::string::npos);
    const std::string key = asked.substr(at + kName.size(), 24);
    request_ = std::exchange(asked, {});
    std::string answer;
    wire::append_switching_protocols(answer, key, "");
    feed(answer);
  }
  void send(std::string_view packet) {
    std::string frame;
    wire::append_frame(frame, wire::Opcode::kText, packet);
    feed(frame);
  }
  void tell(const std::string& event) { send("42/engine," + event); }
  void feed(std::string bytes) { session_->feed(bytes, now_, *this); }
  void get_ready() {
    upgrade();
    send(kOpen);
    send(R"(40/engine,{"sid":"x"})");
    tell(dialects::write_ready_ack(kWall));
    said();
    told_.clear();
  }
  void give(const std::string& id, std::uint64_t lease) {
    jobs::Job job;
    job.id = id;
    job.type = "BUILD_SCENE";
    job.user = "ann";
    job.fence = lease;
    tell(dialects::write_engine_job(job, seconds(15)));
  }
  void take_back(const std::string& id, std::uint64_t lease, const std::string& error) {
    jobs::Job job;
    job.id = id;
    job.fence = lease;
    job.state = error.empty() ? jobs::JobState::kQueued : jobs::JobState::kFailed;
    job.error = error;
    tell(dialects::write_lease_lost(job));
  }
  void refuse(EngineEvent event, EngineRefusal code) {
    tell(dialects::write_rejected(event, code));
  }
  void pass(milliseconds time) {
    now_ = now_ + time;
    session_->on_time(now_);
  }
  // Beside a broker that is there, in steps of six seconds.
  void wait(seconds time) {
    for (seconds waited(0); waited < time; waited += seconds(6)) {
      tell(dialects::write_engine_heartbeat_ack(kWall));
      pass(seconds(6));
    }
  }
  std::string ending_in(seconds time) const {
    return token_with(R"({"exp":)" + std::to_string((wall() + time).ms / 1'000) + "}");
  }
  void renew(const std::string& token) { session_->renew(token, now_, wall()); }

  // --- the engine's side ---
  std::vector<std::string> said() { return frames_->read(session_->output()); }
  // Events alone, by name; of what is signed, with job and lease, and whether the signature holds.
  std::string words() {
    std::string words;
    for (const std::string& packet : said()) {
      words += words.empty() ? "" : ", ";
      words += packet.starts_with("42/engine,") ? word_of(packet.substr(10)) : packet;
    }
    return words;
  }
  std::string word_of(const std::string& event) {
    const dialects::EngineVerb verb = reader_.read_engine(event);
    if (std::holds_alternative<dialects::EngineReady>(verb)) return "ready";
    if (std::holds_alternative<dialects::EngineHeartbeat>(verb)) return "heartbeat";
    if (const auto* refresh = std::get_if<dialects::HubTokenRefresh>(&verb)) {
      return "refresh " + std::string(refresh->token);
    }
    const auto& said = std::get<dialects::EnginePacketSaid>(verb);
    constexpr const char* kNames[] = {"ack",       "status", "started", "progress",
                                      "completed", "failed", "error"};
    const bool holds = said.fits && !trust::check_engine(said.claim, kSecret, kWall, {});
    return std::string(kNames[static_cast<std::size_t>(said.event)]) + " " + std::string(said.job) +
           "/" + std::to_string(said.lease.value_or(0)) +
           (said.text.empty() ? "" : " " + std::string(said.text)) + (holds ? "" : " BAD");
  }
  void say(JobStep step, const std::string& job, std::uint64_t lease,
           const std::string& text = {}) {
    EXPECT_TRUE(session_->say({step, job, lease, text}, now_, kWall).ok());
  }
  std::string told() { return std::exchange(told_, {}); }
  std::string end_code() const {
    return session_->end() ? std::string(code_of_detail(session_->end()->error.detail)) : "";
  }
  static std::string_view code_of_detail(std::string_view detail) {
    return detail.substr(0, detail.find(':'));
  }

  std::optional<EngineSession> session_;
  Elapsed now_ = kBegin;
  std::string request_;

 private:
  void note(const std::string& what) { told_ += (told_.empty() ? "" : ", ") + what; }
  void on_ready() override { note("ready"); }
  void on_job(dialects::JobTold job) override {
    note("job " + job.id + "/" + std::to_string(job.lease.value_or(0)));
  }
  void on_lost(const Lease& lease, const Error& why) override {
    note("lost " + lease.job + "/" + std::to_string(lease.number.value_or(0)) + " " +
         std::string(code_of_detail(why.detail)));
  }
  void on_refused(const Error& why) override {
    note("refused " + std::string(code_of_detail(why.detail)));
  }

  std::optional<EngineFrames> frames_;
  dialects::HubReader reader_;
  std::string told_;
  int nonces_ = 0;
};

TEST_F(EngineSessionStory, ComesInStepByStep) {
  upgrade();
  EXPECT_TRUE(request_.starts_with("GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"));
  EXPECT_EQ(request_.find("token"), std::string::npos) << "no log of a proxy has it";
  EXPECT_EQ(words(), "");
  send(kOpen);
  EXPECT_EQ(words(), R"(40/engine,{"token":"the.token.text"})");
  send(R"(40/engine,{"sid":"x"})");
  EXPECT_EQ(words(), "ready");
  EXPECT_FALSE(session_->is_ready());
  tell(dialects::write_ready_ack(kWall));
  EXPECT_TRUE(session_->is_ready());
  EXPECT_EQ(told(), "ready");
  send("2");
  EXPECT_EQ(words(), "3");
}

TEST_F(EngineSessionStory, BytesMayComeOneByOne) {
  upgrade();
  std::string bytes;
  for (const std::string& packet : {std::string(kOpen), std::string(R"(40/engine,{"sid":"x"})"),
                                    "42/engine," + dialects::write_ready_ack(kWall)}) {
    wire::append_frame(bytes, wire::Opcode::kText, packet);
  }
  for (const char c : bytes) feed(std::string(1, c));
  EXPECT_EQ(told(), "ready");
}

TEST_F(EngineSessionStory, SaysHowAJobGoesSigned) {
  get_ready();
  give("job_1", 7);
  EXPECT_EQ(told(), "job job_1/7");
  say(JobStep::kStarted, "job_1", 7);
  say(JobStep::kStarted, "job_1", 7);
  say(JobStep::kProgress, "job_1", 7, "10");
  EXPECT_EQ(words(), "started job_1/7, progress job_1/7 10");
  say(JobStep::kProgress, "job_1", 7, "11");
  EXPECT_EQ(words(), "") << "too soon";
  now_ = now_ + milliseconds(200);
  say(JobStep::kProgress, "job_1", 7, "12");
  say(JobStep::kCompleted, "job_1", 7, R"({"n":1})");
  EXPECT_EQ(words(), R"(progress job_1/7 12, completed job_1/7 {"n":1})");
  say(JobStep::kProgress, "job_1", 7, "99");
  say(JobStep::kFailed, "job_1", 7, "after all");
  EXPECT_EQ(words(), "") << "nothing follows a last word";
}

TEST_F(EngineSessionStory, WhatMustHaveBegunBegins) {
  const struct {
    const char* name;
    JobStep step;
    const char* text;
    const char* words;
  } rows[] = {{"progress", JobStep::kProgress, "5", "started j/1, progress j/1 5"},
              {"a result", JobStep::kCompleted, "null", "started j/1, completed j/1 null"},
              {"no result", JobStep::kCompleted, "", "started j/1, completed j/1"},
              {"a failure needs no beginning", JobStep::kFailed, "no", "failed j/1 no"}};
  for (const auto& row : rows) {
    start();
    get_ready();
    give("j", 1);
    say(row.step, "j", 1, row.text);
    EXPECT_EQ(words(), row.words) << row.name;
  }
}

TEST_F(EngineSessionStory, ALeaseThatIsOverSaysNothing) {
  get_ready();
  give("a", 1);
  give("b", 2);
  give("c", 3);
  told();
  take_back("a", 1, "CANCELLED");
  take_back("b", 2, "");
  take_back("c", 2, "CANCELLED");  // of an earlier lease
  take_back("d", 1, "CANCELLED");  // never given
  EXPECT_EQ(told(), "lost a/1 CANCELLED, lost b/2 JOB_LEASE_STALE");
  for (const char* job : {"a", "b", "c", "d"}) say(JobStep::kStarted, job, 1);
  say(JobStep::kCompleted, "a", 1);
  say(JobStep::kCompleted, "b", 2);
  EXPECT_EQ(words(), "");
  say(JobStep::kCompleted, "c", 3);
  EXPECT_EQ(words(), "started c/3, completed c/3");
  take_back("c", 3, "TIMEOUT after 2 retries");
  EXPECT_EQ(told(), "") << "its last word was said";
}

TEST_F(EngineSessionStory, AJobUnderANewLeaseIsANewOne) {
  get_ready();
  give("a", 5);
  give("a", 5);
  give("a", 4);
  EXPECT_EQ(told(), "job a/5") << "said again, and late";
  say(JobStep::kStarted, "a", 5);
  give("a", 6);
  EXPECT_EQ(told(), "lost a/5 JOB_LEASE_STALE, job a/6");
  words();
  say(JobStep::kCompleted, "a", 5, "1");
  EXPECT_EQ(words(), "");
  say(JobStep::kCompleted, "a", 6, "2");
  EXPECT_EQ(words(), "started a/6, completed a/6 2");
}

TEST_F(EngineSessionStory, ABrokerCantMakeItHoldMoreThanItTakes) {
  EngineSessionOptions options;
  options.max_jobs = 2;
  start("t", options);
  get_ready();
  for (int i = 0; i < 4; ++i) give("job_" + std::to_string(i), 1);
  EXPECT_EQ(told(), "job job_0/1, job job_1/1, refused limit_exceeded, refused limit_exceeded");
  EXPECT_EQ(session_->jobs(), 2U);
}

TEST_F(EngineSessionStory, WhatCantBeSignedLeavesTheJobAsItIs) {
  get_ready();
  give("a", 1);
  EXPECT_FALSE(session_->say({JobStep::kCompleted, "a", 1, "{"}, now_, kWall).ok());
  words();
  say(JobStep::kCompleted, "a", 1, "{}");
  EXPECT_EQ(words(), "completed a/1 {}");
}

TEST_F(EngineSessionStory, BeatsAndNoticesSilence) {
  get_ready();
  for (int i = 0; i < 3; ++i) {
    EXPECT_LE(session_->next_deadline(), now_ + seconds(3));
    pass(seconds(3));
    EXPECT_EQ(words(), "heartbeat");
    tell(dialects::write_engine_heartbeat_ack(kWall));
  }
  for (int i = 0; i < 3; ++i) pass(seconds(3));
  EXPECT_FALSE(session_->end());
  pass(seconds(3));
  EXPECT_EQ(end_code(), "connection_lost");
  EXPECT_EQ(session_->end()->next, Next::kRetry);
}

TEST_F(EngineSessionStory, ABrokerThatLetsNobodyInIsLeft) {
  for (int steps = 0; steps < 4; ++steps) {
    start();
    if (steps > 0) upgrade();
    if (steps > 1) send(kOpen);
    if (steps > 2) send(R"(40/engine,{"sid":"x"})");
    pass(milliseconds(4'999));
    EXPECT_FALSE(session_->end()) << steps;
    pass(milliseconds(1));
    EXPECT_EQ(end_code(), "timeout") << steps;
  }
}

TEST_F(EngineSessionStory, HowItEndsSaysWhatToDoNext) {
  const struct {
    const char* name;
    const char* packet;
    const char* code;
    Next next;
    bool ready = true;
  } rows[] = {
      {"refused", "41/engine,", "unauthorized", Next::kLater, false},
      {"refused in words", R"(44/engine,{"message":"INVALID_TOKEN"})", "unauthorized", Next::kLater,
       false},
      {"sent away", "41/engine,", "connection_lost", Next::kRetry},
      {"the transport ends", "1", "connection_lost", Next::kRetry},
      {"a second handshake", kOpen, "protocol_error", Next::kRetry},
      {"no packet", "x", "protocol_error", Next::kRetry},
      {"no Socket.IO", "49", "protocol_error", Next::kRetry},
      {"an attachment", R"(451-/engine,["x",{"_placeholder":true,"num":0}])", "protocol_error",
       Next::kRetry},
  };
  for (const auto& row : rows) {
    start();
    upgrade();
    send(kOpen);
    if (row.ready) {
      send(R"(40/engine,{"sid":"x"})");
      tell(dialects::write_ready_ack(kWall));
    }
    said();
    send(row.packet);
    EXPECT_EQ(end_code(), row.code) << row.name;
    ASSERT_TRUE(session_->end()) << row.name;
    EXPECT_EQ(session_->end()->next, row.next) << row.name;
    send("2");
    EXPECT_EQ(words(), "") << row.name << ": it is over";
  }
}

TEST_F(EngineSessionStory, WhatIsOfAnotherNamespaceIsNotHeard) {
  get_ready();
  send("41");
  send(R"(42["engine_job",{"job_id":"a","job_type":"X","lease":1}])");
  EXPECT_FALSE(session_->end());
  EXPECT_EQ(told(), "");
}

TEST_F(EngineSessionStory, NothingIsHeardBeforeItIsIn) {
  upgrade();
  send(kOpen);
  give("a", 1);
  EXPECT_EQ(told(), "");
}

TEST_F(EngineSessionStory, ARefusalIsToldAndOneOfTheSecretOrTheClockEndsIt) {
  for (std::size_t i = 0; i < kEngineRefusalCount; ++i) {
    const auto code = static_cast<EngineRefusal>(i);
    start();
    get_ready();
    refuse(EngineEvent::kJobCompleted, code);
    EXPECT_EQ(told(), "refused " + std::string(name_of(code)));
    const bool is_final = code == EngineRefusal::kEngineSignatureInvalid ||
                          code == EngineRefusal::kEngineTimestampExpired;
    EXPECT_EQ(session_->end().has_value(), is_final) << name_of(code);
    if (!is_final) continue;
    EXPECT_EQ(session_->end()->next, Next::kLater);
    EXPECT_EQ(words(), "41/engine,, goodbye") << "so that others get its jobs at once";
  }
  start();
  get_ready();
  tell(R"(["job_failed_rejected",{"reason":"NEW_REASON"}])");
  EXPECT_EQ(told(), "refused denied");
}

TEST_F(EngineSessionStory, ATokenIsRenewedInItsPlaceAndTheJobGoesOn) {
  start(ending_in(seconds(120)));
  get_ready();
  give("a", 1);
  told();
  wait(seconds(54));
  EXPECT_FALSE(session_->wants_token());
  wait(seconds(6));
  EXPECT_TRUE(session_->wants_token()) << "a minute before its end";
  said();
  const std::string next = ending_in(seconds(600));
  renew(next);
  EXPECT_EQ(words(), "refresh " + next);
  EXPECT_FALSE(session_->wants_token());
  tell(dialects::write_token_ok(kWall));
  wait(seconds(534));
  EXPECT_FALSE(session_->wants_token());
  wait(seconds(6));
  EXPECT_TRUE(session_->wants_token()) << "a minute before the end of the next";
  EXPECT_FALSE(session_->end());
  said();
  say(JobStep::kCompleted, "a", 1);
  EXPECT_EQ(words(), "started a/1, completed a/1") << "under the lease that it had all the time";
  EXPECT_EQ(told(), "");
}

TEST_F(EngineSessionStory, WhereThereIsNoOtherTokenYetItIsAskedForAgain) {
  const std::string token = ending_in(seconds(48));
  start(token);
  get_ready();
  wait(seconds(18));
  EXPECT_FALSE(session_->wants_token());
  wait(seconds(6));
  EXPECT_TRUE(session_->wants_token()) << "half of what was left";
  said();
  for (const std::string& none : {std::string(), token, ending_in(seconds(1))}) {
    renew(none);
    EXPECT_EQ(words(), "") << none;
    EXPECT_FALSE(session_->wants_token()) << none;
  }
  wait(seconds(12));
  EXPECT_TRUE(session_->wants_token()) << "half of what was left then";
  renew("");
  wait(seconds(6));
  EXPECT_TRUE(session_->wants_token());
  for (int i = 0; i < 6; ++i) {
    renew("");
    tell(dialects::write_engine_heartbeat_ack(kWall));
    pass(seconds(1));
  }
  renew("");
  pass(seconds(1));
  EXPECT_FALSE(session_->wants_token()) << "it is over";
  EXPECT_FALSE(session_->end());
}

TEST_F(EngineSessionStory, ABrokerThatTakesNoOtherTokenIsLeftWhenNothingIsHeld) {
  for (const bool is_told : {true, false}) {  // one of v2 knows no such event, and says nothing
    SCOPED_TRACE(is_told);
    start(ending_in(seconds(120)));
    get_ready();
    give("a", 1);
    wait(seconds(60));
    renew(ending_in(seconds(600)));
    if (is_told) tell(dialects::write_token_error(TokenRefusal::kBadClaim));
    wait(seconds(6));
    EXPECT_FALSE(session_->end()) << "it works";
    EXPECT_FALSE(session_->wants_token());
    say(JobStep::kCompleted, "a", 1);
    said();
    EXPECT_LE(session_->next_deadline(), now_);
    pass(milliseconds(1));
    EXPECT_EQ(end_code(), "token_expired");
    ASSERT_TRUE(session_->end());
    EXPECT_EQ(session_->end()->next, Next::kAtOnce);
    EXPECT_EQ(words(), "41/engine,, goodbye");
  }
}

TEST_F(EngineSessionStory, AnAnswerThatComesLateIsOneStill) {
  start(ending_in(seconds(120)));
  get_ready();
  give("a", 1);
  wait(seconds(60));
  renew(ending_in(seconds(600)));
  wait(seconds(6));
  tell(dialects::write_token_ok(kWall));
  say(JobStep::kCompleted, "a", 1);
  wait(seconds(6));
  EXPECT_FALSE(session_->end());
}

TEST_F(EngineSessionStory, ATokenThatEndedSendsItForTheNext) {
  start(ending_in(seconds(30)));
  get_ready();
  pass(seconds(11));
  EXPECT_FALSE(session_->end());
  tell(dialects::write_auth_expired());
  send("41/engine,");
  EXPECT_EQ(end_code(), "token_expired");
  EXPECT_EQ(session_->end()->next, Next::kAtOnce);
}

TEST_F(EngineSessionStory, LeavesInOrder) {
  get_ready();
  session_->say_goodbye();
  session_->say_goodbye();
  EXPECT_EQ(words(), "41/engine,, goodbye");
  start();
  upgrade();
  session_->say_goodbye();
  EXPECT_EQ(words(), "goodbye") << "it is in no namespace yet";
}

TEST_F(EngineSessionStory, AnAnswerThatIsNoWebSocketIsNoBroker) {
  feed("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(end_code(), "no_broker");
  start();
  feed(std::string(20'000, 'a'));
  EXPECT_EQ(end_code(), "no_broker");
}

TEST_F(EngineSessionStory, ABrokerThatReadsNothingIsLeft) {
  EngineSessionOptions options;
  options.max_output_bytes = 1'000;
  start("t", options);
  get_ready();
  for (int i = 0; i < 400 && !session_->end(); ++i) send("2");
  EXPECT_EQ(end_code(), "connection_lost");
}

}  // namespace
}  // namespace signet::client
