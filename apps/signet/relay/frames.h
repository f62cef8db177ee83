// The client's side of SecureWebSocket: a challenge becomes a response, a value an envelope, and
// back. Pure but for the nonces. Format: protocol/securewebsocket.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crypto/relay_box.h"
#include "signet/result.h"
#include "wire/json.h"

namespace signet::cli {

// A server's challenge; what stands in it is only its sender's word.
struct RelayChallenge {
  crypto::RelayKey server{};
  crypto::BoxNonce nonce{};
  std::string nonce_text;
  std::string text;
};

// nullopt: no challenge, or one that a client of Signet does not answer: a text that could be a
// message to somebody (an object of JSON), or one over 4 KiB.
std::optional<RelayChallenge> read_challenge(wire::JsonValue frame);

// Fails kForbidden where the server's key agrees on nothing.
Result<std::string> answer_challenge(const RelayChallenge& challenge,
                                     const crypto::RelaySecretKey& key);

struct SealedEnvelope {
  std::string frame;
  std::string nonce;  // by which its receipt is known
};
// `{"text":TEXT}`, sealed. Fails kForbidden for a key that agrees on nothing, kMalformed
// (text_too_long) for what is over the format's frame. REQUIRES: valid UTF-8.
Result<SealedEnvelope> seal_envelope(const crypto::RelaySecretKey& key, const crypto::RelayKey& to,
                                     std::string_view text);

// An envelope that came, opened as far as it can be.
struct RelayMessage {
  std::optional<crypto::RelayKey> from;
  std::string json;                 // what was sealed; empty: it does not open
  std::optional<std::string> text;  // its member `text`
  std::string_view why;             // it is not shown: does_not_open, not_json, misdirected, …
};
// nullopt: no envelope at all (noise, or a receipt).
std::optional<RelayMessage> open_envelope(const crypto::RelaySecretKey& key,
                                          std::string_view frame);

// What the server says of an envelope of ours: empty is delivered, else a code of docs/codes.md.
// nullopt: this frame is no receipt of the envelope with that nonce.
std::optional<std::string> read_receipt(std::string_view frame, std::string_view nonce);

}  // namespace signet::cli
