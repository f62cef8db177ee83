// How a node comes in: what lets it, whose it is, and what is refused.
#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "base/log.h"
#include "controller/epochs.h"
#include "overlay/wireguard_config.h"

namespace signet::controller {
namespace {

using membership::Member;
using membership::Standing;
using overlay::Node;

constexpr std::string_view kByList = "list";
constexpr std::string_view kByCertificate = "certificate";

}  // namespace

void Epochs::register_node(const NewNode& wanted, const std::function<void(NodeAnswer)>& answer) {
  if (!loaded_ || waiting_.size() >= options_.waiting) return answer(NodeRefusal::kUnavailable);
  if (wait_for(wanted.name, [this, wanted, answer] { register_node(wanted, answer); })) return;
  auto made = node_for(wanted);
  if (const auto* why = std::get_if<NodeRefusal>(&made)) return answer(*why);
  auto& [after, beside] = std::get<Registered>(made);
  const Node* known = node(wanted.name);
  if (known != nullptr) {
    Node same = after;
    same.claimed = known->claimed;
    if (*known == same) return answer(Done{});
    if (known->wireguard != after.wireguard) change_wireguard(after, beside);
  }
  write(after, std::move(beside), [answer](const Status& status) {
    if (!status.ok()) return answer(NodeRefusal::kUnavailable);
    answer(Done{});
  });
}

// A node is the credential of one member: its key signs, and its standing is the member's.
std::variant<NodeRefusal, Epochs::Registered> Epochs::node_for(const NewNode& wanted) {
  if (!overlay::is_node_name(wanted.name)) return NodeRefusal::kBadName;
  if (!wanted.endpoint.empty() && !overlay::Endpoint::of(wanted.endpoint).ok()) {
    return NodeRefusal::kBadEndpoint;
  }
  auto entered = entrance_for(wanted);
  if (const auto* why = std::get_if<NodeRefusal>(&entered)) return *why;
  auto& entrance = std::get<Entrance>(entered);
  if (const auto why = refusal_of_names(wanted)) return *why;
  const Node* known = node(wanted.name);
  if (known == nullptr) {
    if (nodes_.size() >= options_.nodes) return NodeRefusal::kTooManyNodes;
    if (has_brought_many(entrance.brought_by)) return NodeRefusal::kTooManyNodes;
  }
  const auto place = places_.place_for(wanted.name);
  if (!place) return NodeRefusal::kNoAddress;
  Registered made;
  made.node = known == nullptr ? Node() : *known;
  made.node.name = wanted.name;
  made.node.member = entrance.member.number;
  made.node.key = wanted.key;
  made.node.wireguard = wanted.wireguard;
  made.node.endpoint = wanted.endpoint;
  made.node.address = *place;
  if (wanted.signed_at) made.node.claimed = *wanted.signed_at;
  if (known == nullptr) made.node.brought_by = std::move(entrance.brought_by);
  made.beside.changes = std::move(entrance.changes);
  made.beside.by = entrance.by;
  return made;
}

// What is wrong with the names and keys that it asks for, with what is here already.
std::optional<NodeRefusal> Epochs::refusal_of_names(const NewNode& wanted) const {
  const Node* known = node(wanted.name);
  if (known != nullptr && known->key != wanted.key) return NodeRefusal::kNameTaken;
  if (known == nullptr && is_name_of_subject(wanted)) return NodeRefusal::kNameTaken;
  const bool replayed = known != nullptr && wanted.signed_at && *wanted.signed_at <= known->claimed;
  if (replayed) return NodeRefusal::kReplayed;
  if (is_revoked(wanted.wireguard)) return NodeRefusal::kRevoked;
  const bool is_taken = other_with(wanted.name, wanted.key) != nullptr ||
                        other_with(wanted.name, wanted.wireguard) != nullptr;
  return is_taken ? std::optional(NodeRefusal::kKeyTaken) : std::nullopt;
}

// A user of Hub, an engine or a source that is here goes where the node of its name goes, so that
// name is nobody's for the asking: its key is on the list, or an authority says that it is its.
bool Epochs::is_name_of_subject(const NewNode& wanted) const {
  const membership::MeshSnapshot* mesh = controller_.table().mesh(mesh_);
  const Member* member = mesh == nullptr ? nullptr : mesh->member_with_id(wanted.name);
  const auto listed = options_.doors.listed.find(wanted.name);
  const bool is_listed = listed != options_.doors.listed.end() && listed->second == wanted.key;
  const bool is_certified = options_.doors.certificates && wanted.certificate == wanted.name;
  return member != nullptr && !member->key && !is_listed && !is_certified;
}

// The doors in the order of what they are worth: a key that is a member's or was named beforehand,
// the word of an authority, and last a link, of which a use is counted.
std::variant<NodeRefusal, Epochs::Entrance> Epochs::entrance_for(const NewNode& wanted) {
  const RegistrationDoors& doors = options_.doors;
  const membership::MeshSnapshot* mesh = controller_.table().mesh(mesh_);
  if (mesh == nullptr) return NodeRefusal::kUnavailable;
  const Member* member = mesh->member(wanted.key);
  if (member != nullptr && member->standing == Standing::kRevoked) return NodeRefusal::kRevoked;
  const Node* known = node(wanted.name);
  const bool is_its_own = known != nullptr && known->key == wanted.key;
  if (member != nullptr && (doors.members || is_its_own)) return Entrance{*member};

  const bool is_usable =
      crypto::is_enrollable(wanted.key) && !crypto::is_published_sample(wanted.key);
  if (!is_usable) return NodeRefusal::kBadKey;
  const auto enter = [&](membership::Role role, std::string_view by, std::string brought_by,
                         std::optional<crypto::Digest32> invite) {
    Entrance entrance;
    entrance.by = by;
    entrance.brought_by = std::move(brought_by);
    if (member != nullptr) {
      entrance.member = *member;
      return entrance;
    }
    entrance.member = controller_.new_member(mesh_, role, wanted.key, wanted.name);
    entrance.changes.emplace_back(membership::MemberAdded{entrance.member, invite});
    return entrance;
  };
  const auto listed = doors.listed.find(wanted.name);
  if (listed != doors.listed.end() && listed->second == wanted.key) {
    return enter(membership::Role::kMember, kByList, std::string(kByList), std::nullopt);
  }
  if (doors.certificates && wanted.certificate == wanted.name) {
    return enter(membership::Role::kMember, kByCertificate, std::string(kByCertificate),
                 std::nullopt);
  }
  if (!doors.invites || !wanted.invite) return NodeRefusal::kNotInvited;
  const auto& [claim, token] = *wanted.invite;
  if (claim.mesh_id != mesh->mesh().id) return NodeRefusal::kNotInvited;
  const auto decision =
      membership::decide_join(controller_.table(), claim, token, wanted.key, clock_.wall());
  if (const auto* why = std::get_if<JoinRefusal>(&decision)) {
    tell_of_invite(wanted, *why);
    if (*why == JoinRefusal::kMemberRevoked) return NodeRefusal::kRevoked;
    return *why == JoinRefusal::kUnavailable ? NodeRefusal::kUnavailable : NodeRefusal::kNotInvited;
  }
  const crypto::Digest32 digest = membership::invite_digest(token);
  std::string owner = std::string(kByInvite) + ":" + to_hex(digest);
  const auto* admit = std::get_if<membership::Admit>(&decision);
  return enter(admit == nullptr ? membership::Role::kMember : admit->role, kByInvite,
               std::move(owner), admit == nullptr ? std::nullopt : std::optional(digest));
}

// Anybody who has a link, of whatever mesh, may cause it as often as the rate of its address
// allows.
void Epochs::tell_of_invite(const NewNode& wanted, JoinRefusal why) {
  const auto repeated = invite_log_.take(why, clock_.elapsed());
  if (!repeated) return;
  log(LogLevel::kWarn, "overlay.invite_refused",
      {{"node", wanted.name}, {"reason", name_of(why)}, {"repeated", *repeated}});
}

// The configuration names each node of its list, and a member is one node: neither is counted.
bool Epochs::has_brought_many(const std::string& owner) const {
  const std::size_t most = options_.nodes_per_owner;
  if (most == 0 || owner.empty() || owner == kByList) return false;
  const auto brought = std::count_if(nodes_.begin(), nodes_.end(), [&](const auto& entry) {
    return entry.second.node.brought_by == owner;
  });
  return static_cast<std::size_t>(brought) >= most;
}

}  // namespace signet::controller
