#include "dialects/claudemesh_client.h"

#include <algorithm>

#include "base/encoding.h"
#include "routing/topic.h"
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
// A pulse is the text of its publisher: its values are as many as fit into a frame, and in a list
// of pulses it stands two levels deeper than it was said.
constexpr wire::JsonLimits kAnswerLimits{.max_depth = 34, .max_values = 524'288};

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

// By which an operator finds the rule that said no; it comes to logs and terminals as a code does.
std::string ref_in(JsonValue error) {
  const std::string ref = text_in(error, "ref", kMaxCodeBytes);
  const bool is_ref = std::all_of(ref.begin(), ref.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
  return is_ref ? ref : std::string();
}

Answer read_error(JsonValue root) {
  ErrorAnswer error{code_in(root), text_in(root, "id", kMaxIdBytes), std::nullopt, ref_in(root)};
  const auto wait = root["retryAfterMs"].integer();
  if (wait && *wait >= 0) error.retry_after_ms = *wait;
  return error;
}

// A number of a pulse; 0 is that of what a broker says itself and does not count.
std::optional<std::uint64_t> number_in(JsonValue object, std::string_view name) {
  const auto number = object[name].integer();
  if (!number || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

std::optional<PulseAnswer> pulse_in(JsonValue object) {
  const auto topic = object["topic"].string();
  const auto number = number_in(object, "number");
  const auto topic_number = number_in(object, "topicNumber");
  const JsonValue pulse = object["pulse"];
  if (!topic || !routing::is_topic(*topic) || !number || !topic_number) return std::nullopt;
  if (!pulse.is(wire::JsonKind::kObject)) return std::nullopt;
  return PulseAnswer{std::string(*topic),
                     *number,
                     *topic_number,
                     text_in(object, "from", kMaxIdBytes),
                     text_in(object, "at", kMaxIdBytes),
                     std::string(pulse.raw())};
}

Answer read_topic_published(JsonValue root) {
  const auto number = number_in(root, "number");
  const auto topic_number = number_in(root, "topicNumber");
  if (!number || !topic_number) return not_understood("topic_published without its numbers");
  return PublishedAnswer{text_in(root, "id", kMaxIdBytes), *number, *topic_number};
}

Answer read_topic_subscribed(JsonValue root) {
  return SubscriptionAnswer{text_in(root, "pattern", kMaxTargetBytes), true};
}
Answer read_topic_unsubscribed(JsonValue root) {
  return SubscriptionAnswer{text_in(root, "pattern", kMaxTargetBytes), false};
}

Answer read_pulse(JsonValue root) {
  auto pulse = pulse_in(root);
  if (!pulse) return not_understood("pulse without its topic, its numbers or its object");
  return *std::move(pulse);
}

Answer read_topic_history(JsonValue root) {
  const JsonValue pulses = root["pulses"];
  if (!pulses.is(wire::JsonKind::kArray)) return not_understood("topic_history without a list");
  TopicHistoryAnswer answer;
  for (std::size_t i = 0; i < pulses.size(); ++i) {
    auto pulse = pulse_in(pulses[i]);
    if (!pulse) return not_understood("topic_history with what is no pulse");
    answer.pulses.push_back(*std::move(pulse));
  }
  answer.gap = root["gap"].boolean().value_or(false);
  answer.more = root["more"].boolean().value_or(false);
  answer.next = number_in(root, "next").value_or(0);
  return answer;
}

Answer read_topics(JsonValue root) {
  const JsonValue topics = root["topics"];
  if (!topics.is(wire::JsonKind::kArray)) return not_understood("topic_list without a list");
  TopicsAnswer answer;
  for (std::size_t i = 0; i < topics.size(); ++i) {
    const auto name = topics[i]["name"].string();
    if (!name || !routing::is_topic(*name)) continue;
    answer.topics.push_back({std::string(*name), topics[i]["subscribers"].integer().value_or(0)});
  }
  return answer;
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
    {"pulse", read_pulse},
    {"topic_published", read_topic_published},
    {"topic_subscribed", read_topic_subscribed},
    {"topic_unsubscribed", read_topic_unsubscribed},
    {"topic_history", read_topic_history},
    {"topic_list", read_topics},
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

std::string topic_publish_frame(std::string_view client_id, std::string_view topic,
                                std::string_view pulse) {
  JsonWriter json = frame_of("topic_publish");
  if (!client_id.empty()) json.key("id").value(client_id);
  return json.key("topic").value(topic).key("pulse").raw(pulse).end().take();
}
std::string topic_frame(std::string_view type, std::string_view pattern) {
  return frame_of(type).key("pattern").value(pattern).end().take();
}
std::string topic_history_frame(std::string_view pattern, std::optional<std::uint64_t> after,
                                std::size_t limit) {
  JsonWriter json = frame_of("topic_history");
  if (!pattern.empty()) json.key("pattern").value(pattern);
  if (after) json.key("after").value(*after);
  return json.key("limit").value(std::uint64_t{limit}).end().take();
}
std::string topic_list_frame() { return frame_of("topic_list").end().take(); }

Answer read_answer(std::string_view frame) {
  wire::JsonDocument document;
  if (!document.parse(frame, kAnswerLimits).ok()) return not_understood("no JSON");
  const auto type = document.root()["type"].string();
  if (!type) return not_understood("no type");
  for (const AnswerType& known : kAnswerTypes) {
    if (known.type == *type) return known.read(document.root());
  }
  return not_understood("unknown type");
}

}  // namespace signet::dialects
