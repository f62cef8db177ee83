// What Hub's clients ask for over HTTP in dev mode: a token for any user, or for an engine, without
// a password. Bodies and answers: protocol/hub.md.
#include "admin/admin.h"
#include "crypto/random.h"
#include "crypto/wipe.h"
#include "routing/address.h"
#include "wire/json.h"

namespace signet::admin {
namespace {

constexpr std::size_t kEngineDigits = 4;  // random bytes: engines that are tried out at once
constexpr std::size_t kIdBytes = 16;

struct Wanted {
  std::string user;
  std::vector<std::string> roles{"user"};
};

// nullopt: no user that a token could name. `roles` is ours: the original makes users only.
std::optional<Wanted> read_wanted(const std::string& body) {
  wire::JsonDocument document;
  if (!document.parse(body).ok()) return std::nullopt;
  const auto user = document.root()["userId"].string();
  if (!user || !routing::is_name(*user)) return std::nullopt;
  Wanted wanted;
  wanted.user = *user;
  const wire::JsonValue roles = document.root()["roles"];
  if (!roles) return wanted;
  if (!roles.is(wire::JsonKind::kArray) || roles.size() > trust::kMaxTokenRoles)
    return std::nullopt;
  wanted.roles.clear();
  for (std::size_t i = 0; i < roles.size(); ++i) {
    const auto role = roles[i].string();
    if (!role || !routing::is_name(*role)) return std::nullopt;
    wanted.roles.emplace_back(*role);
  }
  return wanted;
}

}  // namespace

void Admin::user_token(const Call& call) {
  auto wanted = read_wanted(call.body);
  if (!wanted) {
    net::HttpResponse refused = json_response(400, R"({"error":"userId required"})");
    show_to_page(call, refused);
    return call.reply(std::move(refused));
  }
  trust::TokenFacts facts;
  facts.subject = std::move(wanted->user);
  facts.roles = std::move(wanted->roles);
  hand_out(call, std::move(facts));
}

void Admin::engine_token(const Call& call) {
  trust::TokenFacts facts;
  facts.subject = "engine-" + crypto::random_hex(kEngineDigits);
  facts.role = "engine";
  hand_out(call, std::move(facts));
}

// REQUIRES: dev mode, of which the route is.
void Admin::hand_out(const Call& call, trust::TokenFacts facts) {
  const auto& dev = options_.dev_tokens;
  if (!dev) return call.reply(text_response(404, "not found\n"));
  facts.issuer = dev->issuer;
  facts.id = crypto::random_hex(kIdBytes);
  facts.issued = shared_.clock.wall();
  facts.expires = *facts.issued + dev->lifetime;
  auto token = trust::sign_token(facts, dev->key);
  if (!token.ok()) return call.reply(text_response(500, "no token could be made\n"));
  const crypto::WipedAtEnd wiped(*token);
  wire::JsonWriter json;
  json.object().key("token").value(*token).end();
  net::HttpResponse response = json_response(200, json.take());
  show_to_page(call, response);
  call.reply(std::move(response));
}

}  // namespace signet::admin
