// The audience of a message: exactly who it would go to, as one digest. Who seals a channel key to
// some members names their audience in the send, and a send to others is refused: a member that
// came meanwhile gets no message that it can't open, and one that left none that it should not.
// Normative text: protocol/claudemesh.md, "Audiences".
#pragma once

#include <vector>

#include "crypto/hash.h"
#include "membership/mesh_snapshot.h"

namespace signet::membership {

using Audience = crypto::Digest16;

// audience_of digests the keys, which may come in any order: crypto::digest16 for
// "signet/audience/v1" over one field, the raw keys sorted as bytes and joined. Nobody is an
// audience too.
Audience audience_of(std::vector<crypto::PublicKey> keys);
// The same of members that members_by_key() has sorted.
Audience audience_of(const std::vector<const Member*>& sorted);

// The members with these numbers, sorted by key as bytes. Borrowed from `mesh`; a number that it
// does not have is left out, and so is a member without a key.
std::vector<const Member*> members_by_key(const MeshSnapshot& mesh,
                                          const std::vector<MemberNumber>& numbers);

}  // namespace signet::membership
