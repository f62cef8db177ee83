// Joining by an invite link, with a broker that a test plays, well or badly.
#include <gtest/gtest.h>

#include <functional>

#include "base/encoding.h"
#include "client/scripted_server_test.h"
#include "dialects/claudemesh_http.h"
#include "membership/fixture_for_test.h"
#include "signet/client.h"
#include "wire/json.h"

namespace signet::client {
namespace {

using std::chrono::milliseconds;
using Connection = ScriptedServer::Connection;

constexpr milliseconds kPatience{5'000};

std::string text_in(const std::string& json, std::string_view name) {
  wire::JsonDocument document;
  if (!document.parse(json).ok()) return "no JSON";
  return std::string(document.root()[name].string().value_or("none"));
}

using Spoil = std::function<void(membership::InviteClaim&)>;

// A link that its owner signed; `spoil` changes it afterwards.
std::string link_to(
    const std::string& broker_url, const Spoil& spoil = [](auto&) {}) {
  membership::InviteClaim claim;
  claim.mesh_id = "mesh-team";
  claim.mesh_slug = "team";
  claim.broker_url = broker_url;
  claim.expires_at = 1'800'000'000;
  claim.root_key = "cm9vdA";
  claim.role = "member";
  const auto owner = membership::key_of("owner");
  claim.owner_key = crypto::to_hex(owner.public_key());
  claim.signature = to_hex(owner.sign(bytes_of(membership::canonical_text(claim))));
  spoil(claim);
  return "ic://join/" + dialects::write_invite_token(claim);
}

TEST(Join, PostsTheLinkAndAFreshKey) {
  std::string request, link, url;
  Result<Membership> joined = Error{ErrorCode::kBug, ""};
  Identity key = Identity::generate();
  const std::string public_key = key.public_key();
  {
    ScriptedServer server([&](Connection& connection) {
      request = connection.read_to("\r\n\r\n");
      request += connection.read_to("\"display_name\":\"me\"}");
      connection.write(
          "HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n"
          R"({"ok":true,"memberId":"mem-1"})");
      (void)connection.read(1);
    });
    url = server.url("/ws");
    link = link_to(url);
    joined = join(link, "me", std::move(key), kPatience);
  }
  ASSERT_TRUE(joined.ok()) << joined.error().detail;
  EXPECT_EQ(joined->broker_url, url);
  EXPECT_EQ(joined->mesh_id, "mesh-team");
  EXPECT_EQ(joined->member_id, "mem-1");
  EXPECT_TRUE(request.starts_with("POST /join HTTP/1.1\r\n")) << request;
  const std::string body = request.substr(request.find("\r\n\r\n") + 4);
  EXPECT_EQ(text_in(body, "invite_token"), dialects::token_of_link(link));
  EXPECT_EQ(text_in(body, "peer_pubkey"), public_key);
  EXPECT_NE(body.find(R"("invite_payload":{"v":1,"mesh_id":"mesh-team")"), std::string::npos);
}

TEST(Join, SaysWhyNot) {
  const auto answering = [](const std::string& status, const std::string& body) {
    return [=](Connection& connection) {
      connection.read_to("\"display_name\":\"me\"}");
      connection.write("HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) +
                       "\r\n\r\n" + body);
    };
  };
  const struct {
    const char* name;
    ScriptedServer::Script script;
    ErrorCode code;
    const char* detail;
  } rows[] = {
      {"refused", answering("400 Bad Request", R"({"ok":false,"error":"invite_expired"})"),
       ErrorCode::kForbidden, "invite_expired"},
      {"too many", answering("429 Too Many Requests", "rate limited"), ErrorCode::kUnavailable,
       "rate_limited: "},
      {"a page", answering("200 OK", "<html>"), ErrorCode::kUnavailable, "no_broker"},
      {"nothing", answering("200 OK", ""), ErrorCode::kUnavailable, "no_broker"},
      {"an empty object", answering("200 OK", "{}"), ErrorCode::kForbidden, ""},
      {"an id that is no text", answering("200 OK", R"({"ok":true,"memberId":5})"),
       ErrorCode::kForbidden, ""},
      {"broken off", [](Connection& c) { c.read_to("}"); }, ErrorCode::kUnavailable, ""},
  };
  for (const auto& row : rows) {
    ScriptedServer server(row.script);
    const auto identity = join(link_to(server.url("/ws")), "me", Identity::generate(), kPatience);
    ASSERT_FALSE(identity.ok()) << row.name;
    EXPECT_EQ(identity.error().code, row.code) << row.name << ": " << identity.error().detail;
    EXPECT_NE(identity.error().detail.find(row.detail), std::string::npos) << row.name;
  }
}

TEST(Join, ALinkThatIsNoneAsksNobody) {
  for (const std::string& link :
       {std::string(), std::string("ic://join/"), std::string("ic://join/%%%"),
        std::string("ic://join/e30"), std::string("http://example.test/"),
        link_to("ws://127.0.0.1:1/ws HTTP/1.1\r\nX: y"), link_to("nowhere"),
        link_to("ws://user@127.0.0.1:1/ws")}) {
    const auto identity = join(link, "me", Identity::generate(), kPatience);
    ASSERT_FALSE(identity.ok()) << link;
    EXPECT_EQ(identity.error().code, ErrorCode::kMalformed) << link;
  }
}

TEST(Join, AChangedLinkAsksNobody) {
  const struct {
    const char* name;
    Spoil spoil;
  } rows[] = {
      {"another broker", [](auto& claim) { claim.broker_url = "ws://127.0.0.1:9/ws"; }},
      {"another mesh", [](auto& claim) { claim.mesh_id = "mesh-other"; }},
      {"another role", [](auto& claim) { claim.role = "admin"; }},
      {"a longer life", [](auto& claim) { claim.expires_at += 1; }},
      {"another owner",
       [](auto& claim) { claim.owner_key[0] = claim.owner_key[0] == 'a' ? 'b' : 'a'; }},
      {"another signature",
       [](auto& claim) { claim.signature[9] = claim.signature[9] == 'a' ? 'b' : 'a'; }},
      {"no signature", [](auto& claim) { claim.signature = std::string(128, '0'); }},
  };
  for (const auto& row : rows) {
    const auto joined =
        join(link_to("ws://127.0.0.1:1/ws", row.spoil), "me", Identity::generate(), kPatience);
    ASSERT_FALSE(joined.ok()) << row.name;
    EXPECT_EQ(code_of(joined.error()), "invite_bad_signature") << row.name;
  }
}

}  // namespace
}  // namespace signet::client
