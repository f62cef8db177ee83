// Joining and hooks over HTTP: what peers and programs on this machine may ask.
#include <algorithm>
#include <map>

#include "admin/story_for_test.h"
#include "base/captured_log_for_test.h"
#include "dialects/claudemesh_http.h"

namespace signet::admin {
namespace {

using namespace std::chrono_literals;
using membership::InviteClaim;

constexpr std::int64_t kFuture = 1'800'000'000;
constexpr std::int64_t kPast = 1'600'000'000;

std::string refused(const std::string& code) { return R"({"ok":false,"error":")" + code + "\"}"; }

class JoinTest : public AdminStory {
 protected:
  JoinTest() {
    auto orphan = membership::mesh_named(3, "orphan");
    orphan.owner.reset();
    auto open = membership::mesh_named(4, "open");
    open.legacy_join = true;
    auto eve = membership::member_named(9, 1, "eve");
    eve.standing = membership::Standing::kRevoked;
    store_.at_start.insert(store_.at_start.end(),
                           {membership::MeshAdded{orphan}, membership::MeshAdded{open},
                            membership::MemberAdded{eve, {}}});
  }

  // A link's token. `note` tells links of one kind apart.
  static std::string token(const std::string& slug, const std::string& signer, std::int64_t expires,
                           const std::string& note, bool forged = false) {
    InviteClaim claim;
    claim.mesh_id = "mesh-" + slug;
    claim.mesh_slug = slug;
    claim.broker_url = "ws://127.0.0.1:1/" + note;
    claim.expires_at = expires;
    claim.root_key = "cm9vdA";
    claim.role = "member";
    const auto key = membership::key_of(signer);
    claim.owner_key = crypto::to_hex(key.public_key());
    claim.signature = to_hex(key.sign(bytes_of(membership::canonical_text(claim))));
    if (forged) claim.role = "admin";
    return dialects::write_invite_token(claim);
  }
  struct Registered {
    std::int64_t mesh = 1;
    std::int64_t expires = kFuture;
    bool revoked = false;
    bool used_up = false;
  };
  std::string registered(const std::string& token, const Registered& as) {
    membership::Invite invite;
    invite.digest = membership::invite_digest(token);
    invite.mesh = {as.mesh};
    invite.max_uses = 1;
    invite.uses = as.used_up ? 1 : 0;
    invite.expires = {as.expires * 1000};
    invite.revoked = as.revoked;
    store_.at_start.emplace_back(membership::InviteAdded{invite});
    return token;
  }
  static std::string body(const std::string& token, const std::string& pubkey,
                          const std::string& name = "a name") {
    wire::JsonWriter json;
    json.object().key("invite_token").value(token).key("peer_pubkey").value(pubkey);
    return json.key("display_name").value(name).end().take();
  }
};

// Each row has its own fault and all that come after it in the order of the page.
TEST_F(JoinTest, ErrorsComeInTheOrderOfThePage) {
  const std::string team = "owner of team";
  const struct {
    const char* name;
    std::string token;
    std::string pubkey;
    const char* answer;  // empty: joined
  } rows[] = {
      {"no token", "", "no key", "bad_request"},
      {"no key", token("nowhere", "stranger", kPast, "a", true), "no key", "bad_key"},
      {"forged", token("nowhere", "stranger", kPast, "b", true), key_text("eve"),
       "invite_bad_signature"},
      {"no such mesh", token("nowhere", "stranger", kPast, "c"), key_text("eve"), "mesh_not_found"},
      {"a mesh without owner", token("orphan", "stranger", kPast, "d"), key_text("eve"),
       "mesh_missing_owner_key"},
      {"not the owner's", token("team", "stranger", kPast, "e"), key_text("eve"),
       "invite_owner_mismatch"},
      {"never registered", token("team", team, kPast, "f"), key_text("eve"), "invite_not_found"},
      {"registered for another mesh",
       registered(token("team", team, kPast, "g"), {2, kPast, true, true}), key_text("eve"),
       "invite_mesh_mismatch"},
      {"taken back", registered(token("team", team, kPast, "h"), {1, kPast, true, true}),
       key_text("eve"), "invite_revoked"},
      {"too old by its claim",
       registered(token("team", team, kPast, "i"), {1, kFuture, false, true}), key_text("eve"),
       "invite_expired"},
      {"too old by its record",
       registered(token("team", team, kFuture, "j"), {1, kPast, false, true}), key_text("eve"),
       "invite_expired"},
      {"a revoked member", registered(token("team", team, kFuture, "k"), {1, kFuture, false, true}),
       key_text("eve"), "member_revoked"},
      {"used up", registered(token("team", team, kFuture, "l"), {1, kFuture, false, true}),
       key_text("zoe"), "invite_exhausted"},
      {"good", registered(token("team", team, kFuture, "m"), {}), key_text("zoe"), ""},
  };
  start_admin();
  std::map<std::string, int> counted;
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto response = answer("POST", "/join", body(row.token, row.pubkey));
    EXPECT_EQ(header(response, "Access-Control-Allow-Origin"), "*");
    if (*row.answer != '\0') {
      EXPECT_EQ(response.status, 400);
      EXPECT_EQ(response.body, refused(row.answer));
      EXPECT_EQ(metric("signet_join_refused_total{reason=\"" + std::string(row.answer) + "\"}"),
                ++counted[row.answer]);
    } else {
      EXPECT_EQ(response.status, 200);
      EXPECT_TRUE(response.body.starts_with(R"({"ok":true,"memberId":"member-)"));
    }
  }
  EXPECT_EQ(metric("signet_joined_total"), 1);
}

TEST_F(JoinTest, AMemberThatComesAgainBurnsNoUse) {
  const std::string used_up =
      registered(token("team", "owner of team", kFuture, "x"), {1, kFuture, false, true});
  start_admin();
  const auto response = answer("POST", "/join", body(used_up, key_text("ann")));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, R"({"ok":true,"memberId":"member-ann","alreadyMember":true})");
  EXPECT_EQ(metric("signet_joined_total"), 0);
  EXPECT_TRUE(store_.committed.empty());
}

TEST_F(JoinTest, AStoreThatCannotRecordIsUnavailable) {
  const std::string good = registered(token("team", "owner of team", kFuture, "x"), {});
  start_admin();
  store_.commit_answers = {Error{ErrorCode::kUnavailable, "scripted"}};
  const auto response = answer("POST", "/join", body(good, key_text("zoe")));
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body, refused("unavailable"));
  EXPECT_EQ(answer("POST", "/join", body(good, key_text("zoe"))).status, 200) << "try again";
}

TEST_F(JoinTest, BodiesOfAnotherFormAreRefused) {
  const std::string good = registered(token("team", "owner of team", kFuture, "x"), {});
  const std::string key = key_text("zoe");
  const std::string bodies[] = {
      "",
      "{",
      "[]",
      "5",
      "null",
      "{}",
      "\xff\xfe",
      R"({"invite_token":")" + good + "\"}",
      R"({"peer_pubkey":5,"invite_token":")" + good + "\"}",
      R"({"peer_pubkey":")" + key + R"(","invite_token":7})",
      R"({"peer_pubkey":")" + key + R"(","invite_token":"%%%"})",
      R"({"peer_pubkey":")" + key + R"(","invite_token":"e30"})",  // {}
      body(std::string(5'000, 'a'), key),
      body(good, key, std::string(129, 'n')),
      body(good, key) + body(good, key),
      R"({"peer_pubkey":")" + key + R"(","peer_pubkey":")" + key + R"(","invite_token":")" + good +
          "\"}",
      std::string(2'000, '['),
  };
  start_admin();
  int refusals = 0;
  for (const std::string& text : bodies) {
    const auto response = answer("POST", "/join", text);
    EXPECT_EQ(response.status, 400) << text;
    EXPECT_EQ(response.body, refused("bad_request")) << text;
    EXPECT_EQ(metric(R"(signet_join_refused_total{reason="bad_request"})"), ++refusals);
  }
  EXPECT_TRUE(store_.committed.empty());
}

TEST_F(JoinTest, KeysThatProveNothingAreRefused) {
  const std::string sample = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
  const std::string good = registered(token("team", "owner of team", kFuture, "x"), {});
  const struct {
    const char* name;
    std::string pubkey;
    bool allow_samples;
    int status;
  } rows[] = {
      {"empty", "", false, 400},
      {"no hex", std::string(64, 'g'), false, 400},
      {"short", key_text("zoe").substr(1), false, 400},
      {"long", key_text("zoe") + "0", false, 400},
      {"of small order", std::string(64, '0'), false, 400},
      {"the neutral point", "01" + std::string(62, '0'), false, 400},
      {"off the curve", std::string(64, 'f'), false, 400},
      {"a published sample", sample, false, 400},
      {"which a dev broker takes", sample, true, 200},
  };
  start_admin();
  for (const auto& row : rows) {
    admin_options_.allow_sample_keys = row.allow_samples;
    const auto response = answer("POST", "/join", body(good, row.pubkey));
    EXPECT_EQ(response.status, row.status) << row.name;
    if (row.status == 400) {
      EXPECT_EQ(response.body, refused("bad_key")) << row.name;
    }
  }
}

TEST_F(JoinTest, TheOldBodyWorksWhereItIsAllowed) {
  start_admin();
  const auto old_body = [](const std::string& mesh, const std::string& name) {
    return R"({"mesh_id":")" + mesh + R"(","peer_pubkey":")" + key_text(name) +
           R"(","display_name":"x","role":"admin"})";
  };
  EXPECT_EQ(answer("POST", "/join", old_body("mesh-team", "zoe")).body, refused("legacy_join_off"));
  EXPECT_EQ(answer("POST", "/join", old_body("mesh-none", "zoe")).body, refused("mesh_not_found"));
  EXPECT_EQ(answer("POST", "/join", old_body("mesh-open", "zoe")).status, 200);
  const auto* zoe =
      controller_->table().mesh("mesh-open")->member(membership::key_of("zoe").public_key());
  ASSERT_NE(zoe, nullptr);
  EXPECT_EQ(zoe->role, membership::Role::kMember) << "not the admin it asked to be";
}

TEST_F(JoinTest, AFloodOfRefusedJoinsIsOneLineASecond) {
  start_admin();
  CapturedLog captured;
  set_log_level(LogLevel::kInfo);
  for (int i = 0; i < 50; ++i) (void)answer("POST", "/join", "{");
  const std::string first = captured.take();
  EXPECT_EQ(std::count(first.begin(), first.end(), '\n'), 1) << first;
  advance(1s);
  (void)answer("POST", "/join", "{");
  EXPECT_NE(captured.take().find(R"("reason":"bad_request","repeated":49)"), std::string::npos);
  EXPECT_EQ(metric(R"(signet_join_refused_total{reason="bad_request"})"), 51);
}

class HookTest : public AdminStory {
 protected:
  static broker::HttpCall hook(const std::string& status, std::int64_t pid = 42,
                               const std::string& cwd = "/work") {
    return call_of("POST", "/hook/set-status",
                   R"({"cwd":")" + cwd + R"(","pid":)" + std::to_string(pid) + R"(,"status":")" +
                       status + "\"}");
  }
  std::string status_of(broker::FakeConnection& asker, const std::string& name) {
    say(asker, R"({"type":"list_peers"})");
    settle();
    for (const std::string& text : asker.take_texts()) {
      wire::JsonDocument document;
      if (!document.parse(text).ok()) continue;
      const wire::JsonValue peers = document.root()["peers"];
      for (std::size_t i = 0; i < peers.size(); ++i) {
        if (peers[i]["displayName"].string() == name) {
          return std::string(peers[i]["status"].string().value_or("none"));
        }
      }
    }
    return "nobody";
  }
};

TEST_F(HookTest, ComesFromThisMachineAndNotFromAPage) {
  admin_options_.hosts = {"box.example"};
  const struct {
    const char* name;
    const char* peer;
    const char* host;
    std::optional<std::string> origin;
    int status;
  } rows[] = {
      {"loopback", "127.0.0.1:9", "127.0.0.1:7900", {}, 200},
      {"another loopback address", "127.8.9.10:9", "127.0.0.1", {}, 200},
      {"IPv6", "[::1]:9", "[::1]:7900", {}, 200},
      {"IPv6 without port", "[::1]:9", "[::1]", {}, 200},
      {"by name", "127.0.0.1:9", "localhost:7900", {}, 200},
      {"by a configured name", "127.0.0.1:9", "box.example:7900", {}, 200},
      {"from the network", "192.0.2.7:9", "127.0.0.1:7900", {}, 403},
      {"from the network by IPv6", "[2001:db8::1]:9", "[::1]:7900", {}, 403},
      {"from a page", "127.0.0.1:9", "127.0.0.1:7900", "http://evil.example", 403},
      {"from a page of this machine", "127.0.0.1:9", "127.0.0.1:7900", "http://127.0.0.1:7900",
       403},
      {"from a page without origin", "127.0.0.1:9", "127.0.0.1:7900", "null", 403},
      {"with an empty origin", "127.0.0.1:9", "127.0.0.1:7900", "", 403},
      {"by a rebound name", "127.0.0.1:9", "evil.example:7900", {}, 403},
      {"by a name that begins well", "127.0.0.1:9", "127.0.0.1.evil.example", {}, 403},
      {"by a name that ends well", "127.0.0.1:9", "evil.box.example", {}, 403},
      {"without a host", "127.0.0.1:9", "", {}, 403},
      {"with a port alone", "127.0.0.1:9", ":7900", {}, 403},
  };
  start_admin();
  std::int64_t pid = 0;
  for (const auto& row : rows) {
    broker::HttpCall call = hook("idle", ++pid);
    call.peer = *net::parse_address(row.peer);
    call.host = row.host;
    call.origin = row.origin;
    const auto response = answer(std::move(call));
    EXPECT_EQ(response.status, row.status) << row.name;
    if (row.status == 403) {
      EXPECT_EQ(response.body, "hooks are local only") << row.name;
    }
  }
  EXPECT_EQ(metric("broker_hook_requests_total"), static_cast<std::int64_t>(std::size(rows)));
}

// A proxy on this machine has an address of it, whomever it forwards.
TEST_F(HookTest, TakesNothingThatWasForwarded) {
  start_admin();
  broker::HttpCall call = hook("idle");
  call.forwarded = true;
  EXPECT_EQ(answer(call).status, 403);
  call.forwarded = false;
  EXPECT_EQ(answer(call).status, 200);
}

TEST_F(HookTest, FindsItsProcessOnAnyShard) {
  start_admin();
  broker::FakeConnection& ann = peer("ann", 0, {.pid = 1, .cwd = "/ann"});
  peer("bob", 0, {.pid = 42, .cwd = "/work"});
  peer("cid", 1, {.pid = 43, .cwd = "/work"});
  for (const auto& [name, pid] : {std::pair("bob", 42), std::pair("cid", 43)}) {
    const auto response = answer(hook("working", pid));
    EXPECT_EQ(response.status, 200);
    EXPECT_TRUE(response.body.starts_with(R"({"ok":true,"presence_id":")")) << response.body;
    EXPECT_EQ(status_of(ann, name), "working");
  }
  EXPECT_EQ(status_of(ann, "ann"), "idle");
}

TEST_F(HookTest, WaitsForAProcessThatIsNotThereYet) {
  start_admin();
  EXPECT_EQ(answer(hook("working")).body, R"({"ok":true,"pending":true})");
  broker::FakeConnection& ann = peer("ann");
  peer("bob", 1, {.pid = 42, .cwd = "/work"});
  EXPECT_EQ(status_of(ann, "bob"), "working");
}

TEST_F(HookTest, BodiesOfAnotherFormAreToldSo) {
  start_admin();
  for (const char* body : {"", "{", "[]", "{}", R"({"cwd":"/a"})", R"({"status":"idle"})",
                           R"({"cwd":"","status":"idle"})", R"({"cwd":"/a","status":"asleep"})",
                           R"({"cwd":5,"status":"idle"})", R"({"cwd":"/a","status":1})"}) {
    const auto response = answer("POST", "/hook/set-status", body);
    EXPECT_EQ(response.status, 200) << body;
    EXPECT_EQ(response.body, R"({"ok":false,"error":"cwd and status required"})") << body;
  }
}

TEST_F(HookTest, ALargeBodyIsNotRead) {
  admin_options_.max_hook_body = 100;
  start_admin();
  const std::string start = R"({"cwd":"/a","status":"idle","x":")";
  const std::string fits = start + std::string(100 - start.size() - 2, 'x') + "\"}";
  const std::string over = start + std::string(101 - start.size() - 2, 'x') + "\"}";
  EXPECT_EQ(answer("POST", "/hook/set-status", fits).status, 200);
  const auto response = answer("POST", "/hook/set-status", over);
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(response.body, "payload too large");
}

TEST_F(HookTest, EachProcessHasItsRate) {
  admin_options_.hooks_per_second = 0.5;
  admin_options_.hooks_burst = 2;
  start_admin();
  const struct {
    const char* name;
    std::chrono::milliseconds later;
    std::int64_t pid;
    const char* cwd;
    int status;
  } story[] = {
      {"the first", 0s, 1, "/a", 200},
      {"the second", 0s, 1, "/a", 200},
      {"one too many", 0s, 1, "/a", 429},
      {"another process", 0s, 2, "/a", 200},
      {"another folder", 0s, 1, "/b", 200},
      {"not yet", 1'999ms, 1, "/a", 429},
      {"one more after two seconds", 1ms, 1, "/a", 200},
      {"and no more", 0s, 1, "/a", 429},
  };
  std::int64_t limited = 0;
  for (const auto& step : story) {
    advance(step.later);
    const auto response = answer(hook("idle", step.pid, step.cwd));
    EXPECT_EQ(response.status, step.status) << step.name;
    if (step.status == 429) {
      ++limited;
      EXPECT_EQ(response.body, "rate limited");
    }
    EXPECT_EQ(metric("broker_hook_requests_rate_limited_total"), limited);
  }
}

}  // namespace
}  // namespace signet::admin
