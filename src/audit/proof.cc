#include "audit/proof.h"

#include <utility>

#include "base/encoding.h"
#include "wire/json.h"

namespace signet::audit {
namespace {

constexpr std::int64_t kVersion = 1;
constexpr std::size_t kMostPath = 64;  // levels of the largest tree whose size is a number
constexpr std::size_t kMostProofBytes = 8 * kMostNoteBytes;

Error fault(ErrorCode code, std::string sentence) { return {code, std::move(sentence)}; }

std::string_view or_nothing(std::optional<std::string_view> text) { return text.value_or(""); }

// The checkpoint of a note of this very log.
Result<Checkpoint> open_of(const Verifier& key, std::string_view note) {
  Result<Checkpoint> checkpoint = open_checkpoint(note, key.key);
  if (!checkpoint.ok()) {
    return fault(checkpoint.error().code,
                 checkpoint.error().code == ErrorCode::kUnauthorized
                     ? "The checkpoint is not signed by the log's key."
                     : "This is no checkpoint (" + checkpoint.error().detail + ").");
  }
  if (checkpoint->origin != key.origin) {
    return fault(ErrorCode::kUnauthorized, "The checkpoint is of another log.");
  }
  return checkpoint;
}

Result<EntryProof> read_proof(std::string_view text) {
  const auto no_proof = [] {
    return fault(ErrorCode::kMalformed, "This is no proof of an entry.");
  };
  wire::JsonDocument document;
  if (text.size() > kMostProofBytes || !document.parse(text).ok()) return no_proof();
  const wire::JsonValue root = document.root();
  const Result<Verifier> key = parse_verifier_key(or_nothing(root["key"].string()));
  const wire::JsonValue path = root["path"];
  if (!key.ok() || path.size() > kMostPath) return no_proof();
  EntryProof proof{*key,
                   std::string(root["entry"].raw()),
                   {},
                   std::string(or_nothing(root["checkpoint"].string()))};
  for (std::size_t i = 0; i < path.size(); ++i) {
    const auto hash = hash_from_base64(or_nothing(path[i].string()));
    if (!hash) return no_proof();
    proof.path.push_back(*hash);
  }
  if (encode(proof) != text) return no_proof();
  return proof;
}

}  // namespace

std::string encode(const EntryProof& proof) {
  wire::JsonWriter writer;
  writer.object().key("signet-proof").value(kVersion);
  writer.key("key").value(verifier_key(proof.key.origin, proof.key.key));
  writer.key("entry").raw(proof.entry).key("path").array();
  for (const crypto::MerkleHash& hash : proof.path) writer.value(to_base64(hash));
  return writer.end().key("checkpoint").value(proof.note).end().take();
}

Result<ProvenEntry> check_proof(std::string_view text, const std::optional<Verifier>& expected) {
  SIGNET_TRY(EntryProof proof, read_proof(text));
  if (expected && *expected != proof.key) {
    return fault(ErrorCode::kUnauthorized, "The proof is of another log or key than the expected.");
  }
  SIGNET_TRY(Checkpoint checkpoint, open_of(proof.key, proof.note));
  const Result<Entry> entry = parse_entry(proof.entry);
  if (!entry.ok()) {
    return fault(ErrorCode::kMalformed,
                 "The entry is not one as the log writes it (" + entry.error().detail + ").");
  }
  const crypto::MerkleHash leaf = crypto::merkle_leaf(bytes_of(proof.entry));
  if (!crypto::verify_inclusion(leaf, entry->number, checkpoint.entries, proof.path,
                                checkpoint.root)) {
    return fault(ErrorCode::kConflict, "The entry is not in the log that was signed.");
  }
  return ProvenEntry{std::move(proof.key), std::move(proof.entry), std::move(checkpoint)};
}

std::string encode(const KeptCheckpoint& kept) {
  return verifier_key(kept.key.origin, kept.key.key) + "\n" + kept.note;
}

Result<KeptCheckpoint> parse_kept(std::string_view text) {
  const std::size_t line = text.find('\n');
  const Result<Verifier> key = parse_verifier_key(text.substr(0, line));
  if (line == std::string_view::npos || !key.ok()) {
    return fault(ErrorCode::kMalformed,
                 "A kept checkpoint begins with the log's verifier key on a line of its own.");
  }
  KeptCheckpoint kept{*key, std::string(text.substr(line + 1))};
  SIGNET_TRY([[maybe_unused]] const Checkpoint checkpoint, open_of(kept.key, kept.note));
  return kept;
}

Result<Checkpoint> check_growth(const KeptCheckpoint& kept, std::string_view note,
                                const std::vector<crypto::MerkleHash>& proof) {
  SIGNET_TRY(const Checkpoint old, open_of(kept.key, kept.note));
  SIGNET_TRY(Checkpoint checkpoint, open_of(kept.key, note));
  if (checkpoint.entries < old.entries) {
    return fault(ErrorCode::kConflict, "History was rewritten: the log once had " +
                                           std::to_string(old.entries) + " entries and now has " +
                                           std::to_string(checkpoint.entries) + ".");
  }
  if (!crypto::verify_consistency(old.entries, old.root, checkpoint.entries, checkpoint.root,
                                  proof)) {
    return fault(ErrorCode::kConflict,
                 "History was rewritten: nothing shows that the log's first " +
                     std::to_string(old.entries) +
                     " entries are those that the kept checkpoint was signed over.");
  }
  return checkpoint;
}

}  // namespace signet::audit
