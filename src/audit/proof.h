// Proofs that are checked away from the log: that one entry is in it, and that it only grew since a
// checkpoint that somebody kept. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/entry.h"
#include "crypto/merkle.h"
#include "signet/result.h"

namespace signet::audit {

// One entry, the path from it to the root, and the checkpoint that signs the root.
struct EntryProof {
  Verifier key;
  std::string entry;  // the line as it is in the log
  std::vector<crypto::MerkleHash> path;
  std::string note;
};
// {"signet-proof":1,"key":"…","entry":{…},"path":["<base64>",…],"checkpoint":"…"}
std::string encode(const EntryProof& proof);

// A proof that holds.
struct ProvenEntry {
  Verifier key;  // the proof's own where none is expected: then it only agrees with itself
  std::string line;
  Checkpoint checkpoint;
};
// Takes exactly what encode() writes. kMalformed for anything else, kUnauthorized for another key
// than `expected` or a false signature, kConflict where the entry is not in the signed log. The
// texts are sentences for people.
Result<ProvenEntry> check_proof(std::string_view text, const std::optional<Verifier>& expected);

// What a witness keeps: which log it watches and the last checkpoint it believed. As text, the
// verifier key on the first line and the note from the second on.
struct KeptCheckpoint {
  Verifier key;
  std::string note;
};
std::string encode(const KeptCheckpoint& kept);
// Also says whether the note is one of that key's. kMalformed or kUnauthorized.
Result<KeptCheckpoint> parse_kept(std::string_view text);

// The checkpoint of `note`, which `proof` shows to be a continuation of what was kept.
// kUnauthorized for a note of another log or key; kConflict, with a sentence, where history was
// rewritten.
Result<Checkpoint> check_growth(const KeptCheckpoint& kept, std::string_view note,
                                const std::vector<crypto::MerkleHash>& proof);

}  // namespace signet::audit
