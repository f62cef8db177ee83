// Policy answers one question: may this peer do this to that?
// Default is deny; a matching deny beats any allow, whatever the order; every answer names its
// rule. Pure: no clock, no I/O, no locks. Compiled once, then shared read-only by all threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "signet/result.h"
#include "trust/policy_document.h"

namespace signet::trust {

// Bit i: role i of the policy. Means nothing to another policy: on a new one, ask roles_of() again.
// What rules say of tags is in it too, as hidden roles, so that a decision depends on the role set,
// the proof, the action and the resource alone and can be remembered.
using Roles = std::uint64_t;

// The roles that every policy has, whatever its document says; their bits are the same everywhere.
inline constexpr Roles kMemberRole =
    1;  // an admitted member that proved itself, not a shared secret
inline constexpr Roles kAdminRole = 2;   // a member whose membership says admin
inline constexpr Roles kSharedRole = 4;  // somebody who has the mesh's shared secret
inline constexpr Roles kGuestRole = 8;   // no member: the owner of some key

// Who asks. Borrows everything for the call.
struct Subject {
  bool member = false;      // admitted to the mesh, under this very proof
  bool admin = false;       // the membership says so
  std::string_view id;      // member id; empty where there is none
  std::string_view source;  // the name that a format gives; proven only from Proof::kSecret on
  const std::vector<std::string>* tags = nullptr;  // of the member; null: none
  Proof proof = Proof::kNone;
  const std::vector<std::string>* token_roles = nullptr;  // null: none; count for kToken alone
};

struct Decision {
  bool allowed = false;
  bool by_deny_rule = false;
  std::string_view rule;  // its id, borrowed from the policy; empty: none matched, the default
  bool operator==(const Decision&) const = default;
};

// A rule that had to do with a question, for people who ask why.
struct Match {
  enum class Effect : std::uint8_t { kAllow, kDeny, kTooLittleProof /* would allow with more */ };
  std::string_view rule;
  Effect effect;
  bool operator==(const Match&) const = default;
};
std::string_view name_of(Match::Effect effect);  // "allow", "deny", "too_little_proof"

// How a test of the document came out. The texts are borrowed from the policy.
struct TestOutcome {
  const PolicyTest* test = nullptr;
  Decision decision;
  bool passed = false;
  std::string sentence;  // what was expected and what came; empty where passed
};

class Policy {
 public:
  ~Policy();
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;

  // Fails kMalformed with every fault of the document, or else with every test of it that fails,
  // a line each: "name:line:column: sentence".
  static Result<std::shared_ptr<const Policy>> compile(PolicyDocument document);

  // The same without running the tests: for who wants to show how they come out.
  static Result<std::shared_ptr<const Policy>> compile_untested(PolicyDocument document);

  Roles roles_of(const Subject& subject) const;

  // The slow, obvious answer: looks at every rule of the action. The resource is a topic for
  // publish, subscribe and read_history, the text of a routing::Address for send, else anything.
  Decision decide(Roles roles, Proof proof, Action action, std::string_view resource) const;

  // Might decide() allow the action on anything at all? A no is sure; a yes is not, where one rule
  // denies what another allows.
  bool may_some(Roles roles, Proof proof, Action action) const;

  // Every rule that matches, in the order of the document.
  std::vector<Match> matches(Roles roles, Proof proof, Action action,
                             std::string_view resource) const;
  // The decision and its reason in one sentence.
  std::string explanation(Roles roles, Proof proof, Action action, std::string_view resource) const;

  // The largest of what the roles grant, each limit by itself.
  RoleLimits limits_of(Roles roles) const;

  // Without the hidden ones, in the order of their bits.
  std::vector<std::string> names_of(Roles roles) const;
  // The bit of a role; 0 where the policy has none of that name.
  Roles role_named(std::string_view name) const;
  // Role set and proof of somebody that a test or a person describes. REQUIRES: known roles.
  std::pair<Roles, Proof> actor(const PolicyActor& as) const;

  std::vector<TestOutcome> run_tests() const;

  const PolicyDocument& document() const { return document_; }
  const std::string& text() const { return document_.text; }  // as it was read
  std::size_t rules() const { return document_.rules.size(); }

 private:
  struct Role;
  struct Rule;
  struct Question;
  struct Compiler;

  explicit Policy(PolicyDocument document);

  PolicyDocument document_;
  std::vector<Role> roles_;                                   // by bit
  std::vector<Rule> rules_;                                   // in the order of the document
  std::array<std::vector<const Rule*>, kActions> by_action_;  // denies first, else in its order
};

}  // namespace signet::trust
