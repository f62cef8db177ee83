// The operator's API: whoever shows the operator token sees and changes membership.
#include <charconv>

#include "admin/admin.h"
#include "admin/operator_bodies.h"
#include "base/encoding.h"
#include "base/log.h"
#include "crypto/compare.h"
#include "dialects/claudemesh_http.h"
#include "wire/json.h"

namespace signet::admin {
namespace {

using wire::JsonWriter;

constexpr std::string_view kPrefix = "/api/signet/v1";

std::string_view name_of(store::DeathReason reason) {
  return reason == store::DeathReason::kExpired ? "expired" : "recipient_revoked";
}

// The first part of a path; `path` keeps the rest, without its slash.
std::string_view take_part(std::string_view& path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  const auto end = path.find('/');
  const std::string_view part = path.substr(0, end);
  path.remove_prefix(end == std::string_view::npos ? path.size() : end);
  return part;
}

net::HttpResponse failed(int status, std::string_view code, std::string_view detail) {
  JsonWriter json;
  json.object().key("ok").value(false).key("error").value(code).key("detail").value(detail).end();
  net::HttpResponse response = json_response(status, json.take());
  response.headers.clear();  // no page of another origin reads the operator's answers
  return response;
}

net::HttpResponse succeeded(std::string body) {
  net::HttpResponse response = json_response(200, std::move(body));
  response.headers = {{"Cache-Control", "no-store"}};
  return response;
}

// What an error code means to an operator's program.
net::HttpResponse answer_of(const Status& status) {
  if (status.ok()) return succeeded(R"({"ok":true})");
  const std::string& detail = status.error().detail;
  switch (status.error().code) {
    case ErrorCode::kNotFound:
      return failed(404, "not_found", detail);
    case ErrorCode::kForbidden:
      return failed(403, "denied", detail);
    case ErrorCode::kConflict:
      return failed(409, "conflict", detail);
    case ErrorCode::kMalformed:
      return failed(400, "bad_request", detail);
    case ErrorCode::kUnauthorized:
    case ErrorCode::kOverloaded:
    case ErrorCode::kUnavailable:
    case ErrorCode::kBug:
      break;
  }
  return failed(503, "unavailable", detail);
}

std::string_view bearer_of(std::string_view authorization) {
  constexpr std::string_view kScheme = "Bearer ";
  return authorization.starts_with(kScheme) ? authorization.substr(kScheme.size())
                                            : std::string_view();
}

// The value of `name=` in a query of numbers.
std::int64_t number_in(std::string_view query, std::string_view name, std::int64_t otherwise) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos || pair.substr(0, equals) != name) continue;
    std::int64_t value = otherwise;
    const std::string_view text = pair.substr(equals + 1);
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  }
  return otherwise;
}

std::string members_json(const membership::MeshSnapshot& mesh) {
  JsonWriter json;
  json.object().key("members").array();
  mesh.each_member([&json](const membership::Member& member) {
    json.object().key("id").value(member.id).key("pubkey").value(crypto::to_hex(member.key));
    json.key("displayName").value(member.display_name);
    json.key("role").value(membership::name_of(member.role));
    json.key("standing").value(admin::name_of(member.standing)).key("tags").array();
    for (const std::string& tag : member.tags) json.value(tag);
    json.end().key("joinedAt").value(iso8601(member.joined)).end();
  });
  return json.end().end().take();
}

}  // namespace

void Admin::operator_call(const Call& call) {
  const bool may = !options_.operator_token.empty() &&
                   crypto::equal_secrets(bearer_of(call.authorization), options_.operator_token);
  if (!may) {
    operator_denied_.add();
    if (const auto repeated = denied_log_.take(Denied::kToken, shared_.clock.elapsed())) {
      log(LogLevel::kWarn, "operator.denied",
          {{"repeated", *repeated}, {"path", call.path}, {"peer", call.peer.text()}});
    }
    const bool without = call.authorization.empty();
    net::HttpResponse response =
        failed(without ? 401 : 403, "denied", "the operator token is needed");
    if (without) response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return call.reply(std::move(response));
  }
  std::string_view rest = std::string_view(call.path).substr(kPrefix.size());
  const std::string_view subject = take_part(rest);
  const bool get = call.method == "GET";
  const bool post = call.method == "POST";
  if (subject == "invites" && post && rest.empty()) return add_invite(call);
  if (subject == "invites" && post && rest == "/revoke") return revoke_invite(call);
  if (subject == "meshes" && get && rest.empty()) return list_meshes(call);
  if (subject != "meshes") return call.reply(failed(404, "not_found", "no such path"));
  const std::string_view slug = take_part(rest);
  const membership::MeshSnapshot* mesh = nullptr;
  controller_.table().each_mesh([&](const membership::MeshSnapshot& each) {
    if (each.mesh().slug == slug || each.mesh().id == slug) mesh = &each;
  });
  if (mesh == nullptr) return call.reply(failed(404, "not_found", "no such mesh"));
  const std::string_view part = take_part(rest);
  if (part == "members" && get && rest.empty()) return list_members(call, *mesh);
  if (part == "members" && post) return change_member(call, *mesh, rest);
  if (part == "dead-letters" && get && rest.empty()) return list_dead_letters(call, *mesh);
  call.reply(failed(404, "not_found", "no such path"));
}

void Admin::list_meshes(const Call& call) {
  JsonWriter json;
  json.object().key("meshes").array();
  controller_.table().each_mesh([&](const membership::MeshSnapshot& mesh) {
    std::uint64_t members = 0;
    mesh.each_member([&members](const membership::Member&) { ++members; });
    json.object().key("id").value(mesh.mesh().id).key("slug").value(mesh.mesh().slug);
    json.key("members").value(members);
    json.key("connections").value(shared_.loads.count(mesh.mesh().number)).end();
  });
  call.reply(succeeded(json.end().end().take()));
}

void Admin::list_members(const Call& call, const membership::MeshSnapshot& mesh) {
  call.reply(succeeded(members_json(mesh)));
}

void Admin::list_dead_letters(const Call& call, const membership::MeshSnapshot& mesh) {
  const std::int64_t most = static_cast<std::int64_t>(options_.max_dead_letters);
  const std::int64_t limit = std::clamp<std::int64_t>(number_in(call.query, "limit", 100), 0, most);
  const MessageNumber before{number_in(call.query, "before", 0)};
  const MeshNumber number = mesh.mesh().number;
  shared_.store.list_dead(
      number, before, static_cast<std::size_t>(limit), control_.mailbox(),
      [this, number, reply = call.reply](const Result<std::vector<store::DeadLetter>>& letters) {
        if (!letters.ok()) return reply(answer_of(letters.error()));
        const membership::MeshSnapshot* where = controller_.table().mesh(number);
        const auto key_of = [where](MemberNumber member) {
          const membership::Member* who = where == nullptr ? nullptr : where->member(member);
          return who == nullptr ? std::string() : crypto::to_hex(who->key);
        };
        JsonWriter json;
        json.object().key("deadLetters").array();
        for (const store::DeadLetter& letter : *letters) {
          json.object().key("number").value(letter.number.value);
          json.key("messageId").value(to_hex(letter.envelope->id));
          json.key("from").value(key_of(letter.envelope->sender));
          json.key("to")
              .value(letter.envelope->to)
              .key("recipient")
              .value(key_of(letter.recipient));
          json.key("reason").value(name_of(letter.reason));
          json.key("createdAt").value(iso8601(letter.envelope->created));
          json.key("diedAt").value(iso8601(letter.died)).end();
        }
        reply(succeeded(json.end().end().take()));
      });
}

// POST members/KEY/standing {"standing":"revoked"} or members/KEY/role {"role":"admin","tags":[…]}.
void Admin::change_member(const Call& call, const membership::MeshSnapshot& mesh,
                          std::string_view rest) {
  const auto key = crypto::public_key_from_hex(take_part(rest));
  if (!key) return call.reply(failed(400, "bad_request", "key"));
  const auto answer = [reply = call.reply](const Status& status) { reply(answer_of(status)); };
  const MeshNumber number = mesh.mesh().number;
  if (rest == "/standing") {
    const auto standing = read_standing(call.body);
    if (!standing.ok()) return call.reply(answer_of(standing.error()));
    log(LogLevel::kWarn, "standing.set",
        {{"member", crypto::to_hex(*key)}, {"standing", name_of(*standing)}});
    return controller_.set_standing(number, *key, *standing, answer);
  }
  if (rest != "/role") return call.reply(failed(404, "not_found", "no such path"));
  auto body = read_role(call.body);
  if (!body.ok()) return call.reply(answer_of(body.error()));
  controller_.set_role(number, *key, body->role, std::move(body->tags), answer);
}

void Admin::add_invite(const Call& call) {
  const auto body = read_invite(call.body);
  if (!body.ok()) return call.reply(answer_of(body.error()));
  controller_.add_invite(body->claim, body->token, body->max_uses,
                         [reply = call.reply](const Status& status) { reply(answer_of(status)); });
}

void Admin::revoke_invite(const Call& call) {
  const auto token = read_revocation(call.body);
  if (!token.ok()) return call.reply(answer_of(token.error()));
  controller_.revoke_invite(
      *token, [reply = call.reply](const Status& status) { reply(answer_of(status)); });
}

}  // namespace signet::admin
