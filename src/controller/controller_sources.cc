// The secrets of sources: who may have one, what is drawn, and what holds after a change.
#include <algorithm>
#include <utility>

#include "controller/controller.h"

namespace signet::controller {
namespace {

using membership::Change;
using membership::Member;
using membership::MeshSnapshot;
using membership::SourceSecret;
using membership::Standing;

// The shared secret is set and ended by the configuration alone.
std::string_view by_of(std::string_view source) {
  return source == membership::kSharedSource ? "configuration" : "operator";
}

Error not_found(const char* what) { return {ErrorCode::kNotFound, what}; }
Error malformed(std::string rule) { return {ErrorCode::kMalformed, std::move(rule)}; }
Error is_revoked() { return {ErrorCode::kForbidden, "the source is revoked"}; }

}  // namespace

// What every change of a source needs; the shared one is nobody's to name.
Status Controller::check_source(MeshNumber mesh, std::string_view source) const {
  if (table_.mesh(mesh) == nullptr) return not_found("no such mesh");
  if (!membership::is_source(source)) return malformed("source");
  if (changing_sources_.contains({mesh, std::string(source)})) {
    return Error{ErrorCode::kConflict, "another change of this source is on its way"};
  }
  return Done{};
}

Status Controller::check_secret(const crypto::SecretText& secret) const {
  // Who tries things out may use a short one.
  const std::size_t least = options_.allow_sample_secrets ? 1 : membership::kLeastSecretBytes;
  if (!membership::is_secret(secret.reveal(), least)) {
    return malformed("secret: of " + std::to_string(least) + " to " +
                     std::to_string(membership::kMostSecretBytes) +
                     " bytes without control characters");
  }
  if (!options_.allow_sample_secrets && membership::is_sample_secret(secret.reveal())) {
    return malformed("secret: everybody can look this one up or guess it");
  }
  return Done{};
}

Member Controller::keyless_member(MeshNumber mesh, std::string id, const SourceOptions& options) {
  Member member;
  member.number = table_.reserve_member();
  member.mesh = mesh;
  member.display_name = options.display_name.empty() ? id : options.display_name;
  member.id = std::move(id);
  member.tags = options.tags;
  std::sort(member.tags.begin(), member.tags.end());
  member.tags.erase(std::unique(member.tags.begin(), member.tags.end()), member.tags.end());
  member.joined = clock_.wall();
  return member;
}

// The member of a source that is added: the one it had, the one that is named, the one of its name
// without a key, or nullptr for a new one.
Result<const Member*> Controller::member_for(const MeshSnapshot& mesh, const std::string& source,
                                             const SourceOptions& options) const {
  const Member* named = options.member ? mesh.member(*options.member) : nullptr;
  if (options.member && named == nullptr) return not_found("no such member");
  const SourceSecret* known = mesh.source(source);
  if (known != nullptr && !known->revoked) {
    return Error{ErrorCode::kConflict, "the source is there"};
  }
  const Member* before = known == nullptr ? nullptr : mesh.member(known->member);
  if (before != nullptr && named != nullptr && before != named) {
    return Error{ErrorCode::kConflict, "the source proved another member"};
  }
  // Whom a token or a certificate of that name proves: it may show a secret as well.
  const Member* same = mesh.member_with_id(source);
  const bool is_proven_so = same != nullptr && !same->key && same->id != membership::kSharedMember;
  const Member* member = named != nullptr ? named : before;
  if (member == nullptr && is_proven_so) member = same;
  if (member != nullptr && member->standing == Standing::kRevoked) {
    return Error{ErrorCode::kForbidden, "the member is revoked"};
  }
  const bool taken = source == membership::kSharedMember || mesh.has_member_id(source);
  if (member != nullptr && !options.tags.empty())
    return malformed("tags of a member that is there");
  if (member == nullptr && taken) return Error{ErrorCode::kConflict, "the id is taken"};
  if (member == nullptr) {
    if (const Status free = check_name(mesh.mesh().number, source); !free.ok()) return free.error();
  }
  return member;
}

void Controller::add_source(MeshNumber mesh, const std::string& source,
                            const SourceOptions& options, SecretAnswer answer) {
  const auto refuse = [&](Error error) {
    reply([answer, error = std::move(error)] { answer(error); });
  };
  if (const Status good = check_source(mesh, source); !good.ok()) return refuse(good.error());
  if (!options.secret.empty()) {
    if (const Status good = check_secret(options.secret); !good.ok()) return refuse(good.error());
  }
  const MeshSnapshot& where = *table_.mesh(mesh);
  const auto member = member_for(where, source, options);
  if (!member.ok()) return refuse(member.error());
  const auto on_their_way =
      std::count_if(changing_sources_.begin(), changing_sources_.end(),
                    [mesh](const auto& changing) { return changing.first == mesh; });
  const std::size_t count = where.source_count() + static_cast<std::size_t>(on_their_way);
  if (where.source(source) == nullptr && count >= options_.sources_per_mesh) {
    return refuse({ErrorCode::kOverloaded, "too many sources"});
  }
  SourceSecret secret;
  secret.mesh = mesh;
  secret.source = source;
  secret.secret = options.secret.empty() ? crypto::SecretText::random() : options.secret;
  std::vector<Change> before;
  std::string id = *member == nullptr ? source : (*member)->id;
  if (*member != nullptr) {
    secret.member = (*member)->number;
  } else {
    Member made = keyless_member(mesh, source, options);
    secret.member = made.number;
    before.emplace_back(membership::MemberAdded{std::move(made), std::nullopt});
  }
  commit_source(std::move(before), std::move(secret), std::move(id), std::move(answer));
}

void Controller::rotate_source(MeshNumber mesh, const std::string& source,
                               std::chrono::milliseconds overlap, SecretAnswer answer) {
  const auto refuse = [&](Error error) {
    reply([answer, error = std::move(error)] { answer(error); });
  };
  if (const Status good = check_source(mesh, source); !good.ok()) return refuse(good.error());
  const SourceSecret* known = source_of(mesh, source);
  if (known == nullptr) return refuse(not_found("no such source"));
  if (known->revoked) return refuse(is_revoked());
  SourceSecret next = *known;
  next.previous = overlap.count() > 0 ? known->secret : crypto::SecretText();
  next.previous_until = clock_.wall() + overlap;
  next.secret = crypto::SecretText::random();
  commit_source({}, std::move(next), table_.mesh(mesh)->member(known->member)->id,
                std::move(answer));
}

void Controller::set_source_secret(MeshNumber mesh, const std::string& source,
                                   const crypto::SecretText& secret, SecretAnswer answer) {
  const auto refuse = [&](Error error) {
    reply([answer, error = std::move(error)] { answer(error); });
  };
  if (const Status good = check_source(mesh, source); !good.ok()) return refuse(good.error());
  if (const Status good = check_secret(secret); !good.ok()) return refuse(good.error());
  const SourceSecret* known = source_of(mesh, source);
  if (known == nullptr) {
    SourceOptions options;
    options.secret = secret;
    return add_source(mesh, source, options, std::move(answer));
  }
  if (known->revoked) return refuse(is_revoked());
  const std::string id = table_.mesh(mesh)->member(known->member)->id;
  if (known->secret.matches(secret.reveal())) {
    return reply([answer, secret, id] { answer(NewSecret{secret, id}); });
  }
  SourceSecret next = *known;
  next.previous = {};
  next.previous_until = {};
  next.secret = secret;
  commit_source({}, std::move(next), id, std::move(answer));
}

void Controller::declare_shared_secret(MeshNumber mesh, const crypto::SecretText& secret,
                                       std::function<void(Status)> answer) {
  const auto refuse = [&](Error error) {
    reply([answer, error = std::move(error)] { answer(error); });
  };
  const MeshSnapshot* where = table_.mesh(mesh);
  if (where == nullptr) return refuse(not_found("no such mesh"));
  if (const Status good = check_secret(secret); !good.ok()) return refuse(good.error());
  const std::string name(membership::kSharedSource);
  if (changing_sources_.contains({mesh, name})) {
    return refuse({ErrorCode::kConflict, "another change of this source is on its way"});
  }
  const SourceSecret* known = where->shared_secret();
  if (known != nullptr && holds(*known) && known->secret.matches(secret.reveal())) {
    return reply([answer] { answer(Done{}); });
  }
  SourceSecret next;
  next.mesh = mesh;
  next.source = name;
  next.secret = secret;
  next.shared = true;
  std::vector<Change> before;
  const std::string id(membership::kSharedMember);
  if (const Member* member = where->member_with_id(id)) {
    next.member = member->number;
  } else {
    Member made = keyless_member(mesh, id, {});
    next.member = made.number;
    before.emplace_back(membership::MemberAdded{std::move(made), std::nullopt});
  }
  commit_source(std::move(before), std::move(next), id,
                [answer = std::move(answer)](const Result<NewSecret>& set) {
                  if (set.ok()) return answer(Done{});
                  answer(set.error());
                });
}

void Controller::revoke_source(MeshNumber mesh, const std::string& source,
                               std::function<void(Status)> answer) {
  const auto refuse = [&](Error error) {
    reply([answer, error = std::move(error)] { answer(error); });
  };
  const SourceSecret* known = source_of(mesh, source);
  if (known == nullptr) return refuse(not_found("no such source"));
  if (known->revoked) return reply([answer] { answer(Done{}); });
  if (!changing_sources_.insert({mesh, source}).second) {
    return refuse({ErrorCode::kConflict, "another change of this source is on its way"});
  }
  commit({membership::SourceRevoked{mesh, source}}, by_of(source),
         [this, mesh, source, answer = std::move(answer)](const Status& status) {
           changing_sources_.erase({mesh, source});
           answer(status);
         });
}

void Controller::commit_source(std::vector<Change> before, SourceSecret secret,
                               std::string member_id, SecretAnswer answer) {
  secret.changed = clock_.wall();
  const std::pair<MeshNumber, std::string> changing{secret.mesh, secret.source};
  changing_sources_.insert(changing);
  const NewSecret made{secret.secret, std::move(member_id)};
  before.emplace_back(membership::SourceSecretSet{std::move(secret)});
  commit(std::move(before), by_of(changing.second),
         [this, changing, made, answer = std::move(answer)](const Status& status) {
           changing_sources_.erase(changing);
           if (status.ok()) return answer(made);
           answer(status.error());
         });
}

}  // namespace signet::controller
