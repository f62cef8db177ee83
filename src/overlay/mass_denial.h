// Denials that are too many for one step wait for operators: a broken clock or a bad threshold must
// not take a mesh apart. What speaks for such a fault is that nodes of many hands fall together, so
// a crowd that one hand brought must not keep the others in: the bound is that of the whole mesh,
// and of each group in it. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "overlay/node.h"

namespace signet::overlay {

inline constexpr std::string_view kUnsignedGroup = "unsigned";

// Who let the node in: nobody (unsigned), an invite, the list, certificates; the members whose own
// key was enough are one group, "". Borrowed of the node.
std::string_view group_of(const Node& node);

// Of one group in one step.
struct Denials {
  std::size_t members = 0;  // that it had
  std::size_t going = 0;    // of them, by the rule
};
using DenialsByGroup = std::map<std::string, Denials, std::less<>>;

// The groups of which none goes. Nobody is held while the whole mesh is within the bound, and none
// of a group that is within it; a single node is no mass. Those that are over it are set aside. Of
// a group so small that one node alone is over the bound that says nothing: it is held only where
// what is left of the mesh, all such groups together, is over the bound as well.
std::set<std::string, std::less<>> held_groups(const DenialsByGroup& groups,
                                               std::uint32_t most_permille);

}  // namespace signet::overlay
