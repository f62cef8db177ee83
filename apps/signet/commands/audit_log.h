// AuditLog is a broker's log as its operator's API shows it (docs/audit.md). Nothing that it
// answers is believed: notes and proofs are checked by whoever asks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/entry.h"
#include "crypto/merkle.h"
#include "signet/commands/operator_api.h"
#include "signet/result.h"

namespace signet::cli {

class AuditLog {
 public:
  explicit AuditLog(OperatorApi api) : api_(std::move(api)) {}

  // Each fails as OperatorApi does, and kUnavailable (no_broker) for what is none of a log.
  Result<audit::Verifier> key() const;
  Result<std::string> note() const;  // the signed head, newly made; not checked

  struct Line {
    std::string text;
    audit::Entry entry;
  };
  // From number `from` on, or the newest ones.
  Result<std::vector<Line>> entries(std::optional<std::uint64_t> from, std::size_t limit) const;

  Result<std::vector<crypto::MerkleHash>> inclusion(std::uint64_t entry,
                                                    std::uint64_t entries) const;
  Result<std::vector<crypto::MerkleHash>> consistency(std::uint64_t from, std::uint64_t to) const;

  static constexpr std::size_t kPage = 1'000;  // entries of one answer, at most

 private:
  Result<std::vector<crypto::MerkleHash>> hashes(const std::string& path) const;

  OperatorApi api_;
};

// The failure of a check: exit code 4. `sentence` is as the checks of src/audit write it.
Error log_broken(const Error& error);

}  // namespace signet::cli
