// The client's half of claudemesh: what a member says, as frames, and what a broker said, as
// values. Format: protocol/claudemesh.md. A broker is believed in nothing: every field is checked
// for its type and bound before anybody acts on it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "crypto/sign.h"
#include "routing/envelope.h"

namespace signet::dialects {

// --- what a member says; each is one text frame ---

struct HelloFields {
  std::string_view mesh_id;
  std::string_view member_id;
  std::string_view session_id;
  std::string_view display_name;  // empty: none is said
  std::string_view cwd;
  std::int64_t pid = 0;
  std::int64_t timestamp_ms = 0;
};
// Signs the four fields and announces receipts: pongs alone confirm nothing for this client.
std::string hello_frame(const HelloFields& fields, const crypto::SecretKey& key);

struct SendFields {
  std::string_view client_id;
  std::string_view target;
  routing::Priority priority = routing::Priority::kNext;
  std::string_view nonce;
  std::string_view ciphertext;
  std::string_view audience;  // empty: whoever it reaches
  bool receipts = false;
};
std::string send_frame(const SendFields& fields);
std::string receipt_frame(std::string_view message_id, std::string_view state);
std::string set_status_frame(std::string_view status);
std::string set_summary_frame(std::string_view summary);
std::string list_peers_frame();
std::string list_members_frame(std::string_view target, std::string_view after);
std::string channel_frame(std::string_view type, std::string_view name);  // channel_join, …_leave
std::string channel_list_frame();
// `pulse` is the text of a JSON object, written as it is.
std::string topic_publish_frame(std::string_view client_id, std::string_view topic,
                                std::string_view pulse);
// topic_subscribe, topic_unsubscribe
std::string topic_frame(std::string_view type, std::string_view pattern);
// An empty pattern asks for every topic, no number for the newest.
std::string topic_history_frame(std::string_view pattern, std::optional<std::uint64_t> after,
                                std::size_t limit);
std::string topic_list_frame();

// --- what a broker says ---

struct HelloAnswer {
  std::string presence_id;
  std::string display_name;
};
struct AckAnswer {
  std::string client_id;
  std::string message_id;
  std::int64_t recipients = 1;  // a broker of v0.1 does not say
};
struct PushedMessage {
  std::string message_id;
  std::string mesh_id;     // empty: the broker did not say
  std::string sender_key;  // hex64, lower case
  std::string target;      // empty: the broker did not say
  routing::Priority priority = routing::Priority::kNext;
  std::string created_at;
  std::string nonce;
  std::string ciphertext;
};
struct PeerAnswer {
  std::string key, name, status, summary, session_id, connected_at;
};
struct PeersAnswer {
  std::vector<PeerAnswer> peers;
};
struct MemberAnswer {
  std::string key, name, role;
};
struct MembersAnswer {
  std::string target;
  std::vector<MemberAnswer> members;
  std::string audience;
  bool more = false;
};
struct ChannelAnswer {
  std::string name;
  std::int64_t members = 0;
  bool joined = false;
};
struct ChannelsAnswer {
  std::vector<ChannelAnswer> channels;
};
struct ChannelChangeAnswer {
  std::string name;
  bool joined = false;
};
struct ReceiptAnswer {
  std::string message_id;
  std::string state;  // received or read
  std::string by;
};
struct ErrorAnswer {
  std::string code;       // of a-z, 0-9 and _; unknown_error for anything else
  std::string client_id;  // empty: it answers no send
  std::optional<std::int64_t> retry_after_ms;
  std::string ref = {};  // for the operator; empty: none was said
};
struct PublishedAnswer {
  std::string client_id;
  std::uint64_t number = 0;
  std::uint64_t topic_number = 0;
};
struct SubscriptionAnswer {
  std::string pattern;
  bool subscribed = false;
};
struct PulseAnswer {
  std::string topic;
  std::uint64_t number = 0;        // 0: the broker's own word, which it does not count
  std::uint64_t topic_number = 0;  // one more than that of the topic's pulse before, or 0
  std::string from, at;
  std::string pulse;  // the text of a JSON object
};
struct TopicHistoryAnswer {
  std::vector<PulseAnswer> pulses;  // oldest first
  bool gap = false;
  bool more = false;
  std::uint64_t next = 0;
};
struct TopicAnswer {
  std::string name;
  std::int64_t subscribers = 0;
};
struct TopicsAnswer {
  std::vector<TopicAnswer> topics;
};
// A frame that is none of the above, or breaks the bounds of its type: `what` is for a log. A
// client goes on without it.
struct NotUnderstood {
  std::string what;
};

using Answer =
    std::variant<HelloAnswer, AckAnswer, PushedMessage, PeersAnswer, MembersAnswer, ChannelsAnswer,
                 ChannelChangeAnswer, ReceiptAnswer, ErrorAnswer, PublishedAnswer,
                 SubscriptionAnswer, PulseAnswer, TopicHistoryAnswer, TopicsAnswer, NotUnderstood>;

Answer read_answer(std::string_view frame);

}  // namespace signet::dialects
