#include "controller/overlay_vault.h"

#include "crypto/fields.h"
#include "crypto/sign.h"

namespace signet::controller {
namespace {

constexpr std::string_view kReports = "report";

}  // namespace

OverlayVault::OverlayVault(const std::array<unsigned char, 32>& key, MeshNumber mesh)
    : box_(crypto::SecretKey::from_seed(key)), mesh_(mesh) {}

std::string OverlayVault::place_of(std::string_view name, std::uint64_t version) const {
  return crypto::joined_fields("signet/overlay/v1",
                               {std::to_string(mesh_.value), name, std::to_string(version)});
}

store::SealedRow OverlayVault::seal(std::string_view kind, const std::string& name,
                                    std::uint64_t version, std::string_view plain) const {
  return {std::string(kind), name, version, box_.seal(kind, place_of(name, version), plain)};
}

std::optional<std::string> OverlayVault::open(const store::SealedRow& row) const {
  return box_.open(row.kind, place_of(row.name, row.version), row.bytes);
}

store::SealedReport OverlayVault::seal_report(const std::string& name, WallTime at,
                                              std::string_view plain) const {
  const std::string place = place_of(name, static_cast<std::uint64_t>(at.ms));
  return {0, name, at, box_.seal(kReports, place, plain)};
}

std::optional<std::string> OverlayVault::open(const store::SealedReport& report) const {
  const std::string place = place_of(report.name, static_cast<std::uint64_t>(report.at.ms));
  return box_.open(kReports, place, report.bytes);
}

}  // namespace signet::controller
