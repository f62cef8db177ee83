#include "trust/decision_cache.h"

#include <utility>

namespace signet::trust {

DecisionCache::DecisionCache(std::shared_ptr<const Policy> policy, DecisionCacheOptions options)
    : policy_(std::move(policy)), options_(options) {}

const Decision& DecisionCache::decide(Roles roles, Proof proof, Action action,
                                      std::string_view resource) {
  if (resource.size() > options_.max_resource_bytes || options_.max_entries == 0) {
    not_kept_ = policy_->decide(roles, proof, action, resource);
    return not_kept_;
  }
  const Question question{roles, proof, action, resource};
  if (const auto found = decisions_.find(question); found != decisions_.end()) {
    return found->second;
  }
  if (decisions_.size() >= options_.max_entries) decisions_.clear();
  const Decision decided = policy_->decide(roles, proof, action, resource);
  return decisions_.emplace(Key{roles, proof, action, std::string(resource)}, decided)
      .first->second;
}

}  // namespace signet::trust
