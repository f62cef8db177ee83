// What nodes of the overlay write, and what they are told.
#include <cstdlib>
#include <utility>

#include "base/encoding.h"
#include "dialects/overlay.h"
#include "wire/canonical_json.h"
#include "wire/json.h"

namespace signet::dialects {
namespace {

using overlay::Submission;
using wire::JsonWriter;

double number_of(overlay::Score score) {
  return static_cast<double>(score.millionths) / overlay::Score::kOne;
}

void write_mesh(JsonWriter& json, std::string_view mesh) {
  if (!mesh.empty()) json.key("mesh_id").value(mesh);
}

// Without the signatures; members in any order, since canonical() sorts them.
JsonWriter open_body(const Submission& submission, std::string_view mesh) {
  JsonWriter json;
  json.object().key("node_id").value(submission.node);
  write_mesh(json, mesh);
  json.key("timestamp").value(iso8601(submission.timestamp));
  json.key("suite_version").value(submission.suite);
  json.key("scores").object();
  for (const auto& [name, score] : submission.scores) json.key(name).value(number_of(score));
  json.end();
  if (!submission.notes.empty()) json.key("notes").value(submission.notes);
  if (submission.sequence) json.key("sequence").value(*submission.sequence);
  if (!submission.nonce.empty()) json.key("nonce").value(submission.nonce);
  if (submission.fresh_key) json.key("epk").value(to_base64(*submission.fresh_key));
  return json;
}

JsonWriter open_body(const NodeRegistration& registration, std::string_view mesh) {
  JsonWriter json;
  json.object().key("node_id").value(registration.node);
  write_mesh(json, mesh);
  json.key("key").value(crypto::to_hex(registration.key));
  json.key("wireguard").value(to_base64(registration.wireguard));
  if (!registration.endpoint.empty()) json.key("endpoint").value(registration.endpoint);
  if (!registration.invite.empty()) json.key("invite").value(registration.invite);
  json.key("timestamp").value(iso8601(registration.timestamp));
  return json;
}

JsonWriter open_body(const NodeRekey& rekey, std::string_view mesh) {
  JsonWriter json;
  json.object().key("node_id").value(rekey.node);
  write_mesh(json, mesh);
  json.key("wireguard").value(to_base64(rekey.wireguard));
  if (rekey.key) json.key("key").value(crypto::to_hex(*rekey.key));
  json.key("timestamp").value(iso8601(rekey.timestamp));
  return json;
}

std::string canonical_of(JsonWriter json) {
  json.end();
  wire::JsonDocument document;
  // What a writer made is strict JSON, unless a member holds what is no UTF-8, which it replaces.
  if (!document.parse(json.text()).ok()) std::abort();
  auto text = wire::canonical(document.root());
  if (!text.ok()) std::abort();
  return *std::move(text);
}

void write_benchmark(JsonWriter& json, const std::optional<OverlayBenchmark>& benchmark) {
  if (!benchmark) {
    json.null();
    return;
  }
  json.object().key("overall").value(number_of(benchmark->overall));
  json.key("timestamp").value(iso8601(benchmark->timestamp));
  json.key("suite_version").value(benchmark->suite).end();
}

void write_time(JsonWriter& json, const std::optional<WallTime>& time) {
  if (time) {
    json.value(iso8601(*time));
  } else {
    json.null();
  }
}

void write_hash(JsonWriter& json, std::string_view hash) {
  json.key("secret_hash");
  if (hash.empty()) {
    json.null();
  } else {
    json.value(hash);
  }
}

void write_epoch_id(JsonWriter& json, const std::optional<std::uint64_t>& epoch) {
  if (epoch) {
    json.value(*epoch);
  } else {
    json.null();
  }
}

void write_keys(JsonWriter& json, const OverlayKeys& keys) {
  json.key("keys").object().key("current").value(keys.offer.current).key("next");
  write_epoch_id(json, keys.offer.next);
  json.key("moment_utc");
  write_time(json, keys.offer.moment);
  json.key("previous");
  write_epoch_id(json, keys.offer.previous);
  json.key("sealed").array();
  for (const OverlaySealed& each : keys.sealed) {
    json.object().key("epoch_id").value(each.epoch);
    json.key("box").value(to_base64(bytes_of(each.box))).end();
  }
  json.end().end();
}

}  // namespace

std::string text_to_sign(const Submission& submission, std::string_view mesh) {
  return std::string(kSubmissionDomain) + canonical_of(open_body(submission, mesh));
}

std::string text_to_sign(const NodeRegistration& registration, std::string_view mesh) {
  return std::string(kRegistrationDomain) + canonical_of(open_body(registration, mesh));
}

std::string text_to_sign(const NodeRekey& rekey, std::string_view mesh) {
  return std::string(kRekeyDomain) + canonical_of(open_body(rekey, mesh));
}

std::string write_submission(const Submission& submission, std::string_view mesh) {
  JsonWriter json = open_body(submission, mesh);
  if (submission.signature) json.key("signature").value(to_hex(*submission.signature));
  return canonical_of(std::move(json));
}

std::string write_registration(const NodeRegistration& registration, std::string_view mesh) {
  JsonWriter json = open_body(registration, mesh);
  json.key("signature").value(to_hex(registration.signature));
  return canonical_of(std::move(json));
}

std::string write_rekey(const NodeRekey& rekey, std::string_view mesh) {
  JsonWriter json = open_body(rekey, mesh);
  json.key("signature").value(to_hex(rekey.signature));
  if (rekey.key_signature) json.key("key_signature").value(to_hex(*rekey.key_signature));
  return canonical_of(std::move(json));
}

std::string write_node_authorization(const overlay::NodeRequest& request) {
  return "Signet-Node " + request.node + " " + std::to_string(request.at.ms) + " " + request.nonce +
         " " + to_hex(request.signature);
}

std::string config_target(std::string_view node, const NodeKeysSaid& said) {
  std::string target = "/v1/config/" + std::string(node);
  char before = '?';
  for (const auto& [name, epoch] : {std::pair("ready=", said.ready), {"uses=", said.uses}}) {
    if (!epoch) continue;
    target.append(1, before).append(name).append(std::to_string(*epoch));
    before = '&';
  }
  return target;
}

std::string write_received(std::string_view node, std::uint64_t epoch) {
  JsonWriter json;
  json.object().key("status").value("received").key("node_id").value(node);
  json.key("epoch_id").value(epoch).end();
  return json.take();
}

std::string write_detail(std::string_view detail, std::string_view code) {
  JsonWriter json;
  json.object().key("detail").value(detail);
  if (!code.empty()) json.key("code").value(code);
  json.end();
  return json.take();
}

std::string write_epoch(const OverlayEpoch& epoch, const std::vector<OverlayMember>& members) {
  JsonWriter json;
  json.object().key("epoch_id").value(epoch.id).key("expiry_utc");
  write_time(json, epoch.expiry);
  write_hash(json, epoch.secret_hash);
  json.key("nodes").object();
  for (const OverlayMember& member : members) {
    json.key(member.node).object().key("membership").value(overlay::name_of(member.verdict));
    json.key("reason").value(member.reason).end();
  }
  json.end().end();
  return json.take();
}

std::string write_status(const OverlayEpoch& epoch, const std::vector<OverlayMember>& members) {
  JsonWriter json;
  json.object().key("epoch").object().key("id").value(epoch.id).key("expiry_utc");
  write_time(json, epoch.expiry);
  write_hash(json, epoch.secret_hash);
  json.end().key("nodes").object();
  for (const OverlayMember& member : members) {
    json.key(member.node).object().key("membership").value(overlay::name_of(member.verdict));
    json.key("last_update_utc");
    write_time(json, member.last_update);
    json.key("last_benchmark");
    write_benchmark(json, member.benchmark);
    json.key("reason").value(member.reason).end();
  }
  json.end().end();
  return json.take();
}

std::string write_config(const OverlayConfig& config, std::string_view psk_base64) {
  JsonWriter json;
  json.object().key("node_id").value(config.node).key("epoch_id").value(config.epoch);
  json.key("allowed");
  if (config.allowed) {
    json.value(*config.allowed);
  } else {
    json.null();
  }
  json.key("reason").value(config.reason);
  if (!psk_base64.empty()) json.key("psk_base64").value(psk_base64);
  if (config.keys) write_keys(json, *config.keys);
  if (config.revocations > 0) json.key("revocations").value(config.revocations);
  json.end();
  return json.take();
}

}  // namespace signet::dialects
