// The log as whoever checks it reads it: entries, notes, verifier keys, exports and proofs. What is
// taken is the only text for what it says, and proofs end for any sizes. The first byte of the
// input says what the rest is; the key is a known one, so that true signatures are seeds.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "audit/export.h"
#include "audit/proof.h"

namespace {

using namespace signet;

void check(bool holds) {
  if (!holds) std::abort();
}

const crypto::PublicKey& key() {
  static const crypto::PublicKey known =
      crypto::SecretKey::from_seed(std::array<unsigned char, 32>{1}).public_key();
  return known;
}

void fuzz_entry(std::string_view text) {
  const Result<audit::Entry> entry = audit::parse_entry(text);
  if (entry.ok()) check(audit::encode(*entry) == text && text.size() <= audit::kMostEntryBytes);
}

// Any draft makes a line that is read, whatever is in it.
void fuzz_draft(std::string_view text) {
  audit::Entry entry;
  const std::size_t third = text.size() / 3;
  entry.what.subject = text.substr(0, third);
  entry.what.code = text.substr(third, third);
  entry.what.by = text.substr(2 * third);
  entry.what.event = static_cast<audit::Event>(text.size() % audit::kEvents);
  std::array<std::int64_t, 3> numbers{};
  std::memcpy(numbers.data(), text.data(), std::min(text.size(), sizeof numbers));
  entry.at = {numbers[0]};
  entry.what.mesh = {numbers[1]};
  entry.what.count = numbers[2];
  const std::string line = audit::encode(entry);
  check(line.size() <= audit::kMostEntryBytes && line.find('\n') == std::string::npos);
  fuzz_entry(line);
  check(audit::parse_entry(line).ok());
}

void fuzz_note(std::string_view text) {
  const Result<audit::Checkpoint> opened = audit::open_checkpoint(text, key());
  if (opened.ok()) check(audit::is_origin(opened->origin) && text.starts_with(opened->origin));
}

void fuzz_verifier(std::string_view text) {
  const Result<audit::Verifier> verifier = audit::parse_verifier_key(text);
  if (verifier.ok()) check(audit::verifier_key(verifier->origin, verifier->key) == text);
}

void fuzz_proof(std::string_view text) {
  const Result<audit::ProvenEntry> proven = audit::check_proof(text, std::nullopt);
  if (proven.ok()) check(audit::parse_entry(proven->line).ok());
  const Result<audit::KeptCheckpoint> kept = audit::parse_kept(text);
  if (kept.ok()) check(audit::encode(*kept) == text);
}

// Two sizes, then hashes. Nothing that a proof of few bytes says leads to a root of others.
void fuzz_tree(std::string_view text) {
  std::array<std::uint64_t, 2> sizes{};
  if (text.size() < sizeof sizes) return;
  std::memcpy(sizes.data(), text.data(), sizeof sizes);
  text.remove_prefix(sizeof sizes);
  std::vector<crypto::MerkleHash> hashes;
  for (; text.size() >= sizeof(crypto::MerkleHash);
       text.remove_prefix(sizeof(crypto::MerkleHash))) {
    crypto::MerkleHash hash;
    std::memcpy(hash.data(), text.data(), hash.size());
    hashes.push_back(hash);
  }
  const crypto::MerkleHash other = crypto::merkle_leaf({});
  check(!crypto::verify_inclusion(other, sizes[0], sizes[1], hashes, crypto::merkle_empty()));
  const bool same = sizes[0] == sizes[1] && sizes[0] != 0 && hashes.empty();
  check(crypto::verify_consistency(sizes[0], other, sizes[1], other, hashes) == same);
}

// A checked export gives the same answer fed again, and none with a line more.
void fuzz_export(std::string_view text) {
  audit::ExportVerifier verifier(audit::Expected{});
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    lines.push_back(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(text.size(), lines.back().size() + 1));
    if (!verifier.add(lines.back()).ok()) break;
  }
  const Result<audit::Checkpoint> checkpoint = verifier.finish();
  if (!checkpoint.ok()) return;
  check(checkpoint->entries == lines.size() - 2);
  audit::ExportVerifier again({verifier.facts().key, {}});
  for (const std::string_view line : lines) check(again.add(line).ok());
  check(again.finish().ok() && !again.add("").ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'e':
      fuzz_entry(text);
      break;
    case 'd':
      fuzz_draft(text);
      break;
    case 'n':
      fuzz_note(text);
      break;
    case 'v':
      fuzz_verifier(text);
      break;
    case 'p':
      fuzz_proof(text);
      break;
    case 't':
      fuzz_tree(text);
      break;
    default:
      fuzz_export(text);
  }
  return 0;
}
