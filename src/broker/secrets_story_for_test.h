// What stories of PulseMesh begin with: two sources with secrets of their own, and the shared one.
#pragma once

#include <string>

#include "broker/story_for_test.h"

namespace signet::broker {

inline constexpr const char* kShared = "*";
inline constexpr MemberNumber kSage{11};

class Secrets : public Story {
 protected:
  Secrets() {
    add_source(kSage.value, "sage");
    add_source(12, "core");
    add_source(13, kShared);
    sage_ = &secret_at(4);
  }
  membership::SourceSecret& secret_at(std::size_t from_the_end) {
    auto& change = store_.at_start.at(store_.at_start.size() - from_the_end - 1);
    return std::get<membership::SourceSecretSet>(change).secret;
  }
  membership::Mesh& mesh() { return std::get<membership::MeshAdded>(store_.at_start.front()).mesh; }

  // What a fresh connection hears, and that the code is why it was closed.
  std::string answer(const std::string& target, const std::string& frame, std::size_t shard = 0) {
    FakeConnection& connection = connect(shard, target);
    const std::string words = ask(connection, frame);
    if (!connection.closed) return words;
    EXPECT_EQ(connection.closed->text, words);
    return words + " and closed " + std::to_string(number_of(connection.closed->reason));
  }
  HandshakeFields with(const std::string& secret) {
    HandshakeFields fields;
    fields.signed_with = secret;
    return fields;
  }
  FakeConnection& anybody(const std::string& name, std::size_t shard = 0) {
    return source(name, "public.a", shard, with(secret_of(kShared)));
  }
  // The store and the control thread do it; no shard has seen it yet.
  void revoke_unseen(const std::string& source) {
    control_.run_and_wait([&] { controller_->revoke_source({1}, source, [](const Status&) {}); });
    store_.work();
    finish_control_turn();
  }
  void revoke(const std::string& source) {
    revoke_unseen(source);
    settle();
  }

  // Nothing counts or finds anybody.
  void expect_nobody_is_left(const std::string& after) {
    settle();
    EXPECT_EQ(shared_->loads.count({1}), 0) << after;
    EXPECT_TRUE(shared_->source_loads.enter(kSage, 1)) << after;
    shared_->source_loads.leave(kSage);
    EXPECT_EQ(metric("signet_pulsemesh_sessions"), 0) << after;
    EXPECT_EQ(metric("broker_connections_active"), 0) << after;
    for (auto& broker : brokers_) EXPECT_EQ(broker->names().names(), 0U) << after;
    for (auto& broker : brokers_) EXPECT_TRUE(broker->topics().topics({1}).empty()) << after;
  }

  membership::SourceSecret* sage_ = nullptr;
};

}  // namespace signet::broker
