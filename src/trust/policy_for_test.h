// Policy documents in a line each, for tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "trust/policy.h"

namespace signet::trust {

using PolicyRoles = PlacedList;

inline PolicyRole role(std::string name) {
  PolicyRole made;
  made.name = Placed(std::move(name));
  return made;
}

inline PolicyRule rule(std::string id, bool allows, std::vector<Action> actions, PlacedList roles) {
  PolicyRule made;
  made.id = Placed(std::move(id));
  made.allows = allows;
  made.actions = std::move(actions);
  made.roles = std::move(roles);
  return made;
}
inline PolicyRule allow(std::string id, std::vector<Action> actions, PlacedList roles) {
  return rule(std::move(id), true, std::move(actions), std::move(roles));
}
inline PolicyRule deny(std::string id, std::vector<Action> actions, PlacedList roles) {
  return rule(std::move(id), false, std::move(actions), std::move(roles));
}

inline PolicyActor acting(std::optional<PlacedList> roles, PlacedList tags) {
  PolicyActor as;
  as.roles = std::move(roles);
  as.tags = std::move(tags);
  return as;
}

inline std::shared_ptr<const Policy> compiled(PolicyDocument document) {
  auto policy = Policy::compile(std::move(document));
  EXPECT_TRUE(policy.ok()) << (policy.ok() ? "" : policy.error().detail);
  return *policy;
}

}  // namespace signet::trust
