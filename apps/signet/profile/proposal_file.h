// A proposal is a statement of operators that goes from hand to hand until enough of them signed
// it: a file, the very body that the broker takes (protocol/operators.md). It holds no secret; what
// it says is shown in words to whoever signs, out of the text that is signed and of nothing else.
#pragma once

#include <string>
#include <vector>

#include "crypto/sign.h"
#include "membership/operator_statement.h"
#include "signet/result.h"

namespace signet::cli {

struct Proposal {
  membership::OperatorStatement statement;
  std::vector<membership::OperatorSignature> signatures;
};

// Pure. Fails kMalformed (bad_proposal) for what is no well-formed statement with signatures.
Result<Proposal> read_proposal(std::string_view text);
std::string write_proposal(const Proposal& proposal);

// From the disk, and whole onto it. Fails kNotFound (file_missing), kForbidden and kUnavailable
// (file_unreadable, disk), kMalformed (bad_proposal, file_too_long, no_file).
Result<Proposal> load_proposal(const std::string& path);
Status keep_proposal(const std::string& path, const Proposal& proposal);
// The same for a new one. Fails kConflict (file_exists).
Status create_proposal(const std::string& path, const Proposal& proposal);

// What carrying it out does, as a sentence: "Revoke member-eve, for good."
std::string sentence_of(const membership::OperatorStatement& statement);

// Is there anything for which a broker refuses it whatever else holds? Fails kForbidden
// (proposal_expired; bad_signature: one does not hold), kConflict (signed_twice).
Status check_proposal(const Proposal& proposal, WallTime now);
// Are `names`, as a broker holds them back, the ones that the statement lets be denied? REQUIRES:
// its action is kDenyMany. Pure. Fails kMalformed (bad_names), kConflict (not_held).
Status check_denials(const membership::OperatorStatement& statement,
                     const std::vector<std::string>& names);
// Adds the signature of `key`. Fails as check_proposal(), and kConflict (already_signed).
Status sign_proposal(Proposal& proposal, const crypto::SecretKey& key, WallTime now);

}  // namespace signet::cli
