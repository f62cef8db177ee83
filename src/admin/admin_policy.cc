// What the operator's API says of policies: which one holds, what it would decide, and why it said
// no.
#include "admin/admin.h"
#include "admin/operator_answers.h"
#include "admin/operator_bodies.h"
#include "wire/json.h"

namespace signet::admin {
namespace {

using wire::JsonWriter;

void write_decision(JsonWriter& json, const broker::RefusedDecision& decision) {
  json.object().key("id").value(decision.id).key("at").value(iso8601(decision.at));
  json.key("mesh").value(decision.mesh).key("who").value(decision.who).key("roles").array();
  for (const std::string& role : decision.roles) json.value(role);
  json.end().key("action").value(decision.action).key("on").value(decision.on);
  json.key("allowed").value(false).key("rule");
  if (decision.rule.empty()) {
    json.null();
  } else {
    json.value(decision.rule);
  }
  json.key("code").value(decision.code).end();
}

}  // namespace

void Admin::show_policy(const Call& call, const membership::MeshSnapshot& mesh) {
  const auto rules_now = rules();
  const broker::MeshRules& its = rules_now->of(mesh.mesh().slug);
  JsonWriter json;
  json.object().key("text").value(its.policy->text()).key("source").value(its.source);
  json.key("loaded_at").value(iso8601(its.loaded));
  json.key("rules").value(std::uint64_t{its.policy->rules()});
  call.reply(succeeded(json.end().take()));
}

// Who is named by key or source has the roles of that member now, under the best proof it has.
void Admin::explain_policy(const Call& call, const membership::MeshSnapshot& mesh) {
  const auto body = read_explain(call.body);
  if (!body.ok()) return call.reply(failed(400, "bad_request", body.error().detail));
  const auto rules_now = rules();
  const trust::Policy& policy = *rules_now->of(mesh.mesh().slug).policy;
  trust::Roles roles = 0;
  trust::Proof proof = trust::Proof::kKey;
  if (body->roles) {
    for (const std::string& name : *body->roles) {
      const trust::Roles role = policy.role_named(name);
      if (role == 0) return call.reply(failed(404, "not_found", "no such role: " + name));
      roles |= role;
    }
  } else {
    const membership::SourceSecret* secret =
        body->source.empty() ? nullptr : mesh.secret_for(body->source);
    const bool shared = secret != nullptr && secret->shared;
    const membership::Member* member = body->pubkey        ? mesh.member(*body->pubkey)
                                       : secret == nullptr ? nullptr
                                                           : mesh.member(secret->member);
    if (member == nullptr) return call.reply(failed(404, "not_found", "no such member or source"));
    proof = body->pubkey ? trust::Proof::kKey
            : shared     ? trust::Proof::kShared
                         : trust::Proof::kSecret;
    trust::Subject subject;
    subject.member = proof > trust::Proof::kShared;
    subject.admin = subject.member && member->role == membership::Role::kAdmin;
    subject.id = member->id;
    subject.source = body->source;
    subject.tags = &member->tags;
    subject.proof = proof;
    roles = policy.roles_of(subject);
  }
  const trust::Decision decision = policy.decide(roles, proof, body->action, body->on);
  JsonWriter json;
  json.object().key("allowed").value(decision.allowed).key("rule");
  if (decision.rule.empty()) {
    json.null();
  } else {
    json.value(decision.rule);
  }
  json.key("roles").array();
  for (const std::string& name : policy.names_of(roles)) json.value(name);
  json.end().key("matched").array();
  for (const trust::Match& match : policy.matches(roles, proof, body->action, body->on)) {
    json.object().key("rule").value(match.rule);
    json.key("effect").value(trust::name_of(match.effect)).end();
  }
  json.end().key("because").value(policy.explanation(roles, proof, body->action, body->on));
  call.reply(succeeded(json.end().take()));
}

void Admin::show_decision(const Call& call, std::string_view id) {
  const broker::RefusedDecision* decision = shared_.decisions.find(id);
  if (decision == nullptr) {
    return call.reply(failed(404, "not_found", "no such refusal, or it was too long ago"));
  }
  JsonWriter json;
  write_decision(json, *decision);
  call.reply(succeeded(json.take()));
}

void Admin::list_decisions(const Call& call) {
  JsonWriter json;
  json.object().key("decisions").array();
  for (const broker::RefusedDecision* each : shared_.decisions.latest(options_.page)) {
    write_decision(json, *each);
  }
  call.reply(succeeded(json.end().end().take()));
}

}  // namespace signet::admin
