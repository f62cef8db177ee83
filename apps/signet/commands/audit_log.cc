#include "signet/commands/audit_log.h"

#include <algorithm>
#include <utility>

#include "signet/terminal/failure.h"

namespace signet::cli {
namespace {

Error no_log(std::string_view what) {
  return failure(ErrorCode::kUnavailable, "no_broker",
                 "what answers there shows no " + std::string(what) + " of a Signet log");
}

}  // namespace

Error log_broken(const Error& error) {
  return failure(ErrorCode::kForbidden, "log_not_intact", error.detail,
                 "Keep everything as it is, and what you were told: docs/audit.md says what it "
                 "can mean.");
}

Result<audit::Verifier> AuditLog::key() const {
  SIGNET_TRY(const std::string text, api_.get_text("/audit/key"));
  const auto key = audit::parse_verifier_key(std::string_view(text).substr(0, text.find('\n')));
  if (!key.ok()) return no_log("key");
  return *key;
}

Result<std::string> AuditLog::note() const { return api_.get_text("/audit/checkpoint"); }

Result<std::vector<AuditLog::Line>> AuditLog::entries(std::optional<std::uint64_t> from,
                                                      std::size_t limit) const {
  std::string path = "/audit/entries?limit=" + std::to_string(limit);
  if (from) path += "&from=" + std::to_string(*from);
  SIGNET_TRY(const std::string text, api_.get_text(path));
  std::vector<Line> lines;
  for (std::string_view rest = text; !rest.empty();) {
    std::string line(rest.substr(0, rest.find('\n')));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    auto entry = audit::parse_entry(line);
    if (!entry.ok() || lines.size() == limit) return no_log("entry");
    lines.push_back({std::move(line), *std::move(entry)});
  }
  return lines;
}

Result<std::vector<crypto::MerkleHash>> AuditLog::inclusion(std::uint64_t entry,
                                                            std::uint64_t entries) const {
  return hashes("/audit/inclusion?entry=" + std::to_string(entry) +
                "&entries=" + std::to_string(entries));
}

Result<std::vector<crypto::MerkleHash>> AuditLog::consistency(std::uint64_t from,
                                                              std::uint64_t to) const {
  return hashes("/audit/consistency?from=" + std::to_string(from) + "&to=" + std::to_string(to));
}

Result<std::vector<crypto::MerkleHash>> AuditLog::hashes(const std::string& path) const {
  SIGNET_TRY(const auto answer, api_.get(path));
  const wire::JsonValue list = answer.root()["hashes"];
  std::vector<crypto::MerkleHash> hashes;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto hash = audit::hash_from_base64(list[i].string().value_or(""));
    if (!hash) return no_log("proof");
    hashes.push_back(*hash);
  }
  return hashes;
}

}  // namespace signet::cli
