#include "trust/signing_key.h"

#include <utility>

#include "trust/json_web_key.h"
#include "trust/key_set.h"

namespace signet::trust {
namespace {

Error bad(std::string detail) { return {ErrorCode::kMalformed, std::move(detail)}; }

}  // namespace

Result<SigningKey> SigningKey::parse(std::string_view json) {
  SIGNET_TRY(const wire::JsonDocument document, read_key_text(json));
  SIGNET_TRY(const auto values, keys_of(document.root()));
  if (values.size() != 1) return bad("holds several keys, of which one must sign");
  SIGNET_TRY(auto read, read_json_web_key(values[0], KeyMembers::kPrivate));
  if (!read) return bad("is a key for encryption");
  SIGNET_TRY(auto key, crypto::TokenKey::signing(read->parts));
  return SigningKey(std::move(read->id), std::move(key));
}

std::string SigningKey::generate(crypto::TokenAlgorithm algorithm, std::string id) {
  JsonWebKey key;
  key.id = std::move(id);
  key.parts = crypto::generate_token_key(algorithm);
  return json_web_key(key, KeyMembers::kPrivate);
}

Result<std::string> public_key_set(const std::vector<std::string>& texts) {
  std::string set;
  for (const std::string& text : texts) {
    SIGNET_TRY(const wire::JsonDocument document, read_key_text(text));
    SIGNET_TRY(const auto values, keys_of(document.root()));
    for (const wire::JsonValue& value : values) {
      SIGNET_TRY(const auto read, read_json_web_key(value, KeyMembers::kPublic));
      if (!read) continue;
      if (read->parts.algorithm == crypto::TokenAlgorithm::kHs256) {
        return bad("HS256 has no public part: the broker reads the key's own file");
      }
      set += (set.empty() ? "" : ",") + json_web_key(*read, KeyMembers::kPublic);
    }
  }
  set = "{\"keys\":[" + set + "]}";
  SIGNET_TRY([[maybe_unused]] const KeySet checked, KeySet::parse(set));
  return set;
}

}  // namespace signet::trust
