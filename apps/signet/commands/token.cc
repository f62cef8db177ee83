#include "trust/token.h"

#include <iostream>
#include <iterator>

#include "base/codes.h"
#include "crypto/random.h"
#include "crypto/wipe.h"
#include "routing/address.h"
#include "signet/commands/commands.h"
#include "signet/commands/operator_api.h"
#include "signet/commands/token_keys.h"
#include "signet/profile/invite_link.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/pulse_view.h"
#include "signet/terminal/text.h"
#include "trust/secret_hello.h"

namespace signet::cli {
namespace {

using std::chrono::seconds;
using wire::JsonValue;

constexpr std::size_t kTokenIdBytes = 16;
constexpr std::string_view kEngineRole = "engine";
constexpr seconds kLongestLife = std::chrono::hours{24 * 366};  // as tokens.max_lifetime may be

struct IssueOptions {
  std::string key_file, issuer, subject, id, type;
  std::vector<std::string> roles, audience;
  std::string ttl = "1h";
  bool engine = false;
};
struct ShownToken {
  std::string text = "-";
};
struct VerifyOptions {
  ShownToken token;
  std::string keys_file, issuer, audience, type;
  bool engine = false;
};
struct RevokeOptions {
  std::string id, subject, issued_before;
  std::shared_ptr<OperatorAddress> reached;
};

// The one token of standard input, for "-": what stands on a command line is kept by shells.
std::string token_of(const ShownToken& given) {
  if (given.text != "-") return given.text;
  std::string text;
  constexpr std::size_t kMost = trust::kMaxTokenBytes + 2;  // a longer one is too long
  for (std::istreambuf_iterator<char> at(std::cin), end; at != end && text.size() <= kMost; ++at) {
    text += *at;
  }
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

// "in 59 minutes", "2 hours ago".
std::string distance(WallTime now, WallTime then) {
  constexpr std::int64_t kMinute = 60, kHour = 3'600, kDay = 86'400;
  const std::int64_t away = (then.ms - now.ms) / 1'000;
  const std::int64_t size = away < 0 ? -away : away;
  const auto [unit, name] = size < 2 * kMinute ? std::pair(std::int64_t{1}, "seconds")
                            : size < 2 * kHour ? std::pair(kMinute, "minutes")
                            : size < 2 * kDay  ? std::pair(kHour, "hours")
                                               : std::pair(kDay, "days");
  const std::string words = std::to_string(size / unit) + " " + name;
  return away < 0 ? words + " ago" : "in " + words;
}

// A claim of time for people; nothing where it is absent or none.
Value time_in_words(const JsonValue& claim, WallTime now) {
  constexpr double kLastSecond = 253'402'300'799;  // of the year 9999
  const auto at = claim.number();
  if (!at || !(*at >= 0) || *at > kLastSecond) return {};
  const WallTime then{static_cast<std::int64_t>(*at * 1'000)};
  return iso8601(then) + ", " + distance(now, then);
}

Error not_a_token(const Error& why) {
  return failure(ErrorCode::kMalformed, "malformed", why.detail);
}

Status show(Context& context, const ShownToken& given) {
  const auto read = trust::read_token_unverified(token_of(given));
  if (!read.ok()) return not_a_token(read.error());
  wire::JsonDocument claims;
  if (const Status parsed = claims.parse(read->payload); !parsed.ok()) {
    return not_a_token(parsed.error());
  }
  const WallTime now = system_clock().wall();
  const JsonValue root = claims.root();
  if (context.out.is_for_people()) {
    context.out.note("This is what the token says. Nobody has checked that it is true.");
  }
  context.out.record({{"verified", false, "verified"},
                      {"header", Json{one_line_json(read->header)}, "header"},
                      {"claims", Json{one_line_json(read->payload)}, "claims"},
                      {"issuedAt", time_in_words(root["iat"], now), "issued"},
                      {"notBefore", time_in_words(root["nbf"], now), "holds from"},
                      {"expiresAt", time_in_words(root["exp"], now), "expires"}});
  return Done{};
}

// The claim that a token lacks which nothing else is wrong with so far, in a sentence.
Error lacks_a_claim(const std::string& token, const trust::TokenRules& rules, bool engine) {
  constexpr std::string_view kCode = "missing_claim";
  wire::JsonDocument claims;
  const auto read = trust::read_token_unverified(token);
  if (!read.ok() || !claims.parse(read->payload).ok()) {
    return failure(ErrorCode::kForbidden, kCode, meaning_of(TokenRefusal::kMissingClaim));
  }
  const JsonValue root = claims.root();
  std::vector<const char*> wanted{"iss", rules.subject_claim.c_str()};
  if (rules.require_audience) wanted.push_back("aud");
  wanted.push_back("exp");
  if (engine) wanted.push_back("role");
  std::string missing;
  for (const char* each : wanted) {
    if (!root[each]) missing += (missing.empty() ? "" : ", ") + std::string(each);
  }
  std::string advice;
  if (!engine && root["engineId"] && !root["sub"])
    advice = "It is an engine's token: say --engine.";
  if (engine && root["sub"] && !root["engineId"]) {
    advice =
        "It is a user's token: leave --engine out. One of an engine: signet token issue --engine";
  }
  return failure(ErrorCode::kForbidden, kCode, "It lacks " + missing + ".", advice);
}

Status verify(Context& context, const VerifyOptions& options) {
  SIGNET_TRY(const trust::KeySet keys, read_key_set(options.keys_file));
  trust::TokenRules rules;
  rules.issuer = options.issuer;
  rules.audience = options.audience;
  rules.require_audience = !options.audience.empty();
  rules.type = options.type;
  if (options.engine) rules.subject_claim = "engineId";
  const WallTime now = system_clock().wall();
  const std::string token = token_of(options.token);
  const auto checked = trust::check_token(token, keys, rules, now);
  if (const auto* const refusal = std::get_if<TokenRefusal>(&checked)) {
    if (*refusal == TokenRefusal::kMissingClaim) {
      return lacks_a_claim(token, rules, options.engine);
    }
    return failure(ErrorCode::kForbidden, name_of(*refusal), meaning_of(*refusal));
  }
  const auto& facts = std::get<trust::TokenFacts>(checked);
  if (options.engine && facts.role.empty()) return lacks_a_claim(token, rules, true);
  if (options.engine && facts.role != kEngineRole) {
    return failure(ErrorCode::kForbidden, name_of(TokenRefusal::kBadClaim),
                   "Its role is not \"engine\", so it lets no engine in.");
  }
  context.out.record({{"verified", true, "verified"},
                      {"subject", facts.subject, "subject"},
                      {"issuer", facts.issuer, "issuer"},
                      {"audience", facts.audience, "audience"},
                      {"roles", facts.roles, "roles"},
                      {"id", facts.id, "id"},
                      {"kid", facts.key_id, "key"},
                      {"expires", iso8601(facts.expires), "expires"}});
  return Done{};
}

Status check_names(const IssueOptions& options) {
  constexpr std::string_view kGrammar =
      "It has 1 to 64 letters, digits, '.', '_', '-', ':' and '/'.";
  if (!routing::is_name(options.subject)) {
    return usage_error(printable_line(options.subject) + " is no name of a subject", kGrammar);
  }
  if (options.issuer.empty()) return usage_error("an issuer has a name", "Say --issuer NAME.");
  for (const std::string& role : options.roles) {
    if (!routing::is_name(role)) {
      return usage_error(printable_line(role) + " is no name of a role", kGrammar);
    }
  }
  if (options.roles.size() > trust::kMaxTokenRoles) {
    return usage_error("a token has at most 64 roles");
  }
  if (options.id.size() > trust::kMaxTokenIdBytes) {
    return usage_error("--id has at most 256 bytes");
  }
  return Done{};
}

Status issue(Context& context, const IssueOptions& options) {
  SIGNET_TRY([[maybe_unused]] const Done named, check_names(options));
  const auto life = duration_from(options.ttl);
  if (!life || *life > kLongestLife) {
    return usage_error("--ttl " + printable_line(options.ttl) + " is no time",
                       "It looks like 15m, 1h or 1d, and is a year at most.");
  }
  SIGNET_TRY(const trust::SigningKey key, read_signing_key(options.key_file));
  trust::TokenFacts facts;
  facts.issuer = options.issuer;
  facts.subject = options.subject;
  facts.id = options.id.empty() ? crypto::random_hex(kTokenIdBytes) : options.id;
  facts.audience = options.audience;
  facts.roles = options.roles;
  if (options.engine) facts.role = kEngineRole;
  facts.issued = system_clock().wall();
  facts.expires = *facts.issued + *life;
  auto token = trust::sign_token(facts, key, options.type);
  if (!token.ok()) return failure(token.error().code, "bad_token", token.error().detail);
  const crypto::WipedAtEnd wiped(*token);
  if (*life > trust::TokenRules{}.max_lifetime) {
    context.out.note(
        "a broker refuses it (lives_too_long) where tokens.max_lifetime is 24h, as it is by "
        "default");
  }
  context.out.done(*token, {{"token", *token},
                            {"id", facts.id},
                            {"kid", key.id()},
                            {"subject", facts.subject},
                            {"expires", iso8601(facts.expires)}});
  return Done{};
}

Result<std::string> revocation_body(const RevokeOptions& options) {
  if (options.id.empty() == options.subject.empty()) {
    return usage_error("say which tokens end: either --id or --subject");
  }
  wire::JsonWriter body;
  body.object();
  if (!options.id.empty()) return body.key("id").value(options.id).end().take();
  body.key("subject").value(options.subject);
  if (!options.issued_before.empty()) {
    if (!trust::parse_iso8601(options.issued_before)) {
      return usage_error("--issued-before " + printable_line(options.issued_before) + " is no time",
                         "It looks like 2026-06-01T12:00:00Z.");
    }
    body.key("issuedBefore").value(options.issued_before);
  }
  return body.end().take();
}

Status revoke(Context& context, const RevokeOptions& options) {
  SIGNET_TRY(const std::string body, revocation_body(options));
  SIGNET_TRY(const OperatorMesh mesh, operator_mesh(context));
  SIGNET_TRY(const OperatorApi api, OperatorApi::open(context, *options.reached, mesh.owned.get()));
  const std::string what =
      !options.id.empty() ? "the token " + options.id
                          : "every token of " + options.subject + " that was issued before " +
                                (options.issued_before.empty() ? "now" : options.issued_before);
  SIGNET_TRY(const bool sure, context.confirm("Revoke " + what + " in " + mesh.slug +
                                              "? Its sessions are closed at once."));
  if (!sure) return failure(ErrorCode::kConflict, "not_confirmed", "nothing was changed");
  SIGNET_TRY([[maybe_unused]] const auto answer,
             api.post("/meshes/" + mesh.name + "/tokens/revoke", body));
  context.out.done("Revoked: " + what + " proves nothing in " + mesh.slug + " any more.",
                   {{"mesh", mesh.slug},
                    {"id", options.id.empty() ? Value() : Value(options.id)},
                    {"subject", options.subject.empty() ? Value() : Value(options.subject)}});
  return Done{};
}

void add_token_argument(CLI::App& command, ShownToken& token) {
  command
      .add_option("token", token.text,
                  "the token; - reads it from standard input, which leaves it out of the shell's "
                  "history")
      ->type_name("TOKEN")
      ->capture_default_str();
}

void add_issue(CommandTree& tree, CLI::App& noun) {
  auto options = std::make_shared<IssueOptions>();
  CLI::App& command =
      tree.command(noun, "issue", "print a token that a key of yours signs",
                   [options](Context& context) { return issue(context, *options); });
  command.add_option("--key", options->key_file, "the key that signs, as `token key new` made it")
      ->required()
      ->type_name("FILE");
  command.add_option("--issuer", options->issuer, "the iss that the mesh believes (tokens.issuer)")
      ->required()
      ->type_name("NAME");
  command.add_option("--subject", options->subject, "whom it names: the member that its bearer is")
      ->required()
      ->type_name("NAME");
  command.add_option("--role", options->roles, "a role for the policy's token_roles, repeatable")
      ->type_name("ROLE");
  command.add_option("--audience", options->audience, "a mesh that it is for, repeatable (any)")
      ->type_name("SLUG");
  command.add_option("--ttl", options->ttl, "how long it holds: 15m, 1h, 1d")
      ->type_name("TIME")
      ->capture_default_str();
  command.add_option("--id", options->id, "its jti, by which it can be revoked (a random one)")
      ->type_name("JTI");
  command.add_option("--type", options->type, "its typ (JWT)")->type_name("TYPE");
  command.add_flag("--engine", options->engine,
                   "its subject is an engine of Hub and no user: its engineId");
  add_examples(command, {"signet token issue --key issuer.jwk --issuer ops --subject gauge-1 "
                         "--audience lab --role sensor > gauge-1.token"});
}

void add_verify(CommandTree& tree, CLI::App& noun) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App& command =
      tree.command(noun, "verify", "check a token as a broker would, but for revocations",
                   [options](Context& context) { return verify(context, *options); });
  command.add_option("--keys", options->keys_file, "the set of keys to believe")
      ->required()
      ->type_name("FILE");
  command.add_option("--issuer", options->issuer, "the iss that it must have")
      ->required()
      ->type_name("NAME");
  command.add_option("--audience", options->audience, "what its aud must name (no aud)")
      ->type_name("SLUG");
  command.add_option("--type", options->type, "the typ that it must have (none, JWT or at+jwt)")
      ->type_name("TYPE");
  command.add_flag("--engine", options->engine, "it is of an engine of Hub");
  add_token_argument(command, options->token);
  add_examples(command, {"signet token verify --keys token-keys.json --issuer ops --audience lab "
                         "- < gauge-1.token"});
}

void add_revoke(CommandTree& tree, CLI::App& noun) {
  auto options = std::make_shared<RevokeOptions>();
  CLI::App& command =
      tree.command(noun, "revoke", "end tokens before they expire, at once",
                   [options](Context& context) { return revoke(context, *options); });
  auto* const id =
      command.add_option("--id", options->id, "the one token with this jti")->type_name("JTI");
  auto* const subject =
      command
          .add_option("--subject", options->subject, "all tokens of this subject, up to a moment")
          ->type_name("NAME")
          ->excludes(id);
  command
      .add_option("--issued-before", options->issued_before,
                  "the moment: 2026-06-01T12:00:00Z (now)")
      ->type_name("TIME")
      ->needs(subject);
  options->reached = add_operator_options(command);
  add_examples(command, {"signet token revoke --subject gauge-1 --yes"});
}

}  // namespace

void add_token(CommandTree& tree) {
  CLI::App& noun = tree.noun("token", "JSON Web Tokens: by which a bearer proves who it is");
  add_token_keys(tree, noun);
  add_issue(tree, noun);
  auto shown = std::make_shared<ShownToken>();
  CLI::App& showing = tree.command(noun, "show", "print what a token says, without checking it",
                                   [shown](Context& context) { return show(context, *shown); });
  add_token_argument(showing, *shown);
  add_examples(showing, {"signet token show - < gauge-1.token"});
  add_verify(tree, noun);
  add_revoke(tree, noun);
}

}  // namespace signet::cli
