// The bodies by which m of n operators speak to the broker: a statement with its signatures, and
// who they are, so that the next statement can be written. Format: protocol/operators.md. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/codes.h"
#include "crypto/sign.h"
#include "membership/operator_statement.h"
#include "signet/result.h"

namespace signet::dialects {

// As many signatures as a mesh can have operators; more are no statement's.
inline constexpr std::size_t kMaxStatementSignatures = 32;
inline constexpr std::size_t kMaxStatementBody = 16'384;  // 32 signatures of 250 bytes, twice

// {"statement":"…","signatures":[{"signer":hex,"signature":hex}]}: POST /v1/revoke, and the file in
// which people collect signatures. Fails kMalformed, with the member. No signature is looked at,
// and there may be none yet.
Result<membership::SignedStatement> read_signed_statement(std::string_view body);
std::string write_signed_statement(const membership::SignedStatement& said);

// HTTP's number for a refusal.
int status_of(StatementRefusal refusal);
// The answer to what was done: {"status":"done","serial":8,"action":"revoke"}.
std::string write_carried_out(std::uint64_t serial, membership::OperatorAction action);

// GET /v1/operators: what the next statement has to say, and who may sign it.
struct OperatorsShown {
  std::string mesh;                          // its id
  std::vector<crypto::PublicKey> operators;  // empty: the mesh has none
  std::size_t needed = 0;
  bool emergency = false;               // one is enough
  std::uint64_t serial = 0;             // of the last statement carried out
  std::uint64_t policy_version = 0;     // under which the next is meant
  std::int64_t longest_life_ms = 0;     // of a statement
  std::size_t held = 0;                 // denials that wait for `deny_many`
  std::string held_digest;              // what that has to name; empty: none wait
  std::vector<std::string> held_names;  // told to who has the operator's credential; else empty
};
std::string write_operators(const OperatorsShown& shown);
inline constexpr std::size_t kMaxOperatorsBody = 16'777'216;  // 100,000 names of 64 bytes
// The reader of the CLI. Fails kMalformed, with the member.
Result<OperatorsShown> read_operators(std::string_view body);

}  // namespace signet::dialects
