#include "dialects/claudemesh_http.h"

#include <gtest/gtest.h>

#include <iostream>

#include "dialects/claudemesh.h"
#include "dialects/vectors_for_test.h"
#include "membership/fixture_for_test.h"

namespace signet::dialects {
namespace {

using membership::InviteClaim;
using wire::JsonValue;

void expect_claim(const InviteClaim& claim, JsonValue expected) {
  EXPECT_EQ(claim.version, expected["v"].integer());
  EXPECT_EQ(claim.mesh_id, text_in(expected, "mesh_id"));
  EXPECT_EQ(claim.mesh_slug, text_in(expected, "mesh_slug"));
  EXPECT_EQ(claim.broker_url, text_in(expected, "broker_url"));
  EXPECT_EQ(claim.expires_at, expected["expires_at"].integer());
  EXPECT_EQ(claim.root_key, text_in(expected, "mesh_root_key"));
  EXPECT_EQ(claim.role, text_in(expected, "role"));
  EXPECT_EQ(claim.owner_key, text_in(expected, "owner_pubkey"));
  EXPECT_EQ(claim.signature, text_in(expected, "signature"));
}

// A mesh whose owner is the key that the claim names.
membership::Mesh mesh_of(const InviteClaim& claim) {
  membership::Mesh mesh = membership::mesh_named(1, "team");
  mesh.id = claim.mesh_id;
  mesh.owner = crypto::public_key_from_hex(claim.owner_key);
  return mesh;
}

TEST(InviteLink, IsReadAsTheVectorsSay) {
  each_vector("claudemesh.json", "invites", 35, [](JsonValue vector) {
    const std::string link = text_in(vector, "link");
    const std::string_view token = token_of_link(link);
    EXPECT_EQ(token, text_in(vector, "token"));
    const auto claim = read_invite_token(token);
    if (!claim.ok()) {
      EXPECT_EQ(claim.error().code, ErrorCode::kMalformed);
      EXPECT_EQ("bad_request", text_in(vector, "answer")) << claim.error().detail;
      return;
    }
    expect_claim(*claim, vector["claim"]);
    const bool is_signed = membership::signed_by_owner(*claim, mesh_of(*claim));
    EXPECT_EQ(is_signed ? "signed" : "invite_bad_signature", text_in(vector, "answer"));
    EXPECT_EQ(write_invite_token(*claim), token);
    if (is_signed) {
      EXPECT_EQ(membership::canonical_text(*claim), text_in(vector, "signed_text"));
    }
  });
}

TEST(InviteLink, HoldsATokenOfAtMostItsBound) {
  InviteClaim claim;
  claim.expires_at = 1;
  claim.mesh_slug.assign(kMaxTokenBytes / 2, 's');
  while (write_invite_token(claim).size() < kMaxTokenBytes) claim.mesh_slug += "s";
  const std::string longest = write_invite_token(claim);
  ASSERT_EQ(longest.size(), kMaxTokenBytes);
  const auto read = read_invite_token(longest);
  ASSERT_TRUE(read.ok()) << read.error().detail;
  EXPECT_EQ(read->mesh_slug, claim.mesh_slug);
  claim.mesh_slug += "s";
  EXPECT_FALSE(read_invite_token(write_invite_token(claim)).ok());
}

TEST(InviteLink, TokenIsWhatFollowsTheFirstJoin) {
  // clang-format off
  const struct { const char* link; std::string_view token; } rows[] = {
      {"ic://join/abc", "abc"}, {"https://h.example/join/abc", "abc"}, {"abc", "abc"}, {"", ""},
      {"ic://join/", ""}, {"/join/a/join/b", "a/join/b"}, {"ic://JOIN/abc", "ic://JOIN/abc"},
      {"join/abc", "join/abc"},
  };
  // clang-format on
  for (const auto& row : rows) EXPECT_EQ(token_of_link(row.link), row.token) << row.link;
}

std::string kind_of(const Result<JoinBody>& body) {
  if (!body.ok()) return "bad_request";
  return std::holds_alternative<JoinByInvite>(*body) ? "invite" : "no_invite";
}

TEST(JoinRequestBody, IsReadAsTheVectorsSay) {
  each_vector("claudemesh.json", "joins", 25, [](JsonValue vector) {
    const auto body = read_join(filled(text_in(vector, "body"), vector));
    ASSERT_EQ(kind_of(body), text_in(vector, "answer")) << (body.ok() ? "" : body.error().detail);
    if (!body.ok()) {
      EXPECT_EQ(body.error().code, ErrorCode::kMalformed);
      return;
    }
    const JsonValue fields = vector["fields"];
    const std::string name = filled(text_in(fields, "display_name"), vector);
    if (const auto* invited = std::get_if<JoinByInvite>(&*body)) {
      EXPECT_EQ(invited->token, text_in(fields, "token"));
      EXPECT_EQ(invited->claim.mesh_id, text_in(fields, "mesh_id"));
      EXPECT_EQ(invited->pubkey, text_in(fields, "pubkey"));
      EXPECT_EQ(invited->display_name, name);
      return;
    }
    const auto& open = std::get<JoinWithoutInvite>(*body);
    EXPECT_EQ(open.mesh_id, text_in(fields, "mesh_id"));
    EXPECT_EQ(open.pubkey, text_in(fields, "pubkey"));
    EXPECT_EQ(open.display_name, name);
  });
}

TEST(HookBody, IsReadAsTheVectorsSay) {
  each_vector("claudemesh.json", "hooks", 20, [](JsonValue vector) {
    const auto hook = read_hook_status(filled(text_in(vector, "body"), vector));
    ASSERT_EQ(hook.ok() ? "status" : "refused", text_in(vector, "answer"));
    if (!hook.ok()) {
      EXPECT_EQ(hook.error().code, ErrorCode::kMalformed);
      return;
    }
    const JsonValue fields = vector["fields"];
    EXPECT_EQ(hook->cwd, filled(text_in(fields, "cwd"), vector));
    EXPECT_EQ(hook->pid, fields["pid"].integer());
    EXPECT_EQ(name_of(hook->status), text_in(fields, "status"));
  });
}

// The longest `cwd` of a hook is the longest that a hello can say: a longer one finds nobody.
TEST(HookBody, MatchesWhatAHelloCanSay) {
  for (const std::size_t length : {kMaxHintBytes, kMaxHintBytes + 1}) {
    const std::string cwd(length, '/');
    Claudemesh dialect;
    const Verb hello = dialect.read(R"({"type":"hello","cwd":")" + cwd + "\"}", Stage::kAdmitted);
    const bool kept = std::get<Hello>(hello).hints.cwd == cwd;
    const bool accepted = read_hook_status(R"({"status":"idle","cwd":")" + cwd + "\"}").ok();
    EXPECT_EQ(kept, length == kMaxHintBytes);
    EXPECT_EQ(accepted, kept);
  }
}

TEST(HttpBodies, NoiseIsRefusedByEveryReader) {
  // clang-format off
  const struct { const char* name; std::string body; } rows[] = {
      {"nothing", ""}, {"no JSON", "cwd=/p&status=idle"}, {"a text", "\"x\""}, {"null", "null"},
      {"a list", "[{}]"}, {"an empty object", "{}"}, {"a byte order mark", "\xef\xbb\xbf{}"},
      {"no UTF-8", "{\"cwd\":\"\xff\"}"}, {"a lone surrogate", R"({"cwd":"\udc00"})"},
      {"64 KiB of brackets", std::string(65'536, '[')},
      {"64 KiB of text", "{\"x\":\"" + std::string(65'536, 'x') + "\"}"},
      {"33 levels", "{\"x\":" + std::string(32, '[') + std::string(32, ']') + "}"},
      {"a NUL", std::string(1, '\0')},
  };
  // clang-format on
  for (const auto& row : rows) {
    EXPECT_FALSE(read_join(row.body).ok()) << row.name;
    EXPECT_FALSE(read_hook_status(row.body).ok()) << row.name;
    EXPECT_FALSE(read_invite_token(to_base64url(bytes_of(row.body))).ok()) << row.name;
    EXPECT_FALSE(read_invite_token(row.body).ok()) << row.name;
  }
  std::cout << "noise: " << std::size(rows) << " bodies, 4 readers\n";
}

}  // namespace
}  // namespace signet::dialects
