// The words of a standing, wherever one is said: the operator's API, the log, the overlay's
// reasons.
#pragma once

#include <string_view>

#include "membership/model.h"

namespace signet::membership {

constexpr std::string_view name_of(Standing standing) {
  switch (standing) {
    case Standing::kUnknown:
      break;
    case Standing::kProbation:
      return "probation";
    case Standing::kAdmitted:
      return "admitted";
    case Standing::kQuarantined:
      return "quarantined";
    case Standing::kRevoked:
      return "revoked";
  }
  return "unknown";
}

}  // namespace signet::membership
