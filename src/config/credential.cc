#include "config/credential.h"

#include <algorithm>
#include <array>

namespace signet::config {
namespace {

constexpr std::string_view kScheme = "credential:";
constexpr std::size_t kLongestName = 255;  // of a file, NAME_MAX

// Beside every key that ends in _file.
constexpr std::array<std::string_view, 10> kFileKeys = {
    "certificate", "key",    "client_ca", "keys",       "webhook_ca",
    "file",        "routes", "policy",    "token_keys", "jobs_types"};

// Ends in _file as well, and is written.
constexpr std::string_view kWrittenKey = "status_file";

bool is_plain_name(std::string_view name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
  return plain && !name.empty() && name.size() <= kLongestName && name.front() != '.';
}

}  // namespace

bool names_file(const Setting& setting) {
  return setting.type == Type::kText && setting.key != kWrittenKey &&
         (setting.key.ends_with("_file") ||
          std::find(kFileKeys.begin(), kFileKeys.end(), setting.key) != kFileKeys.end());
}

Result<std::string> resolve_credential(std::string_view text, std::string_view folder) {
  if (!text.starts_with(kScheme)) return std::string(text);
  const std::string_view name = text.substr(kScheme.size());
  if (!is_plain_name(name)) {
    return Error{ErrorCode::kMalformed,
                 "a credential is named by A-Z, a-z, 0-9, '.', '_' and '-', not first a '.'"};
  }
  if (folder.empty()) {
    return Error{
        ErrorCode::kNotFound,
        "there are no credentials: CREDENTIALS_DIRECTORY is not set; systemd sets it for a "
        "service with LoadCredential="};
  }
  return std::string(folder) + "/" + std::string(name);
}

}  // namespace signet::config
