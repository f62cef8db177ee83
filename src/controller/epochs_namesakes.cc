// An operator's word on a node, and the node's namesake: the member without a key whose id is the
// name of a node that has one. Its token, certificate or secret was issued under the node's name,
// so it is that node, and one standing ends the sockets and leases of both. What the node's
// standing narrowed is given back with it; what an operator said of the namesake itself stays.
#include <algorithm>
#include <utility>

#include "controller/epochs.h"
#include "membership/standing.h"

namespace signet::controller {
namespace {

using membership::Standing;
using overlay::Node;

constexpr std::string_view kByOperator = "operator";

bool is_out(Standing standing) {
  return standing == Standing::kQuarantined || standing == Standing::kRevoked;
}

// Whoever shows the mesh's shared secret is nobody's namesake.
bool may_be_namesake(const membership::Member& member) {
  return !member.key && member.id != membership::kSharedMember;
}

}  // namespace

const membership::Member* Epochs::namesake_of(const Node& node) const {
  const membership::MeshSnapshot* mesh = controller_.table().mesh(mesh_);
  const membership::Member* member =
      mesh == nullptr || !node.key ? nullptr : mesh->member_with_id(node.name);
  return member != nullptr && may_be_namesake(*member) ? member : nullptr;
}

const Node* Epochs::node_of_namesake(const membership::Member& member) const {
  const Node* known = may_be_namesake(member) ? node(member.id) : nullptr;
  return known != nullptr && known->key ? known : nullptr;
}

bool Epochs::has_namesake_left(const Node& node) const {
  const membership::Member* namesake = is_out(standing_of(node)) ? namesake_of(node) : nullptr;
  return namesake != nullptr && !is_out(namesake->standing);
}

bool Epochs::keeps_out(MeshNumber mesh, const std::string& id) const {
  const Node* its = loaded_ && mesh == mesh_ ? node(id) : nullptr;
  return its != nullptr && its->key && is_out(standing_of(*its));
}

void Epochs::narrow_namesake(Standing standing, Node& node,
                             std::vector<membership::Change>& changes) const {
  const membership::Member* namesake = namesake_of(node);
  if (namesake == nullptr) return node.namesake_was.reset();
  const Standing its = namesake->standing;
  Standing to = its;
  if (is_out(standing)) {
    to = std::max(its, standing);  // a quarantine takes back no revocation
    if (to != its && !node.namesake_was) node.namesake_was = its;
  } else if (const auto was = std::exchange(node.namesake_was, std::nullopt)) {
    to = *was;
  }
  if (to != its) changes.emplace_back(membership::StandingChanged{namesake->number, its, to});
}

bool Epochs::take_standing(MeshNumber mesh, MemberNumber number, Standing standing,
                           const std::function<void(Status)>& answer) {
  const membership::MeshSnapshot* known = controller_.table().mesh(mesh_);
  const membership::Member* member =
      !loaded_ || mesh != mesh_ || known == nullptr ? nullptr : known->member(number);
  if (member == nullptr) return false;
  const Node* other = node_of_namesake(*member);
  const auto own = std::find_if(nodes_.begin(), nodes_.end(), [&](const auto& entry) {
    return entry.second.node.member == number;
  });
  if (other == nullptr && own == nodes_.end()) return false;
  const std::string name = other == nullptr ? own->first : other->name;
  const bool waits = wait_for(name, [this, number, standing, answer] {
    controller_.set_standing(mesh_, number, standing, answer);  // whose it is by then
  });
  if (waits) return true;
  const auto change = controller_.standing_change(mesh_, number, standing);
  const bool is_bound = other != nullptr && is_out(standing_of(*other)) && !is_out(standing);
  if (!change.ok()) {
    answer(change.error());
  } else if (is_bound) {
    answer(Error{ErrorCode::kConflict, "it has the name of node " + name + ", which is " +
                                           std::string(name_of(standing_of(*other)))});
  } else {
    keep_standing(other == nullptr ? own->second.node : *other, other == nullptr, standing, *change,
                  answer);
  }
  return true;
}

// The word on the node's own member, or on its namesake. A quarantine that only the rule had said
// is the operator's from then on, and so is what the node had made of its namesake: no score lifts
// either, and no release of the node.
void Epochs::keep_standing(const Node& before, bool is_own, Standing standing,
                           const std::optional<membership::StandingChanged>& change,
                           const std::function<void(Status)>& answer) {
  Node after = before;
  Beside beside;
  beside.by = kByOperator;
  if (change) beside.changes.emplace_back(*change);
  if (is_own) {
    if (standing == Standing::kQuarantined) after.denied_by_rule = false;
    narrow_namesake(standing, after, beside.changes);
  } else {
    after.namesake_was.reset();
  }
  if (beside.changes.empty() && after == before) return answer(Done{});
  write(after, std::move(beside), answer);
}

}  // namespace signet::controller
