// What a policy document says and cannot mean. Each check is one sentence to the operator.
#include <algorithm>
#include <set>

#include "routing/address.h"
#include "routing/pattern.h"
#include "routing/topic.h"
#include "trust/policy_document.h"

namespace signet::trust {
namespace {

constexpr std::string_view kBuiltIn[] = {"member", "admin", "shared", "guest"};
constexpr std::size_t kMaxActorBytes = 256;  // of a member id or a source, whatever its format

bool is_built_in(std::string_view name) {
  return std::find(std::begin(kBuiltIn), std::end(kBuiltIn), name) != std::end(kBuiltIn);
}

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

bool is_topic_action(Action action) {
  return action == Action::kPublish || action == Action::kSubscribe ||
         action == Action::kReadHistory;
}

class Faults {
 public:
  explicit Faults(const PolicyDocument& document) : document_(document) {
    for (const std::string_view name : kBuiltIn) roles_.emplace(name);
    for (const PolicyRole& role : document.roles) roles_.insert(role.name.text);
  }

  std::vector<PolicyFault> all() {
    check_counts();
    for (const PolicyRole& role : document_.roles) {
      if (!role.is_told) check(role);
    }
    for (const PolicyRule& rule : document_.rules) {
      if (!rules_.insert(rule.id.text).second && !rule.is_told) {
        say(rule.id.at, "another rule has the id " + quoted(rule.id.text));
      }
      if (!rule.is_told) check(rule);
    }
    for (const PolicyTest& test : document_.tests) {
      if (!test.is_told) check(test);
    }
    return std::move(faults_);
  }

 private:
  void say(Place at, std::string sentence) { faults_.push_back({at, std::move(sentence)}); }

  void check_counts() {
    constexpr Place kStart{1, 1};
    if (document_.rules.empty()) {
      say(kStart, "there is no [[rule]]: nobody could do anything");
    }
    if (document_.rules.size() > kMaxPolicyRules) {
      say(kStart, "there are more than " + std::to_string(kMaxPolicyRules) + " rules");
    }
    if (document_.tests.size() > kMaxPolicyTests) {
      say(kStart, "there are more than " + std::to_string(kMaxPolicyTests) + " tests");
    }
    std::set<std::set<std::string>> hidden;
    for (const PolicyRule& rule : document_.rules) {
      std::set<std::string> tags;
      for (const Placed& tag : rule.tags) tags.insert(tag.text);
      if (!tags.empty()) hidden.insert(std::move(tags));
    }
    if (roles_.size() + hidden.size() > kMaxRoles) {
      say(kStart, "there are more than " + std::to_string(kMaxRoles) +
                      " roles; the four that are built in count, and every different list of "
                      "tags in rules counts as one");
    }
  }

  void check_list(const PlacedList& list, const char* key) {
    if (list.size() > kMaxListEntries) {
      say(list.front().at,
          std::string(key) + " has more than " + std::to_string(kMaxListEntries) + " entries");
    }
  }

  void check_tags(const PlacedList& tags) {
    check_list(tags, "tags");
    for (const Placed& tag : tags) {
      if (!routing::is_name(tag.text))
        say(tag.at, "no member can have the tag " + quoted(tag.text));
    }
  }

  void check_token_roles(const PlacedList& roles, const std::optional<Proof>& proof) {
    check_list(roles, "token_roles");
    for (const Placed& role : roles) {
      if (!routing::is_name(role.text)) {
        say(role.at, "no token can have the role " + quoted(role.text));
      }
    }
    if (!roles.empty() && proof && *proof > Proof::kToken) {
      say(roles.front().at, "token_roles count for the proof token alone, which is less than " +
                                std::string(name_of(*proof)));
    }
  }

  void check_actors(const PlacedList& list, const char* key) {
    check_list(list, key);
    for (const Placed& each : list) {
      if (each.text.empty() || each.text.size() > kMaxActorBytes) {
        say(each.at,
            std::string(key) + " are texts of 1 to " + std::to_string(kMaxActorBytes) + " bytes");
      }
    }
  }

  void check_limit(const PolicyRole& role, const char* key, const std::optional<double>& limit,
                   double least) {
    if (!limit || (*limit >= least && *limit <= kMaxRate)) return;
    say(role.name.at, std::string(key) + " of role " + quoted(role.name.text) +
                          (least < 1 ? " is more than 0" : " is at least 1") +
                          " and at most 1000000");
  }

  void check_limits(const PolicyRole& role) {
    constexpr double kLeastRate = 1.0 / 1'000'000;
    check_limit(role, "pulses_per_second", role.limits.pulses_per_second, kLeastRate);
    check_limit(role, "burst", role.limits.burst, 1);
    check_limit(role, "pulses_per_minute", role.limits.pulses_per_minute, kLeastRate);
    check_limit(role, "sends_per_second", role.limits.sends_per_second, kLeastRate);
    check_limit(role, "sends_burst", role.limits.sends_burst, 1);
  }

  void check(const PolicyRole& role) {
    const Place at = role.name.at;
    if (!routing::is_name(role.name.text)) {
      say(at, quoted(role.name.text) + " is no name of a role: 1 to 64 of A-Z a-z 0-9 . _ - : /");
    }
    if (std::count_if(document_.roles.begin(), document_.roles.end(),
                      [&](const auto& other) { return other.name.text == role.name.text; }) > 1) {
      say(at, "the role " + quoted(role.name.text) + " is there twice");
    }
    const bool names_somebody = !role.tags.empty() || !role.members.empty() ||
                                !role.sources.empty() || !role.token_roles.empty();
    if (is_built_in(role.name.text) && (names_somebody || role.proof)) {
      say(at, "the role " + quoted(role.name.text) + " is built in: it takes limits only");
    }
    if (!is_built_in(role.name.text) && !names_somebody) {
      say(at, "the role " + quoted(role.name.text) +
                  " names nobody: give it tags, members, sources or token_roles");
    }
    if (role.proof == Proof::kNone)
      say(at, "a role needs a proof: shared, secret, token, certificate or key");
    check_tags(role.tags);
    check_actors(role.members, "members");
    check_actors(role.sources, "sources");
    check_token_roles(role.token_roles, role.proof);
    check_limits(role);
  }

  void check_role_names(const PlacedList& roles, const char* key = "roles") {
    check_list(roles, key);
    for (const Placed& role : roles) {
      if (role.text == "*") {
        if (roles.size() > 1) say(role.at, "\"*\" is everybody: leave the other roles out");
      } else if (!roles_.contains(role.text)) {
        say(role.at, "there is no role " + quoted(role.text) + "; " + known_roles());
      }
    }
  }

  std::string known_roles() const {
    std::string text = "the roles are";
    for (const std::string& role : roles_) text += (text.back() == 'e' ? " " : ", ") + role;
    return text;
  }

  void check_patterns(const PlacedList& patterns, const char* key) {
    check_list(patterns, key);
    for (const Placed& pattern : patterns) {
      if (const auto parsed = routing::Pattern::parse(pattern.text); !parsed.ok()) {
        const bool has_hash = pattern.text.starts_with('#');
        say(pattern.at, quoted(pattern.text) + " is no pattern: " + parsed.error().detail +
                            (has_hash ? "; a channel is written without its '#'" : ""));
      }
    }
  }

  // What limits one action of a rule leaves the others without a limit, which nobody means.
  void check_resources(const PolicyRule& rule) {
    const bool has_topics = !rule.topics.empty();
    const bool has_addresses = !rule.channels.empty() || !rule.to.empty();
    if (!has_topics && !has_addresses) return;
    bool topic_action = false;
    bool send_action = false;
    for (const Action action : rule.actions) {
      const bool is_topic = is_topic_action(action);
      topic_action = topic_action || is_topic;
      send_action = send_action || action == Action::kSend;
      if ((is_topic && has_topics) || (action == Action::kSend && has_addresses)) continue;
      say(rule.id.at, "rule " + quoted(rule.id.text) + ": " + std::string(name_of(action)) +
                          " is not limited by what the rule names; give it a rule of its own");
    }
    if (has_topics && !topic_action) {
      say(rule.topics.front().at,
          "topics are for publish, subscribe and read_history; the rule has none of them");
    }
    if (has_addresses && !send_action) {
      say(rule.channels.empty() ? rule.id.at : rule.channels.front().at,
          "channels and to are for send, which the rule does not have");
    }
  }

  void check(const PolicyRule& rule) {
    if (!routing::is_name(rule.id.text)) {
      say(rule.id.at, "the id of a rule is 1 to 64 of A-Z a-z 0-9 . _ - : /");
    }
    if (rule.id.text == "default") {
      say(rule.id.at, "'default' is what it is called when no rule matches: choose another id");
    }
    if (rule.actions.empty()) {
      say(rule.id.at, "rule " + quoted(rule.id.text) + " allows and denies nothing");
    }
    check_role_names(rule.roles);
    check_role_names(rule.except, "except");
    if (rule.except.size() == 1 && rule.except.front().text == "*") {
      say(rule.except.front().at, "a rule that excepts everybody is for nobody");
    }
    check_tags(rule.tags);
    check_patterns(rule.topics, "topics");
    check_patterns(rule.channels, "channels");
    check_resources(rule);
    const bool to_channels =
        std::find(rule.to.begin(), rule.to.end(), AddressKind::kChannel) != rule.to.end();
    if (to_channels && !rule.channels.empty()) {
      say(rule.channels.front().at, "to = [\"channel\"] is every channel: keep one of the two");
    }
    if (rule.proof && !rule.allows) {
      say(rule.id.at, "rule " + quoted(rule.id.text) +
                          ": proof is the least for an allow; a deny holds whatever the proof");
    }
    if (rule.proof == Proof::kNone) {
      say(rule.id.at, "rule " + quoted(rule.id.text) + ": every proof is at least none");
    }
  }

  void check(const PolicyActor& as, Place at) {
    const bool is_somebody =
        !as.id.empty() || !as.source.empty() || as.member || as.admin || !as.token_roles.empty();
    if (as.roles) {
      if (is_somebody) {
        say(at,
            "who has roles needs no id, source, token_roles, member or admin: say one or the "
            "other");
      }
      check_role_names(*as.roles);
    } else if (!is_somebody && as.tags.empty() && !as.proof) {
      say(at, "'as' says of nobody who it is");
    }
    if (as.roles && as.roles->size() == 1 && as.roles->front().text == "*") {
      say(at, "\"*\" is no role that somebody has");
    }
    check_tags(as.tags);
    check_token_roles(as.token_roles, as.proof);
    if (!as.token_roles.empty() && as.proof && *as.proof < Proof::kToken) {
      say(at, "token_roles come with the proof token");
    }
  }

  void check(const PolicyTest& test) {
    check(test.as, test.at);
    if (is_topic_action(test.action) && !routing::is_topic(test.on)) {
      say(test.at, std::string(name_of(test.action)) + " is on a topic: say on = \"…\"");
    }
    if (test.action == Action::kSend && !routing::parse_address(test.on).ok()) {
      say(test.at, "send is to 64 hex digits, \"*\", \"#channel\" or \"tag:name\": say on = \"…\"");
    }
    if (!test.rule.text.empty() && !rules_.contains(test.rule.text)) {
      say(test.rule.at, "there is no rule " + quoted(test.rule.text));
    }
  }

  const PolicyDocument& document_;
  std::set<std::string> roles_;
  std::set<std::string> rules_;
  std::vector<PolicyFault> faults_;
};

}  // namespace

std::vector<PolicyFault> faults_of(const PolicyDocument& document) {
  return Faults(document).all();
}

}  // namespace signet::trust
