#include "trust/secret_hello.h"

#include <gtest/gtest.h>

#include <iostream>
#include <set>

#include "base/encoding.h"
#include "crypto/mac.h"
#include "wire/vectors_for_test.h"

namespace signet::trust {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr std::string_view kSecret = "mirror:logos:2025";  // of the page's vectors
constexpr milliseconds kSkew{60'000};
constexpr WallTime kNow{1'761'940'800'000};  // 2025-10-31T20:00:00Z

constexpr std::string_view kSpaced =
    R"({"source": "test_client", "target": "pulsemesh", "timestamp": "2025-10-31T20:00:00Z"})";
constexpr std::string_view kCompact =
    R"({"source":"test_client","target":"pulsemesh","timestamp":"2025-10-31T20:00:00Z"})";
constexpr std::string_view kSignedSpaced =
    "fa102de49623d81eecc4e58d46bcce0fcbcb346be84cec03c0490cbaebdb309e";
constexpr std::string_view kSignedCompact =
    "ed9aceafe1832ce2c409b009e0b0eb54af212a9b84b8c110e57986ff67a6bd93";
constexpr std::string_view kMac =
    "31a45cccaef1df38153a7b4facbeedd55280faabcbc27a6c1ee11ea270f73f8e";

// The claim of the page's first vector.
SecretClaim claim_with(std::string_view signature) {
  return {"test_client", std::string(kSpaced),   std::string(kCompact),
          signature,     "2025-10-31T20:00:00Z", false};
}

SecretClaim claim_at(std::optional<std::string_view> timestamp) {
  SecretClaim claim = claim_with(kSignedSpaced);
  claim.timestamp = timestamp;
  return claim;
}

std::string with(std::string_view text, std::size_t at, char c) {
  std::string changed(text);
  changed[at] = c;
  return changed;
}

std::string upper(std::string_view text) {
  std::string made(text);
  for (char& c : made) {
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  }
  return made;
}

TEST(ShowsSecret, TakesTheThreeFormsInLowercaseAndNothingElse) {
  const std::string mac_of_compact = to_hex(crypto::hmac_sha256(kSecret, kCompact));
  const std::string secret_first = to_hex(crypto::sha256({kSecret, kSpaced}));
  const std::string bare = to_hex(crypto::sha256({kSpaced}));
  struct Row {
    const char* name;
    std::string signature;
    bool shown;
  };
  const std::vector<Row> rows = {
      {"spaced", std::string(kSignedSpaced), true},
      {"compact", std::string(kSignedCompact), true},
      {"HMAC", std::string(kMac), true},
      {"HMAC over compact", mac_of_compact, false},
      {"the secret first", secret_first, false},
      {"no secret", bare, false},
      {"uppercase", upper(kSignedSpaced), false},
      {"one uppercase letter", with(kSignedSpaced, 0, 'F'), false},
      {"first digit changed", with(kSignedSpaced, 0, 'e'), false},
      {"last digit changed", with(kSignedSpaced, 63, 'f'), false},
      {"no hex", with(kSignedSpaced, 10, 'g'), false},
      {"one less", std::string(kSignedSpaced.substr(1)), false},
      {"one more", std::string(kSignedSpaced) + "0", false},
      {"twice", std::string(kSignedSpaced) + std::string(kSignedSpaced), false},
      {"a line end", std::string(kSignedSpaced) + "\n", false},
      {"empty", "", false},
      {"zeros", std::string(64, '0'), false},
      {"the raw bytes", std::string(text_of(crypto::sha256({kSpaced, kSecret}))), false},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(shows_secret(claim_with(row.signature), kSecret, true), row.shown) << row.name;
    EXPECT_FALSE(shows_secret(claim_with(row.signature), "mirror:logos:2026", true)) << row.name;
  }
}

// Each variant in case of some letters is another text, so one digest has one spelling (A7).
TEST(ShowsSecret, TakesNoOtherCaseOfASignature) {
  std::vector<std::size_t> letters;
  for (std::size_t i = 0; i < kSignedSpaced.size() && letters.size() < 6; ++i) {
    if (kSignedSpaced[i] >= 'a') letters.push_back(i);
  }
  ASSERT_EQ(letters.size(), 6U);
  for (unsigned bits = 0; bits < 64; ++bits) {
    std::string signature(kSignedSpaced);
    for (std::size_t i = 0; i < 6; ++i) {
      char& c = signature[letters[i]];
      if ((bits >> i & 1U) != 0) c = static_cast<char>(c - 'a' + 'A');
    }
    EXPECT_EQ(shows_secret(claim_with(signature), kSecret, true), bits == 0) << signature;
  }
}

TEST(ShowsSecret, TakesTheNamedFormOnly) {
  for (const std::string_view signature : {kSignedSpaced, kSignedCompact, kMac}) {
    SecretClaim claim = claim_with(signature);
    claim.hmac_only = true;
    EXPECT_EQ(shows_secret(claim, kSecret, true), signature == kMac) << signature;
  }
}

TEST(ShowsSecret, TakesTheMacAloneWhereTheDigestIsRefused) {
  for (const std::string_view signature : {kSignedSpaced, kSignedCompact, kMac}) {
    EXPECT_EQ(shows_secret(claim_with(signature), kSecret, false), signature == kMac) << signature;
  }
}

TEST(ShowsSecret, NoSecretIsShownByNothing) {
  SecretClaim claim = claim_with("");
  for (const std::string& signature :
       {to_hex(crypto::sha256({kSpaced})), to_hex(crypto::sha256({kCompact})),
        to_hex(crypto::hmac_sha256("", kSpaced)), to_hex(crypto::sha256({}))}) {
    claim.signature = signature;
    EXPECT_FALSE(shows_secret(claim, "", true)) << signature;
  }
}

// A nested message has no compact text: the digest of the secret alone is none either.
TEST(ShowsSecret, AnAbsentFormIsShownByNothing) {
  SecretClaim claim = claim_with("");
  claim.compact.clear();
  for (const std::string& signature :
       {to_hex(crypto::sha256({kSecret})), std::string(kSignedCompact)}) {
    claim.signature = signature;
    EXPECT_FALSE(shows_secret(claim, kSecret, true)) << signature;
  }
}

TEST(ParseIso8601, KnowsTheOneGrammar) {
  wire::JsonDocument document;
  const wire::JsonValue vectors = wire::load_vectors(document, "pulsemesh.json")["timestamps"];
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const std::string_view text = *vectors[i]["text"].string();
    const auto at = parse_iso8601(text);
    const auto ms = at ? std::optional(at->ms) : std::nullopt;
    EXPECT_EQ(ms, vectors[i]["ms"].integer()) << text;
  }
  EXPECT_GE(vectors.size(), 60U);
  std::cout << "timestamps: " << vectors.size() << " vectors\n";
}

TEST(ParseIso8601, NeedsEveryCharacter) {
  constexpr std::string_view kWhole = "2025-10-31T20:00:00.123456+02:00";
  const std::set<std::size_t> whole_too = {19, 21, 22, 23, 24, 25, 26, 29, 32};  // ends of a part
  for (std::size_t size = 0; size <= kWhole.size(); ++size) {
    const bool is_time = parse_iso8601(kWhole.substr(0, size)).has_value();
    EXPECT_EQ(is_time, whole_too.contains(size)) << kWhole.substr(0, size);
  }
}

struct Window {
  const char* name;
  std::optional<std::string_view> timestamp;
  bool fresh;
};
constexpr Window kWindows[] = {
    {"now", "2025-10-31T20:00:00Z", true},
    {"without a zone", "2025-10-31T20:00:00.000000", true},
    {"in another zone", "2025-10-31T22:00:00+02:00", true},
    {"the oldest", "2025-10-31T19:59:00.000Z", true},
    {"too old", "2025-10-31T19:58:59.999Z", false},
    {"the newest", "2025-10-31T20:01:00.000Z", true},
    {"cut to the newest", "2025-10-31T20:01:00.000999Z", true},
    {"too new", "2025-10-31T20:01:00.001Z", false},
    {"that hour in another zone", "2025-10-31T20:00:00+02:00", false},
    {"years ago", "1970-01-01T00:00:00Z", false},
    {"years ahead", "9999-12-31T23:59:59Z", false},
    {"none", std::nullopt, false},
    {"empty", "", false},
    {"milliseconds", "1761940800000", false},
    {"seconds", "1761940800", false},
    {"a word", "now", false},
};

TEST(CheckFreshness, HoldsWithinTheWindow) {
  for (const Window& row : kWindows) {
    const auto checked = check_freshness(claim_at(row.timestamp), kNow, kSkew);
    const auto* refused = std::get_if<HandshakeRefusal>(&checked);
    EXPECT_EQ(refused == nullptr, row.fresh) << row.name;
    if (refused != nullptr) {
      EXPECT_EQ(*refused, HandshakeRefusal::kStale) << row.name;
    }
  }
}

TEST(CheckFreshness, WithoutAWindowAnyTimeWillDo) {
  for (const Window& row : kWindows) {
    const auto checked = check_freshness(claim_at(row.timestamp), kNow, milliseconds(0));
    EXPECT_TRUE(std::holds_alternative<ProvenSecret>(checked)) << row.name;
  }
}

TEST(CheckFreshness, SaysWhenItWasSigned) {
  const auto at = [](std::optional<std::string_view> timestamp, milliseconds skew) {
    return std::get<ProvenSecret>(check_freshness(claim_at(timestamp), kNow, skew)).timestamp_ms;
  };
  EXPECT_EQ(at("2025-10-31T20:00:30.5", kSkew), kNow.ms + 30'500);
  EXPECT_EQ(at("2025-10-31T20:00:30.5", milliseconds(0)), kNow.ms + 30'500);
  EXPECT_EQ(at(std::nullopt, milliseconds(0)), kNow.ms);
}

crypto::Digest16 digest_of(const SecretClaim& claim) {
  return std::get<ProvenSecret>(check_freshness(claim, kNow, kSkew)).digest;
}

TEST(CheckFreshness, NamesAHandshakeByWhatWasSigned) {
  const crypto::Digest16 first = digest_of(claim_with(kSignedSpaced));
  // Whoever holds two forms of one signature, or spells the message in another way, has one
  // handshake.
  EXPECT_EQ(digest_of(claim_with(kSignedCompact)), first);
  SecretClaim mac = claim_with(kMac);
  mac.hmac_only = true;
  EXPECT_EQ(digest_of(mac), first);
  SecretClaim respelled = claim_with(kSignedCompact);
  respelled.spaced = R"({"n": 1.0})", respelled.compact = R"({"n":1})";
  const crypto::Digest16 as_float = digest_of(respelled);
  respelled.spaced = R"({"n": 1})";
  EXPECT_EQ(digest_of(respelled), as_float);
  // Another message is another handshake, and so is a nested one that differs.
  EXPECT_NE(as_float, first);
  respelled.compact.clear();
  const crypto::Digest16 nested = digest_of(respelled);
  respelled.spaced = R"({"n": 1.0})";
  EXPECT_NE(digest_of(respelled), nested);
  SecretClaim other = claim_with(kSignedSpaced);
  other.source = "other";
  EXPECT_NE(digest_of(other), first);
}

}  // namespace
}  // namespace signet::trust
