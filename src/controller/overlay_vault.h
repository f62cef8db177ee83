// OverlayVault seals what the overlay keeps before it goes to the store, and opens it at start: a
// copy of the database tells nothing of scores and keys.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crypto/state_box.h"
#include "overlay/epoch_keys.h"
#include "overlay/record.h"
#include "store/store.h"

namespace signet::controller {

// The kinds of its rows.
inline constexpr std::string_view kNodeRows = "node";
inline constexpr std::string_view kEpochRows = "epoch";    // one, named "state"
inline constexpr std::string_view kSecretRows = "secret";  // named by their epoch
inline constexpr std::string_view kRuleRows = "rule";      // named by the epoch that used it first
inline constexpr std::string_view kVerdictRows = "verdict";  // named by their node; behind "node"

inline constexpr std::string_view kQuorumRows = "quorum";        // one, named "state"
inline constexpr std::string_view kStatementRows = "statement";  // named by their serial

// Of one mesh. A row opens as that of its mesh, kind, name and version alone, so who writes to the
// disk can neither swap rows nor turn one back to an earlier text under a later version.
class OverlayVault {
 public:
  // `key`: 32 bytes of a file or the environment; it is copied, and wiped at the end.
  OverlayVault(const std::array<unsigned char, 32>& key, MeshNumber mesh);

  store::SealedRow seal(std::string_view kind, const std::string& name, std::uint64_t version,
                        std::string_view plain) const;
  // Wiped by the caller where it is a secret.
  std::optional<std::string> open(const store::SealedRow& row) const;

  // A submission as it was signed, so that a node can't deny it.
  store::SealedReport seal_report(const std::string& name, WallTime at,
                                  std::string_view plain) const;
  std::optional<std::string> open(const store::SealedReport& report) const;

 private:
  std::string place_of(std::string_view name, std::uint64_t version) const;

  crypto::StateBox box_;
  const MeshNumber mesh_;
};

}  // namespace signet::controller
