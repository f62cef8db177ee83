// Do branches or places in memory depend on secrets? Valgrind's memcheck tells: the secrets here
// are marked as memory that nobody wrote, and whatever decides by them is reported (the method of
// ctgrind). With the argument `control` it does decide by one, which must be reported.
#include <valgrind/memcheck.h>

#include <array>
#include <cstdio>
#include <string>
#include <string_view>

#include "crypto/compare.h"
#include "crypto/secret_base64.h"
#include "overlay/epoch_keys.h"

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
  std::printf("%d %d\n", static_cast<int>(same), static_cast<int>(is_it));
  const bool is_control = argc > 1 && std::string_view(argv[1]) == "control";
  if (is_control && bytes[3] == 'e') std::puts("the secret begins with a word");
  return same || is_it ? 1 : 0;
}
