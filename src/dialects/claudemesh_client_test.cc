#include "dialects/claudemesh_client.h"

#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <set>

#include "dialects/claudemesh.h"
#include "dialects/vectors_for_test.h"
#include "trust/hello.h"

namespace signet::dialects {
namespace {

using wire::JsonValue;

const crypto::SecretKey& ada() {
  static const auto* key = new crypto::SecretKey(crypto::SecretKey::from_seed({1, 2, 3}));
  return *key;
}

template <class T>
T read_as(std::string_view frame) {
  Answer answer = read_answer(frame);
  T* found = std::get_if<T>(&answer);
  EXPECT_NE(found, nullptr) << frame;
  return found != nullptr ? std::move(*found) : T{};
}
bool is_understood(std::string_view frame) {
  return !std::holds_alternative<NotUnderstood>(read_answer(frame));
}

// --- what the broker writes, the client reads ---

void expect_ack(JsonValue fields, const std::string& text) {
  const auto ack = read_as<AckAnswer>(text);
  EXPECT_EQ(ack.client_id, text_in(fields, "id"));
  EXPECT_EQ(ack.message_id, text_in(fields, "messageId"));
  EXPECT_EQ(ack.recipients, fields["recipients"].integer());
}
void expect_push(JsonValue fields, const std::string& text) {
  const auto push = read_as<PushedMessage>(text);
  constexpr std::string_view kPriorities[] = {"now", "next", "low"};
  EXPECT_EQ(push.message_id, text_in(fields, "messageId"));
  EXPECT_EQ(push.mesh_id, text_in(fields, "meshId"));
  EXPECT_EQ(push.sender_key, text_in(fields, "senderPubkey"));
  EXPECT_EQ(push.target, text_in(fields, "targetSpec"));
  EXPECT_EQ(kPriorities[static_cast<std::size_t>(push.priority)], text_in(fields, "priority"));
  wire::JsonDocument document;
  ASSERT_TRUE(document.parse(text).ok());
  EXPECT_EQ(push.created_at, text_in(document.root(), "createdAt"));
  EXPECT_EQ(push.nonce, text_in(document.root(), "nonce"));
  EXPECT_EQ(push.ciphertext, text_in(document.root(), "ciphertext"));
}
void expect_peers(JsonValue fields, const std::string& text) {
  const auto list = read_as<PeersAnswer>(text);
  ASSERT_EQ(list.peers.size(), fields["peers"].size());
  for (std::size_t i = 0; i < list.peers.size(); ++i) {
    const JsonValue each = fields["peers"][i];
    EXPECT_EQ(list.peers[i].key, text_in(each, "pubkey"));
    EXPECT_EQ(list.peers[i].name, text_in(each, "displayName"));
    EXPECT_EQ(list.peers[i].status, text_in(each, "status"));
    EXPECT_EQ(list.peers[i].summary, text_in(each, "summary"));
    EXPECT_EQ(list.peers[i].session_id, text_in(each, "sessionId"));
  }
}
void expect_channels(JsonValue fields, const std::string& text) {
  const auto list = read_as<ChannelsAnswer>(text);
  ASSERT_EQ(list.channels.size(), fields["channels"].size());
  for (std::size_t i = 0; i < list.channels.size(); ++i) {
    const JsonValue each = fields["channels"][i];
    EXPECT_EQ(list.channels[i].name, text_in(each, "name"));
    EXPECT_EQ(list.channels[i].members, each["members"].integer());
    EXPECT_EQ(list.channels[i].joined, each["joined"].boolean());
  }
}
void expect_members(JsonValue fields, const std::string& text) {
  const auto list = read_as<MembersAnswer>(text);
  EXPECT_EQ(list.target, text_in(fields, "target"));
  EXPECT_EQ(list.audience, text_in(fields, "audience"));
  wire::JsonDocument document;
  ASSERT_TRUE(document.parse(text).ok());
  EXPECT_EQ(list.more, document.root()["more"].boolean().value_or(false));
  const JsonValue members = document.root()["members"];  // a page has fewer than the vector
  ASSERT_EQ(list.members.size(), members.size());
  for (std::size_t i = 0; i < list.members.size(); ++i) {
    EXPECT_EQ(list.members[i].key, text_in(members[i], "pubkey"));
    EXPECT_EQ(list.members[i].name, text_in(fields["members"][i], "displayName"));
    EXPECT_EQ(list.members[i].role, text_in(fields["members"][i], "role"));
  }
}
void expect_error(JsonValue fields, const std::string& text) {
  const auto error = read_as<ErrorAnswer>(text);
  EXPECT_EQ(error.code, text_in(fields, "code"));
  EXPECT_EQ(error.client_id, text_in(fields, "id"));
  EXPECT_EQ(error.retry_after_ms, fields["retryAfterMs"].integer());
  EXPECT_EQ(error.ref, text_in(fields, "ref"));
}
void expect_admitted(JsonValue fields, const std::string& text) {
  const auto admitted = read_as<HelloAnswer>(text);
  EXPECT_EQ(admitted.presence_id, text_in(fields, "presenceId"));
  EXPECT_EQ(admitted.display_name, text_in(fields, "displayName"));
}
void expect_receipt(JsonValue fields, const std::string& text) {
  const auto receipt = read_as<ReceiptAnswer>(text);
  EXPECT_EQ(receipt.message_id, text_in(fields, "messageId"));
  EXPECT_EQ(receipt.state, text_in(fields, "state"));
  EXPECT_EQ(receipt.by, text_in(fields, "by"));
}
void expect_change(JsonValue fields, const std::string& text) {
  const auto change = read_as<ChannelChangeAnswer>(text);
  EXPECT_EQ(change.name, text_in(fields, "name"));
  EXPECT_EQ(change.joined, fields["joined"].boolean());
}

std::uint64_t number_in(JsonValue fields, std::string_view name) {
  return static_cast<std::uint64_t>(fields[name].integer().value_or(-1));
}
void expect_published(JsonValue fields, const std::string& text) {
  const auto published = read_as<PublishedAnswer>(text);
  EXPECT_EQ(published.client_id, text_in(fields, "id"));
  EXPECT_EQ(published.number, number_in(fields, "number"));
  EXPECT_EQ(published.topic_number, number_in(fields, "topicNumber"));
}
void expect_subscription(JsonValue fields, const std::string& text) {
  const auto change = read_as<SubscriptionAnswer>(text);
  EXPECT_EQ(change.pattern, text_in(fields, "pattern"));
  EXPECT_EQ(change.subscribed, fields["subscribed"].boolean());
}
void expect_pulse(JsonValue fields, const PulseAnswer& pulse) {
  EXPECT_EQ(pulse.topic, text_in(fields, "topic"));
  EXPECT_EQ(pulse.number, number_in(fields, "number"));
  EXPECT_EQ(pulse.topic_number, number_in(fields, "topicNumber"));
  EXPECT_EQ(pulse.from, text_in(fields, "from"));
  EXPECT_EQ(pulse.at, iso8601(WallTime{*fields["atMs"].integer()}));
  EXPECT_EQ(pulse.pulse, text_in(fields, "pulse"));
}
void expect_pulse_frame(JsonValue fields, const std::string& text) {
  expect_pulse(fields, read_as<PulseAnswer>(text));
}
void expect_history(JsonValue fields, const std::string& text) {
  const auto history = read_as<TopicHistoryAnswer>(text);
  ASSERT_EQ(history.pulses.size(), fields["pulses"].size());
  for (std::size_t i = 0; i < history.pulses.size(); ++i) {
    expect_pulse(fields["pulses"][i], history.pulses[i]);
  }
  EXPECT_EQ(history.gap, fields["gap"].boolean());
  EXPECT_EQ(history.more, fields["more"].boolean());
  EXPECT_EQ(history.next, number_in(fields, "next"));
}
void expect_topics(JsonValue fields, const std::string& text) {
  const auto list = read_as<TopicsAnswer>(text);
  ASSERT_EQ(list.topics.size(), fields["topics"].size());
  for (std::size_t i = 0; i < list.topics.size(); ++i) {
    EXPECT_EQ(list.topics[i].name, text_in(fields["topics"][i], "name"));
    EXPECT_EQ(list.topics[i].subscribers, fields["topics"][i]["subscribers"].integer());
  }
}

TEST(ClaudemeshClient, ReadsEveryReplyOfTheVectors) {
  const std::map<std::string, void (*)(JsonValue, const std::string&)> checks{
      {"admitted", expect_admitted},   {"hello_refused", expect_error},
      {"accepted", expect_ack},        {"pushed", expect_push},
      {"peers", expect_peers},         {"channels", expect_channels},
      {"members", expect_members},     {"channel_changed", expect_change},
      {"receipt", expect_receipt},     {"refused", expect_error},
      {"published", expect_published}, {"subscription_changed", expect_subscription},
      {"pulse", expect_pulse_frame},   {"history", expect_history},
      {"topics", expect_topics}};
  std::set<std::string> kinds;
  each_vector("claudemesh.json", "replies", 61, [&](JsonValue vector) {
    const std::string kind = text_in(vector, "reply");
    ASSERT_TRUE(checks.contains(kind)) << kind;
    checks.at(kind)(vector["fields"], text_in(vector, "text"));
    kinds.insert(kind);
  });
  EXPECT_EQ(kinds.size(), checks.size());
}

TEST(ClaudemeshClient, BelievesABrokerInNothing) {
  const std::string key(64, 'a'), upper(64, 'A');
  const auto push = [&](const std::string& more) {
    return R"({"type":"push","messageId":"00","nonce":"n","ciphertext":"c",)" + more + "}";
  };
  const std::string from = R"("senderPubkey":")" + key + '"';
  const std::string long_text(200, 'x');
  const auto pulse = [](const std::string& topic, const std::string& numbers,
                        const std::string& object) {
    return R"({"topic":)" + topic + R"(,"from":"x","at":"y",)" + numbers + R"(,"pulse":)" + object +
           "}";
  };
  const std::string numbers = R"("number":2,"topicNumber":1)";
  const auto pulse_frame = [](const std::string& members) {
    return R"({"type":"pulse",)" + members.substr(1);
  };
  // clang-format off
  const struct { const char* name; std::string frame; bool is_understood; } rows[] = {
      {"nothing", "", false},
      {"noise", "\xff\x00{", false},
      {"a list", "[]", false},
      {"no type", "{}", false},
      {"a type that is no text", R"({"type":7})", false},
      {"a type of later", R"({"type":"tomorrow"})", false},
      {"a type of a client", R"({"type":"send"})", false},
      {"two types", R"({"type":"push","type":"ack"})", false},
      {"a push", push(from), true},
      {"a push of capitals", push(R"("senderPubkey":")" + upper + '"'), true},
      {"a push without a sender", push(R"("x":1)"), false},
      {"a push of 63 digits", push(R"("senderPubkey":")" + key.substr(1) + '"'), false},
      {"a push without an id", R"({"type":"push",)" + from + "}", false},
      {"a push of a long id", R"({"type":"push","messageId":")" + long_text + "\"," + from + "}",
       false},
      {"a push that says no target", push(from + R"(,"targetSpec":null)"), true},
      {"a push to a number", push(from + R"(,"targetSpec":7)"), false},
      {"a push to what is too long", push(from + R"(,"targetSpec":")" + long_text + '"'), false},
      {"a push of a mesh that is a list", push(from + R"(,"meshId":[])"), false},
      {"a push of a mesh that is too long", push(from + R"(,"meshId":")" + long_text + '"'), false},
      {"an ack without a message id", R"({"type":"ack","id":"c-1"})", false},
      {"an ack of v0.1", R"({"type":"ack","id":"c-1","messageId":"m","queued":true})", true},
      {"members that are no list", R"({"type":"members_list","members":{"pubkey":"a"}})", false},
      {"members that are not there", R"({"type":"members_list"})", false},
      {"peers that are a text", R"({"type":"peers_list","peers":"all"})", false},
      {"channels that are not there", R"({"type":"channel_list"})", false},
      {"a receipt of a state of later", R"({"type":"receipt","messageId":"00","state":"eaten"})",
       false},
      {"a receipt for no id", R"({"type":"receipt","messageId":"../x","state":"read"})", false},
      {"a pulse", pulse_frame(pulse(R"("a.b")", numbers, "{}")), true},
      {"a pulse of no topic", pulse_frame(pulse("null", numbers, "{}")), false},
      {"a pulse of what is no topic", pulse_frame(pulse(R"("\u001b[2J")", numbers, "{}")), false},
      {"a pulse that is a list", pulse_frame(pulse(R"("a.b")", numbers, "[]")), false},
      {"a pulse that is a text", pulse_frame(pulse(R"("a.b")", numbers, R"("{}")")), false},
      {"a pulse without a number", pulse_frame(pulse(R"("a.b")", R"("topicNumber":1)", "{}")),
       false},
      {"a pulse without a number in its topic", pulse_frame(pulse(R"("a.b")", R"("number":1)",
       "{}")), false},
      {"a pulse of number -1",
       pulse_frame(pulse(R"("a.b")", R"("number":-1,"topicNumber":1)", "{}")), false},
      {"a pulse that is not counted",
       pulse_frame(pulse(R"("a.b")", R"("number":0,"topicNumber":0)", "{}")), true},
      {"a pulse of a fraction", pulse_frame(pulse(R"("a.b")", R"("number":1.5,"topicNumber":1)",
       "{}")), false},
      {"a number for what was published",
       R"({"type":"topic_published","id":"c-1","number":2,"topicNumber":1})", true},
      {"no number for what was published", R"({"type":"topic_published","id":"c-1"})", false},
      {"a history", R"({"type":"topic_history","pulses":[)" + pulse(R"("a.b")", numbers, "{}") +
       "]}", true},
      {"a history of what is no pulse", R"({"type":"topic_history","pulses":[{}]})", false},
      {"a history that is not there", R"({"type":"topic_history"})", false},
      {"topics that are not there", R"({"type":"topic_list"})", false},
      {"an error without a code", R"({"type":"error"})", true},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(is_understood(row.frame), row.is_understood);
  }
  std::cout << "hostile: " << std::size(rows) << " frames\n";
}

TEST(ClaudemeshClient, ReadsWhatIsOutOfBoundsAsSomethingHarmless) {
  const std::string key(64, 'A');
  EXPECT_EQ(read_as<PushedMessage>(R"({"type":"push","messageId":"0","senderPubkey":")" + key +
                                   R"(","priority":"soon"})")
                .sender_key,
            std::string(64, 'a'));
  EXPECT_EQ(read_as<AckAnswer>(R"({"type":"ack","messageId":"m","recipients":-5})").recipients, 0);
  EXPECT_EQ(read_as<AckAnswer>(R"({"type":"ack","messageId":"m","recipients":"x"})").recipients, 1);
  const auto list = read_as<MembersAnswer>(
      R"({"type":"members_list","members":[{"pubkey":"no key"},7,{"pubkey":")" + key + "\"}]}");
  EXPECT_EQ(list.members.size(), 1U) << "what has no key is nobody";
  // clang-format off
  const struct { const char* name; const char* code; const char* read; } rows[] = {
      {"a code", R"("rate_limited")", "rate_limited"},
      {"a code of later", R"("code_2")", "code_2"},
      {"none", "null", "unknown_error"},
      {"a number", "7", "unknown_error"},
      {"empty", R"("")", "unknown_error"},
      {"what clears a screen", R"("\u001b[2J")", "unknown_error"},
      {"a sentence", R"("denied: really")", "unknown_error"},
      {"too long", R"("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")", "unknown_error"},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const std::string frame = std::string(R"({"type":"error","code":)") + row.code + "}";
    EXPECT_EQ(read_as<ErrorAnswer>(frame).code, row.read);
  }
  EXPECT_FALSE(read_as<ErrorAnswer>(R"({"type":"error","retryAfterMs":-1})").retry_after_ms);
  for (const char* ref : {R"("\u001b[2J")", R"("a b")", "7", "null", R"("../x")"}) {
    const std::string frame = std::string(R"({"type":"error","code":"denied","ref":)") + ref + "}";
    EXPECT_EQ(read_as<ErrorAnswer>(frame).ref, "") << ref;
  }
  const auto topics = read_as<TopicsAnswer>(
      R"({"type":"topic_list","topics":[{"name":"a b"},7,{"name":"a.b","subscribers":"x"}]})");
  ASSERT_EQ(topics.topics.size(), 1U) << "what is no topic is not listed";
  EXPECT_EQ(topics.topics[0].subscribers, 0);
}

// --- what the client writes, the broker reads ---

template <class V>
const V& said_as(Claudemesh& broker, Verb& kept, const std::string& frame) {
  kept = broker.read(frame, Stage::kAdmitted);
  EXPECT_TRUE(std::holds_alternative<V>(kept)) << frame;
  return std::get<V>(kept);
}

TEST(ClaudemeshClient, SaysAHelloThatItsBrokerAdmits) {
  Claudemesh broker;
  Verb kept{ListPeers{}};
  const HelloFields fields{"mesh-1", "member-1",       "s-1", "Ada \"A\"", "/home/u/\xc3\xa9",
                           1'234,    1'700'000'000'000};
  const auto& hello = said_as<Hello>(broker, kept, hello_frame(fields, ada()));
  EXPECT_EQ(hello.claim.pubkey, crypto::to_hex(ada().public_key()));
  EXPECT_EQ(hello.hints.session_id, "s-1");
  EXPECT_EQ(hello.hints.display_name, "Ada \"A\"");
  EXPECT_EQ(hello.hints.cwd, "/home/u/\xc3\xa9");
  EXPECT_EQ(hello.hints.pid, 1'234);
  EXPECT_TRUE(hello.confirms_itself);
  const std::string signed_text =
      "mesh-1|member-1|" + std::string(hello.claim.pubkey) + "|1700000000000";
  EXPECT_EQ(hello.claim.timestamp, "1700000000000");
  EXPECT_EQ(hello.claim.signature, to_hex(ada().sign(bytes_of(signed_text))));
  HelloFields nameless = fields;
  nameless.display_name = "";
  EXPECT_EQ(hello_frame(nameless, ada()).find("displayName"), std::string::npos);
}

TEST(ClaudemeshClient, SaysSendsAsItsBrokerReadsThem) {
  const std::string key = crypto::to_hex(ada().public_key());
  const std::string audience = "76fbfa387fb612b968291f1ec235dd7c";
  using routing::Priority;
  // clang-format off
  const struct { const char* name; SendFields fields; } rows[] = {
      {"direct", {"c-1", key, Priority::kNow, "bm9uY2U=", "Ym9keQ==", "", true}},
      {"to all", {"c-1", "*", Priority::kNext, "n", "c", audience, false}},
      {"to a channel, low", {"c-1", "#ops", Priority::kLow, "n", "c", audience, true}},
      {"to a tag, without an id", {"", "tag:on-call", Priority::kNext, "n", "c", "", false}},
      {"what JSON must escape", {"a\"b", "*", Priority::kNext, "\\\n\x01", "\xc3\xa9", "", false}},
      {"an empty body", {"c-1", "*", Priority::kNext, "", "", "", false}},
  };
  // clang-format on
  Claudemesh broker;
  Verb kept{ListPeers{}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto& send = said_as<Send>(broker, kept, send_frame(row.fields));
    EXPECT_EQ(send.client_id, row.fields.client_id);
    EXPECT_EQ(routing::text_of(send.to), row.fields.target);
    EXPECT_EQ(send.priority, row.fields.priority);
    EXPECT_EQ(send.receipts, row.fields.receipts);
    EXPECT_EQ(send.audience ? to_hex(*send.audience) : "", row.fields.audience);
    // The body comes out of a push as it went into the send.
    routing::Envelope envelope;
    envelope.body = send.body;
    envelope.to = row.fields.target;
    const auto push = read_as<PushedMessage>(Claudemesh().write(Pushed{envelope, "mesh-1", key}));
    EXPECT_EQ(push.nonce, row.fields.nonce);
    EXPECT_EQ(push.ciphertext, row.fields.ciphertext);
  }
}

TEST(ClaudemeshClient, SaysTheOthersAsItsBrokerReadsThem) {
  Claudemesh broker;
  Verb kept{ListPeers{}};
  const std::string id = "000102030405060708090a0b0c0d0e0f";
  for (const char* state : {"received", "read"}) {
    const auto& receipt = said_as<Receipt>(broker, kept, receipt_frame(id, state));
    EXPECT_EQ(to_hex(receipt.message), id);
    EXPECT_EQ(name_of(receipt.state), state);
  }
  for (const char* status : {"idle", "working", "dnd"}) {
    EXPECT_EQ(name_of(said_as<SetStatus>(broker, kept, set_status_frame(status)).status), status);
  }
  EXPECT_EQ(said_as<SetSummary>(broker, kept, set_summary_frame("a \"b\"")).summary, "a \"b\"");
  said_as<ListPeers>(broker, kept, list_peers_frame());
  said_as<ListChannels>(broker, kept, channel_list_frame());
  EXPECT_EQ(said_as<JoinChannel>(broker, kept, channel_frame("channel_join", "#ops")).name, "ops");
  EXPECT_EQ(said_as<LeaveChannel>(broker, kept, channel_frame("channel_leave", "ops")).name, "ops");
  const std::string key = crypto::to_hex(ada().public_key());
  EXPECT_FALSE(said_as<ListMembers>(broker, kept, list_members_frame("#ops", "")).after);
  const auto& list = said_as<ListMembers>(broker, kept, list_members_frame("#ops", key));
  EXPECT_EQ(routing::text_of(list.target), "#ops");
  ASSERT_TRUE(list.after);
  EXPECT_EQ(crypto::to_hex(*list.after), key);
}

TEST(ClaudemeshClient, SaysTheFramesOfTopicsAsItsBrokerReadsThem) {
  Claudemesh broker;
  Verb kept{ListPeers{}};
  const auto& publish =
      said_as<Publish>(broker, kept, topic_publish_frame("c-1", "a.b", R"({"n":1.0})"));
  EXPECT_EQ(publish.client_id, "c-1");
  EXPECT_EQ(publish.topic, "a.b");
  EXPECT_EQ(publish.pulse, R"({"n":1.0)");
  EXPECT_EQ(said_as<Publish>(broker, kept, topic_publish_frame("", "a.b", "{}")).client_id, "");
  EXPECT_EQ(said_as<Subscribe>(broker, kept, topic_frame("topic_subscribe", "a.>")).pattern, "a.>");
  EXPECT_EQ(said_as<Unsubscribe>(broker, kept, topic_frame("topic_unsubscribe", ">")).pattern, ">");
  const auto& all = said_as<ReadHistory>(broker, kept, topic_history_frame("", std::nullopt, 7));
  EXPECT_EQ(all.pattern, "");
  EXPECT_FALSE(all.after);
  EXPECT_EQ(all.limit, 7U);
  const auto& some = said_as<ReadHistory>(broker, kept, topic_history_frame("a.*", 0, 1'000));
  EXPECT_EQ(some.pattern, "a.*");
  EXPECT_EQ(some.after, 0U);
  said_as<ListTopics>(broker, kept, topic_list_frame());
}

// What a broker passes on, its members' clients can read: a pulse as deep and as full as a frame
// may be, and a list of such pulses.
TEST(ClaudemeshClient, ReadsEveryPulseThatItsBrokerTakes) {
  const std::string deep = R"({"x":)" + std::string(30, '[') + std::string(30, ']');
  std::string full = R"({"x":[0)";
  for (int i = 0; i < 32'000; ++i) full += ",0";
  full += "]";
  Claudemesh broker;
  routing::TopicHistory::Page page;
  for (const std::string& open : {deep, full, full, full, full}) {
    ASSERT_TRUE(std::holds_alternative<Publish>(
        broker.read(topic_publish_frame("c-1", "a", open + "}"), Stage::kAdmitted)));
    routing::Pulse pulse;
    pulse.topic = "a";
    pulse.number = pulse.topic_number = 1;
    pulse.text = open + "}";
    EXPECT_EQ(read_as<PulseAnswer>(broker.write(PulseOut{pulse})).pulse, pulse.text);
    page.pulses.push_back(std::make_shared<const routing::Pulse>(std::move(pulse)));
  }
  EXPECT_EQ(read_as<TopicHistoryAnswer>(broker.write(History{page})).pulses.size(), 5U);
}

// The frames of the vectors that this client writes too are the ones it writes.
TEST(ClaudemeshClient, WritesWhatTheVectorsSay) {
  std::set<std::string> texts;
  each_vector("claudemesh.json", "frames", 300,
              [&](JsonValue vector) { texts.insert(text_in(vector, "text")); });
  // clang-format off
  const struct { const char* name; std::string frame; } rows[] = {
      {"list_peers", list_peers_frame()},
      {"channel_list", channel_list_frame()},
      {"set_status", set_status_frame("working")},
      {"channel_join", channel_frame("channel_join", "ops")},
      {"channel_leave", channel_frame("channel_leave", "ops")},
      {"list_members", list_members_frame("#ops", "")},
      {"receipt", receipt_frame("000102030405060708090a0b0c0d0e0f", "received")},
      {"topic_publish", topic_publish_frame("c-1", "mirror.intent", R"({"a":1})")},
      {"topic_subscribe", topic_frame("topic_subscribe", "a.>")},
      {"topic_unsubscribe", topic_frame("topic_unsubscribe", "a.>")},
      {"topic_history", topic_history_frame("mirror.>", 1'700'000'000'000'000, 10)},
      {"topic_list", topic_list_frame()},
  };
  // clang-format on
  for (const auto& row : rows) EXPECT_TRUE(texts.contains(row.frame)) << row.frame;
}

}  // namespace
}  // namespace signet::dialects
