#include "broker/name_desk.h"

#include <array>
#include <cstring>
#include <utility>

#include "broker/broker.h"

namespace signet::broker {
namespace {

// A ping that asks "heard?" carries how many envelopes it covers; its pong brings the number back.
constexpr std::size_t kPingBytes = sizeof(std::uint64_t);

}  // namespace

std::string NameDesk::node_name(MeshNumber mesh, std::string_view node) {
  return std::to_string(mesh.value) + "/node/" + std::string(node);
}

std::string NameDesk::relay_name(MeshNumber mesh, const crypto::RelayKey& key) {
  return std::to_string(mesh.value) + "/key/" + std::string(text_of(ByteView(key)));
}

std::uint32_t NameDesk::home_of(std::string_view name) const {
  return static_cast<std::uint32_t>(crypto::KeyedHash{}(name) % core_.shared().brokers.size());
}

NameDesk::Outgoing& NameDesk::outgoing_to(std::uint32_t shard) {
  if (outgoing_.size() <= shard) outgoing_.resize(core_.shared().brokers.size());
  Outgoing& outgoing = outgoing_[shard];
  if (outgoing.parcels.empty() && outgoing.sent.empty()) waiting_.push_back(shard);
  return outgoing;
}

void NameDesk::on_turn_end() {
  for (const std::uint32_t shard : std::exchange(waiting_, {})) {
    Broker& to = *core_.shared().brokers[shard];
    auto bundle = std::make_shared<Outgoing>(std::exchange(outgoing_[shard], {}));
    to.mailbox().post([&to, bundle] {
      for (const Parcel& parcel : bundle->parcels) {
        to.names().pass(parcel.name, parcel.frame, parcel.origin, parcel.wants_answer);
      }
      for (const Sent& sent : bundle->sent) {
        to.names().hand(sent.holder, sent.parcel.frame, sent.parcel.origin,
                        sent.parcel.wants_answer);
      }
    });
  }
}

void NameDesk::claim(const Session& session, const std::string& name) {
  Broker& home = *core_.shared().brokers[home_of(name)];
  home.mailbox().post(
      [&home, name, id = session.connection.id()] { home.names().claim_here(name, id); });
}

// Whoever had it is told before the new one is, so that two never both believe to have it.
void NameDesk::claim_here(const std::string& name, ConnectionId holder) {
  const auto before = directory_.claim(name, holder);
  if (before) {
    Broker& its = *core_.shared().brokers[before->shard];
    its.mailbox().post([&its, id = *before] { its.on_replaced(id); });
  }
  Broker& its = *core_.shared().brokers[holder.shard];
  its.mailbox().post([&its, holder] { its.on_claimed(holder); });
}

void NameDesk::release(const Session& session, const std::string& name) {
  Broker& home = *core_.shared().brokers[home_of(name)];
  home.mailbox().post(
      [&home, name, id = session.connection.id()] { home.names().directory_.release(name, id); });
}

void NameDesk::forward(const Session& from, const std::string& name, std::string_view frame,
                       bool wants_answer) {
  const std::uint32_t home = home_of(name);
  const ConnectionId origin = from.connection.id();
  if (home == core_.shard().index()) return pass(name, frame, origin, wants_answer);
  outgoing_to(home).parcels.push_back({name, std::string(frame), origin, wants_answer});
}

void NameDesk::pass(const std::string& name, std::string_view frame, ConnectionId origin,
                    bool wants_answer) {
  const auto holder = directory_.find(name);
  if (!holder) return undeliverable(origin, frame);
  if (holder->shard == core_.shard().index()) return hand(*holder, frame, origin, wants_answer);
  outgoing_to(holder->shard)
      .sent.push_back({*holder, {std::string(), std::string(frame), origin, wants_answer}});
}

void NameDesk::hand(ConnectionId holder, std::string_view frame, ConnectionId origin,
                    bool wants_answer) {
  Session* session = core_.session_at(holder);
  const bool is_there = session != nullptr && session->state == SessionState::kAdmitted;
  if (!is_there) return undeliverable(origin, frame);
  const bool is_relay = session->conversation == Conversation::kRelay;
  auto* relay = is_relay && wants_answer ? static_cast<RelaySession*>(session) : nullptr;
  // Its own unread bytes are its own limit; what does not fit is refused and not queued elsewhere.
  if (relay != nullptr && relay->awaited != nullptr &&
      relay->awaited->bytes >= core_.shared().options.awaited_bytes) {
    return undeliverable(origin, frame);
  }
  if (session->connection.send(wire::Opcode::kText, frame) == net::Sent::kDropped) {
    return undeliverable(origin, frame);
  }
  core_.shared().metrics.relayed.add();
  if (relay != nullptr) await_pong(*relay, frame, origin);
}

void NameDesk::await_pong(RelaySession& session, std::string_view frame, ConnectionId origin) {
  if (session.awaited == nullptr) session.awaited = std::make_unique<RelaySession::Awaited>();
  RelaySession::Awaited& awaited = *session.awaited;
  awaited.envelopes.push_back({origin, std::string(frame), ++awaited.written});
  awaited.bytes += frame.size();
  ping(session);
}

// One ping is out at a time: under load a pong covers many envelopes.
void NameDesk::ping(RelaySession& session) {
  RelaySession::Awaited& awaited = *session.awaited;
  if (awaited.pinged != 0 || awaited.envelopes.empty()) return;
  const std::uint64_t index = awaited.written;
  std::array<char, kPingBytes> payload{};
  std::memcpy(payload.data(), &index, kPingBytes);
  const net::Sent sent =
      session.connection.send(wire::Opcode::kPing, {payload.data(), payload.size()});
  if (sent != net::Sent::kDropped) awaited.pinged = index;
}

void NameDesk::on_pong(RelaySession& session, std::string_view payload) {
  if (session.awaited == nullptr || payload.size() != kPingBytes) return;
  RelaySession::Awaited& awaited = *session.awaited;
  std::uint64_t index = 0;
  std::memcpy(&index, payload.data(), kPingBytes);
  if (awaited.pinged == 0 || index != awaited.pinged) return;
  awaited.pinged = 0;
  while (!awaited.envelopes.empty() && awaited.envelopes.front().index <= index) {
    RelaySession::Unheard heard = std::move(awaited.envelopes.front());
    awaited.envelopes.pop_front();
    awaited.bytes -= heard.envelope.size();
    Broker& its = *core_.shared().brokers[heard.sender.shard];
    its.mailbox().post([&its, heard = std::move(heard)] {
      its.tell(heard.sender, dialects::RelayDelivered{heard.envelope});
    });
  }
  ping(session);
}

void NameDesk::on_closed(RelaySession& session) {
  if (session.awaited == nullptr) return;
  for (const RelaySession::Unheard& unheard : session.awaited->envelopes) {
    undeliverable(unheard.sender, unheard.envelope);
  }
  session.awaited.reset();
}

void NameDesk::undeliverable(ConnectionId origin, std::string_view frame) {
  Broker& its = *core_.shared().brokers[origin.shard];
  if (origin.shard == core_.shard().index()) return its.on_undeliverable(origin, frame);
  its.mailbox().post(
      [&its, origin, frame = std::string(frame)] { its.on_undeliverable(origin, frame); });
}

}  // namespace signet::broker
