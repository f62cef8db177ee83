#include "signet/profile/proposal_file.h"

#include <algorithm>
#include <set>

#include "dialects/overlay_operators.h"
#include "overlay/node.h"
#include "signet/profile/private_file.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/text.h"

namespace signet::cli {
namespace {

using membership::OperatorAction;
using membership::OperatorStatement;

Error bad_proposal(std::string_view why) {
  return failure(ErrorCode::kMalformed, "bad_proposal",
                 "this is no proposal of operators: " + std::string(why),
                 "`signet revoke propose --out FILE` makes one.");
}

// "node-a", and its key.
std::pair<std::string, std::string> parts_of_rekey(const std::string& target) {
  const std::size_t space = target.find(' ');
  return {target.substr(0, space), target.substr(space + 1)};
}

}  // namespace

Result<Proposal> read_proposal(std::string_view text) {
  const auto said = dialects::read_signed_statement(text);
  if (!said.ok()) return bad_proposal(said.error().detail);
  const auto statement = OperatorStatement::of(said->text);
  if (!statement) return bad_proposal("its statement is not well-formed");
  return Proposal{*statement, said->signatures};
}

std::string write_proposal(const Proposal& proposal) {
  return dialects::write_signed_statement({proposal.statement.text(), proposal.signatures}) + "\n";
}

Result<Proposal> load_proposal(const std::string& path) {
  SIGNET_TRY(std::string text, read_shown_file(path));
  if (text.ends_with('\n')) text.pop_back();
  if (text.size() > dialects::kMaxStatementBody) {
    return failure(ErrorCode::kMalformed, "file_too_long", path + " is too long for a proposal");
  }
  return read_proposal(text);
}

Status keep_proposal(const std::string& path, const Proposal& proposal) {
  return write_private_file(path, write_proposal(proposal));
}

Status create_proposal(const std::string& path, const Proposal& proposal) {
  return create_private_file(path, write_proposal(proposal));
}

std::string sentence_of(const OperatorStatement& statement) {
  const std::string target = printable_line(statement.target);
  switch (statement.action) {
    case OperatorAction::kRevoke:
      return "Revoke the member " + target + ", for good.";
    case OperatorAction::kDenyMany:
      return "Let one decision deny all the nodes that are held back, whose names have the "
             "digest " +
             target + ".";
    case OperatorAction::kThreshold:
      return "Set the score that a node needs to " + target + ".";
    case OperatorAction::kPolicyOwner:
      return "Make " + target + " the owner of the mesh, whose invites let people in.";
    case OperatorAction::kOperatorAdd:
      return "Make " + target + " an operator, who signs statements such as this.";
    case OperatorAction::kOperatorRemove:
      return "Make " + target + " no operator any more.";
    case OperatorAction::kQuorum:
      return "From now on, " + target + " operators have to sign a statement.";
    case OperatorAction::kRekey: {
      const auto [node, key] = parts_of_rekey(target);
      return "Give the node " + node + " the key " + key + " in place of its own.";
    }
  }
  return {};
}

Status check_proposal(const Proposal& proposal, WallTime now) {
  if (now >= proposal.statement.expires) {
    return failure(ErrorCode::kForbidden, "proposal_expired",
                   "this proposal was over at " + iso8601(proposal.statement.expires),
                   "Propose it anew: signet revoke propose.");
  }
  const std::string text = proposal.statement.text();
  std::set<crypto::PublicKey> signers;
  for (const auto& each : proposal.signatures) {
    const std::string who = crypto::to_hex(each.signer);
    if (!signers.insert(each.signer).second) {
      return failure(ErrorCode::kConflict, "signed_twice", who + " signed this proposal twice");
    }
    if (!crypto::verify(each.signer, bytes_of(text), each.signature)) {
      return failure(ErrorCode::kForbidden, "bad_signature",
                     "the signature of " + who + " is not over this proposal",
                     "Somebody changed the file: ask for the one that was proposed.");
    }
  }
  return Done{};
}

Status check_denials(const OperatorStatement& statement, const std::vector<std::string>& names) {
  const bool are_nodes = std::all_of(names.begin(), names.end(), overlay::is_node_name);
  if (!are_nodes) {
    return failure(ErrorCode::kMalformed, "bad_names",
                   "what the broker says it holds back are no names of nodes");
  }
  if (membership::digest_of_denials(names) == statement.target) return Done{};
  return failure(ErrorCode::kConflict, "not_held",
                 "the " + std::to_string(names.size()) +
                     " denials that are held back now are others than the ones proposed",
                 "Look at `signet epoch show`, then propose anew: signet revoke propose "
                 "--deny-many.");
}

Status sign_proposal(Proposal& proposal, const crypto::SecretKey& key, WallTime now) {
  SIGNET_TRY([[maybe_unused]] const Done good, check_proposal(proposal, now));
  const crypto::PublicKey signer = key.public_key();
  const bool signed_already = std::any_of(proposal.signatures.begin(), proposal.signatures.end(),
                                          [&](const auto& each) { return each.signer == signer; });
  if (signed_already) {
    return failure(ErrorCode::kConflict, "already_signed",
                   crypto::to_hex(signer) + " signed this proposal already");
  }
  if (proposal.signatures.size() >= dialects::kMaxStatementSignatures) {
    return failure(ErrorCode::kOverloaded, "too_many_signatures",
                   "this proposal has as many signatures as one can have");
  }
  proposal.signatures.push_back({signer, key.sign(bytes_of(proposal.statement.text()))});
  return Done{};
}

}  // namespace signet::cli
