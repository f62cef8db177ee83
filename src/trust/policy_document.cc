#include "trust/policy_document.h"

#include <algorithm>
#include <iterator>

namespace signet::trust {
namespace {

constexpr std::size_t kMaxToldFaults = 100;  // nobody mends more before the next try

using Names = std::vector<std::string>;

template <class Enum>
std::optional<Enum> named(const Names& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(std::distance(names.begin(), found));
}

}  // namespace

const std::vector<std::string>& action_names() {
  static const Names names{"connect",      "publish",      "subscribe", "send",
                           "read_history", "see_presence", "dispatch",  "administer"};
  return names;
}
std::string_view name_of(Action action) { return action_names()[static_cast<std::size_t>(action)]; }
std::optional<Action> action_from(std::string_view name) {
  return named<Action>(action_names(), name);
}

const std::vector<std::string>& proof_names() {
  static const Names names{"none", "shared", "secret", "token", "certificate", "key"};
  return names;
}
std::string_view name_of(Proof proof) { return proof_names()[static_cast<std::size_t>(proof)]; }
std::optional<Proof> proof_from(std::string_view name) { return named<Proof>(proof_names(), name); }

const std::vector<std::string>& address_kind_names() {
  static const Names names{"member", "everyone", "tag", "channel", "node"};
  return names;
}
std::string_view name_of(AddressKind kind) {
  return address_kind_names()[static_cast<std::size_t>(kind)];
}
std::optional<AddressKind> address_kind_from(std::string_view name) {
  return named<AddressKind>(address_kind_names(), name);
}

std::string text_of(const std::string& name, std::vector<PolicyFault> faults) {
  std::stable_sort(faults.begin(), faults.end(), [](const PolicyFault& a, const PolicyFault& b) {
    return std::pair(a.at.line, a.at.column) < std::pair(b.at.line, b.at.column);
  });
  std::string text;
  for (std::size_t i = 0; i < faults.size(); ++i) {
    if (i == kMaxToldFaults) return text + "\nand " + std::to_string(faults.size() - i) + " more";
    const PolicyFault& fault = faults[i];
    if (!text.empty()) text += '\n';
    text += name + ':' + std::to_string(fault.at.line) + ':' + std::to_string(fault.at.column) +
            ": " + fault.sentence;
  }
  return text;
}

}  // namespace signet::trust
