// JSON Web Tokens and the keys that check them. What is admitted holds every rule, is admitted
// again, and is not when another key signs the very same text. A set of keys that is taken shows
// nothing that signs, and neither token nor set ends the process.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "crypto/random.h"
#include "routing/address.h"
#include "trust/token.h"

namespace {

using namespace signet;
using namespace signet::trust;
using namespace std::string_view_literals;

constexpr WallTime kNow{1'780'000'000'000};

void check(bool holds) {
  if (!holds) std::abort();
}

// Secrets, for they sign fast; the names of both are the same, so that only the signature differs.
constexpr std::string_view kOwn =
    R"({"kty":"oct","kid":"a","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"})";
constexpr std::string_view kOther =
    R"({"kty":"oct","kid":"a","k":"HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"})";

const KeySet& keys() {
  static const KeySet set = *KeySet::parse(kOwn);
  return set;
}

TokenRules rules() {
  TokenRules asked;
  asked.issuer = "i";
  asked.audience = "m";
  return asked;
}

void check_facts(const TokenFacts& facts) {
  check(facts.issuer == "i" && routing::is_name(facts.subject));
  check(facts.expires + rules().leeway > kNow);
  check(facts.expires <= facts.issued.value_or(kNow) + rules().max_lifetime);
  check(!facts.not_before || *facts.not_before <= kNow + rules().leeway);
  check(facts.roles.size() <= kMaxTokenRoles && facts.id.size() <= kMaxTokenIdBytes);
  for (const std::string& role : facts.roles) check(routing::is_name(role));
  if (!facts.audience.empty()) {
    bool is_named = false;
    for (const std::string& audience : facts.audience) is_named = is_named || audience == "m";
    check(is_named);
  }
}

// Nobody can sign by chance: what comes as a whole token is refused.
void check_unsigned(std::string_view token) {
  check(std::holds_alternative<TokenRefusal>(check_token(token, keys(), rules(), kNow)));
  const auto split = split_jws(token);
  check(!read_token_unverified(token).ok() || std::holds_alternative<UnverifiedJws>(split));
}

void check_signed(std::string_view header, std::string_view payload) {
  static const SigningKey own = *SigningKey::parse(kOwn);
  static const SigningKey other = *SigningKey::parse(kOther);
  const auto token = sign_jws(header, payload, own);
  if (!token.ok()) return;
  const auto first = check_token(*token, keys(), rules(), kNow);
  check(first == check_token(*token, keys(), rules(), kNow));
  const auto* const facts = std::get_if<TokenFacts>(&first);
  if (facts == nullptr) return;
  check_facts(*facts);
  check(read_token_unverified(*token).ok());
  const auto forged = check_token(*sign_jws(header, payload, other), keys(), rules(), kNow);
  check(std::get<TokenRefusal>(forged) == TokenRefusal::kBadSignature);
}

void check_keys(std::string_view json) {
  const auto set = KeySet::parse(json);
  if (set.ok()) check(set->count() >= 1 && (set->count() == 1) == (set->only() != nullptr));
  const auto shown = public_key_set({std::string(json)});
  if (!shown.ok()) return;
  for (const std::string_view member : {"\"d\":"sv, "\"k\":"sv, "\"p\":"sv, "\"qi\":"sv}) {
    check(shown->find(member) == std::string::npos);
  }
  check(*public_key_set({*shown}) == *shown);
}

}  // namespace

// The first byte says what the rest is: a token, a header and claims with a line end between, keys.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool ready = crypto::initialize();
  check(ready);
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 't':
      check_unsigned(rest);
      break;
    case 's': {
      const std::size_t end = rest.find('\n');
      if (end == rest.npos) break;
      check_signed(rest.substr(0, end), rest.substr(end + 1));
      check_signed(R"({"alg":"HS256","kid":"a"})", rest);
      break;
    }
    default:
      check_keys(rest);
  }
  return 0;
}
