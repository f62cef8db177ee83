#include "audit/pseudonym.h"

#include <gtest/gtest.h>

#include <set>

namespace signet::audit {
namespace {

const std::string kKey(32, 'k');

TEST(Pseudonyms, AreHalfADigestInHex) {
  const Pseudonyms pseudonyms(kKey);
  EXPECT_TRUE(is_pseudonym(pseudonyms.of_member({1})));
  EXPECT_TRUE(is_pseudonym(pseudonyms.of_name("source", "")));
  // Another number in a later build would cut the log from the tables of membership.
  EXPECT_EQ(pseudonyms.of_member({1}), "bb9e134d5ccb8c7876b03eca2eb6a649");
  EXPECT_EQ(pseudonyms.of_name("source", "robot"), "483630a2780f24a71b53763ee5d39374");
}

TEST(Pseudonyms, AreOthersForAnotherMemberNameKindOrKey) {
  const Pseudonyms pseudonyms(kKey);
  const Pseudonyms others(std::string(32, 'K'));
  const std::set<Pseudonym> all{
      pseudonyms.of_member({1}),
      pseudonyms.of_member({2}),
      pseudonyms.of_member({12}),
      pseudonyms.of_name("source", "1"),
      pseudonyms.of_name("source", "2"),
      pseudonyms.of_name("address", "1"),
      pseudonyms.of_name("sourc", "e1"),
      pseudonyms.of_name("source1", ""),
      others.of_member({1}),
      others.of_name("source", "1"),
  };
  EXPECT_EQ(all.size(), 10U);
}

TEST(Pseudonyms, OfACopyAreTheSame) {
  const Pseudonyms pseudonyms(kKey);
  const Pseudonyms copy(pseudonyms);
  EXPECT_EQ(copy.of_member({7}), pseudonyms.of_member({7}));
}

TEST(Pseudonyms, EndWithAGuessableKey) { EXPECT_DEATH(Pseudonyms(std::string(31, 'k')), ""); }

TEST(Pseudonyms, AreKnownByTheirForm) {
  const std::string good(32, 'a');
  EXPECT_TRUE(is_pseudonym(good));
  for (const std::string& bad : {std::string(), good + "a", good.substr(1), std::string(32, 'A'),
                                 std::string(32, 'g'), std::string(32, '\n')}) {
    EXPECT_FALSE(is_pseudonym(bad)) << bad;
  }
}

}  // namespace
}  // namespace signet::audit
