#include "trust/challenge.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "base/encoding.h"
#include "crypto/compare.h"
#include "crypto/random.h"

namespace signet::trust {
namespace {

using crypto::BoxNonce;
using crypto::RelayBox;
using crypto::RelayKey;

constexpr std::size_t kSecretBytes = 32;  // of each text, so that no answer fits two challenges

std::optional<BoxNonce> nonce_from(std::string_view text) {
  const auto bytes = from_any_base64(text);
  BoxNonce nonce{};
  if (!bytes || bytes->size() != nonce.size()) return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), nonce.begin());
  return nonce;
}

}  // namespace

IssuedChallenge issue_challenge(WallTime now) {
  IssuedChallenge issued;
  crypto::random_bytes(issued.nonce);
  std::array<unsigned char, kSecretBytes> secret{};
  crypto::random_bytes(secret);
  issued.text = "Welcome to the relay. It is " + iso8601(now) +
                ". Seal this text to prove your key: " + to_base64url(secret);
  return issued;
}

std::variant<RelayKey, RegisterRefusal> check_response(const ChallengeClaim& claim,
                                                       const IssuedChallenge& issued,
                                                       const crypto::RelaySecretKey& server,
                                                       bool allow_sample_keys) {
  const auto from = crypto::relay_key_from(claim.from);
  const auto to = crypto::relay_key_from(claim.to);
  const auto nonce = nonce_from(claim.nonce);
  const auto sealed = from_any_base64(claim.message);
  if (!from || !to || !nonce || !sealed) return RegisterRefusal::kMalformed;
  if (*to != server.public_key()) return RegisterRefusal::kWrongServer;
  if (*nonce != issued.nonce) return RegisterRefusal::kWrongNonce;
  const bool is_sample = !allow_sample_keys && crypto::is_published_sample(*from);
  if (is_sample || !crypto::is_canonical(*from)) return RegisterRefusal::kBadKey;
  const auto box = RelayBox::between(server, *from);
  if (!box.ok()) return RegisterRefusal::kBadKey;
  const auto text = box->open(*sealed, issued.nonce);
  if (!text) return RegisterRefusal::kBadResponse;
  if (!crypto::equal_secrets(*text, issued.text)) return RegisterRefusal::kWrongText;
  return *from;
}

}  // namespace signet::trust
