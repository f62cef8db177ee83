#include "wire/engineio_session.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/encoding.h"
#include "wire/json.h"

namespace signet::wire {
namespace {

using Type = EnginePacketType;

constexpr Elapsed kNever{std::chrono::nanoseconds::max()};
constexpr std::string_view kProbeData = "probe";
constexpr std::string_view kNoop = "6";
constexpr std::string_view kPosted = "ok";  // the format's answer to a body that was taken

}  // namespace

EngineSession::EngineSession(const EngineOptions& options, EngineEvents& events, std::string sid)
    : options_(options), events_(events), sid_(std::move(sid)) {}

// The beginning.

void EngineSession::open_by_poll(EngineRequest request, Elapsed now) {
  begin(State::kPolling, now);
  std::string body;
  append_engine_packet(body, Type::kOpen, handshake(true));
  events_.answer(request, true, body);
}

void EngineSession::open_by_socket(Elapsed now) {
  begin(State::kOnSocket, now);
  say_on(EngineSocket::kCarrier, {Type::kOpen, false, handshake(false)});
}

void EngineSession::begin(State state, Elapsed now) {
  if (state_ != State::kNew) std::abort();  // two beginnings would be two clients on one session
  state_ = state;
  beats_ = now + options_.ping_interval;
}

std::string EngineSession::handshake(bool may_upgrade) const {
  JsonWriter json;
  json.object().key("sid").value(sid_).key("upgrades").array();
  if (may_upgrade) json.value("websocket");
  json.end().key("pingInterval").value(std::int64_t{options_.ping_interval.count()});
  json.key("pingTimeout").value(std::int64_t{options_.ping_timeout.count()});
  json.key("maxPayload").value(std::uint64_t{options_.max_payload}).end();
  return json.take();
}

// Requests.

void EngineSession::on_poll(EngineRequest request, Elapsed now) {
  on_time(now);
  if (state_ != State::kPolling && state_ != State::kProbing) return refuse(request);
  if (poll_ != 0) {
    refuse(request);
    return finish(EngineClosed::kTwoPolls);
  }
  poll_ = request;
  body_.empty() ? let_go_if_probed(now) : let_go();
}

void EngineSession::on_post(EngineRequest request, std::string_view body, Elapsed now) {
  on_time(now);
  if (state_ != State::kPolling && state_ != State::kProbing) return refuse(request);
  post_ = request;  // so that an end in the middle answers it
  take_all(body, now);
  if (post_ != 0) events_.answer(std::exchange(post_, 0), true, kPosted);
}

void EngineSession::on_gone(EngineRequest request) {
  if (request == post_) post_ = 0;
  if (poll_ == 0 || request != poll_) return;
  poll_ = 0;
  finish(EngineClosed::kSocketClosed);
}

void EngineSession::take_all(std::string_view body, Elapsed now) {
  if (body.size() > options_.max_payload) return finish(EngineClosed::kBadPayload);
  std::string bytes;
  const auto packets = read_engine_payload(body, options_.max_packets, bytes);
  if (!packets.ok()) return finish(EngineClosed::kBadPayload);
  for (const EnginePacket& packet : *packets) {
    if (is_closed()) return;
    take(packet, now);
  }
}

void EngineSession::take(const EnginePacket& packet, Elapsed now) {
  switch (packet.type) {
    case Type::kMessage:
      return events_.on_message(packet.binary, packet.data);
    case Type::kPong:
      if (!wants_pong_) return;  // else a client could put off its pings for ever
      wants_pong_ = false;
      beats_ = now + options_.ping_interval;
      return;
    case Type::kClose:
      return finish(EngineClosed::kByPeer);
    case Type::kOpen:
    case Type::kPing:
    case Type::kUpgrade:
    case Type::kNoop:
      return finish(EngineClosed::kBadPayload);
  }
}

// WebSockets.

bool EngineSession::offer_socket(Elapsed now) {
  on_time(now);
  if (state_ != State::kPolling) return false;
  state_ = State::kProbing;
  probe_ends_ = now + options_.upgrade_timeout;
  return true;
}

void EngineSession::on_frame(EngineSocket socket, bool binary, std::string_view payload,
                             Elapsed now) {
  on_time(now);
  if (socket == EngineSocket::kProbe) {
    if (state_ == State::kProbing) take_on_probe(binary, payload);
    return;
  }
  if (state_ != State::kOnSocket) return;
  if (payload.size() > options_.max_payload) return finish(EngineClosed::kBadPayload);
  if (binary) return events_.on_message(true, payload);
  const auto packet = read_engine_packet(payload);
  if (!packet) return finish(EngineClosed::kBadPayload);
  take(*packet, now);
}

// The upgrade is taken without a ping before it too, as the format's own server does: nothing is
// lost by it, since a poll that waits is let go then.
void EngineSession::take_on_probe(bool binary, std::string_view payload) {
  const auto packet = binary ? std::nullopt : read_engine_packet(payload);
  if (packet && packet->type == Type::kUpgrade) return upgrade();
  if (!packet || packet->type != Type::kPing || packet->data != kProbeData) {
    end_probe();
    return events_.drop(EngineSocket::kProbe);
  }
  const bool is_first = !std::exchange(is_probed_, true);
  say_on(EngineSocket::kProbe, {Type::kPong, false, kProbeData});
  if (poll_ != 0 && is_first) let_go();
}

void EngineSession::on_socket_closed(EngineSocket socket) {
  if (socket == EngineSocket::kProbe && state_ == State::kProbing) end_probe();
  if (socket == EngineSocket::kCarrier && state_ == State::kOnSocket) {
    finish(EngineClosed::kSocketClosed);
  }
}

void EngineSession::end_probe() {
  state_ = State::kPolling;
  is_probed_ = false;
}

// A poll that still waits gets no messages: they would race with those on the WebSocket.
void EngineSession::upgrade() {
  state_ = State::kOnSocket;
  is_probed_ = false;
  is_moving_ = true;
  if (poll_ != 0) events_.answer(std::exchange(poll_, 0), true, kNoop);
  events_.on_upgraded();
  while (!body_.empty()) send_kept();
  is_moving_ = false;
}

// Events may say more, which comes behind, or end the session.
void EngineSession::send_kept() {
  const std::string kept = std::exchange(body_, {});
  std::string_view rest = kept;
  while (!rest.empty() && !is_closed()) {
    const std::size_t end = std::min(rest.find(kEngineSeparator), rest.size());
    const std::string_view packet = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const bool binary = packet.starts_with('b');
    const auto bytes = binary ? from_base64(packet.substr(1)) : std::nullopt;
    events_.send_on(EngineSocket::kCarrier, binary, bytes ? *bytes : packet);
  }
}

// What goes to the client.

void EngineSession::send(bool binary, std::string_view data) {
  if (state_ != State::kNew) say({Type::kMessage, binary, data});
}

void EngineSession::flush() {
  if (poll_ != 0 && !body_.empty()) let_go();
}

void EngineSession::close() { finish(EngineClosed::kByServer); }

void EngineSession::say(const EnginePacket& packet) {
  if (is_closed()) return;
  if (state_ == State::kOnSocket && !is_moving_) return say_on(EngineSocket::kCarrier, packet);
  keep(packet);
}

void EngineSession::say_on(EngineSocket socket, const EnginePacket& packet) {
  if (packet.binary) return events_.send_on(socket, true, packet.data);
  std::string text;
  text.reserve(packet.data.size() + 1);
  append_engine_packet(text, packet.type, packet.data);
  events_.send_on(socket, false, text);
}

void EngineSession::keep(const EnginePacket& packet) {
  const std::size_t cost = engine_payload_cost(packet);
  const auto fits = [&] { return cost <= options_.max_buffered - body_.size(); };
  if (!fits()) flush();  // a poll that waits makes room
  if (!fits()) return finish(EngineClosed::kSlow);
  append_to_engine_payload(body_, packet);
}

// Answers the poll that waits with what is kept, or a noop.
void EngineSession::let_go() {
  const std::string body = std::exchange(body_, {});
  events_.answer(std::exchange(poll_, 0), true, body.empty() ? kNoop : std::string_view(body));
}

// The poll that waited when the probe's ping came is let go apart from this: so is then one that
// was on its way, and no client that means to go over waits.
void EngineSession::let_go_if_probed(Elapsed now) {
  if (poll_ == 0 || !is_probed_ || now < next_noop_) return;
  next_noop_ = now + options_.noop_interval;
  let_go();
}

void EngineSession::refuse(EngineRequest request) { events_.answer(request, false, {}); }

// Time.

void EngineSession::on_time(Elapsed now) {
  if (state_ == State::kNew || is_closed()) return;
  if (state_ == State::kProbing && now >= probe_ends_) {
    end_probe();
    events_.drop(EngineSocket::kProbe);
  }
  let_go_if_probed(now);
  if (now < beats_) return;
  if (wants_pong_) return finish(EngineClosed::kPingTimeout);
  wants_pong_ = true;
  beats_ = now + options_.ping_timeout;
  say({Type::kPing, false, {}});
  flush();
}

Elapsed EngineSession::due() const {
  if (state_ == State::kNew || is_closed()) return kNever;
  if (state_ != State::kProbing) return beats_;
  const Elapsed next = std::min(beats_, probe_ends_);
  return is_probed_ && poll_ != 0 ? std::min(next, next_noop_) : next;
}

// The end.

void EngineSession::finish(EngineClosed why) {
  if (is_closed()) return;
  const State before = std::exchange(state_, State::kClosed);
  if (poll_ != 0) {
    if (why != EngineClosed::kByPeer) append_to_engine_payload(body_, {Type::kClose, false, {}});
    let_go();
  }
  if (post_ != 0) {
    const bool taken = why != EngineClosed::kBadPayload;
    events_.answer(std::exchange(post_, 0), taken, taken ? kPosted : "");
  }
  if (before == State::kProbing) events_.drop(EngineSocket::kProbe);
  if (before == State::kOnSocket && why != EngineClosed::kSocketClosed) {
    if (why == EngineClosed::kByServer) {
      say_on(EngineSocket::kCarrier, {Type::kClose, false, {}});
    }
    events_.drop(EngineSocket::kCarrier);
  }
  body_ = std::string();
  events_.on_closed(why);
}

}  // namespace signet::wire
