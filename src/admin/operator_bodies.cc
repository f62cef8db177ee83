#include "admin/operator_bodies.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <limits>
#include <utility>

#include "audit/entry.h"
#include "config/config.h"
#include "dialects/claudemesh_http.h"
#include "trust/hello.h"
#include "trust/secret_hello.h"
#include "trust/token.h"
#include "wire/json.h"

namespace signet::admin {
namespace {

using membership::Role;
using membership::Standing;
using wire::JsonDocument;
using wire::JsonKind;
using wire::JsonValue;

// What an operator may set; unknown is what nobody says of a member.
constexpr std::array<Standing, 4> kStandings{Standing::kProbation, Standing::kAdmitted,
                                             Standing::kQuarantined, Standing::kRevoked};

Error malformed(std::string_view rule) { return {ErrorCode::kMalformed, std::string(rule)}; }

Result<JsonDocument> parse(std::string_view body) {
  JsonDocument document;
  SIGNET_TRY([[maybe_unused]] const Done parsed, document.parse(body));
  if (!document.root().is(JsonKind::kObject)) return malformed("no object");
  return document;
}

// The same, and nothing but these fields: a misspelled one must not pass for one that is missing.
Result<JsonDocument> parse_only(std::string_view body,
                                std::initializer_list<std::string_view> fields) {
  SIGNET_TRY(JsonDocument document, parse(body));
  const JsonValue root = document.root();
  for (std::size_t i = 0; i < root.size(); ++i) {
    const bool known = std::find(fields.begin(), fields.end(), root.key(i)) != fields.end();
    if (!known) return malformed("unknown field");
  }
  return document;
}

std::optional<Standing> standing_of(std::optional<std::string_view> wanted) {
  for (const Standing standing : kStandings) {
    if (wanted == name_of(standing)) return standing;
  }
  return std::nullopt;
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

Result<Standing> read_standing(std::string_view body) {
  SIGNET_TRY(const JsonDocument document, parse(body));
  if (const auto standing = standing_of(document.root()["standing"].string())) return *standing;
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

Result<std::string> read_held_denials(std::string_view body) {
  SIGNET_TRY(const JsonDocument document, parse_only(body, {"held_digest"}));
  crypto::Digest32 digest{};
  if (!from_hex(document.root()["held_digest"].string().value_or(""), digest)) {
    return malformed("held_digest");
  }
  return to_hex(digest);
}

Result<crypto::Digest32> read_revocation(std::string_view body) {
  SIGNET_TRY(const JsonDocument document, parse_only(body, {"invite_token", "digest"}));
  const JsonValue root = document.root();
  if (root["digest"] && root["invite_token"]) return malformed("invite_token or digest");
  if (root["digest"]) {
    crypto::Digest32 digest{};
    if (!from_hex(root["digest"].string().value_or(""), digest)) return malformed("digest");
    return digest;
  }
  SIGNET_TRY(const std::string token, read_token(root));
  return membership::invite_digest(token);
}

Result<MeshBody> read_mesh(std::string_view body) {
  SIGNET_TRY(const JsonDocument document, parse_only(body, {"slug", "owner_pubkey", "id"}));
  const JsonValue root = document.root();
  const std::string_view slug = root["slug"].string().value_or("");
  if (!config::is_mesh_slug(slug)) return malformed("slug");
  const auto owner = crypto::public_key_from_hex(root["owner_pubkey"].string().value_or(""));
  if (!owner || !crypto::is_enrollable(*owner)) return malformed("owner_pubkey");
  const JsonValue id = root["id"];
  if (is_given(id) && !trust::is_hello_id(id.string().value_or(""))) return malformed("id");
  return MeshBody{std::string(slug), std::string(id.string().value_or("")), *owner};
}

Result<std::optional<LetterBody>> read_requeue(std::string_view body) {
  SIGNET_TRY(const JsonDocument document, parse_only(body, {"number", "recipient", "all"}));
  const JsonValue root = document.root();
  if (root["all"]) {
    if (root.size() > 1) return malformed("all or one");
    if (root["all"].boolean() != true) return malformed("all");
    return std::optional<LetterBody>();
  }
  const auto number = root["number"].integer();
  if (!number || *number < 1) return malformed("number");
  const auto recipient = crypto::public_key_from_hex(root["recipient"].string().value_or(""));
  if (!recipient) return malformed("recipient");
  return std::optional<LetterBody>({{*number}, *recipient});
}

std::optional<std::string_view> value_in(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos || pair.substr(0, equals) != name) continue;
    return pair.substr(equals + 1);
  }
  return std::nullopt;
}

std::int64_t number_in(std::string_view query, std::string_view name, std::int64_t otherwise) {
  const std::string_view text = value_in(query, name).value_or("");
  std::int64_t value = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

namespace {

Result<std::size_t> read_limit(std::string_view query, std::size_t usual, std::size_t most) {
  const auto text = value_in(query, "limit");
  if (!text) return usual;
  std::size_t limit = 0;
  const auto* end = text->data() + text->size();
  const auto [stop, failed] = std::from_chars(text->data(), end, limit);
  const bool good = failed == std::errc{} && stop == end && limit > 0 && limit <= most;
  if (!good) return malformed("limit");
  return limit;
}

std::optional<std::uint64_t> number_of_entry(std::string_view text) {
  std::uint64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data(), end, number);
  const bool good = failed == std::errc{} && stop == end && number <= audit::kLastEntry;
  return good ? std::optional(number) : std::nullopt;
}

}  // namespace

Result<LogPart> read_log_part(std::string_view query, std::size_t usual, std::size_t most) {
  SIGNET_TRY(const std::size_t limit, read_limit(query, usual, most));
  LogPart part{std::nullopt, limit};
  if (const auto from = value_in(query, "from")) {
    part.from = number_of_entry(*from);
    if (!part.from) return malformed("from");
  }
  return part;
}

Result<std::uint64_t> read_entries(std::string_view query, std::string_view name) {
  const auto number = number_of_entry(value_in(query, name).value_or(""));
  if (!number) return malformed(std::string(name));
  return *number;
}

Result<ExplainBody> read_explain(std::string_view body) {
  SIGNET_TRY(const JsonDocument document, parse_only(body, {"as", "action", "on"}));
  const JsonValue root = document.root();
  const JsonValue as = root["as"];
  if (!as.is(JsonKind::kObject) || as.size() != 1) return malformed("as");
  ExplainBody explain;
  if (const JsonValue pubkey = as["pubkey"]) {
    explain.pubkey = crypto::public_key_from_hex(pubkey.string().value_or(""));
    if (!explain.pubkey) return malformed("pubkey");
  } else if (const JsonValue source = as["source"]) {
    explain.source = source.string().value_or("");
    if (!membership::is_source(explain.source)) return malformed("source");
  } else {
    SIGNET_TRY(explain.roles, read_tags(as["roles"]));
    if (explain.roles->empty()) return malformed("as");
  }
  const auto action = trust::action_from(root["action"].string().value_or(""));
  if (!action) return malformed("action");
  explain.action = *action;
  if (is_given(root["on"]) && !root["on"].string()) return malformed("on");
  explain.on = root["on"].string().value_or("");
  return explain;
}

Result<Page> read_page(std::string_view query, std::size_t usual, std::size_t most) {
  Page page{usual, std::nullopt};
  SIGNET_TRY(page.limit, read_limit(query, usual, most));
  if (const auto after = value_in(query, "after")) {
    if (!from_hex(*after, page.after.emplace())) return malformed("after");
  }
  return page;
}

Result<std::string> read_source(std::string_view text) {
  std::string name;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view escape = text.substr(i, 3);
    const bool is_slash = escape == "%2F" || escape == "%2f";
    const bool is_colon = escape == "%3A" || escape == "%3a";
    name.push_back(is_slash ? '/' : is_colon ? ':' : text[i]);
    if (is_slash || is_colon) i += 2;
  }
  if (!membership::is_source(name)) return malformed("source");
  return name;
}

Result<SourcePage> read_source_page(std::string_view query, std::size_t usual, std::size_t most) {
  SourcePage page{usual, {}};
  SIGNET_TRY(page.limit, read_limit(query, usual, most));
  const auto after = value_in(query, "after");
  if (!after) return page;
  if (*after == membership::kSharedSource || *after == "%2A") {
    page.after = membership::kSharedSource;
    return page;
  }
  auto source = read_source(*after);
  if (!source.ok()) return malformed("after");
  page.after = *std::move(source);
  return page;
}

Result<NewSourceBody> read_new_source(std::string_view body) {
  SIGNET_TRY(const JsonDocument document, parse_only(body, {"source", "tags", "pubkey", "secret"}));
  const JsonValue root = document.root();
  NewSourceBody made;
  made.source = root["source"].string().value_or("");
  if (!membership::is_source(made.source)) return malformed("source");
  SIGNET_TRY(made.tags, read_tags(root["tags"]));
  if (is_given(root["pubkey"])) {
    made.member = crypto::public_key_from_hex(root["pubkey"].string().value_or(""));
    if (!made.member) return malformed("pubkey");
  }
  if (is_given(root["secret"])) {
    made.secret = crypto::SecretText(root["secret"].string().value_or(""));
    if (made.secret.empty()) return malformed("secret");
  }
  return made;
}

Result<std::chrono::seconds> read_rotation(std::string_view body, std::chrono::seconds usual,
                                           std::chrono::seconds most) {
  if (body.empty()) return usual;
  SIGNET_TRY(const JsonDocument document, parse_only(body, {"overlap_seconds"}));
  const JsonValue given = document.root()["overlap_seconds"];
  if (!is_given(given)) return usual;
  const auto seconds = given.integer();
  if (!seconds || *seconds < 0 || *seconds > most.count()) return malformed("overlap_seconds");
  return std::chrono::seconds(*seconds);
}

Result<TokenRevocationBody> read_token_revocation(std::string_view body) {
  SIGNET_TRY(const JsonDocument document, parse_only(body, {"id", "subject", "issuedBefore"}));
  const JsonValue id = document.root()["id"];
  const JsonValue subject = document.root()["subject"];
  const JsonValue before = document.root()["issuedBefore"];
  TokenRevocationBody revocation;
  if (is_given(id) == is_given(subject)) return malformed("either id or subject");
  if (is_given(id)) {
    revocation.token = id.string().value_or("");
    const bool fits = !revocation.token.empty() &&
                      revocation.token.size() <= trust::kMaxTokenIdBytes && !is_given(before);
    if (!fits) return malformed("id");
    return revocation;
  }
  revocation.subject = subject.string().value_or("");
  if (!membership::is_source(revocation.subject)) return malformed("subject");
  if (!is_given(before)) return revocation;
  revocation.issued_before = trust::parse_iso8601(before.string().value_or(""));
  if (!revocation.issued_before) return malformed("issuedBefore");
  return revocation;
}

Result<std::optional<Standing>> read_standing_filter(std::string_view query) {
  const auto wanted = value_in(query, "standing");
  if (!wanted) return std::optional<Standing>();
  const auto standing = standing_of(wanted);
  if (!standing) return malformed("standing");
  return standing;
}

}  // namespace signet::admin
