#include "trust/json_web_key.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "crypto/wipe.h"

namespace signet::trust {
namespace {

using crypto::TokenAlgorithm;
using crypto::TokenKeyParts;
using wire::JsonKind;
using wire::JsonValue;

constexpr std::size_t kMaxKeyIdBytes = 64;

struct Member {
  std::string_view name;
  std::string TokenKeyParts::*at;
  bool is_private = false;
};

// What a kind of key has. `curve` is empty where the kind has none.
struct Kind {
  std::string_view type, curve;
  TokenAlgorithm algorithm;
  std::array<Member, 8> members;  // up to the first without a name
};

const std::array<Kind, 4> kKinds{{
    {"oct", "", TokenAlgorithm::kHs256, {{{"k", &TokenKeyParts::k}}}},
    {"OKP",
     "Ed25519",
     TokenAlgorithm::kEdDsa,
     {{{"x", &TokenKeyParts::x}, {"d", &TokenKeyParts::d, true}}}},
    {"EC",
     "P-256",
     TokenAlgorithm::kEs256,
     {{{"x", &TokenKeyParts::x}, {"y", &TokenKeyParts::y}, {"d", &TokenKeyParts::d, true}}}},
    {"RSA",
     "",
     TokenAlgorithm::kRs256,
     {{{"n", &TokenKeyParts::n},
       {"e", &TokenKeyParts::e},
       {"d", &TokenKeyParts::d, true},
       {"p", &TokenKeyParts::p, true},
       {"q", &TokenKeyParts::q, true},
       {"dp", &TokenKeyParts::dp, true},
       {"dq", &TokenKeyParts::dq, true},
       {"qi", &TokenKeyParts::qi, true}}}},
}};

Error bad(std::string detail) { return {ErrorCode::kMalformed, std::move(detail)}; }

// nullopt where the member is absent; an error where it is there and no text.
Result<std::optional<std::string_view>> text_of(const JsonValue& value, std::string_view name) {
  const JsonValue member = value[name];
  if (!member) return std::optional<std::string_view>();
  if (!member.is(JsonKind::kString)) return bad(std::string(name) + " is no text");
  return member.string();
}

Result<const Kind*> kind_of(const JsonValue& value) {
  SIGNET_TRY(const auto type, text_of(value, "kty"));
  SIGNET_TRY(const auto curve, text_of(value, "crv"));
  if (!type) return bad("kty is absent");
  for (const Kind& kind : kKinds) {
    if (kind.type != *type) continue;
    if (kind.curve != curve.value_or("")) {
      return bad(kind.curve.empty() ? "crv is for other keys"
                                    : "crv is not " + std::string(kind.curve));
    }
    return &kind;
  }
  return bad("kty is none of oct, OKP, EC and RSA");
}

// What key_ops says: nothing, signatures alone, or other things alone.
enum class Operations : unsigned char { kUnsaid, kSignatures, kOthers };

Result<Operations> operations_of(const JsonValue& value) {
  const JsonValue list = value["key_ops"];
  if (!list) return Operations::kUnsaid;
  if (!list.is(JsonKind::kArray) || list.size() == 0) return bad("key_ops is no list of texts");
  std::set<std::string_view> seen;
  std::size_t signatures = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto operation = list[i].string();
    if (!operation) return bad("key_ops is no list of texts");
    if (!seen.insert(*operation).second) return bad("key_ops says one thing twice");
    if (*operation == "sign" || *operation == "verify") ++signatures;
  }
  if (signatures == 0) return Operations::kOthers;
  if (signatures == list.size()) return Operations::kSignatures;
  return bad("key_ops has more than sign and verify");
}

Result<bool> is_for_signatures(const JsonValue& value) {
  SIGNET_TRY(const auto use, text_of(value, "use"));
  SIGNET_TRY(const Operations operations, operations_of(value));
  if (use && *use != "sig" && *use != "enc") return bad("use is neither sig nor enc");
  if (use && operations != Operations::kUnsaid &&
      (*use == "sig") != (operations == Operations::kSignatures)) {
    return bad("use and key_ops say different things");
  }
  return use ? *use == "sig" : operations != Operations::kOthers;
}

Status read_member(const JsonValue& value, const Member& member, TokenKeyParts& parts) {
  SIGNET_TRY(const auto text, text_of(value, member.name));
  if (!text) return bad(std::string(member.name) + " is absent");
  auto bytes = from_base64url(*text);
  if (!bytes) return bad(std::string(member.name) + " is no base64url without padding");
  parts.*member.at = std::move(*bytes);
  return Done{};
}

}  // namespace

bool is_key_id(std::string_view text) {
  const auto allowed = [](char c) {
    constexpr std::string_view kPunctuation = "-_.:=@+/";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kPunctuation.find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= kMaxKeyIdBytes &&
         std::all_of(text.begin(), text.end(), allowed);
}

Result<std::optional<JsonWebKey>> read_json_web_key(const JsonValue& value, KeyMembers members) {
  if (!value.is(JsonKind::kObject)) return bad("is no object");
  SIGNET_TRY(const bool for_signatures, is_for_signatures(value));
  if (!for_signatures) return std::optional<JsonWebKey>();
  SIGNET_TRY(const Kind* const kind, kind_of(value));
  SIGNET_TRY(const auto alg, text_of(value, "alg"));
  if (alg && crypto::token_algorithm_from(*alg) != kind->algorithm) {
    return bad("alg is not " + std::string(crypto::name_of(kind->algorithm)) +
               ", the only one for such a key");
  }
  JsonWebKey key;
  SIGNET_TRY(const auto id, text_of(value, "kid"));
  if (id && !is_key_id(*id)) return bad("kid is not 1 to 64 of A-Z a-z 0-9 - _ . : = @ + /");
  key.id = id.value_or("");
  key.parts.algorithm = kind->algorithm;
  for (const Member& member : kind->members) {
    if (member.name.empty()) break;
    if (member.is_private && members == KeyMembers::kPublic) {
      key.has_private = key.has_private || static_cast<bool>(value[member.name]);
      continue;
    }
    SIGNET_TRY([[maybe_unused]] const Done read, read_member(value, member, key.parts));
    key.has_private = key.has_private || member.is_private;
  }
  return std::optional<JsonWebKey>(std::move(key));
}

std::string json_web_key(const JsonWebKey& key, KeyMembers members) {
  const Kind& kind = kKinds[static_cast<std::size_t>(key.parts.algorithm)];
  wire::JsonWriter json;
  json.object().key("kty").value(kind.type);
  if (!kind.curve.empty()) json.key("crv").value(kind.curve);
  json.key("alg").value(crypto::name_of(kind.algorithm)).key("use").value("sig");
  if (!key.id.empty()) json.key("kid").value(key.id);
  for (const Member& member : kind.members) {
    if (member.name.empty()) break;
    if (member.is_private && members == KeyMembers::kPublic) continue;
    std::string text = to_base64url(bytes_of(key.parts.*member.at));
    const crypto::WipedAtEnd wiped(text);
    json.key(member.name).value(text);
  }
  return json.end().take();
}

Result<std::vector<JsonValue>> keys_of(const JsonValue& root) {
  if (!root.is(JsonKind::kObject)) return bad("is no JSON object");
  const JsonValue list = root["keys"];
  if (!list) return std::vector<JsonValue>{root};
  if (!list.is(JsonKind::kArray)) return bad("keys is no list");
  if (list.size() > kMaxKeys) return bad("has more than " + std::to_string(kMaxKeys) + " keys");
  std::vector<JsonValue> keys;
  for (std::size_t i = 0; i < list.size(); ++i) keys.push_back(list[i]);
  return keys;
}

Result<wire::JsonDocument> read_key_text(std::string_view json) {
  if (json.size() > kMaxKeySetBytes) return bad("is over 512 KiB");
  wire::JsonDocument document;
  if (const Status parsed = document.parse(json); !parsed.ok()) {
    return bad("is no strict JSON: " + parsed.error().detail);
  }
  return document;
}

}  // namespace signet::trust
