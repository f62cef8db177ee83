// Members that tokens and client certificates prove: made when they first come, and what ends them.
#include <utility>

#include "controller/controller.h"

namespace signet::controller {

using membership::Member;
using membership::MeshSnapshot;

namespace {

Status check_subject(const MeshSnapshot* where, const std::string& subject) {
  if (where == nullptr) return Error{ErrorCode::kNotFound, "no such mesh"};
  if (!membership::is_source(subject)) return Error{ErrorCode::kMalformed, "subject"};
  if (subject == membership::kSharedMember) {
    return Error{ErrorCode::kForbidden, "the id is that of the shared secret"};
  }
  return Done{};
}

}  // namespace

void Controller::admit_subject(MeshNumber mesh, const std::string& subject, std::string_view by,
                               SubjectAnswer answer) {
  const MeshSnapshot* where = table_.mesh(mesh);
  if (const Status good = check_subject(where, subject); !good.ok()) {
    return reply([answer, error = good.error()] { answer(error); });
  }
  if (const Status free = check_name(mesh, subject); !free.ok()) {
    return reply([answer, error = free.error()] { answer(error); });
  }
  if (const Member* known = where->member_with_id(subject)) {
    if (known->key) {
      return reply([answer] {
        answer(Error{ErrorCode::kForbidden, "the id is that of a member with a key"});
      });
    }
    return reply([answer, number = known->number] { answer(number); });
  }
  auto& waiting = new_subjects_[{mesh, subject}];
  waiting.push_back(std::move(answer));
  if (waiting.size() > 1) return;
  if (where->keyless_members() + new_subjects_.size() > options_.subjects_per_mesh) {
    return on_subject(mesh, subject, Error{ErrorCode::kOverloaded, "too many members"});
  }
  commit({membership::MemberAdded{keyless_member(mesh, subject, {}), std::nullopt}}, by,
         [this, mesh, subject](const Status& status) { on_subject(mesh, subject, status); });
}

Result<Member> Controller::new_subject(MeshNumber mesh, const std::string& subject) {
  const MeshSnapshot* where = table_.mesh(mesh);
  if (const Status good = check_subject(where, subject); !good.ok()) return good.error();
  const bool is_taken =
      where->member_with_id(subject) != nullptr || new_subjects_.contains(std::pair(mesh, subject));
  if (is_taken) return Error{ErrorCode::kForbidden, "the id is that of a member"};
  if (where->keyless_members() + new_subjects_.size() >= options_.subjects_per_mesh) {
    return Error{ErrorCode::kOverloaded, "too many members"};
  }
  SourceOptions options;
  options.tags.emplace_back(membership::kUnsignedTag);
  return keyless_member(mesh, subject, options);
}

// A conflict: somebody else made a member of that id meanwhile, and it may be the one.
void Controller::on_subject(MeshNumber mesh, const std::string& subject, const Status& status) {
  auto waiting = new_subjects_.extract({mesh, subject});
  if (waiting.empty()) return;
  const MeshSnapshot* where = table_.mesh(mesh);
  const Member* made = where == nullptr ? nullptr : where->member_with_id(subject);
  Result<MemberNumber> result = Error{ErrorCode::kConflict, "the id was taken"};
  const Status free = check_name(mesh, subject);
  if (made != nullptr && !made->key && free.ok()) {
    result = made->number;
  } else if (made != nullptr && !made->key) {
    result = free.error();
    narrowed_.push_back(made->number);  // its node was quicker: what follows is to be decided
  } else if (!status.ok()) {
    result = status.error();
  }
  reply([answers = std::move(waiting.mapped()), result] {
    for (const auto& answer : answers) answer(result);
  });
}

void Controller::revoke_tokens(MeshNumber mesh, membership::TokenRevocation revocation,
                               std::function<void(Status)> answer) {
  const auto refuse = [&](ErrorCode code, const char* why) {
    reply([answer, code, why] { answer(Error{code, why}); });
  };
  const MeshSnapshot* where = table_.mesh(mesh);
  if (where == nullptr) return refuse(ErrorCode::kNotFound, "no such mesh");
  if (revocation.token.empty() == revocation.subject.empty()) {
    return refuse(ErrorCode::kMalformed, "either the id of a token, or a subject");
  }
  // The same again changes nothing, and takes no place.
  if (!revocation.token.empty() && where->is_token_revoked(revocation.token, {}, WallTime{})) {
    return reply([answer] { answer(Done{}); });
  }
  if (where->token_revocations() >= options_.token_revocations) {
    return refuse(ErrorCode::kOverloaded, "too many revocations");
  }
  commit({membership::TokensRevoked{mesh, std::move(revocation)}}, "operator", std::move(answer));
}

}  // namespace signet::controller
