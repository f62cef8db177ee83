#include "audit/pseudonym.h"

#include <algorithm>
#include <cstdlib>

#include "crypto/fields.h"
#include "crypto/wipe.h"

namespace signet::audit {
namespace {

constexpr std::size_t kLeastKeyBytes = 32;  // the strength of the digest; fewer could be guessed
constexpr std::size_t kDigits = 32;         // 128 bits: no two subjects meet by chance

Pseudonym keyed(const crypto::SecretText& key, const std::string& fields) {
  return to_hex(crypto::hmac_sha256(key.reveal(), fields)).substr(0, kDigits);
}

}  // namespace

bool is_pseudonym(std::string_view text) {
  return text.size() == kDigits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Pseudonyms::Pseudonyms(std::string key) : key_(key) {
  if (key.size() < kLeastKeyBytes) std::abort();  // every pseudonym would be guessed
  crypto::wipe(key);
}

Pseudonym Pseudonyms::of_member(MemberNumber member) const {
  return keyed(key_, crypto::joined_fields("signet audit member", {std::to_string(member.value)}));
}

Pseudonym Pseudonyms::of_name(std::string_view kind, std::string_view name) const {
  return keyed(key_, crypto::joined_fields("signet audit name", {kind, name}));
}

}  // namespace signet::audit
