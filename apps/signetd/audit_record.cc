#include "signetd/audit_record.h"

#include <sys/stat.h>

#include <utility>

#include "crypto/wipe.h"
#include "signetd/secret_file.h"

namespace signet {
namespace {

constexpr std::size_t kOriginDigits = 16;  // of the key: enough to tell logs apart

audit::Draft draft_of(audit::Event event, MeshNumber mesh, std::optional<crypto::Digest32> hash) {
  audit::Draft draft;
  draft.event = event;
  draft.mesh = mesh;
  draft.by = "configuration";
  draft.hash = hash;
  return draft;
}

bool differ(const crypto::SecretText& one, const crypto::SecretText& other) {
  return one.empty() != other.empty() || (!one.empty() && !one.matches(other.reveal()));
}

// Both secrets are at hand, so that only another one is an entry, though none has a digest there.
void note_hub(const broker::HubDoor* before, const broker::HubDoor* after, MeshNumber mesh,
              std::vector<audit::Draft>& drafts) {
  static const broker::HubDoor none;
  const broker::HubDoor& old = before == nullptr ? none : *before;
  const broker::HubDoor& its = after == nullptr ? none : *after;
  const auto add = [&](std::string code, std::optional<crypto::Digest32> hash) {
    drafts.push_back(draft_of(audit::Event::kHubChanged, mesh, hash));
    drafts.back().code = std::move(code);
  };
  if (differ(old.action_secret, its.action_secret)) add("action_secret", {});
  if (differ(old.engine_secret, its.engine_secret)) add("engine_secret", {});
  if (old.types_digest == its.types_digest) return;
  after == nullptr ? add("job_types", {}) : add("job_types", its.types_digest);
}

void note_changes(const broker::MeshRules* before, const broker::MeshRules& after, MeshNumber mesh,
                  std::vector<audit::Draft>& drafts) {
  const std::string& policy = after.policy->text();
  if (before == nullptr || before->policy->text() != policy) {
    drafts.push_back(
        draft_of(audit::Event::kPolicyChanged, mesh, crypto::digest32("signet policy", {policy})));
  }
  if (before == nullptr || before->routes_digest != after.routes_digest) {
    drafts.push_back(draft_of(audit::Event::kRoutesChanged, mesh, after.routes_digest));
  }
  const auto digest_of = [](const broker::MeshRules* rules) {
    return rules == nullptr || rules->tokens == nullptr ? std::nullopt : rules->tokens->digest;
  };
  const bool had = before != nullptr && before->tokens != nullptr;
  const bool has = after.tokens != nullptr;
  // Keys that are secrets have no digest: each time they are read is an entry.
  const bool is_secret = has && !after.tokens->digest;
  if (had != has || is_secret || digest_of(before) != digest_of(&after)) {
    drafts.push_back(draft_of(audit::Event::kTokenKeysChanged, mesh, digest_of(&after)));
  }
  note_hub(before == nullptr ? nullptr : before->hub.get(), after.hub.get(), mesh, drafts);
}

}  // namespace

Result<std::shared_ptr<const store::LogIdentity>> log_identity(const config::Config& config) {
  const std::string& data = config.text("server.data");
  ::mkdir(data.c_str(), 0700);  // the store looks at what is there, and says what is wrong with it
  const std::string& chosen = config.text("audit.key_file");
  SIGNET_TRY(crypto::SecretKey key, secret_key(chosen.empty() ? data + "/audit.key" : chosen));
  SIGNET_TRY(std::string names, secret_text(data + "/audit.names.key"));
  std::string origin = "signet/log/" + crypto::to_hex(key.public_key()).substr(0, kOriginDigits);
  auto identity = std::make_shared<const store::LogIdentity>(
      store::LogIdentity{std::move(origin), std::move(key), audit::Pseudonyms(names)});
  crypto::wipe(names);
  return std::shared_ptr<const store::LogIdentity>(std::move(identity));
}

std::vector<audit::Draft> drafts_of_rules(
    const broker::Rules* before, const broker::Rules& after,
    const std::function<MeshNumber(std::string_view slug)>& number_of) {
  std::vector<audit::Draft> drafts;
  note_changes(before == nullptr ? nullptr : &before->otherwise, after.otherwise, MeshNumber{},
               drafts);
  for (const auto& [slug, rules] : after.meshes) {
    const broker::MeshRules* held = nullptr;
    if (before != nullptr) {
      const auto found = before->meshes.find(slug);
      if (found != before->meshes.end()) held = &found->second;
    }
    note_changes(held, rules, number_of(slug), drafts);
  }
  if (before == nullptr) return drafts;
  for (const auto& [slug, rules] : before->meshes) {  // those that have no rules of their own now
    if (!after.meshes.contains(slug)) {
      note_changes(&rules, after.otherwise, number_of(slug), drafts);
    }
  }
  return drafts;
}

}  // namespace signet
