// HubStory is a TokenStory whose mesh has Hub. Users are uma, vic and the admin ada, engines gpu-1
// and gpu-2, none of them with a key. What they hear is told in words, one a packet: `connected`,
// `presence_update uma:active`, `job_status BUILD_SCENE queued`, `close`.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/tokens_for_test.h"
#include "wire/json_schema.h"

namespace signet::broker {

// A request of the transport; the session's shard need not be the one that it comes to.
struct HubAsk {
  std::string query = "EIO=4&transport=polling";
  std::string method = "GET";
  std::string body{};
  bool upgrade = false;
  std::string origin{};
  unsigned char address = 1;  // the last byte of the peer's: 127.0.0.x
};

// What is empty or 0 is what a good client would send.
struct ActionFields {
  std::string type = "click";
  std::string payload = R"({"x":1})";
  std::int64_t off_ms = 0;  // from the time now
  std::string nonce{};
  std::string key{};  // the mesh's secret
  std::string sig{};
};

class HubStory : public TokenStory {
 protected:
  HubStory() {
    rules_.bindings = {{"hub", "", "", "team"}};
    options_.hellos_per_second = 0;
    options_.hub.engine.ping_interval = std::chrono::hours(24);  // its own stories are wire's
    put_keyless(20, "uma");
    put_keyless(21, "vic");
    put_keyless(22, "ada");
    put_keyless(30, "gpu-1");
    put_keyless(31, "gpu-2");
    jobs::JobOptions jobs;
    for (const char* name : {"BUILD_SCENE", "LOAD_ASSETS", "SPAWN_ENTITY"}) {
      jobs.types.push_back({});
      jobs.types.back().name = name;
    }
    jobs_ = jobs;
    door_.action_secret = crypto::SecretText(kActionSecret);
    door_.engine_secret = crypto::SecretText(kEngineSecret);
    door_.shared_actions = true;
    door_.world = schema(R"({"type":"object","required":["scene","entities"]})");
    set_door();
  }

  static constexpr const char* kActionSecret = "what all users of the mesh have in common";
  static constexpr const char* kEngineSecret = "what all engines of the mesh have in common";

  static std::shared_ptr<const wire::JsonSchema> schema(std::string_view text) {
    auto compiled = wire::JsonSchema::compile(text);
    EXPECT_TRUE(compiled.ok());
    return std::make_shared<const wire::JsonSchema>(*std::move(compiled));
  }
  // What door_ and jobs_ are now is what start() and show_rules() show.
  void set_door() {
    door_.jobs = std::make_shared<const jobs::JobOptions>(jobs_);
    rules_.otherwise.hub = std::make_shared<const HubDoor>(door_);
  }
  void pass(std::chrono::milliseconds time) {
    clock_.advance(time);
    settle();
  }

  // ---- the transport

  FakeConnection& ask_transport(std::size_t shard, const HubAsk& ask) {
    FakeConnection& connection = shards_[at(shard)]->accept();
    connection.peer_address.ip[15] = ask.address;
    ask_on(connection, ask);
    return connection;
  }
  void ask_on(FakeConnection& connection, const HubAsk& ask) {
    wire::RequestHead head;
    head.method = ask.method;
    head.target = head.path = "/socket.io/";
    head.query = ask.query;
    if (!ask.origin.empty()) head.headers.push_back({"Origin", ask.origin});
    const std::vector<std::string_view> subprotocols;
    broker_of(connection).on_request(connection, {head, ask.body, ask.upgrade, subprotocols});
  }
  static HubAsk poll(const std::string& sid) {
    HubAsk ask;
    ask.query += "&sid=" + sid;
    return ask;
  }
  static HubAsk post(const std::string& sid, const std::string& body) {
    HubAsk ask = poll(sid);
    ask.method = "POST";
    ask.body = body;
    return ask;
  }
  static HubAsk socket(const std::string& sid = {}) {
    HubAsk ask;
    ask.query = "EIO=4&transport=websocket" + (sid.empty() ? sid : "&sid=" + sid);
    ask.upgrade = true;
    return ask;
  }
  // The answer to its request: `400 {"code":…}`; `waits`: there is none yet.
  static std::string answer_of(FakeConnection& connection) {
    if (connection.responses.empty()) return "waits";
    const net::HttpResponse last = connection.responses.back();
    connection.responses.clear();
    return std::to_string(last.status) + " " + last.body;
  }
  std::string asked(std::size_t shard, const HubAsk& ask) {
    FakeConnection& connection = ask_transport(shard, ask);
    settle();
    return answer_of(connection);
  }
  static std::string fault(int status, int code, const std::string& message) {
    return std::to_string(status) + R"( {"code":)" + std::to_string(code) + R"(,"message":")" +
           message + "\"}";
  }
  static std::string unknown_sid() { return fault(400, 1, "Session ID unknown"); }

  // A session that is carried by requests: its sid.
  std::string begin_polling(std::size_t shard = 0) {
    const std::string opened = asked(shard, {});
    EXPECT_EQ(opened.substr(0, 5), "200 0") << opened;
    return sid_in(opened.substr(5));
  }
  // What polls are answered with, in words.
  std::string polled(const std::string& sid, std::size_t shard = 0) {
    const std::string answer = asked(shard, poll(sid));
    return answer.substr(0, 4) == "200 " ? words_of(answer.substr(4)) : answer;
  }
  // A session on a WebSocket; a frame is a packet of Engine.IO.
  FakeConnection& begin_on_socket(std::size_t shard = 0) {
    FakeConnection& connection = ask_transport(shard, socket());
    settle();
    EXPECT_EQ(hears(connection), "open");
    return connection;
  }
  std::string tell(FakeConnection& connection, const std::string& frame) {
    say(connection, frame);
    settle();
    return hears(connection);
  }
  static std::string sid_in(const std::string& json) {
    wire::JsonDocument document;
    if (!document.parse(json).ok()) return "no JSON";
    return std::string(document.root()["sid"].string().value_or("no sid"));
  }

  // ---- who is here

  static std::string connect_with(const std::string& token, const std::string& nsp = {}) {
    return "40" + nsp + R"({"token":")" + token + "\"}";
  }
  // A user who has heard the first events.
  FakeConnection& user(const std::string& name, std::size_t shard = 0,
                       std::vector<std::string> roles = {}) {
    FakeConnection& connection = begin_on_socket(shard);
    const std::string heard = tell(connection, connect_with(with_roles(name, std::move(roles))));
    EXPECT_EQ(heard.substr(0, 10), "connected,") << heard;
    return connection;
  }
  std::string engine_token(const std::string& name,
                           std::chrono::seconds life = std::chrono::hours(1)) const {
    trust::TokenFacts made = facts(name, life);
    made.role = "engine";
    return signed_by("one", made);
  }
  // An engine that is not ready yet.
  FakeConnection& engine(const std::string& name, std::size_t shard = 0) {
    FakeConnection& connection = begin_on_socket(shard);
    const std::string heard = tell(connection, connect_with(engine_token(name), "/engine,"));
    EXPECT_EQ(heard, "connected /engine") << heard;
    return connection;
  }
  FakeConnection& ready_engine(const std::string& name, std::size_t shard = 0,
                               const std::string& data = R"({"dialect":"engine_job"})") {
    FakeConnection& connection = engine(name, shard);
    EXPECT_EQ(tell(connection, engine_event("engine_ready", data)).substr(0, 9), "ready_ack");
    return connection;
  }

  // ---- what they say

  static std::string event(const std::string& name, const std::string& data) {
    return R"(42[")" + name + "\"," + data + "]";
  }
  static std::string engine_event(const std::string& name, const std::string& data) {
    return R"(42/engine,[")" + name + "\"," + data + "]";
  }
  static std::string hmac(const std::string& key, const std::string& text) {
    const auto digest = crypto::hmac_sha256(key, text);
    return to_hex(digest);
  }
  std::string next_nonce() { return "nonce-" + std::to_string(++nonces_); }
  std::string action(const ActionFields& fields = {}) {
    const std::string nonce = fields.nonce.empty() ? next_nonce() : fields.nonce;
    const std::string ts = std::to_string(clock_.wall().ms + fields.off_ms);
    const std::string key = fields.key.empty() ? kActionSecret : fields.key;
    const std::string sig =
        fields.sig.empty() ? hmac(key, fields.type + "|" + fields.payload + "|" + ts + "|" + nonce)
                           : fields.sig;
    return event("action", R"({"type":")" + fields.type + R"(","payload":)" + fields.payload +
                               R"(,"ts":)" + ts + R"(,"nonce":")" + nonce + R"(","sig":")" + sig +
                               "\"}");
  }
  // A signed packet of an engine.
  std::string packet(const std::string& name, const std::string& payload,
                     const ActionFields& fields = {}) {
    const std::string nonce = fields.nonce.empty() ? next_nonce() : fields.nonce;
    const std::string ts = std::to_string(clock_.wall().ms + fields.off_ms);
    const std::string key = fields.key.empty() ? kEngineSecret : fields.key;
    const std::string sig = fields.sig.empty() ? hmac(key, payload + nonce + ts) : fields.sig;
    return engine_event(name, R"({"payload":)" + payload + R"(,"nonce":")" + nonce + R"(","ts":)" +
                                  ts + R"(,"sig":")" + sig + "\"}");
  }
  // About the job that was dispatched last, with its lease where it is to be echoed.
  std::string about_job(const std::string& more = {}, bool with_lease = true) const {
    return R"({"job_id":")" + last_job_ + "\"" + (more.empty() ? "" : "," + more) +
           (with_lease ? R"(,"lease":)" + last_lease_ : "") + "}";
  }
  // A world of as many entities: two jobs more.
  static std::string world(std::size_t entities = 1) {
    std::string list;
    for (std::size_t i = 0; i < entities; ++i) {
      list += (i == 0 ? "" : ",") + (R"({"id":"e)" + std::to_string(i)) +
              R"(","type":"npc","transform":{},"material":{"texture":"t"},)" +
              R"("components":{"mesh":"m"}})";
    }
    return event("generate_world",
                 R"({"config":{"scene":{"id":"scene_a","ambientLight":[0,0,0],"skybox":"s"},)"
                 R"("entities":[)" +
                     list + R"(]},"submittedAt":1})");
  }

  // ---- what they hear

  // What it was sent since the last look.
  std::string hears(FakeConnection& connection) {
    std::string words;
    for (const std::string& text : connection.take_texts()) add(words, word_of_packet(text));
    return words;
  }
  std::string words_of(std::string_view body) {
    std::string words;
    while (!body.empty()) {
      const std::string_view packet = body.substr(0, body.find('\x1e'));
      add(words, word_of_packet(std::string(packet)));
      body.remove_prefix(std::min(body.size(), packet.size() + 1));
    }
    return words;
  }
  std::string word_of_packet(const std::string& text) {
    if (text.starts_with("0{")) return "open";
    if (text == "1") return "close";
    if (text == "2") return "ping";
    if (text == "6") return "noop";
    if (!text.starts_with("4") || text.size() < 2) return text;
    const std::size_t comma = text.find(',');
    const bool has_namespace = text.size() > 2 && text[2] == '/';
    const std::string nsp = has_namespace ? " " + text.substr(2, comma - 2) : "";
    const std::string data = text.substr(has_namespace ? comma + 1 : 2);
    switch (text[1]) {
      case '0':
        last_socket_ = sid_in(data);
        return "connected" + nsp;
      case '1':
        return "disconnected" + nsp;
      case '2':
        return word_of_event(data);
      case '4':
        return "refused" + nsp + " " + text_in(data, "message");
      default:
        return text;
    }
  }
  std::string word_of_event(const std::string& data) {
    wire::JsonDocument document;
    if (!document.parse(data).ok()) return "no JSON";
    last_event_ = data;
    std::string name(document.root()[0].string().value_or(""));
    const wire::JsonValue said = document.root()[1];
    const auto field = [&](const char* member) {
      return std::string(said[member].string().value_or(said[member].raw()));
    };
    if (name == "auth_context") return name + " " + field("userId") + " " + field("role");
    if (name == "engine_status") return name + " " + status_in(said);
    if (name == "presence_update") return name + presence_in(said);
    if (name == "action_update") return name + " " + field("type");
    if (name == "token_ok") return name;
    if (name == "engine_telemetry") return field("event");
    if (name == "job_status") return name + " " + field("jobType") + " " + field("status");
    if (name == "world_update") return name + " " + field("status");
    if (name == "engine_job" || name == "job:dispatch") {
      last_job_ = field(name == "engine_job" ? "job_id" : "jobId");
      if (name == "engine_job") last_lease_ = field("lease");
      return name + " " + field(name == "engine_job" ? "job_type" : "jobType");
    }
    if (name == "agent_heartbeat_result") {
      return name + (said["ok"].boolean() == true ? " ok" : " " + field("reason"));
    }
    for (const char* member : {"error", "reason", "jobType", "jobId"}) {
      if (said[member]) return name + " " + field(member);
    }
    return name;
  }
  static std::string status_in(wire::JsonValue status) {
    if (status["connected"].boolean() != true) return "none";
    return status["healthy"].boolean() == true ? "healthy" : "ill";
  }
  static std::string presence_in(wire::JsonValue map) {
    std::string words;
    for (std::size_t i = 0; i < map.size(); ++i) {
      words +=
          " " + std::string(map.key(i)) + ":" + std::string(map[i]["state"].string().value_or("?"));
    }
    return words;
  }
  static std::string text_in(const std::string& json, const char* member) {
    wire::JsonDocument document;
    if (!document.parse(json).ok()) return "no JSON";
    return std::string(document.root()[member].string().value_or("nothing"));
  }
  // A member of what the last event told.
  std::string told(const char* member) const {
    wire::JsonDocument document;
    if (!document.parse(last_event_).ok()) return "no JSON";
    const wire::JsonValue value = document.root()[1][member];
    return std::string(value.string().value_or(value.raw()));
  }
  static void add(std::string& words, const std::string& word) {
    words += (words.empty() ? "" : ", ") + word;
  }

  HubDoor door_;
  jobs::JobOptions jobs_;
  std::string last_socket_;  // the public id of who connected last
  std::string last_event_;
  std::string last_job_;
  std::string last_lease_;
  std::uint64_t nonces_ = 0;
};

}  // namespace signet::broker
