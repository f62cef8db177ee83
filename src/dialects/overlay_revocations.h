// The list of who was revoked by the operators together: what agents fetch so that they never take
// back a peer, whoever tells them to. Each entry has the statement as it was signed; the whole is
// signed by the server. Format: protocol/operators.md. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/sign.h"
#include "membership/operator_statement.h"
#include "overlay/node.h"
#include "signet/result.h"

namespace signet::dialects {

// The first line of what the server signs.
inline constexpr std::string_view kRevocationsDomain = "signet-revocations-v1\n";
inline constexpr std::size_t kMaxRevocations = 10'000;  // as many as a mesh has nodes by default
// Of one statement: more operators than that have no mesh.
inline constexpr std::size_t kMaxRevocationSigners = 32;
// Every list within these counts is shorter: 250 bytes a signature, and a statement.
inline constexpr std::size_t kMaxRevocationsBytes = 134'217'728;

struct Revocation {
  std::string statement;  // the text of a `revoke`, as it was signed
  std::vector<membership::OperatorSignature> signatures;  // in the order in which they were sent
  // Of the member's node when it was revoked; nullopt: it had none.
  std::optional<overlay::WireGuardKey> wireguard;
};

struct RevocationList {
  std::string mesh;          // its id
  std::uint64_t serial = 0;  // of the last statement carried out; a list never goes back behind it
  std::vector<Revocation> entries;  // by their serials, rising
  crypto::PublicKey signer;         // the server's key; whoever reads pins it
  crypto::Signature signature{};    // over text_to_sign()
};

// The domain, the mesh, the serial and the number of entries, a line each; then of every entry the
// statement's lines, the WireGuard key in base64 or `-`, the number of signatures, and of each the
// signer, a space and the signature in lower-case hex. Two good lists never share a text.
std::string text_to_sign(const RevocationList& list);

// The body of GET /v1/revocations. REQUIRES: it is within the bounds above.
std::string write_revocations(const RevocationList& list);

// Fails kMalformed, with the member, for what the writer does not write: a statement that is none,
// is no revocation, is of another mesh, is not behind the one before it or has a serial above the
// list's. Looks at no signature: verifies() does, and whose key counts is the caller's business.
Result<RevocationList> read_revocations(std::string_view body);

// Did list.signer sign it?
bool verifies(const RevocationList& list);

}  // namespace signet::dialects
