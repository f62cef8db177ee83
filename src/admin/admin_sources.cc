// What the operator's API says of the secrets of sources, and does to them. A secret is in the one
// answer that its maker gets, and nowhere else: no list and no line of the log has it.
#include <algorithm>

#include "admin/admin.h"
#include "admin/operator_answers.h"
#include "admin/operator_bodies.h"
#include "base/log.h"
#include "wire/json.h"

namespace signet::admin {
namespace {

using membership::SourceSecret;
using wire::JsonWriter;

void write_source(JsonWriter& json, const SourceSecret& source,
                  const membership::MeshSnapshot& mesh, WallTime now) {
  const membership::Member* member = mesh.member(source.member);
  json.object().key("source").value(source.source).key("member");
  json.value(member == nullptr ? std::string() : member->id).key("tags").array();
  if (member != nullptr) {
    for (const std::string& tag : member->tags) json.value(tag);
  }
  json.end().key("changed").value(iso8601(source.changed)).key("overlap_until");
  if (previous_holds(source, now)) {
    json.value(iso8601(source.previous_until));
  } else {
    json.null();
  }
  json.key("revoked").value(source.revoked).end();
}

// Whom it proves. Who came by a token or a certificate has no secret: it is its own source.
const membership::Member* member_of(const membership::MeshSnapshot& mesh,
                                    const std::string& source) {
  if (const SourceSecret* known = mesh.source(source)) return mesh.member(known->member);
  const membership::Member* member = mesh.member_with_id(source);
  return member == nullptr || member->key ? nullptr : member;
}

net::HttpResponse answer_of_secret(const std::string& source, const controller::NewSecret& made) {
  JsonWriter json;
  json.object().key("ok").value(true).key("source").value(source);
  json.key("secret").value(made.secret.reveal()).key("member").value(made.member_id);
  return succeeded(json.end().take());
}

}  // namespace

// sources; sources/S/rotate, /revoke, /standing, /role: S may have slashes, what is done to it is
// the last part.
void Admin::sources_call(const Call& call, const membership::MeshSnapshot& mesh,
                         std::string_view rest) {
  if (rest.empty()) {
    if (call.method == "GET") return list_sources(call, mesh);
    if (call.method == "POST") return add_source(call, mesh.mesh());
    return call.reply(failed(404, "not_found", "no such path"));
  }
  const std::string_view verb = rest.substr(rest.rfind('/') + 1);
  const auto source = read_source(rest.substr(1, std::max<std::size_t>(rest.rfind('/'), 1) - 1));
  if (call.method != "POST" || !source.ok()) {
    return call.reply(failed(404, "not_found", "no such path"));
  }
  if (verb == "rotate") return rotate_source(call, mesh.mesh(), *source);
  if (verb == "revoke") return revoke_source(call, mesh.mesh(), *source);
  const membership::Member* member = member_of(mesh, *source);
  const Target target = member == nullptr ? Target{} : Target{member->number, member->id};
  if (verb == "standing") return set_standing(call, mesh.mesh(), target);
  if (verb == "role") return set_role(call, mesh.mesh(), target);
  call.reply(failed(404, "not_found", "no such path"));
}

// In the order of their names; the shared secret's is before all others.
void Admin::list_sources(const Call& call, const membership::MeshSnapshot& mesh) {
  const auto page = read_source_page(call.query, options_.page, options_.max_page);
  if (!page.ok()) return call.reply(answer_of(page.error()));
  std::vector<const SourceSecret*> sources;
  mesh.each_source([&](const SourceSecret& source) {
    if (source.source > page->after) sources.push_back(&source);
  });
  const std::size_t count = std::min(page->limit, sources.size());
  const auto end = sources.begin() + static_cast<std::ptrdiff_t>(count);
  std::partial_sort(
      sources.begin(), end, sources.end(),
      [](const SourceSecret* a, const SourceSecret* b) { return a->source < b->source; });
  JsonWriter json;
  json.object().key("sources").array();
  const WallTime now = shared_.clock.wall();
  std::for_each(sources.begin(), end,
                [&](const SourceSecret* each) { write_source(json, *each, mesh, now); });
  json.end().key("next");
  if (count < sources.size()) {
    json.value(sources[count - 1]->source);
  } else {
    json.null();
  }
  call.reply(succeeded(json.end().take()));
}

void Admin::add_source(const Call& call, const membership::Mesh& mesh) {
  auto body = read_new_source(call.body);
  if (!body.ok()) return call.reply(answer_of(body.error()));
  controller::SourceOptions options;
  options.member = body->member;
  options.tags = std::move(body->tags);
  options.secret = body->secret;
  const bool given = !body->secret.empty();
  controller_.add_source(mesh.number, body->source, options,
                         [reply = call.reply, by = call.peer.text(), id = mesh.id,
                          source = body->source, given](const Result<controller::NewSecret>& made) {
                           if (!made.ok()) return reply(answer_of(made.error()));
                           log(LogLevel::kWarn, "source.added",
                               {{"mesh", id},
                                {"source", source},
                                {"member", made->member_id},
                                {"secret", given ? "given" : "drawn"},
                                {"by", by}});
                           reply(answer_of_secret(source, *made));
                         });
}

void Admin::rotate_source(const Call& call, const membership::Mesh& mesh,
                          const std::string& source) {
  const auto overlap =
      read_rotation(call.body, options_.secret_overlap, options_.max_secret_overlap);
  if (!overlap.ok()) return call.reply(answer_of(overlap.error()));
  controller_.rotate_source(
      mesh.number, source, *overlap,
      [reply = call.reply, by = call.peer.text(), id = mesh.id, source,
       seconds = std::int64_t{overlap->count()}](const Result<controller::NewSecret>& made) {
        if (!made.ok()) return reply(answer_of(made.error()));
        log(LogLevel::kWarn, "source.rotated",
            {{"mesh", id}, {"source", source}, {"overlap_seconds", seconds}, {"by", by}});
        reply(answer_of_secret(source, *made));
      });
}

void Admin::revoke_source(const Call& call, const membership::Mesh& mesh,
                          const std::string& source) {
  controller_.revoke_source(
      mesh.number, source,
      [reply = call.reply, by = call.peer.text(), id = mesh.id, source](const Status& status) {
        if (status.ok()) {
          log(LogLevel::kWarn, "source.revoked", {{"mesh", id}, {"source", source}, {"by", by}});
        }
        reply(answer_of(status));
      });
}

}  // namespace signet::admin
