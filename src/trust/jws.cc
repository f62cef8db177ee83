#include "trust/jws.h"

#include <array>
#include <utility>

#include "base/encoding.h"
#include "wire/json.h"

namespace signet::trust {
namespace {

struct Parts {
  std::array<std::string, 3> decoded;  // header, payload, signature
  std::string_view signed_text;        // the first two as they were sent
};

std::variant<Parts, TokenRefusal> parts_of(std::string_view token) {
  if (token.size() > kMaxTokenBytes) return TokenRefusal::kTooLong;
  Parts parts;
  std::string_view rest = token;
  for (std::size_t i = 0; i < parts.decoded.size(); ++i) {
    const bool is_last = i + 1 == parts.decoded.size();
    const std::size_t end = is_last ? rest.size() : rest.find('.');
    if (end == std::string_view::npos) return TokenRefusal::kMalformed;
    auto bytes = from_base64url(rest.substr(0, end));
    if (!bytes) return TokenRefusal::kMalformed;  // a fourth part's dot is no base64url either
    parts.decoded[i] = std::move(*bytes);
    if (is_last) break;
    rest.remove_prefix(end + 1);
  }
  parts.signed_text = token.substr(0, token.size() - rest.size() - 1);
  return parts;
}

struct Header {
  crypto::TokenAlgorithm algorithm = crypto::TokenAlgorithm::kHs256;
  bool names_key = false;
  std::string key_id;
};

std::variant<Header, TokenRefusal> header_of(std::string_view text) {
  wire::JsonDocument document;
  if (!document.parse(text).ok()) return TokenRefusal::kMalformed;
  const wire::JsonValue root = document.root();
  if (!root.is(wire::JsonKind::kObject)) return TokenRefusal::kMalformed;
  const auto algorithm = crypto::token_algorithm_from(root["alg"].string().value_or(""));
  if (!algorithm) return TokenRefusal::kUnsupportedAlgorithm;
  if (root["crit"] || root["b64"]) return TokenRefusal::kUnsupportedHeader;
  Header header{*algorithm, static_cast<bool>(root["kid"]), {}};
  header.key_id = root["kid"].string().value_or("");  // a kid that is no text names no key
  return header;
}

}  // namespace

std::variant<UnverifiedJws, TokenRefusal> split_jws(std::string_view token) {
  auto split = parts_of(token);
  if (const auto* refusal = std::get_if<TokenRefusal>(&split)) return *refusal;
  auto& decoded = std::get<Parts>(split).decoded;
  return UnverifiedJws{std::move(decoded[0]), std::move(decoded[1])};
}

std::variant<VerifiedJws, TokenRefusal> verify_jws(std::string_view token, const KeySet& keys) {
  auto split = parts_of(token);
  if (const auto* refusal = std::get_if<TokenRefusal>(&split)) return *refusal;
  Parts& parts = std::get<Parts>(split);
  auto read = header_of(parts.decoded[0]);
  if (const auto* refusal = std::get_if<TokenRefusal>(&read)) return *refusal;
  Header& header = std::get<Header>(read);
  const crypto::TokenKey* const key = header.names_key ? keys.find(header.key_id) : keys.only();
  if (key == nullptr) return TokenRefusal::kUnknownKey;
  if (header.algorithm != key->algorithm()) return TokenRefusal::kUnsupportedAlgorithm;
  if (!key->verify(parts.signed_text, bytes_of(parts.decoded[2]))) {
    return TokenRefusal::kBadSignature;
  }
  return VerifiedJws{std::move(parts.decoded[1]), std::move(header.key_id),
                     std::move(parts.decoded[0])};
}

Result<std::string> sign_jws(std::string_view header, std::string_view payload,
                             const SigningKey& key) {
  std::string token = to_base64url(bytes_of(header)) + '.' + to_base64url(bytes_of(payload));
  SIGNET_TRY(const std::string signature, key.sign(token));
  token += '.' + to_base64url(bytes_of(signature));
  if (token.size() <= kMaxTokenBytes) return token;
  return Error{ErrorCode::kMalformed, "the token is over 8 KiB"};
}

}  // namespace signet::trust
