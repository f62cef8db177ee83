#include "trust/key_set.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "trust/json_web_key.h"
#include "trust/signing_key.h"
#include "wire/json.h"

namespace signet::trust {
namespace {

using crypto::TokenAlgorithm;

const char kEd[] =
    R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
const std::string kSecret = R"({"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"})";

// `json`, a key, with members more.
std::string with(std::string json, const std::string& members) {
  json.insert(json.size() - 1, "," + members);
  return json;
}
std::string set_of(const std::vector<std::string>& keys) {
  std::string text;
  for (const std::string& key : keys) text += (text.empty() ? "" : ",") + key;
  return R"({"keys":[)" + text + "]}";
}
std::string fault_of(std::string_view json) {
  const auto set = KeySet::parse(json);
  return set.ok() ? "" : set.error().detail;
}

TEST(KeySet, SaysWhatIsWrongAndAtWhichPlace) {
  const std::string a = with(kEd, R"("kid":"a")");
  const std::string b = with(kEd, R"("kid":"b")");
  const std::string enc = with(kEd, R"("kid":"a","use":"enc","alg":"ECDH-ES")");
  struct Row {
    const char* name;
    std::string json;
    const char* fault;
  };
  const Row rows[] = {
      {"a key alone", kEd, ""},
      {"a set of one", set_of({kEd}), ""},
      {"two", set_of({a, b}), ""},
      {"a secret", kSecret, ""},
      {"one for encryption is skipped, whatever its name", set_of({a, enc}), ""},
      {"and one whose operations say so", set_of({a, with(kEd, R"("key_ops":["deriveKey"])")}), ""},
      {"both operations", with(kEd, R"("key_ops":["verify","sign"])"), ""},
      {"what nobody knows", with(kEd, R"("x5t":"AA","ext":true)"), ""},
      {"the third", set_of({a, b, with(kEd, R"("kid":"c","alg":"ES384")")}),
       "keys[2]: alg is not EdDSA, the only one for such a key"},
      {"one name twice", set_of({a, b, a}), "keys[2]: another key has its kid"},
      {"the first without a name", set_of({kEd, a}),
       "keys[0]: has no kid, which keys need where there are several"},
      {"the second without a name", set_of({a, kEd}),
       "keys[1]: has no kid, which keys need where there are several"},
      {"two without a name", set_of({kEd, kEd}),
       "keys[1]: has no kid, which keys need where there are several"},
      {"a secret beside others", set_of({a, with(kSecret, R"("kid":"s")")}),
       "keys[1]: a set has either secrets or public keys"},
      {"others beside a secret", set_of({with(kSecret, R"("kid":"s")"), a}),
       "keys[1]: a set has either secrets or public keys"},
      {"one that signs", with(kEd, R"("d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")"),
       "keys[0]: is the key that signs; here belongs what `signet token key public` shows"},
      {"none for signatures", set_of({enc}), "has no key for signatures"},
      {"a text for a key", R"({"keys":["x"]})", "keys[0]: is no object"},
      {"a number for a name", with(kEd, R"("kid":7)"), "keys[0]: kid is no text"},
      {"no text of JSON", "{\"keys\":[],}", "is no strict JSON: "},
      {"a name twice in the text", with(kEd, R"("kid":"a","kid":"b")"), "is no strict JSON: "},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const std::string fault = fault_of(row.json);
    EXPECT_TRUE(fault.starts_with(row.fault)) << fault;
    EXPECT_EQ(fault.empty(), std::string_view(row.fault).empty()) << fault;
  }
  EXPECT_EQ(KeySet::parse(set_of({a, enc}))->skipped(), 1U);
  EXPECT_EQ(KeySet::parse(set_of({a, enc}))->count(), 1U);
}

TEST(KeySet, RefusesEverySetThatTheVectorsCallBad) {
  std::ifstream stream(std::string(SIGNET_SOURCE_DIR) + "/protocol/vectors/tokens.json");
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  wire::JsonDocument document;
  ASSERT_TRUE(document.parse(text).ok());
  const wire::JsonValue sets = document.root()["refused_key_sets"];
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const auto set = KeySet::parse(*sets[i]["text"].string());
    EXPECT_FALSE(set.ok()) << *sets[i]["name"].string();
  }
  EXPECT_EQ(sets.size(), 34U);
}

TEST(KeySet, FindsKeysByTheirVeryNames) {
  const auto set = KeySet::parse(set_of({with(kEd, R"("kid":"a")"), with(kEd, R"("kid":"b")")}));
  ASSERT_TRUE(set.ok());
  EXPECT_NE(set->find("a"), nullptr);
  EXPECT_NE(set->find("a"), set->find("b"));
  EXPECT_EQ(set->find("A"), nullptr);
  EXPECT_EQ(set->find(""), nullptr);
  EXPECT_EQ(set->only(), nullptr);
  const auto one = KeySet::parse(kEd);
  ASSERT_TRUE(one.ok());
  EXPECT_NE(one->only(), nullptr);
  EXPECT_EQ(one->find(""), nullptr);
  EXPECT_FALSE(one->has_symmetric());
  EXPECT_TRUE(KeySet::parse(kSecret)->has_symmetric());
}

TEST(KeySet, HoldsSixtyFourKeys) {
  std::vector<std::string> keys;
  keys.reserve(65);
  for (int i = 0; i < 64; ++i) keys.push_back(with(kEd, R"("kid":"k)" + std::to_string(i) + "\""));
  EXPECT_EQ(fault_of(set_of(keys)), "");
  keys.push_back(with(kEd, R"("kid":"k64")"));
  EXPECT_EQ(fault_of(set_of(keys)), "has more than 64 keys");
}

TEST(IsKeyId, IsANameThatNothingCanMisread) {
  for (const char* const good : {"a", "2026-05_x", "bilbo.baggins@hobbiton.example", "ab+/=:"}) {
    EXPECT_TRUE(is_key_id(good)) << good;
  }
  using namespace std::string_literals;
  for (const std::string& bad : {""s, "a b"s, "a\n"s, "a\0"s, "a'"s, "a;"s, "\xc3\xa4"s, "a\\"s,
                                 "%2e"s, std::string(65, 'a')}) {
    EXPECT_FALSE(is_key_id(bad)) << bad;
  }
  EXPECT_TRUE(is_key_id(std::string(64, 'a')));
}

TEST(SigningKey, SignsOnlyWithItsWholeSelf) {
  const std::string text = SigningKey::generate(TokenAlgorithm::kEdDsa, "k1");
  ASSERT_TRUE(SigningKey::parse(text).ok());
  EXPECT_EQ(SigningKey::parse(text)->id(), "k1");
  EXPECT_TRUE(SigningKey::parse(set_of({text})).ok());
  EXPECT_FALSE(SigningKey::parse(set_of({text, text})).ok());
  EXPECT_FALSE(SigningKey::parse(*public_key_set({text})).ok());  // nothing to sign with
  EXPECT_FALSE(
      SigningKey::parse(with(kEd, R"("d":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")")).ok());
}

TEST(PublicKeySet, ShowsNothingThatSigns) {
  for (const auto algorithm :
       {TokenAlgorithm::kEdDsa, TokenAlgorithm::kEs256, TokenAlgorithm::kRs256}) {
    const auto set = public_key_set({SigningKey::generate(algorithm, "k1"), kEd});
    EXPECT_FALSE(set.ok());  // the second has no name
    const auto one = public_key_set({SigningKey::generate(algorithm, "k1")});
    ASSERT_TRUE(one.ok());
    for (const char* const member : {"\"d\"", "\"p\"", "\"q\"", "\"dp\"", "\"dq\"", "\"qi\""}) {
      EXPECT_EQ(one->find(member), std::string::npos) << *one;
    }
  }
  EXPECT_FALSE(public_key_set({kSecret}).ok());
  EXPECT_FALSE(public_key_set({}).ok());
}

}  // namespace
}  // namespace signet::trust
