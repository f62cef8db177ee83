#include "config/policy_file.h"

#include <optional>

#include "config/document_reader.h"

namespace signet::config {
namespace {

using trust::Action;
using trust::Place;
using trust::PlacedList;
using trust::PolicyActor;
using trust::PolicyDocument;
using trust::PolicyRole;
using trust::PolicyRule;
using trust::PolicyTest;
using trust::Proof;

class PolicyReader {
 public:
  explicit PolicyReader(std::string_view name) : in_(name) {}

  Result<PolicyDocument> read(std::string_view text, std::string_view name) {
    SIGNET_TRY(const toml::table root, in_.parse(text, kMaxPolicyBytes));
    document_.name = name;
    document_.text = text;
    in_.read(root,
             {{"role", [&](const auto& key, const auto& node) { read_roles(key, node); }},
              {"rule",
               [&](const auto& key, const auto& node) {
                 in_.each_table(key, node, [&](const auto& table) { read_rule(table); });
               }},
              {"test",
               [&](const auto& key, const auto& node) {
                 in_.each_table(key, node, [&](const auto& table) { read_test(table); });
               }}},
             "a policy");
    if (in_.faults() > 0 && document_.rules.empty()) {
      document_.rules.emplace_back().is_told = true;  // rules that could not be read are no absence
    }
    in_.add(trust::faults_of(document_));
    if (in_.faults() > 0) return in_.error();
    return std::move(document_);
  }

 private:
  template <class Enum>
  auto as(std::optional<Enum>& out) {
    return [&out](std::size_t index) { out = static_cast<Enum>(index); };
  }
  DocumentReader::Handler limit(std::optional<double>& out) {
    return in_.number([&out](double number) { out = number; });
  }
  DocumentReader::Handler proof(std::optional<Proof>& out) {
    return in_.word(trust::proof_names(), "proof", as(out));
  }

  void read_roles(const toml::key& key, const toml::node& node) {
    in_.each_entry(key, node, [&](const toml::key& name, const toml::node& value) {
      const std::size_t before = in_.faults();
      PolicyRole role;
      role.name = trust::Placed(std::string(name.str()), place_of(name));
      if (const toml::table* const table = value.as_table()) {
        read_role(*table, role);
      } else {
        in_.fault(place_of(name), "a role is a table: write [role.NAME] above its keys");
      }
      role.is_told = in_.faults() > before;
      document_.roles.push_back(std::move(role));
    });
  }

  void read_role(const toml::table& table, PolicyRole& role) {
    in_.read(table,
             {{"tags", in_.texts(role.tags)},
              {"members", in_.texts(role.members)},
              {"sources", in_.texts(role.sources)},
              {"token_roles", in_.texts(role.token_roles)},
              {"proof", proof(role.proof)},
              {"pulses_per_second", limit(role.limits.pulses_per_second)},
              {"burst", limit(role.limits.burst)},
              {"pulses_per_minute", limit(role.limits.pulses_per_minute)},
              {"sends_per_second", limit(role.limits.sends_per_second)},
              {"sends_burst", limit(role.limits.sends_burst)}},
             "a role");
  }

  void read_rule(const toml::table& table) {
    const std::size_t before = in_.faults();
    PolicyRule rule;
    const auto actions = in_.words(trust::action_names(), "action", [&](std::size_t index) {
      rule.actions.push_back(static_cast<Action>(index));
    });
    in_.read(table,
             {{"id", in_.text(rule.id)},
              {"allow", actions},
              {"deny", actions},
              {"roles", in_.texts(rule.roles)},
              {"except", in_.texts(rule.except)},
              {"topics", in_.texts(rule.topics)},
              {"channels", in_.texts(rule.channels)},
              {"to", in_.words(trust::address_kind_names(), "kind of address",
                               [&](std::size_t index) {
                                 rule.to.push_back(static_cast<trust::AddressKind>(index));
                               })},
              {"tags", in_.texts(rule.tags)},
              {"proof", proof(rule.proof)}},
             "a rule");
    rule.allows = table.contains("allow");
    if (rule.allows == table.contains("deny")) {
      in_.fault(place_of(table), "a rule has either allow or deny");
    }
    if (!table.contains("id")) in_.fault(place_of(table), "a rule needs an id");
    rule.is_told = in_.faults() > before;
    document_.rules.push_back(std::move(rule));
  }

  void read_actor(const toml::key& key, const toml::node& node, PolicyActor& as) {
    const toml::table* const table = node.as_table();
    if (table == nullptr) {
      return in_.fault(place_of(key), "'as' says who: { roles = […] }, or { tags = […], id = … }");
    }
    PlacedList roles;
    trust::Placed id("");
    trust::Placed source("");
    in_.read(*table,
             {{"roles", in_.texts(roles, DocumentReader::Empty::kAllowed)},
              {"tags", in_.texts(as.tags)},
              {"token_roles", in_.texts(as.token_roles)},
              {"id", in_.text(id)},
              {"source", in_.text(source)},
              {"proof", proof(as.proof)},
              {"member", in_.boolean([&](bool is) { as.member = is; })},
              {"admin", in_.boolean([&](bool is) { as.admin = is; })}},
             "'as'");
    if (table->contains("roles")) as.roles = std::move(roles);
    as.id = std::move(id.text);
    as.source = std::move(source.text);
  }

  void read_test(const toml::table& table) {
    const std::size_t before = in_.faults();
    PolicyTest test;
    test.at = place_of(table);
    trust::Placed name("");
    trust::Placed on("");
    static const std::vector<std::string> kOutcomes{"deny", "allow"};
    in_.read(
        table,
        {{"name", in_.text(name)},
         {"as", [&](const auto& key, const auto& node) { read_actor(key, node, test.as); }},
         {"action", in_.word(trust::action_names(), "action",
                             [&](std::size_t i) { test.action = static_cast<Action>(i); })},
         {"on", in_.text(on)},
         {"expect", in_.word(kOutcomes, "outcome", [&](std::size_t i) { test.allowed = i == 1; })},
         {"rule", in_.text(test.rule)}},
        "a test");
    for (const char* const needed : {"as", "action", "expect"}) {
      if (!table.contains(needed)) {
        in_.fault(test.at, "a test needs '" + std::string(needed) + "'");
      }
    }
    test.name = std::move(name.text);
    test.on = std::move(on.text);
    test.is_told = in_.faults() > before;
    document_.tests.push_back(std::move(test));
  }

  DocumentReader in_;
  PolicyDocument document_;
};

}  // namespace

Result<PolicyDocument> read_policy(std::string_view text, std::string_view name) {
  return PolicyReader(name).read(text, name);
}

Result<PolicyDocument> read_policy_file(const std::string& path) {
  SIGNET_TRY(const std::string text, read_document(path, kMaxPolicyBytes));
  return read_policy(text, path);
}

}  // namespace signet::config
