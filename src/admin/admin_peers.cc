// What peers may ask over HTTP: to join a mesh, and to post a status for a process.
// Bodies and answers: protocol/claudemesh.md.
#include <algorithm>

#include "admin/admin.h"
#include "base/log.h"
#include "dialects/claudemesh_http.h"
#include "wire/json.h"

namespace signet::admin {
namespace {

std::string accepted_hook(const std::string& presence) {
  wire::JsonWriter json;
  json.object().key("ok").value(true);
  if (presence.empty()) {
    json.key("pending").value(true);
  } else {
    json.key("presence_id").value(presence);
  }
  return json.end().take();
}

// Asks every shard in turn whether it has the process; the last one answers.
struct HookSearch : std::enable_shared_from_this<HookSearch> {
  std::vector<broker::Broker*> brokers;
  broker::HookTarget target;
  dialects::Status status;
  std::string presence;
  std::size_t next = 0;
  bool remember = false;  // second round: nobody has it yet
  std::function<void(net::HttpResponse)> reply;

  void step() {
    brokers[next]->mailbox().post([self = shared_from_this()] { self->visit(); });
  }
  void visit() {
    broker::Broker& here = *brokers[next];
    std::string found =
        remember ? here.apply_or_remember_hook(target, status) : here.apply_hook(target, status);
    if (!found.empty()) presence = std::move(found);
    if (++next < brokers.size()) return step();
    if (presence.empty() && !remember) {
      remember = true;
      next = 0;
      return step();
    }
    reply(json_response(200, accepted_hook(presence)));
  }
};

}  // namespace

net::HttpResponse Admin::refuse_join(JoinRefusal code, const net::PeerAddress& peer) {
  join_refused_[code].add();
  shared_.control_trail.note(audit::Event::kRefused, {}, {}, peer, name_of(code));
  if (const auto repeated = join_refused_log_.take(code, shared_.clock.elapsed())) {
    log(LogLevel::kWarn, "join.refused",
        {{"reason", name_of(code)}, {"repeated", *repeated}, {"peer", peer.text()}});
  }
  wire::JsonWriter json;
  json.object().key("ok").value(false).key("error").value(name_of(code)).end();
  return json_response(code == JoinRefusal::kUnavailable ? 503 : 400, json.take());
}

void Admin::join(const Call& call) {
  const auto refuse = [&](JoinRefusal code) { call.reply(refuse_join(code, call.peer)); };
  const auto body = dialects::read_join(call.body);
  if (!body.ok()) return refuse(JoinRefusal::kBadRequest);
  const std::string& hex =
      std::visit([](const auto& b) -> const std::string& { return b.pubkey; }, *body);
  const auto key = crypto::public_key_from_hex(hex);
  const bool usable = key && crypto::is_enrollable(*key) &&
                      (options_.allow_sample_keys || !crypto::is_published_sample(*key));
  if (!usable) return refuse(JoinRefusal::kBadKey);

  const auto answer = [this, reply = call.reply,
                       peer = call.peer](const controller::JoinOutcome& outcome) {
    if (const auto* code = std::get_if<JoinRefusal>(&outcome)) {
      return reply(refuse_join(*code, peer));
    }
    const auto& joined = std::get<controller::Joined>(outcome);
    joined_.add(joined.already ? 0 : 1);
    wire::JsonWriter json;
    json.object().key("ok").value(true).key("memberId").value(joined.member_id);
    if (joined.already) json.key("alreadyMember").value(true);
    reply(json_response(200, json.end().take()));
  };
  if (const auto* invited = std::get_if<dialects::JoinByInvite>(&*body)) {
    return controller_.join({invited->claim, invited->token, *key, invited->display_name}, answer);
  }
  const auto& open = std::get<dialects::JoinWithoutInvite>(*body);
  controller_.join_without_invite(open.mesh_id, *key, open.display_name, answer);
}

// Without a credential only a program on this machine may post: nobody behind a proxy here, and no
// web page: a browser always sends Origin on a cross-site POST, and a rebound name shows in Host.
bool Admin::may_post_hook(const Call& call) const {
  return call.peer.is_loopback() && !call.forwarded && !call.origin &&
         names_this_machine(call.host);
}

void Admin::set_status(const Call& call) {
  hook_requests_.add();
  if (!may_post_hook(call)) return call.reply(text_response(403, "hooks are local only"));
  if (call.body.size() > options_.max_hook_body) {
    return call.reply(text_response(413, "payload too large"));
  }
  const auto hook = dialects::read_hook_status(call.body);
  if (!hook.ok()) {
    return call.reply(json_response(200, R"({"ok":false,"error":"cwd and status required"})"));
  }
  const std::string process = std::to_string(hook->pid) + ":" + hook->cwd;
  if (!hook_rates_.take(process, shared_.clock.elapsed())) {
    hook_limited_.add();
    return call.reply(text_response(429, "rate limited"));
  }
  auto search = std::make_shared<HookSearch>();
  search->brokers = shared_.brokers;
  search->target = {hook->pid, hook->cwd};
  search->status = hook->status;
  search->reply = call.reply;
  search->step();
}

}  // namespace signet::admin
