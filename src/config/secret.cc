#include "config/secret.h"

#include <string.h>

#include "base/private_file.h"

namespace signet::config {
namespace {

constexpr std::size_t kMaxSecretBytes = 4'096;  // far above any token

}  // namespace

Status read_secret(const std::string& path, std::string& out) {
  SIGNET_TRY([[maybe_unused]] const Done read, read_private_file(path, kMaxSecretBytes, out));
  if (out.ends_with('\n')) out.pop_back();
  if (out.find('\n') == std::string::npos) return Done{};
  explicit_bzero(out.data(), out.size());
  out.clear();
  return Error{ErrorCode::kMalformed, path + ": has more than one line"};
}

}  // namespace signet::config
