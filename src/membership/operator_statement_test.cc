#include "membership/operator_statement.h"

#include <gtest/gtest.h>

#include <cctype>
#include <functional>
#include <limits>
#include <map>
#include <tuple>

#include "crypto/wycheproof_test.h"  // reads the lines of the vectors
#include "membership/fixture_for_test.h"

namespace signet::membership {
namespace {

constexpr WallTime kAsked{1'767'616'490'123};
constexpr std::int64_t kHour = 3'600'000;
const std::string kAKey(64, 'a');

OperatorStatement statement_of(OperatorAction action, std::string target) {
  return {"mesh-team", action, std::move(target), 8, 3, kAsked + std::chrono::hours(1)};
}

OperatorSignature signed_by(std::string_view name, const OperatorStatement& statement) {
  const crypto::SecretKey key = key_of(name);
  return {key.public_key(), key.sign(bytes_of(statement.text()))};
}

// What a check depends on. The untouched ballot passes: three operators, two needed, two signed.
struct Ballot {
  OperatorStatement statement = statement_of(OperatorAction::kRevoke, "member-eve");
  std::vector<OperatorSignature> signatures;
  std::string mesh = "mesh-team";
  OperatorQuorum quorum;
  WallTime now = kAsked;

  Ballot() {
    for (const char* name : {"ann", "bob", "cat"}) {
      quorum.operators.push_back(key_of(name).public_key());
    }
    quorum.needed = 2;
    quorum.last_serial = 7;
    quorum.policy_version = 3;
    sign({"ann", "bob"});
  }
  void sign(const std::vector<std::string>& names) {
    signatures.clear();
    for (const std::string& name : names) signatures.push_back(signed_by(name, statement));
  }
  // What was signed stays; what is handed in is another statement.
  void replace_by(OperatorStatement other) { statement = std::move(other); }
  std::string verdict() const {
    const auto refusal = check(statement, signatures, mesh, quorum, now);
    return refusal ? std::string(name_of(*refusal)) : "good";
  }
};

crypto::PublicKey key_of_hex(std::string_view hex) {
  return crypto::public_key_from_hex(hex).value_or(crypto::PublicKey{});
}
std::string in_capitals(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

struct Case {
  const char* name;
  std::function<void(Ballot&)> make;
  const char* verdict;
};

// Threat K10: what m-1 insiders could try, and the edges of what is good.
const Case kCases[] = {
    {"two of three", [](Ballot&) {}, "good"},
    {"another two",
     [](Ballot& w) {
       w.sign({"cat", "ann"});
     },
     "good"},
    {"all three",
     [](Ballot& w) {
       w.sign({"ann", "bob", "cat"});
     },
     "good"},
    {"one", [](Ballot& w) { w.sign({"ann"}); }, "too_few_signatures"},
    {"nobody", [](Ballot& w) { w.sign({}); }, "too_few_signatures"},
    {"one, twice",
     [](Ballot& w) {
       w.sign({"ann", "ann"});
     },
     "duplicate_signer"},
    {"one, three times",
     [](Ballot& w) {
       w.sign({"ann", "ann", "ann"});
     },
     "duplicate_signer"},
    {"two, and one of them again",
     [](Ballot& w) {
       w.sign({"ann", "bob", "ann"});
     },
     "duplicate_signer"},
    {"one, in two spellings",
     [](Ballot& w) {
       w.sign({"ann", "ann"});
       const std::string hex = crypto::to_hex(w.signatures[0].signer);
       w.signatures[0].signer = key_of_hex(hex);
       w.signatures[1].signer = key_of_hex(in_capitals(hex));
     },
     "duplicate_signer"},
    {"two, one in upper case",
     [](Ballot& w) {
       w.signatures[1].signer = key_of_hex(in_capitals(crypto::to_hex(w.signatures[1].signer)));
     },
     "good"},
    {"one, and once more with a bad signature",
     [](Ballot& w) {
       w.sign({"ann", "ann"});
       w.signatures[1].signature[0] ^= 1;
     },
     "duplicate_signer"},
    {"one, and a stranger",
     [](Ballot& w) {
       w.sign({"ann", "dan"});
     },
     "unknown_signer"},
    {"two, and a stranger",
     [](Ballot& w) {
       w.sign({"ann", "bob", "dan"});
     },
     "unknown_signer"},
    {"a stranger, twice",
     [](Ballot& w) {
       w.sign({"dan", "dan"});
     },
     "unknown_signer"},
    {"a duplicate, and then a stranger",
     [](Ballot& w) {
       w.sign({"ann", "ann", "dan"});
     },
     "unknown_signer"},
    {"an operator who was removed",
     [](Ballot& w) { w.quorum.operators.erase(w.quorum.operators.begin() + 1); }, "unknown_signer"},
    {"the key of nothing but zeros",
     [](Ballot& w) { w.signatures[1].signer = crypto::PublicKey{}; }, "unknown_signer"},
    {"a key of small order, enrolled by mistake",
     [](Ballot& w) {
       w.quorum.operators.emplace_back();
       w.signatures.push_back({});
     },
     "bad_signature"},
    {"a signature with another bit", [](Ballot& w) { w.signatures[1].signature[63] ^= 1; },
     "bad_signature"},
    {"no signature", [](Ballot& w) { w.signatures[1].signature = {}; }, "bad_signature"},
    {"enough without the bad one",
     [](Ballot& w) {
       w.sign({"ann", "bob", "cat"});
       w.signatures[2].signature[5] ^= 1;
     },
     "bad_signature"},
    {"a signature under another's name",
     [](Ballot& w) { w.signatures[1].signature = w.signatures[0].signature; }, "bad_signature"},
    {"the names of two, exchanged",
     [](Ballot& w) { std::swap(w.signatures[0].signer, w.signatures[1].signer); }, "bad_signature"},
    {"one who signed for another target",
     [](Ballot& w) {
       w.signatures[1] = signed_by("bob", statement_of(OperatorAction::kRevoke, "member-dan"));
     },
     "bad_signature"},
    {"both signed for another target",
     [](Ballot& w) { w.replace_by(statement_of(OperatorAction::kRevoke, "member-dan")); },
     "bad_signature"},
    {"both signed another action with this target",
     [](Ballot& w) {
       w.statement = statement_of(OperatorAction::kOperatorAdd, kAKey);
       w.sign({"ann", "bob"});
       w.replace_by(statement_of(OperatorAction::kOperatorRemove, kAKey));
     },
     "bad_signature"},
    {"both signed for another mesh, and this is the other",
     [](Ballot& w) { w.mesh = "mesh-other"; }, "wrong_mesh"},
    {"both signed for another mesh, and it was written over",
     [](Ballot& w) {
       w.statement.mesh = "mesh-other";
       w.sign({"ann", "bob"});
       w.statement.mesh = "mesh-team";
     },
     "bad_signature"},
    {"a mesh whose name begins alike", [](Ballot& w) { w.mesh = "mesh-team2"; }, "wrong_mesh"},
    {"the millisecond before its end",
     [](Ballot& w) { w.now = w.statement.expires - std::chrono::milliseconds(1); }, "good"},
    {"its end", [](Ballot& w) { w.now = w.statement.expires; }, "expired"},
    {"a longer time written over it",
     [](Ballot& w) {
       w.now = w.statement.expires;
       w.statement.expires.ms += kHour;
     },
     "bad_signature"},
    {"the longest life",
     [](Ballot& w) {
       w.statement.expires = kAsked + std::chrono::hours(24);
       w.sign({"ann", "bob"});
     },
     "good"},
    {"a millisecond longer",
     [](Ballot& w) {
       w.statement.expires = kAsked + std::chrono::milliseconds(24 * kHour + 1);
       w.sign({"ann", "bob"});
     },
     "too_long_lived"},
    {"for ever",
     [](Ballot& w) {
       w.statement.expires = {std::numeric_limits<std::int64_t>::max()};
       w.sign({"ann", "bob"});
     },
     "too_long_lived"},
    {"an older policy", [](Ballot& w) { w.quorum.policy_version = 4; }, "stale_policy"},
    {"a policy that is not there yet", [](Ballot& w) { w.quorum.policy_version = 2; },
     "stale_policy"},
    {"once more after it was carried out", [](Ballot& w) { w.quorum.last_serial = 8; },
     "stale_serial"},
    {"after a later one", [](Ballot& w) { w.quorum.last_serial = 9; }, "stale_serial"},
    {"a higher serial written over it", [](Ballot& w) { ++w.statement.serial; }, "bad_signature"},
    {"serials that were left out",
     [](Ballot& w) {
       w.statement.serial = 1'000;
       w.sign({"ann", "bob"});
     },
     "good"},
    {"the last serial there is",
     [](Ballot& w) {
       w.quorum.last_serial = std::numeric_limits<std::uint64_t>::max();
       w.statement.serial = w.quorum.last_serial;
       w.sign({"ann", "bob"});
     },
     "stale_serial"},
    {"a line end in the target",
     [](Ballot& w) {
       w.statement.target = "member-eve\n9";
       w.sign({"ann", "bob"});
     },
     "malformed"},
    {"an emergency", [](Ballot& w) { w.quorum.emergency = true; }, "good"},
    {"an emergency, and one signed",
     [](Ballot& w) {
       w.quorum.emergency = true;
       w.sign({"cat"});
     },
     "good"},
    {"an emergency, and nobody signed",
     [](Ballot& w) {
       w.quorum.emergency = true;
       w.sign({});
     },
     "too_few_signatures"},
    {"an emergency, and a stranger",
     [](Ballot& w) {
       w.quorum.emergency = true;
       w.sign({"dan"});
     },
     "unknown_signer"},
    {"nobody is needed, and nobody signed",
     [](Ballot& w) {
       w.quorum.needed = 0;
       w.sign({});
     },
     "too_few_signatures"},
    {"more are needed than there are",
     [](Ballot& w) {
       w.quorum.needed = 4;
       w.sign({"ann", "bob", "cat"});
     },
     "too_few_signatures"},
    {"an operator who is listed twice, and signed twice",
     [](Ballot& w) {
       w.quorum.operators.push_back(w.quorum.operators[0]);
       w.sign({"ann", "ann"});
     },
     "duplicate_signer"},
};

TEST(CheckStatement, AnswersEveryCase) {
  static_assert(std::size(kCases) >= 40);
  for (const Case& row : kCases) {
    Ballot ballot;
    row.make(ballot);
    EXPECT_EQ(ballot.verdict(), row.verdict) << row.name;
  }
}

// The refusals in the order of the list; what comes later is only named once nothing earlier is.
TEST(CheckStatement, NamesTheEarlierOfTwoFaults) {
  const std::pair<const char*, std::function<void(Ballot&)>> faults[] = {
      {"malformed", [](Ballot& w) { w.statement.target += ' '; }},
      {"wrong_mesh", [](Ballot& w) { w.mesh = "mesh-other"; }},
      {"expired", [](Ballot& w) { w.statement.expires = kAsked; }},
      {"too_long_lived", [](Ballot& w) { w.quorum.longest_life = std::chrono::milliseconds(-1); }},
      {"stale_policy", [](Ballot& w) { ++w.statement.policy_version; }},
      {"stale_serial", [](Ballot& w) { w.quorum.last_serial = w.statement.serial; }},
      {"unknown_signer", [](Ballot& w) { w.signatures.push_back(signed_by("dan", w.statement)); }},
      {"duplicate_signer", [](Ballot& w) { w.signatures.push_back(w.signatures[0]); }},
      {"bad_signature", [](Ballot& w) { w.signatures[0].signature[3] ^= 1; }},
      {"too_few_signatures", [](Ballot& w) { w.quorum.needed = 9; }},
  };
  constexpr std::size_t kSignerFaults = 6;  // from here on
  for (std::size_t first = 0; first < std::size(faults); ++first) {
    for (std::size_t second = first; second < std::size(faults); ++second) {
      Ballot ballot;
      const auto make = [&](bool of_statement) {
        for (std::size_t i = second;; i = first) {
          if ((i < kSignerFaults) == of_statement) faults[i].second(ballot);
          if (i == first) return;
        }
      };
      make(true);
      ballot.sign({"ann", "bob"});  // what is wrong with the statement is signed
      make(false);
      EXPECT_EQ(ballot.verdict(), faults[first].first) << "and " << faults[second].first;
    }
  }
}

// Of every set of signatures out of good, bad and strangers' ones: exactly those pass in which
// nothing is bad and as many distinct operators signed as are needed.
TEST(CheckStatement, PassesExactlyTheSetsThatHaveEnough) {
  const std::vector<std::string> operators{"ann", "bob", "cat", "eli", "fay"};
  Ballot ballot;
  ballot.quorum.operators.clear();
  std::vector<OperatorSignature> pool;
  for (const std::string& name : operators) {
    ballot.quorum.operators.push_back(key_of(name).public_key());
    pool.push_back(signed_by(name, ballot.statement));
  }
  pool.push_back(signed_by("ann", ballot.statement));  // again
  pool.push_back(signed_by("gus", ballot.statement));  // a stranger
  pool.push_back(signed_by("fay", statement_of(OperatorAction::kRevoke, "member-dan")));
  std::size_t passed = 0;
  for (std::size_t needed = 1; needed <= operators.size(); ++needed) {
    ballot.quorum.needed = needed;
    for (std::size_t set = 0; set < (std::size_t{1} << pool.size()); ++set) {
      ballot.signatures.clear();
      std::size_t good = 0;
      for (std::size_t i = 0; i < pool.size(); ++i) {
        if ((set >> i & 1) == 0) continue;
        ballot.signatures.push_back(pool[i]);
        good += i < operators.size() ? 1 : 0;
      }
      const bool first_again = (set & 0b100001) == 0b100000;  // then the second of ann is her first
      const bool twice = (set & 0b100001) == 0b100001;
      const bool bad = (set >> 6) != 0;
      good += first_again ? 1 : 0;
      const bool want = !bad && !twice && good >= needed;
      EXPECT_EQ(ballot.verdict() == "good", want) << "set " << set << ", needed " << needed;
      passed += want ? 1 : 0;
    }
  }
  EXPECT_EQ(passed, 31u + 26 + 16 + 6 + 1 + 16 + 15 + 11 + 5 + 1) << "ann has two signatures";
}

TEST(OperatorStatement, ReadsBackWhatItWrites) {
  for (const auto& [action, target] : std::vector<std::pair<OperatorAction, std::string>>{
           {OperatorAction::kRevoke, "member-eve"},
           {OperatorAction::kDenyMany, kAKey},
           {OperatorAction::kThreshold, "0.70"},
           {OperatorAction::kPolicyOwner, kAKey},
           {OperatorAction::kOperatorAdd, kAKey},
           {OperatorAction::kOperatorRemove, kAKey},
           {OperatorAction::kQuorum, "2"},
           {OperatorAction::kRekey, "node-a " + kAKey}}) {
    const OperatorStatement made = statement_of(action, target);
    EXPECT_EQ(OperatorStatement::of(made.text()), made) << name_of(action);
    EXPECT_EQ(action_of(name_of(action)), action);
  }
  OperatorStatement edge = statement_of(OperatorAction::kRevoke, std::string(256, 'x'));
  edge.mesh = std::string(128, '~');
  edge.serial = edge.policy_version = std::numeric_limits<std::uint64_t>::max();
  edge.expires = {std::numeric_limits<std::int64_t>::max()};
  EXPECT_EQ(OperatorStatement::of(edge.text()), edge);
  edge.serial = edge.policy_version = 0;
  edge.expires = {};
  EXPECT_EQ(OperatorStatement::of(edge.text()), edge);
}

TEST(OperatorStatement, ReadsNothingElse) {
  const std::string good = "signet-operator-v1\nm\nrevoke\nmember-eve\n8\n3\n1767616490123\n";
  ASSERT_TRUE(OperatorStatement::of(good));
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    EXPECT_FALSE(OperatorStatement::of(good.substr(0, cut))) << cut;
  }
  // No other byte, anywhere, makes a statement that means the same.
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (int c = 0; c < 256; ++c) {
      std::string other = good;
      other[i] = static_cast<char>(c);
      const auto made = OperatorStatement::of(other);
      if (other == good || !made) continue;
      EXPECT_EQ(made->text(), other);
      EXPECT_NE(*made, *OperatorStatement::of(good));
    }
  }
  // clang-format off
  const std::pair<const char*, const char*> rows[] = {
      {"a line more",            "signet-operator-v1\nm\nrevoke\nx\n8\n3\n1\n\n"},
      {"something behind it",    "signet-operator-v1\nm\nrevoke\nx\n8\n3\n1\nx"},
      {"lines of Windows",       "signet-operator-v1\r\nm\r\nrevoke\r\nx\r\n8\r\n3\r\n1\r\n"},
      {"another domain",         "signet-operator-v2\nm\nrevoke\nx\n8\n3\n1\n"},
      {"no mesh",                "signet-operator-v1\n\nrevoke\nx\n8\n3\n1\n"},
      {"another action",         "signet-operator-v1\nm\nadmit\nx\n8\n3\n1\n"},
      {"an action in capitals",  "signet-operator-v1\nm\nRevoke\nx\n8\n3\n1\n"},
      {"no target",              "signet-operator-v1\nm\nrevoke\n\n8\n3\n1\n"},
      {"a space before it",      "signet-operator-v1\nm\nrevoke\n x\n8\n3\n1\n"},
      {"a space behind it",      "signet-operator-v1\nm\nrevoke\nx \n8\n3\n1\n"},
      {"a tab in it",            "signet-operator-v1\nm\nrevoke\nx\ty\n8\n3\n1\n"},
      {"letters that look alike", "signet-operator-v1\nm\nrevoke\nm\xd0\xb5mber\n8\n3\n1\n"},
      {"a leading zero",         "signet-operator-v1\nm\nrevoke\nx\n08\n3\n1\n"},
      {"a plus",                 "signet-operator-v1\nm\nrevoke\nx\n+8\n3\n1\n"},
      {"minus nothing",          "signet-operator-v1\nm\nrevoke\nx\n8\n3\n-0\n"},
      {"below zero",             "signet-operator-v1\nm\nrevoke\nx\n8\n3\n-1\n"},
      {"a serial beyond",        "signet-operator-v1\nm\nrevoke\nx\n18446744073709551616\n3\n1\n"},
      {"a time beyond",          "signet-operator-v1\nm\nrevoke\nx\n8\n3\n9223372036854775808\n"},
      {"a fraction",             "signet-operator-v1\nm\nrevoke\nx\n8\n3\n1.0\n"},
      {"hex",                    "signet-operator-v1\nm\nrevoke\nx\n0x8\n3\n1\n"},
  };
  // clang-format on
  for (const auto& [name, text] : rows) EXPECT_FALSE(OperatorStatement::of(text)) << name;
}

TEST(OperatorStatement, TakesOneSpellingOfATarget) {
  using enum OperatorAction;
  const std::string digits(64, '0');
  // clang-format off
  const std::tuple<OperatorAction, std::string, bool> rows[] = {
      {kRevoke, std::string(256, 'x'), true}, {kRevoke, std::string(257, 'x'), false},
      {kRevoke, "two words", true},           {kRevoke, "a\nb", false},
      {kThreshold, "0.70", true},             {kThreshold, "0.7", false},
      {kThreshold, "0.00", true},             {kThreshold, "1.00", true},
      {kThreshold, "0.700", false},           {kThreshold, "0.705", true},
      {kThreshold, "0.700001", true},         {kThreshold, "0.7000001", false},
      {kThreshold, "1.01", false},            {kThreshold, "1.001", false},
      {kThreshold, "2.00", false},            {kThreshold, ".70", false},
      {kThreshold, "0,70", false},            {kThreshold, "00.70", false},
      {kThreshold, "-0.70", false},           {kThreshold, "0.7a", false},
      {kThreshold, "nan", false},             {kThreshold, "1e-1", false},
      {kQuorum, "1", true},                   {kQuorum, "0", false},
      {kQuorum, "02", false},                 {kQuorum, "999", true},
      {kQuorum, "1000", false},               {kQuorum, "+2", false},
      {kPolicyOwner, digits, true},           {kPolicyOwner, kAKey, true},
      {kPolicyOwner, in_capitals(kAKey), false},     {kPolicyOwner, digits.substr(1), false},
      {kOperatorAdd, digits + "0", false},    {kOperatorAdd, "g" + digits.substr(1), false},
      {kOperatorRemove, in_capitals(kAKey), false},  {kDenyMany, in_capitals(kAKey), false},
      {kDenyMany, "everybody", false},        {kRekey, "node-a " + kAKey, true},
      {kRekey, kAKey, false},                  {kRekey, "node-a  " + kAKey, false},
      {kRekey, "node-a " + in_capitals(kAKey), false}, {kRekey, " " + kAKey, false},
      {kRekey, "a b " + kAKey, false},
  };
  // clang-format on
  for (const auto& [action, target, good] : rows) {
    const OperatorStatement made = statement_of(action, target);
    EXPECT_EQ(made.is_well_formed(), good) << name_of(action) << " " << target;
    EXPECT_EQ(OperatorStatement::of(made.text()).has_value(), good) << target;
  }
}

// Whatever the fields hold, two statements that are well-formed have two texts.
TEST(OperatorStatement, NoTwoShareAText) {
  std::map<std::string, OperatorStatement> seen;
  for (const char* mesh : {"m", "m\nrevoke", "revoke", "m\nrevoke\nx"}) {
    for (const char* target : {"x", "x\n8", "8", "revoke\nx", "x\n8\n3"}) {
      for (const std::uint64_t serial : {8u, 3u}) {
        OperatorStatement made{mesh, OperatorAction::kRevoke, target, serial, 3, {8}};
        if (!made.is_well_formed()) continue;
        EXPECT_TRUE(seen.emplace(made.text(), made).second) << made.text();
      }
    }
  }
  EXPECT_EQ(seen.size(), 8u);
}

std::string without_escapes(const std::string& json) {
  std::string text;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const bool line_end = json.compare(i, 2, "\\n") == 0;
    text += line_end ? '\n' : json[i];
    i += line_end ? 1 : 0;
  }
  return text;
}

TEST(DigestOfDenials, IsOfTheirLines) {
  // printf 'signet-denials-v1\nnode-a\nnode-b\n' | sha256sum
  EXPECT_EQ(digest_of_denials({"node-a", "node-b"}),
            "9f36bd80707d81764479f8360506c79d43cc4def27fc3c13d4b7da4f2a529269");
  EXPECT_NE(digest_of_denials({"node-a"}), digest_of_denials({"node-b"}));
  EXPECT_NE(digest_of_denials({"ab"}), digest_of_denials({"a", "b"}));
}

// protocol/vectors/operators.json: another library signed them.
TEST(CheckStatement, AgreesWithTheVectors) {
  std::ifstream file(std::string(SIGNET_SOURCE_DIR) + "/protocol/vectors/operators.json");
  const std::string json{std::istreambuf_iterator<char>(file), {}};
  OperatorQuorum quorum;
  std::string mesh, name, text;
  WallTime now;
  std::vector<OperatorSignature> signatures;
  std::size_t cases = 0;
  for (const auto& [key, value] : crypto::string_members(json)) {
    if (key == "mesh") mesh = value;
    if (key == "now") now.ms = std::stoll(value);
    if (key == "needed") quorum.needed = std::stoul(value);
    if (key == "last_serial") quorum.last_serial = std::stoull(value);
    if (key == "policy_version") quorum.policy_version = std::stoull(value);
    if (key == "operator") quorum.operators.push_back(key_of_hex(value));
    if (key == "name") name = value;
    if (key == "text") text = without_escapes(value);
    if (key == "signer") signatures.push_back({key_of_hex(value), {}});
    if (key == "signature") {
      ASSERT_TRUE(from_hex(value, signatures.back().signature)) << name;
    }
    if (key != "verdict") continue;
    const auto statement = OperatorStatement::of(text);
    const auto refusal =
        statement ? check(*statement, signatures, mesh, quorum, now) : StatementRefusal::kMalformed;
    EXPECT_EQ(refusal ? name_of(*refusal) : "good", value) << name;
    signatures.clear();
    ++cases;
  }
  EXPECT_GE(cases, 20u);
}

}  // namespace
}  // namespace signet::membership
