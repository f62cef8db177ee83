#include "admin/overlay_desk.h"

#include <utility>

#include "admin/admin.h"
#include "base/log.h"
#include "crypto/fresh_box.h"
#include "crypto/wipe.h"
#include "overlay/wireguard_config.h"
#include "wire/json.h"

namespace signet::admin {
namespace {

using controller::NodeConfiguration;
using overlay::Node;

constexpr std::string_view kPrefix = "/v1/";

std::string address_of(const broker::HttpCall& call) {
  const auto key = call.peer.limit_key();
  return std::string(text_of(key));
}

net::HttpResponse with_detail(int status, std::string_view detail, std::string_view code) {
  return json_response(status, dialects::write_detail(detail, code));
}

}  // namespace

CodeCounters<NodeRefusal> OverlayDesk::refusals(MetricRegistry& metrics) {
  return {metrics, "signet_overlay_node_refused_total",
          "Registrations and questions of nodes refused, by reason.", "reason", kNodeRefusalCount};
}

Counter& OverlayDesk::limited(MetricRegistry& metrics) {
  return metrics.counter("signet_overlay_rate_limited_total",
                         "Requests beyond the rate of one address.");
}

void OverlayDesk::register_refusals(MetricRegistry& metrics) {
  controller::Epochs::refusals(metrics);
  OperatorsDesk::refusals(metrics);
  refusals(metrics);
  limited(metrics);
}

OverlayDesk::OverlayDesk(const OverlayDeskOptions& options, controller::Epochs& epochs,
                         std::string mesh, broker::AuditTrail& trail, const Clock& clock,
                         MetricRegistry& metrics)
    : options_(options),
      epochs_(epochs),
      mesh_(std::move(mesh)),
      trail_(trail),
      clock_(clock),
      addresses_(options.requests_per_second, options.requests_per_second, options.addresses),
      registrations_(options.registrations_per_minute / 60, options.registrations_per_minute,
                     options.addresses),
      told_(epochs, metrics),
      unread_(metrics, "signet_overlay_unread_total",
              "Bodies that are no submission that could count, by reason.", "reason",
              kSubmissionRefusalCount),
      refused_(refusals(metrics)),
      limited_(limited(metrics)),
      operators_(options.signer, options.open, epochs, mesh_, trail, clock, metrics) {}

void OverlayDesk::answer(const Call& call, bool operates) {
  if (!operates && !addresses_.take(address_of(call), clock_.elapsed())) {
    limited_.add();
    return call.reply(with_detail(429, "too many requests from this address", "rate_limited"));
  }
  const std::string_view rest = std::string_view(call.path).substr(kPrefix.size());
  const auto slash = rest.find('/');
  const std::string_view subject = rest.substr(0, slash);
  const std::string node(slash == rest.npos ? std::string_view() : rest.substr(slash + 1));
  const bool get = call.method == "GET", post = call.method == "POST";
  if (subject == "benchmarks" && post && slash != rest.npos) return take_submission(call, node);
  if (subject == "nodes" && post && slash != rest.npos) return on_node(call, node);
  if (subject == "config" && get && slash != rest.npos) return show_config(call, node, operates);
  if (rest == "epoch" && get) return show_epoch(call, operates);
  if (rest == "rotate" && post) return rotate(call, operates);
  if (operators_.answer(call, rest, operates)) return;
  call.reply(with_detail(404, "no such path", "not_found"));
}

void OverlayDesk::refuse(const Call& call, SubmissionRefusal code, const std::string& detail) {
  trail_.note(audit::Event::kRefused, epochs_.mesh(), {}, call.peer, name_of(code));
  if (const auto repeated = submission_log_.take(code, clock_.elapsed())) {
    log(LogLevel::kWarn, "overlay.submission_refused",
        {{"reason", name_of(code)},
         {"path", call.path},
         {"detail", detail},
         {"repeated", *repeated},
         {"peer", call.peer.text()}});
  }
  call.reply(with_detail(dialects::status_of(code), detail, name_of(code)));
}

void OverlayDesk::refuse(const Call& call, NodeRefusal code, std::string_view detail) {
  refused_[code].add();
  trail_.note(audit::Event::kRefused, epochs_.mesh(), {}, call.peer, name_of(code));
  const std::string_view said = detail.empty() ? meaning_of(code) : detail;
  if (const auto repeated = node_log_.take(code, clock_.elapsed())) {
    log(LogLevel::kWarn, "overlay.node_refused",
        {{"reason", name_of(code)},
         {"path", call.path},
         {"repeated", *repeated},
         {"peer", call.peer.text()}});
  }
  call.reply(with_detail(dialects::status_of(code), said, name_of(code)));
}

void OverlayDesk::take_submission(const Call& call, const std::string& node) {
  auto read = dialects::read_submission(call.body, mesh_);
  if (const auto* refused = std::get_if<dialects::SubmissionRefused>(&read)) {
    unread_[refused->code].add();
    return refuse(call, refused->code, refused->detail);
  }
  auto submission = std::get<overlay::Submission>(std::move(read));
  if (makes_node(submission, node) && !registrations_.take(address_of(call), clock_.elapsed())) {
    limited_.add();
    return refuse(call, SubmissionRefusal::kRateLimited,
                  std::string(overlay::sentence_of(SubmissionRefusal::kRateLimited)));
  }
  auto shared = std::make_shared<const overlay::Submission>(submission);
  epochs_.submit(std::move(submission), node,
                 [this, call, node, shared](const controller::SubmissionAnswer& answer) {
                   if (const auto* code = std::get_if<SubmissionRefusal>(&answer)) {
                     return refuse(call, *code,
                                   overlay::detail_of(*code, *shared, epochs_.options().submissions,
                                                      clock_.wall()));
                   }
                   const auto& received = std::get<controller::Received>(answer);
                   call.reply(json_response(200, dialects::write_received(node, received.epoch)));
                 });
}

// A name that nobody has is a registration where it may come without a signature: it takes a place
// and a line in the log for good.
bool OverlayDesk::makes_node(const overlay::Submission& submission, const std::string& node) const {
  return !submission.signature && epochs_.options().submissions.allow_unsigned &&
         epochs_.node(node) == nullptr;
}

void OverlayDesk::show_epoch(const Call& call, bool operates) {
  if (!operates && !options_.open) {
    return refuse(call, NodeRefusal::kUnproven, "the epoch's members are shown to operators");
  }
  std::vector<dialects::OverlayMember> members;
  epochs_.each_node([&](const Node& node) {
    members.push_back({node.name, node.verdict, node.reason, std::nullopt, std::nullopt});
  });
  const std::string hash = epochs_.secret_hash();
  dialects::OverlayEpoch shown{epoch(), std::nullopt, hash};
  if (shown.id > 0) shown.expiry = epochs_.expires();
  call.reply(json_response(200, dialects::write_epoch(shown, members)));
}

const Node* OverlayDesk::proven(const Call& call, const overlay::NodeRequest& request,
                                const std::string& name) {
  const Node* node = epochs_.node(name);
  const bool known = request.node == name && node != nullptr && node->key;
  if (!known) {
    refuse(call, NodeRefusal::kUnproven);
    return nullptr;
  }
  const std::string target = call.query.empty() ? call.path : call.path + "?" + call.query;
  const auto unproven =
      overlay::check_proof(*node->key, overlay::text_to_sign(request, call.method, target, mesh_),
                           request.signature, request.at, options_.proofs, clock_.wall());
  if (unproven) {
    refuse(call, *unproven);
    return nullptr;
  }
  if (!is_newest(name, request.at)) {
    refuse(call, NodeRefusal::kReplayed);
    return nullptr;
  }
  return node;
}

// The times of what a node signs rise, so that nothing counts twice and no nonce is remembered.
// REQUIRES: its proof is good, or anybody could stop it.
bool OverlayDesk::is_newest(const std::string& name, WallTime at) {
  const auto newest = asked_.find(name);
  if (newest != asked_.end() && at <= newest->second) return false;
  asked_[name] = at;
  return true;
}

// A node of ours is given its keys, sealed to the last fresh key that it signed; an original one
// what it may have without a credential, where the mesh allows that.
void OverlayDesk::show_config(const Call& call, const std::string& name, bool operates) {
  const auto request = dialects::read_node_authorization(call.authorization.reveal());
  if (request) return show_own_config(call, *request, name);
  const bool unsigned_too = epochs_.options().submissions.allow_unsigned;
  if (!operates && !options_.open && !unsigned_too) {
    return refuse(call, NodeRefusal::kUnproven);
  }
  call.reply(json_response(200, config_body(name, epochs_.configuration(name), unsigned_too)));
}

// Of a name that nobody has there is nothing to prove, and what is told of it is nothing: whoever
// submits in a name learns as much.
void OverlayDesk::show_own_config(const Call& call, const overlay::NodeRequest& request,
                                  const std::string& name) {
  const auto said = dialects::read_keys_said(call.query);
  if (!said) return refuse(call, NodeRefusal::kMalformed, "the query is ready=N&uses=N");
  if (request.node == name && epochs_.node(name) == nullptr) {
    return call.reply(json_response(200, config_body(name, epochs_.configuration(name), false)));
  }
  const Node* node = proven(call, request, name);
  if (node == nullptr) return;
  if (said->ready) epochs_.ready(name, *said->ready);
  if (said->uses) epochs_.uses(name, *said->uses);
  const NodeConfiguration found = epochs_.configuration(name);
  // A member that has to submit first is given no peers: it was not told who is one.
  if (found.allowed != true || node->fresh_key) told_.tell(name);
  call.reply(json_response(200, config_body(name, found, true)));
}

std::string OverlayDesk::config_body(const std::string& name, const NodeConfiguration& found,
                                     bool with_keys) const {
  dialects::OverlayConfig config;
  config.node = name;
  config.epoch = found.epoch;
  config.allowed = found.allowed;
  config.reason = found.reason;
  const Node* node = epochs_.node(name);
  if (!with_keys || node == nullptr) return dialects::write_config(config);
  if (found.original) return dialects::write_config(config, found.original->base64().text());
  config.revocations = epochs_.revocations_serial();
  const bool is_member = found.allowed == true && found.keys.current > 0;
  if (!is_member || !node->fresh_key) return dialects::write_config(config);
  config.keys.emplace();
  config.keys->offer = found.keys;
  const auto add = [&](std::uint64_t epoch, bool other) {
    auto box = sealed(*node, found, epoch, other);
    if (box.ok()) config.keys->sealed.push_back({epoch, *std::move(box)});
  };
  add(found.keys.current, false);
  if (found.keys.next) add(*found.keys.next, true);
  if (found.keys.previous) add(*found.keys.previous, true);
  return dialects::write_config(config);
}

// What the node's WireGuard is to have under the keys of one epoch, without its private key.
Result<std::string> OverlayDesk::sealed(const Node& node, const NodeConfiguration& found,
                                        std::uint64_t epoch, bool other) const {
  const overlay::Subnet& subnet = epochs_.options().subnet;
  overlay::WireGuardConfig config;
  config.address = subnet.network + found.address;
  config.bits = subnet.bits;
  for (const controller::PeerKeys& peer : found.peers) {
    overlay::WireGuardPeer written;
    written.key = peer.key;
    written.allowed_ip = subnet.network + peer.address;
    if (!peer.endpoint.empty()) {
      SIGNET_TRY(written.endpoint, overlay::Endpoint::of(peer.endpoint));
    }
    if (other && !peer.other) continue;
    const overlay::PresharedKey& key = other ? *peer.other : peer.current;
    written.preshared = SecretBytes(key.bytes.text());
    config.peers.push_back(std::move(written));
  }
  SIGNET_TRY(const SecretBytes text, write(config, overlay::WireGuardForm::kQuick));
  return crypto::seal_to_fresh(*node.fresh_key, overlay::delivery_context(mesh_, node.name, epoch),
                               text.text());
}

void OverlayDesk::rotate(const Call& call, bool operates) {
  if (!operates) {
    const bool without = call.authorization.empty();
    return call.reply(with_detail(without ? 401 : 403, "the operator token is needed", "denied"));
  }
  epochs_.decide_now([this, call](const Status& status) {
    if (!status.ok()) {
      return call.reply(with_detail(503, "the store could not keep it", "unavailable"));
    }
    wire::JsonWriter json;
    json.object().key("status").value("rotated").key("epoch_id").value(epoch());
    call.reply(json_response(200, json.end().take()));
  });
}

}  // namespace signet::admin
