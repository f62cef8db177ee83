// The policy of a mesh: whatever the bytes are, they are a document or faults with places. What the
// reader takes compiles, reads again to the same decisions, and its cache decides as its rules do.
// Requests come from the document's own words, so that rules are met.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "config/policy_file.h"
#include "config/routes_file.h"
#include "trust/decision_cache.h"
#include "trust/policy.h"

namespace {

using namespace signet;
using namespace signet::trust;

void check(bool holds) {
  if (!holds) std::abort();
}

// Each line names the text, a line and a column.
void check_faults(const Error& error) {
  check(error.code == ErrorCode::kMalformed);
  check(error.detail.starts_with("p:"));
}

// Numbers from the input's bytes: the same bytes ask the same.
class Chance {
 public:
  explicit Chance(std::string_view bytes) {
    for (const char byte : bytes)
      state_ = (state_ ^ static_cast<unsigned char>(byte)) * 1099511628211U;
  }
  std::size_t below(std::size_t end) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::size_t>((state_ >> 33U) % end);
  }

 private:
  std::uint64_t state_ = 14695981039346656037U;
};

// Words of the document, made into what a peer may ask for.
std::vector<std::string> resources_of(const PolicyDocument& document) {
  std::vector<std::string> found{"", "*", "a.b", "#ops", "tag:x", std::string(64, 'a')};
  const auto add = [&](const PlacedList& patterns, const std::string& before) {
    for (const Placed& pattern : patterns) {
      std::string text = before + pattern.text;
      found.push_back(text);
      for (char& c : text) {
        if (c == '*' || c == '>') c = 'x';
      }
      found.push_back(text);
      found.push_back(text + ".y");
    }
  };
  for (const PolicyRule& rule : document.rules) {
    add(rule.topics, "");
    add(rule.channels, "#");
  }
  return found;
}

std::vector<std::string> tags_of(const PolicyDocument& document) {
  std::vector<std::string> tags{"x"};
  for (const PolicyRule& rule : document.rules) {
    for (const Placed& tag : rule.tags) tags.push_back(tag.text);
  }
  for (const PolicyRole& role : document.roles) {
    for (const Placed& tag : role.tags) tags.push_back(tag.text);
  }
  return tags;
}

void check_decision(const Policy& policy, const Policy& again, DecisionCache& cache, Roles roles,
                    Proof proof, Action action, const std::string& resource) {
  const Decision decided = policy.decide(roles, proof, action, resource);
  check(cache.decide(roles, proof, action, resource) == decided);
  check(cache.decide(roles, proof, action, resource) == decided);
  check(again.decide(roles, proof, action, resource) == decided);
  bool allowed = false;
  bool denied = false;
  for (const Match& match : policy.matches(roles, proof, action, resource)) {
    allowed = allowed || match.effect == Match::Effect::kAllow;
    denied = denied || match.effect == Match::Effect::kDeny;
  }
  check(decided.allowed == (allowed && !denied) && decided.by_deny_rule == denied);
  check(decided.rule.empty() == (!allowed && !denied));
  check(!policy.explanation(roles, proof, action, resource).empty());
}

void check_policy(const Policy& policy, const Policy& again, std::string_view bytes) {
  Chance chance(bytes);
  DecisionCache cache(std::shared_ptr<const Policy>(std::shared_ptr<void>(), &policy), {4, 32});
  const auto resources = resources_of(policy.document());
  const auto words = tags_of(policy.document());
  for (int i = 0; i < 64; ++i) {
    const std::vector<std::string> tags{words[chance.below(words.size())]};
    const auto proof = static_cast<Proof>(chance.below(4));
    const Subject subject{chance.below(2) == 0, chance.below(2) == 0, "m", "s", &tags, proof};
    const Roles roles = policy.roles_of(subject);
    check(again.roles_of(subject) == roles);
    check(again.limits_of(roles) == policy.limits_of(roles));
    check_decision(policy, again, cache, roles, proof, static_cast<Action>(chance.below(kActions)),
                   resources[chance.below(resources.size())]);
  }
}

void check_routes(std::string_view text) {
  const auto routes = config::read_routes(text, "p");
  if (!routes.ok()) return check_faults(routes.error());
  check(routing::RoutingTable::compile(*routes).ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_routes(text);
  const auto document = config::read_policy(text, "p");
  if (!document.ok()) {
    check_faults(document.error());
    return 0;
  }
  check(document->text == text && faults_of(*document).empty());
  const auto policy = Policy::compile_untested(*document);
  check(policy.ok());
  const auto again = Policy::compile_untested(*config::read_policy((*policy)->text(), "p"));
  check(again.ok());
  bool passed = true;
  for (const TestOutcome& outcome : (*policy)->run_tests()) passed = passed && outcome.passed;
  check(Policy::compile(*document).ok() == passed);
  check_policy(**policy, **again, text);
  return 0;
}
