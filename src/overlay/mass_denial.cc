#include "overlay/mass_denial.h"

namespace signet::overlay {
namespace {

bool is_over(const Denials& denials, std::uint32_t most_permille) {
  return denials.going * 1'000 > denials.members * most_permille;
}

bool is_mass(const Denials& denials, std::uint32_t most_permille) {
  return denials.going > 1 && is_over(denials, most_permille);
}

// Names that nobody proved are as many as somebody likes, so they speak for themselves alone.
bool speaks_for_itself(std::string_view group, const Denials& denials,
                       std::uint32_t most_permille) {
  return group == kUnsignedGroup || !is_over({denials.members, 1}, most_permille);
}

void add(const Denials& more, Denials& sum) {
  sum.members += more.members;
  sum.going += more.going;
}

}  // namespace

std::string_view group_of(const Node& node) {
  return node.key ? std::string_view(node.brought_by) : kUnsignedGroup;
}

std::set<std::string, std::less<>> held_groups(const DenialsByGroup& groups,
                                               std::uint32_t most_permille) {
  std::set<std::string, std::less<>> held, small;
  Denials whole, rest;
  for (const auto& [group, denials] : groups) {
    add(denials, whole);
    const bool over = is_over(denials, most_permille);
    const bool speaks = speaks_for_itself(group, denials, most_permille);
    if (over) (speaks ? held : small).insert(group);
    if (!over || !speaks) add(denials, rest);
  }
  if (!is_mass(whole, most_permille)) return {};
  if (is_mass(rest, most_permille)) held.merge(small);
  return held;
}

}  // namespace signet::overlay
