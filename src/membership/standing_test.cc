#include "membership/standing.h"

#include <gtest/gtest.h>

namespace signet::membership {
namespace {

TEST(NameOfStanding, IsAWordForEach) {
  EXPECT_EQ(name_of(Standing::kUnknown), "unknown");
  EXPECT_EQ(name_of(Standing::kProbation), "probation");
  EXPECT_EQ(name_of(Standing::kAdmitted), "admitted");
  EXPECT_EQ(name_of(Standing::kQuarantined), "quarantined");
  EXPECT_EQ(name_of(Standing::kRevoked), "revoked");
}

}  // namespace
}  // namespace signet::membership
