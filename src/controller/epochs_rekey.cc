// Other keys for a node that stays what it is.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "controller/epochs.h"

namespace signet::controller {
namespace {

using overlay::Node;

constexpr std::string_view kByNode = "node";
constexpr std::string_view kByOperators = "operators";

// Of its key for WireGuard; one that signs is in the entries of the members that it was and is. The
// hash is not keyed, as that of a member's key: an auditor can find a known one (docs/audit.md).
audit::Draft entry_of_rekey(MeshNumber mesh, const audit::Pseudonyms& pseudonyms, const Node& node,
                            std::string_view by) {
  audit::Draft draft;
  draft.event = audit::Event::kNodeRekeyed;
  draft.mesh = mesh;
  draft.subject = pseudonyms.of_member(node.member);
  draft.code = "wireguard";
  draft.by = by;
  draft.hash = crypto::digest32("signet audit wireguard key", {text_of(*node.wireguard)});
  return draft;
}

}  // namespace

const Node* Epochs::other_with(const std::string& name, const crypto::PublicKey& key) const {
  const auto found = std::find_if(nodes_.begin(), nodes_.end(), [&](const auto& entry) {
    const bool has_it = entry.second.node.key == key || entry.second.wanted_signer == key;
    return entry.first != name && has_it;
  });
  return found == nodes_.end() ? nullptr : &found->second.node;
}

const Node* Epochs::other_with(const std::string& name, const overlay::WireGuardKey& key) const {
  const auto found = std::find_if(nodes_.begin(), nodes_.end(), [&](const auto& entry) {
    const bool has_it = entry.second.node.wireguard == key || entry.second.wanted_key == key;
    return entry.first != name && has_it;
  });
  return found == nodes_.end() ? nullptr : &found->second.node;
}

void Epochs::rekey(const NodeRekeyed& wanted, const std::function<void(NodeAnswer)>& answer) {
  if (!loaded_ || waiting_.size() >= options_.waiting) return answer(NodeRefusal::kUnavailable);
  if (wait_for(wanted.name, [this, wanted, answer] { rekey(wanted, answer); })) return;
  if (const auto why = refusal_of(wanted)) return answer(*why);
  const Node& known = *node(wanted.name);
  Node after = known;
  Beside beside;
  beside.by = wanted.word ? kByNode : kByOperators;
  if (wanted.wireguard) after.wireguard = wanted.wireguard;
  if (wanted.key && wanted.key != known.key) succeed(wanted, after, beside);
  if (after == known) return answer(Done{});
  if (after.wireguard != known.wireguard) change_wireguard(after, beside);
  // Who took the old keys may have its fresh one as well: nothing is sealed to that any more.
  after.fresh_key.reset();
  if (wanted.word) after.claimed = wanted.word->at;
  write(after, std::move(beside), [name = wanted.name, answer](const Status& status) {
    if (!status.ok()) return answer(NodeRefusal::kUnavailable);
    log(LogLevel::kWarn, "overlay.node_rekeyed", {{"node", name}});
    answer(Done{});
  });
}

// Whichever way it comes to another key: what was sealed to the old fresh one is over, and the log
// says so. REQUIRES: it has one for WireGuard.
void Epochs::change_wireguard(Node& after, Beside& beside) const {
  after.fresh_key.reset();
  if (log_) beside.drafts.push_back(entry_of_rekey(mesh_, log_->pseudonyms, after, beside.by));
}

bool Epochs::is_revoked(const overlay::WireGuardKey& key) const {
  return std::any_of(revocations_.begin(), revocations_.end(),
                     [&](const auto& each) { return each.second.wireguard == key; });
}

const Node* Epochs::successor_of(MemberNumber former) const {
  const auto found = std::find_if(nodes_.begin(), nodes_.end(), [&](const auto& entry) {
    const std::vector<MemberNumber>& before = entry.second.node.former;
    return std::find(before.begin(), before.end(), former) != before.end();
  });
  return found == nodes_.end() ? nullptr : &found->second.node;
}

std::optional<NodeRefusal> Epochs::refusal_of(const NodeRekeyed& wanted) const {
  const Node* known = node(wanted.name);
  if (known == nullptr || !known->key) return NodeRefusal::kUnproven;
  if (standing_of(*known) == membership::Standing::kRevoked) return NodeRefusal::kRevoked;
  if (wanted.word && wanted.word->by != *known->key) return NodeRefusal::kUnproven;
  if (wanted.word && wanted.word->at <= known->claimed) return NodeRefusal::kReplayed;
  const bool same_wireguard =
      wanted.wireguard && other_with(wanted.name, *wanted.wireguard) != nullptr;
  if (same_wireguard) return NodeRefusal::kKeyTaken;
  const auto& wireguard = wanted.wireguard ? wanted.wireguard : known->wireguard;
  if (wireguard && is_revoked(*wireguard)) return NodeRefusal::kRevoked;
  if (!wanted.key || wanted.key == known->key) return std::nullopt;
  return refusal_of_signer(wanted, *known);
}

// A new key that signs is a new member's. On its own word a node would step out of what is said of
// the one that it is: of a quarantine now, and of a revocation that names it.
std::optional<NodeRefusal> Epochs::refusal_of_signer(const NodeRekeyed& wanted,
                                                     const Node& known) const {
  const bool needs_operators = standing_of(known) == membership::Standing::kQuarantined ||
                               known.former.size() >= overlay::kMostFormerMembers;
  if (wanted.word && needs_operators) return NodeRefusal::kNotInvited;
  const bool is_usable =
      crypto::is_enrollable(*wanted.key) && !crypto::is_published_sample(*wanted.key);
  if (!is_usable) return NodeRefusal::kBadKey;
  const membership::MeshSnapshot* mesh = controller_.table().mesh(mesh_);
  const membership::Member* holder = mesh == nullptr ? nullptr : mesh->member(*wanted.key);
  if (holder == nullptr) {
    const bool is_wanted = other_with(wanted.name, *wanted.key) != nullptr;
    return is_wanted ? std::optional(NodeRefusal::kKeyTaken) : std::nullopt;
  }
  const bool is_over = holder->standing == membership::Standing::kRevoked;
  return is_over ? NodeRefusal::kRevoked : NodeRefusal::kKeyTaken;
}

// The member of the new key takes the place of the old one, with all that it was. A quarantine goes
// with it, and who names the old one means the new: another key is no way out.
void Epochs::succeed(const NodeRekeyed& wanted, Node& after, Beside& beside) {
  const membership::MeshSnapshot* mesh = controller_.table().mesh(mesh_);
  const membership::Member& old = *mesh->member(after.member);
  membership::Member made = controller_.new_member(mesh_, old.role, *wanted.key, old.display_name);
  made.standing = old.standing;
  made.tags = old.tags;
  after.key = wanted.key;
  // What the old key signed is nothing under the new one; who took it must not have spent the
  // numbers that are left.
  after.sequence = 0;
  after.member = made.number;
  after.former.push_back(old.number);
  beside.changes.emplace_back(
      membership::StandingChanged{old.number, old.standing, membership::Standing::kRevoked});
  beside.changes.emplace_back(membership::MemberAdded{std::move(made), std::nullopt});
}

}  // namespace signet::controller
