#include "signet/commands/operator_members.h"

#include "signet/terminal/failure.h"
#include "signet/terminal/text.h"

namespace signet::cli {
namespace {

constexpr std::size_t kFewestKeyDigits = 8;

std::string member_word(wire::JsonValue value) { return std::string(value.string().value_or("")); }

MeshMember mesh_member(wire::JsonValue listed) {
  MeshMember member{member_word(listed["id"]),
                    member_word(listed["pubkey"]),
                    member_word(listed["displayName"]),
                    member_word(listed["role"]),
                    member_word(listed["standing"]),
                    member_word(listed["joinedAt"]),
                    {}};
  const wire::JsonValue tags = listed["tags"];
  for (std::size_t i = 0; i < tags.size(); ++i) member.tags.push_back(member_word(tags[i]));
  return member;
}

}  // namespace

Result<std::vector<MeshMember>> all_members(const OperatorApi& api, const OperatorMesh& mesh) {
  std::vector<MeshMember> members;
  const auto take = [&members](const wire::JsonValue& page) {
    const wire::JsonValue listed = page["members"];
    for (std::size_t i = 0; i < listed.size(); ++i) members.push_back(mesh_member(listed[i]));
  };
  SIGNET_TRY([[maybe_unused]] const Done listed,
             api.each_page("/meshes/" + mesh.name + "/members", take));
  return members;
}

// Whoever takes another's key or id for a name is not meant by it.
Result<MeshMember> find_member(const OperatorApi& api, const OperatorMesh& mesh,
                               const std::string& who) {
  SIGNET_TRY(std::vector<MeshMember> members, all_members(api, mesh));
  std::vector<MeshMember*> exact, called;
  for (MeshMember& each : members) {
    const bool is_start = who.size() >= kFewestKeyDigits && each.key.starts_with(who);
    if (each.key == who || each.id == who) {
      exact.push_back(&each);
    } else if (is_start || each.name == who) {
      called.push_back(&each);
    }
  }
  const std::vector<MeshMember*>& found = exact.empty() ? called : exact;
  if (found.size() == 1) return std::move(*found.front());
  if (found.empty()) {
    return failure(ErrorCode::kNotFound, "no_such_member",
                   mesh.slug + " has no member " + printable_line(who),
                   "`signet member list` shows who is there.");
  }
  return failure(ErrorCode::kConflict, "ambiguous_name",
                 printable_line(who) + " is the name of several members of " + mesh.slug,
                 "Say the key: signet member list -o json");
}

}  // namespace signet::cli
