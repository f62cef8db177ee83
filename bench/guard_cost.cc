#include "guard_cost.h"

#include <array>
#include <chrono>
#include <variant>

#include "audit/tally.h"
#include "base/encoding.h"
#include "config/policy_file.h"
#include "config/shipped_documents.h"
#include "crypto/hash.h"
#include "crypto/relay_box.h"
#include "dialects/pulse_text.h"
#include "dialects/pulsemesh.h"
#include "dialects/simpatico.h"
#include "guard_time.h"
#include "hub_guards.h"
#include "overlay_guards.h"
#include "pulsemesh_protocol.h"
#include "relay_protocol.h"
#include "trust/decision_cache.h"
#include "trust/rate_limit.h"
#include "trust/signing_key.h"
#include "trust/token.h"
#include "websocket_protocol.h"

namespace signet::bench {
namespace {

using trust::Action;
using trust::Proof;

constexpr std::size_t kFillerBytes = 256;
constexpr std::string_view kTopic = "mirror.intent";
constexpr std::size_t kAddresses = 1'000;
constexpr std::int64_t kMembers = 256;  // as many as say hello in row 7

Result<std::shared_ptr<const trust::Policy>> policy_of(Result<trust::PolicyDocument> document) {
  SIGNET_TRY(auto read, std::move(document));
  return trust::Policy::compile(std::move(read));
}

// A reader that trusts its peers finds a member by its name and looks at nothing else; the guard is
// what strict JSON and the fields' own forms cost beyond that.
void write_reading(wire::JsonWriter& row) {
  const std::string filler(kFillerBytes, 'x');
  const std::string key = to_base64url(crypto::RelaySecretKey::generate().public_key());
  std::string envelope;
  append_envelope(envelope, key, key, 0, filler);
  std::string pulse;
  append_pulse(pulse, 0, filler);

  dialects::Simpatico simpatico;
  dialects::PulseMesh pulsemesh;
  row.key("find_recipient_ns").value(nanoseconds_of([&](std::uint64_t) {
    return text_after(envelope, R"("to":")").size();
  }));
  row.key("read_envelope_ns").value(nanoseconds_of([&](std::uint64_t) {
    return simpatico.read(envelope, dialects::Stage::kAdmitted).index();
  }));
  row.key("read_keys_ns").value(nanoseconds_of([&](std::uint64_t) {
    return (*crypto::relay_key_from(key))[0] + (*crypto::relay_key_from(key))[1];
  }));
  row.key("read_pulse_ns").value(nanoseconds_of([&](std::uint64_t) {
    return pulsemesh.read(pulse, dialects::Stage::kAdmitted).index();
  }));
  const std::string open = pulse.substr(0, pulse.size() - 1);
  row.key("stamp_pulse_ns").value(nanoseconds_of([&](std::uint64_t i) {
    return dialects::stamp_pulse(open, WallTime{static_cast<std::int64_t>(i)}, kTopic).size();
  }));
}

void write_limits(wire::JsonWriter& row) {
  constexpr double kMany = 1e9;
  trust::TokenBucket bucket({kMany, kMany});
  trust::RateLimiter<std::string, crypto::KeyedHash> limiter(kMany, kMany, kAddresses);
  std::array<std::string, kAddresses> addresses;
  for (std::size_t i = 0; i < kAddresses; ++i) addresses[i] = "10.0.0." + std::to_string(i);
  const auto at = [](std::uint64_t i) { return Elapsed{std::chrono::nanoseconds(i)}; };
  row.key("rate_of_session_ns").value(nanoseconds_of([&](std::uint64_t i) {
    return std::uint64_t{bucket.take(at(i))};
  }));
  row.key("rate_of_address_ns").value(nanoseconds_of([&](std::uint64_t i) {
    return std::uint64_t{limiter.take(addresses[i % kAddresses], at(i))};
  }));
}

void write_policy(wire::JsonWriter& row, std::string_view name,
                  const std::shared_ptr<const trust::Policy>& policy) {
  trust::DecisionCache cache(policy);
  const auto roles = trust::kSharedRole;
  const auto key = [&](std::string_view what) {
    return std::string("policy_").append(name).append(what).append("_ns");
  };
  row.key(key("_remembered")).value(nanoseconds_of([&](std::uint64_t) {
    return std::uint64_t{cache.decide(roles, Proof::kShared, Action::kPublish, kTopic).allowed};
  }));
  row.key(key("_decided")).value(nanoseconds_of([&](std::uint64_t) {
    return std::uint64_t{policy->decide(roles, Proof::kShared, Action::kPublish, kTopic).allowed};
  }));
}

trust::TokenFacts token_facts(WallTime now) {
  trust::TokenFacts facts;
  facts.issuer = "bench";
  facts.subject = "gauge-1";
  facts.id = "one-of-many";
  facts.key_id = "k1";
  facts.audience = {"mesh"};
  facts.roles = {"engine"};
  facts.issued = now;
  facts.expires = now + std::chrono::hours(1);
  return facts;
}

// The whole of a token: its text, its signature by the key of its name, its claims.
Result<double> token_ns(crypto::TokenAlgorithm algorithm) {
  const WallTime now{1'800'000'000'000};
  const std::string jwk = trust::SigningKey::generate(algorithm, "k1");
  SIGNET_TRY(const auto key, trust::SigningKey::parse(jwk));
  SIGNET_TRY(const std::string token, trust::sign_token(token_facts(now), key));
  std::string shown = jwk;
  if (algorithm != crypto::TokenAlgorithm::kHs256) {
    SIGNET_TRY(shown, trust::public_key_set({jwk}));
  }
  SIGNET_TRY(const auto keys, trust::KeySet::parse(shown));
  trust::TokenRules rules;
  rules.issuer = "bench";
  rules.audience = "mesh";
  const auto check = [&] { return trust::check_token(token, keys, rules, now); };
  if (!std::holds_alternative<trust::TokenFacts>(check())) {
    return Error{ErrorCode::kBug, "a good token is refused"};
  }
  return nanoseconds_of([&](std::uint64_t) { return std::uint64_t{check().index()}; });
}

Status write_tokens(wire::JsonWriter& row) {
  using crypto::TokenAlgorithm;
  struct Named {
    TokenAlgorithm algorithm;
    std::string_view figure;
  };
  constexpr Named kAlgorithms[] = {{TokenAlgorithm::kHs256, "token_hs256_ns"},
                                   {TokenAlgorithm::kEdDsa, "token_eddsa_ns"},
                                   {TokenAlgorithm::kEs256, "token_es256_ns"},
                                   {TokenAlgorithm::kRs256, "token_rs256_ns"}};
  for (const Named& each : kAlgorithms) {
    SIGNET_TRY(const double cost, token_ns(each.algorithm));
    row.key(each.figure).value(cost);
  }
  return Done{};
}

// What the log adds to an admission on the thread that admits: one of many members, all of whom
// came within the window before.
void write_log(wire::JsonWriter& row) {
  audit::Tally tally({}, Elapsed{});
  const auto note = [&](std::uint64_t i) {
    audit::Fact fact;
    fact.event = audit::Event::kAdmitted;
    fact.mesh = {1};
    fact.member = {1 + static_cast<std::int64_t>(i) % kMembers};
    fact.code = "admitted";
    tally.note(fact, Elapsed{std::chrono::nanoseconds(i)});
    return std::uint64_t{1};
  };
  row.key("log_admission_ns").value(nanoseconds_of(note));
}

}  // namespace

Status write_guard_costs(const std::string& policy_file, const std::string& folder,
                         wire::JsonWriter& row) {
  SIGNET_TRY(const auto shipped, policy_of(config::read_policy(config::kDevPolicy, "default")));
  SIGNET_TRY(const auto many, policy_of(config::read_policy_file(policy_file)));
  write_reading(row);
  write_limits(row);
  write_policy(row, "default", shipped);
  write_policy(row, "of_" + std::to_string(many->rules()) + "_rules", many);
  write_log(row);
  SIGNET_TRY([[maybe_unused]] const Done tokens, write_tokens(row));
  SIGNET_TRY([[maybe_unused]] const Done submissions, write_overlay_guards(row));
  return write_hub_guards(folder, row);
}

}  // namespace signet::bench
