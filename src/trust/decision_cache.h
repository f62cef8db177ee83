// DecisionCache remembers what a policy decided, for the paths that ask the same for every message:
// a hit is one hash look-up and allocates nothing. It answers exactly as Policy::decide.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "crypto/hash.h"
#include "trust/policy.h"

namespace signet::trust {

struct DecisionCacheOptions {
  // Emptied when full: a peer that asks for ever new names costs the others a scan of the rules
  // each, but no memory. With short names 65,536 are about 10 MiB.
  std::size_t max_entries = 65'536;
  // A longer name is decided anew each time, so that names cannot use up memory instead.
  std::size_t max_resource_bytes = 256;
};

// Of one policy: a new policy gets a new cache. Keeps the policy alive. Owner thread only.
class DecisionCache {
 public:
  explicit DecisionCache(std::shared_ptr<const Policy> policy, DecisionCacheOptions options = {});

  // The reference holds until the next call; the id in it as long as the policy.
  const Decision& decide(Roles roles, Proof proof, Action action, std::string_view resource);

  const Policy& policy() const { return *policy_; }
  const std::shared_ptr<const Policy>& shared_policy() const { return policy_; }
  std::size_t size() const { return decisions_.size(); }

 private:
  struct Question {
    Roles roles;
    Proof proof;
    Action action;
    std::string_view resource;
    bool operator==(const Question&) const = default;
  };
  struct Key {
    Roles roles;
    Proof proof;
    Action action;
    std::string resource;
    Question question() const { return {roles, proof, action, resource}; }
  };
  // Peers choose the resource, so that part is keyed; the rest is ours and only mixed in.
  struct QuestionHash {
    using is_transparent = void;
    std::size_t operator()(const Question& asked) const noexcept {
      constexpr std::uint64_t kOdd = 0x9e37'79b9'7f4a'7c15;  // spreads few bits over all
      const auto kind = static_cast<std::uint64_t>(asked.action) * kProofs +
                        static_cast<std::uint64_t>(asked.proof);
      return crypto::KeyedHash()(asked.resource) ^ ((asked.roles * kOdd + kind) * kOdd);
    }
    std::size_t operator()(const Key& key) const noexcept { return (*this)(key.question()); }
  };
  struct SameQuestion {
    using is_transparent = void;
    bool operator()(const Key& a, const Key& b) const { return a.question() == b.question(); }
    bool operator()(const Question& a, const Key& b) const { return a == b.question(); }
    bool operator()(const Key& a, const Question& b) const { return a.question() == b; }
  };

  std::shared_ptr<const Policy> policy_;
  DecisionCacheOptions options_;
  Decision not_kept_;  // the last answer to a question that is too long
  std::unordered_map<Key, Decision, QuestionHash, SameQuestion> decisions_;
};

}  // namespace signet::trust
