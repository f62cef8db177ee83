// The Wycheproof files about JSON Web Signature and JSON Web Keys, as this verifier sees them.
#include "trust/jws.h"

#include <gtest/gtest.h>

#include <set>

#include "crypto/wycheproof_test.h"
#include "wire/json.h"

namespace signet::trust {
namespace {

using wire::JsonValue;

struct Tally {
  int agreed = 0;                 // of the four algorithms: as the file says
  int not_spoken = 0;             // good ones of other algorithms, all refused
  std::set<std::int64_t> others;  // where the file says something else
};

bool is_taken(std::string_view token, std::string_view keys) {
  const auto set = KeySet::parse(keys);
  return set.ok() && std::holds_alternative<VerifiedJws>(verify_jws(token, *set));
}

// Whether a key of the group is for one of the four, whatever is wrong with it.
bool is_spoken(const JsonValue& keys) {
  const JsonValue first = keys["keys"] ? keys["keys"][std::size_t{0}] : keys;
  return crypto::token_algorithm_from(first["alg"].string().value_or("")).has_value();
}

Tally run(const char* file) {
  const auto text = crypto::wycheproof_file(file);
  if (!text) return {};
  wire::JsonDocument document;
  EXPECT_TRUE(document.parse(*text).ok());
  const JsonValue groups = document.root()["testGroups"];
  Tally tally;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const JsonValue group = groups[g];
    const JsonValue keys = group["public"] ? group["public"] : group["private"];
    for (std::size_t t = 0; t < group["tests"].size(); ++t) {
      const JsonValue test = group["tests"][t];
      const JsonValue jws = test["jws"];
      const bool good = test["result"].string() == "valid";
      const bool taken = is_taken(jws.string().value_or(jws.raw()), keys.raw());
      if (good && !is_spoken(keys)) {
        EXPECT_FALSE(taken) << *test["tcId"].integer();
        ++tally.not_spoken;
      } else if (taken == good) {
        ++tally.agreed;
      } else {
        tally.others.insert(*test["tcId"].integer());
      }
    }
  }
  return tally;
}

TEST(Jws, AgreesWithEveryWycheproofSignature) {
  const Tally tally = run("json_web_signature_test.json");
  if (tally.agreed == 0) GTEST_SKIP() << "the Wycheproof files are not beside this tree";
  // 367 and 370 are the very text of 357, which is good: their padding was lost. 372 and 373 have a
  // '?' in their base64url that the file's decoder skips; RFC 4648, section 3.3, has it refused.
  EXPECT_EQ(tally.others, (std::set<std::int64_t>{367, 370, 372, 373}));
  EXPECT_EQ(tally.agreed, 371);
  EXPECT_EQ(tally.not_spoken, 26);
}

TEST(Jws, AgreesWithEveryWycheproofKey) {
  const Tally tally = run("json_web_key_test.json");
  if (tally.agreed == 0) GTEST_SKIP() << "the Wycheproof files are not beside this tree";
  EXPECT_EQ(tally.others, std::set<std::int64_t>{});
  EXPECT_EQ(tally.agreed, 24);
  EXPECT_EQ(tally.not_spoken, 2);
}

}  // namespace
}  // namespace signet::trust
