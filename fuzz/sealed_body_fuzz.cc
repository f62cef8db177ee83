// Bodies as a broker may push them: every push gets one verdict; nothing is shown as sealed but
// what a member sealed here, to this place and under this nonce; nothing is shown at all from the
// own key, of another mesh, or to a member unless a box opened.
//   input: what to change (4 bytes: kind of body, field, position, xor), then the text to seal or
//   the fields themselves, split at NUL bytes
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "client/safety_number.h"
#include "client/sealing.h"
#include "wire/utf8.h"

namespace {

using namespace signet;
using namespace signet::client;
using crypto::ChannelKey;
using crypto::ChannelKeyId;
using crypto::ChannelScope;
using crypto::SecretKey;

constexpr std::string_view kMesh = "mesh-1", kTarget = "#ops";

void check(bool holds) {
  if (!holds) std::abort();
}

struct Members {
  SecretKey ada = SecretKey::from_seed({1}), bob = SecretKey::from_seed({2});
  std::string ada_hex = crypto::to_hex(ada.public_key());
  std::string bob_hex = crypto::to_hex(bob.public_key());
  Sealing from_ada{std::string(kMesh), ada}, at_bob{std::string(kMesh), bob};
};
Members& members() {
  static Members made;
  return made;
}

ChannelKey key_in(const ChannelScope& scope) { return ChannelKey::from_bytes({3}, scope); }

// Bob has the key of whoever is said to send, wherever it is said to go.
std::optional<ChannelKey> key_of(const ChannelScope& scope, const ChannelKeyId& id) {
  auto key = key_in(scope);
  if (key.id() != id) return std::nullopt;
  return key;
}

// What of a push may change without making it another one.
struct Push {
  std::string mesh, sender, target, nonce, ciphertext;
  bool operator==(const Push&) const = default;
  PushedBody view() const { return {mesh, sender, target, nonce, ciphertext}; }
};

bool is_shown(const Opened& opened) { return opened.text() != nullptr; }

// Holds for whatever a broker pushes. `honest`: what a member sealed last, null where nothing was.
void check_verdict(const Push& push, const Push* honest, std::string_view sealed_text) {
  Members& m = members();
  const Opened opened = m.at_bob.open(push.view(), key_of);
  const Opened again = m.at_bob.open(push.view(), key_of);
  check(opened.body.index() == again.body.index() && opened.why() == again.why());
  check(is_shown(opened) + !opened.why().empty() + std::holds_alternative<KeyGrant>(opened.body) +
            std::holds_alternative<KeyRequest>(opened.body) ==
        1);
  if (is_shown(opened)) {
    check(wire::is_utf8(*opened.text()) && !begins_as_key_message(*opened.text()));
    check(opened.sender != m.bob.public_key());
    check(push.mesh.empty() || push.mesh == kMesh);
    check(opened.is_sealed() || is_audience(push.target));
    check(opened.is_sealed() || !opened.text()->starts_with("SGC1"));
  }
  if (!opened.is_sealed()) return;
  check(honest != nullptr && *opened.text() == sealed_text);
  // In a key's hex case is free, and a box needs no target and no mesh; all else is as it was.
  check(push.nonce == honest->nonce && push.ciphertext == honest->ciphertext);
  check(crypto::public_key_from_hex(push.sender) == crypto::public_key_from_hex(honest->sender));
  check(!is_audience(honest->target) || push.target == honest->target);
}

// The fields that the fuzzer wrote.
void check_written(std::string_view fields) {
  Push push;
  for (std::string* field :
       {&push.target, &push.mesh, &push.sender, &push.nonce, &push.ciphertext}) {
    const std::size_t end = std::min(fields.find('\0'), fields.size());
    *field = fields.substr(0, end);
    fields.remove_prefix(std::min(end + 1, fields.size()));
  }
  check_verdict(push, nullptr, {});
  push.sender = members().ada_hex;
  check_verdict(push, nullptr, {});
  push.sender = members().bob_hex;
  check(members().at_bob.open(push.view(), key_of).why() == "reflected");
}

void check_key_message(std::string_view text) {
  const auto read = read_key_message(text, kMesh, members().ada.public_key());
  if (!read.ok()) return;
  check(std::visit([](const auto& kind) { return write_key_message(kind); }, *read) == text);
  check(begins_as_key_message(text));
}

// The key message in a box, sound or as the fuzzer wrote it.
void check_in_a_box(std::string_view text) {
  Members& m = members();
  const auto box = crypto::DirectBox::between(m.ada, m.bob.public_key());
  const crypto::BoxNonce nonce{9};
  const Push push{std::string(kMesh), m.ada_hex, m.bob_hex, to_base64(nonce),
                  to_base64(bytes_of(box->seal(text, nonce)))};
  const Opened opened = m.at_bob.open(push.view(), key_of);
  const bool is_text = wire::is_utf8(text) && !begins_as_key_message(text);
  check(is_shown(opened) == is_text && opened.is_sealed() == is_text);
  const bool is_key = std::holds_alternative<KeyGrant>(opened.body) ||
                      std::holds_alternative<KeyRequest>(opened.body);
  check(is_key == read_key_message(text, kMesh, m.ada.public_key()).ok());
}

Push sealed(bool direct, std::string_view text) {
  Members& m = members();
  const auto key = key_in({kMesh, kTarget, m.ada.public_key()});
  const auto body = direct ? m.from_ada.direct(m.bob.public_key(), text)
                           : m.from_ada.to_audience(kTarget, key, text);
  check(body.ok() ==
        (wire::is_utf8(text) && !begins_as_key_message(text) && text.size() <= kMaxTextBytes));
  if (!body.ok()) return {};
  return {std::string(kMesh), m.ada_hex, direct ? m.bob_hex : std::string(kTarget), body->nonce,
          body->ciphertext};
}

// A sound body, one field of it changed.
void check_changed(std::span<const std::uint8_t> how, std::string_view text) {
  const Push honest = sealed(how[0] % 2 == 0, text);
  if (honest.sender.empty()) return;
  check(*members().at_bob.open(honest.view(), key_of).text() == text);
  Push push = honest;
  std::string* fields[] = {&push.mesh, &push.sender, &push.target, &push.nonce, &push.ciphertext};
  std::string& field = *fields[how[1] % 5];
  const std::size_t at = how[2] * field.size() / 256;
  if (how[3] == 0) {
    field.resize(at);
  } else {
    field[at] = static_cast<char>(field[at] ^ how[3]);
  }
  check_verdict(push, &honest, text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 4, size - 4);
  check_written(rest);
  check_key_message(rest);
  check_in_a_box(rest);
  check_changed({data, 4}, rest);
  return 0;
}
