#include "dialects/claudemesh_client.h"

#include <algorithm>

#include "base/encoding.h"
#include "wire/json.h"

namespace signet::dialects {
namespace {

using wire::JsonValue;
using wire::JsonWriter;

// Bounds of what a broker may make a client keep; each is above what a true one sends.
constexpr std::size_t kMaxIdBytes = 128;
constexpr std::size_t kMaxNameBytes = 1'024;  // display names, session hints
constexpr std::size_t kMaxSummaryBytes = 2'048;
constexpr std::size_t kMaxTargetBytes = 128;
constexpr std::size_t kMaxCodeBytes = 40;
constexpr std::size_t kKeyDigits = 64;

std::string text_in(JsonValue object, std::string_view name, std::size_t most) {
  const auto text = object[name].string();
  return text && text->size() <= most ? std::string(*text) : std::string();
}

// Is a text there that is not as it should be? Left out or null is no fault.
bool breaks_bound(JsonValue object, std::string_view name, std::size_t most) {
  const JsonValue value = object[name];
  if (!value || value.is(wire::JsonKind::kNull)) return false;
  const auto text = value.string();
  return !text || text->size() > most;
}

// A key as its 64 digits in lower case; empty for anything else.
std::string key_in(JsonValue object, std::string_view name) {
  const auto text = object[name].string();
  const auto key = text ? crypto::public_key_from_hex(*text) : std::nullopt;
  return key ? crypto::to_hex(*key) : std::string();
}

bool is_hex_id(std::string_view text) {
  return text.size() <= kKeyDigits && !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '-';
         });
}

routing::Priority priority_in(JsonValue push) {
  const auto name = push["priority"].string().value_or("next");
  if (name == "now") return routing::Priority::kNow;
  return name == "low" ? routing::Priority::kLow : routing::Priority::kNext;
}

std::string_view name_of(routing::Priority priority) {
  switch (priority) {
    case routing::Priority::kNow:
      return "now";
    case routing::Priority::kLow:
      return "low";
    case routing::Priority::kNext:
      break;
  }
  return "next";
}

Answer not_understood(std::string_view what) { return NotUnderstood{std::string(what)}; }

Answer read_hello_ack(JsonValue root) {
  return HelloAnswer{text_in(root, "presenceId", kMaxIdBytes),
                     text_in(root, "memberDisplayName", kMaxNameBytes)};
}

Answer read_ack(JsonValue root) {
  AckAnswer ack{text_in(root, "id", kMaxIdBytes), text_in(root, "messageId", kMaxIdBytes),
                std::max<std::int64_t>(root["recipients"].integer().value_or(1), 0)};
  if (ack.message_id.empty()) return not_understood("ack without a message id");
  return ack;
}

Answer read_push(JsonValue root) {
  PushedMessage push;
  push.message_id = text_in(root, "messageId", kMaxIdBytes);
  push.mesh_id = text_in(root, "meshId", kMaxIdBytes);
  push.sender_key = key_in(root, "senderPubkey");
  push.target = text_in(root, "targetSpec", kMaxTargetBytes);
  push.priority = priority_in(root);
  push.created_at = text_in(root, "createdAt", kMaxIdBytes);
  const auto nonce = root["nonce"].string();
  const auto ciphertext = root["ciphertext"].string();
  // Without an id it could not be confirmed, without a sender it is nobody's.
  if (push.message_id.empty()) return not_understood("push without a message id");
  if (push.sender_key.empty()) return not_understood("push without a sender");
  // Read as left out, they would make a body direct that says it is something else.
  if (breaks_bound(root, "meshId", kMaxIdBytes)) return not_understood("push of no mesh id");
  if (breaks_bound(root, "targetSpec", kMaxTargetBytes)) return not_understood("push to no target");
  push.nonce = nonce.value_or("");
  push.ciphertext = ciphertext.value_or("");
  return push;
}

Answer read_peers(JsonValue root) {
  if (!root["peers"].is(wire::JsonKind::kArray)) return not_understood("peers_list without a list");
  PeersAnswer answer;
  const JsonValue peers = root["peers"];
  for (std::size_t i = 0; i < peers.size(); ++i) {
    const JsonValue each = peers[i];
    PeerAnswer peer{key_in(each, "pubkey"),
                    text_in(each, "displayName", kMaxNameBytes),
                    text_in(each, "status", kMaxIdBytes),
                    text_in(each, "summary", kMaxSummaryBytes),
                    text_in(each, "sessionId", kMaxNameBytes),
                    text_in(each, "connectedAt", kMaxIdBytes)};
    if (!peer.key.empty()) answer.peers.push_back(std::move(peer));
  }
  return answer;
}

Answer read_members(JsonValue root) {
  if (!root["members"].is(wire::JsonKind::kArray)) {
    return not_understood("members_list without a list");
  }
  MembersAnswer answer;
  answer.target = text_in(root, "target", kMaxTargetBytes);
  answer.audience = text_in(root, "audience", kMaxIdBytes);
  answer.more = root["more"].boolean().value_or(false);
  const JsonValue members = root["members"];
  for (std::size_t i = 0; i < members.size(); ++i) {
    MemberAnswer member{key_in(members[i], "pubkey"),
                        text_in(members[i], "displayName", kMaxNameBytes),
                        text_in(members[i], "role", kMaxIdBytes)};
    if (!member.key.empty()) answer.members.push_back(std::move(member));
  }
  return answer;
}

Answer read_channels(JsonValue root) {
  if (!root["channels"].is(wire::JsonKind::kArray)) {
    return not_understood("channel_list without a list");
  }
  ChannelsAnswer answer;
  const JsonValue channels = root["channels"];
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const JsonValue each = channels[i];
    answer.channels.push_back({text_in(each, "name", kMaxTargetBytes),
                               each["members"].integer().value_or(0),
                               each["joined"].boolean().value_or(false)});
  }
  return answer;
}

Answer read_channel_joined(JsonValue root) {
  return ChannelChangeAnswer{text_in(root, "name", kMaxTargetBytes), true};
}
Answer read_channel_left(JsonValue root) {
  return ChannelChangeAnswer{text_in(root, "name", kMaxTargetBytes), false};
}

Answer read_receipt(JsonValue root) {
  ReceiptAnswer receipt{text_in(root, "messageId", kMaxIdBytes),
                        text_in(root, "state", kMaxIdBytes), key_in(root, "by")};
  if (!is_hex_id(receipt.message_id)) return not_understood("receipt for no message id");
  if (receipt.state != "received" && receipt.state != "read") {
    return not_understood("receipt of an unknown state");
  }
  return receipt;
}

// A code as the pages write them: it comes to programs, logs and terminals.
std::string code_in(JsonValue error) {
  const std::string code = text_in(error, "code", kMaxCodeBytes);
  const bool is_code = !code.empty() && std::all_of(code.begin(), code.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
  return is_code ? code : "unknown_error";
}

Answer read_error(JsonValue root) {
  ErrorAnswer error{code_in(root), text_in(root, "id", kMaxIdBytes), std::nullopt};
  const auto wait = root["retryAfterMs"].integer();
  if (wait && *wait >= 0) error.retry_after_ms = *wait;
  return error;
}

struct AnswerType {
  std::string_view type;
  Answer (*read)(JsonValue);
};
constexpr AnswerType kAnswerTypes[] = {
    {"push", read_push},
    {"ack", read_ack},
    {"receipt", read_receipt},
    {"error", read_error},
    {"hello_ack", read_hello_ack},
    {"peers_list", read_peers},
    {"members_list", read_members},
    {"channel_list", read_channels},
    {"channel_joined", read_channel_joined},
    {"channel_left", read_channel_left},
};

JsonWriter frame_of(std::string_view type) {
  JsonWriter json;
  json.object().key("type").value(type);
  return json;
}

}  // namespace

std::string hello_frame(const HelloFields& fields, const crypto::SecretKey& key) {
  const std::string pubkey = crypto::to_hex(key.public_key());
  const std::string timestamp = std::to_string(fields.timestamp_ms);
  std::string text;
  for (const std::string_view part : {fields.mesh_id, fields.member_id, std::string_view(pubkey)}) {
    text.append(part).push_back('|');
  }
  text += timestamp;
  JsonWriter json = frame_of("hello");
  json.key("meshId").value(fields.mesh_id).key("memberId").value(fields.member_id);
  json.key("pubkey").value(pubkey).key("sessionId").value(fields.session_id);
  json.key("pid").value(fields.pid).key("cwd").value(fields.cwd);
  json.key("timestamp").raw(timestamp).key("signature").value(to_hex(key.sign(bytes_of(text))));
  if (!fields.display_name.empty()) json.key("displayName").value(fields.display_name);
  return json.key("receipts").value(true).end().take();
}

std::string send_frame(const SendFields& fields) {
  JsonWriter json = frame_of("send");
  if (!fields.client_id.empty()) json.key("id").value(fields.client_id);
  json.key("targetSpec").value(fields.target).key("priority").value(name_of(fields.priority));
  json.key("nonce").value(fields.nonce).key("ciphertext").value(fields.ciphertext);
  if (!fields.audience.empty()) json.key("audience").value(fields.audience);
  if (fields.receipts) json.key("receipts").value(true);
  return json.end().take();
}

std::string receipt_frame(std::string_view message_id, std::string_view state) {
  return frame_of("receipt")
      .key("messageId")
      .value(message_id)
      .key("state")
      .value(state)
      .end()
      .take();
}
std::string set_status_frame(std::string_view status) {
  return frame_of("set_status").key("status").value(status).end().take();
}
std::string set_summary_frame(std::string_view summary) {
  return frame_of("set_summary").key("summary").value(summary).end().take();
}
std::string list_peers_frame() { return frame_of("list_peers").end().take(); }

std::string list_members_frame(std::string_view target, std::string_view after) {
  JsonWriter json = frame_of("list_members");
  json.key("target").value(target);
  if (!after.empty()) json.key("after").value(after);
  return json.end().take();
}
std::string channel_frame(std::string_view type, std::string_view name) {
  return frame_of(type).key("name").value(name).end().take();
}
std::string channel_list_frame() { return frame_of("channel_list").end().take(); }

Answer read_answer(std::string_view frame) {
  wire::JsonDocument document;
  if (!document.parse(frame).ok()) return not_understood("no JSON");
  const auto type = document.root()["type"].string();
  if (!type) return not_understood("no type");
  for (const AnswerType& known : kAnswerTypes) {
    if (known.type == *type) return known.read(document.root());
  }
  return not_understood("unknown type");
}

}  // namespace signet::dialects
