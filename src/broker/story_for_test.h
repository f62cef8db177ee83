// Story is a whole broker without sockets, disk or waiting: fake shards, a fake store, the real
// controller on its real thread, and a mesh "mesh-team" of ann, bob and cid. What a peer hears is
// told in words: `ack m1`, `push hello`, `denied`.
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

class Story : public testing::Test {
 protected:
  Story() {
    store_.at_start = {membership::MeshAdded{membership::mesh_named(1, "team")},
                       membership::MemberAdded{membership::member_named(1, 1, "ann"), {}},
                       membership::MemberAdded{membership::member_named(2, 1, "bob", {"dev"}), {}},
                       membership::MemberAdded{membership::member_named(3, 1, "cid"), {}},
                       membership::MeshAdded{membership::mesh_named(2, "other")},
                       membership::MemberAdded{membership::member_named(4, 2, "dan"), {}}};
    set_log_level(LogLevel::kError);
  }
  ~Story() override { control_.stop(); }

  // Options and what the store holds are set before.
  void start(std::uint32_t shards = 2) {
    shared_.emplace(options_, store_, control_.mailbox(), clock_, metrics_);
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
  // Until nobody has anything to do.
  void settle() {
    for (bool any = true; any;) {
      finish_control_turn();
      any = store_.work();
      any = turn_shards() || any;
    }
  }

  FakeConnection& connect(std::size_t shard = 0) {
    FakeConnection& connection = shards_[shard]->accept();
    request(connection, "GET", "/ws", true);
    EXPECT_TRUE(connection.is_websocket);
    return connection;
  }
  void request(FakeConnection& connection, std::string_view method, std::string_view path,
               bool upgrade, std::string_view body = {}) {
    wire::RequestHead head;
    head.method = method;
    head.target = head.path = path;
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
    const std::string type = field("type");
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
  store::FakeStore store_;
  controller::ControlThread control_{clock_};
  std::optional<Shared> shared_;
  std::vector<std::unique_ptr<FakeShard>> shards_;
  std::vector<std::unique_ptr<Broker>> brokers_;
  std::optional<controller::Controller> controller_;
  std::string last_push_;
};

}  // namespace signet::broker
