#include "signetd/rules_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "base/log.h"
#include "base/private_file.h"
#include "config/policy_file.h"
#include "config/routes_file.h"
#include "config/shipped_documents.h"
#include "crypto/fields.h"
#include "crypto/wipe.h"
#include "routing/pulsemesh_routes.h"
#include "signetd/hub_rules.h"
#include "signetd/token_secret.h"

namespace signet {
namespace {

using PolicyPointer = std::shared_ptr<const trust::Policy>;
using RoutesPointer = std::shared_ptr<const routing::RoutingTable>;

Result<PolicyPointer> load_policy(const std::string& file, bool dev) {
  if (file.empty()) {
    const auto shipped = dev ? config::kDevPolicy : config::kAllowMembersPolicy;
    SIGNET_TRY(auto document, config::read_policy(shipped, "default"));
    return trust::Policy::compile(std::move(document));
  }
  SIGNET_TRY(auto document, config::read_policy_file(file));
  return trust::Policy::compile(std::move(document));
}

// What the table says, whatever its file looks like.
crypto::Digest32 digest_of(const routing::RoutingDocument& document) {
  std::string text;
  for (const auto* part : {&document.nodes, &document.targets}) {
    for (const auto& [name, list] : *part) {
      crypto::append_field(text, name);
      for (const std::string& each : list) crypto::append_field(text, each);
      crypto::append_field(text, {});  // no name is empty
    }
    crypto::append_field(text, {});
  }
  return crypto::digest32("signet routes", {text});
}

Result<RoutesPointer> load_routes(const std::string& file, bool dev, crypto::Digest32& digest) {
  routing::RoutingDocument document;
  if (!file.empty()) {
    SIGNET_TRY(document, config::read_routes_file(file));
  } else if (dev) {
    document = routing::pulsemesh_routes();
  }
  SIGNET_TRY(auto table, routing::RoutingTable::compile(document));
  if (!document.nodes.empty() || !document.targets.empty()) digest = digest_of(document);
  return RoutesPointer(std::make_shared<const routing::RoutingTable>(std::move(table)));
}

// Without a window a captured handshake is good for ever: that is said each time it is read.
void warn_of_open_windows(const broker::Rules& rules) {
  const auto warn = [](std::string_view mesh, const broker::MeshRules& its) {
    if (its.max_skew.count() > 0) return;
    log(LogLevel::kWarn, "pulsemesh.no_replay_protection",
        {{"mesh", mesh}, {"setting", "max_skew = 0"}});
  };
  warn("(others)", rules.otherwise);
  for (const auto& [slug, its] : rules.meshes) warn(slug, its);
}

Result<broker::MeshRules> load_mesh(const std::string& policy, const std::string& routes, bool dev,
                                    WallTime now) {
  broker::MeshRules rules;
  SIGNET_TRY(rules.policy, load_policy(policy, dev));
  SIGNET_TRY(rules.routes, load_routes(routes, dev, rules.routes_digest));
  if (!policy.empty()) rules.source = policy;
  rules.loaded = now;
  return rules;
}

using TokenPointer = std::shared_ptr<const broker::TokenDoor>;

// Larger than any set that is believed: 64 keys of 8,192 bits.
constexpr std::size_t kMaxKeySetBytes = 256 * 1024;

// Whoever can write there says whom the mesh believes.
Status check_writers(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0 || (facts.st_mode & (S_IWGRP | S_IWOTH)) == 0)
    return Done{};
  return Error{ErrorCode::kForbidden, path + ": others may write it; chmod go-w"};
}

Result<std::string> read_key_set(const std::string& path) {
  SIGNET_TRY([[maybe_unused]] const Done checked, check_writers(path));
  std::ifstream file;
  file.rdbuf()->pubsetbuf(nullptr, 0);  // a buffer would keep a copy of a symmetric key
  file.open(path, std::ios::binary);
  if (!file) return Error{ErrorCode::kNotFound, path + ": can't be read"};
  std::string text(kMaxKeySetBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxKeySetBytes) return Error{ErrorCode::kMalformed, path + ": too long"};
  return text;
}

Status check_issuer(const trust::TokenRules& rules, const std::string& source) {
  if (!rules.issuer.empty()) return Done{};
  return Error{ErrorCode::kMalformed,
               source + ": keys of tokens want the issuer that signs them: set tokens.issuer"};
}

TokenPointer make_door(const config::Config& config, trust::KeySet keys, trust::TokenRules rules,
                       std::string source, std::optional<crypto::Digest32> digest) {
  rules.type = config.text("tokens.type");
  rules.leeway = config.duration<std::chrono::seconds>("tokens.leeway");
  rules.max_lifetime = config.duration<std::chrono::seconds>("tokens.max_lifetime");
  return std::make_shared<const broker::TokenDoor>(
      broker::TokenDoor{std::move(keys), std::move(rules), std::move(source), digest});
}

// By tokens.secret.
Result<TokenPointer> secret_tokens(const config::Config& config, trust::TokenRules rules,
                                   bool dev) {
  const config::Secret& secret = config.secret("tokens.secret");
  constexpr const char* kName = "tokens.secret";
  if (secret.empty()) return TokenPointer();
  SIGNET_TRY([[maybe_unused]] const Done named, check_issuer(rules, kName));
  auto text = token_secret_key(secret.reveal(), dev);
  if (!text.ok()) return Error{text.error().code, kName + (": " + text.error().detail)};
  const crypto::WipedAtEnd wiped(*text);
  auto keys = trust::KeySet::parse(*text);
  if (!keys.ok()) return Error{keys.error().code, kName + (": " + keys.error().detail)};
  return make_door(config, *std::move(keys), std::move(rules), kName, std::nullopt);
}

Result<TokenPointer> load_tokens(const config::Config& config, const std::string& path,
                                 trust::TokenRules rules, bool dev) {
  if (path.empty()) return secret_tokens(config, std::move(rules), dev);
  SIGNET_TRY([[maybe_unused]] const Done named, check_issuer(rules, path));
  SIGNET_TRY(std::string text, read_key_set(path));
  auto keys = trust::KeySet::parse(text);
  std::optional<crypto::Digest32> digest;
  Status good = Done{};
  if (keys.ok() && keys->has_symmetric()) {
    crypto::wipe(text);
    good = read_private_file(path, kMaxKeySetBytes, text);
  } else {
    digest = crypto::digest32("signet token keys", {text});
  }
  crypto::wipe(text);
  if (!keys.ok()) return Error{keys.error().code, path + ": " + keys.error().detail};
  if (!good.ok()) return good.error();
  if (!dev && keys->has_symmetric() && has_sample_key(*keys)) {
    return Error{ErrorCode::kMalformed,
                 path + ": has a secret that everybody can look up: make another"};
  }
  return make_door(config, *std::move(keys), std::move(rules), path, digest);
}

const std::string& first_of(const std::string& own, const std::string& usual) {
  return own.empty() ? usual : own;
}

// Can a token of the one be one of the other? Then only what it must name tells them apart.
bool believe_the_same(const broker::TokenDoor& a, const broker::TokenDoor& b) {
  return a.rules.issuer == b.rules.issuer && a.keys.shares_key_with(b.keys);
}

// A token of one mesh must not do for another: where two believe the same key and issuer, each
// wants a name of its own in its tokens.
Status tell_apart(const config::Config& config, broker::Rules& rules) {
  for (const auto& mesh : config.meshes()) {
    auto& mine = rules.meshes[mesh.slug].tokens;
    if (mine == nullptr) continue;
    for (const auto& [slug, other] : rules.meshes) {
      if (slug == mesh.slug || other.tokens == nullptr) continue;
      if (!believe_the_same(*mine, *other.tokens)) continue;
      if (mine->rules_for(mesh.slug).audience == other.tokens->rules_for(slug).audience) {
        return Error{
            ErrorCode::kMalformed,
            "meshes " + mesh.slug + " and " + slug +
                " believe the same keys, issuer and audience: a token of one would do "
                "for the other; give each [[mesh]] its token_audience, or keys of its own"};
      }
      auto stricter = std::make_shared<broker::TokenDoor>(*mine);
      stricter->rules.require_audience = true;
      mine = std::move(stricter);
    }
  }
  return Done{};
}

// `one_mesh`: there is one, which the configuration does not name (dev mode). Any other that is not
// named was made at run time, and has its slug as audience, since it may not be the only one.
Status take_tokens(const config::Config& config, bool dev, bool one_mesh, broker::Rules& rules) {
  const std::string& keys = config.text("tokens.keys");
  if (!keys.empty() && !config.secret("tokens.secret").empty()) {
    return Error{ErrorCode::kMalformed,
                 "tokens.keys and tokens.secret both say which tokens are believed: set one"};
  }
  const bool alone = one_mesh && config.meshes().empty();
  trust::TokenRules usual;
  usual.issuer = config.text("tokens.issuer");
  usual.audience = alone ? config.text("tokens.audience") : std::string();
  usual.require_audience = config.flag("tokens.require_audience") || !alone;
  SIGNET_TRY(rules.otherwise.tokens, load_tokens(config, keys, usual, dev));
  for (const auto& mesh : config.meshes()) {
    trust::TokenRules its;
    its.issuer = first_of(mesh.token_issuer, usual.issuer);
    its.audience = first_of(mesh.token_audience, config.text("tokens.audience"));
    its.require_audience = config.flag("tokens.require_audience");
    SIGNET_TRY(rules.meshes[mesh.slug].tokens,
               load_tokens(config, first_of(mesh.token_keys, keys), its, dev));
  }
  return tell_apart(config, rules);
}

}  // namespace

Result<std::shared_ptr<const broker::Rules>> reload_tokens(const config::Config& config, bool dev,
                                                           const broker::Rules& held,
                                                           const std::string& only_mesh) {
  auto rules = std::make_shared<broker::Rules>(held);
  SIGNET_TRY([[maybe_unused]] const Done taken,
             take_tokens(config, dev, !only_mesh.empty(), *rules));
  return std::shared_ptr<const broker::Rules>(std::move(rules));
}

Result<broker::Binding> parse_binding(const std::string& text) {
  const auto equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    return Error{ErrorCode::kMalformed,
                 "server.bindings: \"" + text + "\" is not of the form DIALECT[@HOST][/PATH]=MESH"};
  }
  broker::Binding binding;
  binding.mesh = text.substr(equals + 1);
  std::string left = text.substr(0, equals);
  if (const auto slash = left.find('/'); slash != std::string::npos) {
    binding.path = left.substr(slash);
    left.resize(slash);
  }
  if (const auto at = left.find('@'); at != std::string::npos) {
    binding.host = left.substr(at + 1);
    left.resize(at);
  }
  binding.dialect = left == "*" ? std::string() : left;
  constexpr std::array<std::string_view, 5> kBound{"", "pulsemesh", "simpatico", "hub", "overlay"};
  if (std::find(kBound.begin(), kBound.end(), binding.dialect) == kBound.end()) {
    return Error{ErrorCode::kMalformed, "server.bindings: \"" + left +
                                            "\" is no dialect that is bound: pulsemesh, simpatico, "
                                            "hub, overlay or *"};
  }
  return binding;
}

Result<std::shared_ptr<const broker::Rules>> load_rules(const config::Config& config, bool dev,
                                                        const std::string& only_mesh,
                                                        WallTime now) {
  auto rules = std::make_shared<broker::Rules>();
  const std::string& policy = config.text("policy.file");
  const std::string& routes = config.text("policy.routes");
  SIGNET_TRY(rules->otherwise, load_mesh(policy, routes, dev, now));
  rules->otherwise.relay_open = config.flag("simpatico.open");
  rules->otherwise.max_skew = config.duration("pulsemesh.max_skew");
  for (const config::MeshSetting& mesh : config.meshes()) {
    broker::MeshRules& its = rules->meshes[mesh.slug];
    SIGNET_TRY(its, load_mesh(mesh.policy.empty() ? policy : mesh.policy,
                              mesh.routes.empty() ? routes : mesh.routes, dev, now));
    its.relay_open = mesh.simpatico_open;
    its.max_skew = mesh.max_skew;
  }
  SIGNET_TRY([[maybe_unused]] const Done taken,
             take_tokens(config, dev, !only_mesh.empty(), *rules));
  warn_of_open_windows(*rules);
  for (const std::string& text : config.list("server.bindings")) {
    SIGNET_TRY(auto binding, parse_binding(text));
    rules->bindings.push_back(std::move(binding));
  }
  if (rules->bindings.empty() && !only_mesh.empty())
    rules->bindings.push_back({{}, {}, {}, only_mesh});
  SIGNET_TRY([[maybe_unused]] const Done opened, take_hub(config, dev, *rules));
  return std::shared_ptr<const broker::Rules>(std::move(rules));
}

}  // namespace signet
