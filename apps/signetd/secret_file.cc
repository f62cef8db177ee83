#include "signetd/secret_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "config/secret.h"
#include "crypto/random.h"
#include "crypto/wipe.h"

namespace signet {
namespace {

constexpr std::size_t kSecretBytes = 32;

// Whole or not at all: a crash between the two steps leaves a file that is only a left-over.
Status write_new(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  const int file = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  std::string line = text + "\n";
  const bool written = file >= 0 &&
                       write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
                       fsync(file) == 0;
  crypto::wipe(line);
  if (file >= 0) close(file);
  if (!written || rename(fresh.c_str(), path.c_str()) != 0) {
    return Error{ErrorCode::kUnavailable, path + ": " + std::strerror(errno)};
  }
  return Done{};
}

Status secret_bytes(const std::string& path, std::array<unsigned char, kSecretBytes>& bytes) {
  SIGNET_TRY(std::string hex, secret_text(path));
  const bool good = from_hex(hex, bytes);
  crypto::wipe(hex);
  return good ? Status(Done{}) : Error{ErrorCode::kMalformed, path + ": no key"};
}

}  // namespace

Result<std::string> secret_text(const std::string& path) {
  std::string text;
  const Status read = config::read_secret(path, text);
  if (read.ok() && !text.empty()) return text;
  if (!read.ok() && read.error().code != ErrorCode::kNotFound) return read.error();
  text = crypto::random_hex(kSecretBytes);
  SIGNET_TRY([[maybe_unused]] const Done written, write_new(path, text));
  return text;
}

Result<crypto::SecretKey> secret_key(const std::string& path) {
  std::array<unsigned char, kSecretBytes> seed{};
  SIGNET_TRY([[maybe_unused]] const Done read, secret_bytes(path, seed));
  auto key = crypto::SecretKey::from_seed(seed);
  crypto::wipe(seed);
  return key;
}

Result<crypto::RelaySecretKey> relay_key(const std::string& path) {
  std::array<unsigned char, kSecretBytes> bytes{};
  SIGNET_TRY([[maybe_unused]] const Done read, secret_bytes(path, bytes));
  auto key = crypto::RelaySecretKey::from_bytes(bytes);
  crypto::wipe(bytes);
  return key;
}

}  // namespace signet
