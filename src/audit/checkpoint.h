// Checkpoint is the signed head of the log: how many entries, and the root over them. Its text is a
// C2SP tlog-checkpoint, a signed note (https://c2sp.org/tlog-checkpoint, /signed-note): anybody's
// tools can check it. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/merkle.h"
#include "crypto/sign.h"
#include "signet/result.h"

namespace signet::audit {

struct Checkpoint {
  std::string origin;  // which log; see is_origin()
  std::uint64_t entries = 0;
  crypto::MerkleHash root{};
  bool operator==(const Checkpoint&) const = default;
};

// Can this name a log? 1 to 255 visible ASCII characters, none of them '+'.
bool is_origin(std::string_view text);

// The note with one signature line; the key's name is the origin. REQUIRES: is_origin(origin).
std::string sign_checkpoint(const Checkpoint& checkpoint, const crypto::SecretKey& key);

// A note with as many witnesses as anybody has, each with a signature of the largest kind.
inline constexpr std::size_t kMostNoteBytes = 65'536;

// The checkpoint of a note that `key` signed under the note's own origin: who expects a certain log
// compares that as well. Takes further signature lines, of witnesses, and lines that extend the
// checkpoint, and ignores them. kMalformed for what is no checkpoint, kUnauthorized where no line
// is the key's or one that says so is false.
Result<Checkpoint> open_checkpoint(std::string_view note, const crypto::PublicKey& key);

// A hash as notes, proofs and the API have it: base64; nullopt for anything but 32 bytes.
std::optional<crypto::MerkleHash> hash_from_base64(std::string_view text);

// What people keep to check a log: "<origin>+<hash>+<base64 of 0x01 and the key>", the verifier key
// of the signed note.
std::string verifier_key(std::string_view origin, const crypto::PublicKey& key);
struct Verifier {
  std::string origin;
  crypto::PublicKey key;
  bool operator==(const Verifier&) const = default;
};
// Takes exactly what verifier_key() writes. kMalformed for anything else.
Result<Verifier> parse_verifier_key(std::string_view text);

}  // namespace signet::audit
