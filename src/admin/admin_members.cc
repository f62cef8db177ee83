// What the operator's API says of members and invites, and does to them.
#include <algorithm>

#include "admin/admin.h"
#include "admin/operator_answers.h"
#include "admin/operator_bodies.h"
#include "base/encoding.h"
#include "base/log.h"
#include "wire/json.h"

namespace signet::admin {
namespace {

using membership::Invite;
using membership::Member;
using wire::JsonWriter;

void write_member(JsonWriter& json, const Member& member) {
  json.object().key("id").value(member.id).key("pubkey").value(membership::key_text(member));
  json.key("displayName").value(member.display_name);
  json.key("role").value(membership::name_of(member.role));
  json.key("standing").value(name_of(member.standing)).key("tags").array();
  for (const std::string& tag : member.tags) json.value(tag);
  json.end().key("joinedAt").value(iso8601(member.joined)).end();
}

void write_invite(JsonWriter& json, const Invite& invite) {
  json.object().key("digest").value(to_hex(invite.digest));
  json.key("role").value(membership::name_of(invite.role)).key("uses").value(invite.uses);
  json.key("maxUses").value(invite.max_uses).key("expiresAt").value(iso8601(invite.expires));
  json.key("revoked").value(invite.revoked).end();
}

// Closes a list: where its next page begins, if there is more.
std::string with_next(JsonWriter& json, const std::optional<std::string>& next) {
  json.end().key("next");
  if (next) {
    json.value(*next);
  } else {
    json.null();
  }
  return json.end().take();
}

// Leaves the first `limit` in their order; the last of them, if more were there.
template <class Before>
const Member* sort_page(std::vector<const Member*>& members, std::size_t limit,
                        const Before& before) {
  const bool has_more = members.size() > limit;
  const std::size_t count = std::min(limit, members.size());
  const auto end = members.begin() + static_cast<std::ptrdiff_t>(count);
  std::partial_sort(members.begin(), end, members.end(), before);
  members.resize(count);
  return has_more ? members.back() : nullptr;
}

std::string list_of(const std::vector<const Member*>& members,
                    const std::optional<std::string>& next) {
  JsonWriter json;
  json.object().key("members").array();
  for (const Member* each : members) write_member(json, *each);
  return with_next(json, next);
}

}  // namespace

// The order of keys is the same whoever joins between two pages.
void Admin::list_members(const Call& call, const membership::MeshSnapshot& mesh) {
  const auto standing = read_standing_filter(call.query);
  if (!standing.ok()) return call.reply(answer_of(standing.error()));
  const auto keyless = value_in(call.query, "keyless");
  if (keyless && *keyless != "true") return call.reply(failed(400, "bad_request", "keyless"));
  if (keyless) return list_keyless(call, mesh, *standing);
  const auto page = read_page(call.query, options_.page, options_.max_page);
  if (!page.ok()) return call.reply(answer_of(page.error()));
  std::vector<const Member*> members;
  mesh.each_member([&](const Member& member) {
    const bool wanted = member.key && (!*standing || member.standing == **standing);
    if (wanted && (!page->after || member.key->bytes > *page->after)) members.push_back(&member);
  });
  const auto by_key = [](const Member* a, const Member* b) { return *a->key < *b->key; };
  const Member* last = sort_page(members, page->limit, by_key);
  std::optional<std::string> next;
  if (last != nullptr) next = membership::key_text(*last);
  call.reply(succeeded(list_of(members, next)));
}

// Members whom a secret, a token or a client certificate proves, in the order of their ids.
void Admin::list_keyless(const Call& call, const membership::MeshSnapshot& mesh,
                         std::optional<membership::Standing> standing) {
  const auto page = read_source_page(call.query, options_.page, options_.max_page);
  if (!page.ok()) return call.reply(answer_of(page.error()));
  std::vector<const Member*> members;
  mesh.each_member([&](const Member& member) {
    const bool wanted = !member.key && (!standing || member.standing == *standing);
    if (wanted && member.id > page->after) members.push_back(&member);
  });
  const auto by_id = [](const Member* a, const Member* b) { return a->id < b->id; };
  const Member* last = sort_page(members, page->limit, by_id);
  std::optional<std::string> next;
  if (last != nullptr) next = last->id;
  call.reply(succeeded(list_of(members, next)));
}

// POST members/KEY/standing {"standing":"revoked"} or members/KEY/role {"role":"admin","tags":[…]}.
void Admin::change_member(const Call& call, const membership::MeshSnapshot& mesh,
                          std::string_view rest) {
  if (rest.starts_with('/')) rest.remove_prefix(1);
  const std::string_view hex = rest.substr(0, rest.find('/'));
  const auto key = crypto::public_key_from_hex(hex);
  if (!key) return call.reply(failed(400, "bad_request", "key"));
  rest.remove_prefix(hex.size());
  const Member* member = mesh.member(*key);
  const Target target{member == nullptr ? MemberNumber{} : member->number, crypto::to_hex(*key)};
  if (rest == "/standing") return set_standing(call, mesh.mesh(), target);
  if (rest == "/role") return set_role(call, mesh.mesh(), target);
  call.reply(failed(404, "not_found", "no such path"));
}

// What is said of a key that is over would look done, and its node go on under another.
bool Admin::is_former(const Call& call, const membership::Mesh& mesh, const Target& target) const {
  if (!overlay_ || overlay_->mesh() != mesh.id) return false;
  const overlay::Node* node = overlay_->successor_of(target.member);
  if (node == nullptr || !node->key) return false;
  call.reply(failed(409, "conflict",
                    "node " + node->name + " changed its key; it is the member " +
                        crypto::to_hex(*node->key) + " now"));
  return true;
}

void Admin::set_standing(const Call& call, const membership::Mesh& mesh, const Target& target) {
  const auto standing = read_standing(call.body);
  if (!standing.ok()) return call.reply(answer_of(standing.error()));
  const bool takes_more = *standing == membership::Standing::kRevoked && overlay_ &&
                          overlay_->mesh() == mesh.id && overlay_->refuses_one(call);
  if (takes_more) {
    return call.reply(failed(403, "operators_needed",
                             "a revocation takes several operators here: signet revoke propose"));
  }
  if (is_former(call, mesh, target)) return;
  controller_.set_standing(
      mesh.number, target.member, *standing,
      [reply = call.reply, by = call.peer.text(), id = mesh.id, name = target.name,
       standing = *standing](const Status& status) {
        if (status.ok()) {
          log(LogLevel::kWarn, "standing.set",
              {{"mesh", id}, {"member", name}, {"standing", name_of(standing)}, {"by", by}});
        }
        reply(answer_of(status));
      });
}

void Admin::set_role(const Call& call, const membership::Mesh& mesh, const Target& target) {
  auto body = read_role(call.body);
  if (!body.ok()) return call.reply(answer_of(body.error()));
  if (is_former(call, mesh, target)) return;
  const membership::Role role = body->role;
  const std::size_t tags = body->tags.size();
  controller_.set_role(mesh.number, target.member, role, std::move(body->tags),
                       [reply = call.reply, by = call.peer.text(), id = mesh.id, name = target.name,
                        role, tags](const Status& status) {
                         if (status.ok()) {
                           log(LogLevel::kWarn, "role.set",
                               {{"mesh", id},
                                {"member", name},
                                {"role", membership::name_of(role)},
                                {"tags", tags},
                                {"by", by}});
                         }
                         reply(answer_of(status));
                       });
}

void Admin::list_invites(const Call& call, const membership::MeshSnapshot& mesh) {
  const auto page = read_page(call.query, options_.page, options_.max_page);
  if (!page.ok()) return call.reply(answer_of(page.error()));
  JsonWriter json;
  json.object().key("invites").array();
  std::size_t count = 0;
  crypto::Digest32 last{};
  std::optional<std::string> next;
  controller_.table().each_invite([&](const Invite& invite) {
    const bool wanted =
        invite.mesh == mesh.mesh().number && (!page->after || invite.digest > *page->after);
    if (!wanted || next) return;
    if (count == page->limit) {
      next = to_hex(last);
      return;
    }
    ++count;
    last = invite.digest;
    write_invite(json, invite);
  });
  call.reply(succeeded(with_next(json, next)));
}

void Admin::add_invite(const Call& call) {
  const auto body = read_invite(call.body);
  if (!body.ok()) return call.reply(answer_of(body.error()));
  const std::string digest = to_hex(membership::invite_digest(body->token));
  controller_.add_invite(body->claim, body->token, body->max_uses,
                         [reply = call.reply, by = call.peer.text(), id = body->claim.mesh_id,
                          digest, uses = body->max_uses](const Status& status) {
                           if (!status.ok()) return reply(answer_of(status));
                           log(LogLevel::kWarn, "invite.added",
                               {{"mesh", id}, {"digest", digest}, {"uses", uses}, {"by", by}});
                           JsonWriter json;
                           json.object().key("ok").value(true).key("digest").value(digest);
                           reply(succeeded(json.end().take()));
                         });
}

void Admin::revoke_invite(const Call& call) {
  const auto digest = read_revocation(call.body);
  if (!digest.ok()) return call.reply(answer_of(digest.error()));
  controller_.revoke_invite(
      *digest, [reply = call.reply, by = call.peer.text(), digest = *digest](const Status& status) {
        if (status.ok()) {
          log(LogLevel::kWarn, "invite.revoked", {{"digest", to_hex(digest)}, {"by", by}});
        }
        reply(answer_of(status));
      });
}

}  // namespace signet::admin
