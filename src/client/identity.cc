#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/encoding.h"
#include "client/identity_access.h"
#include "crypto/compare.h"
#include "crypto/random.h"
#include "crypto/wipe.h"

namespace signet {
namespace {

constexpr std::size_t kSeedDigits = 64;
constexpr std::size_t kSecretKeyDigits = 128;  // seed and public key, as libsodium keeps them
constexpr std::size_t kMaxKeyFileBytes = 1'024;

Error bad_key(std::string_view sentence) {
  return {ErrorCode::kMalformed, "bad_key: " + std::string(sentence)};
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  int number() const { return number_; }

 private:
  const int number_;
};

Status check_rights(const struct stat& facts, const std::string& path) {
  if (!S_ISREG(facts.st_mode)) return bad_key(path + " is no file");
  if ((facts.st_mode & 077) == 0) return Done{};
  return Error{ErrorCode::kForbidden, "key_file_readable: others may read " + path +
                                          "; say: chmod 600 " + path +
                                          " and take a new key if somebody did"};
}

Result<std::string> read_key_file(const std::string& path) {
  // Not blocking: a pipe that nobody writes to would never open.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file.number() < 0) {
    const bool missing = errno == ENOENT;
    return Error{missing ? ErrorCode::kNotFound : ErrorCode::kForbidden,
                 std::string(missing ? "file_missing: " : "key_file_unreadable: ") + path + ": " +
                     std::strerror(errno)};
  }
  struct stat facts {};
  if (fstat(file.number(), &facts) != 0) return bad_key(path + " can't be looked at");
  SIGNET_TRY([[maybe_unused]] const Done safe, check_rights(facts, path));
  std::array<char, kMaxKeyFileBytes> bytes{};
  const ssize_t got = read(file.number(), bytes.data(), bytes.size());
  std::string text(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  explicit_bzero(bytes.data(), bytes.size());
  if (text.size() == kMaxKeyFileBytes) {  // and more, perhaps
    crypto::wipe(text);
    return bad_key(path + " is too long for a key file");
  }
  while (!text.empty() && std::string_view("\r\n ").find(text.back()) != std::string_view::npos) {
    text.pop_back();
  }
  return text;
}

}  // namespace

std::string_view code_of(const Error& error) {
  return std::string_view(error.detail).substr(0, error.detail.find(':'));
}

Identity::Identity(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Identity::Identity(Identity&&) noexcept = default;
Identity& Identity::operator=(Identity&&) noexcept = default;
Identity::~Identity() = default;

Identity Identity::generate() {
  crypto::initialize();
  return Identity(std::make_unique<Impl>(crypto::SecretKey::generate()));
}

Result<Identity> Identity::from_hex(std::string_view secret) {
  crypto::initialize();
  if (secret.size() != kSeedDigits && secret.size() != kSecretKeyDigits) {
    return bad_key("a secret key has 64 or 128 hex digits");
  }
  std::array<unsigned char, 32> seed{};
  const bool read = signet::from_hex(secret.substr(0, kSeedDigits), seed);
  if (!read) return bad_key("a secret key is written in hex digits");
  auto key = crypto::SecretKey::from_seed(seed);
  crypto::wipe(seed);
  if (secret.size() == kSecretKeyDigits) {
    const auto said = crypto::public_key_from_hex(secret.substr(kSeedDigits));
    if (said != key.public_key()) return bad_key("its two halves do not belong together");
  }
  return Identity(std::make_unique<Impl>(std::move(key)));
}

Result<Identity> Identity::from_file(const std::string& path) {
  SIGNET_TRY(std::string text, read_key_file(path));
  const crypto::WipedAtEnd wiped(text);
  return Identity::from_hex(text);
}

const std::string& Identity::public_key() const { return impl_->public_text; }

std::string Identity::seed_hex() const {
  auto seed = impl_->key.seed();
  std::string text = to_hex(seed);
  crypto::wipe(seed);
  return text;
}

}  // namespace signet
