// How nodes come in and change their keys, over HTTP: what is read and proven of it. Whether it
// counts is the controller's business.
#include <utility>

#include "admin/admin.h"
#include "admin/overlay_desk.h"
#include "dialects/claudemesh_http.h"
#include "wire/json.h"

namespace signet::admin {

using overlay::Node;

namespace {

constexpr std::string_view kKeyPath = "/key";

// The link or its token, as it was sent; nullopt: it is none.
std::optional<controller::NewNode::Invite> invite_of(const std::string& text) {
  const std::string_view token = dialects::token_of_link(text);
  auto claim = dialects::read_invite_token(token);
  if (!claim.ok()) return std::nullopt;
  return controller::NewNode::Invite{*std::move(claim), std::string(token)};
}

}  // namespace

// `path`: NAME or NAME/key.
void OverlayDesk::on_node(const Call& call, const std::string& path) {
  const auto address = call.peer.limit_key();
  if (!registrations_.take(std::string(text_of(address)), clock_.elapsed())) {
    return refuse(call, NodeRefusal::kRateLimited);
  }
  const bool is_rekey = path.size() > kKeyPath.size() && path.ends_with(kKeyPath);
  if (!is_rekey) return take_registration(call, path);
  take_rekey(call, path.substr(0, path.size() - kKeyPath.size()));
}

// That it is the key's own wish, its signature says; what lets it in, a door of Epochs.
void OverlayDesk::take_registration(const Call& call, const std::string& node) {
  auto read = dialects::read_registration(call.body, node, mesh_);
  if (const auto* refused = std::get_if<dialects::NodeRefused>(&read)) {
    return refuse(call, refused->code, refused->detail);
  }
  const auto& wanted = std::get<dialects::NodeRegistration>(read);
  const auto unproven = overlay::check_proof(wanted.key, wanted.signed_text, wanted.signature,
                                             wanted.timestamp, options_.proofs, clock_.wall());
  if (unproven) return refuse(call, *unproven);
  controller::NewNode made{wanted.node, wanted.key, wanted.wireguard, wanted.endpoint,
                           wanted.timestamp};
  if (!wanted.invite.empty()) {
    made.invite = invite_of(wanted.invite);
    if (!made.invite) return refuse(call, NodeRefusal::kNotInvited, "the invite is no link");
  }
  made.certificate = call.certificate;
  const Node* known = epochs_.node(node);
  // Of its own key only: whoever signs with another must not spend the times of the node.
  const bool is_its_own = known != nullptr && known->key == wanted.key;
  if (is_its_own && !is_newest(node, wanted.timestamp)) {
    return refuse(call, NodeRefusal::kReplayed);
  }
  epochs_.register_node(made, [this, call, node](const controller::NodeAnswer& answer) {
    tell_node(call, node, "registered", answer);
  });
}

void OverlayDesk::take_rekey(const Call& call, const std::string& name) {
  auto read = dialects::read_rekey(call.body, name, mesh_);
  if (const auto* refused = std::get_if<dialects::NodeRefused>(&read)) {
    return refuse(call, refused->code, refused->detail);
  }
  const auto& wanted = std::get<dialects::NodeRekey>(read);
  const Node* known = epochs_.node(name);
  if (known == nullptr || !known->key) return refuse(call, NodeRefusal::kUnproven);
  const crypto::PublicKey own = *known->key;
  const WallTime now = clock_.wall();
  auto unproven = overlay::check_proof(own, wanted.signed_text, wanted.signature, wanted.timestamp,
                                       options_.proofs, now);
  if (!unproven && wanted.key) {
    unproven = overlay::check_proof(*wanted.key, wanted.signed_text, *wanted.key_signature,
                                    wanted.timestamp, options_.proofs, now);
  }
  if (unproven) return refuse(call, *unproven);
  if (!is_newest(name, wanted.timestamp)) return refuse(call, NodeRefusal::kReplayed);
  controller::NodeRekeyed asked{name, wanted.wireguard, wanted.key, {}};
  asked.word = controller::NodeRekeyed::Word{own, wanted.timestamp};
  epochs_.rekey(asked, [this, call, name](const controller::NodeAnswer& answer) {
    const auto* code = std::get_if<NodeRefusal>(&answer);
    if (code != nullptr && *code == NodeRefusal::kNotInvited) {
      return refuse(call, *code, "the key that signs takes the operators' word here: rekey");
    }
    tell_node(call, name, "rekeyed", answer);
  });
}

void OverlayDesk::tell_node(const Call& call, const std::string& node, std::string_view status,
                            const controller::NodeAnswer& answer) {
  if (const auto* code = std::get_if<NodeRefusal>(&answer)) return refuse(call, *code);
  const Node* made = epochs_.node(node);
  if (made == nullptr) return refuse(call, NodeRefusal::kUnavailable);
  wire::JsonWriter json;
  json.object().key("status").value(status);
  json.key("node_id").value(node);
  json.key("address").value(epochs_.options().subnet.address(made->address));
  call.reply(json_response(200, json.end().take()));
}

}  // namespace signet::admin
