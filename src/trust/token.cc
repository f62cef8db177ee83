#include "trust/token.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "routing/address.h"
#include "wire/json.h"

namespace signet::trust {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using wire::JsonKind;
using wire::JsonValue;

// The end of the year 9999, in seconds. A later time is one in milliseconds, or nonsense.
constexpr double kLastSecond = 253'402'300'799.0;
constexpr std::int64_t kMillisecondsPerSecond = 1'000;

constexpr std::string_view kSubject = "sub";             // whose a token is,
constexpr std::string_view kEngineSubject = "engineId";  // and whose where it is an engine of Hub's

// Ends the check of a claim; nothing where it holds.
using Refused = std::optional<TokenRefusal>;

std::string lower(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lowered;
}

// RFC 7515, section 4.1.9: "application/" may be left out where no other '/' follows.
std::string short_type(std::string_view type) {
  constexpr std::string_view kPrefix = "application/";
  std::string lowered = lower(type);
  const bool is_long =
      lowered.starts_with(kPrefix) && lowered.find('/', kPrefix.size()) == lowered.npos;
  return is_long ? lowered.substr(kPrefix.size()) : lowered;
}

Refused check_type(const JsonValue& type, const TokenRules& rules) {
  if (!type) return rules.type.empty() ? Refused() : TokenRefusal::kWrongType;
  const auto text = type.string();
  if (!text) return TokenRefusal::kWrongType;
  const std::string given = short_type(*text);
  const bool fits =
      rules.type.empty() ? given == "jwt" || given == "at+jwt" : given == short_type(rules.type);
  return fits ? Refused() : TokenRefusal::kWrongType;
}

// A text, or a list of at most `most` of them.
std::optional<std::vector<std::string>> texts_of(const JsonValue& value, std::size_t most) {
  std::vector<std::string> texts;
  if (const auto text = value.string()) {
    texts.emplace_back(*text);
    return texts;
  }
  if (!value.is(JsonKind::kArray) || value.size() > most) return std::nullopt;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto text = value[i].string();
    if (!text) return std::nullopt;
    texts.emplace_back(*text);
  }
  return texts;
}

// Seconds since 1970, perhaps with a fraction; what is below a millisecond is dropped.
std::optional<WallTime> time_of(const JsonValue& value) {
  const auto seconds = value.number();
  if (!seconds || !(*seconds >= 0) || *seconds > kLastSecond) return std::nullopt;
  return WallTime{static_cast<std::int64_t>(std::floor(*seconds * kMillisecondsPerSecond))};
}

class Claims {
 public:
  Claims(const JsonValue& root, const TokenRules& rules, WallTime now)
      : root_(root), rules_(rules), now_(now) {}

  std::variant<TokenFacts, TokenRefusal> checked() {
    using Check = Refused (Claims::*)();
    constexpr Check kChecks[] = {&Claims::check_issuer,    &Claims::check_subject,
                                 &Claims::check_audience,  &Claims::check_expiry,
                                 &Claims::check_beginning, &Claims::check_issued,
                                 &Claims::check_lifetime,  &Claims::check_id,
                                 &Claims::check_roles,     &Claims::check_role};
    for (const Check check : kChecks) {
      if (const Refused refused = (this->*check)()) return *refused;
    }
    return std::move(facts_);
  }

 private:
  Refused check_issuer() {
    const JsonValue issuer = root_["iss"];
    if (!issuer) return rules_.allow_no_issuer ? Refused() : TokenRefusal::kMissingClaim;
    const auto text = issuer.string();
    if (!text) return TokenRefusal::kBadClaim;
    if (!is_believed(*text)) return TokenRefusal::kWrongIssuer;
    facts_.issuer = *text;
    return {};
  }
  bool is_believed(std::string_view issuer) const {
    const auto& more = rules_.more_issuers;
    return !issuer.empty() &&
           (issuer == rules_.issuer || std::find(more.begin(), more.end(), issuer) != more.end());
  }

  Refused check_subject() {
    const JsonValue subject = root_[rules_.subject_claim];
    if (!subject) return TokenRefusal::kMissingClaim;
    const auto text = subject.string();
    if (!text || !routing::is_name(*text)) return TokenRefusal::kBadClaim;
    facts_.subject = *text;
    return {};
  }

  Refused check_audience() {
    const JsonValue audience = root_["aud"];
    if (!audience) return rules_.require_audience ? TokenRefusal::kMissingClaim : Refused();
    auto texts = texts_of(audience, kMaxTokenAudiences);
    if (!texts) return TokenRefusal::kBadClaim;
    const bool is_named = !rules_.audience.empty() &&
                          std::find(texts->begin(), texts->end(), rules_.audience) != texts->end();
    if (!is_named) return TokenRefusal::kWrongAudience;
    facts_.audience = std::move(*texts);
    return {};
  }

  Refused check_expiry() {
    const JsonValue expires = root_["exp"];
    if (!expires) return TokenRefusal::kMissingClaim;
    const auto time = time_of(expires);
    if (!time) return TokenRefusal::kBadClaim;
    facts_.expires = *time;
    return now_ >= *time + rules_.leeway ? TokenRefusal::kExpired : Refused();
  }

  // Of nbf and iat: absent, or a time that has come.
  Refused check_past(const char* name, std::optional<WallTime>& out) {
    const JsonValue value = root_[name];
    if (!value) return {};
    out = time_of(value);
    if (!out) return TokenRefusal::kBadClaim;
    if (*out > now_ + rules_.leeway) return TokenRefusal::kNotYetValid;
    return *out > facts_.expires ? TokenRefusal::kBadClaim : Refused();
  }
  Refused check_beginning() { return check_past("nbf", facts_.not_before); }
  Refused check_issued() { return check_past("iat", facts_.issued); }

  Refused check_lifetime() {
    const WallTime begins = facts_.issued.value_or(now_);
    const bool is_long = facts_.expires > begins + rules_.max_lifetime;
    return is_long ? TokenRefusal::kLivesTooLong : Refused();
  }

  Refused check_id() {
    const JsonValue id = root_["jti"];
    if (!id) return {};
    const auto text = id.string();
    if (!text || text->empty() || text->size() > kMaxTokenIdBytes) return TokenRefusal::kBadClaim;
    facts_.id = *text;
    return {};
  }

  Refused check_roles() {
    const JsonValue roles = root_["roles"];
    if (!roles) return {};
    auto texts = texts_of(roles, kMaxTokenRoles);
    if (!texts || !std::all_of(texts->begin(), texts->end(), routing::is_name)) {
      return TokenRefusal::kBadClaim;
    }
    facts_.roles = std::move(*texts);
    return {};
  }

  // Identity providers write lists and objects of their own into `role`: only where tokens are an
  // engine's is that a fault.
  Refused check_role() {
    const JsonValue role = root_["role"];
    const auto text = role.string();
    if (text && text->size() <= kMaxTokenRoleBytes) {
      facts_.role = *text;
      return {};
    }
    const bool is_fault = role && rules_.subject_claim != kSubject;
    return is_fault ? TokenRefusal::kBadClaim : Refused();
  }

  const JsonValue root_;
  const TokenRules& rules_;
  const WallTime now_;
  TokenFacts facts_;
};

void write_texts(wire::JsonWriter& json, const std::vector<std::string>& texts) {
  json.array();
  for (const std::string& text : texts) json.value(text);
  json.end();
}

std::int64_t seconds_of(WallTime time) { return time.ms / kMillisecondsPerSecond; }

}  // namespace

std::variant<TokenFacts, TokenRefusal> check_token(std::string_view token, const KeySet& keys,
                                                   const TokenRules& rules, WallTime now) {
  auto verified = verify_jws(token, keys);
  if (const auto* refusal = std::get_if<TokenRefusal>(&verified)) return *refusal;
  auto& jws = std::get<VerifiedJws>(verified);
  wire::JsonDocument header;
  wire::JsonDocument claims;
  if (!header.parse(jws.header).ok() || !claims.parse(jws.payload).ok() ||
      !claims.root().is(JsonKind::kObject)) {
    return TokenRefusal::kMalformed;
  }
  if (const Refused refused = check_type(header.root()["typ"], rules)) return *refused;
  auto checked = Claims(claims.root(), rules, now).checked();
  if (auto* const facts = std::get_if<TokenFacts>(&checked)) {
    facts->key_id = std::move(jws.key_id);
  }
  return checked;
}

Result<UnverifiedJws> read_token_unverified(std::string_view token) {
  auto split = split_jws(token);
  if (const auto* refusal = std::get_if<TokenRefusal>(&split)) {
    return Error{ErrorCode::kMalformed, std::string(meaning_of(*refusal))};
  }
  auto& jws = std::get<UnverifiedJws>(split);
  for (const std::string* const part : {&jws.header, &jws.payload}) {
    wire::JsonDocument document;
    if (!document.parse(*part).ok() || !document.root().is(JsonKind::kObject)) {
      return Error{ErrorCode::kMalformed, std::string(meaning_of(TokenRefusal::kMalformed))};
    }
  }
  return std::move(jws);
}

Result<std::string> sign_token(const TokenFacts& facts, const SigningKey& key,
                               std::string_view type) {
  wire::JsonWriter header;
  header.object().key("alg").value(crypto::name_of(key.algorithm()));
  header.key("typ").value(type.empty() ? std::string_view("JWT") : type);
  if (!key.id().empty()) header.key("kid").value(key.id());
  header.end();
  wire::JsonWriter claims;
  claims.object().key("iss").value(facts.issuer);
  claims.key(facts.role.empty() ? kSubject : kEngineSubject).value(facts.subject);
  if (!facts.audience.empty()) write_texts(claims.key("aud"), facts.audience);
  claims.key("exp").value(seconds_of(facts.expires));
  if (facts.not_before) claims.key("nbf").value(seconds_of(*facts.not_before));
  if (facts.issued) claims.key("iat").value(seconds_of(*facts.issued));
  if (!facts.id.empty()) claims.key("jti").value(facts.id);
  if (!facts.roles.empty()) write_texts(claims.key("roles"), facts.roles);
  if (!facts.role.empty()) claims.key("role").value(facts.role);
  claims.end();
  return sign_jws(header.text(), claims.text(), key);
}

}  // namespace signet::trust
