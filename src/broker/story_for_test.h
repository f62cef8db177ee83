// Story is a whole broker without sockets, disk or waiting: fake shards, a fake store, the real
// controller on its real thread, and a mesh "mesh-team" of ann, bob and cid. What a peer hears is
// told in words: `ack m1`, `push hello`, `pulse a.b hi`, `denied`. PulseMesh and the relay are
// bound to that mesh; who speaks them is a source with a secret, or the owner of an X25519 key.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fake_clock.h"
#include "base/log.h"
#include "broker/broker.h"
#include "broker/fake_shard.h"
#include "config/policy_file.h"
#include "crypto/mac.h"
#include "membership/fixture_for_test.h"
#include "store/fake_store.h"
#include "wire/json.h"

namespace signet::broker {

struct HelloFields {
  std::string mesh = "mesh-team";
  std::string member{};     // empty: the id of the name
  std::string signed_by{};  // empty: the key of the name
  std::int64_t pid = 1;
  std::string cwd = "/home";
  bool receipts = false;
};

// The handshake of PulseMesh as a source says it.
struct HandshakeFields {
  std::string signed_with{};  // empty: the secret of the name
  bool hmac = true;           // else the form of v1: SHA-256 over text and secret
  std::string message{};      // empty: the source and the time now
};

class Story : public testing::Test {
 protected:
  Story() {
    store_.at_start = {membership::MeshAdded{membership::mesh_named(1, "team")},
                       membership::MemberAdded{membership::member_named(1, 1, "ann"), {}},
                       membership::MemberAdded{membership::member_named(2, 1, "bob", {"dev"}), {}},
                       membership::MemberAdded{membership::member_named(3, 1, "cid"), {}},
                       membership::MeshAdded{membership::mesh_named(2, "other")},
                       membership::MemberAdded{membership::member_named(4, 2, "dan"), {}}};
    rules_.otherwise = default_rules()->otherwise;
    rules_.bindings = {{"pulsemesh", "", "", "team"}, {"simpatico", "", "", "team"}};
    set_log_level(LogLevel::kError);
  }
  ~Story() override { control_.stop(); }

  // Options and what the store holds are set before.
  void start(std::uint32_t shards = 2) {
    shared_.emplace(options_, store_, control_.mailbox(), clock_, metrics_, log_);
    shared_->rules = std::make_shared<const Rules>(rules_);
    for (std::uint32_t i = 0; i < shards; ++i) {
      shards_.push_back(std::make_unique<FakeShard>(i, clock_));
      brokers_.push_back(std::make_unique<Broker>(*shared_, *shards_.back()));
      shards_.back()->own(*brokers_.back());
    }
    controller_.emplace(controller::ControllerOptions{2, 3}, control_, store_, clock_,
                        [this](const auto& snapshot, const std::vector<MemberNumber>& narrowed) {
                          for (auto& broker : brokers_) {
                            broker->mailbox().post([&broker, snapshot, narrowed] {
                              broker->show(snapshot, narrowed);
                            });
                          }
                        });
    shared_->controller = &*controller_;
    store_.start([this](const std::shared_ptr<const store::DeliveryBatch>& batch) {
      for (auto& broker : brokers_) {
        broker->mailbox().post([&broker, batch] { broker->on_stored(*batch); });
      }
    });
    control_.start();
    settle();
  }

  // Lets the control thread finish its turn: the second task runs in a later one.
  void finish_control_turn() {
    control_.run_and_wait([] {});
    control_.run_and_wait([] {});
  }
  bool turn_shards() {
    bool any = false;
    for (auto& shard : shards_) any = shard->turn() || any;
    return any;
  }
  // Until nobody has anything to do: twice in a row, since a turn in which a shard got nothing may
  // end with what its own sessions said for another one.
  void settle() {
    for (int idle = 0; idle < 2;) {
      finish_control_turn();
      bool any = store_.work();
      any = turn_shards() || any;
      idle = any ? 0 : idle + 1;
    }
  }

  // Stories are numbered by sessions; where there is one shard, all are on it.
  std::size_t at(std::size_t number) const { return number % shards_.size(); }

  // Path and query; a path that is no WebSocket's fails the test.
  FakeConnection& connect(std::size_t shard = 0, std::string_view target = "/ws") {
    FakeConnection& connection = shards_[at(shard)]->accept();
    request(connection, "GET", target, true);
    EXPECT_TRUE(connection.is_websocket) << target;
    return connection;
  }
  void request(FakeConnection& connection, std::string_view method, std::string_view target,
               bool upgrade, std::string_view body = {}, std::string_view host = {}) {
    wire::RequestHead head;
    head.method = method;
    head.target = target;
    head.path = target.substr(0, target.find('?'));
    if (head.path != target) head.query = target.substr(head.path.size() + 1);
    if (!host.empty()) head.headers.push_back({"Host", host});
    const std::vector<std::string_view> subprotocols;
    broker_of(connection).on_request(connection, {head, body, upgrade, subprotocols});
  }
  Broker& broker_of(const FakeConnection& connection) { return *brokers_[connection.id().shard]; }

  std::string hello(const std::string& name, const HelloFields& fields = {}) {
    clock_.advance(std::chrono::milliseconds(1));  // no two hellos are the same
    const auto key = membership::key_of(fields.signed_by.empty() ? name : fields.signed_by);
    const std::string member = fields.member.empty() ? "member-" + name : fields.member;
    const std::string pubkey = key_text(name);
    const std::string now = std::to_string(clock_.wall().ms);
    const std::string text = fields.mesh + "|" + member + "|" + pubkey + "|" + now;
    wire::JsonWriter frame;
    frame.object().key("type").value("hello").key("meshId").value(fields.mesh);
    frame.key("memberId").value(member).key("pubkey").value(pubkey).key("timestamp").raw(now);
    frame.key("pid").value(fields.pid).key("cwd").value(fields.cwd);
    frame.key("signature").value(to_hex(key.sign(bytes_of(text))));
    if (fields.receipts) frame.key("receipts").value(true);
    return frame.end().take();
  }
  static std::string key_text(const std::string& name) {
    return crypto::to_hex(membership::key_of(name).public_key());
  }

  void say(FakeConnection& connection, std::string_view frame) {
    broker_of(connection).on_message(connection, wire::MessageKind::kText, frame);
  }
  // Says it, and waits for all that follows.
  std::string ask(FakeConnection& connection, std::string_view frame) {
    say(connection, frame);
    settle();
    return heard(connection);
  }
  // An admitted peer.
  FakeConnection& peer(const std::string& name, std::size_t shard = 0,
                       const HelloFields& fields = {}) {
    FakeConnection& connection = connect(shard);
    EXPECT_EQ(ask(connection, hello(name, fields)).substr(0, 9), "hello_ack") << name;
    return connection;
  }

  // What the operator decides: a policy of TOML text, and a table of routes. Before start(), or
  // shown to all shards with show_rules().
  void set_policy(const std::string& text) {
    auto document = config::read_policy(text, "test");
    ASSERT_TRUE(document.ok()) << document.error().detail;
    auto policy = trust::Policy::compile(*std::move(document));
    ASSERT_TRUE(policy.ok()) << policy.error().detail;
    rules_.otherwise.policy = *policy;
  }
  void set_routes(const routing::RoutingDocument& document) {
    auto table = routing::RoutingTable::compile(document);
    ASSERT_TRUE(table.ok()) << table.error().detail;
    rules_.otherwise.routes = std::make_shared<const routing::RoutingTable>(*std::move(table));
  }
  void show_rules() {
    auto rules = std::make_shared<const Rules>(rules_);
    for (auto& broker : brokers_) {
      broker->mailbox().post([&broker, rules] { broker->show_rules(rules); });
    }
    settle();
  }

  // Before start(): a source of "mesh-team" with its own secret and, beside it, a member without a
  // key. `source` kSharedSource: the secret that any source may show.
  static std::string secret_of(const std::string& source) {
    return "the very secret of " + source + ", as long as it must be";
  }
  membership::SourceSecret& add_source(std::int64_t number, const std::string& source,
                                       std::vector<std::string> tags = {}) {
    const bool is_shared = source == membership::kSharedSource;
    const std::string id = is_shared ? std::string(membership::kSharedMember) : source;
    membership::SourceSecret secret;
    secret.mesh = {1};
    secret.source = source;
    secret.member = put_keyless(number, id, std::move(tags)).number;
    secret.secret = crypto::SecretText(secret_of(source));
    secret.shared = is_shared;
    store_.at_start.emplace_back(membership::SourceSecretSet{secret});
    return std::get<membership::SourceSecretSet>(store_.at_start.back()).secret;
  }
  // Before start(): a member that proves itself otherwise than by a key.
  membership::Member& put_keyless(std::int64_t number, const std::string& id,
                                  std::vector<std::string> tags = {}) {
    membership::Member member = membership::member_named(number, 1, id, std::move(tags));
    member.key.reset();
    member.id = id;
    store_.at_start.emplace_back(membership::MemberAdded{member, {}});
    return std::get<membership::MemberAdded>(store_.at_start.back()).member;
  }
  std::string handshake(const std::string& source, const HandshakeFields& fields = {}) {
    clock_.advance(std::chrono::milliseconds(1));  // no two handshakes are the same
    const std::string text =
        fields.message.empty()
            ? R"({"source": ")" + source + R"(", "timestamp": ")" + iso8601(clock_.wall()) + "\"}"
            : fields.message;
    const std::string secret = fields.signed_with.empty() ? secret_of(source) : fields.signed_with;
    const std::string digest = fields.hmac ? to_hex(crypto::hmac_sha256(secret, text))
                                           : to_hex(crypto::sha256({text, secret}));
    return R"({"message":)" + text + R"(,"signature":")" + digest + "\"}";
  }
  // An admitted source on its topic, or on its node.
  FakeConnection& source(const std::string& name, const std::string& topic, std::size_t shard = 0,
                         const HandshakeFields& fields = {}) {
    FakeConnection& connection = connect(shard, "/ws/mesh/" + topic);
    EXPECT_EQ(ask(connection, handshake(name, fields)), "handshake_ok") << name;
    return connection;
  }
  FakeConnection& node(const std::string& name, std::size_t shard = 0) {
    FakeConnection& connection = connect(shard, "/ws/node/" + name);
    EXPECT_EQ(ask(connection, handshake(name)), "handshake_ok") << name;
    return connection;
  }

  static std::string pulse(const std::string& text) { return R"({"say":")" + text + "\"}"; }
  static std::string publish(const std::string& id, const std::string& topic,
                             const std::string& text) {
    const std::string client_id = id.empty() ? "" : R"("id":")" + id + "\",";
    return R"({"type":"topic_publish",)" + client_id + R"("topic":")" + topic + R"(","pulse":)" +
           pulse(text) + "}";
  }
  static std::string subscribe(const std::string& pattern) {
    return R"({"type":"topic_subscribe","pattern":")" + pattern + "\"}";
  }
  static std::string unsubscribe(const std::string& pattern) {
    return R"({"type":"topic_unsubscribe","pattern":")" + pattern + "\"}";
  }
  // A member that listens.
  FakeConnection& listener(const std::string& name, std::size_t shard,
                           const std::vector<std::string>& patterns) {
    FakeConnection& connection = peer(name, shard);
    for (const std::string& pattern : patterns) {
      EXPECT_EQ(ask(connection, subscribe(pattern)), "topic_subscribed " + pattern);
    }
    return connection;
  }

  // The relay. The same name is always the same key; `member` is one whose Ed25519 key is known.
  static crypto::RelaySecretKey relay_key_of(const std::string& name) {
    return crypto::RelaySecretKey::from_bytes(crypto::digest32("test-relay-key", {name}));
  }
  static std::string relay_name(const std::string& name) {
    return crypto::relay_key_text(relay_key_of(name).public_key());
  }
  // The answer to the challenge that the connection was just sent.
  std::string response(FakeConnection& connection, const crypto::RelaySecretKey& key) {
    const std::vector<std::string> texts = connection.take_texts();
    wire::JsonDocument challenge;
    if (texts.size() != 1 || !challenge.parse(texts.front()).ok()) return "no challenge";
    const wire::JsonValue root = challenge.root();
    const std::string server(root["from"].string().value_or(""));
    const std::string nonce_text(root["nonce"].string().value_or(""));
    crypto::BoxNonce nonce{};
    const std::string nonce_bytes = from_base64url(nonce_text).value_or("");
    if (nonce_bytes.size() == nonce.size()) {
      std::copy(nonce_bytes.begin(), nonce_bytes.end(), nonce.begin());
    }
    const auto box =
        crypto::RelayBox::between(key, crypto::relay_key_from(server).value_or(crypto::RelayKey{}));
    if (!box.ok()) return "no box";
    const std::string sealed = box->seal(root["challengeText"].string().value_or(""), nonce);
    wire::JsonWriter frame;
    frame.object().key("type").value("CHALLENGE_RESPONSE");
    frame.key("from").value(crypto::relay_key_text(key.public_key())).key("to").value(server);
    frame.key("nonce").value(nonce_text).key("message").value(to_base64url(bytes_of(sealed)));
    return frame.end().take();
  }
  FakeConnection& connect_relay(const std::string& name, std::size_t shard = 0,
                                bool receipts = false) {
    return connect(shard, "/" + relay_name(name) + (receipts ? "?receipts=1" : ""));
  }
  // A registered key.
  FakeConnection& relay(const std::string& name, std::size_t shard = 0, bool receipts = false) {
    FakeConnection& connection = connect_relay(name, shard, receipts);
    const std::string answer = response(connection, relay_key_of(name));
    EXPECT_EQ(ask(connection, answer), "REGISTER_SUCCESS") << name;
    return connection;
  }
  static std::string envelope(const std::string& from, const std::string& to,
                              const std::string& text) {
    return R"({"type":"MESSAGE","from":")" + relay_name(from) + R"(","to":")" + relay_name(to) +
           R"(","nonce":"n","message":")" + text + "\"}";
  }

  static std::string message(const std::string& id, const std::string& to, const std::string& body,
                             const std::string& priority = "next", bool receipts = false) {
    wire::JsonWriter frame;
    frame.object().key("type").value("send").key("id").value(id).key("targetSpec").value(to);
    frame.key("priority").value(priority).key("nonce").value("n").key("ciphertext").value(body);
    if (receipts) frame.key("receipts").value(true);
    return frame.end().take();
  }
  // The same with the audience that its sender means.
  static std::string message_for(const std::string& audience, const std::string& id,
                                 const std::string& to, const std::string& body) {
    std::string text = message(id, to, body);
    text.pop_back();
    return text + R"(,"audience":")" + audience + "\"}";
  }
  static std::string receipt(const std::string& message_id, const std::string& state) {
    return R"({"type":"receipt","messageId":")" + message_id + R"(","state":")" + state + "\"}";
  }
  static std::string status(const std::string& word) {
    return R"({"type":"set_status","status":")" + word + "\"}";
  }

  // What it was sent since the last look, in words; a push leaves its id in last_push_.
  std::string heard(FakeConnection& connection) {
    std::string words;
    for (const std::string& text : connection.take_texts()) {
      if (!words.empty()) words += ", ";
      words += word_of(text);
    }
    return words;
  }
  std::string word_of(const std::string& text) {
    wire::JsonDocument document;
    if (!document.parse(text).ok()) return "no JSON";
    const wire::JsonValue root = document.root();
    const auto field = [&](std::string_view name) {
      return std::string(root[name].string().value_or(""));
    };
    std::string type = field("type");
    if (root["_mesh_topic"]) return "pulse " + field("_mesh_topic") + " " + field("say");
    if (root["to"] && root["error"]) return field("error") + " " + field("message");
    if (root["to"]) return type + " " + field("message");
    if (type == "pulse") return "pulse " + field("topic") + " " + said(root["pulse"]);
    if (type == "topic_published") return "published " + field("id");
    if (type == "topic_subscribed" || type == "topic_unsubscribed") {
      return type + " " + field("pattern");
    }
    if (type == "topic_history" || type == "topic_list") return list_of(root);
    if (type == "REGISTER_FAILURE") return "refused: " + field("reason");
    if (type == "push") {
      last_push_ = field("messageId");
      return "push " + field("ciphertext");
    }
    if (type == "ack") {
      return "ack " + field("id") + " for " + std::string(root["recipients"].raw());
    }
    if (type == "receipt") return field("state") + " by " + name_of_key(field("by"));
    if (type == "error") {
      return field("code") + (root["id"] ? " " + field("id") : std::string());
    }
    return type;
  }
  static std::string said(wire::JsonValue pulse) {
    return std::string(pulse["say"].string().value_or("?"));
  }
  // `history a b gap`, `topics a.b:1 c:2`.
  static std::string list_of(wire::JsonValue root) {
    const bool is_history = static_cast<bool>(root["pulses"]);
    const wire::JsonValue list = is_history ? root["pulses"] : root["topics"];
    std::string words = is_history ? "history" : "topics";
    for (std::size_t i = 0; i < list.size(); ++i) {
      words += " " + (is_history ? said(list[i]["pulse"])
                                 : std::string(list[i]["name"].string().value_or("")) + ":" +
                                       std::string(list[i]["subscribers"].raw()));
    }
    if (root["gap"].boolean() == true) words += " gap";
    if (root["more"].boolean() == true) words += " more";
    return words;
  }
  static std::string name_of_key(const std::string& key) {
    for (const char* name : {"ann", "bob", "cid"}) {
      if (key == key_text(name)) return name;
    }
    return "?";
  }

  // Answers the last ping.
  void pong(FakeConnection& connection) {
    ASSERT_FALSE(connection.pings.empty());
    const std::string payload = connection.pings.back();
    broker_of(connection).on_pong(connection, payload);
    settle();
  }

  // A command of the operator; its answer as ok or not.
  Status set_standing(const std::string& name, membership::Standing standing) {
    std::optional<Status> answer;
    control_.run_and_wait([&] {
      controller_->set_standing({1}, membership::key_of(name).public_key(), standing,
                                [&](const Status& status) { answer = status; });
    });
    settle();
    return answer.value_or(Error{ErrorCode::kBug, "no answer"});
  }

  std::int64_t metric(std::string_view series) const {
    const std::string page = metrics_.prometheus();
    const auto at = page.find("\n" + std::string(series) + " ");
    if (at == std::string::npos) return -1;
    return std::stoll(page.substr(at + series.size() + 2));
  }

  FakeClock clock_;
  MetricRegistry metrics_;
  BrokerOptions options_;
  Rules rules_;  // what start() and show_rules() show
  store::FakeStore store_;
  std::shared_ptr<const store::LogIdentity> log_;  // null: no log is kept
  controller::ControlThread control_{clock_};
  std::optional<Shared> shared_;
  std::vector<std::unique_ptr<FakeShard>> shards_;
  std::vector<std::unique_ptr<Broker>> brokers_;
  std::optional<controller::Controller> controller_;
  std::string last_push_;
};

}  // namespace signet::broker
