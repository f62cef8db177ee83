#include "dialects/claudemesh.h"

#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <set>

#include "base/overloaded.h"
#include "crypto/box.h"
#include "dialects/vectors_for_test.h"

namespace signet::dialects {
namespace {

using wire::JsonKind;
using wire::JsonValue;

// A verb in the words of the vectors: its name as the member "verb", and its fields.
using Fields = std::map<std::string, std::string>;

std::string said(bool flag) { return flag ? "true" : "false"; }

Fields fields_of(const Hello& hello) {
  return {{"verb", "hello"},
          {"meshId", std::string(hello.claim.mesh_id)},
          {"memberId", std::string(hello.claim.member_id)},
          {"pubkey", std::string(hello.claim.pubkey)},
          {"signature", std::string(hello.claim.signature)},
          {"timestamp", std::string(hello.claim.timestamp.value_or("null"))},
          {"sessionId", std::string(hello.hints.session_id)},
          {"displayName", std::string(hello.hints.display_name)},
          {"cwd", std::string(hello.hints.cwd)},
          {"pid", std::to_string(hello.hints.pid)},
          {"receipts", said(hello.confirms_itself)}};
}

Fields fields_of(const Send& send) {
  constexpr std::string_view kPriorities[] = {"now", "next", "low"};
  Fields fields{{"verb", "send"},
                {"id", std::string(send.client_id)},
                {"to", routing::text_of(send.to)},
                {"priority", std::string(kPriorities[static_cast<std::size_t>(send.priority)])},
                {"receipts", said(send.receipts)},
                {"body", send.body}};
  if (send.audience) fields["audience"] = to_hex(*send.audience);
  return fields;
}

Fields fields_of(const ListMembers& list) {
  Fields fields{{"verb", "list_members"}, {"target", routing::text_of(list.target)}};
  if (list.after) fields["after"] = crypto::to_hex(*list.after);
  return fields;
}

Fields fields_of(const Publish& publish) {
  return {{"verb", "topic_publish"},
          {"id", std::string(publish.client_id)},
          {"topic", std::string(publish.topic)},
          {"pulse", publish.pulse}};
}

Fields fields_of(const ReadHistory& read) {
  Fields fields{{"verb", "topic_history"},
                {"pattern", std::string(read.pattern)},
                {"limit", std::to_string(read.limit)}};
  if (read.after) fields["after"] = std::to_string(*read.after);
  return fields;
}

Fields fields_of(const Misspoken& misspoken) {
  const bool knows_its_form = misspoken.is_message;
  return {{"refusal", std::string(signet::name_of(misspoken.code))},
          {"id", misspoken.client_id},
          {"before_hello", knows_its_form ? "no_hello" : "bad_frame"}};
}

Fields fields_of(const Verb& verb) {
  return std::visit(
      Overloaded{
          [](const Hello& v) { return fields_of(v); },
          [](const Send& v) { return fields_of(v); },
          [](const ListMembers& v) { return fields_of(v); },
          [](const Misspoken& v) { return fields_of(v); },
          [](const SetStatus& v) {
            return Fields{{"verb", "set_status"}, {"status", std::string(name_of(v.status))}};
          },
          [](const SetSummary& v) {
            return Fields{{"verb", "set_summary"}, {"summary", std::string(v.summary)}};
          },
          [](const ListPeers&) {
            return Fields{{"verb", "list_peers"}};
          },
          [](const ListChannels&) {
            return Fields{{"verb", "channel_list"}};
          },
          [](const JoinChannel& v) {
            return Fields{{"verb", "channel_join"}, {"name", std::string(v.name)}};
          },
          [](const LeaveChannel& v) {
            return Fields{{"verb", "channel_leave"}, {"name", std::string(v.name)}};
          },
          [](const Receipt& v) {
            return Fields{{"verb", "receipt"},
                          {"messageId", to_hex(v.message)},
                          {"state", std::string(name_of(v.state))}};
          },
          [](const Publish& v) { return fields_of(v); },
          [](const Subscribe& v) {
            return Fields{{"verb", "topic_subscribe"}, {"pattern", std::string(v.pattern)}};
          },
          [](const Unsubscribe& v) {
            return Fields{{"verb", "topic_unsubscribe"}, {"pattern", std::string(v.pattern)}};
          },
          [](const ReadHistory& v) { return fields_of(v); },
          [](const ListTopics&) {
            return Fields{{"verb", "topic_list"}};
          },
          [](const auto&) {
            return Fields{{"verb", "of another format"}};
          },
      },
      verb);
}

Fields expected_of(JsonValue vector) {
  if (vector["refusal"]) {
    return {{"refusal", text_in(vector, "refusal")},
            {"id", text_in(vector, "id")},
            {"before_hello", text_in(vector, "before_hello")}};
  }
  Fields expected{{"verb", text_in(vector, "verb")}};
  const JsonValue fields = vector["fields"];
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto text = fields[i].string();
    expected[std::string(fields.key(i))] =
        text ? filled(std::string(*text), vector) : std::string(fields[i].raw());
  }
  return expected;
}

TEST(Claudemesh, ReadsEveryFrameOfTheVectors) {
  Claudemesh dialect;  // one for all: what an earlier frame left must not show
  each_vector("claudemesh.json", "frames", 300, [&](JsonValue vector) {
    const std::string frame = filled(text_in(vector, "text"), vector);
    EXPECT_EQ(fields_of(dialect.read(frame, Stage::kAdmitted)), expected_of(vector));
  });
}

// What JSON text can't hold, or would not fit into a vector.
TEST(Claudemesh, RefusesNoiseOfEveryKind) {
  const std::string sound = R"({"type":"list_peers","x":)";
  const auto nested = [&](std::size_t depth) {
    return sound + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  const auto values = [&](std::size_t count) {
    std::string text = sound + "[0";
    for (std::size_t i = 1; i < count; ++i) text += ",0";
    return text + "]}";
  };
  // clang-format off
  const struct { const char* name; std::string frame; bool is_read; } rows[] = {
      {"a frame of 65,536 bytes", sound + '"' + std::string(65'536 - sound.size() - 3, 'x') + "\"}",
       true},
      {"a frame of 4 MiB, where an operator allows it", sound + '"' + std::string(1 << 22, 'x') +
       "\"}", true},
      {"65,532 values beside the three of the frame", values(65'532), true},
      {"65,536 values", values(65'536), false},
      {"31 levels within the object", nested(31), true},
      {"32 levels within the object", nested(32), false},
      {"60,000 levels", nested(60'000), false},
      {"60,000 brackets that never close", sound + std::string(60'000, '['), false},
      {"60,000 objects that never close", [] {
         std::string text;
         for (int i = 0; i < 60'000; ++i) text += R"({"":)";
         return text;
       }(), false},
      {"a byte that is no UTF-8", sound + "\"\xff\"}", false},
      {"a surrogate as UTF-8", sound + "\"\xed\xa0\x80\"}", false},
      {"an overlong slash", sound + "\"\xc0\xaf\"}", false},
      {"a character cut short", sound + "\"\xc3", false},
      {"UTF-16", std::string("{\0\"\0", 4), false},
      {"a NUL", std::string(1, '\0'), false},
      {"a NUL after the object", sound + "0}" + std::string(1, '\0'), false},
  };
  // clang-format on
  Claudemesh dialect;
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const Verb verb = dialect.read(row.frame, Stage::kAdmitted);
    EXPECT_EQ(std::holds_alternative<ListPeers>(verb), row.is_read);
    if (row.is_read) continue;
    ASSERT_TRUE(std::holds_alternative<Misspoken>(verb));
    EXPECT_EQ(std::get<Misspoken>(verb).code, Refusal::kBadFrame);
    EXPECT_FALSE(std::get<Misspoken>(verb).is_message);
  }
  std::cout << "noise: " << std::size(rows) << " frames\n";
}

TEST(Claudemesh, ReadsTheSameAfterAnyPrefixOfAFrame) {
  const std::string frame = R"({"type":"send","id":"c-1","targetSpec":"*","nonce":"n",)"
                            R"("ciphertext":"\u00e9 \ud83d\ude00"})";
  Claudemesh dialect;
  const Fields whole = fields_of(dialect.read(frame, Stage::kAdmitted));
  ASSERT_EQ(whole.at("verb"), "send");
  for (std::size_t length = 0; length < frame.size(); ++length) {
    const std::string prefix = frame.substr(0, length);
    EXPECT_TRUE(std::holds_alternative<Misspoken>(dialect.read(prefix, Stage::kAdmitted)))
        << prefix;
    EXPECT_EQ(fields_of(dialect.read(frame, Stage::kAdmitted)), whole);
  }
}

std::vector<PeerEntry> peers_of(JsonValue list) {
  std::vector<PeerEntry> peers;
  for (std::size_t i = 0; i < list.size(); ++i) {
    peers.push_back({text_in(list[i], "pubkey"), text_in(list[i], "displayName"),
                     *status_from(text_in(list[i], "status")), text_in(list[i], "summary"),
                     text_in(list[i], "sessionId"), WallTime{*list[i]["connectedMs"].integer()}});
  }
  return peers;
}

std::vector<ChannelEntry> channels_of(JsonValue list) {
  std::vector<ChannelEntry> channels;
  for (std::size_t i = 0; i < list.size(); ++i) {
    channels.push_back({text_in(list[i], "name"),
                        static_cast<std::size_t>(*list[i]["members"].integer()),
                        *list[i]["joined"].boolean()});
  }
  return channels;
}

crypto::PublicKey key_in(JsonValue text) {
  return *crypto::public_key_from_hex(text.string().value_or(""));
}

std::string write_members(JsonValue fields) {
  const JsonValue list = fields["members"];
  std::vector<membership::Member> members(list.size());
  std::vector<const membership::Member*> shown;
  for (std::size_t i = 0; i < list.size(); ++i) {
    members[i].key = key_in(list[i]["pubkey"]);
    members[i].display_name = text_in(list[i], "displayName");
    const bool is_admin = text_in(list[i], "role") == "admin";
    members[i].role = is_admin ? membership::Role::kAdmin : membership::Role::kMember;
    shown.push_back(&members[i]);
  }
  const std::string target = text_in(fields, "target");
  Members reply{target, shown, {}};
  EXPECT_TRUE(from_hex(text_in(fields, "audience"), reply.audience));
  if (const auto bound = fields["maxBytes"].integer()) {
    reply.max_bytes = static_cast<std::size_t>(*bound);
  }
  return Claudemesh().write(reply);
}

template <class Code>
Code code_of(JsonValue fields, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (text_in(fields, "code") == signet::name_of(static_cast<Code>(i))) {
      return static_cast<Code>(i);
    }
  }
  ADD_FAILURE() << "no such code: " << text_in(fields, "code");
  return {};
}

std::string write_pushed(JsonValue fields) {
  routing::Envelope envelope;
  EXPECT_TRUE(from_hex(text_in(fields, "messageId"), envelope.id));
  constexpr std::string_view kPriorities[] = {"now", "next", "low"};
  for (std::size_t i = 0; i < std::size(kPriorities); ++i) {
    if (text_in(fields, "priority") == kPriorities[i]) {
      envelope.priority = static_cast<routing::Priority>(i);
    }
  }
  envelope.to = text_in(fields, "targetSpec");
  envelope.body = text_in(fields, "body");
  envelope.created = {*fields["createdMs"].integer()};
  const std::string mesh = text_in(fields, "meshId"), sender = text_in(fields, "senderPubkey");
  return Claudemesh().write(Pushed{envelope, mesh, sender});
}

routing::Pulse pulse_of(JsonValue fields) {
  routing::Pulse pulse;
  pulse.number = static_cast<std::uint64_t>(*fields["number"].integer());
  pulse.topic_number = static_cast<std::uint64_t>(*fields["topicNumber"].integer());
  pulse.topic = text_in(fields, "topic");
  pulse.from = text_in(fields, "from");
  pulse.at = {*fields["atMs"].integer()};
  pulse.text = text_in(fields, "pulse");
  return pulse;
}

std::string write_history(JsonValue fields) {
  routing::TopicHistory::Page page;
  for (std::size_t i = 0; i < fields["pulses"].size(); ++i) {
    page.pulses.push_back(std::make_shared<const routing::Pulse>(pulse_of(fields["pulses"][i])));
  }
  page.gap = *fields["gap"].boolean();
  page.more = *fields["more"].boolean();
  page.next = static_cast<std::uint64_t>(*fields["next"].integer());
  return Claudemesh().write(History{page});
}

std::string write_topics(JsonValue list) {
  std::vector<TopicEntry> topics;
  for (std::size_t i = 0; i < list.size(); ++i) {
    topics.push_back(
        {text_in(list[i], "name"), static_cast<std::size_t>(*list[i]["subscribers"].integer())});
  }
  return Claudemesh().write(Topics{topics});
}

// Writes the reply that a vector describes, where it is one of topics.
std::optional<std::string> written_of_topics(std::string_view reply, JsonValue fields) {
  const Claudemesh dialect;
  const auto number = [&](std::string_view of) {
    return static_cast<std::uint64_t>(*fields[of].integer());
  };
  if (reply == "published") {
    const std::string id = text_in(fields, "id");
    return dialect.write(Published{id, number("number"), number("topicNumber")});
  }
  if (reply == "subscription_changed") {
    const std::string pattern = text_in(fields, "pattern");
    return dialect.write(SubscriptionChanged{pattern, *fields["subscribed"].boolean()});
  }
  if (reply == "pulse") return dialect.write(PulseOut{pulse_of(fields)});
  if (reply == "history") return write_history(fields);
  if (reply == "topics") return write_topics(fields["topics"]);
  return std::nullopt;
}

// Writes the reply that a vector describes.
std::string written(JsonValue vector) {
  const Claudemesh dialect;
  const JsonValue fields = vector["fields"];
  const std::string reply = text_in(vector, "reply");
  const std::string id = text_in(fields, "id"), name = text_in(fields, "name");
  const auto number = [&](std::string_view of) {
    return static_cast<std::size_t>(*fields[of].integer());
  };
  const auto message = [&] {
    routing::MessageId bytes{};
    EXPECT_TRUE(from_hex(text_in(fields, "messageId"), bytes));
    return bytes;
  };
  if (reply == "admitted") {
    const std::string presence = text_in(fields, "presenceId");
    const std::string display = text_in(fields, "displayName");
    return dialect.write(Admitted{presence, display});
  }
  if (reply == "hello_refused") {
    return dialect.write(HelloRefused{code_of<HelloReject>(fields, kHelloRejectCount)});
  }
  if (reply == "accepted") {
    return dialect.write(Accepted{id, message(), number("recipients"), number("skipped")});
  }
  if (reply == "pushed") return write_pushed(fields);
  if (reply == "peers") return dialect.write(Peers{.peers = peers_of(fields["peers"])});
  if (reply == "members") return write_members(fields);
  if (reply == "channels") return dialect.write(Channels{channels_of(fields["channels"])});
  if (reply == "channel_changed") {
    return dialect.write(ChannelChanged{name, *fields["joined"].boolean()});
  }
  if (reply == "receipt") {
    const bool read = text_in(fields, "state") == "read";
    const std::string by = text_in(fields, "by");
    return dialect.write(
        ReceiptNotice{message(), read ? ReceiptState::kRead : ReceiptState::kReceived, by});
  }
  if (auto text = written_of_topics(reply, fields)) return *std::move(text);
  EXPECT_EQ(reply, "refused");
  const std::string ref = text_in(fields, "ref");
  return dialect.write(
      Refused{code_of<Refusal>(fields, kRefusalCount), id, fields["retryAfterMs"].integer(), ref});
}

// Of the kinds of reply, those of other formats: three of PulseMesh, five of SecureWebSocket.
constexpr std::size_t kRepliesOfOthers = 8;

TEST(Claudemesh, WritesEveryReplyOfTheVectors) {
  std::map<std::string, std::set<std::string>> replies;  // each with its codes
  each_vector("claudemesh.json", "replies", 61, [&](JsonValue vector) {
    const std::string text = written(vector);
    EXPECT_EQ(text, text_in(vector, "text"));
    EXPECT_TRUE(wire::JsonDocument().parse(text).ok());
    replies[text_in(vector, "reply")].insert(text_in(vector["fields"], "code"));
  });
  EXPECT_EQ(replies.size(), std::variant_size_v<Reply> - kRepliesOfOthers)
      << "a kind of reply has no vector";
  EXPECT_EQ(replies["refused"].size(), kRefusalCount) << "a code has no vector";
  EXPECT_EQ(replies["hello_refused"].size(), kHelloRejectCount);
}

TEST(Claudemesh, ListsAsManyPeersAsFitAndSaysHowManyThereAre) {
  const std::vector<PeerEntry> three(3, {std::string(64, 'a'), "ann", Status::kIdle, "", "", {}});
  const auto listed = [&](std::size_t max_bytes) {
    wire::JsonDocument document;
    EXPECT_TRUE(document.parse(Claudemesh().write(Peers{three, max_bytes})).ok());
    const JsonValue total = document.root()["total"];
    return std::pair(document.root()["peers"].size(), total.integer().value_or(-1));
  };
  EXPECT_EQ(listed(100'000), std::pair(std::size_t{3}, std::int64_t{-1}));
  EXPECT_EQ(listed(300), std::pair(std::size_t{2}, std::int64_t{3}));
  EXPECT_EQ(listed(0), std::pair(std::size_t{0}, std::int64_t{3}));
}

// Whatever the bound: who goes on behind the last key of a page comes to the end.
TEST(Claudemesh, ListsMembersInPagesAndSaysThatThereAreMore) {
  std::vector<membership::Member> three(3);
  for (auto& member : three) member.key = crypto::SecretKey::from_seed({1}).public_key();
  const std::vector<const membership::Member*> all{&three[0], &three[1], &three[2]};
  // clang-format off
  const struct { const char* name; std::size_t max_bytes, listed; bool more; } rows[] = {
      {"all fit", kMaxListBytes, 3, false},
      {"two fit", 200, 2, true},
      {"one fits", 100, 1, true},
      {"none fits, so one comes", 0, 1, true},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    wire::JsonDocument document;
    ASSERT_TRUE(document.parse(Claudemesh().write(Members{"*", all, {}, row.max_bytes})).ok());
    EXPECT_EQ(document.root()["members"].size(), row.listed);
    EXPECT_EQ(document.root()["more"].boolean().value_or(false), row.more);
    EXPECT_EQ(static_cast<bool>(document.root()["more"]), row.more) << "never false";
  }
}

// Whoever goes on behind `next` gets every pulse of the page once, however many fit at a time.
TEST(Claudemesh, WritesAsMuchHistoryAsFitsAndSaysWhereToGoOn) {
  const auto page_of = [](std::size_t count, std::size_t bytes) {
    routing::TopicHistory::Page page;
    page.next = 1'000;
    for (std::size_t i = 1; i <= count; ++i) {
      routing::Pulse pulse;
      pulse.topic = "a";
      pulse.number = pulse.topic_number = i;
      pulse.text = "{\"x\":\"" + std::string(bytes, 'x') + "\"}";
      page.pulses.push_back(std::make_shared<const routing::Pulse>(std::move(pulse)));
    }
    return page;
  };
  // clang-format off
  const struct { const char* name; std::size_t count, bytes, listed; bool more; std::int64_t next;
  } rows[] = {
      {"all fit", 1'000, 100, 1'000, false, 1'000},
      {"eight of 64 KiB", 8, 65'000, 8, false, 1'000},
      {"more than fit", 20, 65'000, 8, true, 8},
      {"one over the bound comes all the same", 2, kMaxListBytes, 1, true, 1},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const std::string text = Claudemesh().write(History{page_of(row.count, row.bytes)});
    wire::JsonDocument document;
    ASSERT_TRUE(document.parse(text).ok());
    EXPECT_EQ(document.root()["pulses"].size(), row.listed);
    EXPECT_EQ(document.root()["more"].boolean(), row.more);
    EXPECT_EQ(document.root()["next"].integer(), row.next);
    if (row.listed > 1) {
      EXPECT_LE(text.size(), kMaxListBytes + 1'024) << "and what closes it";
    }
  }
}

// What a page holds back is said, also where the history itself had more.
TEST(Claudemesh, WritesAHistoryThatHasMoreAsItIs) {
  routing::TopicHistory::Page page;
  page.more = true;
  page.next = 7;
  wire::JsonDocument document;
  ASSERT_TRUE(document.parse(Claudemesh().write(History{page})).ok());
  EXPECT_EQ(document.root()["more"].boolean(), true);
  EXPECT_EQ(document.root()["next"].integer(), 7);
}

TEST(Claudemesh, DigestsTheAudiencesOfTheVectors) {
  each_vector("claudemesh.json", "audiences", 5, [](JsonValue vector) {
    std::vector<crypto::PublicKey> keys;
    for (std::size_t i = 0; i < vector["keys"].size(); ++i) {
      keys.push_back(key_in(vector["keys"][i]));
    }
    EXPECT_EQ(to_hex(membership::audience_of(keys)), text_in(vector, "audience"));
  });
}

// The body is never read: whatever strings a client sent come out of the push as they were.
TEST(Claudemesh, PushesTheVeryBodyThatWasSent) {
  // clang-format off
  const struct { const char* name; const char* nonce; const char* ciphertext; } rows[] = {
      {"plain", R"("bm9uY2U=")", R"("Ym9keQ==")"},
      {"empty", R"("")", R"("")"},
      {"escapes", R"("\u0041\/")", R"("\"\\\b\f\n\r\t")"},
      {"what ends an object", R"("}")", R"("\"},{\"type\":\"error\"")"},
      {"another nonce inside", R"("n")", R"(",\"nonce\":\"x")"},
      {"text beyond ASCII", "\"\xc3\xa9\"", R"("\ud83d\ude00")"},
      {"NUL", R"("\u0000")", R"("\u0000")"},
  };
  // clang-format on
  Claudemesh dialect;
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const std::string frame = R"({"type":"send","targetSpec":"*", "ciphertext" : )" +
                              std::string(row.ciphertext) + R"( ,"nonce": )" + row.nonce + " }";
    const Verb verb = dialect.read(frame, Stage::kAdmitted);
    ASSERT_TRUE(std::holds_alternative<Send>(verb));
    routing::Envelope envelope;
    envelope.to = "*";
    envelope.body = std::get<Send>(verb).body;
    wire::JsonDocument push;
    ASSERT_TRUE(push.parse(dialect.write(Pushed{envelope, "mesh-1", "aa"})).ok());
    EXPECT_EQ(push.root().size(), 9U);
    EXPECT_EQ(push.root()["nonce"].raw(), row.nonce);
    EXPECT_EQ(push.root()["ciphertext"].raw(), row.ciphertext);
    EXPECT_EQ(push.root()["type"].string(), "push");
  }
}

constexpr std::chrono::milliseconds kSkew{60'000};

std::string answer_of(const std::variant<trust::ProvenHello, HelloReject>& checked) {
  const auto* code = std::get_if<HelloReject>(&checked);
  return code == nullptr ? "proven" : std::string(signet::name_of(*code));
}

crypto::SecretKey key_from(JsonValue vector, std::string_view name) {
  std::array<unsigned char, 32> seed{};
  EXPECT_TRUE(from_hex(text_in(vector, name), seed));
  return crypto::SecretKey::from_seed(seed);
}

// From the bytes of the frame to the verdict, as the broker does it.
TEST(Claudemesh, ChecksEveryHelloOfTheVectors) {
  Claudemesh dialect;
  each_vector("claudemesh.json", "hellos", 45, [&](JsonValue vector) {
    const std::string frame = text_in(vector, "text");
    const Verb verb = dialect.read(frame, Stage::kAdmitted);
    ASSERT_TRUE(std::holds_alternative<Hello>(verb));
    const trust::HelloClaim& claim = std::get<Hello>(verb).claim;
    const WallTime now{*vector["now"].integer()};
    const bool has_capacity = *vector["has_capacity"].boolean();
    const auto checked = trust::check_hello(claim, now, kSkew, has_capacity);
    EXPECT_EQ(answer_of(checked), text_in(vector, "answer"));
    const auto* proven = std::get_if<trust::ProvenHello>(&checked);
    if (proven == nullptr) return;
    const crypto::SecretKey key = key_from(vector, "seed");
    EXPECT_EQ(proven->key, key.public_key());
    std::string signature(claim.signature);
    for (char& c : signature) c = static_cast<char>(std::tolower(c));
    EXPECT_EQ(to_hex(key.sign(bytes_of(text_in(vector, "signed_text")))), signature);
  });
}

TEST(Claudemesh, SealsAndOpensTheBodiesOfTheVectors) {
  each_vector("claudemesh.json", "bodies", 3, [](JsonValue vector) {
    const crypto::SecretKey from = key_from(vector, "from_seed");
    const crypto::SecretKey to = key_from(vector, "to_seed");
    const auto nonce = from_base64(text_in(vector, "nonce"));
    const auto sealed = from_base64(text_in(vector, "ciphertext"));
    crypto::BoxNonce bytes{};
    ASSERT_TRUE(nonce && sealed && nonce->size() == bytes.size());
    std::copy(nonce->begin(), nonce->end(), bytes.begin());
    const auto senders = crypto::DirectBox::between(from, to.public_key());
    const auto receivers = crypto::DirectBox::between(to, from.public_key());
    ASSERT_TRUE(senders.ok() && receivers.ok());
    EXPECT_EQ(senders->seal(text_in(vector, "plaintext"), bytes), *sealed);
    EXPECT_EQ(receivers->open(*sealed, bytes), text_in(vector, "plaintext"));
  });
}

TEST(AllDialects, EachPathHasOneDialectAtMost) {
  // clang-format off
  const struct { const char* path; std::string_view name; } rows[] = {
      {"/ws", "claudemesh"}, {"/ws/", ""}, {"/WS", ""}, {"/ws2", ""}, {"/", ""}, {"", ""},
      {"/socket.io/", ""}, {"/join", ""},
  };
  // clang-format on
  const auto table = all_dialects();
  for (const auto& row : rows) {
    std::string served;
    for (const auto& dialect : table) {
      if (dialect->opens(row.path, "")) served += dialect->name();
    }
    EXPECT_EQ(served, row.name) << row.path;
  }
}

}  // namespace
}  // namespace signet::dialects
