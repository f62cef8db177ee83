#include "client/peer.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "base/time.h"
#include "client/http.h"
#include "crypto/box.h"
#include "crypto/random.h"
#include "dialects/claudemesh_http.h"
#include "wire/websocket_upgrade.h"

namespace signet::client {
namespace {

constexpr std::size_t kKeyBytes = 16;      // of Sec-WebSocket-Key, RFC 6455 section 4.1
constexpr std::size_t kMaxPushes = 1'024;  // twice what a broker pushes unconfirmed

Elapsed deadline_in(std::chrono::milliseconds timeout) {
  return system_clock().elapsed() + timeout;
}

std::string text_of_member(wire::JsonValue object, std::string_view name) {
  return std::string(object[name].string().value_or(""));
}

std::array<unsigned char, 4> fresh_mask() {
  std::array<unsigned char, 4> mask{};
  crypto::random_bytes(mask);
  return mask;
}

// The HTTP base of a broker: ws → http, the path dropped.
Result<Url> join_url(const std::string& broker_url) {
  SIGNET_TRY(Url url, parse_url(broker_url));
  url.path = "/join";
  return url;
}

}  // namespace

Result<Identity> join(std::string_view invite_link, std::string_view display_name,
                      std::chrono::milliseconds timeout) {
  const std::string_view token = dialects::token_of_link(invite_link);
  SIGNET_TRY(const auto claim, dialects::read_invite_token(token));
  SIGNET_TRY(const Url url, join_url(claim.broker_url));
  auto key = crypto::SecretKey::generate();
  const auto payload = from_base64url(token);
  wire::JsonWriter body;
  body.object().key("invite_token").value(token).key("invite_payload").raw(*payload);
  body.key("peer_pubkey").value(crypto::to_hex(key.public_key()));
  body.key("display_name").value(display_name).end();
  SIGNET_TRY(const HttpAnswer answer, http_request(url, "POST", body.text(), timeout));
  wire::JsonDocument document;
  SIGNET_TRY([[maybe_unused]] const Done parsed, document.parse(answer.body));
  const std::string member = text_of_member(document.root(), "memberId");
  if (member.empty()) {
    return Error{ErrorCode::kForbidden, text_of_member(document.root(), "error")};
  }
  return Identity{claim.broker_url, claim.mesh_id, member, std::move(key)};
}

Peer::Peer(const Identity& identity, net::BlockingSocket socket, std::chrono::milliseconds timeout)
    : identity_(identity), socket_(std::move(socket)), timeout_(timeout) {}

Result<std::unique_ptr<Peer>> Peer::connect(const Identity& identity,
                                            std::chrono::milliseconds timeout) {
  SIGNET_TRY(const Url url, parse_url(identity.broker_url));
  if (url.secure) return Error{ErrorCode::kUnavailable, "this peer speaks no TLS"};
  SIGNET_TRY(auto socket, net::BlockingSocket::connect(url.host, url.port, timeout));
  std::unique_ptr<Peer> peer(new Peer(identity, std::move(socket), timeout));
  SIGNET_TRY([[maybe_unused]] const Done upgraded, peer->shake_hands(url));
  SIGNET_TRY([[maybe_unused]] const Done admitted, peer->say_hello());
  return peer;
}

Status Peer::shake_hands(const Url& url) {
  std::array<unsigned char, kKeyBytes> nonce{};
  crypto::random_bytes(nonce);
  const std::string key = to_base64(nonce);
  std::string request;
  wire::append_upgrade_request(request, url.authority(), url.path, key);
  SIGNET_TRY([[maybe_unused]] const Done sent, socket_.send_all(request, timeout_));
  std::string answer;
  std::array<char, 4'096> chunk{};
  for (const Elapsed deadline = deadline_in(timeout_);;) {
    if (system_clock().elapsed() > deadline) return Error{ErrorCode::kUnavailable, "too slow"};
    SIGNET_TRY(const std::size_t got, socket_.receive(chunk, timeout_));
    if (got == 0) return Error{ErrorCode::kUnavailable, "the broker closed the handshake"};
    answer.append(chunk.data(), got);
    const auto read = wire::read_upgrade_response(answer, key);
    if (const auto* bad = std::get_if<wire::BadRequest>(&read)) {
      return Error{ErrorCode::kUnavailable, "no WebSocket: " + std::string(bad->rule)};
    }
    if (const auto* head = std::get_if<std::size_t>(&read)) {
      std::string rest = answer.substr(*head);
      read_frames(rest);
      return Done{};
    }
  }
}

Status Peer::say_hello() {
  const std::string key = crypto::to_hex(identity_.key.public_key());
  const std::string now = std::to_string(system_clock().wall().ms);
  const std::string text = identity_.mesh_id + "|" + identity_.member_id + "|" + key + "|" + now;
  wire::JsonWriter hello;
  hello.object().key("type").value("hello").key("meshId").value(identity_.mesh_id);
  hello.key("memberId").value(identity_.member_id).key("pubkey").value(key);
  hello.key("sessionId").value(crypto::random_hex(8)).key("pid").value(0).key("cwd").value("/");
  hello.key("timestamp").raw(now).key("receipts").value(true);
  hello.key("signature").value(to_hex(identity_.key.sign(bytes_of(text)))).end();
  SIGNET_TRY([[maybe_unused]] const Done sent, write_frame(wire::Opcode::kText, hello.text()));
  const auto ack = next_frame("hello_ack", deadline_in(timeout_));
  if (!ack.ok()) {
    const bool refused = ack.error().code == ErrorCode::kForbidden;
    return Error{refused ? ErrorCode::kUnauthorized : ack.error().code, ack.error().detail};
  }
  return Done{};
}

Result<std::string> Peer::send(const crypto::PublicKey& to, std::string_view text,
                               std::string_view client_id) {
  SIGNET_TRY(const auto box, crypto::DirectBox::between(identity_.key, to));
  crypto::BoxNonce nonce{};
  crypto::random_bytes(nonce);
  wire::JsonWriter frame;
  frame.object().key("type").value("send").key("id").value(client_id);
  frame.key("targetSpec").value(crypto::to_hex(to)).key("priority").value("now");
  frame.key("nonce").value(to_base64(nonce));
  frame.key("ciphertext").value(to_base64(bytes_of(box.seal(text, nonce)))).end();
  SIGNET_TRY([[maybe_unused]] const Done sent, write_frame(wire::Opcode::kText, frame.text()));
  for (const Elapsed deadline = deadline_in(timeout_);;) {
    SIGNET_TRY(const std::string ack, next_frame("ack", deadline));
    wire::JsonDocument document;
    SIGNET_TRY([[maybe_unused]] const Done parsed, document.parse(ack));
    // An ack that came too late for an earlier send is not this one's.
    const bool is_mine = client_id.empty() || text_of_member(document.root(), "id") == client_id;
    if (!is_mine) continue;
    return text_of_member(document.root(), "messageId");
  }
}

Result<Incoming> Peer::receive(std::chrono::milliseconds timeout) {
  if (!pushes_.empty()) {
    const std::string push = std::move(pushes_.front());
    pushes_.pop_front();
    return open(push);
  }
  SIGNET_TRY(const std::string push, next_frame("push", deadline_in(timeout)));
  return open(push);
}

Result<Incoming> Peer::open(const std::string& push) {
  wire::JsonDocument document;
  SIGNET_TRY([[maybe_unused]] const Done parsed, document.parse(push));
  const wire::JsonValue root = document.root();
  Incoming incoming{text_of_member(root, "messageId"), text_of_member(root, "senderPubkey"),
                    text_of_member(root, "targetSpec"), std::nullopt};
  const auto sender = crypto::public_key_from_hex(incoming.sender_key);
  const auto nonce_text = from_base64(root["nonce"].string().value_or(""));
  const auto ciphertext = from_base64(root["ciphertext"].string().value_or(""));
  crypto::BoxNonce nonce{};
  const bool sealed = sender && nonce_text && ciphertext && nonce_text->size() == nonce.size();
  // The box is the same both ways, so a peer's own message must not come back as someone else's.
  if (sealed && *sender != identity_.key.public_key()) {
    std::copy(nonce_text->begin(), nonce_text->end(), nonce.begin());
    const auto box = crypto::DirectBox::between(identity_.key, *sender);
    if (box.ok()) incoming.text = box->open(*ciphertext, nonce);
  }
  wire::JsonWriter receipt;
  receipt.object().key("type").value("receipt").key("messageId").value(incoming.message_id);
  receipt.key("state").value("received").end();
  SIGNET_TRY([[maybe_unused]] const Done sent, write_frame(wire::Opcode::kText, receipt.text()));
  return incoming;
}

Status Peer::write_frame(wire::Opcode opcode, std::string_view payload) {
  std::string frame;
  wire::append_masked_frame(frame, opcode, payload, fresh_mask());
  return socket_.send_all(frame, timeout_);
}

Result<std::string> Peer::next_frame(std::string_view type, Elapsed deadline) {
  for (bool last = false;;) {
    while (!frames_.empty()) {
      std::string frame = std::move(frames_.front());
      frames_.pop_front();
      wire::JsonDocument document;
      SIGNET_TRY([[maybe_unused]] const Done parsed, document.parse(frame));
      const std::string found = text_of_member(document.root(), "type");
      if (found == type) return frame;
      if (found == "push") {
        if (pushes_.size() == kMaxPushes) return Error{ErrorCode::kUnavailable, "too many pushes"};
        pushes_.push_back(std::move(frame));
      }
      if (found == "error") {
        return Error{ErrorCode::kForbidden, text_of_member(document.root(), "code")};
      }
    }
    if (closed_) return Error{ErrorCode::kUnavailable, "the broker closed: " + *closed_};
    if (last) return Error{ErrorCode::kOverloaded, "timeout"};
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - system_clock().elapsed());
    last = left <= std::chrono::milliseconds(0);  // what is there already is still looked at
    SIGNET_TRY([[maybe_unused]] const Done read,
               read_some(std::max(left, std::chrono::milliseconds(0))));
  }
}

Status Peer::read_some(std::chrono::milliseconds timeout) {
  std::array<char, 65'536> chunk{};
  SIGNET_TRY(const std::size_t got, socket_.receive(chunk, timeout));
  if (got == 0 && !closed_) closed_ = "no reason given";
  read_frames(std::span(chunk).first(got));
  return Done{};
}

void Peer::read_frames(std::span<char> bytes) {
  if (reader_.feed(bytes, limits_, *this)) closed_ = "it broke the protocol";
}

bool Peer::on_message(wire::MessageKind, std::string_view payload) {
  frames_.emplace_back(payload);
  return true;
}
bool Peer::on_ping(std::string_view payload) {
  return write_frame(wire::Opcode::kPong, payload).ok();
}
bool Peer::on_pong(std::string_view) { return true; }
void Peer::on_close(std::uint16_t, std::string_view reason) { closed_ = std::string(reason); }

}  // namespace signet::client
