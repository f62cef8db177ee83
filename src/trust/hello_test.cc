#include <gtest/gtest.h>

#include <cctype>
#include <set>
#include <string>

#include "trust/hello_for_test.h"

namespace signet::trust {
namespace {

using namespace std::string_literals;
using crypto::SecretKey;

Hello signed_hello() { return Hello().sign(key_a()); }

ProvenHello proof_of(const Hello& hello) {
  const auto checked = check_hello(hello.claim(), kNow, kSkew, true);
  EXPECT_TRUE(std::holds_alternative<ProvenHello>(checked));
  return std::get<ProvenHello>(checked);
}

TEST(CheckHello, ProvesTheHelloOfTheProtocolPage) {
  Hello hello;
  hello.signature =
      "0de0a3d2b018b6fed13786bdd0b8a9b5346e7797e31a46d30609d783a5c87ecc"
      "eeec8fcc5ee9b4b32f9dfb0d59e9e85bafe4c37874dc611b916ae377959a5200";
  const ProvenHello proof = proof_of(hello);
  EXPECT_EQ(proof.key, key_a().public_key());
  EXPECT_EQ(proof.timestamp_ms, 1'700'000'000'000);
  for (char& c : hello.signature) c = static_cast<char>(std::toupper(c));
  EXPECT_EQ(answer(hello), "proven");
}

// Each form is signed as it stands, so that only the timestamp decides.
TEST(CheckHello, ReadsATimestampInOneWayOnly) {
  struct Case {
    const char* name;
    std::optional<std::string> text;
    std::string_view answer;
  };
  const Case cases[] = {
      // Fresh integers.
      {"now", "1700000000000", "proven"},
      {"the oldest", "1699999940000", "proven"},
      {"the newest", "1700000060000", "proven"},
      {"one inside the old end", "1699999940001", "proven"},
      {"one inside the new end", "1700000059999", "proven"},
      // Integers that are not fresh.
      {"one too old", "1699999939999", "timestamp_skew"},
      {"one too new", "1700000060001", "timestamp_skew"},
      {"seconds", "1700000000", "timestamp_skew"},
      {"microseconds", "1700000000000000", "timestamp_skew"},
      {"nanoseconds", "1700000000000000000", "timestamp_skew"},
      {"zero", "0", "timestamp_skew"},
      {"one", "1", "timestamp_skew"},
      {"minus one", "-1", "timestamp_skew"},
      {"minus zero", "-0", "timestamp_skew"},
      {"minus now", "-1700000000000", "timestamp_skew"},
      {"2^31", "2147483648", "timestamp_skew"},
      {"2^53", "9007199254740992", "timestamp_skew"},
      {"the last of 16 digits", "9999999999999999", "timestamp_skew"},
      {"17 digits", "17000000000000000", "timestamp_skew"},
      {"2^63 - 1", "9223372036854775807", "timestamp_skew"},
      {"2^63", "9223372036854775808", "timestamp_skew"},
      {"-2^63", "-9223372036854775808", "timestamp_skew"},
      {"2^64", "18446744073709551616", "timestamp_skew"},
      {"2^64 + now", "18446745773709551616", "timestamp_skew"},
      {"2^32 times now", "7301444403200000000000", "timestamp_skew"},
      {"a thousand nines", std::string(1000, '9'), "timestamp_skew"},
      {"a long zero", "0." + std::string(1000, '0'), "timestamp_skew"},
      // Numbers that are no integers, or not written as one: fresh, but not what can be signed.
      {"fraction of zero", "1700000000000.0", "malformed"},
      {"fraction", "1700000000000.5", "malformed"},
      {"long fraction", "1700000000000." + std::string(1000, '0'), "malformed"},
      {"exponent", "1.7e12", "malformed"},
      {"capital exponent", "1.7E12", "malformed"},
      {"signed exponent", "1.7e+12", "malformed"},
      {"padded exponent", "1.7e0012", "malformed"},
      {"exponent without fraction", "17e11", "malformed"},
      {"exponent of zero", "1700000000000e0", "malformed"},
      {"negative exponent", "17000000000000e-1", "malformed"},
      {"an exponent at the edge", "1.70000006e12", "malformed"},
      {"a fraction past the edge", "1700000060000.5", "timestamp_skew"},
      {"half", "0.5", "timestamp_skew"},
      {"exponent far off", "1.7e13", "timestamp_skew"},
      {"the largest double", "1.7976931348623157e308", "timestamp_skew"},
      {"past the largest double", "1e309", "timestamp_skew"},
      {"minus past it", "-1e309", "timestamp_skew"},
      {"the smallest double", "5e-324", "timestamp_skew"},
      {"below the smallest double", "1e-400", "timestamp_skew"},
      {"an absurd exponent", "1e99999999999999999999", "timestamp_skew"},
      // What is no JSON number.
      {"absent", std::nullopt, "timestamp_skew"},
      {"empty", "", "timestamp_skew"},
      {"NaN", "NaN", "timestamp_skew"},
      {"nan", "nan", "timestamp_skew"},
      {"Infinity", "Infinity", "timestamp_skew"},
      {"-Infinity", "-Infinity", "timestamp_skew"},
      {"inf", "inf", "timestamp_skew"},
      {"null", "null", "timestamp_skew"},
      {"true", "true", "timestamp_skew"},
      {"a string", "\"1700000000000\"", "timestamp_skew"},
      {"an array", "[1700000000000]", "timestamp_skew"},
      {"an object", "{}", "timestamp_skew"},
      {"ISO 8601", "2023-11-14T22:13:20Z", "timestamp_skew"},
      {"ISO 8601 without zone", "2023-11-14T22:13:20", "timestamp_skew"},
      {"a leap second", "2016-12-31T23:59:60Z", "timestamp_skew"},
      {"plus sign", "+1700000000000", "timestamp_skew"},
      {"leading zero", "01700000000000", "timestamp_skew"},
      {"two minus signs", "--1700000000000", "timestamp_skew"},
      {"minus alone", "-", "timestamp_skew"},
      {"minus behind", "1700000000000-", "timestamp_skew"},
      {"hex", "0x18bcfe56800", "timestamp_skew"},
      {"octal", "0o1700000000000", "timestamp_skew"},
      {"underscores", "1_700_000_000_000", "timestamp_skew"},
      {"commas", "1,700,000,000,000", "timestamp_skew"},
      {"big integer", "1700000000000n", "timestamp_skew"},
      {"a dot behind", "1700000000000.", "timestamp_skew"},
      {"a dot before", ".17e13", "timestamp_skew"},
      {"two dots", "1700000000000.0.0", "timestamp_skew"},
      {"exponent cut short", "1700000000000e", "timestamp_skew"},
      {"signed exponent cut short", "1.7e+", "timestamp_skew"},
      {"exponent of two signs", "1.7e+-12", "timestamp_skew"},
      {"fraction in the exponent", "1.7e12.0", "timestamp_skew"},
      {"space before", " 1700000000000", "timestamp_skew"},
      {"space behind", "1700000000000 ", "timestamp_skew"},
      {"line break behind", "1700000000000\n", "timestamp_skew"},
      {"zero byte behind", "1700000000000\0"s, "timestamp_skew"},
      {"a field border behind", "1700000000000|", "timestamp_skew"},
      {"Arabic digits", "١٧٠٠٠٠٠٠٠٠٠٠٠", "timestamp_skew"},
      {"full-width digits", "１７００００００００００", "timestamp_skew"},
  };
  static_assert(std::size(cases) >= 60);
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Hello hello;
    hello.timestamp = c.text;
    EXPECT_EQ(answer(hello.sign(key_a())), c.answer);
  }
}

TEST(CheckHello, MeasuresSkewWhereTheClockIsOdd) {
  struct Case {
    const char* name;
    std::int64_t now;
    const char* timestamp;
    std::string_view answer;
  };
  const Case cases[] = {
      {"the epoch", 0, "0", "proven"},
      {"before the epoch", 0, "-5", "proven"},
      {"minus zero is not how zero is written", 0, "-0", "malformed"},
      {"a clock before the epoch", -60'000, "0", "proven"},
      {"a clock further before it", -60'001, "0", "timestamp_skew"},
      {"a clock that was never set", 0, "1700000000000", "timestamp_skew"},
      {"sixteen digits", 9'999'999'999'999'999, "9999999999999999", "proven"},
      {"seventeen digits", 10'000'000'000'000'000, "10000000000000000", "malformed"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Hello hello;
    hello.timestamp = c.timestamp;
    EXPECT_EQ(answer(hello.sign(key_a()), {c.now}), c.answer);
  }
}

TEST(CheckHello, AnswersWithTheFirstFaultInTheOrderOfTheProtocol) {
  for (unsigned faults = 0; faults < 16; ++faults) {
    SCOPED_TRACE(faults);
    Hello hello;
    if ((faults & 2U) != 0) hello.timestamp = "1600000000000";
    if ((faults & 4U) != 0) hello.mesh_id = "mesh|1";
    hello.sign(key_a());
    if ((faults & 8U) != 0) hello.signature[0] = hello.signature[0] == '0' ? '1' : '0';
    const std::string_view expected = (faults & 1U) != 0   ? "capacity"
                                      : (faults & 2U) != 0 ? "timestamp_skew"
                                      : (faults & 4U) != 0 ? "malformed"
                                      : (faults & 8U) != 0 ? "bad_signature"
                                                           : "proven";
    EXPECT_EQ(answer(hello, kNow, (faults & 1U) == 0), expected);
  }
}

// Every row is signed as it stands: the grammar refuses it, not the signature.
TEST(CheckHello, RefusesFieldsThatBreakTheirGrammar) {
  struct Case {
    const char* name;
    std::string Hello::*field;
    std::string value;
    std::string_view answer;
  };
  const std::string pub = Hello().pubkey;
  const Case cases[] = {
      {"mesh of one character", &Hello::mesh_id, "m", "proven"},
      {"mesh of every character", &Hello::mesh_id, "AZaz09._-", "proven"},
      {"mesh of 64", &Hello::mesh_id, std::string(64, 'm'), "proven"},
      {"mesh of 65", &Hello::mesh_id, std::string(65, 'm'), "malformed"},
      {"empty mesh", &Hello::mesh_id, "", "malformed"},
      {"border in the mesh", &Hello::mesh_id, "mesh|1", "malformed"},
      {"border before the mesh", &Hello::mesh_id, "|mesh-1", "malformed"},
      {"space in the mesh", &Hello::mesh_id, "mesh 1", "malformed"},
      {"slash in the mesh", &Hello::mesh_id, "mesh/1", "malformed"},
      {"line break in the mesh", &Hello::mesh_id, "mesh\n", "malformed"},
      {"zero byte in the mesh", &Hello::mesh_id, "mesh\0"s, "malformed"},
      {"above ASCII in the mesh", &Hello::mesh_id, "m\xc3\xa9sh", "malformed"},
      {"broken UTF-8 in the mesh", &Hello::mesh_id, "m\xff", "malformed"},
      {"member of 64", &Hello::member_id, std::string(64, 'm'), "proven"},
      {"member of 65", &Hello::member_id, std::string(65, 'm'), "malformed"},
      {"empty member", &Hello::member_id, "", "malformed"},
      {"border in the member", &Hello::member_id, "member|1", "malformed"},
      {"a whole key in the member", &Hello::member_id, "m|" + pub, "malformed"},
      {"empty key", &Hello::pubkey, "", "malformed"},
      {"key of 63", &Hello::pubkey, pub.substr(1), "malformed"},
      {"key of 65", &Hello::pubkey, pub + "0", "malformed"},
      {"key of 128", &Hello::pubkey, pub + pub, "malformed"},
      {"key with another letter", &Hello::pubkey, "g" + pub.substr(1), "malformed"},
      {"key with a prefix", &Hello::pubkey, "0x" + pub.substr(2), "malformed"},
      {"key with a space", &Hello::pubkey, " " + pub.substr(1), "malformed"},
      {"key with a border", &Hello::pubkey, "|" + pub.substr(1), "malformed"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Hello hello;
    hello.*c.field = c.value;
    EXPECT_EQ(answer(hello.sign(key_a())), c.answer);
  }
  const std::string signature = signed_hello().signature;
  for (const std::string& bad :
       {""s, signature.substr(2), signature.substr(1), signature + "0", signature + "00",
        "g" + signature.substr(1), " " + signature.substr(1), to_base64(bytes_of(signature))}) {
    Hello hello;
    hello.signature = bad;
    EXPECT_EQ(answer(hello), "malformed") << bad;
  }
}

TEST(CheckHello, RefusesWhatTheKeyDidNotSign) {
  struct Case {
    const char* name;
    std::string Hello::*field;
    std::string value;
  };
  const std::string zeros(64, '0');
  const Case cases[] = {
      {"another mesh", &Hello::mesh_id, "mesh-2"},
      {"another member", &Hello::member_id, "member-2"},
      {"borders moved by a dash", &Hello::mesh_id, "mesh-"},
      {"another key", &Hello::pubkey, crypto::to_hex(SecretKey::generate().public_key())},
      {"the key of zero", &Hello::pubkey, zeros},
      {"the identity as key", &Hello::pubkey, "01" + zeros.substr(2)},
      {"no point of the curve", &Hello::pubkey, "02" + zeros.substr(2)},
      {"a key past the field", &Hello::pubkey, std::string(64, 'f')},
      {"no signature but zeros", &Hello::signature, zeros + zeros},
      {"the identity signed with zero", &Hello::signature, "01" + zeros.substr(2) + zeros},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Hello hello = signed_hello();
    hello.*c.field = c.value;
    EXPECT_EQ(answer(hello), "bad_signature");
  }
  Hello later = signed_hello();
  later.timestamp = "1700000000001";
  EXPECT_EQ(answer(later), "bad_signature");
  Hello stranger;
  EXPECT_EQ(answer(stranger.sign(SecretKey::generate())), "bad_signature");
}

// The signed text holds the key as its signer wrote it, and the key is the same in either case.
TEST(CheckHello, TakesAKeyInEitherCaseAsItWasSigned) {
  Hello upper;
  for (char& c : upper.pubkey) c = static_cast<char>(std::toupper(c));
  const ProvenHello proof = proof_of(upper.sign(key_a()));
  EXPECT_EQ(proof.key, key_a().public_key());
  Hello changed = signed_hello();
  changed.pubkey = upper.pubkey;
  EXPECT_EQ(answer(changed), "bad_signature");
}

TEST(CheckHello, TellsEveryHelloApartByItsDigest) {
  std::set<crypto::Digest16> seen;
  Hello hello;
  EXPECT_TRUE(seen.insert(proof_of(hello.sign(key_a())).digest).second);
  EXPECT_FALSE(seen.insert(proof_of(hello.sign(key_a())).digest).second);
  hello.timestamp = "1700000000001";
  EXPECT_TRUE(seen.insert(proof_of(hello.sign(key_a())).digest).second);
  hello.mesh_id = "mesh-2";
  EXPECT_TRUE(seen.insert(proof_of(hello.sign(key_a())).digest).second);
  hello.member_id = "member-2";
  EXPECT_TRUE(seen.insert(proof_of(hello.sign(key_a())).digest).second);
  const SecretKey other = SecretKey::generate();
  hello.pubkey = crypto::to_hex(other.public_key());
  EXPECT_TRUE(seen.insert(proof_of(hello.sign(other)).digest).second);
}

TEST(CheckHello, GivesOneHelloOneDigestWhateverItsSignature) {
  Hello hello = signed_hello();
  const crypto::Digest16 digest = proof_of(hello).digest;
  std::set<std::string> signatures = {hello.signature};
  for (unsigned char n = 1; n <= 5; ++n) {
    Scalar nonce{};
    nonce[0] = n;
    nonce[9] = n;
    hello.signature = to_hex(sign_with_nonce(key_a(), key_a().public_key(), hello.text(), nonce));
    EXPECT_TRUE(signatures.insert(hello.signature).second);
    EXPECT_EQ(proof_of(hello).digest, digest);
  }
}

}  // namespace
}  // namespace signet::trust
