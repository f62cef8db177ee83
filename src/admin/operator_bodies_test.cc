#include "admin/operator_bodies.h"

#include <gtest/gtest.h>

#include "dialects/claudemesh_http.h"

namespace signet::admin {
namespace {

using membership::Role;
using membership::Standing;

std::string token() {
  membership::InviteClaim claim;
  claim.mesh_id = "mesh-1";
  return dialects::write_invite_token(claim);
}

std::string invite(const std::string& link, const std::string& rest = "") {
  return R"({"invite_token":")" + link + "\"" + rest + "}";
}

template <class T>
std::string rule_of(const Result<T>& read) {
  return read.ok() ? "" : read.error().detail;
}

TEST(OperatorBodies, StandingIsOneOfFour) {
  // clang-format off
  const struct { const char* body; const char* rule; Standing standing; } rows[] = {
      {R"({"standing":"probation"})", "", Standing::kProbation},
      {R"({"standing":"admitted"})", "", Standing::kAdmitted},
      {R"({"standing":"quarantined"})", "", Standing::kQuarantined},
      {R"({"standing":"revoked","because":"lost"})", "", Standing::kRevoked},
      {R"({"standing":"unknown"})", "standing", {}}, {R"({"standing":"REVOKED"})", "standing", {}},
      {R"({"standing":null})", "standing", {}}, {R"({"standing":4})", "standing", {}},
      {R"({"standing":["revoked"]})", "standing", {}}, {"{}", "standing", {}},
      {"[]", "no object", {}}, {R"("revoked")", "no object", {}},
      {R"({"standing":"admitted","standing":"revoked"})", "duplicate key", {}},
  };
  // clang-format on
  for (const auto& row : rows) {
    const auto read = read_standing(row.body);
    EXPECT_EQ(rule_of(read), row.rule) << row.body;
    if (!read.ok()) continue;
    EXPECT_EQ(*read, row.standing) << row.body;
    EXPECT_EQ(R"({"standing":")" + std::string(name_of(*read)),
              std::string(row.body).substr(0, 13 + name_of(*read).size()));
  }
}

// Tags of another form must not be read as none: that would take a member's tags away.
TEST(OperatorBodies, RoleNamesItsTagsOrNone) {
  const auto tags = [](std::size_t count) {
    std::string list = R"({"role":"member","tags":[)";
    for (std::size_t i = 0; i < count; ++i) list += (i == 0 ? "\"t\"" : ",\"t\"");
    return list + "]}";
  };
  // clang-format off
  const struct { const char* name; std::string body; const char* rule; std::size_t tags; } rows[] = {
      {"two tags", R"({"role":"admin","tags":["ops","on-call"]})", "", 2},
      {"no tags", R"({"role":"member","tags":[]})", "", 0},
      {"tags missing", R"({"role":"member"})", "", 0},
      {"tags null", R"({"role":"member","tags":null})", "", 0},
      {"the most tags", tags(kMaxTags), "", kMaxTags},
      {"one more", tags(kMaxTags + 1), "tags", 0},
      {"tags as a text", R"({"role":"member","tags":"ops"})", "tags", 0},
      {"tags as an object", R"({"role":"member","tags":{"a":"ops"}})", "tags", 0},
      {"a tag that is a number", R"({"role":"member","tags":["a",1]})", "tags", 0},
      {"an empty tag", R"({"role":"member","tags":[""]})", "tags", 0},
      {"the longest tag", R"({"role":"member","tags":[")" + std::string(64, 't') + "\"]}", "", 1},
      {"a longer one", R"({"role":"member","tags":[")" + std::string(65, 't') + "\"]}", "tags", 0},
      {"no role", R"({"tags":[]})", "role", 0}, {"role owner", R"({"role":"owner"})", "role", 0},
      {"role 1", R"({"role":1})", "role", 0}, {"no object", "null", "no object", 0},
  };
  // clang-format on
  for (const auto& row : rows) {
    const auto read = read_role(row.body);
    EXPECT_EQ(rule_of(read), row.rule) << row.name;
    if (!read.ok()) continue;
    EXPECT_EQ(read->tags.size(), row.tags) << row.name;
  }
  EXPECT_EQ(read_role(R"({"role":"admin"})")->role, Role::kAdmin);
  EXPECT_EQ(read_role(R"({"role":"member"})")->role, Role::kMember);
}

TEST(OperatorBodies, InviteSaysHowOftenOrOnce) {
  const std::string good = token();
  // clang-format off
  const struct { const char* name; std::string body; const char* rule; std::int64_t uses; } rows[] = {
      {"once", invite(good), "", 1}, {"null uses", invite(good, R"(,"max_uses":null)"), "", 1},
      {"seven", invite(good, R"(,"max_uses":7)"), "", 7},
      {"the link", invite("ic://join/" + good, R"(,"max_uses":2)"), "", 2},
      {"the most", invite(good, R"(,"max_uses":1000000)"), "", 1'000'000},
      {"one more", invite(good, R"(,"max_uses":1000001)"), "max_uses", 0},
      {"zero", invite(good, R"(,"max_uses":0)"), "max_uses", 0},
      {"2^63", invite(good, R"(,"max_uses":9223372036854775808)"), "max_uses", 0},
      {"a text", invite(good, R"(,"max_uses":"100")"), "max_uses", 0},
      {"a fraction", invite(good, R"(,"max_uses":1.5)"), "max_uses", 0},
      {"a list", invite(good, R"(,"max_uses":[1])"), "max_uses", 0},
      {"no token", R"({"max_uses":1})", "invite_token", 0},
      {"a token that is a number", R"({"invite_token":5})", "invite_token", 0},
      {"an empty link", invite("ic://join/"), "invite_token", 0},
      {"a token too long", invite(std::string(4'097, 'a')), "invite_token", 0},
      {"a token of no invite", invite("abcd"), "utf-8", 0},
      {"a list", "[]", "no object", 0},
  };
  // clang-format on
  for (const auto& row : rows) {
    const auto read = read_invite(row.body);
    EXPECT_EQ(rule_of(read), row.rule) << row.name;
    if (!read.ok()) continue;
    EXPECT_EQ(read->max_uses, row.uses) << row.name;
    EXPECT_EQ(read->token, good) << row.name;
    EXPECT_EQ(read->claim.mesh_id, "mesh-1") << row.name;
  }
}

// What is taken back need not be readable: only what was registered is found.
TEST(OperatorBodies, RevocationNamesAToken) {
  EXPECT_EQ(*read_revocation(invite("ic://join/unknown")), membership::invite_digest("unknown"));
  EXPECT_EQ(*read_revocation(invite(std::string(4'096, 'a'))),
            membership::invite_digest(std::string(4'096, 'a')));
  const auto digest = membership::invite_digest("unknown");
  EXPECT_EQ(*read_revocation(R"({"digest":")" + to_hex(digest) + "\"}"), digest);
  const std::string hex = to_hex(digest);
  for (const std::string& body :
       {invite(std::string(4'097, 'a')), invite(""), std::string("{}"), std::string("[]"),
        std::string(R"({"invite_token":null})"), std::string(R"({"digest":null})"),
        R"({"digest":")" + hex + "0\"}", R"({"digest":")" + hex.substr(2) + "\"}",
        invite("unknown", R"(,"digest":")" + hex + "\""), invite("unknown", R"(,"x":1)")}) {
    EXPECT_FALSE(read_revocation(body).ok()) << body.substr(0, 80);
  }
}

TEST(OperatorBodies, HeldDenialsAreNamedByTheirDigest) {
  const std::string hex = to_hex(membership::invite_digest("any"));
  const auto body = [](const std::string& value, const std::string& rest = {}) {
    return R"({"held_digest":)" + value + rest + "}";
  };
  EXPECT_EQ(*read_held_denials(body('"' + hex + '"')), hex);
  for (const std::string& bad :
       {std::string("{}"), std::string("[]"), body("null"), body("7"), body('"' + hex + "0\""),
        body('"' + hex.substr(2) + '"'), body('"' + hex + '"', R"(,"nodes":[])")}) {
    EXPECT_FALSE(read_held_denials(bad).ok()) << bad;
  }
}

TEST(OperatorBodies, AMeshHasASlugAnOwnerAndMaybeAnId) {
  const std::string owner = crypto::to_hex(crypto::SecretKey::generate().public_key());
  const auto body = [&](const std::string& slug, const std::string& key,
                        const std::string& rest = {}) {
    return R"({"slug":")" + slug + R"(","owner_pubkey":")" + key + "\"" + rest + "}";
  };
  // clang-format off
  const struct { const char* name; std::string body; const char* rule; const char* id; } rows[] = {
      {"without an id", body("team-1", owner), "", ""},
      {"a null id", body("t", owner, R"(,"id":null)"), "", ""},
      {"with an id", body("t", owner, R"(,"id":"Mesh_1.a-b")"), "", "Mesh_1.a-b"},
      {"the longest slug", body(std::string(63, 'a'), owner), "", ""},
      {"a longer one", body(std::string(64, 'a'), owner), "slug", ""},
      {"no slug", R"({"owner_pubkey":")" + owner + "\"}", "slug", ""},
      {"an empty slug", body("", owner), "slug", ""}, {"a capital", body("Team", owner), "slug", ""},
      {"a dash first", body("-a", owner), "slug", ""}, {"a slash", body("a/b", owner), "slug", ""},
      {"no owner", R"({"slug":"t"})", "owner_pubkey", ""},
      {"half an owner", body("t", owner.substr(32)), "owner_pubkey", ""},
      {"an owner of small order", body("t", "01" + std::string(62, '0')), "owner_pubkey", ""},
      {"no point at all", body("t", std::string(64, 'f')), "owner_pubkey", ""},
      {"an empty id", body("t", owner, R"(,"id":"")"), "id", ""},
      {"an id with a bar", body("t", owner, R"(,"id":"a|b")"), "id", ""},
      {"an id that is a number", body("t", owner, R"(,"id":7)"), "id", ""},
      {"an id too long", body("t", owner, R"(,"id":")" + std::string(65, 'a') + "\""), "id", ""},
      {"an unknown field", body("t", owner, R"(,"root_key":"x")"), "unknown field", ""},
      {"a list", "[]", "no object", ""}, {"nothing", "", "empty", ""},
  };
  // clang-format on
  for (const auto& row : rows) {
    const auto read = read_mesh(row.body);
    if (std::string_view(row.rule) == "empty") {
      EXPECT_FALSE(read.ok());
      continue;
    }
    EXPECT_EQ(rule_of(read), row.rule) << row.name;
    if (!read.ok()) continue;
    EXPECT_EQ(read->id, row.id) << row.name;
    EXPECT_EQ(crypto::to_hex(read->owner), owner) << row.name;
  }
}

TEST(OperatorBodies, RequeueIsOfOneOrOfAll) {
  const std::string key = crypto::to_hex(crypto::SecretKey::generate().public_key());
  const std::string one = R"("number":7,"recipient":")" + key + "\"";
  // clang-format off
  const struct { std::string body; const char* rule; bool all; } rows[] = {
      {"{" + one + "}", "", false}, {R"({"all":true})", "", true},
      {R"({"all":false})", "all", false}, {R"({"all":null})", "all", false},
      {R"({"all":1})", "all", false}, {R"({"all":true,)" + one + "}", "all or one", false},
      {"{}", "number", false}, {R"({"number":7})", "recipient", false},
      {R"({"recipient":")" + key + "\"}", "number", false},
      {R"({"number":0,"recipient":")" + key + "\"}", "number", false},
      {R"({"number":"7","recipient":")" + key + "\"}", "number", false},
      {R"({"number":7,"recipient":"bob"})", "recipient", false},
      {"{" + one + R"(,"limit":1})", "unknown field", false}, {"[]", "no object", false},
  };
  // clang-format on
  for (const auto& row : rows) {
    const auto read = read_requeue(row.body);
    EXPECT_EQ(rule_of(read), row.rule) << row.body;
    if (!read.ok()) continue;
    EXPECT_EQ(read->has_value(), !row.all) << row.body;
    if (!row.all) {
      EXPECT_EQ((*read)->number, MessageNumber{7}) << row.body;
    }
  }
}

TEST(OperatorQueries, APageHasALimitAndAPlace) {
  const std::string key(64, 'a');
  // clang-format off
  const struct { std::string query; const char* rule; std::size_t limit; bool after; } rows[] = {
      {"", "", 10, false}, {"limit=1", "", 1, false}, {"limit=20", "", 20, false},
      {"limit=21", "limit", 0, false}, {"limit=0", "limit", 0, false},
      {"limit=-1", "limit", 0, false}, {"limit=", "limit", 0, false},
      {"limit=1x", "limit", 0, false}, {"limit=99999999999999999999", "limit", 0, false},
      {"after=" + key, "", 10, true}, {"limit=2&after=" + key, "", 2, true},
      {"after=", "after", 0, false}, {"after=" + key + "aa", "after", 0, false},
      {"after=zz", "after", 0, false}, {"other=1", "", 10, false},
  };
  // clang-format on
  for (const auto& row : rows) {
    const auto page = read_page(row.query, 10, 20);
    EXPECT_EQ(rule_of(page), row.rule) << row.query;
    if (!page.ok()) continue;
    EXPECT_EQ(page->limit, row.limit) << row.query;
    EXPECT_EQ(page->after.has_value(), row.after) << row.query;
  }
}

TEST(OperatorQueries, AStandingIsOneOfFourOrAll) {
  EXPECT_EQ(*read_standing_filter("standing=revoked"), Standing::kRevoked);
  EXPECT_EQ(*read_standing_filter("limit=1"), std::nullopt);
  for (const char* query : {"standing=", "standing=unknown", "standing=Revoked"}) {
    EXPECT_EQ(rule_of(read_standing_filter(query)), "standing") << query;
  }
}

TEST(OperatorBodies, ANewSourceHasANameAndNothingOfAnotherType) {
  const std::string key(64, 'a');
  const struct {
    std::string body;
    const char* rule;
  } rows[] = {
      {R"({"source":"lab/gauge"})", ""},
      {R"({"source":"g","tags":["a","b"],"pubkey":null,"secret":null})", ""},
      {R"({"source":"g","pubkey":")" + key + R"(","secret":"x"})", ""},
      {R"({"source":""})", "source"},
      {R"({"source":"*"})", "source"},
      {R"({"source":7})", "source"},
      {R"({"tags":[]})", "source"},
      {R"({"source":"g","tags":"a"})", "tags"},
      {R"({"source":"g","tags":["a b"]})", "tags"},
      {R"({"source":"g","pubkey":"aa"})", "pubkey"},
      {R"({"source":"g","pubkey":1})", "pubkey"},
      {R"({"source":"g","secret":""})", "secret"},
      {R"({"source":"g","secret":123})", "secret"},
      {R"({"source":"g","secrets":"x"})", "unknown field"},
      {R"([])", "no object"},
  };
  for (const auto& row : rows) EXPECT_EQ(rule_of(read_new_source(row.body)), row.rule) << row.body;
}

TEST(OperatorBodies, ARotationOverlapsAsUsualUnlessItSays) {
  using namespace std::chrono_literals;
  const struct {
    const char* body;
    const char* rule;
    std::chrono::seconds overlap;
  } rows[] = {
      {"", "", 24h},
      {"{}", "", 24h},
      {R"({"overlap_seconds":null})", "", 24h},
      {R"({"overlap_seconds":0})", "", 0s},
      {R"({"overlap_seconds":172800})", "", 48h},
      {R"({"overlap_seconds":172801})", "overlap_seconds", {}},
      {R"({"overlap_seconds":-1})", "overlap_seconds", {}},
      {R"({"overlap_seconds":1.5})", "overlap_seconds", {}},
      {R"({"overlap_seconds":"1"})", "overlap_seconds", {}},
      {R"({"overlap":1})", "unknown field", {}},
      {"[]", "no object", {}},
  };
  for (const auto& row : rows) {
    const auto read = read_rotation(row.body, 24h, 48h);
    EXPECT_EQ(rule_of(read), row.rule) << row.body;
    if (!read.ok()) continue;
    EXPECT_EQ(*read, row.overlap) << row.body;
  }
}

TEST(OperatorBodies, ASourceInAPathMayHaveItsMarksEscaped) {
  const struct {
    const char* text;
    const char* source;  // nullptr: refused
  } rows[] = {
      {"gauge", "gauge"},
      {"lab/gauge", "lab/gauge"},
      {"lab%2Fgauge%3a1", "lab/gauge:1"},
      {"lab%2f", "lab/"},
      {"%2A", nullptr},
      {"a%20b", nullptr},
      {"a%2", nullptr},
      {"", nullptr},
      {"%252F", nullptr},
  };
  for (const auto& row : rows) {
    const auto source = read_source(row.text);
    EXPECT_EQ(source.ok(), row.source != nullptr) << row.text;
    if (!source.ok()) continue;
    EXPECT_EQ(*source, row.source) << row.text;
  }
}

TEST(OperatorBodies, APageOfSourcesBeginsBehindAName) {
  EXPECT_EQ(read_source_page("", 100, 1'000)->limit, 100U);
  EXPECT_EQ(read_source_page("", 100, 1'000)->after, "");
  EXPECT_EQ(read_source_page("limit=5&after=lab%2Fg", 100, 1'000)->after, "lab/g");
  EXPECT_EQ(read_source_page("after=*", 100, 1'000)->after, "*") << "the shared one may be last";
  EXPECT_EQ(rule_of(read_source_page("limit=0", 100, 1'000)), "limit");
  EXPECT_EQ(rule_of(read_source_page("after=", 100, 1'000)), "after");
}

}  // namespace
}  // namespace signet::admin
