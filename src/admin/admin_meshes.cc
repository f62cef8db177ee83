// What the operator's API says of meshes and dead letters, and does to them.
#include <algorithm>

#include "admin/admin.h"
#include "admin/operator_answers.h"
#include "admin/operator_bodies.h"
#include "base/encoding.h"
#include "base/log.h"
#include "wire/json.h"

namespace signet::admin {
namespace {

using membership::MeshSnapshot;
using wire::JsonWriter;

std::string_view name_of(store::DeathReason reason) {
  return reason == store::DeathReason::kExpired ? "expired" : "recipient_revoked";
}

std::int64_t count_members(const MeshSnapshot& mesh) {
  std::int64_t members = 0;
  mesh.each_member([&members](const membership::Member&) { ++members; });
  return members;
}

void write_names(JsonWriter& json, const membership::Mesh& mesh) {
  json.key("id").value(mesh.id).key("slug").value(mesh.slug).key("ownerPubkey");
  if (mesh.owner) {
    json.value(crypto::to_hex(*mesh.owner));
  } else {
    json.null();
  }
}

void write_letter(JsonWriter& json, const store::DeadLetter& letter, const MeshSnapshot* mesh) {
  const auto key_of = [mesh](MemberNumber member) {
    const membership::Member* who = mesh == nullptr ? nullptr : mesh->member(member);
    return who == nullptr ? std::string() : membership::key_text(*who);
  };
  json.object().key("number").value(letter.number.value);
  json.key("messageId").value(to_hex(letter.envelope->id));
  json.key("from").value(key_of(letter.envelope->sender));
  json.key("to").value(letter.envelope->to).key("recipient").value(key_of(letter.recipient));
  json.key("reason").value(name_of(letter.reason));
  json.key("createdAt").value(iso8601(letter.envelope->created));
  json.key("diedAt").value(iso8601(letter.died)).end();
}

std::int64_t number_of(std::size_t count) { return static_cast<std::int64_t>(count); }

net::HttpResponse answer_of_requeue(const store::Requeued& done, bool was_one) {
  if (was_one && done.refused > 0) return failed(403, "denied", "its recipient may not connect");
  if (was_one && done.full > 0) return failed(409, "conflict", "there is no room for it");
  JsonWriter json;
  json.object().key("ok").value(true).key("requeued").value(number_of(done.requeued));
  json.key("refused").value(number_of(done.refused)).key("full").value(number_of(done.full));
  return succeeded(json.key("more").value(done.more).end().take());
}

}  // namespace

void Admin::list_meshes(const Call& call) {
  JsonWriter json;
  json.object().key("meshes").array();
  controller_.table().each_mesh([&](const MeshSnapshot& mesh) {
    json.object();
    write_names(json, mesh.mesh());
    json.key("members").value(count_members(mesh));
    json.key("connections").value(shared_.loads.count(mesh.mesh().number)).end();
  });
  call.reply(succeeded(json.end().end().take()));
}

void Admin::show_mesh(const Call& call, const MeshSnapshot& mesh) {
  std::int64_t invites = 0;
  controller_.table().each_invite([&](const membership::Invite& invite) {
    if (invite.mesh == mesh.mesh().number) ++invites;
  });
  JsonWriter json;
  json.object();
  write_names(json, mesh.mesh());
  json.key("rootKey").value(mesh.mesh().root_key);
  json.key("maxConnections").value(mesh.mesh().max_connections);
  json.key("legacyJoin").value(mesh.mesh().legacy_join);
  json.key("members").value(count_members(mesh));
  json.key("connections").value(shared_.loads.count(mesh.mesh().number));
  json.key("channels").value(number_of(mesh.channels().size()));
  call.reply(succeeded(json.key("invites").value(invites).end().take()));
}

void Admin::create_mesh(const Call& call) {
  const auto body = read_mesh(call.body);
  if (!body.ok()) return call.reply(answer_of(body.error()));
  if (!options_.allow_sample_keys && crypto::is_published_sample(body->owner)) {
    return call.reply(failed(400, "bad_request", "owner_pubkey"));
  }
  controller::MeshDeclaration declaration;
  declaration.slug = body->slug;
  declaration.id = body->id;
  declaration.owner = body->owner;
  declaration.max_connections = options_.mesh_connections;
  declaration.legacy_join = options_.mesh_legacy_join;
  declaration.by = "operator";
  controller_.create_mesh(
      declaration, [reply = call.reply, by = call.peer.text(), slug = body->slug,
                    owner = body->owner](const Result<controller::MadeMesh>& made) {
        if (!made.ok()) return reply(answer_of(made.error()));
        if (made->is_new) {
          log(LogLevel::kWarn, "mesh.created",
              {{"mesh", made->id}, {"slug", slug}, {"owner", crypto::to_hex(owner)}, {"by", by}});
        }
        JsonWriter json;
        json.object().key("ok").value(true).key("id").value(made->id).key("slug").value(slug);
        reply(succeeded(json.key("created").value(made->is_new).end().take()));
      });
}

void Admin::list_dead_letters(const Call& call, const MeshSnapshot& mesh) {
  const std::int64_t most = number_of(options_.max_dead_letters);
  const std::int64_t usual = number_of(options_.page);
  const std::int64_t limit =
      std::clamp<std::int64_t>(number_in(call.query, "limit", usual), 0, most);
  const MessageNumber before{number_in(call.query, "before", 0)};
  const MeshNumber number = mesh.mesh().number;
  shared_.store.list_dead(
      number, before, static_cast<std::size_t>(limit), control_.mailbox(),
      [this, number, reply = call.reply](const Result<std::vector<store::DeadLetter>>& letters) {
        if (!letters.ok()) return reply(answer_of(letters.error()));
        const MeshSnapshot* where = controller_.table().mesh(number);
        JsonWriter json;
        json.object().key("deadLetters").array();
        for (const store::DeadLetter& letter : *letters) write_letter(json, letter, where);
        reply(succeeded(json.end().end().take()));
      });
}

void Admin::requeue(const Call& call, const MeshSnapshot& mesh) {
  const auto body = read_requeue(call.body);
  if (!body.ok()) return call.reply(answer_of(body.error()));
  store::RequeueDead command;
  command.mesh = mesh.mesh().number;
  const bool is_one = body->has_value();
  if (is_one) {
    const membership::Member* recipient = mesh.member((*body)->recipient);
    if (recipient == nullptr) return call.reply(failed(404, "not_found", "no such member"));
    command.only = store::RequeueDead::One{(*body)->number, recipient->number};
  }
  shared_.store.requeue_dead(command, control_.mailbox(),
                             [reply = call.reply, by = call.peer.text(), id = mesh.mesh().id,
                              is_one](const Result<store::Requeued>& done) {
                               if (!done.ok()) return reply(answer_of(done.error()));
                               if (done->requeued > 0) {
                                 log(LogLevel::kWarn, "dead_letters.requeued",
                                     {{"mesh", id}, {"letters", done->requeued}, {"by", by}});
                               }
                               reply(answer_of_requeue(*done, is_one));
                             });
}

}  // namespace signet::admin
