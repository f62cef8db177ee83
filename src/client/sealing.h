// Sealing: texts become bodies that only their receivers read, and received bodies become verdicts.
// Bytes and keys in, values out: no socket, no disk, no clock. Format: protocol/claudemesh.md,
// "Bodies".
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "client/key_message.h"
#include "crypto/box.h"
#include "crypto/channel_box.h"
#include "crypto/own_nonces.h"
#include "crypto/sign.h"
#include "signet/client.h"
#include "signet/result.h"

namespace signet::client {

// The longest text. Sealed, in base64 and with the rest of its frame it stays under the 65,536
// bytes that a broker takes.
inline constexpr std::size_t kMaxTextBytes = 40'000;

// May this be sent, sealed? Fails kMalformed (text_not_utf8, text_too_long, text_begins_with_nul).
Status check_text(std::string_view text);

// A body as it stands in a send: two strings that JSON need not escape, unless it is in the clear.
struct SealedBody {
  std::string nonce, ciphertext;
};

// The fields of a push that make up a body, unescaped. Borrows.
struct PushedBody {
  std::string_view mesh_id;  // empty where the broker did not say
  std::string_view sender;   // hex64
  std::string_view target;   // empty where the broker did not say
  std::string_view nonce;
  std::string_view ciphertext;
};

// Why a body is not believed. Nothing of it is shown.
enum class BodyFault : std::uint8_t {
  kReflected,     // the own side wrote it: under the own key, or under another's with an own nonce
  kMisdirected,   // the push names another mesh, or a target that is neither this member's key nor
                  // an audience
  kBadSignature,  // its sender did not write this, or not for this place
  kDoesNotOpen,   // no key of this member opens it
  kMalformed,     // it breaks the format, or its plaintext is neither text nor key message
};
// `reflected`, `misdirected`, `bad_signature`, `does_not_open`, `body_malformed`.
std::string_view name_of(BodyFault fault);

struct SealedText {  // only its receivers could read it, and its sender is proven
  std::string text;
};
struct PlainText {  // in the clear: whoever runs the broker could read it and could have written it
  std::string text;
};
struct KeyMissing {  // the sender is proven; its key `key_id` for the push's target is not here yet
  crypto::ChannelKeyId key_id{};
};
using Body = std::variant<SealedText, PlainText, KeyMissing, KeyGrant, KeyRequest, BodyFault>;

// What a received body was. A value of its own, moved and not copied: a KeyGrant holds a key.
struct Opened {
  // As the push says, except that a body without a target which opens as a direct one is kDirect.
  MessageKind kind = MessageKind::kUnknown;
  crypto::PublicKey sender;  // zero where the push named none
  Body body = BodyFault::kMalformed;

  const std::string* text() const;  // of a SealedText or PlainText, else null
  bool is_sealed() const { return std::holds_alternative<SealedText>(body); }
  // Why there is no text: the name of the fault, or `key_missing`; empty for texts and key
  // messages.
  std::string_view why() const;
};

// The key with this id that `scope.sender` handed over for `scope.target`; nullopt: not here.
using KeyLookup = std::function<std::optional<crypto::ChannelKey>(const crypto::ChannelScope& scope,
                                                                  const crypto::ChannelKeyId& id)>;

// Sealing is one member's side of a mesh. Owned by one thread; `own` must outlive it. It keeps the
// agreed keys of the members it met last, and wipes them with itself.
class Sealing {
 public:
  Sealing(std::string mesh_id, const crypto::SecretKey& own);

  // A direct message. Fails as check_text, and kForbidden (bad_key) for a key that nothing can be
  // sealed to and for the own one: what comes from it can't be told from a reflection, so nobody
  // would read it.
  Result<SealedBody> direct(const crypto::PublicKey& to, std::string_view text);
  // A key message to one member. Fails kForbidden as above.
  Result<SealedBody> key_message(const crypto::PublicKey& to, const KeyMessage& message);
  // A fresh channel key of the own side, and a message under one. Fails as above, and kMalformed
  // (bad_target) when `target` is no audience.
  Result<crypto::ChannelKey> new_channel_key(std::string_view target) const;
  Result<SealedBody> to_audience(std::string_view target, const crypto::ChannelKey& key,
                                 std::string_view text) const;
  // In the clear, as v0.1 sends to `*`, `#` and `tag:`. Fails as above, and kMalformed
  // (text_reads_as_sealed) for a text that begins as a channel body does.
  static Result<SealedBody> in_the_clear(std::string_view text);

  // Reads any body that a broker may push; never fails, whatever the bytes are.
  Opened open(const PushedBody& push, const KeyLookup& key_of);

 private:
  const crypto::DirectBox* box_with(const crypto::PublicKey& peer);
  Body open_direct(const PushedBody& push, const crypto::PublicKey& sender);
  Body open_audience(const PushedBody& push, const crypto::PublicKey& sender,
                     const KeyLookup& key_of) const;
  Result<SealedBody> sealed_to(const crypto::PublicKey& to, std::string_view plaintext);

  const std::string mesh_id_;
  const crypto::SecretKey& own_;
  const crypto::OwnNonces nonces_;
  std::map<crypto::PublicKey, crypto::DirectBox> boxes_;
};

}  // namespace signet::client
