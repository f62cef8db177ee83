// Bodies of joins, hooks, invite links and the operator's API. All readers get the same bytes: what
// one takes holds its bounds and, written again, reads as the same; what it refuses is malformed,
// with the rule that was broken. An invite is its owner's exactly when its owner signed it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "admin/operator_bodies.h"
#include "base/encoding.h"
#include "dialects/claudemesh.h"
#include "dialects/claudemesh_http.h"
#include "membership/standing.h"
#include "wire/json.h"
#include "wire/utf8.h"

namespace {

using namespace signet;
using membership::InviteClaim;
using wire::JsonWriter;

void check(bool holds) {
  if (!holds) std::abort();
}

template <class T>
bool taken(const Result<T>& read) {
  if (read.ok()) return true;
  check(read.error().code == ErrorCode::kMalformed && !read.error().detail.empty());
  return false;
}

bool same(const InviteClaim& a, const InviteClaim& b) {
  return membership::canonical_text(a) == membership::canonical_text(b) && a.mesh_id == b.mesh_id &&
         a.mesh_slug == b.mesh_slug && a.broker_url == b.broker_url && a.root_key == b.root_key &&
         a.role == b.role && a.owner_key == b.owner_key && a.signature == b.signature;
}

const crypto::SecretKey& owner_key() {
  static const crypto::SecretKey key = crypto::SecretKey::from_seed({9});
  return key;
}

void check_signing(InviteClaim claim) {
  membership::Mesh mesh;
  mesh.owner = owner_key().public_key();
  check(!membership::signed_by_owner(claim, mesh));  // nobody guesses a signature
  claim.owner_key = crypto::to_hex(owner_key().public_key());
  claim.signature = to_hex(owner_key().sign(bytes_of(membership::canonical_text(claim))));
  const std::string text = membership::canonical_text(claim);
  const bool one_reading = std::count(text.begin(), text.end(), '|') == 7;
  check(membership::signed_by_owner(claim, mesh) == one_reading);
  claim.expires_at += 1;
  check(!membership::signed_by_owner(claim, mesh));
}

void check_claim(const InviteClaim& claim) {
  check(claim.version == 1 && claim.expires_at >= 0);
  check(claim.expires_at <= INT64_MAX / 1'000);  // countable in milliseconds
  const std::string token = dialects::write_invite_token(claim);
  const auto again = dialects::read_invite_token(token);
  check(again.ok() == (token.size() <= dialects::kMaxTokenBytes));
  if (again.ok()) check(same(*again, claim) && dialects::write_invite_token(*again) == token);
  check_signing(claim);
}

void check_join(std::string_view body) {
  const auto read = dialects::read_join(body);
  if (!taken(read)) return;
  const auto* invited = std::get_if<dialects::JoinByInvite>(&*read);
  if (invited == nullptr) {
    const auto& open = std::get<dialects::JoinWithoutInvite>(*read);
    check(open.display_name.size() <= dialects::kMaxDisplayNameBytes);
    return;
  }
  check(invited->display_name.size() <= dialects::kMaxDisplayNameBytes);
  check(wire::is_utf8(invited->display_name) && wire::is_utf8(invited->pubkey));
  check(invited->token.size() <= dialects::kMaxTokenBytes);
  check_claim(invited->claim);
}

void check_hook(std::string_view body) {
  const auto read = dialects::read_hook_status(body);
  if (!taken(read)) return;
  check(!read->cwd.empty() && read->cwd.size() <= dialects::kMaxHintBytes);
  JsonWriter json;
  json.object().key("cwd").value(read->cwd).key("pid").value(read->pid);
  json.key("status").value(dialects::name_of(read->status)).end();
  const auto again = dialects::read_hook_status(json.text());
  check(again.ok() && again->cwd == read->cwd && again->pid == read->pid);
  check(again->status == read->status);
}

void check_token(std::string_view token) {
  const auto read = dialects::read_invite_token(token);
  if (taken(read)) check_claim(*read);
}

void check_operator(std::string_view body) {
  if (const auto standing = admin::read_standing(body); taken(standing)) {
    const std::string word(membership::name_of(*standing));
    const std::string again = R"({"standing":")" + word + "\"}";
    check(*admin::read_standing(again) == *standing);
  }
  if (const auto role = admin::read_role(body); taken(role)) {
    check(role->tags.size() <= admin::kMaxTags);
    for (const std::string& tag : role->tags) check(routing::is_name(tag));
  }
  if (const auto invite = admin::read_invite(body); taken(invite)) {
    check(invite->max_uses >= 1 && invite->max_uses <= admin::kMaxInviteUses);
    check(invite->token.size() <= dialects::kMaxTokenBytes);
    JsonWriter json;
    json.object().key("invite_token").value(invite->token).end();
    check(*admin::read_revocation(json.text()) == membership::invite_digest(invite->token));
    check_claim(invite->claim);
  }
  if (const auto digest = admin::read_revocation(body); taken(digest)) {
    const std::string again = R"({"digest":")" + to_hex(*digest) + "\"}";
    check(*admin::read_revocation(again) == *digest);
  }
  if (const auto mesh = admin::read_mesh(body); taken(mesh)) {
    JsonWriter json;
    json.object()
        .key("slug")
        .value(mesh->slug)
        .key("owner_pubkey")
        .value(crypto::to_hex(mesh->owner));
    if (!mesh->id.empty()) json.key("id").value(mesh->id);
    const auto again = admin::read_mesh(json.end().text());
    check(again.ok() && again->slug == mesh->slug && again->id == mesh->id);
  }
  if (const auto letter = admin::read_requeue(body); taken(letter) && *letter) {
    check((*letter)->number.value >= 0);
  }
  if (const auto page = admin::read_page(body, 100, 1'000); taken(page)) {
    check(page->limit >= 1 && page->limit <= 1'000);
  }
  (void)taken(admin::read_standing_filter(body));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  check_join(body);
  check_hook(body);
  check_token(body);
  check_token(to_base64url(bytes_of(body)));  // the JSON inside a token
  check_operator(body);
  return 0;
}
