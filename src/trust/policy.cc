#include "trust/policy.h"

#include <algorithm>
#include <map>
#include <set>

#include "routing/pattern.h"

namespace signet::trust {
namespace {

using Names = std::vector<std::string>;

Names sorted(const PlacedList& list) {
  std::set<std::string> texts;
  for (const Placed& each : list) texts.insert(each.text);
  return {texts.begin(), texts.end()};
}

bool has(const Names& names, std::string_view name) {
  return std::binary_search(names.begin(), names.end(), name);
}

bool has_any(const Names& names, const Names* given) {
  return given != nullptr && std::any_of(given->begin(), given->end(),
                                         [&](const std::string& tag) { return has(names, tag); });
}

constexpr Roles bit(std::size_t index) { return Roles{1} << index; }

// By the text alone: a decision must not depend on what else an address could mean.
std::optional<AddressKind> kind_of(std::string_view address) {
  constexpr std::size_t kKeyDigits = 64;
  if (address == "*") return AddressKind::kEveryone;
  if (address.starts_with('#')) return AddressKind::kChannel;
  if (address.starts_with("tag:")) return AddressKind::kTag;
  if (address.starts_with("node:")) return AddressKind::kNode;
  if (address.size() == kKeyDigits) return AddressKind::kMember;
  return std::nullopt;
}

void raise(std::optional<double>& limit, const std::optional<double>& other) {
  if (other && (!limit || *other > *limit)) limit = other;
}

std::string joined(const Names& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "nobody in particular" : text;
}

}  // namespace

struct Policy::Role {
  std::string name;  // empty: hidden, what rules say of tags
  Names tags, members, sources, token_roles;
  Proof proof = Proof::kNone;
  RoleLimits limits;

  bool is_of(const Subject& subject) const {
    if (subject.proof < proof) return false;
    if (subject.member && (has_any(tags, subject.tags) || has(members, subject.id))) return true;
    if (subject.proof == Proof::kToken && has_any(token_roles, subject.token_roles)) return true;
    return has(sources, subject.source);
  }
};

struct Policy::Question {
  Roles roles;
  Action action;
  std::string_view resource;
};

struct Policy::Rule {
  std::string id;
  std::uint32_t line = 0;
  bool allows = false;
  std::array<bool, kActions> actions{};
  bool for_everybody = true;
  Roles roles = 0;     // any of them
  Roles except = 0;    // and none of these
  Roles with_tag = 0;  // and this, where it is not 0
  std::vector<routing::Pattern> topics, channels;
  std::vector<AddressKind> to;
  Proof proof = Proof::kNone;

  static bool any(const std::vector<routing::Pattern>& patterns, std::string_view name) {
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const routing::Pattern& pattern) { return pattern.matches(name); });
  }

  bool is_about(std::string_view address) const {
    const auto kind = kind_of(address);
    if (!kind) return false;
    if (std::find(to.begin(), to.end(), *kind) != to.end()) return true;
    return *kind == AddressKind::kChannel && any(channels, address.substr(1));
  }

  bool covers(Action action, std::string_view resource) const {
    if (topics.empty() && channels.empty() && to.empty()) return true;
    return action == Action::kSend ? is_about(resource) : any(topics, resource);
  }

  // Whatever the resource may be.
  bool covers_all() const {
    const auto is_all = [](const routing::Pattern& pattern) { return pattern.text() == ">"; };
    const bool is_bare = topics.empty() && channels.empty() && to.empty();
    return is_bare || std::any_of(topics.begin(), topics.end(), is_all);
  }

  bool is_for(Roles asked) const {
    if (!for_everybody && (asked & roles) == 0) return false;
    if ((asked & except) != 0) return false;
    return with_tag == 0 || (asked & with_tag) != 0;
  }

  // Whether it is about this question, whatever the proof.
  bool concerns(const Question& asked) const {
    return actions[static_cast<std::size_t>(asked.action)] && is_for(asked.roles) &&
           covers(asked.action, asked.resource);
  }
};

// Builds the tables of a policy whose document has no fault.
struct Policy::Compiler {
  Policy& policy;
  std::map<Names, Roles> hidden = {};

  void add_roles() {
    for (const char* const name : {"member", "admin", "shared", "guest"}) {
      policy.roles_.push_back({name, {}, {}, {}, {}, Proof::kNone, {}});
    }
    for (const PolicyRole& role : policy.document_.roles) {
      const Roles known = policy.role_named(role.name.text);
      if (known == 0) {
        policy.roles_.push_back({role.name.text, sorted(role.tags), sorted(role.members),
                                 sorted(role.sources), sorted(role.token_roles),
                                 role.proof.value_or(Proof::kSecret), role.limits});
        continue;
      }
      for (std::size_t i = 0; i < policy.roles_.size(); ++i) {
        if (known == bit(i)) policy.roles_[i].limits = role.limits;
      }
    }
  }

  Roles role_of_tags(const PlacedList& list) {
    if (list.empty()) return 0;
    const Names tags = sorted(list);
    const auto [place, is_new] = hidden.try_emplace(tags, bit(policy.roles_.size()));
    if (is_new) policy.roles_.push_back({"", tags, {}, {}, {}, Proof::kNone, {}});
    return place->second;
  }

  // REQUIRES: each is a pattern, which faults_of() has seen to.
  static std::vector<routing::Pattern> patterns_of(const PlacedList& list) {
    std::vector<routing::Pattern> patterns;
    for (const Placed& each : list) patterns.push_back(*routing::Pattern::parse(each.text));
    return patterns;
  }

  Rule compiled(const PolicyRule& given) {
    Rule rule;
    rule.id = given.id.text;
    rule.line = given.id.at.line;
    rule.allows = given.allows;
    for (const Action action : given.actions) rule.actions[static_cast<std::size_t>(action)] = true;
    for (const Placed& role : given.roles) rule.roles |= policy.role_named(role.text);
    rule.for_everybody = rule.roles == 0;
    for (const Placed& role : given.except) rule.except |= policy.role_named(role.text);
    rule.with_tag = role_of_tags(given.tags);
    rule.topics = patterns_of(given.topics);
    rule.channels = patterns_of(given.channels);
    rule.to = given.to;
    rule.proof = given.proof.value_or(Proof::kNone);
    return rule;
  }

  void add_rules() {
    for (const PolicyRule& given : policy.document_.rules) {
      policy.rules_.push_back(compiled(given));
    }
    for (const Rule& rule : policy.rules_) {
      for (std::size_t action = 0; action < kActions; ++action) {
        if (rule.actions[action]) policy.by_action_[action].push_back(&rule);
      }
    }
    // Denies first: the first that concerns a question decides it.
    for (auto& rules : policy.by_action_) {
      std::stable_partition(rules.begin(), rules.end(),
                            [](const Rule* rule) { return !rule->allows; });
    }
  }
};

std::string_view name_of(Match::Effect effect) {
  switch (effect) {
    case Match::Effect::kAllow:
      return "allow";
    case Match::Effect::kDeny:
      return "deny";
    case Match::Effect::kTooLittleProof:
      break;
  }
  return "too_little_proof";
}

Policy::Policy(PolicyDocument document) : document_(std::move(document)) {
  Compiler compiler{*this};
  compiler.add_roles();
  compiler.add_rules();
}

Policy::~Policy() = default;

Result<std::shared_ptr<const Policy>> Policy::compile_untested(PolicyDocument document) {
  if (auto faults = faults_of(document); !faults.empty()) {
    return Error{ErrorCode::kMalformed, trust::text_of(document.name, std::move(faults))};
  }
  return std::shared_ptr<const Policy>(new Policy(std::move(document)));
}

Result<std::shared_ptr<const Policy>> Policy::compile(PolicyDocument document) {
  SIGNET_TRY(auto policy, compile_untested(std::move(document)));
  std::vector<PolicyFault> failures;
  for (const TestOutcome& outcome : policy->run_tests()) {
    if (!outcome.passed) failures.push_back({outcome.test->at, outcome.sentence});
  }
  if (failures.empty()) return policy;
  return Error{ErrorCode::kMalformed, trust::text_of(policy->document_.name, std::move(failures))};
}

Roles Policy::roles_of(const Subject& subject) const {
  const bool proven = subject.proof >= Proof::kSecret;
  Roles roles = 0;
  if (subject.member && proven) roles |= kMemberRole;
  if (subject.member && proven && subject.admin) roles |= kAdminRole;
  if (subject.proof == Proof::kShared) roles |= kSharedRole;
  if (!subject.member && subject.proof == Proof::kKey) roles |= kGuestRole;
  for (std::size_t i = 0; i < roles_.size(); ++i) {
    if (roles_[i].is_of(subject)) roles |= bit(i);
  }
  return roles;
}

Decision Policy::decide(Roles roles, Proof proof, Action action, std::string_view resource) const {
  const Question asked{roles, action, resource};
  for (const Rule* rule : by_action_[static_cast<std::size_t>(action)]) {
    if (rule->allows && proof < rule->proof) continue;
    if (rule->concerns(asked)) return {rule->allows, !rule->allows, rule->id};
  }
  return {};
}

bool Policy::may_some(Roles roles, Proof proof, Action action) const {
  for (const Rule* rule : by_action_[static_cast<std::size_t>(action)]) {
    if (!rule->is_for(roles)) continue;
    if (!rule->allows && rule->covers_all()) return false;
    if (rule->allows && proof >= rule->proof) return true;
  }
  return false;
}

std::vector<Match> Policy::matches(Roles roles, Proof proof, Action action,
                                   std::string_view resource) const {
  const Question asked{roles, action, resource};
  std::vector<Match> found;
  for (const Rule& rule : rules_) {
    if (!rule.concerns(asked)) continue;
    const bool is_enough = proof >= rule.proof;
    found.push_back({rule.id, !rule.allows ? Match::Effect::kDeny
                              : is_enough  ? Match::Effect::kAllow
                                           : Match::Effect::kTooLittleProof});
  }
  return found;
}

std::string Policy::explanation(Roles roles, Proof proof, Action action,
                                std::string_view resource) const {
  const Question asked{roles, action, resource};
  std::string weak;  // rules that would allow with more proof
  std::string allowing;
  std::string denying;
  for (const Rule& rule : rules_) {
    if (!rule.concerns(asked)) continue;
    const bool is_enough = proof >= rule.proof;
    std::string& words = !rule.allows ? denying : is_enough ? allowing : weak;
    words += (words.empty() ? "rule '" : ", rule '") + rule.id + "' (line " +
             std::to_string(rule.line) + ")";
    if (!is_enough) words += " from proof " + std::string(name_of(rule.proof)) + " on";
  }
  if (!denying.empty()) {
    return "denied by " + denying + (allowing.empty() ? "" : ", which beats " + allowing);
  }
  if (!allowing.empty()) return "allowed by " + allowing;
  return "denied: no rule allows " + std::string(name_of(action)) +
         (resource.empty() ? "" : " on " + std::string(resource)) + " to " +
         joined(names_of(roles)) + (weak.empty() ? "" : "; " + weak + " would");
}

RoleLimits Policy::limits_of(Roles roles) const {
  RoleLimits limits;
  for (std::size_t i = 0; i < roles_.size(); ++i) {
    if ((roles & bit(i)) == 0) continue;
    const RoleLimits& own = roles_[i].limits;
    raise(limits.pulses_per_second, own.pulses_per_second);
    raise(limits.burst, own.burst);
    raise(limits.pulses_per_minute, own.pulses_per_minute);
    raise(limits.sends_per_second, own.sends_per_second);
    raise(limits.sends_burst, own.sends_burst);
  }
  return limits;
}

std::vector<std::string> Policy::names_of(Roles roles) const {
  Names names;
  for (std::size_t i = 0; i < roles_.size(); ++i) {
    if ((roles & bit(i)) != 0 && !roles_[i].name.empty()) names.push_back(roles_[i].name);
  }
  return names;
}

Roles Policy::role_named(std::string_view name) const {
  for (std::size_t i = 0; i < roles_.size(); ++i) {
    if (!name.empty() && roles_[i].name == name) return bit(i);
  }
  return 0;
}

std::pair<Roles, Proof> Policy::actor(const PolicyActor& as) const {
  Names tags;
  for (const Placed& tag : as.tags) tags.push_back(tag.text);
  if (!as.roles) {
    Names token_roles;
    for (const Placed& role : as.token_roles) token_roles.push_back(role.text);
    const Proof proof = as.proof.value_or(token_roles.empty() ? Proof::kKey : Proof::kToken);
    const bool member = as.member.value_or(proof >= Proof::kSecret);
    return {roles_of({member, as.admin, as.id, as.source, &tags, proof, &token_roles}), proof};
  }
  Roles roles = 0;
  for (const Placed& role : *as.roles) roles |= role_named(role.text);
  for (std::size_t i = 0; i < roles_.size(); ++i) {
    if (roles_[i].name.empty() && has_any(roles_[i].tags, &tags)) roles |= bit(i);
  }
  const Proof usual = roles == kSharedRole ? Proof::kShared : Proof::kKey;
  return {roles, as.proof.value_or(usual)};
}

std::vector<TestOutcome> Policy::run_tests() const {
  std::vector<TestOutcome> outcomes;
  for (const PolicyTest& test : document_.tests) {
    const auto [roles, proof] = actor(test.as);
    TestOutcome outcome{&test, decide(roles, proof, test.action, test.on), false, {}};
    const bool is_right_rule = test.rule.text.empty() || test.rule.text == outcome.decision.rule;
    outcome.passed = outcome.decision.allowed == test.allowed && is_right_rule;
    if (!outcome.passed) {
      outcome.sentence = "test" + (test.name.empty() ? "" : " '" + test.name + "'") + " expects " +
                         (test.allowed ? "allow" : "deny") +
                         (test.rule.text.empty() ? "" : " by rule '" + test.rule.text + "'") +
                         ", but it is " + explanation(roles, proof, test.action, test.on);
    }
    outcomes.push_back(std::move(outcome));
  }
  return outcomes;
}

}  // namespace signet::trust
