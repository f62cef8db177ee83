// Do branches or places in memory depend on secrets? Valgrind's memcheck tells: the secrets here
// are marked as memory that nobody wrote, and whatever decides by them is reported (the method of
// ctgrind). With the argument `control` it does decide by one, which must be reported.
#include <valgrind/memcheck.h>

#include <array>
#include <cstdio>
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "crypto/compare.h"
#include "crypto/mac.h"
#include "crypto/secret_base64.h"
#include "overlay/epoch_keys.h"
#include "trust/secret_hello.h"

namespace {

using namespace signet;

template <class Bytes>
std::string_view hidden(Bytes& bytes) {
  VALGRIND_MAKE_MEM_UNDEFINED(bytes.data(), bytes.size());
  return {bytes.data(), bytes.size()};
}

// What is told to others anyway is no secret any more.
template <class Value>
Value told(Value value) {
  VALGRIND_MAKE_MEM_DEFINED(&value, sizeof value);
  return value;
}

// The handshake of PulseMesh under a secret that nobody wrote, by a claim that shows it and by one
// that does not.
bool tells_claims_apart() {
  trust::SecretClaim claim;
  claim.source = "a";
  claim.spaced = R"({"source": "a"})";
  claim.compact = R"({"source":"a"})";
  std::string secret = "the secret that a source shares with its mesh";
  const std::string good = to_hex(crypto::hmac_sha256(secret, claim.spaced));
  const std::string bad = to_hex(crypto::hmac_sha256("another secret", claim.spaced));
  const std::string_view unwritten = hidden(secret);
  claim.signature = good;
  const bool shows = told(trust::shows_secret(claim, unwritten, true));
  claim.signature = bad;
  return shows && !told(trust::shows_secret(claim, unwritten, true));
}

}  // namespace

int main(int argc, char** argv) {
  std::string bytes = "a secret of the epoch: 32 bytes.";
  const auto secret = overlay::EpochSecret::of(hidden(bytes));
  overlay::WireGuardKey one{};
  overlay::WireGuardKey other{};
  one.fill(1);
  other.fill(2);
  const auto of_pair = overlay::psk_of_pair(secret, 7, one, other).base64();
  const auto of_node = overlay::psk_of_node(secret, "node-a").base64();
  std::string token = "what a client shows, which may be right up to its last letter";
  std::string kept = token;
  kept.back() = '!';
  const bool same = told(crypto::equal_secrets(of_pair.text(), of_node.text()));
  const bool is_it = told(crypto::equal_secrets(hidden(token), hidden(kept)));
  const bool apart = tells_claims_apart();
  std::printf("%d %d %d\n", static_cast<int>(same), static_cast<int>(is_it),
              static_cast<int>(apart));
  const bool is_control = argc > 1 && std::string_view(argv[1]) == "control";
  if (is_control && bytes[3] == 'e') std::puts("the secret begins with a word");
  return same || is_it || !apart ? 1 : 0;
}
