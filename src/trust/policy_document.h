// PolicyDocument is what the policy of one mesh says, before anybody has looked at what it means:
// roles, rules and the tests that guard them. docs/policy.md is its reference, config/policy_file.h
// reads its text, trust/policy.h makes decisions of it. Plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "signet/result.h"

namespace signet::trust {

// What a peer may want. `connect` is the session itself, `see_presence` who is there and how many,
// `dispatch` work for others, `administer` what changes the mesh.
enum class Action : std::uint8_t {
  kConnect,
  kPublish,
  kSubscribe,
  kSend,
  kReadHistory,
  kSeePresence,
  kDispatch,
  kAdminister,
};
inline constexpr std::size_t kActions = 8;

std::string_view name_of(Action action);
std::optional<Action> action_from(std::string_view name);
const std::vector<std::string>& action_names();

// How well a peer proved who it is. What is later is more.
enum class Proof : std::uint8_t {
  kNone,
  kShared,       // the mesh's one secret, which says of nobody who they are
  kSecret,       // a secret of its own
  kToken,        // a token of the issuer that the mesh believes: whoever bears it
  kCertificate,  // a client certificate of an authority that the operator named
  kKey,          // a signature
};
inline constexpr std::size_t kProofs = 6;

std::string_view name_of(Proof proof);
std::optional<Proof> proof_from(std::string_view name);
const std::vector<std::string>& proof_names();

// What a rule may say of a message's address.
enum class AddressKind : std::uint8_t { kMember, kEveryone, kTag, kChannel, kNode };
std::string_view name_of(AddressKind kind);
std::optional<AddressKind> address_kind_from(std::string_view name);
const std::vector<std::string>& address_kind_names();

// Where something stands in the text, from 1; line 0 is nowhere.
struct Place {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

// A text and where it stands, so that a fault of its meaning can name the place.
struct Placed {
  std::string text;
  Place at;
  Placed(const char* given) : text(given) {}
  Placed(std::string given, Place place = {}) : text(std::move(given)), at(place) {}
};
using PlacedList = std::vector<Placed>;

// Absent: the broker's settings hold. Rates are on average, bursts at once.
struct RoleLimits {
  std::optional<double> pulses_per_second;
  std::optional<double> burst;
  std::optional<double> pulses_per_minute;
  std::optional<double> sends_per_second;
  std::optional<double> sends_burst;
  bool operator==(const RoleLimits&) const = default;
};

struct PolicyRole {
  Placed name = "";
  PlacedList tags, members, sources;  // one that fits is enough
  PlacedList token_roles;             // the same: what a token's `roles` say, of Proof::kToken only
  std::optional<Proof> proof;         // the least; kSecret where absent
  RoleLimits limits;
  bool is_told = false;  // its fault is known already: nothing more is said of it
};

struct PolicyRule {
  Placed id = "";
  bool allows = false;
  std::vector<Action> actions;
  PlacedList roles;   // none, or "*": everybody
  PlacedList except;  // but not who has one of these roles
  PlacedList topics;
  PlacedList channels;
  std::vector<AddressKind> to;
  PlacedList tags;  // one of them is needed, beside the role
  std::optional<Proof> proof;
  bool is_told = false;
};

// Who a test pretends to be: one who has these roles, or else one who is this.
struct PolicyActor {
  std::optional<PlacedList> roles;
  PlacedList tags;
  PlacedList token_roles;
  std::string id, source;
  std::optional<Proof> proof;  // see docs/policy.md for what holds where it is absent
  std::optional<bool> member;
  bool admin = false;
};

struct PolicyTest {
  Place at;
  std::string name;  // may be empty
  PolicyActor as;
  Action action = Action::kConnect;
  std::string on;
  bool allowed = false;  // what is expected
  Placed rule = "";      // and because of which rule; empty: any
  bool is_told = false;
};

struct PolicyDocument {
  std::string name;  // what messages call it: a path, or "default"
  std::string text;  // as it was read
  std::vector<PolicyRole> roles;
  std::vector<PolicyRule> rules;
  std::vector<PolicyTest> tests;
};

// Bounds: a decision that is not cached costs the rules times their patterns, and compiling the
// tests times that.
inline constexpr std::size_t kMaxPolicyRules = 1024;
inline constexpr std::size_t kMaxPolicyTests = 1024;
inline constexpr std::size_t kMaxListEntries = 256;
inline constexpr std::size_t kMaxRoles =
    64;  // bits of a role set, the built-in and hidden included
inline constexpr double kMaxRate = 1'000'000;  // a larger limit limits nothing any more

struct PolicyFault {
  Place at;
  std::string sentence;
};

// Everything that the document means wrongly, in its own order: unknown roles, senseless rules,
// patterns that cannot be. Its tests are not run.
std::vector<PolicyFault> faults_of(const PolicyDocument& document);

// "name:line:column: sentence", a line each, in the order of the lines.
std::string text_of(const std::string& name, std::vector<PolicyFault> faults);

}  // namespace signet::trust
