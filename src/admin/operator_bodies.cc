#include "admin/operator_bodies.h"

#include <array>
#include <utility>

#include "dialects/claudemesh_http.h"
#include "wire/json.h"

namespace signet::admin {
namespace {

using membership::Role;
using membership::Standing;
using wire::JsonDocument;
using wire::JsonKind;
using wire::JsonValue;

constexpr std::array<std::pair<std::string_view, Standing>, 4> kStandings{{
    {"probation", Standing::kProbation},
    {"admitted", Standing::kAdmitted},
    {"quarantined", Standing::kQuarantined},
    {"revoked", Standing::kRevoked},
}};

Error malformed(std::string_view rule) { return {ErrorCode::kMalformed, std::string(rule)}; }

Result<JsonDocument> parse(std::string_view body) {
  JsonDocument document;
  SIGNET_TRY([[maybe_unused]] const Done parsed, document.parse(body));
  if (!document.root().is(JsonKind::kObject)) return malformed("no object");
  return document;
}

bool is_given(JsonValue value) { return value && !value.is(JsonKind::kNull); }

Result<std::vector<std::string>> read_tags(JsonValue list) {
  std::vector<std::string> tags;
  if (!is_given(list)) return tags;
  if (!list.is(JsonKind::kArray) || list.size() > kMaxTags) return malformed("tags");
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto tag = list[i].string();
    if (!tag || !routing::is_name(*tag)) return malformed("tags");
    tags.emplace_back(*tag);
  }
  return tags;
}

Result<std::string> read_token(JsonValue root) {
  const std::string_view link = root["invite_token"].string().value_or("");
  const std::string_view token = dialects::token_of_link(link);
  if (token.empty() || token.size() > dialects::kMaxTokenBytes) return malformed("invite_token");
  return std::string(token);
}

}  // namespace

std::string_view name_of(Standing standing) {
  for (const auto& [name, value] : kStandings) {
    if (value == standing) return name;
  }
  return "unknown";
}

Result<Standing> read_standing(std::string_view body) {
  SIGNET_TRY(const JsonDocument document, parse(body));
  const auto wanted = document.root()["standing"].string();
  for (const auto& [name, standing] : kStandings) {
    if (wanted == name) return standing;
  }
  return malformed("standing");
}

Result<RoleBody> read_role(std::string_view body) {
  SIGNET_TRY(const JsonDocument document, parse(body));
  const auto role = document.root()["role"].string();
  if (role != "admin" && role != "member") return malformed("role");
  SIGNET_TRY(auto tags, read_tags(document.root()["tags"]));
  return RoleBody{role == "admin" ? Role::kAdmin : Role::kMember, std::move(tags)};
}

Result<InviteBody> read_invite(std::string_view body) {
  SIGNET_TRY(const JsonDocument document, parse(body));
  SIGNET_TRY(auto token, read_token(document.root()));
  SIGNET_TRY(auto claim, dialects::read_invite_token(token));
  const JsonValue given = document.root()["max_uses"];
  const auto uses = is_given(given) ? given.integer() : std::int64_t{1};
  if (!uses || *uses < 1 || *uses > kMaxInviteUses) return malformed("max_uses");
  return InviteBody{std::move(claim), std::move(token), *uses};
}

Result<std::string> read_revocation(std::string_view body) {
  SIGNET_TRY(const JsonDocument document, parse(body));
  return read_token(document.root());
}

}  // namespace signet::admin
