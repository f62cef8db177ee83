#include "crypto/relay_box.h"

#include <sodium.h>

#include <algorithm>
#include <iterator>
#include <tuple>

#include "base/encoding.h"
#include "crypto/random.h"
#include "crypto/wipe.h"

namespace signet::crypto {
namespace {

static_assert(crypto_box_PUBLICKEYBYTES == std::tuple_size_v<RelayKey>);
static_assert(crypto_box_SECRETKEYBYTES == 32 && crypto_box_BEFORENMBYTES == 32);
static_assert(crypto_secretbox_KEYBYTES == 32 && crypto_secretbox_MACBYTES == 16);
static_assert(crypto_secretbox_NONCEBYTES == std::tuple_size_v<BoxNonce>);

// Lower-case hex.
constexpr std::string_view kPublishedSamples[] = {
    // protocol/securewebsocket.md, "Vectors": client, server, a seed of letters, its peer.
    "bb723944cc38d50a41b6f51ca2001973f3798776024c755620957ec253578055",
    "28e89915c12c973715a7ae570ef643d0a89aed53051a0b410eaed014aa838441",
    "416d7bab4867671cc6c8f3634e85eda81882bdccb1300f68f596f3c0c3b38b0d",
    "24062bc2356bbde16f8760cf5d052db0aa464ee14cdeab42d49935607fe77e48",
    // RFC 7748, section 6.1: Alice and Bob.
    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
    "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
    // Secrets that count: 00..1f, 01..20, ff..e0.
    "8f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f",
    "07a37cbc142093c8b755dc1b10e86cb426374ad16aa853ed0bdfc0b2b86d1c7c",
    "3ebcb692149344dc54e58160cf90bed9eea1dd14e81c8e91de557af7d7afd915",
    // Secrets of one repeated byte, the same as of crypto/sign.cc: 00, 01, 02, 03, 04, 05, 07, 11,
    // 22, 2a, '0', 'A', 'B', 55, 'a', aa, ff.
    "2fe57da347cd62431528daac5fbb290730fff684afc4cfc2ed90995f58cb3b74",
    "a4e09292b651c278b9772c569f5fa9bb13d906b46ab68c9df9dc2b4409f8a209",
    "ce8d3ad1ccb633ec7b70c17814a5c76ecd029685050d344745ba05870e587d59",
    "5dfedd3b6bd47f6fa28ee15d969d5bb0ea53774d488bdaf9df1c6e0124b3ef22",
    "ac01b2209e86354fb853237b5de0f4fab13c7fcbf433a61c019369617fecf10b",
    "50a61409b1ddd0325e9b16b700e719e9772c07000b1bd7786e907c653d20495d",
    "13be4feaeaf204c7fd3358fc9c00721881d174278128227ec674f37f7fe97b6d",
    "7b4e909bbe7ffe44c465a220037d608ee35897d31ef972f07f74892cb0f73f13",
    "0faa684ed28867b97f4a6a2dee5df8ce974e76b7018e3f22a1c4cf2678570f20",
    "07aaff3e9fc167275544f4c3a6a17cd837f2ec6e78cd8a57b1e3dfb3cc035a76",
    "e50c239bc204f1341664c9d9c50c6a0d0fff6fc79d9301f1e713aab2e0344b3f",
    "7a1a4e709bf085ac494aba0469b9b1eda0ab1f78b16aabb79ffeda90623e8522",
    "132c442be010fbd57e72603328aa76e71fccc1503aae219327d14d9c9993f472",
    "38ab664bd86f77d7e66bdd9ae0792913a94fd8b33a1260027e4b46c1f4884c67",
    "4049502db92ca2342c3f92dac5d6de7c85db5df5407a5b4996ce39f2efb7e827",
    "14ca9e4d387bccf35746e0407daaacc6b28a4f8445ef5a5158894db983e24070",
    "847c0d2c375234f365e660955187a3735a0f7613d1609d3a6a4d8c53aeaa5a22",
};

}  // namespace

std::optional<RelayKey> relay_key_from(std::string_view text) {
  const auto bytes = from_any_base64(text);
  RelayKey key{};
  if (!bytes || bytes->size() != key.size()) return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), key.begin());
  return key;
}

std::string relay_key_text(const RelayKey& key) { return to_base64url(key); }

bool is_canonical(const RelayKey& key) {
  // Little-endian and below 2^255 - 19, which is ed ff … ff 7f.
  if (key[31] != 0x7F) return key[31] < 0x7F;
  const bool all_set = std::all_of(key.begin() + 1, key.begin() + 31,
                                   [](unsigned char byte) { return byte == 0xFF; });
  return !all_set || key[0] < 0xED;
}

bool is_published_sample(const RelayKey& key) {
  const bool one_byte =
      std::all_of(key.begin(), key.end(), [&](unsigned char byte) { return byte == key.front(); });
  const std::string hex = to_hex(key);
  return one_byte || std::find(std::begin(kPublishedSamples), std::end(kPublishedSamples), hex) !=
                         std::end(kPublishedSamples);
}

RelaySecretKey RelaySecretKey::generate() {
  RelaySecretKey key;
  random_bytes({key.secret_.data(), key.secret_.size()});
  crypto_scalarmult_base(key.public_.data(), key.secret_.data());
  return key;
}

RelaySecretKey RelaySecretKey::from_bytes(const std::array<unsigned char, 32>& secret) {
  RelaySecretKey key;
  std::copy(secret.begin(), secret.end(), key.secret_.data());
  crypto_scalarmult_base(key.public_.data(), key.secret_.data());
  return key;
}

std::array<unsigned char, 32> RelaySecretKey::reveal() const {
  std::array<unsigned char, 32> copy{};
  std::copy_n(secret_.data(), copy.size(), copy.begin());
  return copy;
}

Result<RelayBox> RelayBox::between(const RelaySecretKey& mine, const RelayKey& theirs) {
  RelayBox box;
  if (crypto_box_beforenm(box.shared_.data(), theirs.data(), mine.secret_.data()) != 0) {
    return Error{ErrorCode::kForbidden, "key agrees on nothing"};
  }
  return box;
}

RelayBox::RelayBox(RelayBox&& other) noexcept : shared_(other.shared_) { wipe(other.shared_); }

RelayBox& RelayBox::operator=(RelayBox&& other) noexcept {
  if (this == &other) return *this;
  shared_ = other.shared_;
  wipe(other.shared_);
  return *this;
}

RelayBox::~RelayBox() { wipe(shared_); }

std::string RelayBox::seal(std::string_view plaintext, const BoxNonce& nonce) const {
  std::string sealed(plaintext.size() + crypto_secretbox_MACBYTES, '\0');
  crypto_secretbox_easy(reinterpret_cast<unsigned char*>(sealed.data()), bytes_of(plaintext).data(),
                        plaintext.size(), nonce.data(), shared_.data());
  return sealed;
}

std::optional<std::string> RelayBox::open(std::string_view ciphertext,
                                          const BoxNonce& nonce) const {
  if (ciphertext.size() < crypto_secretbox_MACBYTES) return std::nullopt;
  std::string plaintext(ciphertext.size() - crypto_secretbox_MACBYTES, '\0');
  const int failed = crypto_secretbox_open_easy(reinterpret_cast<unsigned char*>(plaintext.data()),
                                                bytes_of(ciphertext).data(), ciphertext.size(),
                                                nonce.data(), shared_.data());
  if (failed != 0) return std::nullopt;
  return plaintext;
}

}  // namespace signet::crypto
