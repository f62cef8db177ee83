#include "wire/socketio_packet.h"

#include <gtest/gtest.h>

#include <random>

namespace signet::wire {
namespace {

using Type = SocketPacketType;

constexpr SocketLimits kLimits;
constexpr std::uint64_t kLargest = 18'446'744'073'709'551'615ULL;
constexpr std::string_view kTwoPlaces =
    R"(52-["baz",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])";

std::string rule_of(const Result<const SocketPacket*>& result) {
  if (result.ok()) return "";
  EXPECT_EQ(result.error().code, ErrorCode::kMalformed);
  return result.error().detail;
}

TEST(SocketPacket, ReadsWhatTheFormatShows) {
  // clang-format off
  const struct {
    std::string_view text; Type type; std::string_view nsp; std::optional<std::uint64_t> id;
    std::string_view data;
  } rows[] = {
      // The examples of the format's own document and of its conformance suite.
      {"0", Type::kConnect, "/", {}, ""},
      {R"(0{"sid":"wZX3oN0bSVIhsaknAAAI"})", Type::kConnect, "/", {}, R"({"sid":"wZX3oN0bSVIhsaknAAAI"})"},
      {"0/admin,", Type::kConnect, "/admin", {}, ""},
      {"0/random", Type::kConnect, "/random", {}, ""},
      {R"(0/admin,{"token":"abc"})", Type::kConnect, "/admin", {}, R"({"token":"abc"})"},
      {R"(4{"message":"Not authorized"})", Type::kConnectError, "/", {}, R"({"message":"Not authorized"})"},
      {R"(4/a,"Unauthorized")", Type::kConnectError, "/a", {}, R"("Unauthorized")"},
      {R"(2["foo"])", Type::kEvent, "/", {}, R"(["foo"])"},
      {R"(2/admin,["bar"])", Type::kEvent, "/admin", {}, R"(["bar"])"},
      {R"(212["foo"])", Type::kEvent, "/", 12, R"(["foo"])"},
      {R"(2/admin,13["foo"])", Type::kEvent, "/admin", 13, R"(["foo"])"},
      {R"(2456["message-with-ack",1,"2",{"3":[false]}])", Type::kEvent, "/", 456, R"(["message-with-ack",1,"2",{"3":[false]}])"},
      {"2[1,\"a\",{}]", Type::kEvent, "/", {}, "[1,\"a\",{}]"},
      {"312[]", Type::kAck, "/", 12, "[]"},
      {R"(3/admin,13["bar"])", Type::kAck, "/admin", 13, R"(["bar"])"},
      {"1", Type::kDisconnect, "/", {}, ""},
      {"1/admin,", Type::kDisconnect, "/admin", {}, ""},
      {"1/custom", Type::kDisconnect, "/custom", {}, ""},
      // What it leaves open.
      {"0/a?x=1,{}", Type::kConnect, "/a", {}, "{}"},
      {"0/?token=1", Type::kConnect, "/", {}, ""},
      {"0/,", Type::kConnect, "/", {}, ""},
      {"0//,", Type::kConnect, "//", {}, ""},
      {R"(0/{"a":1})", Type::kConnect, R"(/{"a":1})", {}, ""},
      {R"(20["a"])", Type::kEvent, "/", 0, R"(["a"])"},
      {R"(2007["a"])", Type::kEvent, "/", 7, R"(["a"])"},
      {R"(218446744073709551615["a"])", Type::kEvent, "/", kLargest, R"(["a"])"},
      {"2 [ \"a\" , 1 ] ", Type::kEvent, "/", {}, " [ \"a\" , 1 ] "},
      {"2[-1.5e3]", Type::kEvent, "/", {}, "[-1.5e3]"},
      {R"(2[""])", Type::kEvent, "/", {}, R"([""])"},
      {R"(2["a\"]","b"])", Type::kEvent, "/", {}, R"(["a\"]","b"])"},
      {R"(2["Connect"])", Type::kEvent, "/", {}, R"(["Connect"])"},
      {R"(2["connected"])", Type::kEvent, "/", {}, R"(["connected"])"},
      // Only the shape is looked at: the rest is for who reads the event.
      {R"(2["action",}{])", Type::kEvent, "/", {}, R"(["action",}{])"},
      {R"(2["a",{"b":1,"b":2}])", Type::kEvent, "/", {}, R"(["a",{"b":1,"b":2}])"},
      {R"(2["a",{"_placeholder":true,"num":7}])", Type::kEvent, "/", {}, R"(["a",{"_placeholder":true,"num":7}])"},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.text);
    SocketDecoder decoder(kLimits);
    const auto read = decoder.text(row.text);
    ASSERT_TRUE(read.ok()) << read.error().detail;
    ASSERT_NE(*read, nullptr);
    const SocketPacket& packet = **read;
    EXPECT_EQ(packet.type, row.type);
    EXPECT_EQ(packet.nsp, row.nsp);
    EXPECT_EQ(packet.id, row.id);
    EXPECT_EQ(packet.data, row.data);
    EXPECT_TRUE(packet.attachments.empty());
    EXPECT_FALSE(decoder.is_waiting());
  }
}

TEST(SocketPacket, RefusesEveryBrokenRule) {
  const std::string long_name = "0/" + std::string(kLimits.max_namespace, 'n');
  const std::string long_text = "2[\"" + std::string(kLimits.max_bytes, 'n') + "\"]";
  // clang-format off
  const struct { const char* name; std::string_view text; std::string_view rule; } rows[] = {
      {"nothing", "", "type"},
      {"no digit", "abc", "type"},
      {"a type beyond the last", "7", "type"},
      {"a type beyond the last", "999", "type"},
      {"a null character", std::string_view("\0", 1), "type"},
      {"a space before the type", " 2[]", "type"},
      {"data that is no object", "0/admin,\"invalid\"", "data"},
      {"a list to connect", "0[]", "data"},
      {"null to connect", "0null", "data"},
      {"half an object to connect", "0{", "data"},
      {"data to disconnect", "1/admin,{}", "data"},
      {"a space to disconnect", "1 ", "data"},
      {"an event without data", "2", "data"},
      {"an event of a namespace without data", "2/admin,", "data"},
      {"an object as event", "2{}", "data"},
      {"an object as event", "2/admin,{}", "data"},
      {"an empty event", "2[]", "data"},
      {"an empty event with space", "2[ ]", "data"},
      {"half a text", "2/admin,\"invalid", "data"},
      {"an event that does not end", "2[\"some\",\"data\"", "data"},
      {"an event that only begins", "2[", "data"},
      {"a name that does not end", "2[\"some]", "data"},
      {"a name that ends behind an escape", "2[\"some\\\"]", "data"},
      {"a name and no comma", "2[\"a\"\"b\"]", "data"},
      {"an object as name", "2[{\"toString\":\"foo\"}]", "data"},
      {"a list as name", "2[[\"a\"]]", "data"},
      {"true as name", "2[true,\"foo\"]", "data"},
      {"null as name", "2[null,\"bar\"]", "data"},
      {"a broken number as name", "2[01]", "data"},
      {"a word as name", "2[NaN]", "data"},
      {"no name before the comma", "2[,1]", "data"},
      {"a reserved name", "2[\"connect\"]", "data"},
      {"a reserved name", "2[\"connect_error\"]", "data"},
      {"a reserved name", "2[\"disconnect\",\"123\"]", "data"},
      {"a reserved name", "2[\"disconnecting\"]", "data"},
      {"a reserved name", "2[\"newListener\"]", "data"},
      {"a reserved name", "2[\"removeListener\"]", "data"},
      {"a reserved name by escapes", "2[\"conn\\u0065ct\"]", "data"},
      {"a broken escape in a name", "2[\"\\x\"]", "data"},
      {"an acknowledgement without data", "31", "data"},
      {"an object as acknowledgement", "31{}", "data"},
      {"an acknowledgement of nothing", "3[]", "id"},
      {"a binary acknowledgement of nothing", "61-[]", "id"},
      {"an error without data", "4", "data"},
      {"an error that is a list", "4[\"a\"]", "data"},
      {"an error that is a quote", "4\"", "data"},
      {"the type twice", "442[\"some\",\"data\"", "id"},
      {"an id to connect", "01{}", "id"},
      {"an id to disconnect", "11", "id"},
      {"an id that overflows", "218446744073709551616[\"a\"]", "id"},
      {"an id below zero", "2-1[\"a\"]", "data"},
      {"an id with a point", "21.5[\"a\"]", "data"},
      {"letters as id", "2abc[\"message-with-ack\",1]", "data"},
      {"a comma and no namespace", "2,[\"a\"]", "data"},
      {"no number of attachments", "5", "attachments"},
      {"no number of attachments", "5-[\"a\"]", "attachments"},
      {"no dash", "51", "attachments"},
      {"no dash", "51[\"a\"]", "attachments"},
      {"no attachments", "50-[\"a\"]", "attachments"},
      {"letters of attachments", "5a-", "attachments"},
      {"a fraction of attachments", "51.23-", "attachments"},
      {"less than no attachments", "5-1-[\"a\"]", "attachments"},
      {"attachments as a power", "51e0-[\"a\"]", "attachments"},
      {"too many attachments", "511-[\"a\"]", "attachments"},
      {"endless attachments", "5999999999999999999999999-[\"a\"]", "attachments"},
      {"a place beyond the last", R"(51-["a",{"_placeholder":true,"num":1}])", "attachments"},
      {"a place below the first", R"(51-["a",{"_placeholder":true,"num":-1}])", "attachments"},
      {"a place between two", R"(52-["a",{"_placeholder":true,"num":0.5}])", "attachments"},
      {"a place that is a word", R"(51-["a",{"_placeholder":true,"num":"splice"}])", "attachments"},
      {"a place that is none", R"(51-["a",{"_placeholder":true}])", "attachments"},
      {"a place that overflows", R"(51-["a",{"_placeholder":true,"num":18446744073709551616}])", "attachments"},
      {"a deep place", R"(51-["a",[{"b":{"_placeholder":true,"num":9}}]])", "attachments"},
      {"a place in a place", R"(51-["a",{"_placeholder":true,"num":0,"x":{"_placeholder":true,"num":3}}])", "attachments"},
      {"a place told twice", R"(51-["a",{"_placeholder":true,"num":0,"num":1}])", "data"},
      {"a binary event that is no JSON", "51-[\"a\",}{]", "data"},
      {"a binary event too deep", "51-[\"a\",[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", "data"},
      {"a reserved name of a binary event", "51-[\"connect\"]", "data"},
      {"a long namespace", long_name, "namespace"},
      {"a line end in a namespace", "0/a\n,", "namespace"},
      {"a null character in a namespace", std::string_view("0/a\0,", 5), "namespace"},
      {"a long text", long_text, "size"},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(std::string(row.name) + ": " + std::string(row.text.substr(0, 100)));
    SocketDecoder decoder(kLimits);
    EXPECT_EQ(rule_of(decoder.text(row.text)), row.rule);
    EXPECT_FALSE(decoder.is_waiting());
  }
  SocketDecoder decoder(kLimits);
  EXPECT_EQ(rule_of(decoder.text("2" + std::string(100, '9') + "[\"a\"]")), "id");
}

TEST(SocketPacket, WaitsForItsAttachments) {
  SocketDecoder decoder(kLimits);
  {
    std::string gone(kTwoPlaces);  // what was read need not stay
    const auto first = decoder.text(gone);
    ASSERT_TRUE(first.ok());
    EXPECT_EQ(*first, nullptr);
    gone.assign(gone.size(), 'x');
  }
  EXPECT_TRUE(decoder.is_waiting());
  const auto second = decoder.binary(std::string("\0\1", 2));
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(*second, nullptr);
  EXPECT_TRUE(decoder.is_waiting());
  decoder.release();  // takes nothing from a packet that is on its way
  const auto third = decoder.binary("");
  ASSERT_TRUE(third.ok());
  ASSERT_NE(*third, nullptr);
  EXPECT_FALSE(decoder.is_waiting());
  EXPECT_EQ((**third).type, Type::kBinaryEvent);
  EXPECT_EQ((**third).data, kTwoPlaces.substr(3));
  EXPECT_EQ((**third).attachments, (std::vector<std::string>{std::string("\0\1", 2), ""}));

  const auto next = decoder.text("2[\"a\"]");  // and goes on
  ASSERT_TRUE(next.ok());
  ASSERT_NE(*next, nullptr);
  EXPECT_TRUE((**next).attachments.empty());
}

TEST(SocketPacket, BinaryPacketsMayUseTheirPlacesAsTheyLike) {
  // clang-format off
  const struct { const char* name; std::string_view text; std::size_t attachments; } rows[] = {
      {"as the format shows", R"(51-/admin,14["foo",{"_placeholder":true,"num":0}])", 1},
      {"an acknowledgement", R"(61-15["bar",{"_placeholder":true,"num":0}])", 1},
      {"none of them", R"(51-["hello"])", 1},
      {"one twice", R"(52-["a",{"_placeholder":true,"num":1},{"_placeholder":true,"num":1}])", 2},
      {"what only looks like one", R"(51-["a",{"_placeholder":"true","num":7},{"_placeholder":false},{"num":7},{"_placeholder":1}])", 1},
      {"as many as may be", R"(510-["a"])", 10},
      {"leading zeros", R"(501-["a"])", 1},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    SocketDecoder decoder(kLimits);
    auto read = decoder.text(row.text);
    for (std::size_t i = 0; i < row.attachments; ++i) {
      ASSERT_TRUE(read.ok()) << read.error().detail;
      EXPECT_EQ(*read, nullptr);
      read = decoder.binary("x");
    }
    ASSERT_TRUE(read.ok()) << read.error().detail;
    ASSERT_NE(*read, nullptr);
    EXPECT_EQ((**read).attachments.size(), row.attachments);
  }
}

TEST(SocketPacket, WhatComesOutOfTurnIsRefused) {
  SocketDecoder decoder(kLimits);
  EXPECT_EQ(rule_of(decoder.binary("world")), "out of turn");
  ASSERT_TRUE(decoder.text(kTwoPlaces).ok());
  EXPECT_EQ(rule_of(decoder.text("2[\"hello\"]")), "out of turn");
  EXPECT_FALSE(decoder.is_waiting());
  EXPECT_EQ(rule_of(decoder.binary("late")), "out of turn");
}

TEST(SocketPacket, AttachmentsCountAsThePacketsOwnBytes) {
  const SocketLimits limits{.max_bytes = kTwoPlaces.size() + 10};
  const struct {
    std::size_t first;
    std::size_t second;
    std::string_view rule;
  } rows[] = {{5, 5, ""}, {10, 0, ""}, {5, 6, "size"}, {10, 1, "size"}};
  for (const auto& row : rows) {
    SocketDecoder decoder(limits);
    ASSERT_TRUE(decoder.text(kTwoPlaces).ok());
    ASSERT_TRUE(decoder.binary(std::string(row.first, 'a')).ok());
    EXPECT_EQ(rule_of(decoder.binary(std::string(row.second, 'b'))), row.rule);
    EXPECT_FALSE(decoder.is_waiting());
  }
  SocketDecoder decoder(limits);
  ASSERT_TRUE(decoder.text(kTwoPlaces).ok());
  EXPECT_EQ(rule_of(decoder.binary(std::string(11, 'a'))), "size");
}

TEST(SocketPacket, WritesWhatTheFormatShows) {
  // clang-format off
  const struct {
    Type type; std::string_view nsp; std::optional<std::uint64_t> id; std::string_view data;
    std::size_t attachments; std::string_view text;
  } rows[] = {
      {Type::kConnect, "/", {}, R"({"sid":"a"})", 0, R"(0{"sid":"a"})"},
      {Type::kConnect, "/engine", {}, R"({"sid":"a"})", 0, R"(0/engine,{"sid":"a"})"},
      {Type::kDisconnect, "/", {}, "", 0, "1"},
      {Type::kDisconnect, "/engine", {}, "", 0, "1/engine,"},
      {Type::kEvent, "/", {}, R"(["a",1])", 0, R"(2["a",1])"},
      {Type::kEvent, "/engine", 0, R"(["a"])", 0, R"(2/engine,0["a"])"},
      {Type::kAck, "/", kLargest, "[]", 0, "318446744073709551615[]"},
      {Type::kConnectError, "/random", {}, R"({"message":"Invalid namespace"})", 0, R"(4/random,{"message":"Invalid namespace"})"},
      {Type::kBinaryEvent, "/", {}, "[]", 2, "52-[]"},
      {Type::kBinaryAck, "/a", 789, "[]", 1, "61-/a,789[]"},
  };
  // clang-format on
  for (const auto& row : rows) {
    std::string out = "4";
    append_socket_packet(out, row.type, row.nsp, row.id, row.data, row.attachments);
    EXPECT_EQ(out, "4" + std::string(row.text));
  }
}

// Whatever is accepted reads back the same from what the encoder makes of it.
TEST(SocketPacket, RandomTextsNeverDisagreeWithTheEncoder) {
  constexpr std::string_view kPieces[] = {
      "0",       "1",  "2",  "3",     "4", "5",  "6", "12",  "-", "/",   "/a",   ",",
      "[\"a\"]", "[]", "{}", "\"e\"", "?", "[1", "]", ",{}", " ", "1-/", "\"\\", "{\"a\":"};
  std::mt19937 random(20'261'122);
  std::size_t accepted = 0;
  for (int run = 0; run < 50'000; ++run) {
    std::string text;
    for (auto pieces = random() % 6; pieces > 0; --pieces) {
      text += kPieces[random() % std::size(kPieces)];
    }
    SocketDecoder decoder(kLimits);
    const auto read = decoder.text(text);
    if (!read.ok() || *read == nullptr) continue;
    ++accepted;
    const SocketPacket packet = **read;
    std::string again;
    append_socket_packet(again, packet.type, packet.nsp, packet.id, packet.data);
    SocketDecoder other(kLimits);
    const auto same = other.text(again);
    ASSERT_TRUE(same.ok()) << text << " -> " << again;
    ASSERT_NE(*same, nullptr);
    EXPECT_EQ((**same).type, packet.type) << text;
    EXPECT_EQ((**same).nsp, packet.nsp) << text;
    EXPECT_EQ((**same).id, packet.id) << text;
    EXPECT_EQ((**same).data, packet.data) << text;
  }
  EXPECT_GT(accepted, 500u);
}

}  // namespace
}  // namespace signet::wire
