// The operator's API: who may use it, and which call is whose. Format: docs/operator-api.md.
#include "admin/admin.h"
#include "admin/operator_answers.h"
#include "base/log.h"

namespace signet::admin {
namespace {

constexpr std::string_view kPrefix = "/api/signet/v1";

// The first part of a path; `path` keeps the rest, without its slash.
std::string_view take_part(std::string_view& path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  const auto end = path.find('/');
  const std::string_view part = path.substr(0, end);
  path.remove_prefix(end == std::string_view::npos ? path.size() : end);
  return part;
}

std::string_view bearer_of(std::string_view authorization) {
  constexpr std::string_view kScheme = "Bearer ";
  return authorization.starts_with(kScheme) ? authorization.substr(kScheme.size())
                                            : std::string_view();
}

}  // namespace

// The kernel vouches for who comes by the Unix socket; everybody else shows the token.
bool Admin::may_operate(const Call& call) const {
  if (call.peer.is_local()) return true;
  return options_.operator_token.matches(bearer_of(call.authorization.reveal()));
}

void Admin::deny(const Call& call) {
  operator_denied_.add();
  shared_.control_trail.note(audit::Event::kRefused, {}, {}, call.peer, "operator_token");
  if (const auto repeated = denied_log_.take(Denied::kToken, shared_.clock.elapsed())) {
    log(LogLevel::kWarn, "operator.denied",
        {{"repeated", *repeated}, {"path", call.path}, {"peer", call.peer.text()}});
  }
  const bool without = call.authorization.empty();
  net::HttpResponse response =
      failed(without ? 401 : 403, "denied", "the operator token is needed");
  if (without) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  call.reply(std::move(response));
}

void Admin::operator_call(const Call& call) {
  if (!may_operate(call)) return deny(call);
  std::string_view rest = std::string_view(call.path).substr(kPrefix.size());
  const std::string_view subject = take_part(rest);
  const bool get = call.method == "GET";
  const bool post = call.method == "POST";
  if (subject == "invites" && post && rest.empty()) return add_invite(call);
  if (subject == "invites" && post && rest == "/revoke") return revoke_invite(call);
  if (subject == "meshes" && get && rest.empty()) return list_meshes(call);
  if (subject == "meshes" && post && rest.empty()) return create_mesh(call);
  if (subject == "decisions" && get && rest.empty()) return list_decisions(call);
  if (subject == "decisions" && get) return show_decision(call, take_part(rest));
  if (subject == "audit") return audit_call(call, rest);
  if (subject != "meshes") return call.reply(failed(404, "not_found", "no such path"));
  const std::string_view name = take_part(rest);
  const membership::MeshSnapshot* mesh = mesh_named(name);
  if (mesh == nullptr) return call.reply(failed(404, "not_found", "no such mesh"));
  if (get && rest.empty()) return show_mesh(call, *mesh);
  const std::string_view part = take_part(rest);
  if (part == "members" && get && rest.empty()) return list_members(call, *mesh);
  if (part == "members" && post) return change_member(call, *mesh, rest);
  if (part == "policy" && get && rest.empty()) return show_policy(call, *mesh);
  if (part == "policy" && post && rest == "/explain") return explain_policy(call, *mesh);
  if (part == "tokens" && post && rest == "/revoke") return revoke_tokens(call, *mesh);
  if (part == "jobs") return jobs_call(call, *mesh, rest);
  if (part == "engines" && get && rest.empty()) return list_engines(call, *mesh);
  if (OverlayView::is_for(part)) return overlay_call(call, *mesh, part, rest);
  if (part == "sources") return sources_call(call, *mesh, rest);
  if (part == "invites" && get && rest.empty()) return list_invites(call, *mesh);
  if (part == "dead-letters" && get && rest.empty()) return list_dead_letters(call, *mesh);
  if (part == "dead-letters" && post && rest == "/requeue") return requeue(call, *mesh);
  call.reply(failed(404, "not_found", "no such path"));
}

void Admin::overlay_call(const Call& call, const membership::MeshSnapshot& mesh,
                         std::string_view part, std::string_view rest) {
  if (!overlay_view_ || !overlay_view_->is_of(mesh.mesh().number)) {
    return call.reply(failed(404, "not_found", "no overlay is bound to this mesh"));
  }
  overlay_view_->answer(call, part, rest);
}

// By its slug, or else by its id.
const membership::MeshSnapshot* Admin::mesh_named(std::string_view name) const {
  const membership::MeshSnapshot* found = controller_.table().mesh(name);
  controller_.table().each_mesh([&](const membership::MeshSnapshot& each) {
    if (each.mesh().slug == name) found = &each;
  });
  return found;
}

}  // namespace signet::admin
