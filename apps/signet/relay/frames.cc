#include "signet/relay/frames.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/own_nonces.h"
#include "crypto/wipe.h"
#include "dialects/simpatico.h"
#include "signet/terminal/failure.h"

namespace signet::cli {
namespace {

using crypto::RelayBox;
using wire::JsonKind;
using wire::JsonValue;
using wire::JsonWriter;

constexpr std::size_t kMaxChallengeText = 4'096;  // a welcome is a line

std::string_view text_in(JsonValue frame, std::string_view name) {
  return frame[name].string().value_or("");
}

std::optional<crypto::BoxNonce> nonce_from(std::string_view text) {
  const auto bytes = from_any_base64(text);
  crypto::BoxNonce nonce{};
  if (!bytes || bytes->size() != nonce.size()) return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), nonce.begin());
  return nonce;
}

// A box opens for both of its keys, so a relay can show a client its own as the other's. The nonce
// tells. Derived from the secret by BLAKE2b alone: its bytes sign nothing.
crypto::OwnNonces own_nonces(const crypto::RelaySecretKey& key) {
  auto seed = key.reveal();
  crypto::OwnNonces nonces(crypto::SecretKey::from_seed(seed));
  crypto::wipe(seed);
  return nonces;
}

// Whoever gets this text sealed under a friend's key has a message of that friend.
bool could_be_message(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{';
}

std::string write_frame(std::string_view type, const crypto::RelayKey& from, std::string_view to,
                        std::string_view nonce, std::string_view sealed) {
  JsonWriter frame;
  frame.object().key("type").value(type).key("from").value(crypto::relay_key_text(from));
  frame.key("to").value(to).key("nonce").value(nonce);
  return frame.key("message").value(to_base64url(bytes_of(sealed))).end().take();
}

// What is sealed in the frame. Fills in `why` where it is nothing to be shown.
void open_message(const crypto::RelaySecretKey& key, JsonValue frame, RelayMessage& message) {
  message.from = crypto::relay_key_from(text_in(frame, "from"));
  const auto nonce = nonce_from(text_in(frame, "nonce"));
  const auto sealed = from_any_base64(text_in(frame, "message"));
  if (crypto::relay_key_from(text_in(frame, "to")) != key.public_key()) {
    message.why = "misdirected";
    return;
  }
  if (message.from == key.public_key() || (nonce && own_nonces(key).is_own(*nonce))) {
    message.why = "reflected";
    return;
  }
  message.why = "does_not_open";
  if (!message.from || !crypto::is_canonical(*message.from) || !nonce || !sealed) return;
  const auto box = RelayBox::between(key, *message.from);
  auto opened = box.ok() ? box->open(*sealed, *nonce) : std::nullopt;
  if (!opened) return;
  wire::JsonDocument document;
  message.why = "not_json";
  if (!document.parse(*opened).ok() || !document.root().is(JsonKind::kObject)) return;
  message.why = "";
  if (const auto text = document.root()["text"].string()) message.text = std::string(*text);
  message.json = *std::move(opened);
}

}  // namespace

std::optional<RelayChallenge> read_challenge(JsonValue frame) {
  const auto server = crypto::relay_key_from(text_in(frame, "from"));
  const auto nonce = nonce_from(text_in(frame, "nonce"));
  const auto text = frame["challengeText"].string();
  if (text_in(frame, "type") != "CHALLENGE" || !server || !nonce || !text) return std::nullopt;
  if (!crypto::is_canonical(*server)) return std::nullopt;
  if (could_be_message(*text) || text->size() > kMaxChallengeText) return std::nullopt;
  return RelayChallenge{*server, *nonce, std::string(text_in(frame, "nonce")), std::string(*text)};
}

Result<std::string> answer_challenge(const RelayChallenge& challenge,
                                     const crypto::RelaySecretKey& key) {
  SIGNET_TRY(const RelayBox box, RelayBox::between(key, challenge.server));
  return write_frame("CHALLENGE_RESPONSE", key.public_key(),
                     crypto::relay_key_text(challenge.server), challenge.nonce_text,
                     box.seal(challenge.text, challenge.nonce));
}

Result<SealedEnvelope> seal_envelope(const crypto::RelaySecretKey& key, const crypto::RelayKey& to,
                                     std::string_view text) {
  SIGNET_TRY(const RelayBox box, RelayBox::between(key, to));
  const crypto::BoxNonce nonce = own_nonces(key).draw();
  SealedEnvelope sealed;
  sealed.nonce = to_base64url(nonce);
  const std::string json = JsonWriter().object().key("text").value(text).end().take();
  sealed.frame = write_frame("MESSAGE", key.public_key(), crypto::relay_key_text(to), sealed.nonce,
                             box.seal(json, nonce));
  if (sealed.frame.size() <= dialects::kMaxRelayFrameBytes) return sealed;
  return failure(ErrorCode::kMalformed, "text_too_long",
                 "the text is too long for one message of the relay",
                 "Send it in parts of at most 40,000 bytes.");
}

std::optional<RelayMessage> open_envelope(const crypto::RelaySecretKey& key,
                                          std::string_view frame) {
  wire::JsonDocument document;
  if (!document.parse(frame).ok()) return std::nullopt;
  if (text_in(document.root(), "type") != "MESSAGE" || document.root()["error"]) {
    return std::nullopt;
  }
  RelayMessage message;
  open_message(key, document.root(), message);
  return message;
}

std::optional<std::string> read_receipt(std::string_view frame, std::string_view nonce) {
  wire::JsonDocument document;
  if (!document.parse(frame).ok() || text_in(document.root(), "nonce") != nonce) {
    return std::nullopt;
  }
  if (const auto error = document.root()["error"].string()) return std::string(*error);
  if (text_in(document.root(), "type") == "MESSAGE_DELIVERED") return std::string();
  return std::nullopt;
}

}  // namespace signet::cli
